//! `greylag approve`: says yes to what waits for a person.

use super::control::told;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::replan::{self, Anew};
use crate::{drive, follow, wire};
use clap::Args;
use greylag_driver::journal::{RunRecord, TaskFilter};
use greylag_engine::{Asked, service};
use greylag_model::code;
use greylag_model::id::TaskId;
use greylag_model::rollout::Held;
use greylag_model::task::TaskState;
use std::path::PathBuf;

/// Say yes to what waits for a person: steps such as `data/retire` and `data/drop`, what follows a cohort, and stale tasks
/// planned anew.
///
/// Who, when and why are kept in the journal. With `--stale` the sources of stale tasks are looked at again. Where the
/// operations stay what they were, the task goes on with them; where they differ, the migration file says what they are
/// now (`-f`). What would be done is shown before it is asked for; the rest of the run is not touched.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
                        greylag approve RUN --reason 'readers moved, see DATA-12'\n  \
                        greylag approve RUN --task users_v2 --yes\n  \
                        greylag approve RUN --cohort canary --reason 'looked at both, fine'\n  \
                        greylag approve RUN --stale -f users.yaml")]
pub(crate) struct Approve {
    /// The run.
    #[arg(value_name = "RUN")]
    run: String,
    /// Only these tasks; the default is every task that waits.
    #[arg(long, value_name = "TASK")]
    task: Vec<String>,
    /// Why, for the journal.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// What follows this cohort, instead of steps that wait.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["task", "stale"])]
    cohort: Option<String>,
    /// Let the next cohort go although more of this one's tasks ended badly than may.
    #[arg(long, requires = "cohort")]
    despite_failures: bool,
    /// Stale tasks, planned anew, instead of steps that wait.
    #[arg(long)]
    stale: bool,
    /// The migration file as it is now, for stale tasks whose operations differ.
    #[arg(short, long, value_name = "FILE", requires = "stale")]
    file: Vec<PathBuf>,
    #[command(flatten)]
    parameters: crate::templates::Parameters,
    /// Confirm beforehand.
    #[arg(short, long)]
    yes: bool,
    /// Only record the approval; `greylag resume RUN` goes on.
    #[arg(long)]
    record_only: bool,
    #[command(flatten)]
    waits: drive::Waits,
}

