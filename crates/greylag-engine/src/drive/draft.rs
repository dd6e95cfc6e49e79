//! A batch in the making: decisions on rows that earlier decisions of the same batch have already moved.

use super::outputs::Outputs;
use greylag_driver::journal::{Batch, Loaded, StepOutput, Transition};
use greylag_model::plan::PlanTask;
use greylag_model::rollout::{Standing, standing};
use greylag_model::task::{Circumstances, Command, Input, Refusal, TaskEvent, TaskRow, TaskState, decide};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// A batch in the making.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) batch: Batch,
    /// Position of each task's transition in the batch.
    index: HashMap<u64, usize>,
    pub(super) plans: HashMap<u64, Arc<PlanTask>>,
    /// Of each task whether others wait for it, and its lane.
    kept: HashMap<u64, (bool, u32)>,
    /// What tasks that go on at once know of their outputs.
    pub(super) outputs: HashMap<u64, Outputs>,
    /// What follows inside the batch: other tasks to tell.
    pub(super) tell: VecDeque<(u64, Command)>,
    /// Whether the state of the cohorts is to be written whatever has moved.
    pub(super) begins_cohorts: bool,
    /// Where tasks stood and where they stand now, by cohort.
    pub(super) moves: Vec<(u32, Standing, Standing)>,
    /// What is to be done after the commit, in order.
    pub(super) errands: Vec<(u64, Command)>,
}

impl Draft {
    /// The task's row as this batch leaves it.
    pub(super) fn row<'a>(&'a self, task: &'a Loaded) -> &'a TaskRow {
        self.index.get(&task.ordinal).map_or(&task.row, |at| &self.batch.transitions[*at].after)
    }

    /// Decides what `input` means to `task` and takes it into the batch.
    pub(super) fn decide(
        &mut self,
        task: &Loaded,
        input: Input<'_>,
        around: &Circumstances,
    ) -> Result<&TaskEvent, Refusal> {
        let before = self.row(task);
        let decision = decide(before, &task.plan.steps, input, around)?;
        let stood = standing(before, &task.plan);
        let stands = standing(&decision.after, &task.plan);
        if stood != stands {
            self.moves.push((task.plan.cohort, stood, stands));
        }
        for command in decision.commands {
            let told = match command {
                Command::PhaseDone(_) | Command::SkipDependents => task.has_dependents,
                Command::TakenBack | Command::NotTakenBack => !task.plan.after.is_empty(),
                Command::Start | Command::Cancel { .. } => {
                    self.errands.push((task.ordinal, command));
                    continue;
                }
            };
            if told {
                self.tell.push_back((task.ordinal, command));
            }
        }
        let at = *self.index.entry(task.ordinal).or_insert_with(|| {
            self.batch.transitions.push(Transition {
                ordinal: task.ordinal,
                from: task.row.state,
                from_epoch: task.row.epoch,
                events: Vec::with_capacity(2),
                after: task.row.clone(),
                output: None,
            });
            self.plans.insert(task.ordinal, Arc::clone(&task.plan));
            self.kept.insert(task.ordinal, (task.has_dependents, task.lane));
            self.batch.transitions.len() - 1
        });
        let transition = &mut self.batch.transitions[at];
        transition.after = decision.after;
        transition.events.push(decision.event);
        Ok(&transition.events[transition.events.len() - 1])
    }

    /// The output of a step that this batch takes as done.
    pub(super) fn output(&mut self, ordinal: u64, output: StepOutput) {
        if let Some(at) = self.index.get(&ordinal) {
            self.batch.transitions[*at].output = Some(output);
        }
    }

    /// Whether others wait for a task of the batch, and its lane.
    pub(super) fn kept(&self, ordinal: u64) -> (bool, u32) {
        self.kept.get(&ordinal).copied().unwrap_or_default()
    }

    /// Whether it says more than that pending work goes on.
    pub(super) fn moves_on(&self) -> bool {
        let goes_on = |event: &TaskEvent| matches!(event, TaskEvent::AttemptPending { .. });
        let batch = &self.batch;
        !(batch.run_events.is_empty() && batch.run_events_after.is_empty())
            || batch.transitions.iter().any(|one| one.from != TaskState::Waiting || !one.events.iter().all(goes_on))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.batch.is_empty() && !self.begins_cohorts
    }
}
