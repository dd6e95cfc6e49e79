//! Gates: where tasks stand, what that makes of their cohort, and whether the next one may follow. Pure.

use super::{Gate, Rollout};
use crate::id::Timestamp;
use crate::plan::{AWAIT, PlanTask};
use crate::task::{Direction, Phase, RunEvent, TaskRow, TaskState};
use serde::{Deserialize, Serialize};

/// Where a task stands, as its cohort's gate sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Something is still to come.
    Open,
    /// It has done its steps up to the cutover, or all; or all that it can before a later cohort has gone.
    Landed,
    /// It failed, is stale, was set aside or skipped.
    Bad,
}

/// Where a task stands.
pub fn standing(row: &TaskRow, task: &PlanTask) -> Standing {
    match row.state {
        TaskState::Failed | TaskState::Quarantined | TaskState::Skipped | TaskState::Stale => Standing::Bad,
        TaskState::Succeeded => Standing::Landed,
        _ if row.direction == Direction::Forward && row.step as usize >= landing(task) => Standing::Landed,
        _ => Standing::Open,
    }
}

/// How many of its steps a task has done when it has landed.
fn landing(task: &PlanTask) -> usize {
    let waits = task.waits_for_later_readers();
    task.steps.iter().take_while(|step| step.phase <= Phase::Cutover && !(waits && step.uses == AWAIT)).count()
}

/// A person's yes to a gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Approval {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why, in that person's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Whether it holds although more tasks have ended badly than may.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub despite_failures: bool,
}

/// The state of one cohort of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CohortRow {
    /// Its name.
    pub name: String,
    /// How many tasks it has.
    pub tasks: u64,
    /// Since when they may begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released_at: Option<Timestamp>,
    /// How many have landed.
    pub landed: u64,
    /// How many have ended badly.
    pub bad: u64,
    /// When one of them last landed or ended badly.
    pub changed_at: Timestamp,
    /// Who has said yes to what follows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// Why the next one is held, as the journal last told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
}

impl CohortRow {
    pub(super) fn new(name: &str, tasks: u64, released_at: Option<Timestamp>, now: Timestamp) -> Self {
        let name = name.to_owned();
        Self { name, tasks, released_at, landed: 0, bad: 0, changed_at: now, approval: None, held: None }
    }

    /// Tasks that are still open.
    pub fn open(&self) -> u64 {
        self.tasks.saturating_sub(self.landed + self.bad)
    }
}

/// Why the cohort behind a gate is not released.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "because", rename_all = "snake_case")]
pub enum Held {
    /// More tasks have ended badly than may.
    Failures {
        /// How many may.
        most: u64,
    },
    /// The cohort is settled, and nothing may happen in it until then.
    Soaks {
        /// Until when.
        until: Timestamp,
    },
    /// A person has to say yes.
    WantsApproval,
}

/// Whether the cohort after this one may be released: not yet (`false`) while tasks of this one are open, else why not.
pub fn judge(gate: &Gate, row: &CohortRow, now: Timestamp) -> Result<bool, Held> {
    let despite = row.approval.as_ref().is_some_and(|approval| approval.despite_failures);
    if row.bad > gate.max_failures && !despite {
        return Err(Held::Failures { most: gate.max_failures });
    }
    if row.open() > 0 {
        return Ok(false);
    }
    let until = row.changed_at.plus_millis(gate.soak_millis);
    if until > now {
        return Err(Held::Soaks { until });
    }
    if gate.approval && row.approval.is_none() {
        return Err(Held::WantsApproval);
    }
    Ok(true)
}

/// Counts a task of a cohort that stood there and stands here now.
pub fn count(row: &mut CohortRow, from: Standing, to: Standing, at: Timestamp) {
    if from == to {
        return;
    }
    match from {
        Standing::Open => {}
        Standing::Landed => row.landed = row.landed.saturating_sub(1),
        Standing::Bad => row.bad = row.bad.saturating_sub(1),
    }
    match to {
        Standing::Open => {}
        Standing::Landed => row.landed += 1,
        Standing::Bad => row.bad += 1,
    }
    row.changed_at = at;
}

