//! Stale tasks planned anew: the world moved under a plan, and the run is to go on with what is there now.
//!
//! A run executes one plan, which never changes. So a stale task gets a new plan that differs from the run's in that task
//! alone, and the run goes by that plan from an event on that says who agreed and why. Where the operations stay what
//! they were, the frozen task itself says what it is on the source as it is now ([`staleness`]). Where they differ,
//! nothing but the migration file can: its pair is probed and compiled like at the first time. The task keeps its name,
//! its target and what it waits for, because other tasks and an undo rely on those.

use crate::command::plan::coloured;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, Format};
use crate::templates::Parameters;
use crate::{migration_files, scopes, scripts, wire};
use greylag_driver::describe::Describe;
use greylag_driver::journal::{RunRecord, TaskRecord};
use greylag_engine::probe::{World, probe};
use greylag_engine::published;
use greylag_model::code;
use greylag_model::dataset::Dataset;
use greylag_model::diagnostic::Diagnostic;
use greylag_model::entity::EntityRef;
use greylag_model::id::{PlanId, TaskId};
use greylag_model::plan::{
    CompileOptions, Detail, Plan, PlanHeader, PlanTask, Speed, Staleness, Subject, Totals, compile, explain, staleness,
};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Kind that a dataset's reference has when it names none.
const DATASET_KIND: &str = "resource";

/// The run's plan with some tasks planned anew.
pub(crate) struct Anew {
    plan: Plan,
    /// Ordinals of those tasks.
    changed: Vec<usize>,
}

impl Anew {
    /// Plans these stale tasks anew: by what they say themselves, or by the files if there are any.
    pub(crate) fn plan(
        context: &Context,
        run: &RunRecord,
        stale: &[TaskRecord],
        files: &[PathBuf],
        parameters: &Parameters,
    ) -> Result<Self, Failure> {
        let journal = context.journal()?;
        let header = journal.plan(&run.plan)?.ok_or_else(|| {
            Failure::error(code::cli::PLAN_NOT_FOUND, format!("the plan `{}` of the run is gone", run.plan))
        })?;
        let number = usize::try_from(run.counters.total()).unwrap_or(usize::MAX);
        let tasks = journal.plan_tasks(&run.plan, 0, number)?;
        let ordinals: Vec<usize> = stale.iter().map(|task| task.ordinal as usize).collect();
        let old: Vec<&PlanTask> = ordinals.iter().filter_map(|ordinal| tasks.get(*ordinal)).collect();
        let new = if files.is_empty() {
            by_themselves(context, run, &header, &old)?
        } else {
            by_files(context, &header, &old, files, parameters)?
        };
        let mut plan = Plan { header, tasks };
        for (ordinal, task) in ordinals.iter().zip(new) {
            plan.tasks[*ordinal] = task;
        }
        plan.header.id = plan.computed_id();
        Ok(Self { plan, changed: ordinals })
    }

    /// The plan's id.
    pub(crate) fn id(&self) -> &PlanId {
        &self.plan.header.id
    }

    /// Those tasks.
    pub(crate) fn tasks(&self) -> Vec<TaskId> {
        self.changed.iter().map(|ordinal| self.plan.tasks[*ordinal].id.clone()).collect()
    }

    /// Saves the plan.
    pub(crate) fn save(&self, context: &Context) -> Result<(), Failure> {
        Ok(context.journal()?.save_plan(&self.plan)?)
    }
}

/// Tasks whose operations stay what they were; fails with the reasons of all others.
fn by_themselves(
    context: &Context,
    run: &RunRecord,
    header: &PlanHeader,
    old: &[&PlanTask],
) -> Result<Vec<PlanTask>, Failure> {
    let describe = wire::describe(context.state()?, &header.connections);
    let works = || old.iter().filter_map(|task| Some((*task, task.dataset()?)));
    let datasets: Vec<Dataset> = works().map(|(_, work)| work.source.dataset.clone()).collect();
    let mut new = Vec::new();
    let mut differ = Vec::new();
    for ((task, work), now) in works().zip(describe.describe(&datasets)) {
        let reasons = match now.map(|now| staleness(work, &now)) {
            Ok(Staleness::Fresh) => {
                new.push(task.clone());
                continue;
            }
            Ok(Staleness::SameOperations(work)) => {
                new.push(PlanTask { subject: Subject::Dataset(work), ..task.clone() });
                continue;
            }
            Ok(Staleness::Changed(reasons)) => reasons.join("; "),
            Err(error) => error.message,
        };
        let message = format!("`{}`: the operations of its plan do not fit any more: {reasons}", task.id);
        differ.push(Diagnostic::error(code::plan::SOURCE_CHANGED, message));
    }
    if let Some(last) = differ.last_mut() {
        last.hints
            .push(format!("`greylag approve {} --stale -f FILE` plans them anew from the migration file", run.id));
        return Err(Failure { exit: Exit::Refused, diagnostics: differ, sources: BTreeMap::new() });
    }
    Ok(new)
}

