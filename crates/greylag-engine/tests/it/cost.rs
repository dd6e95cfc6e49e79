//! A step costs the same at task 100 and at task 10,000.
#![expect(clippy::unwrap_used, reason = "tests")]

use crate::rig::{START, limits};
use greylag_driver::clock::ManualClock;
use greylag_driver::fault::NoFaults;
use greylag_driver::journal::{Batch, Journal, Loaded, Plans as _, TaskFilter, Transition, Watch as _, sample};
use greylag_model::id::{RunId, WorkerId};
use greylag_model::rollout::{Cohort, Gate, Rollout};
use greylag_model::task::{Circumstances, Input, Phase, Progress, TaskState, decide};
use greylag_store::{Counts, Store};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

const AROUND: Circumstances = Circumstances { now: START, seed: 1, lost_limit: 20 };

fn run_of(store: &Store, tasks: usize) -> RunId {
    let steps = vec![sample::step("estate/make", Phase::Expand), sample::step("estate/fill", Phase::Backfill)];
    let id = format!("p-{tasks}");
    let tasks = (0..tasks).map(|number| sample::task(&format!("dataset_{number:06}"), steps.clone())).collect();
    let plan = sample::plan(&id, tasks);
    store.save_plan(&plan).unwrap();
    let run = RunId::new(id.replace('p', "r"));
    store.create_run(&run, &plan.header.id, START).unwrap();
    run
}

fn transition(task: &Loaded, input: Input<'_>) -> Transition {
    let decision = decide(&task.row, &task.plan.steps, input, &AROUND).unwrap();
    Transition {
        ordinal: task.ordinal,
        from: task.row.state,
        from_epoch: task.row.epoch,
        events: vec![decision.event],
        after: decision.after,
        output: None,
    }
}

/// What one step of one task costs: find it, intent, outcome.
fn cost_of_one_step(store: &Store, run: &RunId, skip: usize) -> Counts {
    let worker = WorkerId::new("w");
    let lease = store.claim(run, &worker, START, 30_000).unwrap();
    let commit = |task: &Loaded, input: Input<'_>| {
        let batch = Batch { now: START, transitions: vec![transition(task, input)], ..Batch::default() };
        store.commit(&lease, &batch).unwrap();
    };
    // Tasks that have gone before.
    let gone = store.due(run, START, 0, skip).unwrap().tasks;
    let transitions = gone.iter().map(|task| transition(task, Input::Lease(&worker))).collect();
    store.commit(&lease, &Batch { now: START, transitions, ..Batch::default() }).unwrap();
    let before = store.counts();
    let task = store.due(run, START, 1, 1).unwrap().tasks.remove(0);
    assert_eq!(task.ordinal, skip as u64);
    commit(&task, Input::Lease(&worker));
    let task = store.load(run, &[task.ordinal]).unwrap().remove(0);
    commit(&task, Input::Done { progress: Progress::default(), checks: Vec::new(), notes: Vec::new() });
    let after = store.counts();
    store.release(&lease).unwrap();
    Counts {
        commits: after.commits - before.commits,
        statements: after.statements - before.statements,
        rows_written: after.rows_written - before.rows_written,
        rows_read: after.rows_read - before.rows_read,
        bytes: after.bytes - before.bytes,
        instructions: after.instructions - before.instructions,
    }
}

#[test]
fn at_task_one_hundred_and_at_task_ten_thousand() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("state.db")).unwrap();
    store.count();
    let small = run_of(&store, 200);
    let large = run_of(&store, 10_100);
    let few = cost_of_one_step(&store, &small, 100);
    let many = cost_of_one_step(&store, &large, 10_000);
    assert_eq!((few.commits, few.statements, few.rows_written), (2, 15, 8));
    assert_eq!(Counts { instructions: 0, ..few }, Counts { instructions: 0, ..many });
    // The virtual machine walks an index of another depth, but never from row to row.
    assert!(few.instructions.abs_diff(many.instructions) < 20, "{few:?} {many:?}");
}

#[test]
fn of_a_whole_run_grows_with_its_steps_alone() {
    let cost = |tasks: usize| {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(folder.path().join("state.db")).unwrap());
        let run = run_of(&store, tasks);
        store.count();
        let drivers = greylag_engine::Drivers {
            journal: store.clone(),
            executors: vec![Arc::new(crate::rig::Estate::default())],
            clock: Arc::new(ManualClock::leaping(START)),
            faults: Arc::new(NoFaults),
            seed: 1,
            worker: WorkerId::new("w"),
        };
        let engine = greylag_engine::Engine::new(drivers, limits());
        let summary = engine.drive(&run, &greylag_engine::Quiet, &AtomicBool::new(false)).unwrap();
        assert!(summary.is_good());
        (
            store.counts().instructions as f64 / summary.run.steps_done as f64,
            store.counts().rows_written as f64 / summary.run.steps_done as f64,
        )
    };
    let (few, many) = (cost(100), cost(2_000));
    // How many steps share a commit varies; a scan of the run per decision would show as a factor of twenty.
    assert!(many.0 < few.0 * 2.0, "{few:?} {many:?}");
    assert!(many.1 < few.1 * 1.5, "{few:?} {many:?}");
}

/// A page of the tasks of a state costs in proportion to the tasks of that state, not to their square.
#[test]
fn of_a_page_of_waiting_tasks_grows_with_them_alone() {
    let cost = |tasks: usize| {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("state.db")).unwrap();
        let steps = vec![sample::step("estate/make", Phase::Expand)];
        let tasks = (0..tasks).map(|number| {
            let cohort = u32::from(number > 0);
            greylag_model::plan::PlanTask { cohort, ..sample::task(&format!("d{number:06}"), steps.clone()) }
        });
        let mut plan = sample::plan("p-1", tasks.collect());
        let cohort = |name: &str, tasks: u64| Cohort { name: name.to_owned(), tasks, gate: Gate::default() };
        let rest = plan.tasks.len() as u64 - 1;
        plan.header.rollout = Some(Rollout { cohorts: vec![cohort("first", 1), cohort("rest", rest)] });
        store.save_plan(&plan).unwrap();
        let run = RunId::new("r-1");
        store.create_run(&run, &plan.header.id, START).unwrap();
        store.count();
        let pending = TaskFilter { states: vec![TaskState::Pending], id: None };
        let page = store.tasks(&run, &pending, 0, 100).unwrap();
        assert_eq!((page.len(), page[0].ordinal), (100, 1));
        store.counts().instructions as f64 / rest as f64
    };
    let (few, many) = (cost(500), cost(5_000));
    assert!(many < few * 2.0, "{few} and {many} instructions a task");
}
