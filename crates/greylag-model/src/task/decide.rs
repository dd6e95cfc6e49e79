//! Deciding: what an input becomes, as a fact, and what has to be done once that fact is on disk.

use super::{
    Direction, Failure, Goal, Phase, Progress, Retry, RunEvent, RunRow, RunState, Step, StopReason, TaskEvent, TaskRow,
    TaskState, Then, apply,
};
use crate::check::{CheckResult, Verdict};
use crate::code::{data, engine as code};
use crate::custom::PREFIX;
use crate::id::{TaskId, Timestamp, WorkerId};
use crate::spec::ErrorClass;

/// Losses in a row that may have been of intents that never began, or the doing of another task in the same process.
const IN_COMPANY: u32 = 2;
/// Pending work is not asked after again before that, milliseconds: every question is an event of the journal.
const ASK_AGAIN: i64 = 100;

impl TaskRow {
    /// Whether it was lost so often in a row that its next attempt must be made alone, so that the next loss is its own.
    pub fn is_suspect(&self) -> bool {
        self.lost >= IN_COMPANY
    }
}

/// What a decision may know beside the task: all of it passed in.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances {
    /// Now.
    pub now: Timestamp,
    /// Seed of this task's jitter.
    pub seed: u64,
    /// After so many attempts lost in a row the task is set aside.
    pub lost_limit: u32,
}

/// What comes in.
#[derive(Clone, Debug, PartialEq)]
pub enum Input<'a> {
    /// A worker is free to take the step at hand.
    Lease(&'a WorkerId),
    /// The attempt's work goes on elsewhere.
    Pending {
        /// Names it.
        handle: String,
        /// When to ask again.
        wake: Timestamp,
    },
    /// The attempt did its work.
    Done {
        /// Counts.
        progress: Progress,
        /// Checks and their outcomes.
        checks: Vec<CheckResult>,
        /// What people should know of it.
        notes: Vec<String>,
    },
    /// The attempt failed.
    Failed(Failure),
    /// The process that held the attempt is gone.
    Lost,
    /// The attempt was ended from outside.
    Stopped(StopReason),
    /// One of the things that it waits for was done.
    Unblocked,
    /// Its cohort was released.
    Release,
    /// Its window is closed.
    Postpone {
        /// When it opens.
        until: Timestamp,
    },
    /// A person says yes.
    Approve {
        /// Who.
        by: &'a str,
        /// Why.
        why: Option<&'a str>,
    },
    /// A person wants it tried again.
    Retry,
    /// It is not to be done.
    Skip(Failure),
    /// It is to be taken back, after so many tasks that stand on it.
    Undo {
        /// How many.
        blocked_by: u32,
    },
    /// It must stay because something that cannot be taken back stands on it.
    RefuseUndo(Failure),
}

/// What has to be done once the event is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Begin the attempt that the row now describes.
    Start,
    /// End pending work that nobody waits for any more.
    Cancel {
        /// Index of the step.
        step: u32,
        /// The direction it went in.
        direction: Direction,
        /// Names it.
        handle: String,
    },
    /// Tell the tasks that wait for this phase of this task.
    PhaseDone(Phase),
    /// Skip the tasks that wait for this one: it will not do what they wait for.
    SkipDependents,
    /// Tell the tasks that this one stands on that it is taken back.
    TakenBack,
    /// Tell the tasks that this one stands on that it cannot be taken back.
    NotTakenBack,
}

/// One decision.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The fact.
    pub event: TaskEvent,
    /// The row with that fact folded in.
    pub after: TaskRow,
    /// What follows.
    pub commands: Vec<Command>,
}

/// Why an input means nothing to a task or run in its state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

/// Decides what `input` means to a task with these steps.
pub fn decide(row: &TaskRow, steps: &[Step], input: Input<'_>, around: &Circumstances) -> Result<Decision, Refusal> {
    let event = event(row, steps, input, around)?;
    let after = apply(row, &event, around.now);
    let commands = commands(row, steps, &event, &after);
    Ok(Decision { event, after, commands })
}

