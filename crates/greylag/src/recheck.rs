//! Before a plan is applied: is the world still as it was planned for?

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::wire::{self, State};
use greylag_driver::describe::Describe;
use greylag_model::code;
use greylag_model::dataset::Dataset;
use greylag_model::diagnostic::Diagnostic;
use greylag_model::plan::{DatasetWork, Plan, PlanHeader, PlanTask, Staleness, Subject, computed_id, staleness};

/// Tasks are looked at in pages of this size.
const PAGE: usize = 1_000;
/// So many stale datasets are named.
const NAMED: usize = 10;

/// Looks at every source of a plan again. Answers the plan to run: the same, or, where sources moved but the operations
/// stay what they were, the one with those tasks planned again. Refuses if a dataset changed in a way that a person has to
/// look at, unless `keep_going` leaves those to end as stale.
pub(crate) fn recheck(
    context: &Context,
    state: &State,
    header: &PlanHeader,
    keep_going: bool,
) -> Result<PlanHeader, Failure> {
    let describe = wire::describe_again(state, &header.connections);
    let mut replaced = Vec::new();
    let mut stale = Vec::new();
    let mut digests = Vec::new();
    let mut from = 0;
    loop {
        let tasks = state.journal.plan_tasks(&header.id, from, PAGE)?;
        if tasks.is_empty() {
            break;
        }
        let works: Vec<(usize, &DatasetWork)> =
            tasks.iter().enumerate().filter_map(|(at, task)| Some((at, task.dataset()?))).collect();
        let datasets: Vec<Dataset> = works.iter().map(|(_, work)| work.source.dataset.clone()).collect();
        // While the readers look at the datasets.
        let digest = || tasks.iter().map(PlanTask::digest).collect::<Vec<_>>();
        let (found, digested) = std::thread::scope(|scope| {
            let digested = scope.spawn(digest);
            (describe.describe(&datasets), digested.join())
        });
        digests.extend(digested.unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        for ((offset, task), now) in works.into_iter().zip(found) {
            let reasons = match now {
                Ok(now) => match staleness(task, &now) {
                    Staleness::Fresh => continue,
                    Staleness::SameOperations(work) => {
                        let task = PlanTask { subject: Subject::Dataset(work), ..tasks[offset].clone() };
                        replaced.push((from as usize + offset, task));
                        continue;
                    }
                    Staleness::Changed(reasons) => reasons,
                },
                Err(error) => vec![error.message],
            };
            let message = format!(
                "`{}` is not as it was planned for: {}",
                task.source.dataset.entity.short(),
                reasons.join("; ")
            );
            stale.push(Diagnostic::error(code::plan::SOURCE_CHANGED, message));
        }
        from += tasks.len() as u64;
    }
    if computed_id(header, digests) != header.id {
        let message = format!("the saved plan `{}` is not the one that was frozen: its hash differs", header.id);
        return Err(Failure::error(code::plan::PLAN_DAMAGED, message).hint("plan again"));
    }
    if !stale.is_empty() && !keep_going {
        return Err(refused(stale));
    }
    for found in stale.iter().take(NAMED) {
        context.say(&format!("{}; it will end as stale", found.message));
    }
    if replaced.is_empty() { Ok(header.clone()) } else { planned_again(context, state, header, replaced) }
}

fn refused(mut stale: Vec<Diagnostic>) -> Failure {
    let more = stale.len().saturating_sub(NAMED);
    stale.truncate(NAMED);
    if let Some(last) = stale.last_mut() {
        if more > 0 {
            last.hints.push(format!("{more} more datasets changed"));
        }
        last.hints.push("plan again; or `--keep-going` runs the rest and ends these as stale".to_owned());
    }
    Failure { exit: Exit::Refused, diagnostics: stale, sources: std::collections::BTreeMap::new() }
}

/// Saves the plan with the replaced tasks under its own hash.
fn planned_again(
    context: &Context,
    state: &State,
    header: &PlanHeader,
    replaced: Vec<(usize, PlanTask)>,
) -> Result<PlanHeader, Failure> {
    let mut plan = Plan { header: header.clone(), tasks: Vec::new() };
    loop {
        let page = state.journal.plan_tasks(&header.id, plan.tasks.len() as u64, PAGE)?;
        if page.is_empty() {
            break;
        }
        plan.tasks.extend(page);
    }
    let count = replaced.len();
    for (index, task) in replaced {
        plan.tasks[index] = task;
    }
    plan.header.id = plan.computed_id();
    state.journal.save_plan(&plan)?;
    context.say(&format!(
        "{count} datasets moved since the plan, with the same operations; running {} instead",
        plan.header.id
    ));
    Ok(plan.header)
}
