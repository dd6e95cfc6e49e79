//! Cohorts, their gates, and windows.
#![expect(clippy::unwrap_used, reason = "tests")]

use crate::rig::{Act, Fragile, Kill, Rig, drive, limits, on_each, task};
use greylag_driver::executor::Progress;
use greylag_driver::fault::NoFaults;
use greylag_driver::journal::sample;
use greylag_engine::{Commit, Ended, Happened, Limits, Observer, RunSummary, service};
use greylag_model::code::engine as code;
use greylag_model::id::{RunId, TaskId, Timestamp};
use greylag_model::plan::{Plan, PlanTask};
use greylag_model::rollout::{Cohort, Gate, Held, Rollout, Window};
use greylag_model::spec::ErrorClass;
use greylag_model::task::{Phase, RunEvent, TaskState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A plan of cohorts, each with its tasks and its gate.
fn plan(cohorts: &[(&str, &[&str], Gate)]) -> Plan {
    let mut tasks: Vec<PlanTask> = Vec::new();
    let mut rollout = Rollout::default();
    for (number, (name, ids, gate)) in cohorts.iter().enumerate() {
        tasks.extend(ids.iter().map(|id| PlanTask { cohort: number as u32, ..task(id) }));
        rollout.cohorts.push(Cohort { name: (*name).to_owned(), tasks: ids.len() as u64, gate: *gate });
    }
    let mut plan = sample::plan("p-1", tasks);
    plan.header.rollout = Some(rollout);
    plan
}

fn begun(rig: &Rig, task: &str) -> bool {
    rig.estate.log().contains(&format!("{task}:"))
}

/// Drives with a look at the world every ten minutes of the clock, so that days pass quickly.
fn drive_patiently(rig: &Rig, run: &RunId) -> RunSummary {
    let limits = Limits { tick_millis: 600_000, lease_millis: 86_400_000, ..limits() };
    drive(&rig.engine_on(rig.medium.open(), Arc::new(NoFaults), limits), run)
}

/// A clock that leaps over minutes must make no time-outs.
fn be_patient(tasks: &mut [PlanTask]) {
    tasks.iter_mut().flat_map(|task| &mut task.steps).for_each(|step| step.timeout_millis = 10_800_000);
}

fn held(rig: &Rig, run: &RunId, cohort: usize) -> Option<Held> {
    rig.medium.open().run(run).unwrap().unwrap().cohorts[cohort].held
}

#[test]
fn cohorts_go_one_after_the_other() {
    on_each(|rig| {
        let mut plan = plan(&[
            ("canary", &["a"], Gate::default()),
            ("more", &["b", "c"], Gate::default()),
            ("rest", &["d"], Gate::default()),
        ]);
        // Lineage inside a later cohort, and from one to an earlier.
        plan.tasks[2] = sample::after(plan.tasks[2].clone(), "b", Phase::Publish);
        plan.tasks[3] = sample::after(plan.tasks[3].clone(), "a", Phase::Publish);
        let run = rig.start_plan(&plan);
        assert_eq!(rig.counters(&run).pending, 3);
        assert!(rig.drive(&run).is_good());
        let story = rig.story(&run);
        let at = |line: &str| story.lines().position(|each| each == line).unwrap_or_else(|| panic!("{line}:\n{story}"));
        let done = |task: &str| at(&format!("{task}: step_done estate/show"));
        let begins = |task: &str| at(&format!("{task}: attempt_started estate/make"));
        assert!(done("a") < begins("b") && done("b") < begins("c") && done("c") < begins("d"), "{story}");
        assert_eq!(story.lines().filter(|line| *line == "cohort_released").count(), 2);
        let cohorts = rig.medium.open().run(&run).unwrap().unwrap().cohorts;
        assert!(cohorts.iter().all(|row| row.released_at.is_some() && row.landed == row.tasks && row.bad == 0));
        rig.assert_folds(&run);
    });
}

#[test]
fn more_failures_than_may_hold_what_follows_until_they_are_mended_or_a_person_says_otherwise() {
    on_each(|rig| {
        let gate = Gate { max_failures: 1, ..Gate::default() };
        let run = rig.start_plan(&plan(&[("canary", &["a", "b", "c"], gate), ("rest", &["d"], Gate::default())]));
        for task in ["a", "b"] {
            rig.estate.script(task, "estate/fill", [Act::Fail(ErrorClass::Permanent)]);
        }
        let summary = rig.drive(&run);
        assert_eq!(summary.ended, Ended::NeedsPerson);
        assert_eq!(held(rig, &run, 0), Some(Held::Failures { most: 1 }));
        assert!(!begun(rig, "d"));
        // A second process finds it held as well, and does not tell it twice.
        assert_eq!(rig.drive(&run).ended, Ended::NeedsPerson);
        assert_eq!(rig.story(&run).matches("cohort_held").count(), 1);
        // A yes that does not speak of the failures is no yes to them.
        let engine = rig.engine();
        service::approve_cohort(&engine, &run, "canary", ("me", None), false).unwrap();
        drop(engine);
        assert_eq!(rig.drive(&run).ended, Ended::NeedsPerson);
        // One of the two is mended: one may fail.
        let engine = rig.engine();
        service::retry_failed(&engine, &run, Some(&TaskId::new("a")), "me").unwrap();
        drop(engine);
        let summary = rig.drive(&run);
        assert_eq!(
            (summary.ended, summary.run.counters.succeeded, summary.run.counters.failed),
            (Ended::Finished, 3, 1)
        );
        assert!(begun(rig, "d"));
        rig.assert_folds(&run);
    });
}

#[test]
fn a_person_may_let_the_next_go_despite_failures() {
    on_each(|rig| {
        let run = rig.start_plan(&plan(&[("canary", &["a"], Gate::default()), ("rest", &["b"], Gate::default())]));
        rig.estate.script("a", "estate/fill", [Act::Fail(ErrorClass::Permanent)]);
        assert_eq!(rig.drive(&run).ended, Ended::NeedsPerson);
        let engine = rig.engine();
        let approve = |cohort: &str| service::approve_cohort(&engine, &run, cohort, ("ada", Some("known")), true);
        assert_eq!(approve("no").unwrap_err().code, code::WRONG_STATE);
        assert_eq!(approve("rest").unwrap_err().code, code::WRONG_STATE);
        approve("canary").unwrap();
        let approval = rig.medium.open().run(&run).unwrap().unwrap().cohorts[0].approval.clone().unwrap();
        assert_eq!(
            (approval.by.as_str(), approval.why.as_deref(), approval.despite_failures),
            ("ada", Some("known"), true)
        );
        drop(engine);
        assert_eq!(rig.drive(&run).ended, Ended::Finished);
        assert_eq!(rig.rows(&run)["b"].state, TaskState::Succeeded);
        let engine = rig.engine();
        let late = service::approve_cohort(&engine, &run, "canary", ("ada", None), false).unwrap_err();
        assert!(late.message.contains("released already"), "{}", late.message);
        rig.assert_folds(&run);
    });
}

#[test]
fn a_soak_passes_by_itself_and_then_a_person_is_asked() {
    on_each(|rig| {
        let gate = Gate { soak_millis: 3_600_000, approval: true, ..Gate::default() };
        let mut plan = plan(&[("canary", &["a"], gate), ("rest", &["b"], Gate::default())]);
        be_patient(&mut plan.tasks);
        let run = rig.start_plan(&plan);
        assert_eq!(drive_patiently(rig, &run).ended, Ended::NeedsPerson);
        assert_eq!(held(rig, &run, 0), Some(Held::WantsApproval));
        let row = rig.medium.open().run(&run).unwrap().unwrap().cohorts[0].clone();
        let entries = rig.medium.open().events(&run, 0, 1_000).unwrap();
        assert!(
            entries.last().unwrap().at.millis_since(row.changed_at) >= 3_600_000,
            "the clock has leapt over the soak"
        );
        let engine = rig.engine();
        service::approve_cohort(&engine, &run, "canary", ("me", None), false).unwrap();
        drop(engine);
        assert!(rig.drive(&run).is_good());
        rig.assert_folds(&run);
    });
}

#[test]
fn an_abort_and_an_undo_reach_cohorts_that_were_never_released() {
    on_each(|rig| {
        let gate = Gate { approval: true, ..Gate::default() };
        let run = rig.start_plan(&plan(&[("canary", &["a"], gate), ("rest", &["b"], Gate::default())]));
        assert_eq!(rig.drive(&run).ended, Ended::NeedsPerson);
        let engine = rig.engine();
        service::abort(&engine, &run, "me").unwrap();
        drop(engine);
        assert_eq!(rig.drive(&run).ended, Ended::Aborted);
        assert_eq!(rig.rows(&run)["b"].state, TaskState::Skipped);
        // Taken up again it still waits for the gate, and goes once that is open.
        let engine = rig.engine();
        service::retry_failed(&engine, &run, None, "me").unwrap();
        drop(engine);
        assert_eq!(rig.drive(&run).ended, Ended::NeedsPerson);
        assert!(!begun(rig, "b"));
        let engine = rig.engine();
        service::approve_cohort(&engine, &run, "canary", ("me", None), false).unwrap();
        drop(engine);
        assert_eq!(rig.drive(&run).ended, Ended::Finished);
        let engine = rig.engine();
        service::undo(&engine, &run, "me").unwrap();
        drop(engine);
        assert_eq!(rig.drive(&run).ended, Ended::Undone);
        assert!(rig.estate.effects().is_empty());
        rig.assert_folds(&run);
    });
}

/// Ends the life as soon as a cohort is held.
struct UntilHeld(AtomicBool);

impl Observer for UntilHeld {
    fn committed(&self, commit: &Commit<'_>) {
        let held = |happened: Happened<'_>| matches!(happened, Happened::Run(RunEvent::CohortHeld { .. }));
        if commit.events().any(|(_, happened)| held(happened)) {
            self.0.store(true, Ordering::Release);
        }
    }
    fn progress(&self, _: &[(&TaskId, Progress)]) {}
}

/// The time of a soak that a person has cut short by taking up a task of the cohort is no time that anything waits for.
#[test]
fn a_task_taken_up_while_its_cohort_soaks_begins_the_soak_anew() {
    on_each(|rig| {
        let gate = Gate { max_failures: 2, soak_millis: 60_000, ..Gate::default() };
        let mut plan = plan(&[("canary", &["a", "b"], gate), ("rest", &["c"], Gate::default())]);
        plan.tasks[1] = sample::after(plan.tasks[1].clone(), "a", Phase::Publish);
        let run = rig.start_plan(&plan);
        rig.estate.script("a", "estate/fill", [Act::Fail(ErrorClass::Permanent)]);
        let watch = UntilHeld(AtomicBool::new(false));
        assert_eq!(rig.engine().drive(&run, &watch, &watch.0).unwrap().ended, Ended::Stopped);
        assert!(matches!(held(rig, &run, 0), Some(Held::Soaks { .. })));
        rig.clock.advance_millis(1_000);
        // What it waits for is not taken up with it, so all that is left to do for it is to skip it again.
        service::retry_failed(&rig.engine(), &run, Some(&TaskId::new("b")), "me").unwrap();
        let engine = |kill: &Arc<Kill>| {
            let journal = Arc::new(Fragile::with(rig.medium.open(), kill.clone()));
            rig.engine_on(journal, kill.clone(), limits())
        };
        let kill = Arc::new(Kill::default());
        let summary = drive(&engine(&kill), &run);
        assert_eq!((summary.ended, summary.run.counters.succeeded), (Ended::Finished, 1));
        assert_eq!(rig.story(&run).matches("cohort_held").count(), 2);
        assert!(begun(rig, "c"));
        rig.assert_folds(&run);
    });
}

#[test]
fn a_task_waits_for_its_window_before_it_begins_and_before_others_see_it() {
    on_each(|rig| {
        let hour = 3_600_000;
        // Thursday 1970-01-01, 00:16: the window is from one to two.
        let window = Window { days: vec![4], from: 60, to: 120, zone: "UTC".to_owned() };
        let mut tasks = vec![PlanTask { window: Some(window), ..task("slow") }, task("free")];
        be_patient(&mut tasks);
        let run = rig.start(tasks);
        // It works until after the window has closed, so that it is published when it opens again, a week later.
        rig.estate.script("slow", "estate/fill", [Act::Pend(2 * hour)]);
        let summary = drive_patiently(rig, &run);
        assert_eq!((summary.ended, summary.run.counters.succeeded), (Ended::Finished, 2));
        let entries = rig.medium.open().events(&run, 0, 1_000).unwrap();
        let at = |kind: &str, uses: &str| {
            let found = entries.iter().find(|entry| {
                let value = serde_json::to_value(entry).unwrap();
                value["task"] == "slow" && value["kind"] == kind && (uses.is_empty() || value["uses"] == uses)
            });
            found.unwrap_or_else(|| panic!("{kind} {uses}:\n{}", rig.story(&run))).at
        };
        assert_eq!(at("attempt_started", "estate/make"), Timestamp(hour));
        assert!(at("postponed", "") < Timestamp(hour));
        assert_eq!(at("attempt_started", "estate/show"), Timestamp(7 * 24 * hour + hour));
        rig.assert_folds(&run);
    });
}
