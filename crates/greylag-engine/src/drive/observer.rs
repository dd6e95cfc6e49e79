//! Watching from inside the process that drives.

use greylag_driver::journal::Batch;
use greylag_model::id::{TaskId, Timestamp};
use greylag_model::plan::PlanTask;
use greylag_model::task::{Counters, Entry, Event, Progress, RunEvent, RunRow, TaskEvent};
use std::collections::HashMap;
use std::sync::Arc;

/// Is told what has been committed. Called on the deciding thread: what takes long here holds up the run.
pub trait Observer {
    /// A batch of events is on disk.
    fn committed(&self, commit: &Commit<'_>) {
        let _ = commit;
    }
    /// How far attempts under way are; at most once per tick.
    fn progress(&self, live: &[(&TaskId, Progress)]) {
        let _ = live;
    }
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quiet;

impl Observer for Quiet {}

/// What has been committed.
pub struct Commit<'a> {
    /// The run now.
    pub run: RunRow,
    /// Its tasks by state now.
    pub counters: Counters,
    pub(crate) first_seq: u64,
    pub(crate) batch: &'a Batch,
    pub(crate) plans: &'a HashMap<u64, Arc<PlanTask>>,
}

/// One event, borrowed.
#[derive(Clone, Copy, Debug)]
pub enum Happened<'a> {
    /// Of the run.
    Run(&'a RunEvent),
    /// Of a task.
    Task(&'a TaskId, &'a TaskEvent),
}

impl Commit<'_> {
    /// When.
    pub fn at(&self) -> Timestamp {
        self.batch.now
    }

    /// The events with their sequence numbers, in order.
    pub fn events(&self) -> impl Iterator<Item = (u64, Happened<'_>)> {
        let before = self.batch.run_events.iter().map(Happened::Run);
        let tasks = self.batch.transitions.iter().flat_map(|transition| {
            let plan = self.plans.get(&transition.ordinal);
            let events = transition.events.iter();
            events.filter_map(move |event| plan.map(|plan| Happened::Task(&plan.id, event)))
        });
        let after = self.batch.run_events_after.iter().map(Happened::Run);
        (self.first_seq..).zip(before.chain(tasks).chain(after))
    }

    /// The same, as a journal's reader would get them.
    pub fn entries(&self) -> impl Iterator<Item = Entry> {
        self.events().map(|(seq, happened)| {
            let (task, event) = match happened {
                Happened::Run(event) => (None, Event::Run(event.clone())),
                Happened::Task(task, event) => (Some(task.clone()), Event::Task(event.clone())),
            };
            Entry { seq, at: self.at(), task, event }
        })
    }
}
