//! The journal: plans, runs, their events in order, and the state that is the fold of those events.
//!
//! **Terms.** A *run* executes a *plan*; its tasks have a position in the plan, the *ordinal*. A *decider* is the one
//! process that decides for a run, under a [`RunLease`] with an epoch of its own. A *worker* is a process that holds
//! leases; its heartbeat is one row, so that it costs the same with one lease or ten thousand. A *transition* is what one
//! decision writes: events of one task and the row that they fold to.
//!
//! **Who is authoritative.** The events. Rows, counters and the queue (rows that are ready or wait, by their wake time)
//! are written in the same transaction and can be folded again from them. Chunk checkpoints, outputs and live progress
//! are notes of attempts beside the journal.
//!
//! **One decider.** [`Journal::claim`] hands out the run's lease with a higher epoch if it is free, if its holder has
//! been silent for longer than its time to live, or if the store can prove the holder dead (the operating system has
//! released its lock). Every write of a decider carries the lease; a write under an older epoch is refused with class
//! conflict, whatever the clocks say. So a decider that was suspended and wakes up later can do no harm, and sequence
//! numbers have no gaps.
//!
//! **When it dies half-way.** [`Journal::commit`] is all or nothing, and what it acknowledged survives a crash of the
//! process and of the machine. Tasks that were running stay so until the next decider calls them lost.
//!
//! **Cost.** A commit touches the run's row, the worker's row, and per transition one task row and its events; nothing
//! here reads or writes in proportion to the run, except [`Journal::create_run`] and what asks for pages.

mod check;
pub mod conformance;
mod memory;
mod prune;
mod quotas;
pub mod sample;

pub use memory::MemoryJournal;
pub use prune::{Prune, Shrunk};
pub use quotas::{KeyUse, Quotas};

