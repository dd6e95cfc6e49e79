//! Planted defects: a journal that writes down other decisions than the engine made, consistently, as an engine would
//! that decided so.

use greylag_driver::error::DriverError;
use greylag_driver::journal::{
    AttemptKey, Batch, Committed, Due, Journal, KeyUse, Loaded, Plans, Posted, Quotas, Relation, Request, RunLease,
    RunRecord, TaskFilter, TaskRecord, Transition, Watch,
};
use greylag_model::id::{PlanId, RunId, Timestamp, WorkerId};
use greylag_model::limit::{Allotted, Ask, Limits};
use greylag_model::plan::{Plan, PlanHeader, PlanTask};
use greylag_model::task::{Entry, Progress, RunEvent, TaskEvent, TaskRow, Then, apply};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What is wrong with the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bug {
    /// An outcome is sometimes not written, and taken for written.
    LosesOutcomes,
    /// A step is passed over.
    SkipsAStep,
    /// Another attempt has the fencing token of the last.
    ReusesEpochs,
    /// What waits for several things begins when the first is done.
    UnblocksTooEarly,
    /// What waits for something is not told.
    NeverUnblocks,
    /// No backoff.
    RetriesAtOnce,
    /// A step that always fails is tried for ever.
    RetriesForEver,
    /// The first failure is the last.
    GivesUpAtOnce,
    /// An attempt that was lost with its process counts as done.
    TakesLostForDone,
    /// Pending work is forgotten.
    ForgetsPendingWork,
    /// Undo begins at the first step instead of the last.
    UndoesForwards,
    /// A task is taken back although others stand on it.
    UndoesUnderOthers,
    /// One of the tasks never gets its turn.
    StarvesATask,
    /// A failed attempt counts as done.
    TakesFailureForDone,
    /// Limits are no bar.
    IgnoresLimits,
    /// Failures are not counted where a gate looks.
    OverlooksFailures,
    /// The second cohort goes with the first.
    ReleasesAtOnce,
    /// Tasks are not told that their cohort was released.
    NeverTellsOfReleases,
}

impl Bug {
    pub(crate) const ALL: [Self; 18] = [
        Self::LosesOutcomes,
        Self::SkipsAStep,
        Self::ReusesEpochs,
        Self::UnblocksTooEarly,
        Self::NeverUnblocks,
        Self::RetriesAtOnce,
        Self::RetriesForEver,
        Self::GivesUpAtOnce,
        Self::TakesLostForDone,
        Self::ForgetsPendingWork,
        Self::UndoesForwards,
        Self::UndoesUnderOthers,
        Self::StarvesATask,
        Self::TakesFailureForDone,
        Self::IgnoresLimits,
        Self::OverlooksFailures,
        Self::ReleasesAtOnce,
        Self::NeverTellsOfReleases,
    ];
}

/// A journal between an engine and the true one.
pub(crate) struct Bent {
    inner: Arc<dyn Journal>,
    bug: Option<Bug>,
    seen: AtomicU64,
}

impl Bent {
    pub(crate) fn new(inner: Arc<dyn Journal>, bug: Option<Bug>) -> Self {
        Self { inner, bug, seen: AtomicU64::new(0) }
    }

    /// Another batch in its place, with rows that are what its events fold to.
    fn bend(&self, bug: Bug, run: &RunId, batch: &Batch) -> Batch {
        let mut bent = batch.clone();
        if bug == Bug::OverlooksFailures {
            bent.cohorts.iter_mut().flatten().for_each(|row| (row.landed, row.bad) = (row.landed + row.bad, 0));
        }
        if bug == Bug::ReleasesAtOnce && bent.run_events.contains(&RunEvent::RunStarted) {
            bent.run_events.push(RunEvent::CohortReleased { cohort: 1, name: "c1".to_owned(), tasks: 1 });
        }
        bent.transitions.retain(|transition| !self.is_dropped(bug, transition));
        for transition in &mut bent.transitions {
            let Ok(mut loaded) = self.inner.load(run, &[transition.ordinal]) else { continue };
            let Some(loaded) = loaded.pop() else { continue };
            let before = loaded.row.clone();
            let events: Vec<TaskEvent> =
                transition.events.iter().map(|event| other(bug, event, &before, batch.now)).collect();
            if events != transition.events {
                transition.after = events.iter().fold(before, |row, event| apply(&row, event, batch.now));
                transition.events = events;
            }
        }
        bent
    }

