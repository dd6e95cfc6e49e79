//! What every journal must do.
#![expect(clippy::unwrap_used, reason = "a conformance suite is test code")]

pub mod prune;
mod quotas;

use super::{
    AttemptKey, Batch, Journal, Loaded, Relation, Request, RunLease, StepOutput, TaskFilter, Transition, sample,
};
use crate::error::DriverError;
use greylag_model::code::engine as code;
use greylag_model::id::{PlanId, RunId, TaskId, Timestamp, WorkerId};
use greylag_model::plan::Plan;
use greylag_model::spec::ErrorClass;
use greylag_model::task::{
    Circumstances, Direction, Event, Input, Phase, Progress, RunEvent, RunRow, RunState, TaskEvent, TaskRow, TaskState,
    apply, apply_run, decide,
};
use serde_json::json;

/// Makes an empty journal.
pub type Make<'a> = &'a dyn Fn() -> Box<dyn Journal>;

/// Runs the whole suite; panics where the journal differs.
pub fn run(make: Make<'_>) {
    plans_are_saved_once_and_loaded_by_the_task(&*make());
    plans_that_cannot_run_are_refused(&*make());
    a_run_is_recorded_whole_or_not_at_all(&*make());
    one_decider_at_a_time(&*make());
    a_decider_that_was_overtaken_is_refused(&*make());
    events_are_numbered_without_gaps_and_fold_to_the_rows(&*make());
    a_transition_from_another_state_or_epoch_spoils_its_batch(&*make());
    what_is_due_comes_in_order_of_time(&*make());
    chunks_are_noted_only_by_the_attempt_that_runs(&*make());
    outputs_are_found_by_name(&*make());
    tasks_are_filtered_and_paged(&*make());
    relations_follow_the_plan(&*make());
    requests_wait_until_they_are_met(&*make());
    progress_shows_until_the_next_event(&*make());
    odd_names_are_kept(&*make());
    a_run_goes_by_another_plan_from_the_event_on(&*make());
    quotas::run(make);
}

const NOW: Timestamp = Timestamp(1_000);
const TTL: i64 = 30_000;
const AROUND: Circumstances = Circumstances { now: NOW, seed: 7, lost_limit: 20 };

fn two_steps(id: &str) -> greylag_model::plan::PlanTask {
    sample::task(id, vec![sample::step("test/one", Phase::Expand), sample::step("test/two", Phase::Publish)])
}

fn three_tasks() -> Plan {
    sample::plan("p-1", vec![two_steps("a"), two_steps("b"), two_steps("c")])
}

fn worker(name: &str) -> WorkerId {
    WorkerId::new(name)
}

fn started(journal: &dyn Journal, plan: &Plan) -> RunLease {
    let run = RunId::new("r-1");
    journal.save_plan(plan).unwrap();
    journal.create_run(&run, &plan.header.id, NOW).unwrap();
    journal.claim(&run, &worker("w-1"), NOW, TTL).unwrap()
}

fn one(journal: &dyn Journal, lease: &RunLease, ordinal: u64) -> Loaded {
    journal.load(&lease.run, &[ordinal]).unwrap().remove(0)
}

/// What `inputs` one after the other make of a task, as one transition.
fn transition(task: &Loaded, inputs: Vec<Input<'_>>) -> Transition {
    let mut transition = Transition {
        ordinal: task.ordinal,
        from: task.row.state,
        from_epoch: task.row.epoch,
        events: Vec::new(),
        after: task.row.clone(),
        output: None,
    };
    for input in inputs {
        let decision = decide(&transition.after, &task.plan.steps, input, &AROUND).unwrap();
        transition.after = decision.after;
        transition.events.push(decision.event);
    }
    transition
}

fn batch(transitions: Vec<Transition>) -> Batch {
    Batch { now: NOW, transitions, ..Batch::default() }
}

