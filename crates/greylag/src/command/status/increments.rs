//! What increments took, kept and left, and how far their targets are.

use crate::failure::Failure;
use crate::wire;
use greylag_data::executor::Took;
use greylag_driver::journal::{Journal, RunRecord, TaskRecord};
use greylag_model::id::TaskId;
use greylag_model::increment::mark_text;
use greylag_model::plan::PlanTask;
use serde::Serialize;
use std::collections::BTreeMap;

/// What one task took, and how far its target is.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Increment {
    #[serde(flatten)]
    took: Took,
    /// The watermark as people read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
}

impl Increment {
    /// `2 taken, 5 kept, 1 gone; day 2026-03-03`.
    pub(super) fn words(&self) -> String {
        let Took { taken, kept, gone, waiting, late, watermark } = &self.took;
        let counted = [(taken, "taken"), (kept, "kept"), (gone, "gone"), (waiting, "waiting"), (late, "late")];
        let told = counted.iter().filter(|(count, word)| **count > 0 || *word == "taken");
        let mut words = told.map(|(count, word)| format!("{count} {word}")).collect::<Vec<_>>().join(", ");
        if let (Some(mark), Some(at)) = (watermark, &self.at) {
            words = format!("{words}; {} {at}", mark.column);
        }
        words
    }
}

/// Of these tasks, those with increments that have been converted.
pub(super) fn of(
    journal: &dyn Journal,
    run: &RunRecord,
    tasks: &[TaskRecord],
) -> Result<BTreeMap<TaskId, Increment>, Failure> {
    let mut all = BTreeMap::new();
    // All datasets of a migration have increments, or none has.
    if journal.plan_tasks(&run.plan, 0, 1)?.first().is_none_or(|task| !has_increments(task)) {
        return Ok(all);
    }
    let ordinals: Vec<u64> = tasks.iter().map(|task| task.ordinal).collect();
    for loaded in journal.load(&run.id, &ordinals)? {
        if let Some(took) = wire::took(journal, &run.id, loaded.ordinal)? {
            let at = text(&loaded.plan, &took);
            all.insert(loaded.plan.id.clone(), Increment { took, at });
        }
    }
    Ok(all)
}

fn has_increments(task: &PlanTask) -> bool {
    task.dataset().is_some_and(|work| work.increments.is_some())
}

fn text(plan: &PlanTask, took: &Took) -> Option<String> {
    let mark = took.watermark.as_ref()?;
    let (_, column) = plan.dataset()?.mapping.target.find(&mark.column)?;
    Some(mark_text(&column.data_type, mark.value))
}
