//! Plain answers of the use-cases.

use greylag_driver::executor::Rehearsal;
use greylag_driver::journal::RunRecord;
use greylag_model::id::TaskId;
use greylag_model::task::Failure;
use serde::Serialize;

/// Why driving ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// All tasks ended; the counters say how.
    Finished,
    /// A person aborted it.
    Aborted,
    /// Taken back; the counters say what could not be.
    Undone,
    /// Paused by a person.
    Paused,
    /// What is left waits for a person's approval.
    NeedsPerson,
    /// What is left goes on outside (an owner's merge, a job elsewhere), and this engine does not wait for it.
    Outside,
    /// The stop flag was set; the run can go on in another process.
    Stopped,
}

/// What came of driving a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunSummary {
    /// Why it ended.
    pub ended: Ended,
    /// The run as it stands.
    pub run: RunRecord,
}

impl RunSummary {
    /// Whether the run reached what it was after, for every task.
    pub fn is_good(&self) -> bool {
        let counters = self.run.counters;
        match self.ended {
            Ended::Finished => counters.succeeded == counters.total(),
            Ended::Undone => counters.undone == counters.total(),
            Ended::Aborted | Ended::Paused | Ended::NeedsPerson | Ended::Outside | Ended::Stopped => false,
        }
    }
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "asked", rename_all = "kebab-case")]
pub enum Asked {
    /// It is met; the run as it stands. Driving it is what remains, if it has tasks to do.
    Met {
        /// The run.
        run: Box<RunRecord>,
    },
    /// It was left for the process that drives the run, which sees it within a fraction of a second.
    Left {
        /// The run.
        run: Box<RunRecord>,
    },
}

impl Asked {
    /// The run as it stands.
    pub fn run(&self) -> &RunRecord {
        match self {
            Self::Met { run } | Self::Left { run } => run,
        }
    }
}

/// What taking one step back would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepBack {
    /// Its name.
    pub step: String,
    /// What it would do, and what stands in its way.
    #[serde(flatten)]
    pub rehearsal: Rehearsal,
}

/// What undoing would do to one task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UndoPreview {
    /// Which.
    pub task: TaskId,
    /// The steps that would be taken back, in that order.
    pub steps: Vec<StepBack>,
    /// Why it cannot be taken back at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Failure>,
}

impl UndoPreview {
    /// Whether nothing stands in its way.
    pub fn is_free(&self) -> bool {
        self.refused.is_none() && self.steps.iter().all(|step| step.rehearsal.obstacles.is_empty())
    }
}
