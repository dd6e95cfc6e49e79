//! What happened to a task or to a run: the facts that the journal keeps.
//!
//! Events are written once and read for ever, so each is stored with [`EVENT_VERSION`] and older ones are lifted by
//! [`upcast`] before they are decoded. An event carries what was decided (when to try again, which step is next), so
//! that [`super::apply()`] needs nothing but the row and the event.

use super::{Direction, Failure, Goal, Progress};
use crate::check::CheckResult;
use crate::id::{PlanId, TaskId, Timestamp, WorkerId};
use crate::rollout::Held;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Version in which events are written now.
pub const EVENT_VERSION: u32 = 1;

/// What happens after an attempt that did not end well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// It is tried again, not before this time.
    Retry(Timestamp),
    /// Trying again would not cure it.
    Fail,
    /// It has been tried as often as it may.
    Quarantine,
}

/// Why an attempt was ended without being at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// The run was paused.
    Paused,
    /// The run was aborted or is being undone.
    Aborted,
    /// The process that drives the run was asked to end.
    Shutdown,
}

/// What happened to a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TaskEvent {
    /// One of the things that it waits for was done.
    Unblocked {
        /// How many are left.
        left: u32,
    },
    /// Its cohort was released.
    Released,
    /// The window in which it may begin, or do what others see, is closed.
    Postponed {
        /// When it opens.
        until: Timestamp,
    },
    /// The intent: committed before the effect begins.
    AttemptStarted {
        /// Executor.
        uses: String,
        /// Index of the step.
        step: u32,
        /// Forwards or back.
        direction: Direction,
        /// 1 for the first try of this step.
        attempt: u32,
        /// Fencing token: grows with every attempt of this task.
        epoch: u64,
        /// Who holds the lease.
        worker: WorkerId,
    },
    /// The work goes on elsewhere.
    AttemptPending {
        /// Names it.
        handle: String,
        /// When to ask again.
        wake: Timestamp,
    },
    /// The outcome: the step at hand is done.
    StepDone {
        /// Executor.
        uses: String,
        /// Index of the step.
        step: u32,
        /// Forwards or back.
        direction: Direction,
        /// The step that is next in this direction; none if that was the last.
        next: Option<u32>,
        /// Counts.
        #[serde(default, skip_serializing_if = "Progress::is_empty")]
        progress: Progress,
        /// Checks and their outcomes.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        checks: Vec<CheckResult>,
        /// What people should know of it, a line each.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        notes: Vec<String>,
    },
    /// The attempt failed.
    AttemptFailed {
        /// Why.
        error: Failure,
        /// What happens now.
        then: Then,
        /// Checks and their outcomes, if it came to that.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        checks: Vec<CheckResult>,
    },
    /// The process that held the attempt is gone.
    AttemptLost {
        /// What happens now.
        then: Then,
    },
    /// The attempt was ended from outside; it counts as no failure.
    AttemptStopped {
        /// Why.
        reason: StopReason,
    },
    /// The next step waits for a person.
    ApprovalWanted {
        /// Executor.
        uses: String,
        /// Index of the step.
        step: u32,
    },
    /// A person has said yes.
    Approved {
        /// Index of the step.
        step: u32,
        /// Who.
        by: String,
        /// Why, in that person's words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// The world moved under the plan.
    MarkedStale {
        /// What moved.
        error: Failure,
    },
    /// Not to be done.
    Skipped {
        /// Why.
        error: Failure,
    },
    /// To be tried again, by a person's wish.
    Retried {
        /// The step to go back to, if what it did has to be done again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<u32>,
    },
    /// What an earlier step made did not outlive a power cut: it is made again, which counts as nobody's failure.
    WentBack {
        /// The step to go back to.
        from: u32,
        /// What is missing.
        error: Failure,
    },
    /// To be taken back.
    UndoStarted {
        /// The step to begin with; none if nothing was begun.
        from: Option<u32>,
        /// How many tasks that stand on this one must be taken back first.
        blocked_by: u32,
    },
    /// Cannot be taken back.
    UndoRefused {
        /// Why.
        error: Failure,
    },
}

