//! A directory of datasets, a ledger in memory, and a rig for faults.

mod ledger;

use crate::files::{rows, rows_of};
use greylag_data::arrow_types::from_arrow_schema;
use greylag_data::convert::Limits;
use greylag_data::durable::{Disk, LocalDisk, walk};
use greylag_data::executor::{DataPlane, Options, executors};
use greylag_data::pool::ReaderPool;
use greylag_data::request::{Readers, handle};
use greylag_data::sampler::{LocalSampler, Scratch};
use greylag_driver::describe::{Describe, Found};
use greylag_driver::error::DriverError;
use greylag_driver::executor::{Context, Executor, Outcome, Rehearsal, StepReport, StepRequest};
use greylag_driver::sampler::{SampleRequest, Sampler};
use greylag_model::check::Verdict;
use greylag_model::code::Code;
use greylag_model::dataset::{Compression, CsvDialect, Dataset, Format, Layout, Location, Shape};
use greylag_model::entity::EntityRef;
use greylag_model::id::{PlanId, RunId, TaskId};
use greylag_model::increment::Base;
use greylag_model::mapping::{NewRows, Request, resolve};
use greylag_model::plan::{DatasetWork, PLAN_VERSION, PlanHeader, PlanTask, Totals};
use greylag_model::sample::Sample;
use greylag_model::schema::Schema;
use greylag_model::snapshot::{Impact, Observed, fingerprint};
use greylag_model::spec::{CheckSpec, MappingSpec};
use greylag_model::task::{Direction, Phase, Retry, Step};
use ledger::{Attempt, OtherRun};
pub(crate) use ledger::{Fault, Ledger};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

pub(crate) const STEPS: [&str; 7] =
    ["data/expand", "data/backfill", "data/verify", "data/publish", "data/cutover", "data/retire", "data/drop"];

/// One task of one run, with everything that it stands on.
pub(crate) struct World {
    pub(crate) home: PathBuf,
    _directory: Option<tempfile::TempDir>,
    plane: Arc<DataPlane>,
    described: Arc<AsPlanned>,
    executors: Vec<Arc<dyn Executor>>,
    header: PlanHeader,
    pub(crate) plan: PlanTask<DatasetWork>,
    pub(crate) ledger: Ledger,
    epoch: Mutex<u64>,
    /// The run.
    pub(crate) run: String,
    /// How often what was made was gone, and made again.
    pub(crate) went_back: AtomicUsize,
}

/// Answers what the plan says: whether a source is stale is `describe`'s to tell. By path, other datasets.
struct AsPlanned {
    source: Observed,
    others: Mutex<BTreeMap<PathBuf, Observed>>,
}

impl Describe for AsPlanned {
    fn describe(&self, asked: &[Dataset]) -> Vec<Result<Observed, DriverError>> {
        let others = self.others.lock().unwrap();
        let other = others.get(Path::new(&asked[0].location.path));
        vec![Ok(other.unwrap_or(&self.source).clone())]
    }
    fn places(&self, _: &[Location]) -> Vec<Result<greylag_driver::describe::Place, DriverError>> {
        Vec::new()
    }
    fn scan(&self, _: &Location) -> Result<Vec<Found>, DriverError> {
        Ok(Vec::new())
    }
}

/// How a world is made.
pub(crate) struct Setup {
    pub(crate) source: &'static str,
    pub(crate) target: &'static str,
    pub(crate) schema: Schema,
    pub(crate) layout: Layout,
    pub(crate) target_layout: Layout,
    pub(crate) mapping: Value,
    pub(crate) checks: Value,
    pub(crate) options: Options,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) readers: Arc<Readers>,
}

pub(crate) fn parquet(shape: Shape, partition_by: &[&str]) -> Layout {
    let partition_by = partition_by.iter().map(|name| (*name).to_owned()).collect();
    Layout { format: Format::Parquet { compression: Compression::Zstd }, shape, partition_by }
}

pub(crate) fn csv(shape: Shape) -> Layout {
    Layout { format: Format::Csv(CsvDialect::default()), shape, partition_by: Vec::new() }
}

pub(crate) fn json(shape: Shape, partition_by: &[&str]) -> Layout {
    Layout { format: Format::Json, ..parquet(shape, partition_by) }
}

pub(crate) fn avro(shape: Shape, partition_by: &[&str]) -> Layout {
    Layout { format: Format::Avro { compression: Compression::Gzip }, ..parquet(shape, partition_by) }
}

