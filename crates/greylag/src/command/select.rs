//! Which run or plan a person means: the whole name, an unambiguous beginning of it, or the newest.

use crate::failure::Failure;
use greylag_driver::journal::{Journal, RunRecord};
use greylag_model::code::{self, Code};
use greylag_model::id::PlanId;
use greylag_model::plan::PlanHeader;

/// How many runs or plans are looked through for a beginning of a name.
const SEARCHED: usize = 10_000;

/// The run called `name`, or the newest.
pub(crate) fn run(journal: &dyn Journal, name: Option<&str>) -> Result<RunRecord, Failure> {
    let runs = journal.runs(if name.is_some() { SEARCHED } else { 1 })?;
    let Some(name) = name else {
        return runs.into_iter().next().ok_or_else(|| {
            Failure::error(code::cli::RUN_NOT_FOUND, "there is no run yet")
                .hint("`greylag plan -f FILE`, then `greylag apply PLAN`, makes one")
        });
    };
    choose(runs, name, "run", code::cli::RUN_NOT_FOUND, |run| run.id.as_str())
}

/// The saved plan called `name`.
pub(crate) fn plan(journal: &dyn Journal, name: &str) -> Result<PlanHeader, Failure> {
    if let Some(header) = journal.plan(&PlanId::new(name))? {
        return Ok(header);
    }
    choose(journal.plans(SEARCHED)?, name, "plan", code::cli::PLAN_NOT_FOUND, |plan| plan.id.as_str())
}

fn choose<T>(items: Vec<T>, name: &str, kind: &str, not_found: Code, id: impl Fn(&T) -> &str) -> Result<T, Failure> {
    let exact = items.iter().position(|item| id(item) == name);
    let mut fitting: Vec<T> = match exact {
        Some(index) => items.into_iter().skip(index).take(1).collect(),
        None => items.into_iter().filter(|item| id(item).starts_with(name)).collect(),
    };
    match fitting.len() {
        1 => Ok(fitting.remove(0)),
        0 => Err(Failure::error(not_found, format!("there is no {kind} `{name}`"))
            .hint(format!("`greylag {kind}s` lists them"))),
        many => {
            let names: Vec<String> = fitting.iter().take(5).map(|item| format!("`{}`", id(item))).collect();
            Err(Failure::error(code::cli::NAME_AMBIGUOUS, format!("`{name}` fits {many} {kind}s"))
                .hint(format!("it could be {}", names.join(", "))))
        }
    }
}