    fn is_dropped(&self, bug: Bug, transition: &Transition) -> bool {
        let has = |wanted: fn(&TaskEvent) -> bool| transition.events.iter().any(wanted);
        match bug {
            Bug::LosesOutcomes => {
                has(|event| matches!(event, TaskEvent::StepDone { .. }))
                    && self.seen.fetch_add(1, Ordering::SeqCst) % 9 == 8
            }
            Bug::NeverTellsOfReleases => has(|event| matches!(event, TaskEvent::Released)),
            Bug::NeverUnblocks => has(|event| matches!(event, TaskEvent::Unblocked { .. })),
            Bug::ForgetsPendingWork => has(|event| matches!(event, TaskEvent::AttemptPending { .. })),
            _ => false,
        }
    }
}

/// What the defective engine would have decided.
fn other(bug: Bug, event: &TaskEvent, before: &TaskRow, now: Timestamp) -> TaskEvent {
    let mut event = event.clone();
    let done = |before: &TaskRow| TaskEvent::StepDone {
        uses: super::STEPS[before.step as usize].0.to_owned(),
        step: before.step,
        direction: before.direction,
        next: (before.step < 3).then_some(before.step + 1),
        progress: Progress::default(),
        checks: Vec::new(),
        notes: Vec::new(),
    };
    let forward = before.direction == greylag_model::task::Direction::Forward;
    match (bug, &mut event) {
        (Bug::SkipsAStep, TaskEvent::StepDone { next: Some(next), .. }) if *next == 2 => *next = 3,
        (Bug::ReusesEpochs, TaskEvent::AttemptStarted { epoch, .. }) => *epoch = before.epoch.max(1),
        (Bug::UnblocksTooEarly, TaskEvent::Unblocked { left }) => *left = 0,
        (Bug::RetriesAtOnce, TaskEvent::AttemptFailed { then: Then::Retry(wake), .. }) => *wake = now,
        (Bug::RetriesForEver, TaskEvent::AttemptFailed { then, .. }) if *then == Then::Quarantine => {
            *then = Then::Retry(now.plus_millis(1_000));
        }
        (Bug::GivesUpAtOnce, TaskEvent::AttemptFailed { then, .. }) if matches!(then, Then::Retry(_)) => {
            *then = Then::Quarantine;
        }
        (Bug::TakesLostForDone, TaskEvent::AttemptLost { .. }) if forward => event = done(before),
        (Bug::TakesFailureForDone, TaskEvent::AttemptFailed { .. }) if forward => event = done(before),
        (Bug::UndoesForwards, TaskEvent::UndoStarted { from: Some(from), .. }) => *from = 0,
        (Bug::UndoesUnderOthers, TaskEvent::UndoStarted { blocked_by, .. }) => *blocked_by = 0,
        _ => {}
    }
    event
}

impl Plans for Bent {
    fn save_plan(&self, plan: &Plan) -> Result<(), DriverError> {
        self.inner.save_plan(plan)
    }
    fn plan(&self, plan: &PlanId) -> Result<Option<PlanHeader>, DriverError> {
        self.inner.plan(plan)
    }
    fn plan_tasks(&self, plan: &PlanId, from: u64, limit: usize) -> Result<Vec<PlanTask>, DriverError> {
        self.inner.plan_tasks(plan, from, limit)
    }
    fn plans(&self, limit: usize) -> Result<Vec<PlanHeader>, DriverError> {
        self.inner.plans(limit)
    }
}

