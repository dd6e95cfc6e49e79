//! Values to columns and back.

use super::from_text;
use crate::error::{classed, damaged};
use greylag_driver::error::DriverError;
use greylag_driver::journal::{Loaded, TaskRecord};
use greylag_model::id::{TaskId, Timestamp, WorkerId};
use greylag_model::task::{Direction, Goal, Phase, Progress, RunState, TaskRow, TaskState};
use rusqlite::Row;
use rusqlite::types::FromSql;
use std::sync::Arc;

/// Columns of a task's row, as [`task_row`] reads them from `t`.
pub(super) const TASK_COLUMNS: &str = "t.state, t.direction, t.step, t.begun, t.attempt, t.failures, t.lost, t.epoch, \
     t.attempt_at, t.worker, t.approved, t.blocked_by, t.wake, t.handle, t.error, t.rows, t.bytes, t.chunks, \
     t.chunks_total, t.updated_at, t.furthest, t.gated, t.lane";

/// How many those are.
const TASK_WIDTH: usize = 23;

pub(super) fn get<T: FromSql>(row: &Row<'_>, at: usize) -> Result<T, DriverError> {
    row.get(at).map_err(classed)
}

/// A number that is never negative.
pub(super) fn count(row: &Row<'_>, at: usize) -> Result<u64, DriverError> {
    u64::try_from(get::<i64>(row, at)?).map_err(damaged)
}

fn small(row: &Row<'_>, at: usize) -> Result<u32, DriverError> {
    u32::try_from(get::<i64>(row, at)?).map_err(damaged)
}

pub(super) fn task_row(row: &Row<'_>) -> Result<TaskRow, DriverError> {
    let error: Option<String> = get(row, 14)?;
    Ok(TaskRow {
        state: state(get(row, 0)?)?,
        direction: direction(get(row, 1)?)?,
        step: small(row, 2)?,
        furthest: small(row, 20)?,
        begun: get(row, 3)?,
        attempt: small(row, 4)?,
        failures: small(row, 5)?,
        lost: small(row, 6)?,
        epoch: count(row, 7)?,
        attempt_at: Timestamp(get(row, 8)?),
        worker: get::<Option<String>>(row, 9)?.map(WorkerId),
        approved: get(row, 10)?,
        blocked_by: small(row, 11)?,
        gated: get(row, 21)?,
        wake: get::<Option<i64>>(row, 12)?.map(Timestamp),
        handle: get(row, 13)?,
        error: error.as_deref().map(from_text).transpose()?,
        progress: progress(row, 15)?,
        updated_at: Timestamp(get(row, 19)?),
    })
}

/// Four columns from `at` on.
pub(super) fn progress(row: &Row<'_>, at: usize) -> Result<Progress, DriverError> {
    Ok(Progress {
        rows: count(row, at)?,
        bytes: count(row, at + 1)?,
        chunks: count(row, at + 2)?,
        chunks_total: count(row, at + 3)?,
    })
}

/// After the task's columns: ordinal, body, awaited.
pub(super) fn loaded(row: &Row<'_>) -> Result<Loaded, DriverError> {
    let body: String = get(row, TASK_WIDTH + 1)?;
    Ok(Loaded {
        ordinal: count(row, TASK_WIDTH)?,
        row: task_row(row)?,
        plan: Arc::new(from_text(&body)?),
        has_dependents: get(row, TASK_WIDTH + 2)?,
        lane: small(row, 22)?,
    })
}

/// After the task's columns: ordinal, id, steps, live.
pub(super) fn task_record(row: &Row<'_>) -> Result<TaskRecord, DriverError> {
    let live: Option<String> = get(row, TASK_WIDTH + 3)?;
    Ok(TaskRecord {
        ordinal: count(row, TASK_WIDTH)?,
        id: TaskId(get(row, TASK_WIDTH + 1)?),
        steps: small(row, TASK_WIDTH + 2)?,
        row: task_row(row)?,
        live: live.as_deref().map(from_text).transpose()?,
    })
}

/// Numbers in the database, for ever.
pub(super) fn state_number(state: TaskState) -> i64 {
    match state {
        TaskState::Pending => 0,
        TaskState::Ready => 1,
        TaskState::Running => 2,
        TaskState::Waiting => 3,
        TaskState::Stale => 4,
        TaskState::Succeeded => 5,
        TaskState::Failed => 6,
        TaskState::Quarantined => 7,
        TaskState::Skipped => 8,
        TaskState::Undone => 9,
    }
}

fn state(number: i64) -> Result<TaskState, DriverError> {
    TaskState::ALL
        .into_iter()
        .find(|state| state_number(*state) == number)
        .ok_or_else(|| damaged(format!("`{number}` is no state of a task")))
}

/// Numbers in the database, for ever.
pub(super) fn run_state_number(state: RunState) -> i64 {
    match state {
        RunState::Planned => 0,
        RunState::Running => 1,
        RunState::Paused => 2,
        RunState::Finished => 3,
        RunState::Aborted => 4,
        RunState::Undone => 5,
    }
}

pub(super) fn run_state(number: i64) -> Result<RunState, DriverError> {
    use RunState::{Aborted, Finished, Paused, Planned, Running, Undone};
    [Planned, Running, Paused, Finished, Aborted, Undone]
        .into_iter()
        .find(|state| run_state_number(*state) == number)
        .ok_or_else(|| damaged(format!("`{number}` is no state of a run")))
}

/// Numbers in the database, for ever.
pub(super) fn goal_number(goal: Goal) -> i64 {
    match goal {
        Goal::Finish => 0,
        Goal::Abort => 1,
        Goal::Undo => 2,
    }
}

pub(super) fn goal(number: i64) -> Result<Goal, DriverError> {
    [Goal::Finish, Goal::Abort, Goal::Undo]
        .into_iter()
        .find(|goal| goal_number(*goal) == number)
        .ok_or_else(|| damaged(format!("`{number}` is no goal of a run")))
}

/// Numbers in the database, for ever.
pub(super) fn direction_number(direction: Direction) -> i64 {
    match direction {
        Direction::Forward => 0,
        Direction::Undo => 1,
    }
}

fn direction(number: i64) -> Result<Direction, DriverError> {
    match number {
        0 => Ok(Direction::Forward),
        1 => Ok(Direction::Undo),
        _ => Err(damaged(format!("`{number}` is no direction"))),
    }
}

/// Numbers in the database, for ever.
pub(super) fn phase_number(phase: Phase) -> i64 {
    match phase {
        Phase::Expand => 0,
        Phase::Backfill => 1,
        Phase::Verify => 2,
        Phase::Publish => 3,
        Phase::Cutover => 4,
        Phase::Retire => 5,
        Phase::Drop => 6,
        Phase::Rewrite => 7,
        Phase::Prove => 8,
        Phase::Propose => 9,
        Phase::Merge => 10,
    }
}
