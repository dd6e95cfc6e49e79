//! A run that is written step by step, each write tried again while it fails for want of space.
#![expect(clippy::unwrap_used, reason = "tests")]

use crate::disk::{Disk, VFS};
use greylag_driver::error::DriverError;
use greylag_driver::journal::{
    AttemptKey, Batch, Journal as _, Loaded, Plans as _, RunLease, Transition, Watch as _, sample,
};
use greylag_model::id::{PlanId, RunId, Timestamp, WorkerId};
use greylag_model::spec::ErrorClass;
use greylag_model::task::{Circumstances, Input, Phase, Progress, TaskRow, decide};
use greylag_store::{Options, Store};
use std::path::Path;
use std::sync::atomic::Ordering;

pub(crate) const NOW: Timestamp = Timestamp(1_000);
const TASKS: usize = 6;

pub(crate) fn open(folder: &Path) -> Result<Store, DriverError> {
    // Copied into the database often, so that it happens during the load.
    let options = Options { vfs: Some(VFS.to_owned()), checkpoint_pages: 20, ..Options::default() };
    Store::open_with(folder.join("state.db"), options)
}

fn again<T>(mut work: impl FnMut() -> Result<T, DriverError>) -> T {
    loop {
        match work() {
            Ok(done) => return done,
            Err(error) if error.class == ErrorClass::Transient => {}
            Err(error) => panic!("{error}"),
        }
    }
}

fn transition(task: &Loaded, input: Input<'_>) -> Transition {
    let around = Circumstances { now: NOW, seed: 1, lost_limit: 20 };
    let decision = decide(&task.row, &task.plan.steps, input, &around).unwrap();
    Transition {
        ordinal: task.ordinal,
        from: task.row.state,
        from_epoch: task.row.epoch,
        events: vec![decision.event],
        after: decision.after,
        output: None,
    }
}

fn commit(store: &Store, disk: &Disk, lease: &RunLease, ordinal: u64, input: &Input<'_>) -> TaskRow {
    let task = again(|| store.load(&lease.run, &[ordinal])).remove(0);
    let batch = Batch { now: NOW, transitions: vec![transition(&task, input.clone())], ..Batch::default() };
    let committed = again(|| store.commit(lease, &batch));
    disk.acknowledged.store(committed.first_seq, Ordering::SeqCst);
    batch.transitions[0].after.clone()
}

pub(crate) fn run_id() -> RunId {
    RunId::new("r-1")
}

/// The whole load; answers how many events it has written.
pub(crate) fn load(folder: &Path, disk: &Disk) -> u64 {
    disk.acknowledged.store(0, Ordering::SeqCst);
    let store = again(|| open(folder));
    let steps = vec![sample::step("test/one", Phase::Expand), sample::step("test/two", Phase::Publish)];
    let tasks = (0..TASKS).map(|number| sample::task(&format!("t{number}"), steps.clone())).collect();
    let plan = sample::plan("p-1", tasks);
    again(|| store.save_plan(&plan));
    again(|| store.create_run(&run_id(), &PlanId::new("p-1"), NOW));
    let worker = WorkerId::new("w-1");
    let lease = again(|| store.claim(&run_id(), &worker, NOW, 30_000));
    for step in 0..2 {
        for ordinal in 0..TASKS as u64 {
            let row = commit(&store, disk, &lease, ordinal, &Input::Lease(&worker));
            let key = AttemptKey { run: run_id(), ordinal, step, direction: row.direction, epoch: row.epoch };
            again(|| store.checkpoint(&key, "chunk", &serde_json::json!({"rows": 1})));
            let done = Input::Done { progress: Progress::default(), checks: Vec::new(), notes: Vec::new() };
            commit(&store, disk, &lease, ordinal, &done);
        }
    }
    again(|| store.release(&lease));
    again(|| store.run(&run_id())).unwrap().last_seq
}

/// What must hold of the journal, whenever the power was cut: everything acknowledged is there, without gaps, and rows
/// and counters agree.
pub(crate) fn assert_sound(path: &Path, acknowledged: u64) -> u64 {
    let connection = rusqlite::Connection::open(path).unwrap();
    let check: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    drop(connection);
    let store = Store::open(path).unwrap();
    let Some(record) = store.run(&run_id()).unwrap() else {
        assert_eq!(acknowledged, 0, "an acknowledged run is gone");
        return 0;
    };
    assert!(record.last_seq >= acknowledged, "{} of {acknowledged} acknowledged events", record.last_seq);
    let entries = store.events(&run_id(), 0, 1_000).unwrap();
    assert!(entries.iter().map(|entry| entry.seq).eq(1..=record.last_seq));
    let tasks = store.tasks(&run_id(), &greylag_driver::journal::TaskFilter::default(), 0, 100).unwrap();
    let mut counters = greylag_model::task::Counters::default();
    for task in &tasks {
        *counters.of(task.row.state) += 1;
        let mut row = TaskRow::new(0, false, NOW);
        for entry in entries.iter().filter(|entry| entry.task.as_ref() == Some(&task.id)) {
            if let greylag_model::task::Event::Task(event) = &entry.event {
                row = greylag_model::task::apply(&row, event, entry.at);
            }
        }
        assert_eq!(row, task.row);
    }
    assert_eq!(counters, record.counters);
    record.last_seq
}
