//! Folding: row and event in, row out.

use super::{Direction, Failure, Goal, RunEvent, RunRow, RunState, TaskEvent, TaskRow, TaskState, Then};
use crate::code::engine as code;
use crate::id::Timestamp;
use crate::spec::ErrorClass;

/// The row after `event`, which happened at `at`.
#[must_use]
pub fn apply(row: &TaskRow, event: &TaskEvent, at: Timestamp) -> TaskRow {
    let mut row = TaskRow { updated_at: at, ..row.clone() };
    match event {
        TaskEvent::Unblocked { left } => {
            row.blocked_by = *left;
            if row.state == TaskState::Pending {
                unless_blocked(&mut row, at);
            }
        }
        TaskEvent::Released => {
            row.gated = false;
            if row.state == TaskState::Pending {
                unless_blocked(&mut row, at);
            }
        }
        TaskEvent::Postponed { until } => ready(&mut row, *until),
        TaskEvent::AttemptStarted { step, direction, attempt, epoch, worker, .. } => {
            row.state = TaskState::Running;
            row.direction = *direction;
            row.step = *step;
            row.begun = true;
            row.attempt = *attempt;
            row.epoch = *epoch;
            row.attempt_at = at;
            row.worker = Some(worker.clone());
            row.wake = None;
            row.handle = None;
        }
        TaskEvent::AttemptPending { handle, wake } => {
            leave(&mut row, TaskState::Waiting);
            row.wake = Some(*wake);
            row.handle = Some(handle.clone());
        }
        TaskEvent::StepDone { step, direction, next, progress, .. } => {
            step_done(&mut row, *step, *direction, *next, at);
            if *direction == Direction::Forward {
                row.furthest = row.furthest.max(*step + 1);
                row.progress = row.progress.plus(*progress);
            }
        }
        TaskEvent::AttemptFailed { error, then, .. } => {
            row.failures += 1;
            row.lost = 0;
            row.error = Some(error.clone());
            after_attempt(&mut row, *then);
        }
        TaskEvent::AttemptLost { then } => {
            row.lost += 1;
            after_attempt(&mut row, *then);
            if *then == Then::Quarantine {
                let message = format!("{} attempts in a row were lost with their process", row.lost);
                let error = Failure::new(ErrorClass::Transient, code::ATTEMPTS_LOST, message);
                row.error = Some(Failure { hints: vec!["`greylag retry --failed` tries again".to_owned()], ..error });
            }
        }
        TaskEvent::AttemptStopped { .. } => ready(&mut row, at),
        TaskEvent::ApprovalWanted { .. } => leave(&mut row, TaskState::Waiting),
        TaskEvent::Approved { .. } => {
            row.approved = true;
            ready(&mut row, at);
        }
        TaskEvent::MarkedStale { error } => {
            leave(&mut row, TaskState::Stale);
            row.error = Some(error.clone());
        }
        TaskEvent::Skipped { error } => {
            leave(&mut row, TaskState::Skipped);
            row.error = Some(error.clone());
        }
        TaskEvent::Retried { from } => {
            if let Some(from) = from {
                begin_step(&mut row, *from);
                // Something of its effect may be there.
                row.begun = true;
            }
            row.failures = 0;
            row.lost = 0;
            row.error = None;
            unless_blocked(&mut row, at);
        }
        TaskEvent::WentBack { from, .. } => {
            begin_step(&mut row, *from);
            row.begun = true;
            ready(&mut row, at);
        }
        TaskEvent::UndoStarted { from, blocked_by } => {
            row.direction = Direction::Undo;
            row.error = None;
            row.blocked_by = *blocked_by;
            begin_step(&mut row, from.unwrap_or(0));
            match from {
                Some(_) => unless_blocked(&mut row, at),
                None => leave(&mut row, TaskState::Undone),
            }
        }
        TaskEvent::UndoRefused { error } => {
            if !row.state.has_ended() {
                leave(&mut row, TaskState::Failed);
            }
            row.error = Some(error.clone());
        }
    }
    row
}

/// The run's row after `event`.
#[must_use]
pub fn apply_run(row: &RunRow, event: &RunEvent) -> RunRow {
    let mut row = *row;
    match event {
        RunEvent::RunCreated { .. }
        | RunEvent::RunClaimed { .. }
        | RunEvent::RequestRefused { .. }
        | RunEvent::CohortHeld { .. }
        | RunEvent::CohortApproved { .. }
        | RunEvent::CohortReleased { .. }
        | RunEvent::Replanned { .. } => {}
        RunEvent::RunStarted | RunEvent::RunResumed { .. } => row.state = RunState::Running,
        RunEvent::RunPaused { .. } => row.state = RunState::Paused,
        RunEvent::AbortAsked { .. } => row = RunRow { state: RunState::Running, goal: Goal::Abort },
        RunEvent::UndoAsked { .. } => row = RunRow { state: RunState::Running, goal: Goal::Undo },
        RunEvent::RetryAsked { .. } => {
            row.state = RunState::Running;
            if row.goal == Goal::Abort {
                row.goal = Goal::Finish;
            }
        }
        RunEvent::RunEnded { goal } => {
            row.state = match goal {
                Goal::Finish => RunState::Finished,
                Goal::Abort => RunState::Aborted,
                Goal::Undo => RunState::Undone,
            }
        }
    }
    row
}

fn step_done(row: &mut TaskRow, step: u32, direction: Direction, next: Option<u32>, at: Timestamp) {
    row.error = None;
    match (next, direction) {
        (Some(next), _) => {
            begin_step(row, next);
            ready(row, at);
        }
        (None, Direction::Forward) => {
            begin_step(row, step + 1);
            leave(row, TaskState::Succeeded);
        }
        (None, Direction::Undo) => {
            begin_step(row, 0);
            leave(row, TaskState::Undone);
        }
    }
}

/// Puts `step` at hand, with nothing of it begun.
fn begin_step(row: &mut TaskRow, step: u32) {
    row.step = step;
    row.begun = false;
    row.attempt = 0;
    row.failures = 0;
    row.lost = 0;
    row.approved = false;
}

fn after_attempt(row: &mut TaskRow, then: Then) {
    match then {
        Then::Retry(at) => ready(row, at),
        Then::Fail => leave(row, TaskState::Failed),
        Then::Quarantine => leave(row, TaskState::Quarantined),
    }
}

fn unless_blocked(row: &mut TaskRow, at: Timestamp) {
    if row.blocked_by > 0 || (row.gated && row.direction == Direction::Forward) {
        leave(row, TaskState::Pending);
    } else {
        ready(row, at);
    }
}

fn ready(row: &mut TaskRow, at: Timestamp) {
    leave(row, TaskState::Ready);
    row.wake = Some(at);
}

/// Leaves whatever the task was at for `state`, which has no lease, no pending work and no time of its own.
fn leave(row: &mut TaskRow, state: TaskState) {
    row.state = state;
    row.worker = None;
    row.wake = None;
    row.handle = None;
}