/// Tasks as the migration file has them now.
fn by_files(
    context: &Context,
    header: &PlanHeader,
    old: &[&PlanTask],
    paths: &[PathBuf],
    parameters: &Parameters,
) -> Result<Vec<PlanTask>, Failure> {
    let mut files = migration_files::read(paths, context.format().is_json())?;
    parameters.render(context, &mut files)?;
    let Some((migration, places)) = files.migrations.iter().find(|(found, _)| found.metadata.name == header.migration)
    else {
        let message = format!("the files hold no migration `{}`, which the run is of", header.migration);
        return Err(Failure::error(code::cli::NOT_FOUND, message));
    };
    let mut migration = migration.clone();
    let wanted =
        |to: &str| EntityRef::parse(to, DATASET_KIND).is_some_and(|to| old.iter().any(|old| target(old) == Some(&to)));
    // The places of other pairs shift with those that are left out, so findings have none rather than a wrong one.
    migration.spec.datasets.retain(|pair| wanted(&pair.to));
    let locate = |pointer: &str| (!pointer.starts_with("/spec/datasets")).then(|| places.value(pointer));
    let state = context.state()?;
    let describe = wire::describe(state, &files.roots);
    let world = World { catalog: state.catalog.as_ref(), describe: &describe, connections: &files.roots };
    let mut snapshot = probe(&migration, &locate, world, context.now())?;
    published::look(context.journal()?, &migration, &mut snapshot)?;
    scripts::look(&migration, &places.value("").file, &mut snapshot);
    scopes::look(context, state, &migration, &locate, &mut snapshot)?;
    let options = CompileOptions { parallelism: wire::parallelism(), speed: Speed::default() };
    let compiled = compile(&migration, &locate, &snapshot, &options);
    let mut diagnostics = compiled.diagnostics;
    let plan = compiled.plan;
    if plan.as_ref().is_some_and(|plan| plan.header.custom != header.custom) {
        let message = "the migration's commands or the changes of its steps are not those of the run's plan";
        let hint = "put the old ones back: other tasks of the run were planned with them";
        diagnostics.push(Diagnostic::error(code::plan::STEP_CHANGE, message).hint(hint));
        return Err(Failure { exit: Exit::Failed, diagnostics, sources: files.sources });
    }
    diagnostics.extend(plan.iter().flat_map(|plan| &plan.header.blocked).flat_map(|pair| pair.reasons.clone()));
    let mut found: BTreeMap<EntityRef, PlanTask> =
        plan.into_iter().flat_map(|plan| plan.tasks).filter_map(|task| Some((target(&task)?.clone(), task))).collect();
    let mut new = Vec::new();
    for old in old {
        let Some(wanted) = target(old) else { continue };
        match found.remove(wanted) {
            Some(task) => new.push(anew(old, task)),
            None if diagnostics.is_empty() => {
                let message = format!("the migration has no pair to `{}` any more", wanted.short());
                diagnostics.push(Diagnostic::error(code::cli::NOT_FOUND, message));
            }
            None => {}
        }
    }
    if new.len() < old.len() {
        return Err(Failure { exit: Exit::Failed, diagnostics, sources: files.sources });
    }
    Ok(new)
}

/// A task as it is planned now, in the place that it has in the run: its cohort, what it waits for, and who is to be moved
/// before its cutover were decided with all others.
fn anew(old: &PlanTask, new: PlanTask) -> PlanTask {
    let (id, after, cohort) = (old.id.clone(), old.after.clone(), old.cohort);
    let mut new = PlanTask { id, after, cohort, ..new };
    let before = old.dataset().and_then(|work| work.readers.as_deref());
    let now = new.dataset_mut().and_then(|work| work.readers.as_deref_mut());
    if let (Some(before), Some(now)) = (before, now) {
        now.scopes.clone_from(&before.scopes);
        now.later = before.later;
    }
    new
}

fn target(task: &PlanTask) -> Option<&EntityRef> {
    task.dataset().map(|work| &work.target)
}

/// Shows what would be done with those tasks, as `greylag plan` shows it.
pub(crate) fn show(context: &Context, anew: &Anew) -> Result<(), Failure> {
    if !matches!(context.format(), Format::Table | Format::Wide) {
        return Ok(());
    }
    let tasks: Vec<PlanTask> = anew.changed.iter().map(|ordinal| anew.plan.tasks[*ordinal].clone()).collect();
    let totals = Totals {
        datasets: tasks.len() as u64,
        breaking: tasks.iter().filter_map(PlanTask::dataset).filter(|work| !work.breaking.is_empty()).count() as u64,
        bytes: tasks.iter().filter_map(PlanTask::dataset).map(|work| work.source.bytes).sum(),
        ..Totals::default()
    };
    let (blocked, warnings) = (Vec::new(), Vec::new());
    let header = PlanHeader { totals, blocked, warnings, samples: None, ..anew.plan.header.clone() };
    let lines = explain(&Plan { header, tasks }, Detail::Full);
    // The closing line counts the run's plan and says how to apply it.
    let lines = &lines[..lines.len().saturating_sub(1)];
    let lines: Vec<String> = lines.iter().map(coloured).collect();
    output::text(&(lines.join("\n") + "\n"))
}