fn event(row: &TaskRow, steps: &[Step], input: Input<'_>, around: &Circumstances) -> Result<TaskEvent, Refusal> {
    let state = row.state;
    let refused = || Err(Refusal(format!("a task that is {} cannot take this", state.as_str())));
    // The outcome of an attempt comes while it runs, or from asking after pending work.
    let attempted = state == TaskState::Running || (state == TaskState::Waiting && row.handle.is_some());
    let step = steps.get(row.step as usize);
    Ok(match (input, step) {
        (Input::Lease(worker), Some(step)) if state == TaskState::Ready => lease(row, step, worker),
        (Input::Pending { handle, wake }, Some(step)) if attempted => {
            let deadline = row.attempt_at.plus_millis(step.timeout_millis);
            // Whoever was asked may go by a clock that was set back since, and name a time that is over.
            let soonest = around.now.plus_millis(ASK_AGAIN);
            TaskEvent::AttemptPending { handle, wake: wake.max(soonest).min(deadline) }
        }
        (Input::Done { progress, checks, notes }, Some(step)) if attempted => {
            done(row, steps, step, (progress, checks, notes))
        }
        (Input::Failed(error), Some(step)) if attempted => failed(row, steps, step, error, around),
        (Input::Lost, Some(step)) if state == TaskState::Running => TaskEvent::AttemptLost {
            then: if row.lost + 1 >= around.lost_limit.max(step.retry.attempts) {
                Then::Quarantine
            } else if row.lost + 1 >= IN_COMPANY {
                // Before all that waits: a suspect has the whole life of the process that tries it again.
                Then::Retry(Timestamp(0))
            } else {
                Then::Retry(around.now)
            },
        },
        (Input::Stopped(reason), _) if attempted => TaskEvent::AttemptStopped { reason },
        (Input::Release, _) if row.gated => TaskEvent::Released,
        (Input::Postpone { until }, _) if state == TaskState::Ready => TaskEvent::Postponed { until },
        (Input::Unblocked, _) if row.blocked_by > 0 => TaskEvent::Unblocked { left: row.blocked_by - 1 },
        (Input::Approve { by, why }, Some(step))
            if state == TaskState::Waiting && row.handle.is_none() && step.approval =>
        {
            TaskEvent::Approved { step: row.step, by: by.to_owned(), why: why.map(str::to_owned) }
        }
        (Input::Retry, step) if can_retry(row) => {
            TaskEvent::Retried { from: step.and_then(|step| anew(row, steps, step)) }
        }
        (Input::Skip(error), _) if !state.has_ended() && state != TaskState::Running => TaskEvent::Skipped { error },
        (Input::Skip(error), _) if state == TaskState::Stale => TaskEvent::Skipped { error },
        (Input::Undo { blocked_by }, _) if can_undo(row) => match undo_steps(row, steps) {
            Ok(mut left) => {
                let from = left.next();
                TaskEvent::UndoStarted { from, blocked_by: if from.is_some() { blocked_by } else { 0 } }
            }
            Err(error) => TaskEvent::UndoRefused { error },
        },
        (Input::RefuseUndo(error), _) if can_refuse_undo(row) => TaskEvent::UndoRefused { error },
        _ => return refused(),
    })
}

fn can_retry(row: &TaskRow) -> bool {
    matches!(row.state, TaskState::Failed | TaskState::Quarantined | TaskState::Skipped | TaskState::Stale)
}

/// The step to go back to where trying the one at hand again could only fail again. What failed its verification, or was
/// made from a source that has changed since, or is gone, must be made anew; before it is published nobody has seen it.
fn anew(row: &TaskRow, steps: &[Step], step: &Step) -> Option<u32> {
    let remade = || matches!(&row.error, Some(error) if [data::SOURCE_CHANGED, data::WORK_LOST].contains(&error.code));
    // A command that failed by itself says nothing of what was made; what it checked does.
    let custom = step.uses.starts_with(PREFIX);
    let checked = || matches!(&row.error, Some(error) if error.code == code::CHECK_FAILED);
    let goes_back = row.direction == Direction::Forward
        && (!custom || checked())
        && (step.phase == Phase::Verify || (step.phase == Phase::Publish && remade()));
    made_by(row, steps).filter(|_| goes_back)
}

/// The step that made what the steps after it look at and publish.
fn made_by(row: &TaskRow, steps: &[Step]) -> Option<u32> {
    steps[..row.step as usize].iter().rposition(|step| step.phase == Phase::Backfill).map(|at| at as u32)
}

