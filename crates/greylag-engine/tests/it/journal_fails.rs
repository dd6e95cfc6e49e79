//! A journal that fails for a while: no space, or busy.
#![expect(clippy::unwrap_used, reason = "tests")]

use crate::rig::{Fragile, Kill, Medium, Rig, When, limits, task};
use greylag_driver::error::DriverError;
use greylag_driver::journal::{
    AttemptKey, Batch, Committed, Due, Journal, KeyUse, Loaded, Plans, Posted, Quotas, Relation, Request, RunLease,
    RunRecord, TaskFilter, TaskRecord, Watch,
};
use greylag_engine::{Limits, Quiet};
use greylag_model::code::engine as code;
use greylag_model::id::{PlanId, RunId, Timestamp, WorkerId};
use greylag_model::limit::{self, Allotted, Ask};
use greylag_model::plan::{Plan, PlanHeader, PlanTask};
use greylag_model::task::Entry;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

/// Has no space for some of its commits and checkpoints.
struct Full {
    inner: Fragile,
    /// Writes until it is full.
    until: AtomicI64,
    /// Writes that it then refuses.
    refuses: AtomicI64,
}

impl Full {
    fn space(&self) -> Result<(), DriverError> {
        if self.until.fetch_sub(1, Ordering::SeqCst) > 1 || self.refuses.fetch_sub(1, Ordering::SeqCst) <= 0 {
            return Ok(());
        }
        Err(DriverError::transient(code::STATE_FULL, "no space"))
    }
}

impl Plans for Full {
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

impl Watch for Full {
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

impl Quotas for Full {
    fn limits(&self) -> Result<limit::Limits, DriverError> {
        self.inner.limits()
    }
    fn set_limits(&self, limits: &limit::Limits) -> Result<(), DriverError> {
        self.inner.set_limits(limits)
    }
    fn limit_use(&self, now: Timestamp) -> Result<Vec<KeyUse>, DriverError> {
        self.inner.limit_use(now)
    }
    fn allot(&self, lease: &RunLease, ask: &Ask, now: Timestamp) -> Result<Allotted, DriverError> {
        self.inner.allot(lease, ask, now)
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

impl Journal for Full {
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
        self.space()?;
        self.inner.commit(lease, batch)
    }
    fn due(&self, run: &RunId, now: Timestamp, waiting: usize, ready: usize) -> Result<Due, DriverError> {
        self.inner.due(run, now, waiting, ready)
    }
    fn load(&self, run: &RunId, ordinals: &[u64]) -> Result<Vec<Loaded>, DriverError> {
        self.inner.load(run, ordinals)
    }
    fn related(&self, run: &RunId, relation: Relation, from: u64, limit: usize) -> Result<Vec<Loaded>, DriverError> {
        self.inner.related(run, relation, from, limit)
    }
    fn checkpoint_all(&self, attempt: &AttemptKey, notes: &[(String, Value)]) -> Result<(), DriverError> {
        self.space()?;
        self.inner.checkpoint_all(attempt, notes)
    }
    fn checkpoints(&self, attempt: &AttemptKey) -> Result<Vec<(String, Value)>, DriverError> {
        self.inner.checkpoints(attempt)
    }
    fn output(&self, run: &RunId, ordinal: u64, uses: &str) -> Result<Option<Value>, DriverError> {
        self.inner.output(run, ordinal, uses)
    }
}

fn full(rig: &Rig, until: i64, refuses: i64) -> Arc<Full> {
    let inner = Fragile::at_write(rig.medium.open(), Arc::new(Kill::default()), When::Before, i64::MAX);
    Arc::new(Full { inner, until: AtomicI64::new(until), refuses: AtomicI64::new(refuses) })
}

fn fresh() -> (Rig, RunId) {
    let rig = Rig::new(Medium::Memory(Arc::default()));
    let run = rig.start(vec![task("a"), task("b")]);
    (rig, run)
}

#[test]
fn full_at_any_write_for_a_while_is_waited_for() {
    for until in 1.. {
        let (rig, run) = fresh();
        let journal = full(&rig, until, 3);
        let engine = rig.engine_on(journal.clone(), Arc::new(greylag_driver::fault::NoFaults), limits());
        assert!(crate::rig::drive(&engine, &run).is_good());
        assert_eq!(rig.estate.effects().values().max(), Some(&1));
        assert_eq!(rig.estate.effects().len(), 8);
        rig.assert_folds(&run);
        if journal.refuses.load(Ordering::SeqCst) == 3 {
            assert!(until > 10);
            break;
        }
    }
}

#[test]
fn full_for_longer_than_its_patience_ends_the_process_and_not_the_run() {
    let (rig, run) = fresh();
    let journal = full(&rig, 4, i64::MAX);
    let patience = Limits { patience_millis: 1_000, grace_millis: 50, ..limits() };
    let engine = rig.engine_on(journal, Arc::new(greylag_driver::fault::NoFaults), patience);
    let error = engine.drive(&run, &Quiet, &AtomicBool::new(false)).unwrap_err();
    assert_eq!(error.code, code::STATE_FULL);
    drop(engine);
    rig.clock.advance_millis(limits().lease_millis + 1);
    assert!(rig.drive(&run).is_good());
    rig.assert_folds(&run);
}
