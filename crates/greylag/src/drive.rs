//! Driving a run in this process, with its progress shown, or following one that another process drives.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::follow::{self, View};
use crate::{output, wire};
use clap::Args;
use greylag_driver::journal::RunRecord;
use greylag_engine::{Asked, Ended, Limits, Quiet, RunSummary};
use greylag_model::code;
use greylag_model::id::RunId;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// How often the view looks at the journal while this process drives.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long nothing may have happened before those who do not wait leave, milliseconds: longer than it takes to ask once more
/// after what was pending.
const QUIET: i64 = 3_000;

/// Whether to wait for what goes on outside.
#[derive(Debug, Default, Args)]
pub(crate) struct Waits {
    /// End as soon as only people or work elsewhere are waited for, with exit code 3; `greylag resume RUN` goes on.
    #[arg(long)]
    no_wait: bool,
}

/// Drives a run until it ends, waits for a person, is paused, or a person stops this process.
fn drive(context: &Context, run: &RunId, waits: &Waits) -> Result<RunSummary, Failure> {
    let state = context.state()?;
    let outside_millis = waits.no_wait.then_some(QUIET);
    let engine = wire::engine(context, state)?.limited(|limits| Limits { outside_millis, ..limits });
    let mut view = View::new(context, state.journal.as_ref(), run)?;
    let (over, ended) = channel();
    let stop = Arc::clone(context.stop());
    let summary = std::thread::scope(|scope| {
        let (stop, engine) = (&stop, &engine);
        let driving = scope.spawn(move || {
            // Dropped when it returns, even by a panic.
            let _over: Sender<()> = over;
            engine.drive(run, &Quiet, stop)
        });
        // The view reads the journal as any other process would; what it cannot read it leaves out.
        while ended.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
            if let Ok(record) = follow::record(state.journal.as_ref(), run) {
                let _ = view.show(&record);
            }
        }
        driving.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })?;
    view.show(&summary.run)?;
    view.finish(&summary.run);
    Ok(summary)
}

/// Drives or follows, whichever the request's answer calls for, and prints how it ended.
pub(crate) fn carry_on(context: &Context, asked: &Asked, waits: &Waits) -> Outcome {
    match asked {
        Asked::Met { run } => drive_and_tell(context, &run.id, waits),
        Asked::Left { run } => follow_and_tell(context, &run.id),
    }
}

fn follow_and_tell(context: &Context, run: &RunId) -> Outcome {
    context.say(&format!("{run} is driven by another process; following it"));
    tell(context, &follow::until_ended(context, run)?)
}

/// Drives and prints how it ended. Where another process was quicker to take the run, it is followed.
pub(crate) fn drive_and_tell(context: &Context, run: &RunId, waits: &Waits) -> Outcome {
    let summary = match drive(context, run, waits) {
        Err(failure) if failure.is(code::engine::RUN_DRIVEN) => return follow_and_tell(context, run),
        summary => summary?,
    };
    let exit = tell(context, &summary.run)?;
    if summary.ended == Ended::Outside {
        context.say(&format!("{run} waits for people or for work elsewhere; `greylag resume {run}` goes on"));
    }
    Ok(match summary.ended {
        Ended::Stopped => Exit::Interrupted,
        Ended::NeedsPerson | Ended::Outside | Ended::Paused => Exit::Incomplete,
        Ended::Finished | Ended::Aborted | Ended::Undone => exit,
    })
}

fn tell(context: &Context, run: &RunRecord) -> Outcome {
    let exit = follow::exit_of(context.journal()?, run)?;
    if context.format().is_json() {
        output::document(context.format(), "run", &serde_json::json!({ "outcome": exit.word(), "run": run }))?;
    }
    Ok(exit)
}