/// Takes what happened to a run into the state of its cohorts.
pub fn apply_cohorts(rows: &mut [CohortRow], event: &RunEvent, at: Timestamp) {
    match event {
        RunEvent::CohortReleased { cohort, .. } => {
            if let Some(row) = rows.get_mut(*cohort as usize) {
                row.released_at = Some(at);
            }
            if let Some(row) = cohort.checked_sub(1).and_then(|before| rows.get_mut(before as usize)) {
                row.held = None;
            }
        }
        RunEvent::CohortHeld { cohort, held, .. } => {
            if let Some(row) = rows.get_mut(*cohort as usize) {
                row.held = Some(*held);
            }
        }
        RunEvent::CohortApproved { cohort, by, why, despite_failures, .. } => {
            if let Some(row) = rows.get_mut(*cohort as usize) {
                let (by, why) = (by.clone(), why.clone());
                row.approval = Some(Approval { by, at, why, despite_failures: *despite_failures });
                row.held = None;
            }
        }
        _ => {}
    }
}

impl Rollout {
    /// The last cohort that is released, and whether another one follows it.
    pub fn current(&self, rows: &[CohortRow]) -> Option<(usize, bool)> {
        let released = rows.iter().take_while(|row| row.released_at.is_some()).count();
        released.checked_sub(1).map(|at| (at, at + 1 < self.cohorts.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Approval, CohortRow, Gate, Held, Standing, count, judge};
    use crate::id::Timestamp;

    fn row(landed: u64, bad: u64) -> CohortRow {
        CohortRow { landed, bad, ..CohortRow::new("canary", 10, Some(Timestamp(0)), Timestamp(100)) }
    }

    fn approval(despite_failures: bool) -> Option<Approval> {
        Some(Approval { by: "ada".to_owned(), at: Timestamp(0), why: None, despite_failures })
    }

    #[test]
    fn a_gate_opens_when_all_of_it_holds() {
        let gate = Gate { max_failures: 1, approval: true, soak_millis: 50 };
        let at = |row: &CohortRow, now: i64| judge(&gate, row, Timestamp(now));
        assert_eq!(at(&row(9, 0), 1_000), Ok(false), "one is open");
        assert_eq!(at(&row(9, 1), 149), Err(Held::Soaks { until: Timestamp(150) }));
        assert_eq!(at(&row(9, 1), 150), Err(Held::WantsApproval));
        assert_eq!(at(&CohortRow { approval: approval(false), ..row(9, 1) }, 150), Ok(true));
        // A yes does not shorten the soak, nor does it cover failures unless it says so.
        assert_eq!(
            at(&CohortRow { approval: approval(false), ..row(9, 1) }, 149),
            Err(Held::Soaks { until: Timestamp(150) })
        );
        assert_eq!(at(&CohortRow { approval: approval(false), ..row(8, 2) }, 150), Err(Held::Failures { most: 1 }));
        assert_eq!(at(&CohortRow { approval: approval(true), ..row(8, 2) }, 150), Ok(true));
        assert_eq!(at(&row(1, 2), 150), Err(Held::Failures { most: 1 }), "told before it is settled");
    }

    #[test]
    fn a_task_that_is_mended_counts_once() {
        let mut one = row(0, 0);
        count(&mut one, Standing::Open, Standing::Bad, Timestamp(200));
        count(&mut one, Standing::Bad, Standing::Open, Timestamp(300));
        count(&mut one, Standing::Open, Standing::Open, Timestamp(400));
        assert_eq!((one.landed, one.bad, one.changed_at), (0, 0, Timestamp(300)));
        count(&mut one, Standing::Open, Standing::Landed, Timestamp(500));
        assert_eq!((one.landed, one.bad, one.open(), one.changed_at), (1, 0, 9, Timestamp(500)));
    }
}
