//! What every journal must do with limits and cohorts.

use super::{NOW, TTL, started, two_steps, worker};
use crate::journal::{Batch, Journal, RunLease, sample};
use greylag_model::code::engine as code;
use greylag_model::id::{PlanId, RunId, Timestamp};
use greylag_model::limit::{Ask, Limit, Limits, Rate};
use greylag_model::plan::PlanTask;
use greylag_model::rollout::{Cohort, Gate, Rollout};
use greylag_model::task::TaskState;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn run(make: super::Make<'_>) {
    limits_are_replaced_as_a_whole(&*make());
    what_one_run_has_another_has_not(&*make());
    a_share_ends_with_its_lease(&*make());
    tokens_are_remembered(&*make());
    the_ready_are_found_by_what_limits_them(&*make());
    later_cohorts_begin_as_gated_and_their_state_is_kept(&*make());
}

fn ask(in_use: u64, wanted: usize) -> Ask {
    let wanted = vec![vec!["all".to_owned()]; wanted];
    Ask { weight: 2, in_use: BTreeMap::from([("all".to_owned(), in_use)]), wanted }
}

fn get(journal: &dyn Journal, lease: &RunLease, in_use: u64, wanted: usize) -> usize {
    let allotted = journal.allot(lease, &ask(in_use, wanted), NOW).unwrap();
    allotted.granted.iter().filter(|granted| **granted).count()
}

fn all(concurrency: Option<u64>, starts: Option<Rate>) -> Limits {
    Limits(BTreeMap::from([("all".to_owned(), Limit { concurrency, starts })]))
}

/// Two runs of one plan, each driven by a worker of its own.
fn two_runs(journal: &dyn Journal) -> [RunLease; 2] {
    let first = started(journal, &sample::plan("p-1", vec![two_steps("a")]));
    let other = RunId::new("other");
    journal.create_run(&other, &PlanId::new("p-1"), NOW).unwrap();
    [first, journal.claim(&other, &worker("w-other"), NOW, TTL).unwrap()]
}

fn limits_are_replaced_as_a_whole(journal: &dyn Journal) {
    assert!(journal.limits().unwrap().is_empty());
    let before = journal.version().unwrap();
    let limits = Limits(BTreeMap::from([
        ("store:*".to_owned(), Limit { concurrency: Some(2), starts: None }),
        (
            "owner:group:default/a".to_owned(),
            Limit { concurrency: None, starts: Some(Rate { count: 1, per_millis: 2, burst: 3 }) },
        ),
    ]));
    journal.set_limits(&limits).unwrap();
    assert_ne!(journal.version().unwrap(), before);
    assert_eq!(journal.limits().unwrap(), limits);
    journal.set_limits(&all(Some(1), None)).unwrap();
    assert_eq!(journal.limits().unwrap(), all(Some(1), None));
}

fn what_one_run_has_another_has_not(journal: &dyn Journal) {
    let [one, other] = two_runs(journal);
    journal.set_limits(&all(Some(3), None)).unwrap();
    assert_eq!(get(journal, &one, 0, 2), 2);
    assert_eq!(get(journal, &other, 0, 2), 1);
    let known = journal.limit_use(NOW).unwrap();
    assert_eq!((known.len(), known[0].key.as_str(), known[0].shares.len()), (1, "all", 2));
    // It says what it has, and that is less now.
    assert_eq!(get(journal, &one, 0, 0), 0);
    assert_eq!(get(journal, &other, 1, 5), 2);
    let overtaken = RunLease { epoch: one.epoch - 1, ..one };
    assert_eq!(journal.allot(&overtaken, &ask(0, 1), NOW).unwrap_err().code, code::LEASE_LOST);
}

fn a_share_ends_with_its_lease(journal: &dyn Journal) {
    let [one, other] = two_runs(journal);
    journal.set_limits(&all(Some(1), None)).unwrap();
    assert_eq!(get(journal, &one, 0, 1), 1);
    assert_eq!(get(journal, &other, 0, 1), 0);
    journal.release(&one).unwrap();
    assert_eq!(get(journal, &other, 0, 1), 1);
    assert_eq!(journal.limit_use(NOW).unwrap()[0].shares.len(), 1);
}