fn lease_step(journal: &dyn Journal, lease: &RunLease, ordinal: u64) -> AttemptKey {
    let task = one(journal, lease, ordinal);
    let step = transition(&task, vec![Input::Lease(&lease.worker)]);
    let row = step.after.clone();
    journal.commit(lease, &batch(vec![step])).unwrap();
    AttemptKey { run: lease.run.clone(), ordinal, step: row.step, direction: row.direction, epoch: row.epoch }
}

fn done() -> Input<'static> {
    let progress = Progress { rows: 10, bytes: 100, chunks: 1, chunks_total: 1 };
    Input::Done { progress, checks: Vec::new(), notes: Vec::new() }
}

fn refused<T: std::fmt::Debug>(result: Result<T, DriverError>, code: greylag_model::code::Code) {
    let error = result.unwrap_err();
    assert_eq!(error.code, code, "{error}");
}

fn plans_are_saved_once_and_loaded_by_the_task(journal: &dyn Journal) {
    let plan = three_tasks();
    assert_eq!(journal.plan(&plan.header.id).unwrap(), None);
    journal.save_plan(&plan).unwrap();
    let mut other = plan.clone();
    other.header.migration = "other".to_owned();
    journal.save_plan(&other).unwrap();
    assert_eq!(journal.plan(&plan.header.id).unwrap(), Some(plan.header.clone()));
    assert_eq!(journal.plan_tasks(&plan.header.id, 0, 100).unwrap(), plan.tasks);
    assert_eq!(journal.plan_tasks(&plan.header.id, 1, 1).unwrap(), plan.tasks[1..2]);
    assert_eq!(journal.plan_tasks(&PlanId::new("p-none"), 0, 1).unwrap(), []);
    let second = sample::plan("p-2", vec![two_steps("a")]);
    journal.save_plan(&second).unwrap();
    assert_eq!(journal.plans(10).unwrap(), [second.header, plan.header]);
}

fn plans_that_cannot_run_are_refused(journal: &dyn Journal) {
    let after = |task: &str, other: &str, phase| sample::after(two_steps(task), other, phase);
    let circle = vec![after("a", "b", Phase::Publish), after("b", "a", Phase::Publish)];
    let cases = [
        (vec![two_steps("a"), two_steps("a")], "task `a` is in the plan twice"),
        (vec![sample::task("a", Vec::new())], "task `a` has no steps"),
        (vec![after("a", "z", Phase::Expand)], "task `a` waits for `z`, which the plan does not have"),
        (vec![two_steps("a"), after("b", "a", Phase::Drop)], "task `b` waits for a drop of `a` that it does not have"),
        (circle, "task `a` waits for itself, through others"),
    ];
    for (tasks, message) in cases {
        let error = journal.save_plan(&sample::plan("p-bad", tasks)).unwrap_err();
        assert_eq!((error.code, error.message.as_str()), (code::PLAN_INVALID, message));
    }
    let mut newer = three_tasks();
    newer.header.version += 1;
    refused(journal.save_plan(&newer), code::PLAN_INVALID);
    assert_eq!(journal.plans(10).unwrap(), []);
}

fn a_run_is_recorded_whole_or_not_at_all(journal: &dyn Journal) {
    let run = RunId::new("r-1");
    refused(journal.create_run(&run, &PlanId::new("p-1"), NOW), code::PLAN_UNKNOWN);
    assert_eq!(journal.run(&run).unwrap(), None);
    refused(journal.requests(&run), code::RUN_UNKNOWN);
    let mut plan = three_tasks();
    plan.tasks[2] = sample::after(sample::after(two_steps("c"), "a", Phase::Expand), "b", Phase::Publish);
    journal.save_plan(&plan).unwrap();
    journal.create_run(&run, &plan.header.id, NOW).unwrap();
    refused(journal.create_run(&run, &plan.header.id, NOW), code::RUN_EXISTS);
    let record = journal.run(&run).unwrap().unwrap();
    assert_eq!((record.counters.ready, record.counters.pending, record.counters.total()), (2, 1, 3));
    assert_eq!((record.row, record.last_seq, record.lease), (RunRow::default(), 1, None));
    let rows: Vec<TaskRow> =
        journal.tasks(&run, &TaskFilter::default(), 0, 10).unwrap().into_iter().map(|task| task.row).collect();
    assert_eq!(rows, [TaskRow::new(0, false, NOW), TaskRow::new(0, false, NOW), TaskRow::new(2, false, NOW)]);
    let created = RunEvent::RunCreated { plan: plan.header.id, tasks: 3 };
    assert_eq!(journal.events(&run, 0, 10).unwrap()[0].event, Event::Run(created));
}

