//! Durable execution and the use-cases.
//!
//! **Invariant:** knows no plane. It sees executors by the names that they serve, stores by their traits, time and
//! randomness as they are passed in. What it decides is decided by `greylag_model::task`; this crate only finds out what
//! there is to decide, writes it down, and then does it.

pub mod candidates;
mod drive;
pub mod probe;
pub mod published;
mod rehearse;
pub mod sample;
pub mod service;
mod service_types;
mod time;

pub use drive::observer::{Commit, Happened, Observer, Quiet};
pub use service_types::{Asked, Ended, RunSummary, StepBack, UndoPreview};

use greylag_driver::clock::Clock;
use greylag_driver::executor::Executor;
use greylag_driver::fault::Faults;
use greylag_driver::journal::Journal;
use greylag_model::id::WorkerId;
use std::collections::HashMap;
use std::sync::Arc;

/// What the engine stands on.
#[derive(Clone)]
pub struct Drivers {
    /// Plans, runs and their events.
    pub journal: Arc<dyn Journal>,
    /// What does the steps' work.
    pub executors: Vec<Arc<dyn Executor>>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Fault points.
    pub faults: Arc<dyn Faults>,
    /// Seed of jitter.
    pub seed: u64,
    /// This process: an id that no other process ever has.
    pub worker: WorkerId,
}

/// How much and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Threads that do steps' work.
    pub workers: usize,
    /// Most intents that are written ahead of free threads. The engine writes as many ahead as short steps need to keep
    /// the threads busy during a commit, and hardly any when steps are long.
    pub ahead: usize,
    /// How long a silence loses the lease of a run, milliseconds.
    pub lease_millis: i64,
    /// Longest wait before the engine looks at time-outs and at requests of other processes, milliseconds.
    pub tick_millis: i64,
    /// How long an attempt that was told to end may take to end before it is given up, milliseconds.
    pub grace_millis: i64,
    /// After so many attempts lost in a row with their processes a task is quarantined. Above two: see the words on lost
    /// attempts in the module that drives.
    pub lost: u32,
    /// After so many attempts given up, whose threads may hang for ever, the process stops.
    pub abandoned: usize,
    /// How long the journal may fail (no space, busy) before the process stops, milliseconds.
    pub patience_millis: i64,
    /// How long to ask after what goes on outside when nothing else is left to do, milliseconds; none: as long as it takes.
    pub outside_millis: Option<i64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            workers: 2,
            ahead: 4_096,
            lease_millis: 30_000,
            tick_millis: 100,
            grace_millis: 5_000,
            lost: 5,
            abandoned: 32,
            patience_millis: 60_000,
            outside_millis: None,
        }
    }
}

/// Drives runs.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

/// What the deciding thread and the working threads share.
struct Shared {
    drivers: Drivers,
    limits: Limits,
    serves: HashMap<&'static str, Arc<dyn Executor>>,
}

impl Shared {
    /// What serves a kind of step: by its name, or by what its name begins with.
    fn executor(&self, uses: &str) -> Option<&dyn Executor> {
        let family = || uses.find('/').and_then(|at| self.serves.get(&uses[..=at]));
        self.serves.get(uses).or_else(family).map(AsRef::as_ref)
    }
}

impl Engine {
    /// An engine. Where two executors serve the same name the later one does.
    pub fn new(drivers: Drivers, limits: Limits) -> Self {
        let serves = drivers
            .executors
            .iter()
            .flat_map(|executor| executor.serves().iter().map(|uses| (*uses, Arc::clone(executor))));
        let serves = serves.collect();
        Self { shared: Arc::new(Shared { drivers, limits, serves }) }
    }

    /// The same, with other limits.
    pub fn limited(&self, change: impl FnOnce(Limits) -> Limits) -> Self {
        let Shared { drivers, limits, serves } = self.shared.as_ref();
        let (drivers, serves) = (drivers.clone(), serves.clone());
        Self { shared: Arc::new(Shared { drivers, limits: change(*limits), serves }) }
    }

    /// What it stands on.
    pub fn drivers(&self) -> &Drivers {
        &self.shared.drivers
    }

    /// The journal.
    pub fn journal(&self) -> &dyn Journal {
        self.shared.drivers.journal.as_ref()
    }
}