impl Approve {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let run = super::select::run(context.journal()?, Some(&self.run))?;
        let last = match &self.cohort {
            Some(cohort) => self.cohort(context, &run, cohort)?,
            None if self.stale => self.stale(context, &run)?,
            None => self.waiting(context, &run)?,
        };
        match last {
            Some(asked @ Asked::Met { .. }) if !self.record_only => drive::carry_on(context, &asked, &self.waits),
            Some(asked) => told(context, &asked, "approved"),
            None => Ok(Exit::Done),
        }
    }

    fn cohort(&self, context: &Context, run: &RunRecord, cohort: &str) -> Result<Option<Asked>, Failure> {
        let Some(at) = run.cohorts.iter().position(|row| row.name == cohort) else {
            let names: Vec<&str> = run.cohorts.iter().map(|row| row.name.as_str()).collect();
            let hint = match names.as_slice() {
                [] => "its migration has no `rollout`, or it has not begun".to_owned(),
                names => format!("its cohorts are {}", names.join(", ")),
            };
            let message = format!("`{}` has no cohort `{cohort}`", run.id);
            return Err(Failure::error(code::cli::WRONG_STATE, message).hint(hint));
        };
        let (row, next) = (&run.cohorts[at], run.cohorts.get(at + 1));
        if let (Some(Held::Failures { .. }), false) = (row.held, self.despite_failures) {
            let message = format!("{} of {} tasks of cohort `{cohort}` ended badly, more than may", row.bad, row.tasks);
            return Err(Failure::error(code::cli::WRONG_STATE, message)
                .hint(format!(
                    "`greylag status {} --failed` tells why, `greylag retry {} --failed` tries again",
                    run.id, run.id
                ))
                .hint("`--despite-failures` lets the next cohort go all the same"));
        }
        let what =
            next.map_or("what follows".to_owned(), |next| format!("cohort {} ({} tasks)", next.name, next.tasks));
        context.confirm(&format!("Let {what} go after {cohort}?"), self.yes)?;
        let engine = wire::engine(context, context.state()?)?;
        let reason = self.reason.as_deref();
        let asked =
            service::approve_cohort(&engine, &run.id, cohort, (&context.actor(), reason), self.despite_failures)?;
        Ok(Some(asked))
    }

    fn waiting(&self, context: &Context, run: &RunRecord) -> Result<Option<Asked>, Failure> {
        let filter = TaskFilter { states: vec![TaskState::Waiting], id: None };
        let waiting = context.journal()?.tasks(&run.id, &filter, 0, 100_000)?;
        let waiting = waiting.into_iter().filter(|task| task.row.wake.is_none() && task.row.handle.is_none());
        let tasks = self.tasks(context, run, waiting.map(|task| task.id).collect())?;
        if tasks.is_empty() {
            let message = format!("nothing in `{}` waits for an approval", run.id);
            let failure = Failure::error(code::cli::WRONG_STATE, message);
            if let Some((cohort, _)) = follow::held(run) {
                return Err(
                    failure.hint(format!("it is held after a cohort: `greylag approve {} --cohort {cohort}`", run.id))
                );
            }
            return Err(match run.counters.stale {
                0 => failure.hint(format!("`greylag status {}` shows what its tasks are at", run.id)),
                stale => failure.hint(format!("{stale} tasks are stale: `greylag approve {} --stale`", run.id)),
            });
        }
        context.confirm(&format!("Approve the next step of {}?", named(&tasks)), self.yes)?;
        let engine = wire::engine(context, context.state()?)?;
        let mut last = None;
        for task in &tasks {
            last = Some(service::approve(&engine, &run.id, task, &context.actor(), self.reason.as_deref())?);
        }
        Ok(last)
    }

    fn stale(&self, context: &Context, run: &RunRecord) -> Result<Option<Asked>, Failure> {
        let filter = TaskFilter { states: vec![TaskState::Stale], id: None };
        let stale = context.journal()?.tasks(&run.id, &filter, 0, 100_000)?;
        let wanted = self.tasks(context, run, stale.iter().map(|task| task.id.clone()).collect())?;
        let stale: Vec<_> = stale.into_iter().filter(|task| wanted.contains(&task.id)).collect();
        if stale.is_empty() {
            return Err(Failure::error(code::cli::WRONG_STATE, format!("no such task of `{}` is stale", run.id))
                .hint(format!("`greylag status {} --failed` shows what its tasks are at", run.id)));
        }
        let anew = Anew::plan(context, run, &stale, &self.file, &self.parameters)?;
        replan::show(context, &anew)?;
        context.confirm(&format!("Go on with {} as planned anew?", named(&wanted)), self.yes)?;
        anew.save(context)?;
        let engine = wire::engine(context, context.state()?)?;
        let reason = self.reason.as_deref();
        Ok(Some(service::replan(&engine, &run.id, &anew.tasks(), anew.id(), &context.actor(), reason)?))
    }

    /// The tasks that were named, or all.
    fn tasks(&self, context: &Context, run: &RunRecord, all: Vec<TaskId>) -> Result<Vec<TaskId>, Failure> {
        if self.task.is_empty() {
            return Ok(all);
        }
        let journal = context.journal()?;
        self.task.iter().map(|name| Ok(super::select::task(journal, &run.id, name)?.id)).collect()
    }
}

/// The first few by name.
fn named(tasks: &[TaskId]) -> String {
    let first: Vec<&str> = tasks.iter().take(3).map(TaskId::as_str).collect();
    let more = if tasks.len() > 3 { format!(" and {} more", tasks.len() - 3) } else { String::new() };
    format!("{}{more}", first.join(", "))
}
