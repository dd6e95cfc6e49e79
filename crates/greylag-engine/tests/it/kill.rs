//! Death at every write and at every fault point of every step, forwards and back; the next life goes on.
#![expect(clippy::unwrap_used, reason = "tests")]

use crate::rig::{self, Fragile, Kill, Medium, Rig, When, custom, limits, on_each};
use greylag_driver::journal::sample;
use greylag_engine::{Quiet, service};
use greylag_model::id::RunId;
use greylag_model::plan::PlanTask;
use greylag_model::task::{Phase, Step};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

const IDS: [&str; 3] = ["a", "b", "c"];

/// Steps of every kind that the estate serves, and one that stands for all of a family and has a condition.
fn steps() -> Vec<Step> {
    let mut steps = rig::steps();
    steps.push(custom("mark", Phase::Publish, Some("!steps['estate/fill'].skipped")));
    steps
}

fn task(id: &str) -> PlanTask {
    sample::task(id, steps())
}

/// One life, which dies as `kill` says or ends by itself. The next one begins after the lease, for journals that cannot
/// tell who is dead.
fn life(
    rig: &Rig,
    run: &RunId,
    kill: &Arc<Kill>,
    wrap: impl FnOnce(Arc<dyn greylag_driver::journal::Journal>) -> Fragile,
) {
    let journal = Arc::new(wrap(rig.medium.open()));
    let engine = rig.engine_on(journal, kill.clone(), limits());
    let result = engine.drive(run, &Quiet, &AtomicBool::new(false));
    assert_eq!(result.is_err(), kill.has_struck());
    rig.clock.advance_millis(limits().lease_millis + 1);
}

fn assert_all_done(rig: &Rig, run: &RunId) {
    let expected: Vec<_> =
        IDS.iter().flat_map(|id| steps().into_iter().map(move |step| format!("{id}/{}", step.name()))).collect();
    let effects = rig.estate.effects();
    assert_eq!(effects.values().max(), Some(&1));
    let mut expected = expected;
    expected.sort();
    assert_eq!(effects.into_keys().collect::<Vec<_>>(), expected);
    rig.assert_folds(run);
}

fn fresh(medium: &dyn Fn() -> Medium) -> (Rig, RunId) {
    let rig = Rig::new(medium());
    let run = rig.start(IDS.map(task).into());
    (rig, run)
}

/// Dies at the first write, at the second, and so on, until a life needs fewer writes than that.
fn dies_at_every_write(medium: &dyn Fn() -> Medium, when: When, undone: bool) -> i64 {
    for write in 1.. {
        let (rig, run) = fresh(medium);
        if undone {
            assert!(rig.drive(&run).is_good());
            service::undo(&rig.engine(), &run, "me").unwrap();
        }
        let kill = Arc::new(Kill::default());
        life(&rig, &run, &kill, |journal| Fragile::at_write(journal, kill.clone(), when, write));
        if !kill.has_struck() {
            return write;
        }
        assert!(rig.drive(&run).is_good());
        if undone {
            assert!(rig.estate.effects().is_empty());
            rig.assert_folds(&run);
        } else {
            assert_all_done(&rig, &run);
        }
    }
    unreachable!("a life has an end")
}

fn memory() -> Medium {
    Medium::Memory(Arc::default())
}

fn sqlite() -> Medium {
    Medium::Sqlite(tempfile::tempdir().unwrap())
}

#[test]
fn before_any_write_in_memory() {
    assert!(dies_at_every_write(&memory, When::Before, false) > 10);
    assert!(dies_at_every_write(&memory, When::Before, true) > 10);
}

#[test]
fn after_any_write_in_memory() {
    assert!(dies_at_every_write(&memory, When::After, false) > 10);
    assert!(dies_at_every_write(&memory, When::After, true) > 10);
}

#[test]
fn before_any_write_on_sqlite() {
    assert!(dies_at_every_write(&sqlite, When::Before, false) > 10);
}

#[test]
fn after_any_write_on_sqlite() {
    assert!(dies_at_every_write(&sqlite, When::After, false) > 10);
}