fn one_decider_at_a_time(journal: &dyn Journal) {
    let lease = started(journal, &three_tasks());
    let before = journal.run(&lease.run).unwrap();
    refused(journal.claim(&lease.run, &worker("w-2"), NOW, TTL), code::RUN_DRIVEN);
    assert_eq!(journal.run(&lease.run).unwrap(), before);
    let held = before.unwrap().lease.unwrap();
    assert_eq!((held.worker, held.until, held.dead), (worker("w-1"), NOW.plus_millis(TTL), false));
    // A heartbeat holds it for longer.
    let later = NOW.plus_millis(TTL - 1);
    journal.commit(&lease, &Batch { now: later, ..Batch::default() }).unwrap();
    refused(journal.claim(&lease.run, &worker("w-2"), NOW.plus_millis(TTL + 1), TTL), code::RUN_DRIVEN);
    journal.release(&lease).unwrap();
    let second = journal.claim(&lease.run, &worker("w-2"), NOW, TTL).unwrap();
    assert_eq!(second.epoch, lease.epoch + 1);
    // Somebody else's release does nothing.
    journal.release(&lease).unwrap();
    refused(journal.claim(&lease.run, &worker("w-1"), NOW, TTL), code::RUN_DRIVEN);
    refused(journal.claim(&RunId::new("none"), &worker("w-1"), NOW, TTL), code::RUN_UNKNOWN);
}

fn a_decider_that_was_overtaken_is_refused(journal: &dyn Journal) {
    let lease = started(journal, &three_tasks());
    let attempt = lease_step(journal, &lease, 0);
    let late = NOW.plus_millis(TTL + 1);
    let second = journal.claim(&lease.run, &worker("w-2"), late, TTL).unwrap();
    let before = journal.run(&lease.run).unwrap();
    let outcome = transition(&one(journal, &lease, 0), vec![done()]);
    refused(journal.commit(&lease, &batch(vec![outcome.clone()])), code::LEASE_LOST);
    refused(journal.commit(&lease, &Batch { now: late, ..Batch::default() }), code::LEASE_LOST);
    assert_eq!(journal.run(&lease.run).unwrap(), before);
    // The new decider calls the attempt lost; what the old attempt still notes is refused.
    let task = one(journal, &second, 0);
    assert_eq!(task.row.state, TaskState::Running);
    journal.commit(&second, &batch(vec![transition(&task, vec![Input::Lost])])).unwrap();
    refused(journal.checkpoint(&attempt, "chunk", &json!(1)), code::STALE_ATTEMPT);
    let again = lease_step(journal, &second, 0);
    assert_eq!(again.epoch, attempt.epoch + 1);
    refused(journal.checkpoint(&attempt, "chunk", &json!(1)), code::STALE_ATTEMPT);
    refused(journal.commit(&second, &batch(vec![outcome])), code::STALE_ATTEMPT);
}

