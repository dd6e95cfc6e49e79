//! Aborting.
#![expect(clippy::unwrap_used, reason = "tests")]

use crate::rig::{Act, on_each, task};
use greylag_engine::{Ended, service};
use greylag_model::code::engine as code;
use greylag_model::task::{RunState, TaskState};

#[test]
fn skips_what_has_not_ended_and_gives_up_pending_work() {
    on_each(|rig| {
        let run = rig.start((0..5).map(|number| task(&format!("t{number}"))).collect());
        rig.estate.script("t0", "estate/make", [Act::Pend(3_600_000)]);
        rig.estate.script("t1", "estate/make", [Act::WorkUntilTold]);
        let other = rig.engine();
        let summary = std::thread::scope(|scope| {
            scope.spawn(|| {
                rig.estate.await_working(1);
                while rig.rows(&run)["t0"].state != TaskState::Waiting {
                    std::thread::yield_now();
                }
                service::abort(&other, &run, "me").unwrap();
            });
            rig.drive(&run)
        });
        assert_eq!((summary.ended, summary.run.row.state), (Ended::Aborted, RunState::Aborted));
        let rows = rig.rows(&run);
        assert_eq!((rows["t0"].state, rows["t1"].state), (TaskState::Skipped, TaskState::Skipped));
        assert_eq!(rows["t0"].error.as_ref().map(|error| error.code), Some(code::RUN_ABORTED));
        assert_eq!(summary.run.counters.open(), 0);
        // Others may have come to a step that is pending by then.
        let cancelled = rig.estate.cancelled();
        assert!(cancelled.contains(&"t0/estate/make".to_owned()), "{cancelled:?}");
        rig.assert_folds(&run);
        // A person may think better of it.
        service::retry_failed(&rig.engine(), &run, None, "me").unwrap();
        assert!(rig.drive(&run).is_good());
        rig.assert_folds(&run);
    });
}

#[test]
fn without_a_process_that_drives_is_done_at_once() {
    on_each(|rig| {
        let run = rig.start(vec![task("a"), task("b")]);
        let asked = service::abort(&rig.engine(), &run, "me").unwrap();
        assert_eq!(asked.run().row.state, RunState::Aborted);
        assert_eq!(asked.run().counters.skipped, 2);
        assert_eq!(rig.estate.log(), "");
        assert_eq!(rig.drive(&run).ended, Ended::Aborted);
        let again = service::abort(&rig.engine(), &run, "me");
        assert_eq!(again.unwrap_err().code, code::WRONG_STATE);
    });
}
