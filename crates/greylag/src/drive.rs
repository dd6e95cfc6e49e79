//! Driving a run in this process, with its progress shown, or following one that another process drives.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::follow::{self, View};
use crate::{output, wire};
use greylag_driver::journal::RunRecord;
use greylag_engine::{Asked, Ended, Quiet, RunSummary};
use greylag_model::code;
use greylag_model::id::RunId;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// How often the view looks at the journal while this process drives.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Drives a run until it ends, waits for a person, is paused, or a person stops this process.
pub(crate) fn drive(context: &Context, run: &RunId) -> Result<RunSummary, Failure> {
    let state = context.state()?;
    let engine = wire::engine(context, state)?;
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
pub(crate) fn carry_on(context: &Context, asked: &Asked) -> Outcome {
    match asked {
        Asked::Met { run } => drive_and_tell(context, &run.id),
        Asked::Left { run } => follow_and_tell(context, &run.id),
    }
}

fn follow_and_tell(context: &Context, run: &RunId) -> Outcome {
    context.say(&format!("{run} is driven by another process; following it"));
    tell(context, &follow::until_ended(context, run)?)
}

/// Drives and prints how it ended. Where another process was quicker to take the run, it is followed.
pub(crate) fn drive_and_tell(context: &Context, run: &RunId) -> Outcome {
    let summary = match drive(context, run) {
        Err(failure) if failure.is(code::engine::RUN_DRIVEN) => return follow_and_tell(context, run),
        summary => summary?,
    };
    let exit = tell(context, &summary.run)?;
    Ok(match summary.ended {
        Ended::Stopped => Exit::Interrupted,
        Ended::NeedsPerson | Ended::Paused => Exit::Incomplete,
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
