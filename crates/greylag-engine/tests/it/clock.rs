//! Clocks that jump.

use crate::rig::{Act, Medium, Rig, task};
use greylag_driver::executor::Progress;
use greylag_engine::{Commit, Happened, Observer};
use greylag_model::id::TaskId;
use greylag_model::spec::ErrorClass;
use greylag_model::task::TaskEvent;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Sets the wall clock when an attempt has failed, or is pending.
struct Jump<'a> {
    rig: &'a Rig,
    millis: i64,
    done: AtomicBool,
}

impl Observer for Jump<'_> {
    fn committed(&self, commit: &Commit<'_>) {
        let stirs = |happened: Happened<'_>| {
            matches!(happened, Happened::Task(_, TaskEvent::AttemptFailed { .. } | TaskEvent::AttemptPending { .. }))
        };
        if commit.events().any(|(_, happened)| stirs(happened)) && !self.done.swap(true, Ordering::Relaxed) {
            self.rig.clock.jump_millis(self.millis);
        }
    }
    fn progress(&self, _: &[(&TaskId, Progress)]) {}
}

fn drive_with_jump(millis: i64) -> u128 {
    use greylag_driver::clock::Clock as _;
    let rig = Rig::new(Medium::Memory(Arc::default()));
    let run = rig.start(vec![task("a"), task("b")]);
    rig.estate.script("a", "estate/fill", [Act::Fail(ErrorClass::Transient)]);
    let begun = rig.clock.elapsed();
    let jump = Jump { rig: &rig, millis, done: AtomicBool::new(false) };
    let summary = rig.engine().drive(&run, &jump, &AtomicBool::new(false));
    assert!(summary.is_ok_and(|summary| summary.is_good()));
    assert!(jump.done.load(Ordering::Relaxed));
    // Nothing timed out, and nobody took the lease for lost.
    assert_eq!(rig.rows(&run)["a"].failures, 0);
    assert!(!rig.story(&run).contains("lost"));
    rig.assert_folds(&run);
    (rig.clock.elapsed().saturating_sub(begun)).as_millis()
}

/// Far below the jumps, and far above what the leaping clock counts while a thread of a busy machine does not get its turn.
const HALF_AN_HOUR: u128 = 1_800_000;

#[test]
fn set_back_an_hour_does_not_make_a_second_an_hour() {
    assert!(drive_with_jump(-3_600_000) < HALF_AN_HOUR);
}

#[test]
fn set_forth_a_day_times_nothing_out() {
    assert!(drive_with_jump(86_400_000) < HALF_AN_HOUR);
}

/// What is asked after goes by the wall and says "not yet" of a time that is over for the engine.
#[test]
fn set_back_while_work_is_pending_does_not_ask_after_it_without_a_pause() {
    let rig = Rig::new(Medium::Memory(Arc::default()));
    let mut waits = task("a");
    waits.steps[0].timeout_millis = 7_200_000;
    let run = rig.start(vec![waits]);
    rig.estate.script("a", "estate/make", [Act::Pend(5_000)]);
    let jump = Jump { rig: &rig, millis: -3_600_000, done: AtomicBool::new(false) };
    let summary = rig.engine().drive(&run, &jump, &AtomicBool::new(false));
    assert!(summary.is_ok_and(|summary| summary.is_good()));
    // Ten times in each second of the hour that the wall has to catch up with, and not as often as a thread can.
    let asked = rig.story(&run).matches("a: attempt_pending").count();
    assert!((100..40_000).contains(&asked), "asked {asked} times");
    rig.assert_folds(&run);
}