fn events_are_numbered_without_gaps_and_fold_to_the_rows(journal: &dyn Journal) {
    let lease = started(journal, &three_tasks());
    lease_step(journal, &lease, 0);
    let (a, b) = (one(journal, &lease, 0), one(journal, &lease, 1));
    let both = Batch {
        run_events: vec![RunEvent::RunStarted],
        transitions: vec![
            transition(&a, vec![done(), Input::Lease(&lease.worker)]),
            transition(&b, vec![Input::Lease(&lease.worker)]),
        ],
        run_events_after: vec![RunEvent::RunPaused { by: "me".to_owned() }],
        ..batch(Vec::new())
    };
    let committed = journal.commit(&lease, &both).unwrap();
    assert_eq!((committed.first_seq, committed.run.state), (4, RunState::Paused));
    assert_eq!((committed.counters.running, committed.counters.ready), (2, 1));
    let a = one(journal, &lease, 0);
    journal.commit(&lease, &batch(vec![transition(&a, vec![done()])])).unwrap();
    let record = journal.run(&lease.run).unwrap().unwrap();
    assert_eq!((record.counters.succeeded, record.steps_done, record.progress.rows), (1, 2, 20));
    let entries = journal.events(&lease.run, 0, 100).unwrap();
    let numbers: Vec<u64> = entries.iter().map(|entry| entry.seq).collect();
    assert_eq!(numbers, (1..=record.last_seq).collect::<Vec<_>>());
    let mut rows = [TaskRow::new(0, false, NOW), TaskRow::new(0, false, NOW), TaskRow::new(0, false, NOW)];
    let mut run = RunRow::default();
    for entry in &entries {
        match (&entry.event, &entry.task) {
            (Event::Run(event), None) => run = apply_run(&run, event),
            (Event::Task(event), Some(task)) => {
                let row = &mut rows[["a", "b", "c"].iter().position(|id| *id == task.as_str()).unwrap()];
                *row = apply(row, event, entry.at);
            }
            mixed => panic!("{mixed:?}"),
        }
    }
    assert_eq!(run, record.row);
    for (ordinal, row) in rows.into_iter().enumerate() {
        assert_eq!(one(journal, &lease, ordinal as u64).row, row);
    }
    assert_eq!(journal.events(&lease.run, 2, 2).unwrap(), entries[2..4]);
    assert_eq!(journal.events(&lease.run, record.last_seq, 5).unwrap(), []);
}

fn a_transition_from_another_state_or_epoch_spoils_its_batch(journal: &dyn Journal) {
    let lease = started(journal, &three_tasks());
    let (a, b) = (one(journal, &lease, 0), one(journal, &lease, 1));
    let take = transition(&a, vec![Input::Lease(&lease.worker)]);
    journal.commit(&lease, &batch(vec![take.clone()])).unwrap();
    let before = (journal.run(&lease.run).unwrap(), journal.tasks(&lease.run, &TaskFilter::default(), 0, 9).unwrap());
    let other = transition(&b, vec![Input::Lease(&lease.worker)]);
    refused(journal.commit(&lease, &batch(vec![other.clone(), take])), code::STALE_ATTEMPT);
    let mut old = transition(&one(journal, &lease, 0), vec![done()]);
    old.from_epoch -= 1;
    refused(journal.commit(&lease, &batch(vec![other, old])), code::STALE_ATTEMPT);
    let after = (journal.run(&lease.run).unwrap(), journal.tasks(&lease.run, &TaskFilter::default(), 0, 9).unwrap());
    assert_eq!(after, before);
}

fn what_is_due_comes_in_order_of_time(journal: &dyn Journal) {
    let lease = started(journal, &three_tasks());
    lease_step(journal, &lease, 0);
    lease_step(journal, &lease, 1);
    let (a, b) = (one(journal, &lease, 0), one(journal, &lease, 1));
    let error = greylag_model::task::Failure::new(ErrorClass::Transient, code::TIMED_OUT, "late");
    let pending = Input::Pending { handle: "job 1".to_owned(), wake: NOW.plus_millis(5_000) };
    let moves = vec![transition(&a, vec![Input::Failed(error)]), transition(&b, vec![pending])];
    let retry_at = moves[0].after.wake.unwrap();
    journal.commit(&lease, &batch(moves)).unwrap();
    let ordinals = |now: Timestamp, limit| {
        let due = journal.due(&lease.run, now, limit, limit).unwrap();
        (due.tasks.iter().map(|task| task.ordinal).collect::<Vec<_>>(), due.next_wake)
    };
    assert_eq!(ordinals(NOW, 9), (vec![2], Some(retry_at)));
    assert_eq!(ordinals(retry_at, 9), (vec![2, 0], Some(NOW.plus_millis(5_000))));
    assert_eq!(ordinals(NOW.plus_millis(5_000), 9), (vec![1, 2, 0], None));
    assert_eq!(ordinals(NOW.plus_millis(5_000), 1).0, [1, 2]);
    assert_eq!(ordinals(NOW.plus_millis(5_000), 0), (vec![], None));
    assert_eq!(ordinals(NOW.plus_millis(-1), 9), (vec![], Some(NOW)));
    let waiting = journal.due(&lease.run, NOW.plus_millis(5_000), 1, 0).unwrap().tasks.remove(0);
    assert_eq!((waiting.row.handle.as_deref(), waiting.plan.id.as_str()), (Some("job 1"), "b"));
}

