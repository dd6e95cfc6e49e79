//! `greylag wait`: blocks until a run is where a script needs it.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::{follow, output, show};
use clap::{Args, ValueEnum};
use greylag_driver::journal::RunRecord;
use greylag_model::code;
use greylag_model::spec::duration;
use greylag_model::task::RunState;
use std::time::Duration;

/// Wait until a run reaches a condition.
///
/// For scripts: nothing is driven, some other process does that. Exit 0 once the condition holds (for `ended`: that of the
/// run's end), 3 if the time is over or the run has ended otherwise.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
                        greylag wait RUN --for succeeded --timeout 2h\n  \
                        greylag wait RUN --for idle; greylag approve RUN --yes")]
pub(crate) struct Wait {
    /// The run; the default is the newest.
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// What to wait for.
    #[arg(long = "for", value_enum, default_value_t, value_name = "CONDITION")]
    condition: Condition,
    /// Give up after so long (exit 3), e.g. `90s`, `10m`.
    #[arg(long, value_name = "DURATION")]
    timeout: Option<String>,
}

/// What to wait for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Condition {
    /// No task is left to do: finished, aborted or undone.
    #[default]
    Ended,
    /// Finished, with every task succeeded; anything else that ends the run is exit 3.
    Succeeded,
    /// Paused.
    Paused,
    /// Undone.
    Undone,
    /// Nothing runs: what is left waits for a person or the outside.
    Idle,
}

impl Condition {
    fn holds(self, run: &RunRecord) -> bool {
        match self {
            Self::Ended => follow::ended(run),
            Self::Succeeded => run.row.state == RunState::Finished && run.counters.bad() == 0,
            Self::Paused => run.row.state == RunState::Paused,
            Self::Undone => run.row.state == RunState::Undone,
            Self::Idle => {
                let counters = run.counters;
                // Between two cohorts nothing runs for a moment, and yet it goes on.
                let goes_on = counters.pending > 0 && counters.waiting == 0 && follow::held(run).is_none();
                counters.running + counters.ready == 0 && (!goes_on || run.row.state != RunState::Running)
            }
        }
    }
}

impl Wait {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let journal = context.journal()?;
        let run = super::select::run(journal, self.run.as_deref())?;
        let patience = match &self.timeout {
            Some(text) => Some(duration::parse(text).map_err(|message| {
                Failure::usage(format!("`--timeout {text}` is not a duration: {message}"))
                    .hint("write a number and a unit, e.g. `90s`, `10m`, `2h`")
            })?),
            None => None,
        };
        let patience = patience.map(|millis| Duration::from_millis(u64::try_from(millis).unwrap_or(0)));
        let reached = follow::until(context, &run.id, patience, |run| self.condition.holds(run) || follow::ended(run))?;
        let holds = self.condition.holds(&reached);
        let exit = match self.condition {
            Condition::Ended if holds => follow::exit_of(journal, &reached)?,
            _ if holds => Exit::Done,
            _ => Exit::Incomplete,
        };
        if context.format().is_json() {
            let value = serde_json::json!({ "outcome": exit.word(), "met": holds, "run": reached });
            output::document(context.format(), "wait", &value)?;
        }
        if holds {
            context.say(&format!("{} is {}", reached.id, show::run_state(&reached)));
            return Ok(exit);
        }
        let (code, what) = if follow::ended(&reached) {
            (code::cli::WRONG_STATE, "it has ended otherwise")
        } else {
            (code::cli::WAIT_TIMED_OUT, "the time is over")
        };
        let mut failure = Failure::error(code, format!("`{}` is {}: {what}", reached.id, show::run_state(&reached)));
        failure.exit = exit;
        Err(failure)
    }
}