#[test]
fn at_every_fault_point_of_every_step() {
    for step in steps() {
        for point in ["before-intent", "after-intent", "in-effect", "after-effect", "after-commit"] {
            for hit in [1, 2, 3] {
                let (rig, run) = fresh(&memory);
                let kill = Arc::new(Kill::at(&format!("{}:{point}", step.uses), hit));
                life(&rig, &run, &kill, |journal| Fragile::with(journal, kill.clone()));
                assert!(kill.has_struck(), "{}:{point} is hit fewer than {hit} times", step.uses);
                assert!(rig.drive(&run).is_good());
                assert_all_done(&rig, &run);
            }
        }
    }
}

#[test]
fn at_every_fault_point_of_every_step_back() {
    for step in steps() {
        for point in ["before-intent", "after-intent", "in-effect", "after-effect", "after-commit"] {
            let (rig, run) = fresh(&memory);
            assert!(rig.drive(&run).is_good());
            service::undo(&rig.engine(), &run, "me").unwrap();
            let kill = Arc::new(Kill::at(&format!("undo:{}:{point}", step.uses), 2));
            life(&rig, &run, &kill, |journal| Fragile::with(journal, kill.clone()));
            assert!(kill.has_struck(), "undo:{}:{point} is not hit twice", step.uses);
            assert!(rig.drive(&run).is_good());
            assert!(rig.estate.effects().is_empty());
            rig.assert_folds(&run);
        }
    }
}

#[test]
fn again_and_again_during_one_step_sets_its_task_aside() {
    on_each(|rig| {
        let run = rig.start(IDS.map(task).into());
        let limits = limits();
        for _ in 0..40 {
            // A life ends when it comes to this step, of whichever task: as if that took all memory.
            let kill = Arc::new(Kill::at("estate/fill:in-effect", 1));
            let journal = Arc::new(Fragile::with(rig.medium.open(), kill.clone()));
            let engine = rig.engine_on(journal, kill.clone(), limits);
            let _ = engine.drive(&run, &Quiet, &AtomicBool::new(false));
            drop(engine);
            rig.clock.advance_millis(limits.lease_millis + 1);
            if !kill.has_struck() {
                break;
            }
        }
        let counters = rig.counters(&run);
        assert_eq!((counters.quarantined, counters.open()), (3, 0));
        rig.assert_folds(&run);
        service::retry_failed(&rig.engine(), &run, None, "me").unwrap();
        assert!(rig.drive(&run).is_good());
        assert_all_done(rig, &run);
    });
}

/// Tasks whose first step is the poison's: its neighbours, and those whose intents were written ahead, die with it.
#[test]
fn again_and_again_by_one_task_sets_aside_that_task_alone() {
    on_each(|rig| {
        let ids: Vec<String> = (0..60).map(|number| format!("t-{number:02}")).collect();
        let run = rig.start(ids.iter().map(|id| task(id)).collect());
        let mut deaths = 0;
        loop {
            let kill = Arc::new(Kill::default());
            rig.estate.deadly("t-07", "estate/fill", &kill);
            life(rig, &run, &kill, |journal| Fragile::with(journal, kill.clone()));
            if !kill.has_struck() {
                break;
            }
            deaths += 1;
        }
        assert_eq!(deaths, limits().lost);
        let counters = rig.counters(&run);
        assert_eq!((counters.quarantined, counters.succeeded), (1, 59));
        assert_eq!(rig.rows(&run)["t-07"].state, greylag_model::task::TaskState::Quarantined);
        rig.assert_folds(&run);
    });
}

/// Lives so short that each takes few tasks a step further, and takes many intents with it.
#[test]
fn by_somebody_else_however_often_sets_nothing_aside() {
    on_each(|rig| {
        let ids: Vec<String> = (0..40).map(|number| format!("t-{number:02}")).collect();
        let run = rig.start(ids.iter().map(|id| task(id)).collect());
        let mut deaths = 0;
        loop {
            let kill = Arc::new(Kill::default());
            let write = 6 + deaths % 5;
            life(rig, &run, &kill, |journal| Fragile::at_write(journal, kill.clone(), When::Before, write));
            if !kill.has_struck() {
                break;
            }
            deaths += 1;
            assert!(deaths < 1_000, "the run gets nowhere");
        }
        assert!(deaths > 20, "{deaths}");
        let counters = rig.counters(&run);
        assert_eq!((counters.quarantined, counters.succeeded), (0, 40));
        rig.assert_folds(&run);
    });
}
