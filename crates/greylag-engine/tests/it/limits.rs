//! Limits, counted where the work arrives.
#![expect(clippy::unwrap_used, reason = "tests")]

use crate::rig::{drive, limits};
use greylag_driver::clock::{Clock, ManualClock};
use greylag_driver::error::DriverError;
use greylag_driver::executor::{Context, Executor, Outcome, StepReport, StepRequest};
use greylag_driver::fault::NoFaults;
use greylag_driver::journal::{Journal, Plans, Quotas, RunLease, sample};
use greylag_engine::{Drivers, Engine, Limits};
use greylag_model::entity::EntityRef;
use greylag_model::id::{RunId, Timestamp, WorkerId};
use greylag_model::limit::{self, Ask, Limit, Rate};
use greylag_model::plan::PlanTask;
use greylag_model::spec::Priority;
use greylag_model::task::Phase;
use greylag_store::Store;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The clock of the wall.
#[derive(Debug)]
struct Real(Instant);

impl Clock for Real {
    fn now(&self) -> Timestamp {
        Timestamp(1_000_000 + self.0.elapsed().as_millis() as i64)
    }
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// A store that knows who is with it, and who came when.
struct Door {
    clock: Arc<dyn Clock>,
    stay: Duration,
    inside: Mutex<HashMap<String, (u64, u64)>>,
    came: Mutex<Vec<(Timestamp, String)>>,
}

impl Door {
    fn new(clock: Arc<dyn Clock>, stay: Duration) -> Arc<Self> {
        Arc::new(Self { clock, stay, inside: Mutex::default(), came: Mutex::default() })
    }

    /// Most that were inside at once under a key.
    fn most(&self, key: &str) -> u64 {
        self.inside.lock().unwrap().get(key).map_or(0, |(_, most)| *most)
    }
}

impl Executor for Door {
    fn serves(&self) -> &'static [&'static str] {
        &["door/in", "door/again"]
    }

    fn start(&self, request: &StepRequest<'_>, _: &dyn Context) -> Result<Outcome, DriverError> {
        let mut keys = limit::keys(request.plan);
        keys.push(request.run.to_string());
        self.came.lock().unwrap().push((self.clock.now(), request.run.to_string()));
        for key in &keys {
            let mut inside = self.inside.lock().unwrap();
            let (now, most) = inside.entry(key.clone()).or_default();
            *now += 1;
            *most = (*most).max(*now);
        }
        std::thread::park_timeout(self.stay);
        for key in &keys {
            self.inside.lock().unwrap().get_mut(key).unwrap().0 -= 1;
        }
        Ok(Outcome::Done(StepReport::default()))
    }

    fn poll(&self, _: &StepRequest<'_>, _: &str, _: &dyn Context) -> Result<Outcome, DriverError> {
        Ok(Outcome::Done(StepReport::default()))
    }

    fn cancel(&self, _: &StepRequest<'_>, _: &str, _: &dyn Context) -> Result<(), DriverError> {
        Ok(())
    }
}

fn task(id: &str, store: &str, owner: &str) -> PlanTask {
    let steps = vec![sample::step("door/in", Phase::Expand), sample::step("door/again", Phase::Publish)];
    let mut task = sample::task(id, steps);
    let work = task.dataset_mut().unwrap();
    work.source.dataset.location.connection = Some(store.to_owned());
    work.target_location.connection = Some(store.to_owned());
    task.owner = Some(EntityRef::new("group", "default", owner));
    task
}

fn engine(store: &Arc<Store>, door: &Arc<Door>, name: &str, workers: usize) -> Engine {
    let drivers = Drivers {
        journal: Arc::clone(store) as Arc<dyn Journal>,
        executors: vec![Arc::clone(door) as Arc<dyn Executor>],
        clock: Arc::clone(&door.clock),
        faults: Arc::new(NoFaults),
        seed: 1,
        worker: WorkerId::new(name),
    };
    Engine::new(drivers, Limits { workers, ..limits() })
}

fn record(store: &Store, run: &str, tasks: Vec<PlanTask>, priority: Priority) -> RunId {
    let mut plan = sample::plan(&format!("p-{run}"), tasks);
    plan.header.priority = priority;
    store.save_plan(&plan).unwrap();
    store.create_run(&RunId::new(run), &plan.header.id, Timestamp(0)).unwrap();
    RunId::new(run)
}

fn known(limits: &[(&str, Option<u64>, Option<Rate>)]) -> limit::Limits {
    let limit = |(key, concurrency, starts): &(&str, Option<u64>, Option<Rate>)| {
        ((*key).to_owned(), Limit { concurrency: *concurrency, starts: *starts })
    };
    limit::Limits(limits.iter().map(limit).collect())
}