fn chunks_are_noted_only_by_the_attempt_that_runs(journal: &dyn Journal) {
    let lease = started(journal, &three_tasks());
    let attempt = lease_step(journal, &lease, 0);
    journal.checkpoint(&attempt, "b", &json!({"rows": 2})).unwrap();
    journal.checkpoint_all(&attempt, &[]).unwrap();
    assert_eq!(journal.checkpoints(&attempt).unwrap().len(), 1);
    // Of one key the last counts.
    let several = ["a", "e", "a"].into_iter().zip([1, 5, 2]).map(|(key, value)| (key.to_owned(), json!(value)));
    journal.checkpoint_all(&attempt, &several.collect::<Vec<_>>()).unwrap();
    journal.checkpoint(&attempt, "a", &json!(3)).unwrap();
    let noted = vec![("a".to_owned(), json!(3)), ("b".to_owned(), json!({"rows": 2})), ("e".to_owned(), json!(5))];
    assert_eq!(journal.checkpoints(&attempt).unwrap(), noted);
    for other in [
        AttemptKey { epoch: attempt.epoch + 1, ..attempt.clone() },
        AttemptKey { step: 1, ..attempt.clone() },
        AttemptKey { direction: Direction::Undo, ..attempt.clone() },
        AttemptKey { ordinal: 1, ..attempt.clone() },
    ] {
        refused(journal.checkpoint(&other, "c", &json!(1)), code::STALE_ATTEMPT);
    }
    let task = one(journal, &lease, 0);
    journal.commit(&lease, &batch(vec![transition(&task, vec![done()])])).unwrap();
    refused(journal.checkpoint(&attempt, "c", &json!(1)), code::STALE_ATTEMPT);
    refused(journal.checkpoint_all(&attempt, &[("d".to_owned(), json!(1))]), code::STALE_ATTEMPT);
    // What was noted stays for whoever asks, and the next step has none.
    assert_eq!(journal.checkpoints(&attempt).unwrap(), noted);
    let next = lease_step(journal, &lease, 0);
    assert_eq!(journal.checkpoints(&next).unwrap(), []);
}

fn outputs_are_found_by_name(journal: &dyn Journal) {
    let lease = started(journal, &three_tasks());
    lease_step(journal, &lease, 0);
    let mut outcome = transition(&one(journal, &lease, 0), vec![done()]);
    outcome.output = Some(StepOutput { step: 0, name: "test/one".to_owned(), value: json!({"path": "x"}).into() });
    journal.commit(&lease, &batch(vec![outcome])).unwrap();
    assert_eq!(journal.output(&lease.run, 0, "test/one").unwrap(), Some(json!({"path": "x"})));
    assert_eq!(journal.output(&lease.run, 0, "test/two").unwrap(), None);
    assert_eq!(journal.output(&lease.run, 1, "test/one").unwrap(), None);
}