fn tokens_are_remembered(journal: &dyn Journal) {
    let [one, other] = two_runs(journal);
    journal.set_limits(&all(None, Some(Rate { count: 1, per_millis: 100, burst: 2 }))).unwrap();
    assert_eq!(get(journal, &one, 0, 2), 2);
    let refused = journal.allot(&other, &ask(0, 1), NOW).unwrap();
    assert_eq!((refused.granted, refused.next), (vec![false], Some(NOW.plus_millis(100))));
    let later = journal.allot(&other, &ask(0, 1), NOW.plus_millis(100)).unwrap();
    assert_eq!(later.granted, [true]);
}

fn the_ready_are_found_by_what_limits_them(journal: &dyn Journal) {
    let task = |id: &str, store: &str| {
        let mut task = two_steps(id);
        task.dataset_mut().unwrap().source.dataset.location.connection = Some(store.to_owned());
        task
    };
    let tasks = vec![task("a", "x"), task("b", "x"), task("c", "y"), task("d", "x"), task("e", "z")];
    let lease = started(journal, &sample::plan("p-1", tasks));
    let due = |ready: usize, closed: &[u32]| {
        let closed: BTreeSet<u32> = closed.iter().copied().collect();
        let tasks = journal.due_beside(&lease.run, NOW, ready, &closed).unwrap();
        tasks.iter().map(|task| (task.plan.id.to_string(), task.lane)).collect::<Vec<_>>()
    };
    let named = |tasks: &[(&str, u32)]| tasks.iter().map(|(id, lane)| ((*id).to_owned(), *lane)).collect::<Vec<_>>();
    assert_eq!(due(2, &[]), named(&[("a", 1), ("b", 1), ("c", 2), ("e", 3)]));
    assert_eq!(due(9, &[1]), named(&[("c", 2), ("e", 3)]));
    assert_eq!(due(9, &[2, 3]), named(&[("a", 1), ("b", 1), ("d", 1)]));
    assert_eq!(due(9, &[1, 2, 3]), []);
    assert_eq!(journal.due_beside(&lease.run, Timestamp(0), 9, &BTreeSet::new()).unwrap().len(), 0, "not yet");
    assert!(journal.load(&lease.run, &[4]).unwrap()[0].lane == 3);
}

fn later_cohorts_begin_as_gated_and_their_state_is_kept(journal: &dyn Journal) {
    let mut plan = sample::plan("p-1", vec![two_steps("a"), PlanTask { cohort: 1, ..two_steps("b") }]);
    let cohort = |name: &str| Cohort { name: name.to_owned(), tasks: 1, gate: Gate::default() };
    let rollout = Rollout { cohorts: vec![cohort("first"), cohort("rest")] };
    plan.header.rollout = Some(rollout.clone());
    let lease = started(journal, &plan);
    let record = journal.run(&lease.run).unwrap().unwrap();
    assert_eq!((record.counters.ready, record.counters.pending, record.cohorts.len()), (1, 1, 0));
    let rows = journal.load(&lease.run, &[0, 1]).unwrap();
    assert_eq!([rows[0].row.gated, rows[1].row.gated], [false, true]);
    assert_eq!(rows[1].row.state, TaskState::Pending);
    let cohorts = rollout.begin(NOW);
    let batch = Batch { now: NOW, cohorts: Some(cohorts.clone()), ..Batch::default() };
    assert!(!batch.is_empty());
    journal.commit(&lease, &batch).unwrap();
    journal.commit(&lease, &Batch { now: NOW, ..Batch::default() }).unwrap();
    assert_eq!(journal.run(&lease.run).unwrap().unwrap().cohorts, cohorts);
    // A task in a cohort that is not there, or that waits for a later one, is no plan.
    plan.tasks[1].cohort = 2;
    assert_eq!(journal.save_plan(&plan).unwrap_err().code, code::PLAN_INVALID);
    plan.tasks[1].cohort = 1;
    plan.tasks[0] = sample::after(two_steps("a"), "b", greylag_model::task::Phase::Publish);
    assert_eq!(journal.save_plan(&plan).unwrap_err().code, code::PLAN_INVALID);
}
