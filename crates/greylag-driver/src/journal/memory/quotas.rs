//! Limits in memory.

use super::{Inner, MemoryJournal, lease_lost};
use crate::error::DriverError;
use crate::journal::{KeyUse, Loaded, Quotas, RunLease};
use greylag_model::id::{RunId, Timestamp};
use greylag_model::limit::{Allotted, Ask, Limits, Use, allot};
use greylag_model::task::TaskState;
use std::collections::{BTreeMap, BTreeSet};

/// Limits and what is known of their keys.
#[derive(Debug, Default)]
pub(super) struct Shared {
    limits: Limits,
    known: BTreeMap<String, Use>,
}

impl Inner {
    /// Shares of runs that nobody drives end.
    fn living(&self, now: Timestamp) -> BTreeMap<String, Use> {
        let mut known = self.shared.known.clone();
        let drives = |run: &RunId| {
            let worker = self.runs.get(run).and_then(|run| run.worker.as_ref());
            worker.and_then(|worker| self.workers.get(worker)).is_some_and(|until| *until > now)
        };
        for of in known.values_mut() {
            of.shares.retain(|run, _| drives(run));
        }
        known
    }
}

impl Quotas for MemoryJournal {
    fn limits(&self) -> Result<Limits, DriverError> {
        Ok(self.inner().shared.limits.clone())
    }

    fn set_limits(&self, limits: &Limits) -> Result<(), DriverError> {
        let mut inner = self.inner();
        inner.posted += 1;
        inner.shared.limits.clone_from(limits);
        // A bucket of another rate counts other units.
        for of in inner.shared.known.values_mut() {
            of.bucket = None;
        }
        Ok(())
    }

    fn limit_use(&self, now: Timestamp) -> Result<Vec<KeyUse>, DriverError> {
        let of = |(key, of): (String, Use)| KeyUse { key, shares: of.shares.into_iter().collect() };
        Ok(self.inner().living(now).into_iter().map(of).filter(|of| !of.shares.is_empty()).collect())
    }

    fn allot(&self, lease: &RunLease, ask: &Ask, now: Timestamp) -> Result<Allotted, DriverError> {
        let mut inner = self.inner();
        if inner.run(&lease.run)?.record.epoch != lease.epoch {
            return Err(lease_lost(&lease.run));
        }
        let mut known = inner.living(now);
        let allotted = allot(&inner.shared.limits, &mut known, &lease.run, ask, now);
        for of in known.values_mut() {
            of.shares.retain(|_, share| share.in_use > 0 || share.short);
        }
        inner.shared.known = known;
        Ok(allotted)
    }

    fn due_beside(
        &self,
        run: &RunId,
        now: Timestamp,
        ready: usize,
        closed: &BTreeSet<u32>,
    ) -> Result<Vec<Loaded>, DriverError> {
        let inner = self.inner();
        let run = inner.run(run)?;
        let due =
            |row: &greylag_model::task::TaskRow| row.wake.filter(|wake| row.state == TaskState::Ready && *wake <= now);
        let rows = run.rows.iter().enumerate().filter_map(|(ordinal, row)| Some((due(row)?, ordinal as u64)));
        let mut rows: Vec<(Timestamp, u64)> = rows.collect();
        rows.sort_unstable();
        let mut taken: BTreeMap<u32, Vec<Loaded>> = BTreeMap::new();
        for task in rows.into_iter().filter_map(|(_, ordinal)| inner.loaded(run, ordinal)) {
            let lane = taken.entry(task.lane).or_default();
            if !closed.contains(&task.lane) && lane.len() < ready {
                lane.push(task);
            }
        }
        Ok(taken.into_values().flatten().collect())
    }
}
