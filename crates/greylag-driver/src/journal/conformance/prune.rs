//! What every journal that can let go of things must do.

use super::{
    Make, NOW, TTL, batch, done, lease_step, one, refused, started, three_tasks, transition, two_steps, worker,
};
use crate::journal::{Prune, RunLease, sample};
use greylag_model::code::engine as code;
use greylag_model::id::{PlanId, RunId, Timestamp};
use greylag_model::plan::Plan;
use greylag_model::task::{Goal, Input, RunEvent};
use serde_json::json;

/// Makes an empty journal that can let go of things.
pub type MakePrune<'a> = &'a dyn Fn() -> Box<dyn Prune>;

/// Runs the whole suite, that of a journal included; panics where the journal differs.
pub fn run(make: MakePrune<'_>) {
    let journal: Make<'_> = &|| make();
    super::run(journal);
    plans_that_no_run_executes_go(&*make());
    runs_that_have_ended_go_whole(&*make());
    what_goes_on_stays(&*make());
    names_of_removed_runs_stay_taken(&*make());
    sizes_are_told(&*make());
    shrinking_keeps_all_content(&*make());
}

fn short() -> Plan {
    sample::plan("p-1", vec![sample::task("a", vec![sample::step("test/one", greylag_model::task::Phase::Expand)])])
}

/// A run of a plan of one task, which is done.
fn ended(journal: &dyn Prune) -> RunLease {
    let lease = started(journal, &short());
    let attempt = lease_step(journal, &lease, 0);
    journal.checkpoint(&attempt, "chunk-1", &json!(1)).unwrap();
    let mut step = transition(&one(journal, &lease, 0), vec![done()]);
    step.output = Some(super::StepOutput { step: 0, name: "test/one".to_owned(), value: json!({"rows": 10}).into() });
    let mut last = batch(vec![step]);
    last.run_events = vec![RunEvent::RunStarted];
    last.run_events_after = vec![RunEvent::RunEnded { goal: Goal::Finish }];
    journal.commit(&lease, &last).unwrap();
    journal.release(&lease).unwrap();
    lease
}

fn plans_that_no_run_executes_go(journal: &dyn Prune) {
    let plan = three_tasks();
    journal.save_plan(&plan).unwrap();
    let other = sample::plan("p-2", vec![two_steps("a")]);
    journal.save_plan(&other).unwrap();
    assert!(journal.remove_plan(&plan.header.id).unwrap());
    assert!(!journal.remove_plan(&plan.header.id).unwrap(), "it is gone");
    assert_eq!(journal.plan(&plan.header.id).unwrap(), None);
    assert_eq!(journal.plan_tasks(&plan.header.id, 0, 10).unwrap(), []);
    assert_eq!(journal.plans(10).unwrap(), [other.header]);
    // Planned again it is there again.
    journal.save_plan(&plan).unwrap();
    assert_eq!(journal.plan_tasks(&plan.header.id, 0, 10).unwrap(), plan.tasks);
}

fn runs_that_have_ended_go_whole(journal: &dyn Prune) {
    let lease = ended(journal);
    let plan = short().header.id;
    refused(journal.remove_plan(&plan), code::PLAN_IN_USE);
    assert!(journal.remove_run(&lease.run, NOW).unwrap());
    assert!(!journal.remove_run(&lease.run, NOW).unwrap(), "it is gone");
    assert_eq!(journal.run(&lease.run).unwrap(), None);
    assert_eq!(journal.runs(10).unwrap(), []);
    refused(journal.events(&lease.run, 0, 10), code::RUN_UNKNOWN);
    refused(journal.output(&lease.run, 0, "test/one"), code::RUN_UNKNOWN);
    refused(journal.claim(&lease.run, &worker("w-2"), NOW, TTL), code::RUN_UNKNOWN);
    assert!(journal.remove_plan(&plan).unwrap(), "nothing executes it any more");
}

fn what_goes_on_stays(journal: &dyn Prune) {
    let lease = started(journal, &short());
    refused(journal.remove_run(&lease.run, NOW), code::RUN_IN_USE);
    journal.release(&lease).unwrap();
    refused(journal.remove_run(&lease.run, NOW), code::RUN_IN_USE);
    assert!(journal.run(&lease.run).unwrap().is_some(), "what was refused is there whole");
    assert_eq!(journal.events(&lease.run, 0, 10).unwrap().len(), 2);
    // One that has ended, but that a process has just taken up again.
    let lease = journal.claim(&lease.run, &worker("w-1"), NOW, TTL).unwrap();
    let skipped = transition(
        &one(journal, &lease, 0),
        vec![Input::Skip(greylag_model::task::Failure::new(
            greylag_model::spec::ErrorClass::Permanent,
            code::RUN_ABORTED,
            "aborted",
        ))],
    );
    let mut last = batch(vec![skipped]);
    last.run_events_after = vec![RunEvent::RunEnded { goal: Goal::Abort }];
    journal.commit(&lease, &last).unwrap();
    refused(journal.remove_run(&lease.run, NOW), code::RUN_IN_USE);
    journal.release(&lease).unwrap();
    assert!(journal.remove_run(&lease.run, NOW).unwrap());
}

fn names_of_removed_runs_stay_taken(journal: &dyn Prune) {
    let lease = ended(journal);
    assert_eq!(journal.removed_at(&lease.run).unwrap(), None);
    journal.remove_run(&lease.run, Timestamp(7_000)).unwrap();
    assert_eq!(journal.removed_at(&lease.run).unwrap(), Some(Timestamp(7_000)));
    refused(journal.create_run(&lease.run, &short().header.id, NOW), code::RUN_EXISTS);
    journal.create_run(&RunId::new("r-2"), &short().header.id, NOW).unwrap();
}

fn sizes_are_told(journal: &dyn Prune) {
    assert_eq!(journal.plan_bytes(&PlanId::new("p-1")).unwrap(), 0);
    assert_eq!(journal.run_bytes(&RunId::new("r-1")).unwrap(), 0);
    let lease = started(journal, &short());
    let before = journal.run_bytes(&lease.run).unwrap();
    assert!(journal.plan_bytes(&short().header.id).unwrap() > 100);
    let attempt = lease_step(journal, &lease, 0);
    journal.checkpoint(&attempt, "chunk-1", &json!("x".repeat(1_000))).unwrap();
    assert!(journal.run_bytes(&lease.run).unwrap() > before + 1_000);
}

fn shrinking_keeps_all_content(journal: &dyn Prune) {
    let large: Vec<_> = (0..200).map(|number| two_steps(&format!("task-{number}"))).collect();
    let large = sample::plan("p-large", large);
    journal.save_plan(&large).unwrap();
    let lease = ended(journal);
    let events = journal.events(&lease.run, 0, 100).unwrap();
    journal.remove_plan(&large.header.id).unwrap();
    let shrunk = journal.shrink().unwrap();
    assert!(shrunk.after < shrunk.before, "{shrunk:?}");
    assert_eq!(journal.events(&lease.run, 0, 100).unwrap(), events);
    assert_eq!(journal.plans(10).unwrap(), [short().header]);
    let again = journal.shrink().unwrap();
    assert!(again.after <= again.before, "{again:?}");
    // And it goes on working.
    let lease = journal.claim(&lease.run, &worker("w-1"), NOW, TTL).unwrap();
    journal.commit(&lease, &batch(Vec::new())).unwrap();
    journal.release(&lease).unwrap();
}