impl Setup {
    /// `old.parquet` → `new.parquet` with [`rows`]' schema, nothing changed.
    pub(crate) fn new() -> Self {
        Self {
            source: "old.parquet",
            target: "new.parquet",
            schema: from_arrow_schema(&rows(0..1).schema()).unwrap(),
            layout: parquet(Shape::File, &[]),
            target_layout: parquet(Shape::File, &[]),
            mapping: serde_json::json!({}),
            checks: serde_json::json!([]),
            options: Options { limits: Limits { batch_rows: 100, ..Limits::default() }, ..Options::default() },
            disk: Arc::new(LocalDisk),
            readers: Arc::new(ReaderPool::in_process(handle)),
        }
    }

    pub(crate) fn mapping(mut self, mapping: Value) -> Self {
        self.mapping = mapping;
        self
    }

    /// Chunks so small that every row group is one.
    pub(crate) fn small_chunks(mut self) -> Self {
        self.options.chunk_bytes = 1;
        self
    }

    pub(crate) fn build(self, fill: impl FnOnce(&Path)) -> World {
        let directory = tempfile::tempdir().unwrap();
        let home = directory.path().to_owned();
        self.build_at(home, Some(directory), fill)
    }

    pub(crate) fn build_at(
        self,
        root: PathBuf,
        directory: Option<tempfile::TempDir>,
        fill: impl FnOnce(&Path),
    ) -> World {
        let home = root.join("data");
        fs::create_dir_all(&home).unwrap();
        fill(&home);
        let spec: MappingSpec = serde_json::from_value(self.mapping).unwrap();
        let resolved = resolve(Request {
            spec: &spec,
            source: &self.schema,
            partition_by: &self.layout.partition_by,
            target_partition_by: Some(&self.target_layout.partition_by),
            place: &|_| None,
            layout_place: &|_| None,
        })
        .unwrap_or_else(|errors| panic!("{}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")));
        let at = |name: &str| Location { connection: Some("files".to_owned()), path: name.to_owned() };
        let dataset = Dataset {
            entity: EntityRef::new("resource", "default", "old"),
            location: at(self.source),
            declared: BTreeMap::new(),
        };
        let source = Observed {
            fingerprint: fingerprint(&dataset, &self.layout, &self.schema),
            dataset,
            layout: self.layout,
            schema: self.schema,
            files: 1,
            rows: None,
            bytes: 1,
        };
        let steps = STEPS.iter().zip([
            Phase::Expand,
            Phase::Backfill,
            Phase::Verify,
            Phase::Publish,
            Phase::Cutover,
            Phase::Retire,
            Phase::Drop,
        ]);
        let target_layout = Layout { partition_by: resolved.partition_by, ..self.target_layout };
        let work = DatasetWork {
            undo: Some(NewRows::of(&resolved.mapping, &source.layout, &target_layout)),
            source: source.clone(),
            target: EntityRef::new("resource", "default", "new"),
            target_location: at(self.target),
            target_layout,
            target_table: None,
            mapping: resolved.mapping,
            changes: Vec::new(),
            breaking: Vec::new(),
            impact: Impact::default(),
            checks: serde_json::from_value::<Vec<CheckSpec>>(self.checks).unwrap(),
            references: BTreeMap::new(),
            derived: None,
            increments: None,
            sample: None,
            readers: None,
        };
        let plan = PlanTask {
            id: TaskId::new("new"),
            owner: None,
            subject: work,
            steps: steps
                .map(|(uses, phase)| Step {
                    inserted: None,
                    uses: (*uses).to_owned(),
                    phase,
                    approval: false,
                    retry: Retry::default(),
                    timeout_millis: 60_000,
                })
                .collect(),
            after: Vec::new(),
            cohort: 0,
            window: None,
            warnings: Vec::new(),
        };
        let described = Arc::new(AsPlanned { source, others: Mutex::default() });
        let describe: Arc<dyn Describe> = described.clone();
        let plane = Arc::new(DataPlane {
            seen: Arc::default(),
            disk: self.disk,
            readers: self.readers,
            describe,
            artefacts: root.join("runs"),
            diffs: root.join("diffs"),
            boot: "boot-1".to_owned(),
            options: self.options,
        });
        World {
            executors: executors(&plane),
            plane,
            described,
            header: header(&home),
            home,
            _directory: directory,
            plan,
            ledger: Ledger::default(),
            epoch: Mutex::new(0),
            run: "run-1".to_owned(),
            went_back: AtomicUsize::new(0),
        }
    }
}

fn header(home: &Path) -> PlanHeader {
    serde_json::from_value(serde_json::json!({
        "version": PLAN_VERSION,
        "id": PlanId::new("p-000000000000"),
        "migration": "test",
        "connections": {"files": home},
        "takenAt": 0,
        "through": Phase::Drop,
        "retentionMillis": 1_000,
        "blocked": [],
        "warnings": [],
        "totals": Totals::default(),
    }))
    .unwrap()
}

