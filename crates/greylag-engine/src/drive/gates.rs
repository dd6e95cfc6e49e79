//! Gates: counting where the tasks of a cohort stand, and releasing the next one.

use super::Decider;
use super::draft::Draft;
use super::sweep::Sweep;
use greylag_driver::error::DriverError;
use greylag_model::code::engine as code;
use greylag_model::id::Timestamp;
use greylag_model::rollout::{CohortRow, Held, apply_cohorts, count, judge};
use greylag_model::spec::ErrorClass;
use greylag_model::task::{Failure, Goal, RunEvent, RunState};

impl Decider<'_> {
    /// Writes down the cohorts of a run that has just begun.
    pub(super) fn begin_cohorts(&mut self) -> Result<(), DriverError> {
        let header = std::sync::Arc::clone(&self.header);
        let Some(rollout) = header.rollout.as_ref().filter(|_| self.cohorts.is_empty()) else { return Ok(()) };
        if self.row.state != RunState::Running {
            return Ok(());
        }
        let mut draft = Draft::default();
        draft.batch.now = self.time.now();
        self.cohorts = rollout.begin(draft.batch.now);
        draft.begins_cohorts = true;
        self.commit(draft)
    }

    /// The cohorts as a batch leaves them, if it moves any.
    pub(super) fn counted(&self, draft: &Draft) -> Option<Vec<CohortRow>> {
        let events = draft.batch.run_events.iter().chain(&draft.batch.run_events_after);
        let events: Vec<&RunEvent> = events.filter(|event| concerns_gates(event)).collect();
        if self.cohorts.is_empty() || (events.is_empty() && draft.moves.is_empty() && !draft.begins_cohorts) {
            return None;
        }
        let mut cohorts = self.cohorts.clone();
        for (cohort, from, to) in &draft.moves {
            if let Some(row) = cohorts.get_mut(*cohort as usize) {
                count(row, *from, *to, draft.batch.now);
            }
        }
        for event in events {
            apply_cohorts(&mut cohorts, event, draft.batch.now);
        }
        Some(cohorts)
    }

    /// Releases the next cohort if the gate before it lets it go; tells why not where that is news.
    pub(super) fn look_at_gate(&mut self, draft: &mut Draft) {
        let idle = self.sweep.is_none() && self.row.state == RunState::Running && self.row.goal == Goal::Finish;
        let header = std::sync::Arc::clone(&self.header);
        let Some(rollout) = header.rollout.as_ref().filter(|_| idle && self.leases) else { return };
        // As this batch leaves them: what it has taken in must not be released by what was before.
        let rows = self.counted(draft).unwrap_or_else(|| self.cohorts.clone());
        let Some((at, true)) = rollout.current(&rows) else { return };
        let (cohort, row) = (&rollout.cohorts[at], &rows[at]);
        let name = |at: usize| rollout.cohorts[at].name.clone();
        match judge(&cohort.gate, row, draft.batch.now) {
            Ok(false) => {}
            Ok(true) => {
                let next = at + 1;
                let tasks = rollout.cohorts[next].tasks;
                let released = RunEvent::CohortReleased { cohort: next as u32, name: name(next), tasks };
                draft.batch.run_events_after.push(released);
                self.orphans_skipped = false;
                self.sweep = Some(Sweep::release());
            }
            Err(held) if row.held == Some(held) => {}
            Err(held) => {
                draft.batch.run_events_after.push(RunEvent::CohortHeld { cohort: at as u32, name: name(at), held });
            }
        }
    }

    /// Whether the tasks of a cohort may begin.
    pub(super) fn is_released(&self, cohort: u32) -> bool {
        self.cohorts.get(cohort as usize).is_some_and(|row| row.released_at.is_some())
    }

    /// Until when a gate waits, if time alone opens it. What was told of it is no answer: a task that a person took up again
    /// since has opened its cohort anew, and waiting for a time that is over would never end.
    pub(super) fn soaks_until(&self, now: Timestamp) -> Option<Timestamp> {
        let rollout = self.header.rollout.as_ref().filter(|_| self.row.goal == Goal::Finish)?;
        let (at, true) = rollout.current(&self.cohorts)? else { return None };
        match judge(&rollout.cohorts.get(at)?.gate, self.cohorts.get(at)?, now) {
            Err(Held::Soaks { until }) => Some(until),
            _ => None,
        }
    }

    /// A person's yes to what follows a cohort, or why it means nothing.
    pub(super) fn approve_cohort(
        &self,
        (by, why): (&str, Option<&str>),
        cohort: &str,
        despite_failures: bool,
    ) -> Result<RunEvent, Failure> {
        let refused = |code, message: String| Err(Failure::new(ErrorClass::Permanent, code, message));
        let Some(rollout) = &self.header.rollout else {
            return refused(code::WRONG_STATE, "the run has no cohorts".to_owned());
        };
        let Some(at) = rollout.cohorts.iter().position(|known| known.name == cohort) else {
            return refused(code::WRONG_STATE, format!("the run has no cohort `{cohort}`"));
        };
        if at + 1 == rollout.cohorts.len() {
            return refused(code::WRONG_STATE, format!("`{cohort}` is the last cohort: nothing waits for it"));
        }
        if self.is_released(at as u32 + 1) {
            return refused(code::WRONG_STATE, format!("what follows cohort `{cohort}` was released already"));
        }
        Ok(RunEvent::CohortApproved {
            cohort: at as u32,
            name: cohort.to_owned(),
            by: by.to_owned(),
            why: why.map(str::to_owned),
            despite_failures,
        })
    }
}

fn concerns_gates(event: &RunEvent) -> bool {
    matches!(event, RunEvent::CohortHeld { .. } | RunEvent::CohortApproved { .. } | RunEvent::CohortReleased { .. })
}