impl Watch for Bent {
    fn run(&self, run: &RunId) -> Result<Option<RunRecord>, DriverError> {
        self.inner.run(run)
    }
    fn runs(&self, limit: usize) -> Result<Vec<RunRecord>, DriverError> {
        self.inner.runs(limit)
    }
    fn tasks(&self, run: &RunId, filter: &TaskFilter, from: u64, limit: usize) -> Result<Vec<TaskRecord>, DriverError> {
        self.inner.tasks(run, filter, from, limit)
    }
    fn events(&self, run: &RunId, after: u64, limit: usize) -> Result<Vec<Entry>, DriverError> {
        self.inner.events(run, after, limit)
    }
    fn post(&self, run: &RunId, request: &Request, now: Timestamp) -> Result<(), DriverError> {
        self.inner.post(run, request, now)
    }
    fn requests(&self, run: &RunId) -> Result<Vec<Posted>, DriverError> {
        self.inner.requests(run)
    }
    fn version(&self) -> Result<u64, DriverError> {
        self.inner.version()
    }
}

impl Quotas for Bent {
    fn limits(&self) -> Result<Limits, DriverError> {
        self.inner.limits()
    }
    fn set_limits(&self, limits: &Limits) -> Result<(), DriverError> {
        self.inner.set_limits(limits)
    }
    fn limit_use(&self, now: Timestamp) -> Result<Vec<KeyUse>, DriverError> {
        self.inner.limit_use(now)
    }
    fn allot(&self, lease: &RunLease, ask: &Ask, now: Timestamp) -> Result<Allotted, DriverError> {
        let mut allotted = self.inner.allot(lease, ask, now)?;
        if self.bug == Some(Bug::IgnoresLimits) {
            allotted.granted.fill(true);
        }
        Ok(allotted)
    }
    fn due_beside(
        &self,
        run: &RunId,
        now: Timestamp,
        ready: usize,
        closed: &BTreeSet<u32>,
    ) -> Result<Vec<Loaded>, DriverError> {
        self.inner.due_beside(run, now, ready, closed)
    }
}

impl Journal for Bent {
    fn create_run(&self, run: &RunId, plan: &PlanId, now: Timestamp) -> Result<(), DriverError> {
        self.inner.create_run(run, plan, now)
    }
    fn claim(&self, run: &RunId, worker: &WorkerId, now: Timestamp, ttl_millis: i64) -> Result<RunLease, DriverError> {
        self.inner.claim(run, worker, now, ttl_millis)
    }
    fn release(&self, lease: &RunLease) -> Result<(), DriverError> {
        self.inner.release(lease)
    }
    fn commit(&self, lease: &RunLease, batch: &Batch) -> Result<Committed, DriverError> {
        match self.bug {
            Some(bug) => self.inner.commit(lease, &self.bend(bug, &lease.run, batch)),
            None => self.inner.commit(lease, batch),
        }
    }
    fn due(&self, run: &RunId, now: Timestamp, waiting: usize, ready: usize) -> Result<Due, DriverError> {
        let mut due = self.inner.due(run, now, waiting, ready)?;
        if self.bug == Some(Bug::StarvesATask) {
            due.tasks.retain(|task| task.ordinal != 7);
        }
        Ok(due)
    }
    fn load(&self, run: &RunId, ordinals: &[u64]) -> Result<Vec<Loaded>, DriverError> {
        self.inner.load(run, ordinals)
    }
    fn related(&self, run: &RunId, relation: Relation, from: u64, limit: usize) -> Result<Vec<Loaded>, DriverError> {
        self.inner.related(run, relation, from, limit)
    }
    fn checkpoint_all(&self, attempt: &AttemptKey, notes: &[(String, Value)]) -> Result<(), DriverError> {
        self.inner.checkpoint_all(attempt, notes)
    }
    fn checkpoints(&self, attempt: &AttemptKey) -> Result<Vec<(String, Value)>, DriverError> {
        self.inner.checkpoints(attempt)
    }
    fn output(&self, run: &RunId, ordinal: u64, uses: &str) -> Result<Option<Value>, DriverError> {
        self.inner.output(run, ordinal, uses)
    }
}