fn can_undo(row: &TaskRow) -> bool {
    row.direction == Direction::Forward && row.state != TaskState::Running && !undo_refused(row)
}

fn undo_refused(row: &TaskRow) -> bool {
    row.error.as_ref().is_some_and(|error| error.code == code::UNDO_REFUSED)
}

fn can_refuse_undo(row: &TaskRow) -> bool {
    row.state != TaskState::Running && row.state != TaskState::Undone && !undo_refused(row)
}

fn lease(row: &TaskRow, step: &Step, worker: &WorkerId) -> TaskEvent {
    if step.approval && row.direction == Direction::Forward && !row.approved {
        return TaskEvent::ApprovalWanted { uses: step.uses.clone(), step: row.step };
    }
    TaskEvent::AttemptStarted {
        uses: step.uses.clone(),
        step: row.step,
        direction: row.direction,
        attempt: row.attempt + 1,
        epoch: row.epoch + 1,
        worker: worker.clone(),
    }
}

fn done(
    row: &TaskRow,
    steps: &[Step],
    step: &Step,
    (progress, checks, notes): (Progress, Vec<CheckResult>, Vec<String>),
) -> TaskEvent {
    if let Some(check) = checks.iter().find(|check| check.verdict == Verdict::Fail) {
        let message = format!("check `{}` failed: {}", check.name, check.detail);
        let hints = check.hint.iter().cloned().collect();
        let error = Failure { hints, ..Failure::new(ErrorClass::Permanent, code::CHECK_FAILED, message) };
        return TaskEvent::AttemptFailed { error, then: Then::Fail, checks };
    }
    let next = match row.direction {
        Direction::Forward => Some(row.step + 1).filter(|next| (*next as usize) < steps.len()),
        Direction::Undo => row.step.checked_sub(1),
    };
    let (uses, direction) = (step.uses.clone(), row.direction);
    TaskEvent::StepDone { uses, step: row.step, direction, next, progress, checks, notes }
}

fn failed(row: &TaskRow, steps: &[Step], step: &Step, error: Failure, around: &Circumstances) -> TaskEvent {
    let forward = row.direction == Direction::Forward;
    if error.code == code::STALE && forward {
        return TaskEvent::MarkedStale { error };
    }
    // Only a restart of the machine brings this about, so it ends; until it is published nobody has seen what is lost.
    if error.code == data::POWER_CUT
        && forward
        && step.phase <= Phase::Publish
        && let Some(from) = made_by(row, steps)
    {
        return TaskEvent::WentBack { from, error };
    }
    let failures = row.failures + 1;
    let then = if !step.retry.on.contains(&error.class) {
        Then::Fail
    } else if failures >= step.retry.attempts {
        Then::Quarantine
    } else {
        Then::Retry(around.now.plus_millis(backoff_millis(&step.retry, failures, around.seed ^ row.epoch)))
    };
    TaskEvent::AttemptFailed { error, then, checks: Vec::new() }
}

/// Milliseconds to wait after so many failures: doubling from the policy's first wait up to its longest, less up to
/// half of it. Equal inputs give equal waits; different seeds spread tasks that failed together.
pub fn backoff_millis(retry: &Retry, failures: u32, seed: u64) -> i64 {
    let doubled = 1_i64.checked_shl(failures.saturating_sub(1)).filter(|factor| *factor > 0).unwrap_or(i64::MAX);
    let wait = retry.backoff_millis.max(0).saturating_mul(doubled).min(retry.max_backoff_millis.max(0));
    let half = wait / 2;
    let spread = (mix(seed.wrapping_add(u64::from(failures))) >> 1) as i64;
    wait - if half > 0 { spread % (half + 1) } else { 0 }
}

/// The finalizer of SplitMix64 (Steele, Lea and Flood, 2014): every bit of the input moves every bit of the output.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// The steps that taking this task back would walk, newest first: every step of which an attempt was begun. Execution
/// and dry run use this one list. Fails if a drop was begun: what it deleted cannot be brought back.
pub fn undo_steps(row: &TaskRow, steps: &[Step]) -> Result<impl Iterator<Item = u32> + use<>, Failure> {
    let begun = match row.direction {
        Direction::Forward => (row.step + u32::from(row.begun)).min(steps.len() as u32),
        Direction::Undo if row.state == TaskState::Undone => 0,
        Direction::Undo => (row.step + 1).min(steps.len() as u32),
    };
    if steps[..begun as usize].iter().any(|step| step.phase == Phase::Drop) {
        return Err(Failure {
            class: ErrorClass::Denied,
            code: code::UNDO_REFUSED,
            message: "the old dataset was dropped, so there is nothing to go back to".to_owned(),
            hints: vec!["restore the old dataset from a backup".to_owned()],
        });
    }
    Ok((0..begun).rev())
}

