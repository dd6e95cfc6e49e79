//! Measures the data plane without an engine: expands, converts, verifies and publishes datasets, and says what it took.
//!
//! ```text
//! convert small DIRECTORY COUNT       COUNT Parquet files of 1,000 rows and 12 columns, made first
//! convert one FILE.parquet MAPPING    one file by a mapping in JSON, into a directory beside it
//! convert evidence                    evidence alone, of batches in memory
//! ```
//! Options behind: `--threads N` (tasks at once, of `small`), `--readers N`, `--processes` (reader processes; else the
//! readers' work is done in this process), `--keep`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench that people run by hand")]

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array, RecordBatch,
    StringArray, TimestampMicrosecondArray,
};
use greylag_data::arrow_types::from_arrow_schema;
use greylag_data::durable::LocalDisk;
use greylag_data::evidence::Accumulator;
use greylag_data::executor::{DataPlane, Options, executors};
use greylag_data::listing::{Anchor, list};
use greylag_data::parquet::footer::{Limits, ParquetFile};
use greylag_data::parquet::write::{ParquetFileWriter, ParquetOptions};
use greylag_data::pool::{PoolConfig, ReaderPool, ServeLimits, serve};
use greylag_data::request::{Readers, handle};
use greylag_driver::describe::{Describe, Found, Place};
use greylag_driver::error::DriverError;
use greylag_driver::executor::{Context, Executor, Outcome, Progress, StepRequest};
use greylag_model::check::Verdict;
use greylag_model::dataset::{Compression, Dataset, Format, Layout, Location, Shape};
use greylag_model::entity::EntityRef;
use greylag_model::id::{RunId, TaskId, Timestamp};
use greylag_model::mapping::{Request, resolve};
use greylag_model::plan::{PLAN_VERSION, PlanHeader, PlanTask, Totals};
use greylag_model::schema::Schema;
use greylag_model::snapshot::{Impact, Observed};
use greylag_model::task::{Direction, Phase, Retry, Step};
use rustix::time::{ClockId, clock_gettime};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const STEPS: [(&str, Phase); 4] = [
    ("data/expand", Phase::Expand),
    ("data/backfill", Phase::Backfill),
    ("data/verify", Phase::Verify),
    ("data/publish", Phase::Publish),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "reader") {
        let memory = arguments.last().unwrap().parse().unwrap();
        serve(ServeLimits { memory_bytes: memory }, &|request| handle(request)).unwrap();
        return;
    }
    let number = |name: &str, default: usize| {
        let at = arguments.iter().position(|argument| argument == name);
        at.map_or(default, |at| arguments[at + 1].parse().unwrap())
    };
    let flag = |name: &str| arguments.iter().any(|argument| argument == name);
    let readers: Readers = if flag("--processes") {
        let program = std::env::current_exe().unwrap();
        ReaderPool::new(PoolConfig {
            command: vec![program.into(), OsString::from("reader")],
            size: number("--readers", 2),
            memory_bytes: 400 << 20,
            request_timeout: Duration::from_mins(10),
            max_requests: 1_000_000,
        })
        .unwrap()
    } else {
        ReaderPool::in_process(handle)
    };
    if arguments[0] == "evidence" {
        return evidence();
    }
    let place = PathBuf::from(&arguments[1]);
    let bench = match arguments[0].as_str() {
        "small" => small(&place, arguments[2].parse().unwrap()),
        "one" => one(&place, Path::new(&arguments[2])),
        other => panic!("`{other}`"),
    };
    bench.run(readers, number("--threads", 1));
    if !flag("--keep") {
        for plan in &bench.plans {
            let target = PathBuf::from(&plan.target_location.path);
            std::fs::remove_dir_all(&target).or_else(|_| std::fs::remove_file(&target)).unwrap();
        }
    }
}

struct Bench {
    plans: Vec<PlanTask>,
}

