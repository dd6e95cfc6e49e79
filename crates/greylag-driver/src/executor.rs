//! Executors: what does a step's work.
//!
//! The engine journals the intent, then calls [`Executor::start`]. Work that ends soon answers [`Outcome::Done`]; work
//! that goes on elsewhere answers [`Outcome::Pending`] with a handle, holds no lease or thread, and is polled at its
//! wake time. An executor must be *idempotent by probing*: a second `start` of the same step finds what the first one
//! left (effects have deterministic names), redoes at most what was in flight, and never doubles an effect.

use crate::error::DriverError;
use greylag_model::check::CheckResult;
use greylag_model::code::cli;
use greylag_model::id::{RunId, TaskId, Timestamp};
use greylag_model::increment::Base;
use greylag_model::plan::{DatasetWork, PlanHeader, PlanTask};
pub use greylag_model::task::Progress;
use greylag_model::task::{Direction, Failure, Step};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// One attempt of one step.
#[derive(Clone, Copy, Debug)]
pub struct StepRequest<'a> {
    /// Which run.
    pub run: &'a RunId,
    /// Which task.
    pub task: &'a TaskId,
    /// What holds for the whole plan.
    pub header: &'a PlanHeader,
    /// What the plan says of the task.
    pub plan: &'a PlanTask,
    /// The step.
    pub step: &'a Step,
    /// Forwards, or taking it back.
    pub direction: Direction,
    /// 1 for the first try.
    pub attempt: u32,
    /// The lease's fencing token: grows with every lease of this task. Staging names carry it.
    pub epoch: u64,
}

impl<'a> StepRequest<'a> {
    /// The dataset that the task is about.
    pub fn dataset(&self) -> Result<&'a DatasetWork, DriverError> {
        dataset_of(self.plan)
    }
}

/// The dataset that a task is about; an error if it is about code.
pub fn dataset_of(task: &PlanTask) -> Result<&DatasetWork, DriverError> {
    task.dataset().ok_or_else(|| {
        DriverError::permanent(cli::INTERNAL, format!("the task `{}` is about code and not about a dataset", task.id))
    })
}

/// What the engine offers to an attempt.
pub trait Context: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
    /// Whether the attempt should end: paused, aborted, timed out or fenced. Long work asks between chunks.
    fn cancelled(&self) -> bool;
    /// Records durably that keys (chunks) are done, all or nothing; returns when it is on disk. Fails with class conflict
    /// if this attempt has lost its lease.
    fn checkpoint_all(&self, notes: &[(String, Value)]) -> Result<(), DriverError>;
    /// Records one of them.
    fn checkpoint(&self, key: &str, value: &Value) -> Result<(), DriverError> {
        self.checkpoint_all(&[(key.to_owned(), value.clone())])
    }
    /// What this step has recorded so far in this direction, in this attempt or an earlier one, by key.
    fn checkpoints(&self) -> Result<Vec<(String, Value)>, DriverError>;
    /// What this step has recorded forwards, for taking back what came to no end.
    fn noted_forwards(&self) -> Result<Vec<(String, Value)>, DriverError>;
    /// Tells how far the work is; cheap, not durable.
    fn progress(&self, progress: Progress);
    /// The evidence (`StepReport::output`) of an earlier step of the same task, by its name (`uses`, for
    /// those of the built-in order).
    fn output_of(&self, name: &str) -> Result<Option<Arc<Value>>, DriverError>;
    /// What the step of a base (see [`greylag_model::increment`]) has recorded, by key.
    fn base_checkpoints(&self, base: &Base) -> Result<Vec<(String, Value)>, DriverError>;
    /// A named place at which a test rig may stop or fail the attempt; `point` is e.g. `in-effect`.
    fn fault(&self, point: &str) -> std::io::Result<()>;
}

/// How an attempt ended well.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The step is done.
    Done(StepReport),
    /// The work goes on elsewhere.
    Pending {
        /// Names it to `poll` and `cancel`; journalled.
        handle: String,
        /// When to ask again.
        wake: Timestamp,
    },
}

/// What a step that is done has to say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StepReport {
    /// Counts for the run's totals.
    pub progress: Progress,
    /// Typed output for later steps and for people (evidence, paths, counts); never values of rows.
    #[serde(default)]
    pub output: Value,
    /// Checks and their outcomes; one `fail` fails the task with class permanent.
    #[serde(default)]
    pub checks: Vec<CheckResult>,
    /// What people should know of it, a line each, the fewer the better: of a step that was taken back, what is not as it
    /// was before because others changed it.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// What taking a step back would do, as the world is now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rehearsal {
    /// What it would do, a line each; nothing if there is nothing to do.
    pub does: Vec<String>,
    /// What would not be as it was before, because others changed it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<String>,
    /// What stands in its way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub obstacles: Vec<Failure>,
}

impl Rehearsal {
    /// One that would do this and no more.
    pub fn does(what: impl Into<String>) -> Self {
        Self { does: vec![what.into()], ..Self::default() }
    }
}

/// Does the work of the steps whose `uses` it serves.
pub trait Executor: Send + Sync {
    /// The `uses` names that it serves, e.g. `data/backfill`; one that ends with `/` serves all names that begin so.
    fn serves(&self) -> &'static [&'static str];
    /// Starts an attempt, forwards or back.
    fn start(&self, request: &StepRequest<'_>, context: &dyn Context) -> Result<Outcome, DriverError>;
    /// Asks after pending work.
    fn poll(&self, request: &StepRequest<'_>, handle: &str, context: &dyn Context) -> Result<Outcome, DriverError>;
    /// Ends pending work; idempotent.
    fn cancel(&self, request: &StepRequest<'_>, handle: &str, context: &dyn Context) -> Result<(), DriverError>;
    /// Says what taking the step back would do and what would stand in its way, without touching anything. Fails where
    /// that cannot be found out.
    fn rehearse(&self, request: &StepRequest<'_>, context: &dyn Context) -> Result<Rehearsal, DriverError> {
        let _ = context;
        Ok(Rehearsal::does(format!("take back what `{}` did", request.step.name())))
    }
}
