//! Tasks: their phases, steps and states, and the pure functions that move them.

use crate::spec::ErrorClass;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Phases of a dataset task, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Make room for the new.
    Expand,
    /// Convert the data.
    Backfill,
    /// Prove it equal.
    Verify,
    /// The verified target becomes visible under its own name.
    Publish,
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
