//! Compiling with samples: each goes to its pair, one that fails stops only itself, and a person can stop all.
#![expect(clippy::unwrap_used, reason = "tests")]

use greylag_driver::clock::ManualClock;
use greylag_driver::error::DriverError;
use greylag_driver::sampler::{MemorySampler, SampleRequest, Sampler};
use greylag_engine::sample::{Samples, compile_sampled};
use greylag_model::code;
use greylag_model::dataset::{Compression, Dataset, Format, Layout, Location, Shape};
use greylag_model::entity::EntityRef;
use greylag_model::id::Timestamp;
use greylag_model::plan::{CompileOptions, Compiled, Speed};
use greylag_model::sample::Sample;
use greylag_model::schema::{Column, Schema};
use greylag_model::snapshot::{Impact, Observed, PairSnapshot, Snapshot, TargetPlace};
use greylag_model::spec::Migration;
use greylag_model::types::DataType;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

fn pair(number: usize) -> PairSnapshot {
    let location = |name: &str| Location { connection: None, path: format!("/data/{name}{number}.parquet") };
    let entity = |name: &str| EntityRef::new("resource", "default", &format!("{name}{number}"));
    let column = Column { name: "id".to_owned(), data_type: DataType::Int64, nullable: false };
    let observed = Observed {
        dataset: Dataset { entity: entity("old"), location: location("old"), declared: BTreeMap::new() },
        layout: Layout {
            format: Format::Parquet { compression: Compression::Zstd },
            shape: Shape::File,
            partition_by: Vec::new(),
        },
        schema: Schema { columns: vec![column] },
        files: 1,
        rows: Some(number as u64),
        bytes: 1,
        fingerprint: String::new(),
    };
    let (entity, location) = (entity("new"), location("new"));
    PairSnapshot {
        source: Ok(observed),
        target: TargetPlace { entity, location, exists: false, free_bytes: 1 << 30, device: "disk".to_owned() },
        owner: None,
        tags: Vec::new(),
        zone: None,
        dangling_owner: false,
        impact: Impact::default(),
        published: None,
        sample: None,
    }
}

/// Ten pairs, the third of which cannot be planned.
fn world() -> (Migration, Snapshot) {
    let datasets: Vec<_> =
        (0..10).map(|number| json!({"from": format!("old{number}"), "to": format!("new{number}")})).collect();
    let migration = json!({
        "apiVersion": "greylag.dev/v1alpha1",
        "kind": "Migration",
        "metadata": {"name": "test"},
        "spec": {"datasets": datasets, "mapping": {"columns": [{"name": "key", "from": "id"}]}},
    });
    let mut pairs: Vec<PairSnapshot> = (0..10).map(pair).collect();
    pairs[2].target.exists = true;
    let snapshot = Snapshot {
        taken_at: Timestamp(0),
        connections: BTreeMap::new(),
        pairs,
        lineage: Vec::new(),
        scripts: BTreeMap::new(),
        references: BTreeMap::new(),
        sampling: None,
        code: None,
    };
    (serde_json::from_value(migration).unwrap(), snapshot)
}

fn compiled(sampler: &dyn Sampler, stop: &AtomicBool, progress: &(dyn Fn(usize, usize) + Sync)) -> Option<Compiled> {
    let (migration, snapshot) = world();
    let options = CompileOptions { parallelism: 2, speed: Speed::default() };
    let clock = ManualClock::at(Timestamp(0));
    let samples = Samples { sampler, rows: 5, clock: &clock, stop, progress };
    compile_sampled(&migration, &|_| None, snapshot, &options, samples)
}

#[test]
fn each_sample_goes_to_its_pair() {
    let told = Mutex::new(Vec::new());
    let sampler = MemorySampler::default();
    let stop = AtomicBool::new(false);
    let plan = compiled(&sampler, &stop, &|done, all| told.lock().unwrap().push((done, all))).unwrap().plan.unwrap();
    assert_eq!(sampler.taken(), 9, "a blocked pair is not sampled");
    let mut told = told.into_inner().unwrap();
    told.sort_unstable();
    assert_eq!(told, (1..=9).map(|done| (done, 9)).collect::<Vec<_>>());
    for task in &plan.tasks {
        let sample = task.dataset().unwrap().sample.as_ref().unwrap();
        let rows = task.dataset().unwrap().source.rows.unwrap();
        assert_eq!((sample.rows, sample.whole), (rows.min(5), rows <= 5), "{}", task.id);
    }
    let totals = plan.header.samples.clone().unwrap();
    assert_eq!((totals.rows_each, totals.datasets, totals.fine, totals.blocked), (5, 9, 9, 0));
    assert!(plan.verify_hash());
}

#[test]
fn one_that_cannot_be_sampled_stops_only_itself() {
    let sampler = MemorySampler::default();
    sampler.answer("new4", Err(DriverError::permanent(code::data::CORRUPT_PARQUET, "no footer").hint("restore it")));
    sampler.answer("new5", Err(DriverError::transient(code::data::READER_TIMEOUT, "too slow")));
    let plan = compiled(&sampler, &AtomicBool::new(false), &|_, _| {}).unwrap().plan.unwrap();
    let blocked: Vec<&str> = plan.header.blocked.iter().map(|blocked| blocked.from.as_str()).collect();
    assert_eq!(blocked, ["old2", "old4"]);
    let reason = &plan.header.blocked[1].reasons[0];
    assert_eq!(
        (reason.code, reason.hints.as_slice()),
        (code::data::CORRUPT_PARQUET, ["restore it".to_owned()].as_slice())
    );
    let slow = plan.tasks.iter().find(|task| task.id.as_str() == "new5").unwrap();
    assert!(slow.warnings.iter().any(|warning| warning.code == code::plan::SAMPLE_MISSING));
    let totals = plan.header.samples.unwrap();
    assert_eq!((totals.datasets, totals.fine, totals.blocked, totals.missing), (7, 7, 1, 1));
}

/// Stops everybody at its first sample, as Ctrl-C does, and sees that it is not wanted any more.
struct Stopping<'a>(&'a AtomicBool);

impl Sampler for Stopping<'_> {
    fn width(&self) -> usize {
        1
    }

    fn sample(&self, _: &SampleRequest<'_>, cancelled: &dyn Fn() -> bool) -> Result<Sample, DriverError> {
        assert!(!cancelled());
        assert!(!self.0.swap(true, Ordering::SeqCst), "no sample is begun after the stop");
        assert!(cancelled());
        Err(DriverError::transient(code::data::CANCELLED, "ended on request"))
    }
}

#[test]
fn a_stop_ends_it_without_a_plan() {
    let stop = AtomicBool::new(false);
    assert!(compiled(&Stopping(&stop), &stop, &|_, _| {}).is_none());
}
