//! `greylag resume` and `greylag retry`: go on with a run.

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::{drive, show, wire};
use clap::Args;
use greylag_engine::{Asked, service};
use greylag_model::code;
use greylag_model::id::TaskId;
use greylag_model::task::RunState;

/// Go on with a run that was paused, stopped or killed.
///
/// What is done stays done; at most the chunk that was under way is done again. If another process drives the run, this
/// one follows it.
#[derive(Debug, Args)]
pub(crate) struct Resume {
    /// The run; the default is the newest.
    #[arg(value_name = "RUN")]
    run: Option<String>,
    #[command(flatten)]
    waits: drive::Waits,
}

impl Resume {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let run = super::select::run(context.journal()?, self.run.as_deref())?;
        if run.row.state == RunState::Running || run.row.state == RunState::Planned {
            return if show::driven(&run) {
                drive::carry_on(context, &Asked::Left { run: Box::new(run) }, &self.waits)
            } else {
                drive::drive_and_tell(context, &run.id, &self.waits)
            };
        }
        let state = context.state()?;
        let asked = service::resume(&wire::engine(context, state)?, &run.id, &context.actor()).map_err(|error| {
            let failure = Failure::from(error);
            if run.counters.bad() == 0 {
                return failure;
            }
            failure.hint(format!("`greylag retry {} --failed` tries again what ended badly", run.id))
        })?;
        drive::carry_on(context, &asked, &self.waits)
    }
}

/// Try again what ended badly in a run.
///
/// A task goes on at the step that failed. Its cause has to be mended first: `greylag status RUN --failed` names it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
                        greylag retry RUN --failed\n  \
                        greylag retry RUN --task users_v2")]
pub(crate) struct Retry {
    /// The run.
    #[arg(value_name = "RUN")]
    run: String,
    /// All tasks that failed, were quarantined or are stale.
    #[arg(long, required_unless_present = "task")]
    failed: bool,
    /// Only this task.
    #[arg(long, value_name = "TASK", conflicts_with = "failed")]
    task: Option<String>,
    #[command(flatten)]
    waits: drive::Waits,
}

impl Retry {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let run = super::select::run(context.journal()?, Some(&self.run))?;
        if run.counters.bad() == 0 && self.task.is_none() {
            return Err(Failure::error(code::cli::WRONG_STATE, format!("no task of `{}` ended badly", run.id))
                .hint(format!("`greylag status {}` shows what its tasks are at", run.id)));
        }
        let journal = context.journal()?;
        let task = self.task.as_deref().map(|name| super::select::task(journal, &run.id, name)).transpose()?;
        let task: Option<TaskId> = task.map(|task| task.id);
        let state = context.state()?;
        let asked = service::retry_failed(&wire::engine(context, state)?, &run.id, task.as_ref(), &context.actor())?;
        drive::carry_on(context, &asked, &self.waits)
    }
}