use crate::error::DriverError;
use greylag_model::id::{PlanId, RunId, TaskId, Timestamp, WorkerId};
use greylag_model::increment::Base;
use greylag_model::plan::{Plan, PlanHeader, PlanTask};
use greylag_model::rollout::CohortRow;
use greylag_model::task::{
    Counters, Direction, Entry, Phase, Progress, RunEvent, RunRow, TaskEvent, TaskRow, TaskState,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

pub use check::check_plan;

/// Saved plans. A plan never changes; saving it again is no change.
pub trait Plans: Send + Sync {
    /// Saves a plan, all or nothing. Refuses one that [`check_plan`] refuses.
    fn save_plan(&self, plan: &Plan) -> Result<(), DriverError>;
    /// What holds for the whole of a plan.
    fn plan(&self, plan: &PlanId) -> Result<Option<PlanHeader>, DriverError>;
    /// Tasks of a plan from an ordinal on, at most `limit`.
    fn plan_tasks(&self, plan: &PlanId, from: u64, limit: usize) -> Result<Vec<PlanTask>, DriverError>;
    /// Headers of the saved plans, newest first.
    fn plans(&self, limit: usize) -> Result<Vec<PlanHeader>, DriverError>;
}

/// What any process may ask of runs, and leave for the one that drives.
pub trait Watch: Send + Sync {
    /// One run.
    fn run(&self, run: &RunId) -> Result<Option<RunRecord>, DriverError>;
    /// Runs, newest first.
    fn runs(&self, limit: usize) -> Result<Vec<RunRecord>, DriverError>;
    /// Tasks of a run from an ordinal on that pass the filter, in order, at most `limit`.
    fn tasks(&self, run: &RunId, filter: &TaskFilter, from: u64, limit: usize) -> Result<Vec<TaskRecord>, DriverError>;
    /// Events with a sequence number above `after`, in order, at most `limit`.
    fn events(&self, run: &RunId, after: u64, limit: usize) -> Result<Vec<Entry>, DriverError>;
    /// Leaves a request for the process that drives the run, now or later.
    fn post(&self, run: &RunId, request: &Request, now: Timestamp) -> Result<(), DriverError>;
    /// Requests not yet met, oldest first.
    fn requests(&self, run: &RunId) -> Result<Vec<Posted>, DriverError>;
    /// A number that is another one after another process has written. Cheap enough to ask ten times a second.
    fn version(&self) -> Result<u64, DriverError>;
}

/// What a decider and its attempts need.
pub trait Journal: Plans + Watch + Quotas {
    /// Records a run of a saved plan and all of its tasks, all or nothing. Refuses a run id that is used.
    fn create_run(&self, run: &RunId, plan: &PlanId, now: Timestamp) -> Result<(), DriverError>;
    /// Takes the run's lease for `worker`, and journals that. Refused with class conflict while another worker holds it.
    fn claim(&self, run: &RunId, worker: &WorkerId, now: Timestamp, ttl_millis: i64) -> Result<RunLease, DriverError>;
    /// Gives the lease back. No error if it was lost.
    fn release(&self, lease: &RunLease) -> Result<(), DriverError>;
    /// Writes a batch, all or nothing, renews the worker's heartbeat, and answers when it is on disk. Class conflict: the
    /// lease was lost, or a task is not in the state or epoch that its transition expects.
    fn commit(&self, lease: &RunLease, batch: &Batch) -> Result<Committed, DriverError>;
    /// Tasks that can go on at `now`: at most so many waiting ones whose wake time has come, then at most so many ready
    /// ones, each by wake time and ordinal. The two have limits of their own so that neither starves the other.
    fn due(&self, run: &RunId, now: Timestamp, waiting: usize, ready: usize) -> Result<Due, DriverError>;
    /// Tasks by ordinal; those that do not exist are left out.
    fn load(&self, run: &RunId, ordinals: &[u64]) -> Result<Vec<Loaded>, DriverError>;
    /// Tasks in a relation to one, from an ordinal on, at most `limit`.
    fn related(&self, run: &RunId, relation: Relation, from: u64, limit: usize) -> Result<Vec<Loaded>, DriverError>;
    /// Notes that chunks are done, all or nothing; answers when that is on disk. Class conflict if the attempt is no longer
    /// the one that runs.
    fn checkpoint_all(&self, attempt: &AttemptKey, notes: &[(String, Value)]) -> Result<(), DriverError>;
    /// Notes that one chunk is done.
    fn checkpoint(&self, attempt: &AttemptKey, key: &str, value: &Value) -> Result<(), DriverError> {
        self.checkpoint_all(attempt, &[(key.to_owned(), value.clone())])
    }
    /// Chunks noted for a step in a direction, by key, in the order of keys.
    fn checkpoints(&self, attempt: &AttemptKey) -> Result<Vec<(String, Value)>, DriverError>;
    /// Output of the newest step done by that name, of one task.
    fn output(&self, run: &RunId, ordinal: u64, name: &str) -> Result<Option<Value>, DriverError>;
}

/// A run as stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunRecord {
    /// Its id.
    pub id: RunId,
    /// What it executes: another plan than at the beginning if a stale task was planned anew.
    pub plan: PlanId,
    /// Name of the migration.
    pub migration: String,
    /// State and goal.
    #[serde(flatten)]
    pub row: RunRow,
    /// Tasks by state.
    pub counters: Counters,
    /// State of its cohorts; none if it has none or has not begun.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cohorts: Vec<CohortRow>,
    /// Sum over all steps done forwards.
    pub progress: Progress,
    /// Steps done, forwards and back.
    pub steps_done: u64,
    /// Sequence number of the last event.
    pub last_seq: u64,
    /// Epoch of the last decider.
    pub epoch: u64,
    /// Who holds the lease and until when, if anybody does.
    pub lease: Option<Holder>,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When the last event happened.
    pub updated_at: Timestamp,
}

/// Who holds a lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Which worker.
    pub worker: WorkerId,
    /// Until when, unless it is renewed.
    pub until: Timestamp,
    /// Whether the store knows that the process has ended.
    pub dead: bool,
}

/// A task as stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskRecord {
    /// Position in the plan.
    pub ordinal: u64,
    /// Its id.
    pub id: TaskId,
    /// Steps that the plan has for it.
    pub steps: u32,
    /// The fold of its events.
    #[serde(flatten)]
    pub row: TaskRow,
    /// How far the attempt under way has told it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<Progress>,
}

/// Which tasks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskFilter {
    /// In one of these states; empty is any.
    pub states: Vec<TaskState>,
    /// With this id.
    pub id: Option<TaskId>,
}

/// A task with all that an attempt of it needs.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Position in the plan.
    pub ordinal: u64,
    /// The fold of its events.
    pub row: TaskRow,
    /// What the plan says of it.
    pub plan: Arc<PlanTask>,
    /// Whether other tasks wait for phases of this one.
    pub has_dependents: bool,
    /// Number of what limits it, see [`greylag_model::limit::lanes`].
    pub lane: u32,
}

/// What [`Journal::due`] found.
#[derive(Clone, Debug, Default)]
pub struct Due {
    /// Tasks that can go on now.
    pub tasks: Vec<Loaded>,
    /// When the next one can, if none of those is more.
    pub next_wake: Option<Timestamp>,
}

