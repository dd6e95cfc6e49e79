//! `greylag pause` and `abort`: what a person wants of a run.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::{drive, output, wire};
use clap::Args;
use greylag_engine::{Asked, service};

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
            Asked::Met { .. } => drive::drive_and_tell(context, &run.id, &drive::Waits::default()),
            Asked::Left { .. } => told(context, &asked, "aborting"),
        }
    }
}

/// Prints what became of a request.
pub(super) fn told(context: &Context, asked: &Asked, word: &str) -> Outcome {
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
