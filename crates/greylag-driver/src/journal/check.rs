//! What must hold of a plan before it is saved.

use crate::error::DriverError;
use greylag_model::code::engine as code;
use greylag_model::custom::PREFIX;
use greylag_model::plan::{PLAN_VERSION, Plan};
use std::collections::HashMap;

/// Refuses a plan of another version, without steps in a task, with a task given twice, or with tasks that wait for
/// unknown ones, for phases they don't have, or for each other in a circle.
pub fn check_plan(plan: &Plan) -> Result<(), DriverError> {
    let invalid = |message: String| Err(DriverError::permanent(code::PLAN_INVALID, message));
    if plan.header.version != PLAN_VERSION {
        let version = plan.header.version;
        return invalid(format!("the plan has version `{version}`, this Greylag runs version `{PLAN_VERSION}`"));
    }
    let mut ordinals = HashMap::new();
    for (ordinal, task) in plan.tasks.iter().enumerate() {
        if task.steps.is_empty() {
            return invalid(format!("task `{}` has no steps", task.id));
        }
        for (at, step) in task.steps.iter().enumerate() {
            let name = step.name();
            if task.steps[..at].iter().any(|before| before.name() == name) {
                return invalid(format!("task `{}` has two steps `{name}`", task.id));
            }
            if step.uses.starts_with(PREFIX) && plan.header.custom.command_of(&step.uses).is_none() {
                return invalid(format!("task `{}` uses `{}`, for which the plan has no command", task.id, step.uses));
            }
        }
        if ordinals.insert(&task.id, ordinal).is_some() {
            return invalid(format!("task `{}` is in the plan twice", task.id));
        }
    }
    let cohorts = plan.header.rollout.as_ref().map_or(1, |rollout| rollout.cohorts.len().max(1));
    if let Some(task) = plan.tasks.iter().find(|task| task.cohort as usize >= cohorts) {
        return invalid(format!("task `{}` is in a cohort that the plan does not have", task.id));
    }
    let mut waits = vec![0_usize; plan.tasks.len()];
    let mut dependents = vec![Vec::new(); plan.tasks.len()];
    for (ordinal, task) in plan.tasks.iter().enumerate() {
        for after in &task.after {
            let Some(on) = ordinals.get(&after.task) else {
                return invalid(format!("task `{}` waits for `{}`, which the plan does not have", task.id, after.task));
            };
            if !plan.tasks[*on].steps.iter().any(|step| step.phase == after.phase) {
                let phase = format!("{:?}", after.phase).to_lowercase();
                return invalid(format!(
                    "task `{}` waits for a {phase} of `{}` that it does not have",
                    task.id, after.task
                ));
            }
            if plan.tasks[*on].cohort > task.cohort {
                return invalid(format!("task `{}` waits for `{}`, which is in a later cohort", task.id, after.task));
            }
            waits[ordinal] += 1;
            dependents[*on].push(ordinal);
        }
    }
    let mut free: Vec<usize> = (0..waits.len()).filter(|ordinal| waits[*ordinal] == 0).collect();
    let mut done = 0;
    while let Some(ordinal) = free.pop() {
        done += 1;
        for dependent in &dependents[ordinal] {
            waits[*dependent] -= 1;
            if waits[*dependent] == 0 {
                free.push(*dependent);
            }
        }
    }
    if done < waits.len() {
        let circle = waits.iter().position(|waits| *waits > 0).unwrap_or_default();
        return invalid(format!("task `{}` waits for itself, through others", plan.tasks[circle].id));
    }
    Ok(())
}