impl Bench {
    fn run(&self, readers: Readers, threads: usize) {
        let plane = Arc::new(DataPlane {
            disk: Arc::new(LocalDisk),
            readers: Arc::new(readers),
            describe: Arc::new(AsPlanned),
            roots: BTreeMap::new(),
            artefacts: PathBuf::from("target/bench-runs"),
            options: Options::default(),
        });
        let executors = executors(&plane);
        let header: PlanHeader = serde_json::from_value(serde_json::json!({
            "version": PLAN_VERSION, "id": "p-000000000000", "migration": "bench", "takenAt": 0, "through": Phase::Publish,
            "retentionMillis": 0, "connections": {}, "blocked": [], "warnings": [], "totals": Totals::default(),
        }))
        .unwrap();
        let spent = Mutex::new(BTreeMap::<&str, (f64, f64)>::new());
        let (next, rows) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let (began, cpu) = (Instant::now(), processor_seconds());
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    while let Some(plan) = self.plans.get(next.fetch_add(1, Ordering::Relaxed)) {
                        rows.fetch_add(migrate(&executors, &header, plan, &spent), Ordering::Relaxed);
                    }
                });
            }
        });
        let (wall, count) = (began.elapsed().as_secs_f64(), self.plans.len() as f64);
        drop(executors);
        drop(plane);
        let cpu = processor_seconds() - cpu;
        println!("{} datasets, {} rows: {wall:.2} s wall, {cpu:.2} s CPU", self.plans.len(), rows.into_inner());
        println!("a dataset: {:.3} ms wall, {:.3} ms CPU", wall / count * 1e3, cpu / count * 1e3);
        for (step, (wall, cpu)) in spent.into_inner().unwrap() {
            println!("  {step:14} {:8.3} ms wall, {:8.3} ms CPU of its thread", wall / count * 1e3, cpu / count * 1e3);
        }
        println!("peak memory: {} MB here, {} MB in the largest reader", peak_memory(false), peak_memory(true));
    }
}

fn migrate(
    executors: &[Arc<dyn Executor>],
    header: &PlanHeader,
    plan: &PlanTask,
    spent: &Mutex<BTreeMap<&str, (f64, f64)>>,
) -> usize {
    let ledger = Ledger::default();
    let mut rows = 0;
    for (at, (uses, _)) in STEPS.iter().enumerate() {
        let executor = executors.iter().find(|executor| executor.serves().contains(uses)).unwrap();
        let (run, epoch) = (RunId::new("bench"), at as u64 + 1);
        let request = StepRequest {
            run: &run,
            task: &plan.id,
            header,
            plan,
            step: &plan.steps[at],
            direction: Direction::Forward,
            attempt: 1,
            epoch,
        };
        let (began, cpu) = (Instant::now(), seconds(ClockId::ThreadCPUTime));
        let Outcome::Done(report) = executor.start(&request, &ledger).unwrap() else { panic!("pending") };
        let bad: Vec<_> = report.checks.iter().filter(|check| check.verdict != Verdict::Pass).collect();
        assert!(bad.is_empty(), "{bad:#?}");
        rows = rows.max(report.progress.rows as usize);
        ledger.outputs.lock().unwrap().insert((*uses).to_owned(), report.output);
        let mut spent = spent.lock().unwrap();
        let sum = spent.entry(STEPS[at].0).or_default();
        sum.0 += began.elapsed().as_secs_f64();
        sum.1 += seconds(ClockId::ThreadCPUTime) - cpu;
    }
    rows
}

#[derive(Default)]
struct Ledger {
    outputs: Mutex<BTreeMap<String, serde_json::Value>>,
}

impl Context for Ledger {
    fn now(&self) -> Timestamp {
        Timestamp(0)
    }
    fn cancelled(&self) -> bool {
        false
    }
    fn checkpoint(&self, _: &str, _: &serde_json::Value) -> Result<(), DriverError> {
        Ok(())
    }
    fn checkpoints(&self) -> Result<Vec<(String, serde_json::Value)>, DriverError> {
        Ok(Vec::new())
    }
    fn progress(&self, _: Progress) {}
    fn output_of(&self, uses: &str) -> Result<Option<serde_json::Value>, DriverError> {
        Ok(self.outputs.lock().unwrap().get(uses).cloned())
    }
    fn fault(&self, _: &str) -> std::io::Result<()> {
        Ok(())
    }
}

/// Nothing changed since the plan; describing is measured by itself.
struct AsPlanned;