fn tasks_are_filtered_and_paged(journal: &dyn Journal) {
    let lease = started(journal, &three_tasks());
    lease_step(journal, &lease, 1);
    let ids = |filter: &TaskFilter, from, limit| {
        let tasks = journal.tasks(&lease.run, filter, from, limit).unwrap();
        tasks.into_iter().map(|task| (task.ordinal, task.id.0, task.steps)).collect::<Vec<_>>()
    };
    let all = TaskFilter::default();
    assert_eq!(ids(&all, 0, 2), [(0, "a".to_owned(), 2), (1, "b".to_owned(), 2)]);
    assert_eq!(ids(&all, 2, 2), [(2, "c".to_owned(), 2)]);
    let ready = TaskFilter { states: vec![TaskState::Ready, TaskState::Failed], id: None };
    assert_eq!(ids(&ready, 0, 9), [(0, "a".to_owned(), 2), (2, "c".to_owned(), 2)]);
    assert_eq!(ids(&ready, 1, 9), [(2, "c".to_owned(), 2)]);
    let named = TaskFilter { states: Vec::new(), id: Some(TaskId::new("b")) };
    assert_eq!(ids(&named, 0, 9), [(1, "b".to_owned(), 2)]);
    let neither = TaskFilter { states: vec![TaskState::Ready], id: Some(TaskId::new("b")) };
    assert_eq!(ids(&neither, 0, 9), []);
    refused(journal.tasks(&RunId::new("none"), &all, 0, 9), code::RUN_UNKNOWN);
}

fn relations_follow_the_plan(journal: &dyn Journal) {
    let tasks = vec![
        two_steps("a"),
        sample::after(two_steps("b"), "a", Phase::Expand),
        sample::after(sample::after(two_steps("c"), "a", Phase::Publish), "a", Phase::Expand),
        sample::after(two_steps("d"), "c", Phase::Publish),
    ];
    let lease = started(journal, &sample::plan("p-1", tasks));
    let related = |relation, from, limit| {
        let tasks = journal.related(&lease.run, relation, from, limit).unwrap();
        tasks.into_iter().map(|task| task.ordinal).collect::<Vec<_>>()
    };
    assert_eq!(related(Relation::WaitFor(0, Phase::Expand), 0, 9), [1, 2]);
    assert_eq!(related(Relation::WaitFor(0, Phase::Expand), 2, 9), [2]);
    assert_eq!(related(Relation::WaitFor(0, Phase::Publish), 0, 9), [2]);
    assert_eq!(related(Relation::Dependents(0), 0, 9), [1, 2]);
    assert_eq!(related(Relation::Dependents(0), 0, 1), [1]);
    assert_eq!(related(Relation::Dependencies(3), 0, 9), [2]);
    assert_eq!(related(Relation::Dependencies(2), 0, 9), [0]);
    assert_eq!(related(Relation::Dependents(3), 0, 9), [] as [u64; 0]);
    let all = journal.load(&lease.run, &[0, 1, 2, 3, 4]).unwrap();
    let waiting: Vec<_> = all.iter().map(|task| (task.row.blocked_by, task.has_dependents)).collect();
    assert_eq!(waiting, [(0, true), (1, false), (2, true), (1, false)]);
}

fn requests_wait_until_they_are_met(journal: &dyn Journal) {
    let lease = started(journal, &three_tasks());
    let version = journal.version().unwrap();
    assert_eq!(journal.version().unwrap(), version);
    let pause = Request::Pause { by: "me".to_owned() };
    let retry = Request::Retry { by: "me".to_owned(), task: Some(TaskId::new("a")) };
    journal.post(&lease.run, &pause, NOW).unwrap();
    journal.post(&lease.run, &retry, NOW.plus_millis(1)).unwrap();
    assert_ne!(journal.version().unwrap(), version);
    let posted = journal.requests(&lease.run).unwrap();
    assert_eq!(posted.iter().map(|posted| &posted.request).collect::<Vec<_>>(), [&pause, &retry]);
    assert_eq!(posted[1].at, NOW.plus_millis(1));
    journal.commit(&lease, &Batch { met: vec![posted[0].id], ..batch(Vec::new()) }).unwrap();
    assert_eq!(journal.requests(&lease.run).unwrap(), posted[1..]);
    refused(journal.post(&RunId::new("none"), &pause, NOW), code::RUN_UNKNOWN);
}

