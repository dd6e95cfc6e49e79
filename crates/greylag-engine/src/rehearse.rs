//! Rehearsing an undo: what each step back would do, asked of its executor, and what was said when it was done.
//!
//! A rehearsal reads the journal and changes nothing, so it works whether or not somebody drives the run. It sees the
//! world as it is now: steps that are taken back earlier are rehearsed, not done, when a later one is asked.

use crate::drive::condition::left_out;
use crate::{Engine, StepBack, UndoPreview};
use greylag_driver::error::DriverError;
use greylag_driver::executor::{Context, Progress, Rehearsal, StepRequest};
use greylag_driver::journal::{AttemptKey, Journal, TaskRecord};
use greylag_model::code::engine as code;
use greylag_model::id::{RunId, Timestamp};
use greylag_model::increment::Base;
use greylag_model::plan::{PlanHeader, PlanTask};
use greylag_model::task::{Direction, Step, undo_steps};
use serde_json::Value;
use std::sync::Arc;

/// The name under which a step's notes on its way back are kept among the task's outputs.
pub(crate) fn notes_of_undo(step: &Step) -> String {
    format!("undo:{}", step.name())
}

/// What taking one task back would do.
pub(crate) fn task(
    engine: &Engine,
    header: &PlanHeader,
    run: &RunId,
    record: &TaskRecord,
    plan: &PlanTask,
) -> UndoPreview {
    let task = record.id.clone();
    match undo_steps(&record.row, &plan.steps) {
        Err(error) => UndoPreview { task, steps: Vec::new(), refused: Some(error) },
        Ok(steps) => {
            let back = |at: u32| {
                let step = &plan.steps[at as usize];
                let request = StepRequest {
                    run,
                    task: &plan.id,
                    header,
                    plan,
                    step,
                    direction: Direction::Undo,
                    attempt: 1,
                    epoch: record.row.epoch,
                };
                let key = AttemptKey {
                    run: run.clone(),
                    ordinal: record.ordinal,
                    step: at,
                    direction: Direction::Undo,
                    epoch: record.row.epoch,
                };
                let rehearsal = step_back(engine, &request, key)
                    .unwrap_or_else(|error| Rehearsal { obstacles: vec![error.into()], ..Rehearsal::default() });
                StepBack { step: step.name().to_owned(), rehearsal }
            };
            UndoPreview { task, steps: steps.map(back).collect(), refused: None }
        }
    }
}

fn step_back(engine: &Engine, request: &StepRequest<'_>, key: AttemptKey) -> Result<Rehearsal, DriverError> {
    let uses = &request.step.uses;
    let context = Onlooker { engine, key };
    if left_out(request, &context)?.is_some() {
        return Ok(Rehearsal::default());
    }
    let executor = engine.shared.executor(uses).ok_or_else(|| {
        DriverError::permanent(code::NO_EXECUTOR, format!("no executor serves `{uses}`"))
            .hint("run the plan with the version of Greylag that made it")
    })?;
    executor.rehearse(request, &context)
}

/// What steps of a task said when they were taken back, in that order.
pub(crate) fn notes(journal: &dyn Journal, run: &RunId, ordinal: u64) -> Result<Vec<String>, DriverError> {
    let mut notes = Vec::new();
    for task in journal.load(run, &[ordinal])? {
        if task.row.direction == Direction::Forward {
            continue;
        }
        for step in task.plan.steps.iter().rev() {
            let said = journal.output(run, ordinal, &notes_of_undo(step))?;
            let lines = said.as_ref().and_then(Value::as_array).into_iter().flatten();
            notes.extend(lines.filter_map(Value::as_str).map(str::to_owned));
        }
    }
    Ok(notes)
}

/// Sees what an attempt would see, and can change nothing.
struct Onlooker<'a> {
    engine: &'a Engine,
    key: AttemptKey,
}

impl Context for Onlooker<'_> {
    fn now(&self) -> Timestamp {
        self.engine.drivers().clock.now()
    }

    fn cancelled(&self) -> bool {
        false
    }

    fn checkpoint_all(&self, _: &[(String, Value)]) -> Result<(), DriverError> {
        Err(DriverError::permanent(code::STALE_ATTEMPT, "a rehearsal records nothing"))
    }

    fn checkpoints(&self) -> Result<Vec<(String, Value)>, DriverError> {
        self.engine.journal().checkpoints(&self.key)
    }

    fn noted_forwards(&self) -> Result<Vec<(String, Value)>, DriverError> {
        let key = AttemptKey { direction: Direction::Forward, ..self.key.clone() };
        self.engine.journal().checkpoints(&key)
    }

    fn base_checkpoints(&self, base: &Base) -> Result<Vec<(String, Value)>, DriverError> {
        self.engine.journal().checkpoints(&AttemptKey::forwards(base))
    }

    fn progress(&self, _: Progress) {}

    fn output_of(&self, name: &str) -> Result<Option<Arc<Value>>, DriverError> {
        Ok(self.engine.journal().output(&self.key.run, self.key.ordinal, name)?.map(Arc::new))
    }

    fn fault(&self, _: &str) -> std::io::Result<()> {
        Ok(())
    }
}