impl Describe for AsPlanned {
    fn describe(&self, datasets: &[Dataset]) -> Vec<Result<Observed, DriverError>> {
        let observed = |dataset: &Dataset| Ok(observed(dataset.clone(), Schema::default(), 0));
        datasets.iter().map(observed).collect()
    }
    fn places(&self, _: &[Location]) -> Vec<Result<Place, DriverError>> {
        Vec::new()
    }
    fn scan(&self, _: &Location) -> Result<Vec<Found>, DriverError> {
        Ok(Vec::new())
    }
}

fn layout(shape: Shape) -> Layout {
    Layout { format: Format::Parquet { compression: Compression::Zstd }, shape, partition_by: Vec::new() }
}

fn observed(dataset: Dataset, schema: Schema, bytes: u64) -> Observed {
    let (layout, fingerprint) = (layout(Shape::File), "as planned".to_owned());
    Observed { dataset, layout, schema, files: 1, rows: None, bytes, fingerprint }
}

fn plan(name: &str, source: &Path, target: &Path, shape: Shape, mapping: &str) -> PlanTask {
    let file = ParquetFile::open_footer(std::fs::File::open(source).unwrap(), name, &Limits::default()).unwrap();
    let schema = file.schema().unwrap();
    let mapping = resolve(Request {
        spec: &serde_json::from_str(mapping).unwrap(),
        source: &schema,
        partition_by: &[],
        target_partition_by: None,
        place: &|_| None,
        layout_place: &|_| None,
    })
    .unwrap()
    .mapping;
    let at = |path: &Path| Location { connection: None, path: path.display().to_string() };
    let entity = EntityRef::new("resource", "default", name);
    let dataset = Dataset { entity: entity.clone(), location: at(source), declared: BTreeMap::new() };
    let anchor = Anchor { root: None, path: source.display().to_string() };
    let bytes = list(&anchor, None).unwrap().bytes();
    let step = |(uses, phase): &(&str, Phase)| Step {
        uses: (*uses).to_owned(),
        phase: *phase,
        approval: false,
        retry: Retry::default(),
        timeout_millis: 0,
    };
    PlanTask {
        id: TaskId::new(name),
        source: observed(dataset, schema, bytes),
        target: entity,
        target_location: at(target),
        target_layout: layout(shape),
        owner: None,
        mapping,
        changes: Vec::new(),
        breaking: Vec::new(),
        impact: Impact::default(),
        checks: Vec::new(),
        steps: STEPS.iter().map(step).collect(),
        after: Vec::new(),
        warnings: Vec::new(),
    }
}

fn one(file: &Path, mapping: &Path) -> Bench {
    let mapping = std::fs::read_to_string(mapping).unwrap();
    let target = file.with_extension("converted");
    Bench { plans: vec![plan("one", file, &target, Shape::Directory, &mapping)] }
}

/// The mapping of the small datasets: a rename, three casts, two expressions, a dropped column.
const SMALL: &str = r#"{
    "columns": [
        { "name": "user_id", "from": "id" },
        { "name": "amount", "type": "float64", "loss": "round" },
        { "name": "count", "type": "int64" },
        { "name": "day", "type": "timestamp(us)" }
    ],
    "drop": [{ "name": "note", "reason": "nobody reads it" }]
}"#;

fn small(directory: &Path, count: usize) -> Bench {
    std::fs::create_dir_all(directory).unwrap();
    let make = |number: usize| {
        let source = directory.join(format!("small_{number:05}.parquet"));
        if !source.exists() {
            let batch = small_batch(number as i64);
            let file = std::fs::File::create(&source).unwrap();
            let mut writer = ParquetFileWriter::new(file, "small", batch.schema(), ParquetOptions::default());
            writer.append(&batch).unwrap();
            writer.finish_into().unwrap();
        }
        let target = directory.join(format!("new_{number:05}.parquet"));
        plan(&format!("small_{number:05}"), &source, &target, Shape::File, SMALL)
    };
    Bench { plans: (0..count).map(make).collect() }
}

