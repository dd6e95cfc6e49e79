//! Death: a journal and fault points that stop at the n-th write or at a named place, and after that do nothing more, as
//! nothing does after `kill -9`.
#![expect(clippy::unwrap_used, reason = "tests")]

use greylag_driver::error::DriverError;
use greylag_driver::fault::Faults;
use greylag_driver::journal::{
    AttemptKey, Batch, Committed, Due, Journal, KeyUse, Loaded, Plans, Posted, Quotas, Relation, Request, RunLease,
    RunRecord, TaskFilter, TaskRecord, Watch,
};
use greylag_model::code::engine as code;
use greylag_model::id::{PlanId, RunId, Timestamp, WorkerId};
use greylag_model::limit::{Allotted, Ask, Limits};
use greylag_model::plan::{Plan, PlanHeader, PlanTask};
use greylag_model::task::Entry;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// On which side of the write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    Before,
    After,
}

/// An engine that has asked its journal so often in one life goes round in a circle: those that get somewhere need some
/// thousand times, and some ten thousand where threads of a busy machine do not get their turn.
const CIRCLES: u64 = 3_000_000;

/// The death of one life.
#[derive(Default)]
pub(crate) struct Kill {
    dead: AtomicBool,
    point: Mutex<Option<String>>,
    hits: AtomicI64,
    asked: AtomicU64,
}

impl Kill {
    /// At the n-th hit (from 1) of a fault point.
    pub(crate) fn at(point: &str, hit: i64) -> Self {
        Self { point: Mutex::new(Some(point.to_owned())), hits: AtomicI64::new(hit), ..Self::default() }
    }
    pub(crate) fn has_struck(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }
    pub(crate) fn strike(&self) {
        self.dead.store(true, Ordering::SeqCst);
    }
    /// Whether it ended a life that went round in a circle.
    pub(crate) fn has_found_a_circle(&self) -> bool {
        self.asked.load(Ordering::Relaxed) > CIRCLES
    }
    fn count(&self) {
        if self.asked.fetch_add(1, Ordering::Relaxed) >= CIRCLES {
            self.strike();
        }
    }
}

impl Faults for Kill {
    fn hit(&self, point: &str) -> std::io::Result<()> {
        let aimed = self.point.lock().unwrap().as_deref() == Some(point);
        if aimed && self.hits.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.strike();
        }
        if self.has_struck() { Err(std::io::Error::other("dead")) } else { Ok(()) }
    }
}

/// A journal that dies at a write.
pub(crate) struct Fragile {
    inner: Arc<dyn Journal>,
    kill: Arc<Kill>,
    when: When,
    left: AtomicI64,
}

impl Fragile {
    /// Dies at the n-th write (from 1), on this side of it.
    pub(crate) fn at_write(inner: Arc<dyn Journal>, kill: Arc<Kill>, when: When, write: i64) -> Self {
        Self { inner, kill, when, left: AtomicI64::new(write) }
    }
    /// Dies only as `kill` says.
    pub(crate) fn with(inner: Arc<dyn Journal>, kill: Arc<Kill>) -> Self {
        Self::at_write(inner, kill, When::Before, i64::MAX)
    }

    fn alive(&self) -> Result<&dyn Journal, DriverError> {
        self.kill.count();
        if self.kill.has_struck() {
            return Err(DriverError::permanent(code::INTERRUPTED, "dead"));
        }
        Ok(self.inner.as_ref())
    }

    fn write<T>(&self, work: impl FnOnce(&dyn Journal) -> Result<T, DriverError>) -> Result<T, DriverError> {
        let inner = self.alive()?;
        let dies = self.left.fetch_sub(1, Ordering::SeqCst) == 1;
        if dies && self.when == When::Before {
            self.kill.strike();
        }
        let result = work(self.alive().map(|_| inner)?);
        if dies {
            self.kill.strike();
        }
        self.alive()?;
        result
    }
}

