//! The state of one task and of one run: folds of their events.

use super::{Direction, RunState, TaskState};
use crate::code::Code;
use crate::id::{Timestamp, WorkerId};
use crate::spec::ErrorClass;
use serde::{Deserialize, Serialize};

/// Why something did not go well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What trying again means.
    pub class: ErrorClass,
    /// Stable code.
    pub code: Code,
    /// What happened, lower case, values in backticks, no secrets, no values of rows.
    pub message: String,
    /// What to do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
}

impl Failure {
    /// A failure without hints.
    pub fn new(class: ErrorClass, code: Code, message: impl Into<String>) -> Self {
        Self { class, code, message: message.into(), hints: Vec::new() }
    }
}

/// Counts of work done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Rows done.
    pub rows: u64,
    /// Bytes done, of the source.
    pub bytes: u64,
    /// Chunks done.
    pub chunks: u64,
    /// Chunks in all; 0 while unknown.
    pub chunks_total: u64,
}

impl Progress {
    /// Whether it counts nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            rows: self.rows.saturating_add(other.rows),
            bytes: self.bytes.saturating_add(other.bytes),
            chunks: self.chunks.saturating_add(other.chunks),
            chunks_total: self.chunks_total.saturating_add(other.chunks_total),
        }
    }
}

/// The state of one task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskRow {
    /// State.
    pub state: TaskState,
    /// Forwards, or being taken back.
    pub direction: Direction,
    /// Index of the step at hand; the number of steps once all are done forwards.
    pub step: u32,
    /// Steps that were done forwards when it was furthest. A task that goes back and does some of them again tells those
    /// that wait for it nothing new.
    #[serde(default)]
    pub furthest: u32,
    /// Whether an attempt of that step was begun, so that something of its effect may be there.
    pub begun: bool,
    /// Attempts of that step so far, counted before the work.
    pub attempt: u32,
    /// Of which failed, since the last retry by a person.
    pub failures: u32,
    /// Of which were lost with the process that held them, in a row.
    pub lost: u32,
    /// Fencing token of the last attempt; never goes back.
    pub epoch: u64,
    /// When the last attempt began.
    pub attempt_at: Timestamp,
    /// Who holds the lease, while running.
    pub worker: Option<WorkerId>,
    /// Whether the step at hand was approved.
    pub approved: bool,
    /// How many things must be done first.
    pub blocked_by: u32,
    /// Whether its cohort has yet to be released.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gated: bool,
    /// When it can go on; none while running, ended, or waiting for something without a time.
    pub wake: Option<Timestamp>,
    /// Names pending work.
    pub handle: Option<String>,
    /// Why the last attempt failed, or why the task ended as it did.
    pub error: Option<Failure>,
    /// Sum over its steps done.
    pub progress: Progress,
    /// When the last event happened.
    pub updated_at: Timestamp,
}

impl TaskRow {
    /// A task of a new run: what it waits for, and whether its cohort is a later one than the first.
    pub fn new(blocked_by: u32, gated: bool, now: Timestamp) -> Self {
        let blocked = blocked_by > 0 || gated;
        Self {
            state: if blocked { TaskState::Pending } else { TaskState::Ready },
            direction: Direction::Forward,
            step: 0,
            furthest: 0,
            begun: false,
            attempt: 0,
            failures: 0,
            lost: 0,
            epoch: 0,
            attempt_at: now,
            worker: None,
            approved: false,
            blocked_by,
            gated,
            wake: (!blocked).then_some(now),
            handle: None,
            error: None,
            progress: Progress::default(),
            updated_at: now,
        }
    }
}

/// What a run is after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Goal {
    /// All tasks done.
    #[default]
    Finish,
    /// All tasks ended, none begun anew.
    Abort,
    /// All tasks taken back.
    Undo,
}

/// The state of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRow {
    /// State.
    pub state: RunState,
    /// What it is after.
    pub goal: Goal,
}

impl Default for RunRow {
    fn default() -> Self {
        Self { state: RunState::Planned, goal: Goal::Finish }
    }
}

/// How many tasks are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// See [`TaskState::Pending`].
    pub pending: u64,
    /// See [`TaskState::Ready`].
    pub ready: u64,
    /// See [`TaskState::Running`].
    pub running: u64,
    /// See [`TaskState::Waiting`].
    pub waiting: u64,
    /// See [`TaskState::Stale`].
    pub stale: u64,
    /// See [`TaskState::Succeeded`].
    pub succeeded: u64,
    /// See [`TaskState::Failed`].
    pub failed: u64,
    /// See [`TaskState::Quarantined`].
    pub quarantined: u64,
    /// See [`TaskState::Skipped`].
    pub skipped: u64,
    /// See [`TaskState::Undone`].
    pub undone: u64,
}

impl Counters {
    /// The counter of a state.
    pub fn of(&mut self, state: TaskState) -> &mut u64 {
        match state {
            TaskState::Pending => &mut self.pending,
            TaskState::Ready => &mut self.ready,
            TaskState::Running => &mut self.running,
            TaskState::Waiting => &mut self.waiting,
            TaskState::Stale => &mut self.stale,
            TaskState::Succeeded => &mut self.succeeded,
            TaskState::Failed => &mut self.failed,
            TaskState::Quarantined => &mut self.quarantined,
            TaskState::Skipped => &mut self.skipped,
            TaskState::Undone => &mut self.undone,
        }
    }
    /// The same number by state.
    pub fn get(mut self, state: TaskState) -> u64 {
        *self.of(state)
    }
    /// One task goes from one state to another.
    pub fn moved(&mut self, from: TaskState, to: TaskState) {
        let from = self.of(from);
        *from = from.saturating_sub(1);
        *self.of(to) += 1;
    }
    /// All tasks.
    pub fn total(self) -> u64 {
        TaskState::ALL.into_iter().map(|state| self.get(state)).sum()
    }
    /// Tasks that have not ended.
    pub fn open(self) -> u64 {
        self.pending + self.ready + self.running + self.waiting
    }
    /// Tasks that ended, but not well.
    pub fn bad(self) -> u64 {
        self.stale + self.failed + self.quarantined + self.skipped
    }
}
