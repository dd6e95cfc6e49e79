//! Tasks that wait for phases of others.
#![expect(clippy::unwrap_used, reason = "tests")]

use crate::rig::{Act, on_each, task};
use greylag_driver::journal::sample;
use greylag_engine::{Ended, service};
use greylag_model::code::engine as code;
use greylag_model::plan::PlanTask;
use greylag_model::spec::ErrorClass;
use greylag_model::task::{Phase, TaskState};

/// `b` and `c` wait for `a`, `d` for both.
fn diamond() -> Vec<PlanTask> {
    vec![
        sample::after(sample::after(task("d"), "b", Phase::Publish), "c", Phase::Publish),
        sample::after(task("b"), "a", Phase::Publish),
        sample::after(task("c"), "a", Phase::Backfill),
        task("a"),
    ]
}

fn place(log: &str, line: &str) -> usize {
    log.lines().position(|other| other == line).unwrap_or_else(|| panic!("no `{line}` in\n{log}"))
}

#[test]
fn a_task_begins_when_the_phases_that_it_waits_for_are_done() {
    on_each(|rig| {
        let run = rig.start(diamond());
        assert!(rig.drive(&run).is_good());
        let log = rig.estate.log();
        assert!(place(&log, "a: estate/fill #1") < place(&log, "c: estate/make #1"));
        assert!(place(&log, "a: estate/show #1") < place(&log, "b: estate/make #1"));
        assert!(place(&log, "b: estate/show #1") < place(&log, "d: estate/make #1"));
        assert!(place(&log, "c: estate/show #1") < place(&log, "d: estate/make #1"));
        rig.assert_folds(&run);
    });
}

#[test]
fn what_waits_for_a_task_that_failed_is_skipped_and_taken_up_with_it() {
    on_each(|rig| {
        let run = rig.start(diamond());
        rig.estate.script("a", "estate/wait", [Act::Fail(ErrorClass::Permanent)]);
        let summary = rig.drive(&run);
        assert_eq!((summary.ended, summary.run.counters.open()), (Ended::Finished, 0));
        let rows = rig.rows(&run);
        let states: Vec<_> = ["a", "b", "c", "d"].map(|id| rows[id].state).into();
        // `c` had what it waits for before `a` failed.
        assert_eq!(states, [TaskState::Failed, TaskState::Skipped, TaskState::Succeeded, TaskState::Skipped]);
        assert_eq!(rows["d"].error.as_ref().map(|error| error.code), Some(code::DEPENDENCY_FAILED));
        service::retry_failed(&rig.engine(), &run, None, "me").unwrap();
        assert!(rig.drive(&run).is_good());
        rig.assert_folds(&run);
    });
}

#[test]
fn undo_takes_back_what_stands_on_a_task_before_that_task() {
    on_each(|rig| {
        let run = rig.start(diamond());
        assert!(rig.drive(&run).is_good());
        service::undo(&rig.engine(), &run, "me").unwrap();
        let summary = rig.drive(&run);
        assert_eq!((summary.ended, summary.is_good()), (Ended::Undone, true));
        let log = rig.estate.log();
        assert!(place(&log, "d: undo estate/make #1") < place(&log, "b: undo estate/show #1"));
        assert!(place(&log, "b: undo estate/make #1") < place(&log, "a: undo estate/show #1"));
        assert!(place(&log, "c: undo estate/make #1") < place(&log, "a: undo estate/show #1"));
        assert!(rig.estate.effects().is_empty());
        rig.assert_folds(&run);
    });
}

#[test]
fn what_a_dropped_task_stands_on_is_not_taken_back_either() {
    on_each(|rig| {
        let mut tasks = diamond();
        tasks[1].steps.push(sample::step("estate/drop", Phase::Drop));
        let run = rig.start(tasks);
        assert!(rig.drive(&run).is_good());
        service::undo(&rig.engine(), &run, "me").unwrap();
        let summary = rig.drive(&run);
        assert_eq!((summary.ended, summary.run.counters.undone), (Ended::Undone, 2));
        let rows = rig.rows(&run);
        for id in ["a", "b"] {
            assert_eq!(rows[id].error.as_ref().map(|error| error.code), Some(code::UNDO_REFUSED), "{id}");
        }
        assert!(!rig.estate.log().contains("a: undo"));
        rig.assert_folds(&run);
    });
}

#[test]
fn a_phase_that_is_done_again_unblocks_nothing_a_second_time() {
    on_each(|rig| {
        let waits = sample::after(sample::after(task("d"), "a", Phase::Backfill), "b", Phase::Publish);
        let run = rig.start(vec![waits, task("a"), task("b")]);
        // `a` fails in its check, so that it fills again; `b` has not even begun by then.
        rig.estate.script("a", "estate/wait", [Act::CheckFails]);
        rig.estate.script("b", "estate/make", [Act::Fail(ErrorClass::Permanent)]);
        rig.drive(&run);
        service::retry_failed(&rig.engine(), &run, None, "me").unwrap();
        assert!(rig.drive(&run).is_good());
        let log = rig.estate.log();
        assert_eq!(log.matches("a: estate/fill #1").count(), 2, "{log}");
        assert!(place(&log, "b: estate/show #1") < place(&log, "d: estate/make #1"), "{log}");
        rig.assert_folds(&run);
    });
}
