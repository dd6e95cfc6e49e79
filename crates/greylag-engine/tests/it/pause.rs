//! Pausing, resuming, stopping.
#![expect(clippy::unwrap_used, reason = "tests")]

use crate::rig::{Act, Rig, on_each, task};
use greylag_engine::{Ended, RunSummary, service};
use greylag_model::code::engine as code;
use greylag_model::id::RunId;
use greylag_model::task::{RunState, TaskState};

fn paused_from_outside(rig: &Rig) -> (RunId, RunSummary) {
    let run = rig.start((0..10).map(|number| task(&format!("t{number}"))).collect());
    rig.estate.script("t3", "estate/fill", [Act::WorkUntilTold]);
    // A process of its own, as it were: another connection to the same journal.
    let other = rig.engine();
    let summary = std::thread::scope(|scope| {
        scope.spawn(|| {
            rig.estate.await_working(1);
            // Left for the process that drives, or met by it before one could look.
            service::pause(&other, &run, "me").unwrap();
        });
        rig.drive(&run)
    });
    (run, summary)
}

#[test]
fn another_process_pauses_a_run_and_it_goes_on_from_there() {
    on_each(|rig| {
        let (run, summary) = paused_from_outside(rig);
        assert_eq!((summary.ended, summary.run.row.state), (Ended::Paused, RunState::Paused));
        assert_eq!((summary.run.counters.running, summary.run.lease), (0, None));
        let row = &rig.rows(&run)["t3"];
        assert_eq!((row.state, row.attempt, row.failures), (TaskState::Ready, 1, 0));
        let log = rig.estate.log();
        assert_eq!(rig.drive(&run).ended, Ended::Paused);
        assert_eq!(rig.estate.log(), log);
        let engine = rig.engine();
        assert_eq!(service::pause(&engine, &run, "me").unwrap_err().code, code::WRONG_STATE);
        let asked = service::resume(&engine, &run, "me").unwrap();
        assert_eq!(asked.run().row.state, RunState::Running);
        drop(engine);
        assert!(rig.drive(&run).is_good());
        assert_eq!(rig.estate.effects().len(), 40);
        rig.assert_folds(&run);
    });
}

#[test]
fn a_paused_run_can_be_undone_or_aborted() {
    on_each(|rig| {
        let (run, _) = paused_from_outside(rig);
        service::undo(&rig.engine(), &run, "me").unwrap();
        assert_eq!(rig.drive(&run).ended, Ended::Undone);
        assert!(rig.estate.effects().is_empty());
        rig.assert_folds(&run);
    });
}

#[test]
fn requests_that_mean_nothing_are_refused_and_change_nothing() {
    on_each(|rig| {
        let run = rig.start(vec![task("a")]);
        assert!(rig.drive(&run).is_good());
        let story = rig.story(&run);
        let engine = rig.engine();
        let none = RunId::new("none");
        for refused in [
            service::pause(&engine, &run, "me"),
            service::resume(&engine, &run, "me"),
            service::abort(&engine, &run, "me"),
        ] {
            assert_eq!(refused.unwrap_err().code, code::WRONG_STATE);
        }
        assert_eq!(service::pause(&engine, &none, "me").unwrap_err().code, code::RUN_UNKNOWN);
        assert_eq!(rig.story(&run), story);
    });
}
