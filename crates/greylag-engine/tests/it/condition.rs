//! Steps with conditions and names of their own.
#![expect(clippy::unwrap_used, reason = "tests")]

use crate::rig::{Act, Rig, custom, on_each, steps};
use greylag_driver::journal::sample;
use greylag_engine::service;
use greylag_model::code::fleet as code;
use greylag_model::plan::PlanTask;
use greylag_model::spec::ErrorClass;
use greylag_model::task::{Phase, Step, TaskState};

fn task(more: impl IntoIterator<Item = Step>) -> PlanTask {
    let mut steps = steps();
    steps.extend(more);
    sample::task("a", steps)
}

/// Custom steps that were begun, with the direction.
fn begun(rig: &Rig) -> Vec<String> {
    rig.estate.log().lines().filter(|line| line.contains("custom/")).map(str::to_owned).collect()
}

#[test]
fn a_step_is_left_out_by_its_condition_and_not_taken_back() {
    on_each(|rig| {
        let run = rig.start(vec![task([
            custom("never", Phase::Publish, Some("false")),
            custom("always", Phase::Publish, Some("steps.never.skipped")),
            custom("neither", Phase::Publish, Some("!steps.never.skipped || steps.always.skipped")),
        ])]);
        assert!(rig.drive(&run).is_good());
        assert_eq!(begun(rig), ["a: custom/mark #1"]);
        assert!(rig.estate.effects().contains_key("a/always"));
        service::undo(&rig.engine(), &run, "me").unwrap();
        assert!(rig.drive(&run).is_good());
        assert_eq!(begun(rig), ["a: custom/mark #1", "a: undo custom/mark #1"]);
        assert!(rig.estate.effects().is_empty());
        rig.assert_folds(&run);
    });
}

#[test]
fn outputs_are_kept_by_name() {
    on_each(|rig| {
        let run = rig.start(vec![task([
            custom("one", Phase::Publish, None),
            custom("two", Phase::Publish, Some("steps['estate/make'].outputs.attempt == 1")),
        ])]);
        assert!(rig.drive(&run).is_good());
        let journal = rig.medium.open();
        for name in ["estate/make", "one", "two"] {
            assert_eq!(journal.output(&run, 0, name).unwrap().unwrap()["attempt"], 1, "{name}");
        }
        assert_eq!(journal.output(&run, 0, "custom/mark").unwrap(), None);
    });
}

#[test]
fn a_condition_without_a_value_fails_its_task() {
    on_each(|rig| {
        let run = rig.start(vec![task([custom("odd", Phase::Publish, Some("steps.nobody.skipped"))])]);
        assert!(!rig.drive(&run).is_good());
        let row = &rig.rows(&run)["a"];
        assert_eq!(row.state, TaskState::Failed);
        assert_eq!(row.error.as_ref().map(|error| error.code), Some(code::STEP_VALUE));
        assert!(begun(rig).is_empty());
    });
}

/// It was begun while its condition held, its task went back, and then the condition did not hold any more.
#[test]
fn what_was_begun_is_taken_back_though_it_was_left_out_later() {
    on_each(|rig| {
        // A fresh backfill is another attempt of it: the first time its output says 1, later what it is told to.
        let mut all = steps();
        all.truncate(2);
        all.push(custom("mark", Phase::Verify, Some("steps['estate/fill'].outputs.attempt == 1")));
        all.push(sample::step("estate/wait", Phase::Verify));
        let run = rig.start(vec![sample::task("a", all)]);
        rig.estate.script("a", "estate/wait", [Act::CheckFails]);
        assert!(!rig.drive(&run).is_good());
        assert!(rig.estate.effects().contains_key("a/mark"));
        // The second backfill fails once, so that its output says that this is attempt 2.
        rig.estate.script("a", "estate/fill", [Act::Fail(ErrorClass::Transient)]);
        service::retry_failed(&rig.engine(), &run, None, "me").unwrap();
        assert!(rig.drive(&run).is_good());
        assert_eq!(begun(rig), ["a: custom/mark #1"]);
        service::undo(&rig.engine(), &run, "me").unwrap();
        assert!(rig.drive(&run).is_good());
        assert_eq!(begun(rig).len(), 2);
        assert!(rig.estate.effects().is_empty());
    });
}
