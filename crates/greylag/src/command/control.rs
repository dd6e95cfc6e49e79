//! `greylag pause`, `abort` and `approve`: what a person wants of a run.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::{drive, output, wire};
use clap::Args;
use greylag_driver::journal::TaskFilter;
use greylag_engine::{Asked, service};
use greylag_model::code;
use greylag_model::id::TaskId;
use greylag_model::task::TaskState;

/// Lease nothing new in a run; attempts under way end after their chunk.
///
/// What is under way ends after its chunk and keeps it. `greylag resume RUN` goes on.
#[derive(Debug, Args)]
pub(crate) struct Pause {
    /// The run.
    #[arg(value_name = "RUN")]
    run: String,
}

impl Pause {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let run = super::select::run(context.journal()?, Some(&self.run))?;
        let state = context.state()?;
        let asked = service::pause(&wire::engine(context, state)?, &run.id, &context.actor())?;
        told(context, &asked, "paused")
    }
}

/// End a run before its tasks do: what is not done is skipped, what is done stays (`undo` takes it back).
#[derive(Debug, Args)]
pub(crate) struct Abort {
    /// The run.
    #[arg(value_name = "RUN")]
    run: String,
    /// Confirm beforehand.
    #[arg(short, long)]
    yes: bool,
}

impl Abort {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let run = super::select::run(context.journal()?, Some(&self.run))?;
        context.confirm(&format!("Abort {} with {} tasks left?", run.id, run.counters.open()), self.yes)?;
        let state = context.state()?;
        let asked = service::abort(&wire::engine(context, state)?, &run.id, &context.actor())?;
        match asked {
            Asked::Met { .. } => drive::drive_and_tell(context, &run.id),
            Asked::Left { .. } => told(context, &asked, "aborting"),
        }
    }
}

/// Say yes to steps that wait for a person, such as `data/retire` and `data/drop`.
#[derive(Debug, Args)]
pub(crate) struct Approve {
    /// The run.
    #[arg(value_name = "RUN")]
    run: String,
    /// Only these tasks; the default is every task that waits.
    #[arg(long, value_name = "TASK")]
    task: Vec<String>,
    /// Confirm beforehand.
    #[arg(short, long)]
    yes: bool,
    /// Only record the approval; `greylag resume RUN` goes on.
    #[arg(long)]
    record_only: bool,
}

impl Approve {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let journal = context.journal()?;
        let run = super::select::run(journal, Some(&self.run))?;
        let state = context.state()?;
        let engine = wire::engine(context, state)?;
        let tasks: Vec<TaskId> =
            if self.task.is_empty() { waiting(context, &run.id)? } else { self.task.iter().map(TaskId::new).collect() };
        if tasks.is_empty() {
            let message = format!("nothing in `{}` waits for an approval", run.id);
            return Err(Failure::error(code::cli::WRONG_STATE, message)
                .hint(format!("`greylag status {}` shows what its tasks are at", run.id)));
        }
        let first: Vec<&str> = tasks.iter().take(3).map(TaskId::as_str).collect();
        let more = if tasks.len() > 3 { format!(" and {} more", tasks.len() - 3) } else { String::new() };
        context.confirm(&format!("Approve the next step of {}{more}?", first.join(", ")), self.yes)?;
        let mut last = None;
        for task in &tasks {
            last = Some(service::approve(&engine, &run.id, task, &context.actor())?);
        }
        match last {
            Some(asked @ Asked::Met { .. }) if !self.record_only => drive::carry_on(context, &asked),
            Some(asked) => told(context, &asked, "approved"),
            None => Ok(Exit::Done),
        }
    }
}

/// Tasks that wait for a person.
fn waiting(context: &Context, run: &greylag_model::id::RunId) -> Result<Vec<TaskId>, Failure> {
    let filter = TaskFilter { states: vec![TaskState::Waiting], id: None };
    let tasks = context.journal()?.tasks(run, &filter, 0, 100_000)?;
    Ok(tasks
        .into_iter()
        .filter(|task| task.row.wake.is_none() && task.row.handle.is_none())
        .map(|task| task.id)
        .collect())
}

fn told(context: &Context, asked: &Asked, word: &str) -> Outcome {
    let run = asked.run();
    let left = matches!(asked, Asked::Left { .. });
    if context.format().is_json() {
        output::document(context.format(), "run", &serde_json::json!({ "run": run, "left": left }))?;
    } else if left {
        context.say(&format!("{}: the process that drives it has been told", run.id));
    } else {
        context.say(&format!("{} {word}", run.id));
    }
    Ok(Exit::Done)
}
