//! A step that never ends.

use crate::rig::{Act, Rig, limits, on_each, task};
use greylag_driver::fault::NoFaults;
use greylag_engine::{Ended, Limits};
use greylag_model::code::engine as code;
use greylag_model::id::RunId;
use greylag_model::task::TaskState;
use std::sync::Arc;

fn start(rig: &Rig) -> RunId {
    let mut hanging = task("hangs");
    hanging.steps[1].timeout_millis = 200;
    rig.start(vec![hanging, task("a"), task("b"), task("c")])
}

#[test]
fn is_given_up_and_fenced_and_the_rest_goes_on() {
    on_each(|rig| {
        let run = start(rig);
        rig.estate.script("hangs", "estate/fill", [Act::Hang; 9]);
        let limits = Limits { grace_millis: 50, ..limits() };
        let engine = rig.engine_on(rig.medium.open(), Arc::new(NoFaults), limits);
        let summary = crate::rig::drive(&engine, &run);
        assert_eq!((summary.ended, summary.run.counters.succeeded), (Ended::Finished, 3));
        let row = &rig.rows(&run)["hangs"];
        assert_eq!((row.state, row.attempt), (TaskState::Quarantined, 3));
        assert_eq!(row.error.as_ref().map(|error| error.code), Some(code::TIMED_OUT));
        rig.assert_folds(&run);
        // The lost threads come back now; what they note is refused.
        assert_eq!(rig.estate.let_go(3), [Err(code::STALE_ATTEMPT); 3]);
    });
}

#[test]
fn that_ends_late_is_tried_again() {
    on_each(|rig| {
        let run = start(rig);
        rig.estate.script("hangs", "estate/fill", [Act::Hang]);
        let limits = Limits { grace_millis: 50, ..limits() };
        let engine = rig.engine_on(rig.medium.open(), Arc::new(NoFaults), limits);
        assert!(crate::rig::drive(&engine, &run).is_good());
        assert_eq!(rig.rows(&run)["hangs"].epoch, 5);
        assert_eq!(rig.estate.let_go(1), [Err(code::STALE_ATTEMPT)]);
    });
}

#[test]
fn that_listens_is_told_to_end_and_tried_again() {
    on_each(|rig| {
        let run = start(rig);
        rig.estate.script("hangs", "estate/fill", [Act::WorkUntilTold]);
        assert!(rig.drive(&run).is_good());
        assert!(rig.story(&run).contains("hangs: attempt_failed"));
        rig.assert_folds(&run);
    });
}

#[test]
fn too_many_of_them_stop_the_process_and_not_the_run() {
    on_each(|rig| {
        let run = start(rig);
        rig.estate.script("hangs", "estate/fill", [Act::Hang]);
        let limits = Limits { grace_millis: 50, abandoned: 0, ..limits() };
        let engine = rig.engine_on(rig.medium.open(), Arc::new(NoFaults), limits);
        let stop = std::sync::atomic::AtomicBool::new(false);
        let error = engine.drive(&run, &greylag_engine::Quiet, &stop).map(|summary| summary.ended);
        assert_eq!(error.map_err(|error| error.code), Err(code::STUCK));
        drop(engine);
        assert!(rig.drive(&run).is_good());
        rig.assert_folds(&run);
        assert_eq!(rig.estate.let_go(1), [Err(code::STALE_ATTEMPT)]);
    });
}
