//! Which run, plan or task a person means: the whole name, an unambiguous beginning of it, or the newest run.

use crate::failure::Failure;
use greylag_driver::journal::{Journal, RunRecord, TaskFilter, TaskRecord};
use greylag_model::code::{self, Code};
use greylag_model::id::{PlanId, RunId, TaskId};
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

/// The task called `name` of a run.
pub(crate) fn task(journal: &dyn Journal, run: &RunId, name: &str) -> Result<TaskRecord, Failure> {
    let filter = TaskFilter { states: Vec::new(), id: Some(TaskId::new(name)) };
    if let Some(task) = journal.tasks(run, &filter, 0, 1)?.pop() {
        return Ok(task);
    }
    let tasks = journal.tasks(run, &TaskFilter::default(), 0, SEARCHED)?;
    let failure = Failure::error(code::engine::TASK_UNKNOWN, format!("run `{run}` has no task `{name}`"));
    Err(meant(failure, name, tasks.iter().map(|task| task.id.as_str()))
        .hint(format!("`greylag status {run} --limit 10000` lists them")))
}

/// The failure, with a hint at the name that was probably meant.
fn meant<'a>(failure: Failure, name: &str, known: impl Iterator<Item = &'a str>) -> Failure {
    let far = 1 + name.chars().count() / 4;
    let near = known.map(|known| (strsim::damerau_levenshtein(known, name), known)).min();
    match near {
        Some((distance, known)) if distance <= far => failure.hint(format!("did you mean `{known}`?")),
        _ => failure,
    }
}

fn choose<T>(items: Vec<T>, name: &str, kind: &str, not_found: Code, id: impl Fn(&T) -> &str) -> Result<T, Failure> {
    let exact = items.iter().position(|item| id(item) == name);
    let mut fitting: Vec<T> = match exact {
        Some(index) => items.into_iter().skip(index).take(1).collect(),
        None if items.iter().any(|item| id(item).starts_with(name)) => {
            items.into_iter().filter(|item| id(item).starts_with(name)).collect()
        }
        None => {
            let failure = Failure::error(not_found, format!("there is no {kind} `{name}`"));
            return Err(meant(failure, name, items.iter().map(&id)).hint(format!("`greylag {kind}s` lists them")));
        }
    };
    match fitting.len() {
        1 => Ok(fitting.remove(0)),
        many => {
            let names: Vec<String> = fitting.iter().take(5).map(|item| format!("`{}`", id(item))).collect();
            Err(Failure::error(code::cli::NAME_AMBIGUOUS, format!("`{name}` fits {many} {kind}s"))
                .hint(format!("it could be {}", names.join(", "))))
        }
    }
}