impl World {
    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.home.join(name)
    }

    /// Makes `file` known as the dataset `name` of `diff` checks; the plan knows it by its first columns.
    pub(crate) fn refer(&mut self, name: &str, file: &str, schema: Schema) {
        let location = Location { connection: Some("files".to_owned()), path: file.to_owned() };
        let entity = EntityRef::new("resource", "default", name);
        let dataset = Dataset { entity, location, declared: BTreeMap::new() };
        let layout = parquet(Shape::File, &[]);
        let fingerprint = fingerprint(&dataset, &layout, &schema);
        let observed = Observed { dataset, layout, schema, files: 1, rows: None, bytes: 1, fingerprint };
        self.plan.subject.references.entry(name.to_owned()).or_insert_with(|| observed.clone());
        self.described.others.lock().unwrap().insert(self.home.join(file), observed);
    }

    pub(crate) fn diffs(&self) -> &Path {
        &self.plane.diffs
    }

    pub(crate) fn artefacts(&self) -> &Path {
        &self.plane.artefacts
    }

    /// The machine is started anew.
    pub(crate) fn reboot(&mut self) {
        let DataPlane { disk, readers, describe, artefacts, diffs, options, .. } = self.plane.as_ref();
        self.plane = Arc::new(DataPlane {
            seen: Arc::default(),
            disk: Arc::clone(disk),
            readers: Arc::clone(readers),
            describe: Arc::clone(describe),
            artefacts: artefacts.clone(),
            diffs: diffs.clone(),
            boot: "boot-2".to_owned(),
            options: *options,
        });
        self.executors = executors(&self.plane);
    }

    /// One attempt of a step under a new lease.
    pub(crate) fn attempt(&self, uses: &str, direction: Direction) -> Result<Outcome, DriverError> {
        let epoch = {
            let mut epoch = self.epoch.lock().unwrap();
            *epoch += 1;
            *epoch
        };
        let outcome =
            self.ask(uses, direction, epoch, |executor, request, attempt| executor.start(request, attempt))?;
        if let (Outcome::Done(report), Direction::Forward) = (&outcome, direction) {
            self.ledger.outputs.lock().unwrap().insert(uses.to_owned(), report.output.clone());
        }
        Ok(outcome)
    }

    fn ask<T>(
        &self,
        uses: &str,
        direction: Direction,
        epoch: u64,
        ask: impl FnOnce(&dyn Executor, &StepRequest<'_>, &dyn Context) -> T,
    ) -> T {
        let executor = self.executors.iter().find(|executor| executor.serves().contains(&uses)).unwrap();
        let step = self.plan.steps.iter().find(|step| step.uses == uses).unwrap();
        let (run, attempt) = (RunId::new(&self.run), 1);
        let frozen = self.plan.clone().freeze();
        let (task, header, plan) = (&self.plan.id, &self.header, &frozen);
        let request = StepRequest { run: &run, task, header, plan, step, direction, attempt, epoch };
        ask(executor.as_ref(), &request, &Attempt { ledger: &self.ledger, uses, direction })
    }

    /// What taking a step back would do; nothing may be touched by asking.
    pub(crate) fn rehearse(&self, uses: &str) -> Result<Rehearsal, DriverError> {
        let before = (self.estate(), estate(&self.plane.artefacts));
        let epoch = *self.epoch.lock().unwrap();
        let rehearsal =
            self.ask(uses, Direction::Undo, epoch, |executor, request, look| executor.rehearse(request, look));
        assert_eq!((self.estate(), estate(&self.plane.artefacts)), before, "a rehearsal touches nothing");
        rehearsal
    }

    pub(crate) fn step(&self, uses: &str) -> Result<StepReport, DriverError> {
        match self.attempt(uses, Direction::Forward)? {
            Outcome::Done(report) => Ok(report),
            Outcome::Pending { .. } => panic!("pending"),
        }
    }

    /// The steps that are not done, up to and including `last`; every check must pass.
    pub(crate) fn run_through(&self, last: &str) -> BTreeMap<String, StepReport> {
        let mut reports = BTreeMap::new();
        for uses in STEPS {
            if self.ledger.outputs.lock().unwrap().contains_key(uses) {
                continue;
            }
            if uses == "data/drop" {
                *self.ledger.now.lock().unwrap() += 10_000;
            }
            let report = match self.step(uses) {
                // As the engine does.
                Err(error) if error.code == greylag_model::code::data::POWER_CUT => {
                    self.step("data/backfill").unwrap();
                    self.step("data/verify").unwrap();
                    self.went_back.fetch_add(1, Ordering::SeqCst);
                    self.step(uses)
                }
                report => report,
            };
            let report = report.unwrap_or_else(|error| panic!("{uses}: {error:?}"));
            let bad: Vec<_> = report.checks.iter().filter(|check| check.verdict != Verdict::Pass).collect();
            assert!(bad.is_empty(), "{uses}: {bad:#?}");
            reports.insert(uses.to_owned(), report);
            if uses == last {
                break;
            }
        }
        reports
    }

    /// A sample of so many rows; nothing may be left of it.
    pub(crate) fn sample(&self, rows: u64) -> Result<Sample, DriverError> {
        let root = self.plane.artefacts.with_file_name("scratch");
        let before = self.estate();
        let scratch = Scratch::create(&root, "1").unwrap();
        let readers = Arc::new(ReaderPool::in_process(handle));
        let sampler = LocalSampler::new(readers, self.plane.options, scratch);
        let frozen = self.plan.clone().freeze();
        let request = SampleRequest { header: &self.header, task: &frozen, rows };
        let sample = sampler.sample(&request, &|| false);
        assert_eq!(fs::read_dir(root.join("1")).unwrap().count(), 0, "a sample is removed with its end");
        drop(sampler);
        assert_eq!(fs::read_dir(&root).unwrap().count(), 0);
        assert_eq!(self.estate(), before, "a sample touches no dataset");
        sample
    }

    /// Goes over to another run: a new one, which goes on from `base`, or one that was before.
    pub(crate) fn go_to(&mut self, run: &str, base: Option<&str>) {
        let increments = self.plan.subject.increments.as_mut().unwrap();
        let left = OtherRun {
            outputs: std::mem::take(&mut *self.ledger.outputs.lock().unwrap()),
            checkpoints: std::mem::take(&mut *self.ledger.checkpoints.lock().unwrap()),
            base: increments.base.take(),
        };
        let mut others = self.ledger.others.lock().unwrap();
        others.insert(std::mem::replace(&mut self.run, run.to_owned()), left);
        let known = others.get(run).cloned();
        let base = base.map(|base| Base { run: RunId::new(base), ordinal: 0, step: 1 });
        increments.base = known.as_ref().map_or(base, |known| known.base.clone());
        let OtherRun { outputs, checkpoints, .. } = known.unwrap_or_default();
        *self.ledger.outputs.lock().unwrap() = outputs;
        *self.ledger.checkpoints.lock().unwrap() = checkpoints;
    }

    pub(crate) fn undo(&self, uses: &str) -> Result<Vec<String>, DriverError> {
        match self.attempt(uses, Direction::Undo)? {
            Outcome::Done(report) => Ok(report.notes),
            Outcome::Pending { .. } => panic!("pending"),
        }
    }

    pub(crate) fn set_fault(&self, fault: Option<Fault>) {
        *self.ledger.fault.lock().unwrap() = fault;
        self.ledger.hits.lock().unwrap().clear();
    }

    /// Names of the checks that do not pass.
    pub(crate) fn failed_checks(&self) -> Vec<String> {
        let report = self.step("data/verify").unwrap();
        let failed = report.checks.into_iter().filter(|check| check.verdict != Verdict::Pass);
        failed.map(|check| check.name).collect()
    }

    /// Everything in the directory of datasets: names, modes, owners, bytes, times of change of files.
    pub(crate) fn estate(&self) -> Vec<String> {
        estate(&self.home)
    }

    /// Rows of a dataset, as sorted text, partitions included.
    pub(crate) fn rows_of(&self, name: &str, schema: &Schema, layout: &Layout) -> Vec<String> {
        rows_of(&self.at(name), schema, layout)
    }
}

pub(crate) fn estate(home: &Path) -> Vec<String> {
    let mut lines: Vec<String> = walk(home)
        .unwrap_or_default()
        .into_iter()
        .filter(|(path, _)| path != home)
        .map(|(path, metadata)| {
            let (bytes, time) = if metadata.is_file() {
                (fs::read(&path).unwrap(), format!("{}.{}", metadata.mtime(), metadata.mtime_nsec()))
            } else {
                (Vec::new(), String::new())
            };
            let hash = xxhash(&bytes);
            let mode = metadata.permissions().mode();
            let path = path.strip_prefix(home).unwrap().display().to_string();
            format!("{path} {mode:o} {}:{} {hash:032x} {time}", metadata.uid(), metadata.gid())
        })
        .collect();
    lines.sort();
    lines
}

fn xxhash(bytes: &[u8]) -> u128 {
    xxhash_rust::xxh3::xxh3_128(bytes)
}

pub(crate) fn code_of<T: std::fmt::Debug>(result: Result<T, DriverError>) -> Code {
    result.unwrap_err().code
}
