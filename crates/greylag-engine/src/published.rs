//! What earlier runs of a migration have published: the bases that increments go on from.
//!
//! Runs are looked at from the newest back, page by page, until every target that is there has been found. A run of
//! thousands of datasets is usually the base of all of them, so that one run is read.

use greylag_driver::error::DriverError;
use greylag_driver::journal::{Journal, RunRecord, TaskFilter, TaskRecord};
use greylag_model::dataset::Location;
use greylag_model::entity::EntityRef;
use greylag_model::increment::{Base, MARK, Mark, Published, digest};
use greylag_model::plan::PlanTask;
use greylag_model::snapshot::Snapshot;
use greylag_model::spec::Migration;
use greylag_model::task::{Direction, Phase, TaskState};
use std::collections::HashMap;

/// Tasks that are read at once.
const PAGE: usize = 1_000;
/// More runs than anybody has.
const RUNS: usize = 1_000_000;

/// Tells a snapshot what is known of targets that are there. Nothing is asked for a migration without increments.
pub fn look(journal: &dyn Journal, migration: &Migration, snapshot: &mut Snapshot) -> Result<(), DriverError> {
    if migration.spec.increments.is_none() {
        return Ok(());
    }
    let mut wanted: HashMap<(EntityRef, Location), usize> = HashMap::new();
    for (number, pair) in snapshot.pairs.iter().enumerate().filter(|(_, pair)| pair.target.exists) {
        wanted.insert((pair.target.entity.clone(), pair.target.location.clone()), number);
    }
    if wanted.is_empty() {
        return Ok(());
    }
    let mut runs = journal.runs(RUNS)?;
    runs.retain(|run| run.migration == migration.metadata.name);
    for run in &runs {
        each_task(journal, run, &mut |record, task| {
            let Some(work) = task.dataset() else { return Ok(()) };
            let key = (work.target.clone(), work.target_location.clone());
            let Some(number) = wanted.get(&key).copied() else { return Ok(()) };
            match of_task(journal, run, &record, &task)? {
                Standing::None => {}
                Standing::Busy => {
                    // Until that has ended it is not known what it will have made of the target.
                    let (base, increments) = (base_of(run, &record, &task), work.increments.is_some());
                    let published = base.map(|base| Published {
                        base,
                        increments,
                        cut_over: false,
                        busy: Some(run.id.clone()),
                        digest: String::new(),
                        mark: None,
                    });
                    snapshot.pairs[number].published = published;
                    wanted.remove(&key);
                }
                Standing::Published(published) => {
                    snapshot.pairs[number].published = Some(published);
                    wanted.remove(&key);
                }
            }
            Ok(())
        })?;
        if wanted.is_empty() {
            break;
        }
    }
    Ok(())
}

/// Later runs that go on from what a run has published, and stand in the way of taking it back.
pub(crate) fn later(journal: &dyn Journal, run: &RunRecord) -> Result<Vec<RunRecord>, DriverError> {
    let mut found = Vec::new();
    for other in journal.runs(RUNS)? {
        if other.id == run.id {
            break;
        }
        if other.migration != run.migration {
            continue;
        }
        let mut stands = false;
        each_task(journal, &other, &mut |record, task| {
            let increments = task.dataset().and_then(|work| work.increments.as_ref());
            let base = increments.and_then(|increments| increments.base.as_ref());
            stands |= base.is_some_and(|base| base.run == run.id) && !has_nothing(&record, &task);
            Ok(())
        })?;
        if stands {
            found.push(other);
        }
    }
    Ok(found)
}

fn each_task(
    journal: &dyn Journal,
    run: &RunRecord,
    see: &mut dyn FnMut(TaskRecord, PlanTask) -> Result<(), DriverError>,
) -> Result<(), DriverError> {
    let mut from = 0;
    loop {
        let records = journal.tasks(&run.id, &TaskFilter::default(), from, PAGE)?;
        let plans = journal.plan_tasks(&run.plan, from, PAGE)?;
        let Some(last) = records.last() else { return Ok(()) };
        from = last.ordinal + 1;
        for (record, plan) in records.into_iter().zip(plans) {
            see(record, plan)?;
        }
    }
}

enum Standing {
    /// It left nothing at the target.
    None,
    /// It is at work, or nobody knows what it left.
    Busy,
    /// The target is its generation.
    Published(Published),
}

/// Index of the step that publishes.
fn publishes(task: &PlanTask) -> Option<u32> {
    let index = task.steps.iter().position(|step| step.phase == Phase::Publish && step.inserted.is_none())?;
    u32::try_from(index).ok()
}

/// Whether no effect of a task is at its target: it was taken back, or ended before it published.
fn has_nothing(record: &TaskRecord, task: &PlanTask) -> bool {
    let row = &record.row;
    if row.state == TaskState::Undone {
        return true;
    }
    let publishes = publishes(task).unwrap_or(u32::MAX);
    let short = row.step < publishes || (row.step == publishes && !row.begun);
    row.direction == Direction::Forward && short && row.state.has_ended()
}

fn base_of(run: &RunRecord, record: &TaskRecord, task: &PlanTask) -> Option<Base> {
    let ledger = task.steps.iter().position(|step| step.phase == Phase::Backfill && step.inserted.is_none())?;
    Some(Base { run: run.id.clone(), ordinal: record.ordinal, step: u32::try_from(ledger).ok()? })
}

fn of_task(
    journal: &dyn Journal,
    run: &RunRecord,
    record: &TaskRecord,
    task: &PlanTask,
) -> Result<Standing, DriverError> {
    let row = &record.row;
    if has_nothing(record, task) {
        return Ok(Standing::None);
    }
    let Some(work) = task.dataset() else { return Ok(Standing::None) };
    let published = publishes(task).is_some_and(|index| row.step > index) && row.direction == Direction::Forward;
    let (true, Some(base)) = (published, base_of(run, record, task)) else { return Ok(Standing::Busy) };
    let cutover = task.steps.iter().position(|step| step.phase == Phase::Cutover && step.inserted.is_none());
    let cut_over = cutover.is_some_and(|index| row.step as usize > index || (row.step as usize == index && row.begun));
    let name = task.steps.get(base.step as usize).map(|step| step.name().to_owned()).unwrap_or_default();
    let output = journal.output(&run.id, record.ordinal, &name)?;
    let mark = output.and_then(|output| serde_json::from_value::<Mark>(output.get(MARK)?.clone()).ok());
    Ok(Standing::Published(Published {
        base,
        increments: work.increments.is_some(),
        cut_over,
        busy: None,
        digest: digest(work),
        mark: mark.map(|mark| (mark.column, mark.value)),
    }))
}
