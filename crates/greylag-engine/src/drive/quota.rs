//! Limits, as one run meets them: what it has under way by key, and asking for more. See [`greylag_model::limit`].
//!
//! A run that meets no limit asks for nothing and pays nothing. One that does asks once for all attempts of a round, and
//! says every so often what it has under way. A task goes on to its next step with the place that it has; only where a key
//! has a rate does every attempt ask for a token of its own.

use super::Decider;
use super::pool::Errand;
use greylag_driver::error::DriverError;
use greylag_driver::journal::Loaded;
use greylag_model::id::Timestamp;
use greylag_model::limit::{Ask, Limits, keys};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// What the run has under way and may not begin.
#[derive(Default)]
pub(super) struct Quota {
    limits: Limits,
    /// Keys of attempts under way, by ordinal and epoch. One that was given up is under way until its thread comes back.
    held: HashMap<(u64, u64), Arc<[String]>>,
    in_use: BTreeMap<String, u64>,
    /// As the journal knows it.
    told: BTreeMap<String, u64>,
    /// Lanes of which an attempt was refused since anything changed.
    pub(super) closed: BTreeSet<u32>,
    /// When the next token comes.
    pub(super) next: Option<Timestamp>,
}

impl Quota {
    /// Whether the run has to ask before it begins anything.
    pub(super) fn applies(&self) -> bool {
        !self.limits.is_empty()
    }

    /// Something has changed, so what was refused may be granted.
    pub(super) fn reopen(&mut self) {
        self.closed.clear();
        self.next = None;
    }

    fn hold(&mut self, ordinal: u64, epoch: u64, keys: Arc<[String]>) {
        for key in &*keys {
            *self.in_use.entry(key.clone()).or_default() += 1;
        }
        self.held.insert((ordinal, epoch), keys);
    }

    /// An attempt has ended, or did not begin. Answers its keys if it was held.
    pub(super) fn end(&mut self, ordinal: u64, epoch: u64) -> Option<Arc<[String]>> {
        let keys = self.held.remove(&(ordinal, epoch))?;
        for key in &*keys {
            if let Some(in_use) = self.in_use.get_mut(key) {
                *in_use = in_use.saturating_sub(1);
            }
        }
        self.reopen();
        Some(keys)
    }

    /// What is under way, with zeros for what was when it was last told.
    fn stated(&self) -> BTreeMap<String, u64> {
        let gone = self.told.keys().map(|key| (key.clone(), 0));
        gone.chain(self.in_use.iter().map(|(key, in_use)| (key.clone(), *in_use))).collect()
    }
}

impl Decider<'_> {
    /// Reads the limits again. What was begun when there were none counts from now on.
    pub(super) fn read_limits(&mut self) -> Result<(), DriverError> {
        let limits = self.shared.drivers.journal.limits()?;
        if self.quota.limits.is_empty() && !limits.is_empty() {
            let begun = self.flights.values().filter(|flight| matches!(flight.errand, Errand::Start));
            for task in begun.map(|flight| &flight.task) {
                self.quota.hold(task.ordinal, task.row.epoch, keys(&task.plan).into());
            }
        }
        self.quota.limits = limits;
        self.quota.reopen();
        Ok(())
    }

    fn weight(&self) -> u32 {
        self.header.priority.weight()
    }

    /// Which of these tasks may begin an attempt; those that may are held under the epoch that it will have.
    pub(super) fn admit(
        &mut self,
        tasks: &[&Loaded],
        epochs: &[u64],
        now: Timestamp,
    ) -> Result<Vec<bool>, DriverError> {
        if !self.quota.applies() || tasks.is_empty() {
            return Ok(vec![true; tasks.len()]);
        }
        let wanted: Vec<Vec<String>> = tasks.iter().map(|task| keys(&task.plan)).collect();
        let ask = Ask { weight: self.weight(), in_use: self.quota.stated(), wanted };
        let allotted = self.shared.drivers.journal.allot(&self.lease, &ask, now)?;
        self.quota.told = ask.in_use;
        for (((task, epoch), keys), granted) in tasks.iter().zip(epochs).zip(ask.wanted).zip(&allotted.granted) {
            // Whether granted or not, the journal now knows of these keys.
            for key in &keys {
                *self.quota.told.entry(key.clone()).or_default() += u64::from(*granted);
            }
            if *granted {
                self.quota.hold(task.ordinal, *epoch, keys.into());
            } else {
                self.quota.closed.insert(task.lane);
            }
        }
        self.quota.next = self.quota.next.into_iter().chain(allotted.next).min();
        Ok(allotted.granted)
    }

    /// Whether a task may go on to its next step at once, with the place that it had.
    pub(super) fn may_go_on(
        &mut self,
        task: &Loaded,
        (before, epoch): (u64, u64),
        now: Timestamp,
    ) -> Result<bool, DriverError> {
        let had = self.quota.end(task.ordinal, before);
        match had {
            Some(keys) if self.quota.applies() && !self.quota.limits.has_rate(&*keys) => {
                self.quota.hold(task.ordinal, epoch, keys);
                Ok(true)
            }
            _ => Ok(self.admit(&[task], &[epoch], now)?.iter().all(|granted| *granted)),
        }
    }

    /// Tells what is under way, if that is less than the journal knows or the limits have gone.
    pub(super) fn tell_use(&mut self, now: Timestamp) -> Result<(), DriverError> {
        // One that was refused asks again in this very round.
        if !self.quota.closed.is_empty() {
            return Ok(());
        }
        let stated = self.quota.stated();
        if self.quota.told.is_empty() || (stated == self.quota.told && stated.values().any(|in_use| *in_use > 0)) {
            return Ok(());
        }
        let ask = Ask { weight: self.weight(), in_use: stated, wanted: Vec::new() };
        self.shared.drivers.journal.allot(&self.lease, &ask, now)?;
        self.quota.told = ask.in_use.into_iter().filter(|(_, in_use)| *in_use > 0).collect();
        Ok(())
    }
}