/// A relation to a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// Those that wait for exactly this phase of it.
    WaitFor(u64, Phase),
    /// Those that wait for any phase of it.
    Dependents(u64),
    /// Those that it waits for.
    Dependencies(u64),
}

/// The right to decide for a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunLease {
    /// Which run.
    pub run: RunId,
    /// Who.
    pub worker: WorkerId,
    /// Fencing token.
    pub epoch: u64,
    /// How long a silence loses it.
    pub ttl_millis: i64,
}

/// Names one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptKey {
    /// Which run.
    pub run: RunId,
    /// Which task.
    pub ordinal: u64,
    /// Index of the step.
    pub step: u32,
    /// Forwards or back.
    pub direction: Direction,
    /// Its fencing token.
    pub epoch: u64,
}

impl AttemptKey {
    /// The forward attempts of a step that increments go on from, for reading what they noted.
    pub fn forwards(base: &Base) -> Self {
        let Base { run, ordinal, step } = base.clone();
        Self { run, ordinal, step, direction: Direction::Forward, epoch: 0 }
    }
}

/// What one decision, or several in a row on one task, write.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// Which task.
    pub ordinal: u64,
    /// The state that the stored row must have.
    pub from: TaskState,
    /// The epoch that the stored row must have.
    pub from_epoch: u64,
    /// What happened, in order.
    pub events: Vec<TaskEvent>,
    /// The row with all of it folded in.
    pub after: TaskRow,
    /// Output of the step done, if it has one.
    pub output: Option<StepOutput>,
}

/// What a step that is done has to say to later steps.
#[derive(Clone, Debug, PartialEq)]
pub struct StepOutput {
    /// Index of the step.
    pub step: u32,
    /// Its name among the steps of its task.
    pub name: String,
    /// What it says.
    pub value: Arc<Value>,
}

/// What is written together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// When.
    pub now: Timestamp,
    /// What happened to the run, before what happened to its tasks.
    pub run_events: Vec<RunEvent>,
    /// What happened to tasks. A task comes at most once.
    pub transitions: Vec<Transition>,
    /// What happened to the run after that.
    pub run_events_after: Vec<RunEvent>,
    /// How far attempts are, by ordinal.
    pub live: Vec<(u64, Progress)>,
    /// Requests that are met, by id.
    pub met: Vec<i64>,
    /// State of the cohorts after all of that, if it is another one. One decider alone moves it, so it writes all of it.
    pub cohorts: Option<Vec<CohortRow>>,
}

impl Batch {
    /// Whether it holds nothing but the heartbeat.
    pub fn is_empty(&self) -> bool {
        self.run_events.is_empty()
            && self.transitions.is_empty()
            && self.run_events_after.is_empty()
            && self.live.is_empty()
            && self.met.is_empty()
            && self.cohorts.is_none()
    }
}

/// What a commit has to say.
#[derive(Clone, Debug, PartialEq)]
pub struct Committed {
    /// Sequence number of the first event of the batch; those of the others follow in the batch's order.
    pub first_seq: u64,
    /// The run with the batch folded in.
    pub run: RunRow,
    /// Its counters.
    pub counters: Counters,
}

/// What a person wants of a run, left for the process that drives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Request {
    /// Lease nothing new.
    Pause {
        /// Who.
        by: String,
    },
    /// Go on.
    Resume {
        /// Who.
        by: String,
    },
    /// Skip every task that has not ended.
    Abort {
        /// Who.
        by: String,
    },
    /// Try again what ended badly: one task, or all.
    Retry {
        /// Who.
        by: String,
        /// Which.
        task: Option<TaskId>,
    },
    /// Take everything back.
    Undo {
        /// Who.
        by: String,
    },
    /// Say yes to the step at which a task waits.
    Approve {
        /// Who.
        by: String,
        /// Which.
        task: TaskId,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// Say yes to what follows a cohort.
    ApproveCohort {
        /// Who.
        by: String,
        /// Its name.
        cohort: String,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
        /// Although more tasks have ended badly than may.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        despite_failures: bool,
    },
    /// Go by another saved plan, which differs from the run's in stale tasks alone.
    Replan {
        /// Who.
        by: String,
        /// Which plan.
        plan: PlanId,
        /// The tasks that differ.
        tasks: Vec<TaskId>,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
}

/// A request in the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posted {
    /// Names it to [`Batch::met`].
    pub id: i64,
    /// When it was left.
    pub at: Timestamp,
    /// What.
    pub request: Request,
}