impl Plans for Fragile {
    fn save_plan(&self, plan: &Plan) -> Result<(), DriverError> {
        self.write(|inner| inner.save_plan(plan))
    }
    fn plan(&self, plan: &PlanId) -> Result<Option<PlanHeader>, DriverError> {
        self.alive()?.plan(plan)
    }
    fn plan_tasks(&self, plan: &PlanId, from: u64, limit: usize) -> Result<Vec<PlanTask>, DriverError> {
        self.alive()?.plan_tasks(plan, from, limit)
    }
    fn plans(&self, limit: usize) -> Result<Vec<PlanHeader>, DriverError> {
        self.alive()?.plans(limit)
    }
}

impl Watch for Fragile {
    fn run(&self, run: &RunId) -> Result<Option<RunRecord>, DriverError> {
        self.alive()?.run(run)
    }
    fn runs(&self, limit: usize) -> Result<Vec<RunRecord>, DriverError> {
        self.alive()?.runs(limit)
    }
    fn tasks(&self, run: &RunId, filter: &TaskFilter, from: u64, limit: usize) -> Result<Vec<TaskRecord>, DriverError> {
        self.alive()?.tasks(run, filter, from, limit)
    }
    fn events(&self, run: &RunId, after: u64, limit: usize) -> Result<Vec<Entry>, DriverError> {
        self.alive()?.events(run, after, limit)
    }
    fn post(&self, run: &RunId, request: &Request, now: Timestamp) -> Result<(), DriverError> {
        self.write(|inner| inner.post(run, request, now))
    }
    fn requests(&self, run: &RunId) -> Result<Vec<Posted>, DriverError> {
        self.alive()?.requests(run)
    }
    fn version(&self) -> Result<u64, DriverError> {
        self.alive()?.version()
    }
}

impl Quotas for Fragile {
    fn limits(&self) -> Result<Limits, DriverError> {
        self.alive()?.limits()
    }
    fn set_limits(&self, limits: &Limits) -> Result<(), DriverError> {
        self.alive()?.set_limits(limits)
    }
    fn limit_use(&self, now: Timestamp) -> Result<Vec<KeyUse>, DriverError> {
        self.alive()?.limit_use(now)
    }
    fn allot(&self, lease: &RunLease, ask: &Ask, now: Timestamp) -> Result<Allotted, DriverError> {
        self.alive()?.allot(lease, ask, now)
    }
    fn due_beside(
        &self,
        run: &RunId,
        now: Timestamp,
        ready: usize,
        closed: &BTreeSet<u32>,
    ) -> Result<Vec<Loaded>, DriverError> {
        self.alive()?.due_beside(run, now, ready, closed)
    }
}

impl Journal for Fragile {
    fn create_run(&self, run: &RunId, plan: &PlanId, now: Timestamp) -> Result<(), DriverError> {
        self.write(|inner| inner.create_run(run, plan, now))
    }
    fn claim(&self, run: &RunId, worker: &WorkerId, now: Timestamp, ttl_millis: i64) -> Result<RunLease, DriverError> {
        self.write(|inner| inner.claim(run, worker, now, ttl_millis))
    }
    fn release(&self, lease: &RunLease) -> Result<(), DriverError> {
        self.write(|inner| inner.release(lease))
    }
    fn commit(&self, lease: &RunLease, batch: &Batch) -> Result<Committed, DriverError> {
        self.write(|inner| inner.commit(lease, batch))
    }
    fn due(&self, run: &RunId, now: Timestamp, waiting: usize, ready: usize) -> Result<Due, DriverError> {
        self.alive()?.due(run, now, waiting, ready)
    }
    fn load(&self, run: &RunId, ordinals: &[u64]) -> Result<Vec<Loaded>, DriverError> {
        self.alive()?.load(run, ordinals)
    }
    fn related(&self, run: &RunId, relation: Relation, from: u64, limit: usize) -> Result<Vec<Loaded>, DriverError> {
        self.alive()?.related(run, relation, from, limit)
    }
    fn checkpoint_all(&self, attempt: &AttemptKey, notes: &[(String, Value)]) -> Result<(), DriverError> {
        self.write(|inner| inner.checkpoint_all(attempt, notes))
    }
    fn checkpoints(&self, attempt: &AttemptKey) -> Result<Vec<(String, Value)>, DriverError> {
        self.alive()?.checkpoints(attempt)
    }
    fn output(&self, run: &RunId, ordinal: u64, uses: &str) -> Result<Option<Value>, DriverError> {
        self.alive()?.output(run, ordinal, uses)
    }
}
