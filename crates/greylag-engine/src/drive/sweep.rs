//! Sweeps: a request that concerns many tasks, met page by page, each page one commit. A sweep that is cut off begins
//! anew: what it has met already no longer passes its filter.

use super::draft::Draft;
use super::{Decider, PAGE};
use greylag_driver::error::DriverError;
use greylag_driver::journal::{Loaded, Relation, TaskFilter};
use greylag_model::code::engine as code;
use greylag_model::id::TaskId;
use greylag_model::spec::ErrorClass;
use greylag_model::task::{Direction, Failure, Goal, Input, TaskState};

/// A sweep under way.
pub(super) struct Sweep {
    kind: Kind,
    /// The next ordinal.
    from: u64,
    /// The request that is met when it is through.
    request: Option<i64>,
}

enum Kind {
    /// Skips what has not ended.
    Abort,
    /// Skips what waits for tasks that will not do what it waits for.
    Orphans,
    /// Turns tasks round.
    Undo,
    /// Tells tasks that their cohort was released.
    Release,
    /// Takes up what ended badly.
    Retry(Option<TaskId>),
}

impl Sweep {
    pub(super) fn abort() -> Self {
        Self { kind: Kind::Abort, from: 0, request: None }
    }
    pub(super) fn orphans() -> Self {
        Self { kind: Kind::Orphans, from: 0, request: None }
    }
    pub(super) fn undo() -> Self {
        Self { kind: Kind::Undo, from: 0, request: None }
    }
    pub(super) fn release() -> Self {
        Self { kind: Kind::Release, from: 0, request: None }
    }
    pub(super) fn retry(task: Option<TaskId>, request: i64) -> Self {
        Self { kind: Kind::Retry(task), from: 0, request: Some(request) }
    }

    /// Whether it must not meet a running attempt.
    pub(super) fn needs_rest(&self) -> bool {
        matches!(self.kind, Kind::Abort | Kind::Undo)
    }

    fn filter(&self) -> TaskFilter {
        let (states, id) = match &self.kind {
            Kind::Abort => (vec![TaskState::Pending, TaskState::Ready, TaskState::Waiting, TaskState::Stale], None),
            Kind::Orphans | Kind::Release => (vec![TaskState::Pending], None),
            Kind::Undo => (Vec::new(), None),
            Kind::Retry(task) => {
                (vec![TaskState::Stale, TaskState::Failed, TaskState::Quarantined, TaskState::Skipped], task.clone())
            }
        };
        TaskFilter { states, id }
    }
}

impl Decider<'_> {
    /// One page of the sweep under way, once nothing is in its way.
    pub(super) fn sweep_on(&mut self, draft: &mut Draft) -> Result<(), DriverError> {
        let Some(sweep) = &self.sweep else { return Ok(()) };
        // The pages are read from the journal, so what this round has just taken in must be there first.
        if sweep.needs_rest() && !(self.flights.is_empty() && draft.batch.transitions.is_empty()) {
            return Ok(());
        }
        let journal = &self.shared.drivers.journal;
        let page = journal.tasks(&self.lease.run, &sweep.filter(), sweep.from, PAGE)?;
        let ordinals: Vec<u64> = page.iter().map(|task| task.ordinal).collect();
        let tasks = journal.load(&self.lease.run, &ordinals)?;
        for task in &tasks {
            self.sweep_task(draft, task)?;
        }
        let Some(sweep) = &mut self.sweep else { return Ok(()) };
        match ordinals.last() {
            Some(last) => sweep.from = last + 1,
            None => {
                draft.batch.met.extend(sweep.request);
                // A task that was skipped when its cohort was released is told once it is taken up again.
                let untold = matches!(sweep.kind, Kind::Retry(_)) && !self.cohorts.is_empty();
                self.sweep = untold.then(Sweep::release);
            }
        }
        Ok(())
    }

    fn sweep_task(&mut self, draft: &mut Draft, task: &Loaded) -> Result<(), DriverError> {
        let Some(sweep) = &self.sweep else { return Ok(()) };
        let input = match sweep.kind {
            Kind::Abort => Input::Skip(Failure::new(
                ErrorClass::Permanent,
                code::RUN_ABORTED,
                "the run was aborted before this task was done",
            )),
            Kind::Orphans if draft.row(task).gated => return Ok(()),
            Kind::Release if !self.is_released(task.plan.cohort) => return Ok(()),
            Kind::Release => Input::Release,
            Kind::Orphans => Input::Skip(Failure::new(
                ErrorClass::Permanent,
                code::DEPENDENCY_FAILED,
                "a task that this one waits for did not end well",
            )),
            Kind::Undo => Input::Undo { blocked_by: self.standing_on(draft, task)? },
            // What could not be taken back is not to go forth again while the rest is taken back.
            Kind::Retry(_) if self.row.goal == Goal::Undo && draft.row(task).direction == Direction::Forward => {
                return Ok(());
            }
            Kind::Retry(_) => Input::Retry,
        };
        let around = self.around(draft.batch.now, task.ordinal);
        // A task that is in no state for it has nothing to do with it.
        let _ = draft.decide(task, input, &around);
        Ok(())
    }

    /// How many tasks that stand on this one have not been taken back.
    fn standing_on(&self, draft: &Draft, task: &Loaded) -> Result<u32, DriverError> {
        let mut standing = 0;
        let mut from = 0;
        if !task.has_dependents {
            return Ok(0);
        }
        loop {
            let relation = Relation::Dependents(task.ordinal);
            let page = self.shared.drivers.journal.related(&self.lease.run, relation, from, PAGE)?;
            let Some(last) = page.last() else { break };
            from = last.ordinal + 1;
            standing += page.iter().filter(|task| draft.row(task).state != TaskState::Undone).count() as u32;
        }
        Ok(standing)
    }
}
