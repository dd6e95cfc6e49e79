//! Measures durable steps per second: intents and outcomes on SQLite (write-ahead log, `synchronous=FULL`), with every
//! task in flight before the first one ends. Prints one JSON object.
//!
//! ```text
//! cargo run --release -p greylag-engine --example steps -- [TASKS] [STEPS] [FOLDER]
//! ```
#![expect(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods, reason = "a measurement")]

use greylag_driver::clock::Clock;
use greylag_driver::error::DriverError;
use greylag_driver::executor::{Context, Executor, Outcome, StepReport, StepRequest};
use greylag_driver::fault::NoFaults;
use greylag_driver::journal::{Journal as _, Plans as _, Watch as _, sample};
use greylag_engine::{Drivers, Engine, Limits, Quiet};
use greylag_model::id::{PlanId, RunId, Timestamp, WorkerId};
use greylag_model::task::Phase;
use greylag_store::Store;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

struct SystemClock(Instant);

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64)
    }
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Puts every task in flight: the first step of each is pending until all have begun.
struct Idle {
    tasks: u64,
    begun: AtomicU64,
    steps: AtomicU64,
}

impl Executor for Idle {
    fn serves(&self) -> &'static [&'static str] {
        &["bench/enter", "bench/step"]
    }
    fn start(&self, request: &StepRequest<'_>, context: &dyn Context) -> Result<Outcome, DriverError> {
        if request.step.uses == "bench/enter" {
            self.begun.fetch_add(1, Ordering::Relaxed);
            let wake = context.now().plus_millis(1);
            return Ok(Outcome::Pending { handle: request.task.to_string(), wake });
        }
        assert_eq!(self.begun.load(Ordering::Relaxed), self.tasks, "a task ended before all were in flight");
        self.steps.fetch_add(1, Ordering::Relaxed);
        Ok(Outcome::Done(StepReport::default()))
    }
    fn poll(&self, _: &StepRequest<'_>, _: &str, context: &dyn Context) -> Result<Outcome, DriverError> {
        if self.begun.load(Ordering::Relaxed) < self.tasks {
            return Ok(Outcome::Pending { handle: "again".to_owned(), wake: context.now().plus_millis(100) });
        }
        Ok(Outcome::Done(StepReport::default()))
    }
    fn cancel(&self, _: &StepRequest<'_>, _: &str, _: &dyn Context) -> Result<(), DriverError> {
        Ok(())
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let tasks: u64 = arguments.next().map_or(10_000, |text| text.parse().unwrap());
    let steps: u64 = arguments.next().map_or(10, |text| text.parse().unwrap());
    let folder = tempfile::tempdir_in(arguments.next().unwrap_or_else(|| ".".to_owned())).unwrap();
    let store = Arc::new(Store::open(folder.path().join("state.db")).unwrap());
    let mut all = vec![sample::step("bench/enter", Phase::Expand)];
    all.extend((0..steps).map(|_| sample::step("bench/step", Phase::Backfill)));
    let plan = sample::plan(
        "p-bench",
        (0..tasks).map(|task| sample::task(&format!("dataset_{task:06}"), all.clone())).collect(),
    );
    let saving = Instant::now();
    store.save_plan(&plan).unwrap();
    let run = RunId::new("r-bench");
    let clock = Arc::new(SystemClock(Instant::now()));
    store.create_run(&run, &PlanId::new("p-bench"), clock.now()).unwrap();
    let saved = saving.elapsed();
    let executor = Arc::new(Idle { tasks, begun: AtomicU64::new(0), steps: AtomicU64::new(0) });
    let drivers = Drivers {
        journal: store.clone(),
        executors: vec![executor.clone()],
        clock,
        faults: Arc::new(NoFaults),
        seed: 1,
        worker: WorkerId::new("bench"),
    };
    let engine = Engine::new(drivers, Limits::default());
    let driving = Instant::now();
    let summary = engine.drive(&run, &Quiet, &AtomicBool::new(false)).unwrap();
    let took = driving.elapsed();
    let record = store.run(&run).unwrap().unwrap();
    assert!(summary.is_good(), "{summary:?}");
    assert_eq!(record.steps_done, tasks * (steps + 1));
    let per_second = record.steps_done as f64 / took.as_secs_f64();
    println!(
        "{}",
        serde_json::json!({
            "tasks": tasks,
            "in_flight": executor.begun.load(Ordering::Relaxed),
            "steps": record.steps_done,
            "events": record.last_seq,
            "plan_and_run_millis": saved.as_millis() as u64,
            "millis": took.as_millis() as u64,
            "steps_per_second": per_second as u64,
        })
    );
}
