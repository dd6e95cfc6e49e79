//! Tasks: their phases, steps and states, and the pure functions that move them.
//!
//! **Terms.** A *task* walks through its *steps*; the smallest durable unit is one step. An *attempt* is one try of the
//! step at hand and has an *epoch*, the task's fencing token. An [`TaskEvent`] is a fact; the [`TaskRow`] is the fold of
//! a task's facts by [`apply()`], the [`RunRow`] the fold of a run's by [`apply_run`]. [`decide()`] tells which fact an
//! [`Input`] becomes, and what has to be done once that fact is on disk.
//!
//! **Who is authoritative.** The journal. A row can be thrown away and folded again.
//!
//! ```text
//!                Unblocked                 AttemptStarted              StepDone, none next
//!     pending ──────────────▶ ready ─────────────────────────▶ running ──────────────────▶ succeeded | undone
//!                              ▲ ▲  ApprovalWanted ┌─▶ waiting    │ │ ▲
//!                              │ └─────────────────┘ Approved     │ │ └── StepDone + AttemptStarted (next step)
//!                              │     AttemptFailed (retry), AttemptLost, AttemptStopped
//!                              └──────────────────────────────────┘ └─▶ failed | quarantined | stale
//!     running ─ AttemptPending ─▶ waiting ─ (polled at its wake time) StepDone | AttemptFailed | AttemptPending
//!     any that has not ended ─ Skipped ─▶ skipped        failed, quarantined, stale, skipped ─ Retried ─▶ ready | pending
//!     any but running ─ UndoStarted ─▶ ready (direction undo) … ─▶ undone
//! ```
//!
//! **When it dies half-way.** The intent (`AttemptStarted`) is on disk before the effect begins and the outcome after
//! it. A process that dies leaves a `running` row; whoever takes over writes `AttemptLost` and tries again under a
//! higher epoch. Such losses are no fault of the task until they have happened [`Circumstances::lost_limit`] times in a row,
//! the later ones of them alone in its process ([`TaskRow::is_suspect`]).

mod apply;
mod decide;
mod event;
mod row;

pub use apply::{apply, apply_run};
pub use decide::{
    Ask, Circumstances, Command, Decision, Input, Refusal, backoff_millis, decide, decide_run, undo_steps,
};
pub use event::{
    EVENT_VERSION, Entry, Event, RunEvent, StopReason, TaskEvent, Then, Unreadable, decode_run, decode_task, encode,
};
pub use row::{Counters, Failure, Goal, Progress, RunRow, TaskRow};

use crate::custom::Inserted;
use crate::spec::ErrorClass;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Phases of a task, in order: those of a dataset, and between its publishing and its cutover those of a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Make room for the new.
    Expand,
    /// Convert the data.
    Backfill,
    /// Prove it equal.
    Verify,
    /// Rules rewrite the code of a scope; nobody sees it yet.
    Rewrite,
    /// The rewritten code is shown to be right.
    Prove,
    /// The verified target becomes visible under its own name.
    Publish,
    /// The rewritten code is offered to its owners.
    Propose,
    /// It is merged.
    Merge,
    /// The new becomes authoritative; the old name gets its compatibility view.
    Cutover,
    /// The old is renamed and revoked; can be undone.
    Retire,
    /// The old is deleted; cannot be undone.
    Drop,
}

/// The smallest durable unit of work. Its subject is the plan's task; executors are found by `uses`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Executor, e.g. `data/backfill`.
    pub uses: String,
    /// Phase that it belongs to.
    pub phase: Phase,
    /// Whether it waits for a person's approval first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub approval: bool,
    /// How failures are tried again.
    pub retry: Retry,
    /// Longest time of one attempt, milliseconds.
    pub timeout_millis: i64,
    /// What it has that is not of the built-in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inserted: Option<Box<Inserted>>,
}

impl Step {
    /// Its name among the steps of its task, by which outputs are kept: executors of the built-in order have one each.
    pub fn name(&self) -> &str {
        self.inserted.as_ref().map_or(&self.uses, |inserted| &inserted.name)
    }
}

/// Resolved retry policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Retry {
    /// Attempts in all, at least 1.
    pub attempts: u32,
    /// Wait before the second attempt, milliseconds; doubles each time, with jitter of up to half.
    pub backoff_millis: i64,
    /// Longest wait, milliseconds.
    pub max_backoff_millis: i64,
    /// Classes that are tried again.
    pub on: Vec<ErrorClass>,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 3,
            backoff_millis: 1_000,
            max_backoff_millis: 300_000,
            on: vec![ErrorClass::Transient, ErrorClass::Conflict],
        }
    }
}

/// Forwards, or back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Steps in order.
    #[default]
    Forward,
    /// Steps back, newest first.
    Undo,
}

/// State of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// Recorded, not begun.
    Planned,
    /// Tasks are being leased.
    Running,
    /// Nothing new is leased.
    Paused,
    /// All tasks ended (not all of them well, perhaps: see the counters).
    Finished,
    /// Ended by a person before its tasks did.
    Aborted,
    /// Undone.
    Undone,
}

/// State of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskState {
    /// Waits for other tasks.
    Pending,
    /// Its next step can be leased (at its wake time).
    Ready,
    /// An attempt is under way.
    Running,
    /// Waits for the outside (a pending step's wake time, an approval).
    Waiting,
    /// The world moved; waits for a new plan or an approval.
    Stale,
    /// All its steps are done.
    Succeeded,
    /// A step failed in a way that trying again does not cure.
    Failed,
    /// A step failed as often as it may; set aside so that the rest goes on.
    Quarantined,
    /// Not done, by decision (run aborted, dependency failed).
    Skipped,
    /// Taken back.
    Undone,
}

impl TaskState {
    /// All states, in the order in which a table shows them.
    pub const ALL: [Self; 10] = [
        Self::Pending,
        Self::Ready,
        Self::Running,
        Self::Waiting,
        Self::Stale,
        Self::Succeeded,
        Self::Failed,
        Self::Quarantined,
        Self::Skipped,
        Self::Undone,
    ];

    /// Whether nothing more happens to the task unless a person asks for it.
    pub fn has_ended(self) -> bool {
        !matches!(self, Self::Pending | Self::Ready | Self::Running | Self::Waiting)
    }

    /// The glossary's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Stale => "stale",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Quarantined => "quarantined",
            Self::Skipped => "skipped",
            Self::Undone => "undone",
        }
    }
}

impl RunState {
    /// Whether nothing more happens to the run unless a person asks for it.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Finished | Self::Aborted | Self::Undone)
    }

    /// The glossary's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Finished => "finished",
            Self::Aborted => "aborted",
            Self::Undone => "undone",
        }
    }
}

#[cfg(test)]
mod tests;