fn small_batch(seed: i64) -> RecordBatch {
    let ids: Vec<i64> = (0..1_000).map(|row| row * 7 + seed * 1_000_003).collect();
    let word = |id: &i64, words: &[&str]| words[(id.unsigned_abs() % words.len() as u64) as usize].to_owned();
    let text = |words: &'static [&str]| ids.iter().map(|id| Some(word(id, words))).collect::<StringArray>();
    let amount: Decimal128Array = ids.iter().map(|id| Some(i128::from(id % 1_000_000))).collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int64Array::from(ids.clone()))),
        ("name", Arc::new(ids.iter().map(|id| Some(format!("name of {id}"))).collect::<StringArray>())),
        ("amount", Arc::new(amount.with_precision_and_scale(15, 2).unwrap())),
        ("count", Arc::new(ids.iter().map(|id| (id % 9 != 0).then_some((id % 500) as i32)).collect::<Int32Array>())),
        ("day", Arc::new(ids.iter().map(|id| Some((id % 20_000) as i32)).collect::<Date32Array>())),
        ("seen", Arc::new(ids.iter().map(|id| Some(id * 1_000_003)).collect::<TimestampMicrosecondArray>())),
        ("share", Arc::new(ids.iter().map(|id| Some(*id as f64 / 3.0)).collect::<Float64Array>())),
        ("flag", Arc::new(ids.iter().map(|id| Some(id % 3 == 0)).collect::<BooleanArray>())),
        ("country", Arc::new(text(&["DE", "FR", "SE", "PT", "IT"]))),
        ("state", Arc::new(text(&["new", "open", "closed", "void"]))),
        (
            "note",
            Arc::new(ids.iter().map(|id| (id % 4 != 0).then(|| format!("note {}", id % 77))).collect::<StringArray>()),
        ),
        ("rank", Arc::new(ids.iter().map(|id| Some((id % 100) as i32)).collect::<Int32Array>())),
    ];
    let columns = columns.into_iter().map(|(name, array)| (name, array, true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    from_arrow_schema(&batch.schema()).unwrap();
    batch
}

/// Values a second of one core, a column at a time and of all together.
fn evidence() {
    let batch =
        arrow::compute::concat_batches(&small_batch(0).schema(), &[0, 1, 2, 3, 4, 5, 6, 7].map(small_batch)).unwrap();
    let schema = from_arrow_schema(&batch.schema()).unwrap();
    let measure = |schema: &Schema, batch: &RecordBatch| {
        let mut accumulator = Accumulator::new(schema);
        let (rounds, began) = (400, Instant::now());
        for _ in 0..rounds {
            accumulator.update(batch).unwrap();
        }
        assert_eq!(accumulator.state().rows, rounds * batch.num_rows() as u64);
        (rounds as usize * batch.num_rows() * batch.num_columns()) as f64 / began.elapsed().as_secs_f64() / 1e6
    };
    for (index, column) in schema.columns.iter().enumerate() {
        let one = Schema { columns: vec![column.clone()] };
        println!(
            "{:8} {:16} {:7.0} M values/s",
            column.name,
            column.data_type,
            measure(&one, &batch.project(&[index]).unwrap())
        );
    }
    println!("all {} columns: {:.0} M values/s", schema.columns.len(), measure(&schema, &batch));
}

fn seconds(clock: ClockId) -> f64 {
    let time = clock_gettime(clock);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// User and system time of this process and of readers that have ended.
fn processor_seconds() -> f64 {
    let children = usage(libc::RUSAGE_CHILDREN);
    let time = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    seconds(ClockId::ProcessCPUTime) + time(children.ru_utime) + time(children.ru_stime)
}

fn peak_memory(children: bool) -> i64 {
    usage(if children { libc::RUSAGE_CHILDREN } else { libc::RUSAGE_SELF }).ru_maxrss / 1024
}

#[expect(unsafe_code, reason = "`getrusage` of children is not in rustix")]
fn usage(who: i32) -> libc::rusage {
    let mut usage = std::mem::MaybeUninit::uninit();
    // SAFETY: the call fills the struct, or fails, and then it stays zeroed.
    unsafe {
        usage.write(std::mem::zeroed());
        libc::getrusage(who, usage.as_mut_ptr());
        usage.assume_init()
    }
}