fn commands(before: &TaskRow, steps: &[Step], event: &TaskEvent, after: &TaskRow) -> Vec<Command> {
    let mut commands = Vec::new();
    let polled = matches!(event, TaskEvent::AttemptPending { .. } | TaskEvent::StepDone { .. });
    if let (Some(handle), false) = (&before.handle, polled) {
        commands.push(Command::Cancel { step: before.step, direction: before.direction, handle: handle.clone() });
    }
    match event {
        TaskEvent::AttemptStarted { .. } => commands.push(Command::Start),
        TaskEvent::StepDone { step, direction: Direction::Forward, next, .. } => {
            let phase = steps.get(*step as usize).map(|step| step.phase);
            let next = next.and_then(|next| steps.get(next as usize)).map(|step| step.phase);
            if let Some(phase) = phase.filter(|phase| next != Some(*phase) && *step >= before.furthest) {
                commands.push(Command::PhaseDone(phase));
            }
        }
        TaskEvent::UndoRefused { .. } => commands.push(Command::NotTakenBack),
        _ => {}
    }
    let ended = after.state.has_ended() && !before.state.has_ended();
    match after.state {
        TaskState::Undone if before.state != TaskState::Undone => commands.push(Command::TakenBack),
        TaskState::Failed | TaskState::Quarantined | TaskState::Skipped | TaskState::Stale if ended => {
            commands.push(match after.direction {
                Direction::Forward => Command::SkipDependents,
                Direction::Undo => Command::NotTakenBack,
            });
        }
        _ => {}
    }
    commands
}

/// What a person, or the work itself, wants of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask<'a> {
    /// Begin to lease.
    Start,
    /// Lease nothing new.
    Pause(&'a str),
    /// Go on.
    Resume(&'a str),
    /// End without the rest.
    Abort(&'a str),
    /// Try again what ended badly.
    Retry(&'a str, Option<TaskId>),
    /// Take everything back.
    Undo(&'a str),
    /// Nothing is left to do.
    End,
}

/// Decides what `ask` means to a run.
pub fn decide_run(row: &RunRow, ask: &Ask<'_>) -> Result<RunEvent, Refusal> {
    use RunState::{Aborted, Finished, Paused, Planned, Running, Undone};
    let refused = |verb: &str| Err(Refusal(format!("a run that is {} cannot be {verb}", row.state.as_str())));
    let by = |by: &str| by.to_owned();
    Ok(match (ask, row.state) {
        (Ask::Start, Planned) => RunEvent::RunStarted,
        (Ask::Pause(who), Planned | Running) => RunEvent::RunPaused { by: by(who) },
        (Ask::Resume(who), Paused) => RunEvent::RunResumed { by: by(who) },
        (Ask::Abort(_), Planned | Running | Paused) if row.goal == Goal::Undo => {
            return Err(Refusal("a run that is being undone cannot be aborted, only paused".to_owned()));
        }
        (Ask::Abort(who), Planned | Running | Paused) => RunEvent::AbortAsked { by: by(who) },
        (Ask::Retry(who, task), Running | Paused | Finished | Aborted | Undone) => {
            RunEvent::RetryAsked { by: by(who), task: task.clone() }
        }
        (Ask::Undo(_), _) if row.goal == Goal::Undo => {
            return Err(Refusal("the run is being undone, or was, already".to_owned()));
        }
        (Ask::Undo(who), _) => RunEvent::UndoAsked { by: by(who) },
        (Ask::End, Running) => RunEvent::RunEnded { goal: row.goal },
        (Ask::Start, _) => return refused("started"),
        (Ask::Pause(_), _) => return refused("paused"),
        (Ask::Resume(_), _) => return refused("resumed"),
        (Ask::Abort(_), _) => return refused("aborted"),
        (Ask::Retry(..), _) => return refused("retried"),
        (Ask::End, _) => return refused("ended"),
    })
}
