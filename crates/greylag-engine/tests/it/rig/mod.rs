//! What the tests share: a journal of each kind, an estate whose effects are counted, and lives of an engine.
#![expect(clippy::unwrap_used, reason = "tests")]

mod estate;
mod fragile;

pub(crate) use estate::{Act, Estate};
pub(crate) use fragile::{Fragile, Kill, When};

use greylag_driver::clock::ManualClock;
use greylag_driver::fault::{Faults, NoFaults};
use greylag_driver::journal::{Journal, MemoryJournal, TaskFilter, sample};
use greylag_engine::{Drivers, Engine, Limits, Quiet, RunSummary};
use greylag_model::id::{RunId, Timestamp, WorkerId};
use greylag_model::plan::{Plan, PlanTask};
use greylag_model::task::{Counters, Event, Phase, RunRow, Step, TaskRow, apply, apply_run};
use greylag_store::Store;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

pub(crate) const START: Timestamp = Timestamp(1_000_000);

/// A kind of journal, opened anew for each life of an engine.
pub(crate) enum Medium {
    Memory(Arc<MemoryJournal>),
    Sqlite(tempfile::TempDir),
}

impl Medium {
    pub(crate) fn open(&self) -> Arc<dyn Journal> {
        match self {
            Self::Memory(journal) => journal.clone(),
            Self::Sqlite(folder) => Arc::new(Store::open(folder.path().join("state.db")).unwrap()),
        }
    }
}

/// Runs a test on a journal of each kind.
pub(crate) fn on_each(test: impl Fn(&Rig)) {
    test(&Rig::new(Medium::Memory(Arc::default())));
    test(&Rig::new(Medium::Sqlite(tempfile::tempdir().unwrap())));
}

/// A world in which engines live and die.
pub(crate) struct Rig {
    pub(crate) medium: Medium,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) estate: Arc<Estate>,
    lives: AtomicU32,
}

impl Rig {
    pub(crate) fn new(medium: Medium) -> Self {
        let clock = Arc::new(ManualClock::leaping(START));
        Self { medium, clock, estate: Arc::default(), lives: AtomicU32::new(0) }
    }

    /// An engine with a worker's name of its own, on the journal as it is.
    pub(crate) fn engine(&self) -> Engine {
        self.engine_on(self.medium.open(), Arc::new(NoFaults), limits())
    }

    pub(crate) fn engine_on(&self, journal: Arc<dyn Journal>, faults: Arc<dyn Faults>, limits: Limits) -> Engine {
        let life = self.lives.fetch_add(1, Ordering::Relaxed) + 1;
        let drivers = Drivers {
            journal,
            executors: vec![self.estate.clone()],
            clock: self.clock.clone(),
            faults,
            seed: 1,
            worker: WorkerId::new(format!("w-{life}")),
        };
        Engine::new(drivers, limits)
    }

    /// Saves a plan of these tasks and records a run of it.
    pub(crate) fn start(&self, tasks: Vec<PlanTask>) -> RunId {
        let mut plan = sample::plan("p-1", tasks);
        let command: greylag_model::custom::Command = serde_json::from_value(serde_json::json!({"run": ["mark"], "undo": ["mark"], "limits": greylag_model::custom::Limits::default(), "outputs": {"attempt": "integer"}})).unwrap();
        plan.header.custom.commands.insert("mark".to_owned(), command);
        self.start_plan(&plan)
    }

    pub(crate) fn start_plan(&self, plan: &Plan) -> RunId {
        let run = RunId::new("r-1");
        let journal = self.medium.open();
        journal.save_plan(plan).unwrap();
        journal.create_run(&run, &plan.header.id, START).unwrap();
        run
    }

    pub(crate) fn drive(&self, run: &RunId) -> RunSummary {
        drive(&self.engine(), run)
    }

    pub(crate) fn counters(&self, run: &RunId) -> Counters {
        self.medium.open().run(run).unwrap().unwrap().counters
    }

    /// The rows of a run's tasks by id.
    pub(crate) fn rows(&self, run: &RunId) -> HashMap<String, TaskRow> {
        let tasks = self.medium.open().tasks(run, &TaskFilter::default(), 0, 100_000).unwrap();
        tasks.into_iter().map(|task| (task.id.0, task.row)).collect()
    }

    /// The run's events, one a line: what happened to which task.
    pub(crate) fn story(&self, run: &RunId) -> String {
        let entries = self.medium.open().events(run, 0, 100_000).unwrap();
        let line = |entry: greylag_model::task::Entry| {
            let value = serde_json::to_value(&entry).unwrap();
            let kind = value["kind"].as_str().unwrap().to_owned();
            let uses = value["uses"].as_str().map(|uses| format!(" {uses}")).unwrap_or_default();
            let undo = if value["direction"] == "undo" { " undo" } else { "" };
            match entry.task {
                Some(task) => format!("{task}: {kind}{undo}{uses}"),
                None => kind,
            }
        };
        entries.into_iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// What must hold of every journal: no gaps, rows and counters are what the events fold to.
    pub(crate) fn assert_folds(&self, run: &RunId) {
        let journal = self.medium.open();
        let record = journal.run(run).unwrap().unwrap();
        let entries = journal.events(run, 0, 1_000_000).unwrap();
        assert!(entries.iter().map(|entry| entry.seq).eq(1..=record.last_seq), "sequence numbers have gaps");
        let tasks = journal.plan_tasks(&record.plan, 0, 100_000).unwrap();
        let mut rows: HashMap<_, _> = tasks
            .iter()
            .map(|task| (task.id.clone(), TaskRow::new(task.after.len() as u32, task.cohort > 0, START)))
            .collect();
        let mut row = RunRow::default();
        for entry in &entries {
            match (&entry.event, &entry.task) {
                (Event::Task(event), Some(task)) => {
                    let row = rows.get_mut(task).unwrap();
                    *row = apply(row, event, entry.at);
                }
                (Event::Run(event), None) => row = apply_run(&row, event),
                mixed => panic!("{mixed:?}"),
            }
        }
        assert_eq!(row, record.row);
        let mut counters = Counters::default();
        for task in journal.tasks(run, &TaskFilter::default(), 0, 100_000).unwrap() {
            assert_eq!(task.row, rows[&task.id], "{}", task.id);
            *counters.of(task.row.state) += 1;
        }
        assert_eq!(counters, record.counters);
    }
}

pub(crate) fn drive(engine: &Engine, run: &RunId) -> RunSummary {
    engine.drive(run, &Quiet, &AtomicBool::new(false)).unwrap()
}

/// Short ticks, so that a leaping clock does not leap over what a slow machine is about to do.
pub(crate) fn limits() -> Limits {
    Limits { tick_millis: 10, ..Limits::default() }
}

/// Steps of every kind that the estate serves.
pub(crate) fn steps() -> Vec<Step> {
    vec![
        sample::step("estate/make", Phase::Expand),
        sample::step("estate/fill", Phase::Backfill),
        sample::step("estate/wait", Phase::Verify),
        sample::step("estate/show", Phase::Publish),
    ]
}

pub(crate) fn task(id: &str) -> PlanTask {
    sample::task(id, steps())
}

/// A step that runs the command `mark`, on this condition.
pub(crate) fn custom(name: &str, phase: Phase, when: Option<&str>) -> Step {
    let when = when.map(str::to_owned);
    let inserted = greylag_model::custom::Inserted { name: name.to_owned(), when, ..Default::default() };
    Step { inserted: Some(Box::new(inserted)), ..sample::step("custom/mark", phase) }
}
