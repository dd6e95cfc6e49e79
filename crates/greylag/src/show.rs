//! Words for states, times and events, the same wherever they are shown.

use crate::{follow, output};
use greylag_driver::journal::RunRecord;
use greylag_model::check::Verdict;
use greylag_model::id::{TaskId, Timestamp};
use greylag_model::rollout::Held;
use greylag_model::task::{Direction, Event, Goal, RunEvent, RunState, TaskEvent, TaskState, Then};
use std::fmt::Write;

/// A run's state; one that runs but that nobody drives says so, and one that waits for a person, too.
pub(crate) fn run_state(run: &RunRecord) -> &'static str {
    match run.row.state {
        RunState::Planned => "planned",
        RunState::Running if !driven(run) && follow::held(run).is_some() => "held",
        RunState::Running if !driven(run) => "interrupted",
        RunState::Running => match run.row.goal {
            Goal::Finish => "running",
            Goal::Abort => "aborting",
            Goal::Undo => "undoing",
        },
        RunState::Paused => "paused",
        RunState::Finished => "finished",
        RunState::Aborted => "aborted",
        RunState::Undone => "undone",
    }
}

/// Whether a living process drives the run.
pub(crate) fn driven(run: &RunRecord) -> bool {
    run.lease.as_ref().is_some_and(|holder| !holder.dead)
}

/// A task's state.
pub(crate) fn task_state(state: TaskState) -> &'static str {
    match state {
        TaskState::Pending => "pending",
        TaskState::Ready => "ready",
        TaskState::Running => "running",
        TaskState::Waiting => "waiting",
        TaskState::Stale => "stale",
        TaskState::Succeeded => "succeeded",
        TaskState::Failed => "failed",
        TaskState::Quarantined => "quarantined",
        TaskState::Skipped => "skipped",
        TaskState::Undone => "undone",
    }
}

/// `12 s ago`, `3 h ago`.
pub(crate) fn ago(now: Timestamp, then: Timestamp) -> String {
    let seconds = now.millis_since(then).max(0) / 1000;
    let (number, unit) = match seconds {
        0..60 => (seconds, "s"),
        60..3_600 => (seconds / 60, "min"),
        3_600..86_400 => (seconds / 3_600, "h"),
        _ => (seconds / 86_400, "d"),
    };
    format!("{number} {unit} ago")
}

