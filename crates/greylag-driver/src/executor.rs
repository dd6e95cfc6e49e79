//! Executors: what does a step's work.
//!
//! The engine journals the intent, then calls [`Executor::start`]. Work that ends soon answers [`Outcome::Done`]; work
//! that goes on elsewhere answers [`Outcome::Pending`] with a handle, holds no lease or thread, and is polled at its
//! wake time. An executor must be *idempotent by probing*: a second `start` of the same step finds what the first one
//! left (effects have deterministic names), redoes at most what was in flight, and never doubles an effect.

use crate::error::DriverError;
use greylag_model::check::CheckResult;
use greylag_model::id::{RunId, TaskId, Timestamp};
use greylag_model::increment::Base;
use greylag_model::plan::{PlanHeader, PlanTask};
pub use greylag_model::task::Progress;
use greylag_model::task::{Direction, Step};
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

/// What the engine offers to an attempt.
pub trait Context: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
    /// Whether the attempt should end: paused, aborted, timed out or fenced. Long work asks between chunks.
    fn cancelled(&self) -> bool;
    /// Records durably that `key` (a chunk) is done; returns when it is on disk. Fails with class conflict if this
    /// attempt has lost its lease.
    fn checkpoint(&self, key: &str, value: &Value) -> Result<(), DriverError>;
    /// What this step has recorded so far, in this attempt or an earlier one, by key. Taking a step back also sees what it
    /// recorded forwards.
    fn checkpoints(&self) -> Result<Vec<(String, Value)>, DriverError>;
    /// Tells how far the work is; cheap, not durable.
    fn progress(&self, progress: Progress);
    /// The evidence (`StepReport::output`) of an earlier step of the same task, by its name (`uses`, for
    /// those of the built-in order).
    fn output_of(&self, name: &str) -> Result<Option<Arc<Value>>, DriverError>;
    /// What the step of a base (see [`greylag_model::increment`]) has recorded, by key.
    fn base_checkpoints(&self, base: &Base) -> Result<Vec<(String, Value)>, DriverError>;
    /// The output of a step of a base, by the step's name.
    fn base_output(&self, base: &Base, name: &str) -> Result<Option<Value>, DriverError>;
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
}