fn progress_shows_until_the_next_event(journal: &dyn Journal) {
    let lease = started(journal, &three_tasks());
    lease_step(journal, &lease, 0);
    let live = Progress { rows: 5, ..Progress::default() };
    journal.commit(&lease, &Batch { live: vec![(0, live)], ..batch(Vec::new()) }).unwrap();
    let shown = || journal.tasks(&lease.run, &TaskFilter::default(), 0, 1).unwrap().remove(0);
    assert_eq!(shown().live, Some(live));
    let seq = journal.run(&lease.run).unwrap().unwrap().last_seq;
    let task = one(journal, &lease, 0);
    journal.commit(&lease, &batch(vec![transition(&task, vec![done()])])).unwrap();
    assert_eq!(shown().live, None);
    assert_eq!(journal.run(&lease.run).unwrap().unwrap().last_seq, seq + 1);
}

fn a_run_goes_by_another_plan_from_the_event_on(journal: &dyn Journal) {
    let lease = started(journal, &three_tasks());
    let mut other = three_tasks();
    other.header.id = PlanId::new("p-2");
    other.tasks[1].steps.truncate(1);
    journal.save_plan(&other).unwrap();
    assert_eq!(one(journal, &lease, 1).plan.steps.len(), 2);
    let replanned = RunEvent::Replanned {
        plan: other.header.id.clone(),
        tasks: vec![TaskId::new("b")],
        by: "me".to_owned(),
        why: Some("seen".to_owned()),
    };
    journal.commit(&lease, &Batch { run_events: vec![replanned.clone()], ..batch(Vec::new()) }).unwrap();
    let record = journal.run(&lease.run).unwrap().unwrap();
    assert_eq!((&record.plan, record.row.state), (&other.header.id, RunState::Planned));
    assert_eq!(*one(journal, &lease, 1).plan, other.tasks[1]);
    assert_eq!(journal.tasks(&lease.run, &TaskFilter::default(), 0, 9).unwrap()[1].steps, 1);
    let due = journal.due(&lease.run, NOW, 0, 9).unwrap();
    assert_eq!(due.tasks.iter().map(|task| task.plan.steps.len()).collect::<Vec<_>>(), [2, 1, 2]);
    let last = journal.events(&lease.run, 0, 99).unwrap().pop().unwrap();
    assert_eq!(last.event, Event::Run(replanned));
    // A plan that is not there is no plan to go by, and spoils the batch.
    let seq = record.last_seq;
    let unknown = RunEvent::Replanned {
        plan: PlanId::new("p-none"),
        tasks: vec![TaskId::new("b")],
        by: "me".to_owned(),
        why: None,
    };
    refused(journal.commit(&lease, &Batch { run_events: vec![unknown], ..batch(Vec::new()) }), code::PLAN_UNKNOWN);
    assert_eq!(journal.run(&lease.run).unwrap().unwrap().last_seq, seq);
}

fn odd_names_are_kept(journal: &dyn Journal) {
    let odd = "o'r\"d\n; drop table task; -- \u{1f426} ../x";
    let plan = sample::plan(odd, vec![two_steps(odd)]);
    journal.save_plan(&plan).unwrap();
    let run = RunId::new(odd);
    journal.create_run(&run, &plan.header.id, NOW).unwrap();
    let lease = journal.claim(&run, &worker(odd), NOW, TTL).unwrap();
    let attempt = lease_step(journal, &lease, 0);
    journal.checkpoint(&attempt, odd, &json!(odd)).unwrap();
    assert_eq!(journal.checkpoints(&attempt).unwrap(), [(odd.to_owned(), json!(odd))]);
    let record = journal.run(&run).unwrap().unwrap();
    assert_eq!(record.lease.unwrap().worker, worker(odd));
    let entries = journal.events(&run, 0, 9).unwrap();
    let started = &entries[entries.len() - 1];
    assert!(matches!(&started.event, Event::Task(TaskEvent::AttemptStarted { worker, .. }) if worker.as_str() == odd));
    assert_eq!(started.task, Some(TaskId::new(odd)));
}