/// `2026-11-22T09:30:00.123Z`.
pub(crate) fn instant(at: Timestamp) -> String {
    chrono::DateTime::from_timestamp_millis(at.0)
        .map(|at| at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
        .unwrap_or_default()
}

/// One event in a line.
pub(crate) fn event(event: &Event) -> String {
    match event {
        Event::Run(event) => run_event(event),
        Event::Task(event) => task_event(event),
    }
}

fn run_event(event: &RunEvent) -> String {
    match event {
        RunEvent::RunCreated { plan, tasks } => format!("run of {plan} recorded, {tasks} tasks"),
        RunEvent::RunClaimed { worker, epoch } => format!("driven by {worker} (epoch {epoch})"),
        RunEvent::RunStarted => "started".to_owned(),
        RunEvent::RunPaused { by } => format!("paused by {by}"),
        RunEvent::RunResumed { by } => format!("resumed by {by}"),
        RunEvent::AbortAsked { by } => format!("abort asked by {by}"),
        RunEvent::RetryAsked { by, task: None } => format!("retry of all failed tasks asked by {by}"),
        RunEvent::RetryAsked { by, task: Some(task) } => format!("retry of {task} asked by {by}"),
        RunEvent::Replanned { plan, tasks, by, why } => {
            let first: Vec<&str> = tasks.iter().take(3).map(TaskId::as_str).collect();
            let more = if tasks.len() > 3 { format!(" and {} more", tasks.len() - 3) } else { String::new() };
            format!("{}{more} planned anew in {plan}, approved by {by}{}", first.join(", "), because(why.as_deref()))
        }
        RunEvent::CohortHeld { name, held, .. } => format!("held after cohort {name}: {}", why_held(*held)),
        RunEvent::CohortApproved { name, by, why, despite_failures, .. } => {
            let despite = if *despite_failures { " despite its failures" } else { "" };
            format!("what follows cohort {name} approved by {by}{despite}{}", because(why.as_deref()))
        }
        RunEvent::CohortReleased { name, tasks: 1, .. } => format!("cohort {name} released, 1 task"),
        RunEvent::CohortReleased { name, tasks, .. } => format!("cohort {name} released, {tasks} tasks"),
        RunEvent::UndoAsked { by } => format!("undo asked by {by}"),
        RunEvent::RequestRefused { error } => format!("request refused [{}]: {}", error.code, error.message),
        RunEvent::RunEnded { goal: Goal::Finish } => "finished".to_owned(),
        RunEvent::RunEnded { goal: Goal::Abort } => "aborted".to_owned(),
        RunEvent::RunEnded { goal: Goal::Undo } => "undone".to_owned(),
    }
}

/// Why a gate does not open.
pub(crate) fn why_held(held: Held) -> String {
    match held {
        Held::Failures { most: 0 } => "some of its tasks ended badly, and none may".to_owned(),
        Held::Failures { most } => format!("more than {most} of its tasks ended badly"),
        Held::Soaks { until } => format!("it soaks until {}", instant(until)),
        Held::WantsApproval => "a person has to say yes".to_owned(),
    }
}

/// `: the reason`.
fn because(why: Option<&str>) -> String {
    why.map(|why| format!(": {why}")).unwrap_or_default()
}

fn task_event(event: &TaskEvent) -> String {
    match event {
        TaskEvent::Unblocked { left: 0 } => "unblocked".to_owned(),
        TaskEvent::Unblocked { left } => format!("unblocked, {left} left to wait for"),
        TaskEvent::Released => "cohort released".to_owned(),
        TaskEvent::Postponed { until } => format!("its window is closed until {}", instant(*until)),
        TaskEvent::AttemptStarted { uses, direction, attempt, epoch, .. } => {
            let again = if *attempt > 1 { format!(", attempt {attempt}") } else { String::new() };
            format!("{}{uses} started{again} (epoch {epoch})", back(*direction))
        }
        TaskEvent::AttemptPending { handle, wake } => format!("pending as {handle}, asked again at {}", instant(*wake)),
        TaskEvent::StepDone { uses, direction, progress, checks, notes, .. } => {
            let mut text = format!("{}{uses} done", back(*direction));
            if progress.rows > 0 || progress.bytes > 0 {
                let _ = write!(text, ", {} rows, {}", output::count(progress.rows), output::bytes(progress.bytes));
            }
            let passed = checks.iter().filter(|check| check.verdict == Verdict::Pass).count();
            if !checks.is_empty() {
                let _ = write!(text, ", {passed} of {} checks passed", checks.len());
            }
            for note in notes {
                let _ = write!(text, "\n    {note}");
            }
            text
        }
        TaskEvent::AttemptFailed { error, then, checks } => {
            let after = match then {
                Then::Retry(at) => format!("tried again at {}", instant(*at)),
                Then::Fail => "not tried again".to_owned(),
                Then::Quarantine => "quarantined".to_owned(),
            };
            let mut text = format!("failed [{}]: {}; {after}", error.code, error.message);
            for check in checks.iter().filter(|check| check.verdict != Verdict::Pass) {
                let _ = write!(text, "\n    check {}: {}", check.name, check.detail);
            }
            text
        }
        TaskEvent::AttemptLost { .. } => "attempt lost with its process".to_owned(),
        TaskEvent::AttemptStopped { reason } => format!("attempt stopped ({reason:?})").to_lowercase(),
        TaskEvent::ApprovalWanted { uses, .. } => format!("waits for an approval before {uses}"),
        TaskEvent::Approved { by, why, .. } => format!("approved by {by}{}", because(why.as_deref())),
        TaskEvent::MarkedStale { error } => format!("stale [{}]: {}", error.code, error.message),
        TaskEvent::Skipped { error } => format!("skipped [{}]: {}", error.code, error.message),
        TaskEvent::WentBack { error, .. } => format!("to be made again: {}", error.message),
        TaskEvent::Retried { from: None } => "to be tried again".to_owned(),
        TaskEvent::Retried { from: Some(_) } => "to be made and verified again".to_owned(),
        TaskEvent::UndoStarted { .. } => "undo started".to_owned(),
        TaskEvent::UndoRefused { error } => format!("undo refused [{}]: {}", error.code, error.message),
    }
}

fn back(direction: Direction) -> &'static str {
    match direction {
        Direction::Forward => "",
        Direction::Undo => "undo of ",
    }
}