#[test]
fn two_processes_together_never_have_more_inside_than_may() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let stores = [Arc::new(Store::open(&path).unwrap()), Arc::new(Store::open(&path).unwrap())];
    let bounds = [("all", Some(5), None), ("store:lake", Some(3), None), ("owner:*", Some(2), None)];
    stores[0].set_limits(&known(&bounds)).unwrap();
    let door = Door::new(Arc::new(Real(Instant::now())), Duration::from_millis(2));
    let tasks = |name: &str| {
        let place = |number: u32| (["lake", "pond"][number as usize % 2], ["a", "b", "c"][number as usize % 3]);
        (0..60).map(|number| task(&format!("{name}{number}"), place(number).0, place(number).1)).collect::<Vec<_>>()
    };
    let runs = [
        record(&stores[0], "r-1", tasks("x"), Priority::Normal),
        record(&stores[0], "r-2", tasks("y"), Priority::High),
    ];
    std::thread::scope(|scope| {
        for (number, (store, run)) in stores.iter().zip(&runs).enumerate() {
            let door = &door;
            scope.spawn(move || {
                let summary = drive(&engine(store, door, &format!("w-{number}"), 8), run);
                assert!(summary.is_good(), "{:?} {:?}", summary.ended, summary.run.counters);
            });
        }
    });
    assert_eq!(door.came.lock().unwrap().len(), 240);
    // All of it is used, and not one more.
    assert_eq!((door.most("all"), door.most("store:lake")), (5, 3));
    for owner in ["a", "b", "c"] {
        assert_eq!(door.most(&format!("owner:group:default/{owner}")), 2, "{owner}");
    }
    assert!(stores[0].limit_use(Timestamp(0)).unwrap().iter().all(|of| of.shares.is_empty()), "nothing is left behind");
}

/// How many attempts of a run of low priority began beside the 160 of one of high priority, both wanting more than there is.
fn begun_beside() -> usize {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let stores = [Arc::new(Store::open(&path).unwrap()), Arc::new(Store::open(&path).unwrap())];
    stores[0].set_limits(&known(&[("all", Some(6), None)])).unwrap();
    let door = Door::new(Arc::new(Real(Instant::now())), Duration::from_millis(16));
    let tasks =
        |name: &str, count: u32| (0..count).map(|number| task(&format!("{name}{number}"), "lake", "a")).collect();
    let high = record(&stores[0], "high", tasks("x", 80), Priority::High);
    let low = record(&stores[0], "low", tasks("y", 80), Priority::Low);
    std::thread::scope(|scope| {
        for (store, run) in stores.iter().zip([&low, &high]) {
            let door = &door;
            scope.spawn(move || assert!(drive(&engine(store, door, run.as_str(), 8), run).is_good()));
        }
    });
    assert_eq!(door.most("all"), 6);
    let came = door.came.lock().unwrap();
    let last_high = came.iter().rposition(|(_, run)| run == "high").unwrap();
    let first_high = came.iter().position(|(_, run)| run == "high").unwrap();
    came[first_high..=last_high].iter().filter(|(_, run)| run == "low").count()
}

#[test]
fn two_that_wait_share_by_priority() {
    // Four fifths are for the one and one fifth for the other, so some forty. A busy machine may hold one of the two up, which
    // then asks for less than it could have: that is no sharing, and is tried again. Without priorities it is always 160.
    let mut tries = Vec::new();
    while tries.len() < 5 && tries.last().is_none_or(|beside| *beside >= 120) {
        tries.push(begun_beside());
    }
    assert!(tries.iter().all(|beside| *beside > 0), "the other one is not starved: {tries:?}");
    assert!(tries.last().unwrap() < &120, "of the low one beside 160 of the high one: {tries:?}");
}

#[test]
fn no_more_begin_in_a_time_than_may() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(folder.path().join("state.db")).unwrap());
    let rate = Rate { count: 10, per_millis: 1_000, burst: 4 };
    store.set_limits(&known(&[("store:lake", None, Some(rate))])).unwrap();
    let clock = Arc::new(ManualClock::leaping(Timestamp(1_000_000)));
    let door = Door::new(clock, Duration::ZERO);
    let tasks = (0..40).map(|number| task(&format!("t{number}"), "lake", "a")).collect();
    let run = record(&store, "r-1", tasks, Priority::Normal);
    assert!(drive(&engine(&store, &door, "w", 1), &run).is_good());
    let came: Vec<i64> = door.came.lock().unwrap().iter().map(|(at, _)| at.0).collect();
    assert_eq!(came.len(), 80);
    for (at, from) in came.iter().enumerate() {
        for (count, to) in (1_u64..).zip(&came[at..]) {
            let most = rate.burst + (to - from) as u64 * rate.count / rate.per_millis + 1;
            assert!(count <= most, "{count} began between {from} and {to}");
        }
    }
    // And hardly fewer: 76 tokens of a tenth of a second each.
    let took = came[79] - came[0];
    assert!((7_500..9_000).contains(&took), "{took} ms");
}

