//! Rollout: in which cohorts the tasks of a plan are released, and what must hold before the next one is.
//!
//! **Terms.** A *cohort* is a group of tasks that are released together; the first is released with the run. A *gate* stands
//! behind a cohort: what must hold of it before the next one is released. A task *stands* [open](Standing::Open) until it has
//! [landed](Standing::Landed) (it has done its steps up to the cutover, or all of them) or ended [badly](Standing::Bad); a
//! cohort is *settled* when none of its tasks is open. A *window* is a part of the week in which a task may begin or do what
//! others see.
//!
//! **Who is authoritative.** The journal. A [`CohortRow`] is the fold of the events of the run that concern its gate
//! ([`apply_cohorts`]) and of where its tasks stand ([`count`]); it is kept with the run, so that no decision has to count tasks.
//!
//! **Order.** Lineage comes before cohorts: a task that waits for one of a later cohort is moved to that cohort when the plan is
//! made. So a released cohort never waits for one that is not, and no gate can be in its own way. One wait goes the other way: code that
//! reads datasets of several cohorts goes with the last, and the cutover of all of them waits for it. So a dataset whose readers go with
//! a later cohort has landed for its own gate once it comes to that wait.
//!
//! **When it dies half-way.** `CohortReleased` is on disk before any task of the cohort is told. Whoever takes over tells those
//! that have not been told ([`crate::task::TaskRow::gated`]), so that a release is never lost and never happens twice.

mod assign;
mod gate;
mod window;

pub(crate) use assign::{Candidate, assign};
pub use gate::{Approval, CohortRow, Held, Standing, apply_cohorts, count, judge, standing};
pub use window::Window;

use serde::{Deserialize, Serialize};

/// The cohorts of a plan, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rollout {
    /// The first is released with the run.
    pub cohorts: Vec<Cohort>,
}

/// Tasks that are released together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cohort {
    /// Its name.
    pub name: String,
    /// How many tasks it has, at least one.
    pub tasks: u64,
    /// What must hold of it before the next one is released. That of the last has nothing to guard.
    pub gate: Gate,
}

/// What must hold of a settled cohort before the next one is released.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Gate {
    /// So many of its tasks may have ended badly.
    pub max_failures: u64,
    /// Whether a person has to say yes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub approval: bool,
    /// Milliseconds that nothing may have happened in it.
    #[serde(default)]
    pub soak_millis: i64,
}

impl Rollout {
    /// The state of the cohorts of a new run.
    pub fn begin(&self, now: crate::id::Timestamp) -> Vec<CohortRow> {
        let row =
            |(at, cohort): (usize, &Cohort)| CohortRow::new(&cohort.name, cohort.tasks, (at == 0).then_some(now), now);
        self.cohorts.iter().enumerate().map(row).collect()
    }
}