/// What happened to a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RunEvent {
    /// Recorded.
    RunCreated {
        /// What it executes.
        plan: PlanId,
        /// How many tasks.
        tasks: u64,
    },
    /// A process has begun or gone on to drive it.
    RunClaimed {
        /// Which.
        worker: WorkerId,
        /// Fencing token of the run: grows with every claim.
        epoch: u64,
    },
    /// Tasks are being leased.
    RunStarted,
    /// Nothing new is leased.
    RunPaused {
        /// Who asked.
        by: String,
    },
    /// Goes on.
    RunResumed {
        /// Who asked.
        by: String,
    },
    /// Every task that has not ended is skipped.
    AbortAsked {
        /// Who asked.
        by: String,
    },
    /// Tasks that ended badly are tried again.
    RetryAsked {
        /// Who asked.
        by: String,
        /// Only this one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        task: Option<TaskId>,
    },
    /// Stale tasks were planned anew, and a person agrees: the run goes by another plan from here on, which differs from
    /// the one before in these tasks alone.
    Replanned {
        /// The plan from here on.
        plan: PlanId,
        /// The tasks that differ.
        tasks: Vec<TaskId>,
        /// Who agrees.
        by: String,
        /// Why, in that person's words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// The gate behind a cohort does not let the next one go, or for another reason than before.
    CohortHeld {
        /// Which cohort, by number.
        cohort: u32,
        /// Its name.
        name: String,
        /// Why.
        #[serde(flatten)]
        held: Held,
    },
    /// A person has said yes to what follows a cohort.
    CohortApproved {
        /// Which cohort, by number.
        cohort: u32,
        /// Its name.
        name: String,
        /// Who.
        by: String,
        /// Why, in that person's words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
        /// Although more tasks have ended badly than may.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        despite_failures: bool,
    },
    /// The tasks of a cohort may begin.
    CohortReleased {
        /// Which cohort, by number.
        cohort: u32,
        /// Its name.
        name: String,
        /// How many tasks it has.
        tasks: u64,
    },
    /// Everything is taken back.
    UndoAsked {
        /// Who asked.
        by: String,
    },
    /// A request could not be met.
    RequestRefused {
        /// Why.
        error: Failure,
    },
    /// Nothing is left to do.
    RunEnded {
        /// What it was after.
        goal: Goal,
    },
}

/// One entry of a journal, as people and programs read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Position in the run's journal: 1, 2, 3 … without gaps.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// Which task, if it concerns one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// An event of either kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Event {
    /// Of a run.
    Run(RunEvent),
    /// Of a task.
    Task(TaskEvent),
}

/// Lifts the event that was written in the version of its index plus one to the next.
type Upcaster = fn(Value) -> Value;

const UPCASTERS: &[Upcaster] = &[];

/// Why a stored event cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// A newer Greylag wrote it.
    #[error("the event has version {0}, this Greylag reads up to {EVENT_VERSION}")]
    Newer(u32),
    /// It is damaged.
    #[error("the event cannot be read: {0}")]
    Damaged(String),
}

/// The stored text of an event, without its version.
pub fn encode<E: Serialize>(event: &E) -> String {
    // Plain data without maps that have keys other than strings: this cannot fail.
    serde_json::to_string(event).unwrap_or_default()
}

/// The event of a task that was stored in `version`.
pub fn decode_task(version: u32, text: &str) -> Result<TaskEvent, Unreadable> {
    decode(version, text)
}

/// The event of a run that was stored in `version`.
pub fn decode_run(version: u32, text: &str) -> Result<RunEvent, Unreadable> {
    decode(version, text)
}

fn decode<E: for<'de> Deserialize<'de>>(version: u32, text: &str) -> Result<E, Unreadable> {
    let damaged = |error: serde_json::Error| Unreadable::Damaged(error.to_string());
    if version == EVENT_VERSION {
        return serde_json::from_str(text).map_err(damaged);
    }
    let value = serde_json::from_str(text).map_err(damaged)?;
    serde_json::from_value(upcast(version, value, UPCASTERS)?).map_err(damaged)
}

fn upcast(version: u32, value: Value, upcasters: &[Upcaster]) -> Result<Value, Unreadable> {
    let newest = upcasters.len() as u32 + 1;
    if version == 0 || version > newest {
        return Err(Unreadable::Newer(version));
    }
    Ok(upcasters[version as usize - 1..].iter().fold(value, |value, lift| lift(value)))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use serde_json::json;

    #[test]
    fn an_older_event_passes_through_every_later_upcaster() {
        let lifts: &[Upcaster] = &[
            |mut value| {
                value["kind"] = json!("retried");
                value
            },
            |mut value| {
                value["why"] = json!("asked");
                value
            },
        ];
        let old = json!({"kind": "again"});
        assert_eq!(upcast(1, old.clone(), lifts).unwrap(), json!({"kind": "retried", "why": "asked"}));
        assert_eq!(upcast(2, old.clone(), lifts).unwrap(), json!({"kind": "again", "why": "asked"}));
        assert_eq!(upcast(3, old.clone(), lifts).unwrap(), old);
        assert_eq!(upcast(4, old, lifts), Err(Unreadable::Newer(4)));
    }

    #[test]
    fn events_read_back_as_they_were_written() {
        let event = TaskEvent::AttemptPending { handle: "job 7".to_owned(), wake: Timestamp(5) };
        assert_eq!(encode(&event), r#"{"kind":"attempt_pending","handle":"job 7","wake":5}"#);
        assert_eq!(decode_task(EVENT_VERSION, &encode(&event)).unwrap(), event);
        assert!(matches!(decode_task(EVENT_VERSION, "{"), Err(Unreadable::Damaged(_))));
        assert_eq!(decode_run(9, "{}"), Err(Unreadable::Newer(9)));
    }

    #[test]
    fn an_entry_is_one_flat_object() {
        let entry = Entry {
            seq: 3,
            at: Timestamp(9),
            task: Some(TaskId::new("users_v2")),
            event: Event::Task(TaskEvent::Unblocked { left: 0 }),
        };
        let text = r#"{"seq":3,"at":9,"task":"users_v2","kind":"unblocked","left":0}"#;
        assert_eq!(serde_json::to_string(&entry).unwrap(), text);
        assert_eq!(serde_json::from_str::<Entry>(text).unwrap(), entry);
    }
}