#[test]
fn a_store_that_is_full_does_not_hold_up_another() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(folder.path().join("state.db")).unwrap());
    store.set_limits(&known(&[("store:lake", Some(1), None)])).unwrap();
    let door = Door::new(Arc::new(Real(Instant::now())), Duration::from_millis(3));
    // Those of the full one come first, and are more than anybody looks at in one go.
    let lake = (0..150).map(|number| task(&format!("lake{number}"), "lake", "a"));
    let tasks: Vec<PlanTask> = lake.chain((0..20).map(|number| task(&format!("pond{number}"), "pond", "a"))).collect();
    let run = record(&store, "r-1", tasks, Priority::Normal);
    assert!(drive(&engine(&store, &door, "w", 4), &run).is_good());
    assert_eq!(door.most("store:lake"), 1);
    assert!(door.most("store:pond") > 1);
    let events = store_events(&store, &run);
    let last_pond = events.iter().rposition(|task| task.starts_with("pond")).unwrap();
    assert!(last_pond < events.len() / 2, "the others were done long before: {last_pond} of {}", events.len());
}

/// Tasks in the order in which their attempts began.
fn store_events(store: &Store, run: &RunId) -> Vec<String> {
    let entries = greylag_driver::journal::Watch::events(store, run, 0, 100_000).unwrap();
    let begun = entries.into_iter().filter_map(|entry| {
        let value = serde_json::to_value(&entry).unwrap();
        (value["kind"] == "attempt_started").then(|| entry.task.unwrap().to_string())
    });
    begun.collect()
}

#[test]
fn limits_change_while_a_run_is_under_way_and_end_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let store = Arc::new(Store::open(&path).unwrap());
    let door = Door::new(Arc::new(Real(Instant::now())), Duration::from_millis(4));
    let tasks = (0..150).map(|number| task(&format!("t{number}"), "lake", "a")).collect();
    let run = record(&store, "r-1", tasks, Priority::Normal);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            assert!(drive(&engine(&store, &door, "w", 6), &run).is_good());
        });
        let came = || door.came.lock().unwrap().len();
        while came() < 20 {
            std::thread::yield_now();
        }
        Store::open(&path).unwrap().set_limits(&known(&[("all", Some(1), None)])).unwrap();
        // What was begun ends, those that had their intents and waited for a thread as well; then there is one at a time.
        // The second of the new ones begins when the last of the old ones has ended.
        let seen = came();
        while came() < seen + 152 {
            std::thread::yield_now();
        }
        door.inside.lock().unwrap().clear_most();
    });
    assert_eq!(door.most("all"), 1);
}

trait ClearMost {
    fn clear_most(&mut self);
}

impl ClearMost for HashMap<String, (u64, u64)> {
    fn clear_most(&mut self) {
        for (now, most) in self.values_mut() {
            *most = *now;
        }
    }
}

#[test]
fn what_a_dead_process_had_is_free_and_what_a_silent_one_has_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let first = Store::open(&path).unwrap();
    first.set_limits(&known(&[("all", Some(2), None)])).unwrap();
    let one = record(&first, "r-1", vec![task("a", "lake", "a")], Priority::Normal);
    let other = record(&first, "r-2", vec![task("b", "lake", "a")], Priority::Normal);
    let ask = |wanted: usize| Ask { weight: 2, in_use: BTreeMap::new(), wanted: vec![vec!["all".to_owned()]; wanted] };
    let granted = |store: &Store, lease: &RunLease, wanted: usize| {
        let allotted = store.allot(lease, &ask(wanted), Timestamp(99_999)).unwrap();
        allotted.granted.iter().filter(|granted| **granted).count()
    };
    let claim = |store: &Store, run: &RunId, worker: &str| {
        store.claim(run, &WorkerId::new(worker), Timestamp(0), 1_000).unwrap()
    };
    let lease = claim(&first, &one, "w-1");
    assert_eq!(granted(&first, &lease, 2), 2);
    let second = Store::open(&path).unwrap();
    let mine = claim(&second, &other, "w-2");
    // Its heartbeat is long over, but its process lives and may be at work.
    assert_eq!(granted(&second, &mine, 1), 0);
    drop(first);
    assert_eq!(granted(&second, &mine, 1), 1);
}
