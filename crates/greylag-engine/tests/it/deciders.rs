//! Who may decide.
#![expect(clippy::unwrap_used, reason = "tests")]

use crate::rig::{Act, Medium, Rig, on_each, task};
use greylag_driver::journal::Batch;
use greylag_engine::{Ended, Quiet};
use greylag_model::code::engine as code;
use greylag_model::id::WorkerId;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn a_second_decider_is_refused_while_the_first_lives() {
    on_each(|rig| {
        let run = rig.start(vec![task("a")]);
        rig.estate.script("a", "estate/fill", [Act::WorkUntilTold]);
        let (first, second) = (rig.engine(), rig.engine());
        let stop = AtomicBool::new(false);
        let summary = std::thread::scope(|scope| {
            scope.spawn(|| {
                rig.estate.await_working(1);
                let refused = second.drive(&run, &Quiet, &AtomicBool::new(false));
                assert_eq!(refused.unwrap_err().code, code::RUN_DRIVEN);
                stop.store(true, Ordering::Release);
            });
            first.drive(&run, &Quiet, &stop).unwrap()
        });
        assert_eq!(summary.ended, Ended::Stopped);
        assert_eq!(summary.run.counters.ready, 1);
        drop((first, second));
        assert!(rig.drive(&run).is_good());
        // The chunk of the attempt that was stopped was not an attempt that failed.
        let log = rig.estate.log();
        assert!(log.contains("a: estate/fill #2"), "{log}");
        assert!(!rig.story(&run).contains("attempt_failed"));
        rig.assert_folds(&run);
    });
}

#[test]
fn a_decider_that_was_taken_for_dead_ends_and_the_other_goes_on() {
    // The first decider is suspended, as it were, while its lease runs out: its heartbeat comes too late.
    let rig = Rig::new(Medium::Memory(Arc::default()));
    let run = rig.start(vec![task("a")]);
    rig.estate.script("a", "estate/fill", [Act::WorkUntilTold]);
    let journal = rig.medium.open();
    let error = std::thread::scope(|scope| {
        scope.spawn(|| {
            rig.estate.await_working(1);
            // Another process, whose clock says that the lease has run out.
            let late = journal.run(&run).unwrap().unwrap().lease.unwrap().until.plus_millis(60_000_000);
            let lease = journal.claim(&run, &WorkerId::new("other"), late, 30_000).unwrap();
            assert_eq!(lease.epoch, 2);
            journal.commit(&lease, &Batch { now: late, ..Batch::default() }).unwrap();
            journal.release(&lease).unwrap();
        });
        rig.engine().drive(&run, &Quiet, &AtomicBool::new(false)).unwrap_err()
    });
    assert_eq!(error.code, code::LEASE_LOST);
    assert!(rig.drive(&run).is_good());
    assert_eq!(rig.estate.effects().values().max(), Some(&1));
    rig.assert_folds(&run);
}

#[test]
fn the_run_of_a_dead_process_is_taken_over_at_once() {
    let rig = Rig::new(Medium::Sqlite(tempfile::tempdir().unwrap()));
    let run = rig.start(vec![task("a")]);
    let dead = rig.medium.open();
    let now = greylag_driver::clock::Clock::now(rig.clock.as_ref());
    dead.claim(&run, &WorkerId::new("dead"), now, 3_600_000).unwrap();
    let watching = rig.medium.open();
    assert!(!watching.run(&run).unwrap().unwrap().lease.unwrap().dead);
    assert_eq!(rig.engine().settle(&run).unwrap_err().code, code::RUN_DRIVEN);
    // The operating system lets go of the lock, as it does when a process is killed.
    drop(dead);
    assert!(watching.run(&run).unwrap().unwrap().lease.unwrap().dead);
    assert!(rig.drive(&run).is_good());
}
