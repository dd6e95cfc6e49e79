//! What people ask of a run while it is driven.

use super::Decider;
use super::draft::Draft;
use super::sweep::Sweep;
use greylag_driver::error::DriverError;
use greylag_driver::journal::{Posted, Request, TaskFilter};
use greylag_model::code::engine as code;
use greylag_model::id::{PlanId, TaskId};
use greylag_model::spec::ErrorClass;
use greylag_model::task::{Ask, Failure, Input, Refusal, RunEvent, RunRow, TaskState, apply_run, decide_run};
use std::sync::Arc;

impl Decider<'_> {
    /// Reads requests if another process has written anything. While a sweep is under way they wait.
    pub(super) fn look_at_requests(&mut self, draft: &mut Draft) -> Result<(), DriverError> {
        let journal = Arc::clone(&self.shared.drivers.journal);
        let version = journal.version()?;
        if self.sweep.is_some() || self.version == Some(version) {
            return Ok(());
        }
        // The version is read before the requests: what comes between is seen at the next look.
        self.version = Some(version);
        self.read_limits()?;
        let mut row = self.row;
        for posted in journal.requests(&self.lease.run)? {
            self.meet(draft, &mut row, posted)?;
            if self.sweep.is_some() {
                self.version = None;
                break;
            }
        }
        Ok(())
    }

    fn meet(&mut self, draft: &mut Draft, row: &mut RunRow, posted: Posted) -> Result<(), DriverError> {
        let id = posted.id;
        let (ask, sweep) = match &posted.request {
            Request::Pause { by } => (Ask::Pause(by), None),
            Request::Resume { by } => (Ask::Resume(by), None),
            Request::Abort { by } => (Ask::Abort(by), Some(Sweep::abort())),
            Request::Undo { by } => (Ask::Undo(by), Some(Sweep::undo())),
            Request::Retry { by, task } => (Ask::Retry(by, task.clone()), Some(Sweep::retry(task.clone(), id))),
            Request::Approve { by, task, why } => {
                draft.batch.met.push(id);
                if let Err(error) = self.approve(draft, by, why.as_deref(), task)? {
                    draft.batch.run_events.push(RunEvent::RequestRefused { error });
                }
                return Ok(());
            }
            Request::ApproveCohort { by, cohort, why, despite_failures } => {
                draft.batch.met.push(id);
                let answer = self.approve_cohort((by, why.as_deref()), cohort, *despite_failures);
                draft.batch.run_events.push(answer.unwrap_or_else(|error| RunEvent::RequestRefused { error }));
                return Ok(());
            }
            Request::Replan { by, plan, tasks, why } => {
                draft.batch.met.push(id);
                draft.batch.run_events.push(match self.replan(plan, tasks)? {
                    Ok(()) => RunEvent::Replanned {
                        plan: plan.clone(),
                        tasks: tasks.clone(),
                        by: by.clone(),
                        why: why.clone(),
                    },
                    Err(error) => RunEvent::RequestRefused { error },
                });
                return Ok(());
            }
        };
        match decide_run(row, &ask) {
            Ok(event) => {
                *row = apply_run(row, &event);
                draft.batch.run_events.push(event);
                // A sweep for one request is met when it is through; one for the run's goal is taken up from the goal.
                if !matches!(posted.request, Request::Retry { .. }) {
                    draft.batch.met.push(id);
                }
                self.orphans_skipped = false;
                self.sweep = sweep;
            }
            Err(refusal) => {
                draft.batch.met.push(id);
                draft.batch.run_events.push(RunEvent::RequestRefused { error: wrong_state(&refusal) });
            }
        }
        Ok(())
    }

    /// Whether the run may go by that plan: what the service has compared may have changed since.
    fn replan(&self, plan: &PlanId, tasks: &[TaskId]) -> Result<Result<(), Failure>, DriverError> {
        let journal = &self.shared.drivers.journal;
        let refused = |code, message| Ok(Err(Failure::new(ErrorClass::Permanent, code, message)));
        for task in tasks {
            let filter = TaskFilter { states: vec![TaskState::Stale], id: Some(task.clone()) };
            if journal.tasks(&self.lease.run, &filter, 0, 1)?.is_empty() {
                return refused(code::WRONG_STATE, format!("task `{task}` is not stale any more"));
            }
        }
        if journal.plan(plan)?.is_none() {
            return refused(code::PLAN_UNKNOWN, format!("there is no saved plan `{plan}`"));
        }
        Ok(Ok(()))
    }

    fn approve(
        &mut self,
        draft: &mut Draft,
        by: &str,
        why: Option<&str>,
        task: &TaskId,
    ) -> Result<Result<(), Failure>, DriverError> {
        let journal = &self.shared.drivers.journal;
        let filter = TaskFilter { states: Vec::new(), id: Some(task.clone()) };
        let found = journal.tasks(&self.lease.run, &filter, 0, 1)?;
        let ordinals: Vec<u64> = found.iter().map(|task| task.ordinal).collect();
        let Some(task) = journal.load(&self.lease.run, &ordinals)?.pop() else {
            let message = format!("the run has no task `{task}`");
            return Ok(Err(Failure::new(ErrorClass::Permanent, code::TASK_UNKNOWN, message)));
        };
        let around = self.around(draft.batch.now, task.ordinal);
        Ok(draft.decide(&task, Input::Approve { by, why }, &around).map(drop).map_err(|refusal| wrong_state(&refusal)))
    }
}

fn wrong_state(refusal: &Refusal) -> Failure {
    Failure::new(ErrorClass::Permanent, code::WRONG_STATE, refusal.0.clone())
}
