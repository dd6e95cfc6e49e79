//! A run from its start to its end.
#![expect(clippy::unwrap_used, reason = "tests")]

use crate::rig::{on_each, task};
use greylag_engine::{Commit, Ended, Observer};
use greylag_model::task::{Entry, RunState};
use std::cell::RefCell;
use std::sync::atomic::AtomicBool;

#[test]
fn every_step_of_every_task_is_done_once_and_in_order() {
    on_each(|rig| {
        let ids: Vec<String> = (0..20).map(|number| format!("t{number:02}")).collect();
        let run = rig.start(ids.iter().map(|id| task(id)).collect());
        let summary = rig.drive(&run);
        assert_eq!((summary.ended, summary.run.row.state), (Ended::Finished, RunState::Finished));
        assert!(summary.is_good());
        assert_eq!((summary.run.counters.succeeded, summary.run.steps_done), (20, 80));
        assert_eq!(summary.run.progress.rows, 600);
        assert_eq!(summary.run.lease, None);
        let effects = rig.estate.effects();
        assert_eq!((effects.len(), effects.values().max()), (80, Some(&1)));
        let log = rig.estate.log();
        for id in &ids {
            let mine: Vec<_> = log.lines().filter(|line| line.starts_with(id.as_str())).collect();
            let expected = ["make", "fill", "wait", "show"].map(|step| format!("{id}: estate/{step} #1"));
            assert_eq!(mine, expected);
        }
        rig.assert_folds(&run);
        // Driving what has ended is no work and no change but the claim.
        assert_eq!(rig.drive(&run).ended, Ended::Finished);
        assert_eq!(rig.estate.log(), log);
    });
}

#[test]
fn a_run_without_tasks_ends_at_once() {
    on_each(|rig| {
        let run = rig.start(Vec::new());
        assert_eq!(rig.drive(&run).ended, Ended::Finished);
        assert_eq!(rig.story(&run), "run_created\nrun_claimed\nrun_started\nrun_ended");
    });
}

#[derive(Default)]
struct Recorder(RefCell<Vec<Entry>>);

impl Observer for Recorder {
    fn committed(&self, commit: &Commit<'_>) {
        self.0.borrow_mut().extend(commit.entries());
    }
}

#[test]
fn an_observer_is_told_what_the_journal_has() {
    on_each(|rig| {
        let run = rig.start(vec![task("a"), task("b")]);
        let recorder = Recorder::default();
        rig.engine().drive(&run, &recorder, &AtomicBool::new(false)).unwrap();
        // The first two are of recording and claiming the run, before the loop.
        assert_eq!(recorder.0.into_inner(), rig.medium.open().events(&run, 2, 1_000).unwrap());
    });
}
