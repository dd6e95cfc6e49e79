//! Taking a run back.
#![expect(clippy::unwrap_used, reason = "tests")]

use crate::rig::{Act, on_each, task};
use greylag_driver::journal::sample;
use greylag_engine::{Ended, UndoPreview, service};
use greylag_model::code::engine as code;
use greylag_model::spec::ErrorClass;
use greylag_model::task::{Event, Phase, RunState, TaskEvent, TaskState};

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
        let names = |item: &UndoPreview| item.steps.iter().map(|back| back.step.clone()).collect::<Vec<_>>();
        let steps: Vec<_> = page.items.iter().map(|item| names(item).join(" ")).collect();
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
            assert_eq!(walked, names(item));
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
fn what_others_changed_is_told_by_step_and_kept_with_the_task() {
    on_each(|rig| {
        let run = rig.start(vec![task("a"), task("b")]);
        assert!(rig.drive(&run).is_good());
        let engine = rig.engine();
        assert_eq!(service::notes(engine.journal(), &run, 1).unwrap(), [""; 0]);
        service::undo(&engine, &run, "me").unwrap();
        assert!(rig.drive(&run).is_good());
        assert_eq!(service::notes(engine.journal(), &run, 1).unwrap(), ["b/estate/fill was changed by others"]);
        let told = service::events(&engine, &run, 0, 1_000).unwrap().into_iter().filter(
            |entry| matches!(&entry.event, Event::Task(TaskEvent::StepDone { notes, .. }) if !notes.is_empty()),
        );
        assert_eq!(told.count(), 2);
        // What a step put out forwards is not what it says on its way back.
        let output = engine.journal().output(&run, 1, "estate/fill").unwrap();
        assert_eq!(output, Some(serde_json::json!({"attempt": 1})));
    });
}

#[test]
fn a_rehearsal_asks_the_executors_tells_obstacles_and_touches_nothing() {
    on_each(|rig| {
        let run = rig.start(vec![task("free"), task("stuck")]);
        assert!(rig.drive(&run).is_good());
        rig.estate.script("stuck", "estate/fill", [Act::Fail(ErrorClass::Conflict)]);
        let (log, effects) = (rig.estate.log(), rig.estate.effects());
        let seq = service::status(&rig.engine(), &run).unwrap().last_seq;
        let page = service::undo_preview(&rig.engine(), &run, 0, 10).unwrap();
        let said: Vec<_> = page.items.iter().map(|item| (item.task.as_str(), item.is_free())).collect();
        assert_eq!(said, [("free", true), ("stuck", false)]);
        let fill = &page.items[1].steps[2];
        assert_eq!((fill.step.as_str(), fill.rehearsal.obstacles[0].code), ("estate/fill", code::INTERRUPTED));
        assert_eq!(page.items[0].steps[2].rehearsal.does, ["remove free/estate/fill"]);
        assert_eq!((rig.estate.log(), rig.estate.effects()), (log, effects));
        assert_eq!(service::status(&rig.engine(), &run).unwrap().last_seq, seq);
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
