//! What must hold of a journal as it is read afterwards.

use greylag_model::plan::{PlanHeader, PlanTask};
use greylag_model::task::{Direction, Entry, Event, RunEvent, TaskEvent, Then};
use std::collections::HashMap;

/// Attempts that a step of [`greylag_driver::journal::sample`] has, and the shortest wait before the second one.
const ATTEMPTS: u32 = 3;
const SHORTEST_WAIT: i64 = 500;
/// Losses in a row after which a task is set aside.
const LOSSES: u32 = 5;

#[derive(Default)]
struct Task {
    running: Option<(u32, Direction)>,
    failures: u32,
    losses: u32,
    not_before: i64,
    next: Option<u32>,
}

/// Reads a whole journal.
pub(crate) fn check(entries: &[Entry], header: &PlanHeader, plan: &[PlanTask]) -> Result<(), String> {
    gates(entries, header, plan)?;
    let mut tasks: HashMap<String, Task> = HashMap::new();
    for entry in entries {
        let Some(id) = &entry.task else {
            if let Event::Run(RunEvent::RunEnded { .. }) = &entry.event
                && let Some((id, _)) = tasks.iter().find(|(_, task)| task.running.is_some())
            {
                return Err(format!("the run ended while `{id}` was running"));
            }
            continue;
        };
        let Event::Task(event) = &entry.event else { continue };
        let task = tasks.entry(id.to_string()).or_default();
        step(task, event, entry.at.0).map_err(|why| format!("{id}, entry {}: {why}", entry.seq))?;
    }
    Ok(())
}

/// Cohorts: counted from the events alone.
fn gates(entries: &[Entry], header: &PlanHeader, plan: &[PlanTask]) -> Result<(), String> {
    let cohorts = header.rollout.iter().flat_map(|rollout| &rollout.cohorts).collect::<Vec<_>>();
    let of: HashMap<&str, u32> = plan.iter().map(|task| (task.id.as_str(), task.cohort)).collect();
    let (mut released, mut taken_back) = (0, false);
    // What ended well and what did not, by task.
    let mut ended: HashMap<&str, bool> = HashMap::new();
    let mut told: HashMap<&str, u32> = HashMap::new();
    for entry in entries {
        match (&entry.event, entry.task.as_ref().map(greylag_model::id::TaskId::as_str)) {
            (Event::Run(RunEvent::UndoAsked { .. }), _) => taken_back = true,
            (Event::Run(RunEvent::CohortReleased { cohort, name, .. }), _) => {
                if *cohort != released + 1 {
                    return Err(format!("cohort `{name}` was released after number {released}"));
                }
                let before = cohorts[released as usize];
                let mine = ended.iter().filter(|(task, _)| of[**task] == released);
                let (good, bad): (Vec<_>, Vec<_>) = mine.partition(|(_, good)| **good);
                if (good.len() + bad.len()) as u64 != before.tasks || bad.len() as u64 > before.gate.max_failures {
                    let (good, bad) = (good.len(), bad.len());
                    return Err(format!("cohort `{name}` was released after {good} good and {bad} bad of {before:?}"));
                }
                released = *cohort;
            }
            (Event::Task(event), Some(task)) => match event {
                TaskEvent::AttemptStarted { direction: Direction::Forward, .. } if of[task] > released => {
                    return Err(format!("`{task}` began before its cohort was released"));
                }
                TaskEvent::Released => *told.entry(task).or_default() += 1,
                TaskEvent::StepDone { direction: Direction::Forward, next: None, .. } => {
                    ended.insert(task, true);
                }
                TaskEvent::AttemptFailed { then: Then::Fail | Then::Quarantine, .. }
                | TaskEvent::AttemptLost { then: Then::Quarantine }
                | TaskEvent::Skipped { .. } => {
                    ended.insert(task, false);
                }
                TaskEvent::Retried { .. } => {
                    ended.remove(task);
                }
                _ => {}
            },
            _ => {}
        }
    }
    if let Some((task, times)) = told.iter().find(|(_, times)| **times > 1) {
        return Err(format!("`{task}` was told {times} times that its cohort was released"));
    }
    if !taken_back && (released as usize) + 1 < cohorts.len() {
        return Err(format!("the run ended with cohort number {released} as the last released"));
    }
    Ok(())
}

fn step(task: &mut Task, event: &TaskEvent, at: i64) -> Result<(), String> {
    match event {
        TaskEvent::AttemptStarted { step, direction, .. } => {
            if task.running.is_some() {
                return Err("an attempt began beside another".to_owned());
            }
            if let Some(next) = task.next.take()
                && *direction == Direction::Forward
                && *step != next
            {
                return Err(format!("step {step} began, and step {next} was next"));
            }
            if at < task.not_before {
                return Err(format!("an attempt began {} ms before its backoff was over", task.not_before - at));
            }
            task.running = Some((*step, *direction));
        }
        TaskEvent::StepDone { step, direction, next, .. } => {
            if task.running.take() != Some((*step, *direction)) {
                return Err(format!("step {step} is done without an attempt"));
            }
            let follows = match direction {
                Direction::Forward => step + 1,
                Direction::Undo => step.wrapping_sub(1),
            };
            if next.is_some_and(|next| next != follows) {
                return Err(format!("after step {step} comes {next:?}"));
            }
            (task.failures, task.losses, task.not_before) = (0, 0, 0);
            task.next = *next;
        }
        TaskEvent::AttemptFailed { then, error, .. } => {
            task.running = None;
            (task.failures, task.losses) = (task.failures + 1, 0);
            match then {
                Then::Retry(wake) if task.failures >= ATTEMPTS => {
                    return Err(format!("tried again at {wake:?} after {} failures", task.failures));
                }
                Then::Retry(wake) if wake.0 - at < SHORTEST_WAIT => {
                    return Err(format!("tried again after {} ms", wake.0 - at));
                }
                Then::Retry(wake) => task.not_before = wake.0,
                Then::Quarantine if task.failures < ATTEMPTS => {
                    return Err(format!("set aside after {} failures: {}", task.failures, error.message));
                }
                Then::Quarantine | Then::Fail => task.not_before = 0,
            }
        }
        TaskEvent::AttemptLost { then } => {
            task.running = None;
            task.losses += 1;
            if *then == Then::Quarantine && task.losses < LOSSES {
                return Err(format!("set aside after {} losses", task.losses));
            }
        }
        TaskEvent::AttemptStopped { .. } => task.running = None,
        TaskEvent::Retried { .. } | TaskEvent::UndoStarted { .. } | TaskEvent::WentBack { .. } => {
            *task = Task { running: task.running.take(), ..Task::default() };
        }
        _ => {}
    }
    Ok(())
}
