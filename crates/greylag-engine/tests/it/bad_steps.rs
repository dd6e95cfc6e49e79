//! Steps that fail: each stops only its own task.

use crate::rig::{Act, on_each, task};
use greylag_engine::Ended;
use greylag_model::code::engine as code;
use greylag_model::spec::ErrorClass;
use greylag_model::task::TaskState;

#[test]
fn a_transient_failure_is_tried_again_and_the_task_succeeds() {
    on_each(|rig| {
        let run = rig.start(vec![task("a"), task("b")]);
        rig.estate.script("a", "estate/fill", [Act::Fail(ErrorClass::Transient), Act::Fail(ErrorClass::Conflict)]);
        assert!(rig.drive(&run).is_good());
        let log = rig.estate.log();
        let tries: Vec<_> = log.lines().filter(|line| line.starts_with("a: estate/fill")).collect();
        assert_eq!(tries, ["a: estate/fill #1", "a: estate/fill #2", "a: estate/fill #3"]);
        rig.assert_folds(&run);
    });
}

#[test]
fn a_poison_item_is_quarantined_after_its_attempts_and_the_rest_goes_on() {
    on_each(|rig| {
        let run = rig.start(vec![task("a"), task("poison"), task("z")]);
        rig.estate.script("poison", "estate/fill", [Act::Fail(ErrorClass::Transient); 9]);
        let summary = rig.drive(&run);
        assert_eq!((summary.ended, summary.is_good()), (Ended::Finished, false));
        let rows = rig.rows(&run);
        assert_eq!(rows["poison"].state, TaskState::Quarantined);
        assert_eq!((rows["poison"].attempt, rows["poison"].failures), (3, 3));
        assert_eq!((rows["a"].state, rows["z"].state), (TaskState::Succeeded, TaskState::Succeeded));
        rig.assert_folds(&run);
    });
}

#[test]
fn each_way_to_fail_has_its_state_and_code() {
    let cases = [
        (Act::Fail(ErrorClass::Permanent), TaskState::Failed, code::INTERRUPTED),
        (Act::Fail(ErrorClass::Denied), TaskState::Failed, code::INTERRUPTED),
        (Act::Panic, TaskState::Failed, code::PANICKED),
        (Act::CheckFails, TaskState::Failed, code::CHECK_FAILED),
        (Act::WorldMoved, TaskState::Stale, code::STALE),
    ];
    for (act, state, code) in cases {
        on_each(|rig| {
            let run = rig.start(vec![task("bad"), task("good")]);
            rig.estate.script("bad", "estate/fill", [act]);
            let summary = rig.drive(&run);
            assert_eq!((summary.ended, summary.run.counters.succeeded), (Ended::Finished, 1), "{act:?}");
            let row = &rig.rows(&run)["bad"];
            assert_eq!((row.state, row.attempt), (state, 1), "{act:?}");
            assert_eq!(row.error.as_ref().map(|error| error.code), Some(code), "{act:?}");
            rig.assert_folds(&run);
        });
    }
}

#[test]
fn a_step_that_nothing_serves_fails_its_task() {
    on_each(|rig| {
        let mut odd = task("odd");
        odd.steps[1].uses = "no/such".to_owned();
        let run = rig.start(vec![odd, task("good")]);
        let summary = rig.drive(&run);
        assert_eq!((summary.run.counters.failed, summary.run.counters.succeeded), (1, 1));
        let rows = rig.rows(&run);
        assert_eq!(rows["odd"].error.as_ref().map(|error| error.code), Some(code::NO_EXECUTOR));
    });
}
