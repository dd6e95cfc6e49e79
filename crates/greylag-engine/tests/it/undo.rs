//! Taking a run back.
#![expect(clippy::unwrap_used, reason = "tests")]

use crate::rig::{Act, on_each, task};
use greylag_driver::journal::sample;
use greylag_engine::{Ended, service};
use greylag_model::code::engine as code;
use greylag_model::spec::ErrorClass;
use greylag_model::task::{Phase, RunState, TaskState};

#[test]
fn sees_what_the_attempt_that_it_takes_back_has_noted() {
    on_each(|rig| {
        let run = rig.start(vec![task("a")]);
        rig.estate.script("a", "estate/fill", [Act::NoteAndFail]);
        rig.drive(&run);
        service::undo(&rig.engine(), &run, "me").unwrap();
        assert!(rig.drive(&run).is_good());
        assert!(rig.estate.notes.lock().unwrap().contains(&"a: note".to_owned()));
    });
}

#[test]
fn walks_the_steps_that_were_begun_newest_first_as_the_preview_said() {
    on_each(|rig| {
        let run = rig.start(vec![task("done"), task("half"), task("none")]);
        rig.estate.script("half", "estate/fill", [Act::Fail(ErrorClass::Permanent)]);
        rig.estate.script("none", "estate/make", [Act::WorldMoved]);
        rig.drive(&run);
        let page = service::undo_preview(&rig.engine(), &run, 0, 10).unwrap();
        let steps: Vec<_> = page.items.iter().map(|item| item.steps.join(" ")).collect();
        assert_eq!(
            steps,
            ["estate/show estate/wait estate/fill estate/make", "estate/fill estate/make", "estate/make"]
        );
        let before = rig.estate.log();
        service::undo(&rig.engine(), &run, "me").unwrap();
        let summary = rig.drive(&run);
        assert_eq!((summary.ended, summary.run.row.state), (Ended::Undone, RunState::Undone));
        assert!(summary.is_good());
        assert!(rig.estate.effects().is_empty());
        let log = rig.estate.log()[before.len()..].to_owned();
        for item in &page.items {
            let start = format!("{}: undo ", item.task);
            let walked: Vec<_> =
                log.lines().filter_map(|line| line.strip_prefix(&start)?.strip_suffix(" #1")).collect();
            assert_eq!(walked, item.steps);
        }
        rig.assert_folds(&run);
        assert_eq!(service::undo(&rig.engine(), &run, "me").unwrap_err().code, code::WRONG_STATE);
    });
}

#[test]
fn a_task_whose_old_dataset_was_dropped_is_refused_and_named() {
    on_each(|rig| {
        let mut dropped = task("dropped");
        dropped.steps.push(sample::step("estate/drop", Phase::Drop));
        let run = rig.start(vec![dropped, task("kept")]);
        assert!(rig.drive(&run).is_good());
        let page = service::undo_preview(&rig.engine(), &run, 0, 10).unwrap();
        assert_eq!(page.items[0].refused.as_ref().map(|error| error.code), Some(code::UNDO_REFUSED));
        service::undo(&rig.engine(), &run, "me").unwrap();
        let summary = rig.drive(&run);
        assert_eq!((summary.ended, summary.is_good()), (Ended::Undone, false));
        let rows = rig.rows(&run);
        assert_eq!((rows["dropped"].state, rows["kept"].state), (TaskState::Succeeded, TaskState::Undone));
        assert_eq!(rows["dropped"].error.as_ref().map(|error| error.code), Some(code::UNDO_REFUSED));
        assert_eq!(rig.estate.effects().len(), 5);
        // What cannot be taken back is not done again either.
        service::retry_failed(&rig.engine(), &run, None, "me").unwrap();
        assert_eq!(rig.drive(&run).ended, Ended::Undone);
        assert_eq!(rig.estate.effects().len(), 5);
        rig.assert_folds(&run);
    });
}

#[test]
fn a_step_back_that_fails_is_tried_again_and_can_be_retried() {
    on_each(|rig| {
        let run = rig.start(vec![task("a"), task("b")]);
        assert!(rig.drive(&run).is_good());
        rig.estate.script("a", "estate/fill", [Act::Fail(ErrorClass::Transient), Act::Fail(ErrorClass::Permanent)]);
        service::undo(&rig.engine(), &run, "me").unwrap();
        let summary = rig.drive(&run);
        assert_eq!((summary.ended, summary.run.counters.failed, summary.run.counters.undone), (Ended::Undone, 1, 1));
        service::retry_failed(&rig.engine(), &run, None, "me").unwrap();
        assert!(rig.drive(&run).is_good());
        assert!(rig.estate.effects().is_empty());
        rig.assert_folds(&run);
    });
}

#[test]
fn of_a_run_that_never_began_takes_nothing_back() {
    on_each(|rig| {
        let run = rig.start(vec![task("a")]);
        service::undo(&rig.engine(), &run, "me").unwrap();
        assert_eq!(rig.drive(&run).ended, Ended::Undone);
        assert_eq!(rig.estate.log(), "");
    });
}
