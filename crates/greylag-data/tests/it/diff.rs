//! Diffs of datasets of every shape, against what their rows are known to be.

use crate::files::{rows, write_parquet};
use arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, Float32Array, Float64Array, Int32Array, Int64Array, RecordBatch,
    StringArray, TimestampMillisecondArray, TimestampNanosecondArray, UInt32Array, UInt64Array,
};
use arrow::compute::{concat_batches, take_record_batch};
use greylag_data::arrow_types::from_arrow_schema;
use greylag_data::diff::{Diff, Kind, Options, Report, Side};
use greylag_data::listing::Anchor;
use greylag_data::request::{Readers, Reply, Request, handle};
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use greylag_model::dataset::{Compression, Format, Layout, Shape};
use greylag_model::spec::Tolerance;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A directory with a `left.parquet` and a `right.parquet`.
struct Pair {
    home: tempfile::TempDir,
    sides: [Side; 2],
}

impl Pair {
    fn new(left: &RecordBatch, right: &RecordBatch) -> Self {
        let home = tempfile::tempdir().unwrap();
        let side = |name: &str, batch: &RecordBatch| {
            let path = home.path().join(name);
            write_parquet(&path, batch, 100);
            Side {
                anchor: Anchor { root: None, path: path.display().to_string() },
                known_as: None,
                files: None,
                layout: Layout {
                    format: Format::Parquet { compression: Compression::default() },
                    shape: Shape::File,
                    partition_by: Vec::new(),
                },
                schema: from_arrow_schema(&batch.schema()).unwrap(),
                mapping: None,
                window: None,
            }
        };
        let sides = [side("left.parquet", left), side("right.parquet", right)];
        Self { home, sides }
    }

    fn try_diff(&self, readers: &Readers, options: &Options, rows: usize) -> Result<Report, DriverError> {
        let diff = Diff {
            readers,
            directory: &self.home.path().join("diffs"),
            // Units of a row group or two.
            chunk_bytes: 4_000,
            batch_rows: 64,
            rows,
            progress: &|done, all| assert!(done <= all, "{done} of {all}"),
            cancelled: &|| false,
        };
        diff.run(&self.sides[0], &self.sides[1], options)
    }

    fn diff(&self, options: &Options) -> Report {
        let report = self.try_diff(&Readers::in_process(handle), options, 1_000).unwrap();
        let left = std::fs::read_dir(self.home.path().join("diffs")).unwrap().count();
        assert_eq!(left, 0, "nothing is left behind");
        report
    }
}

fn by(key: &[&str]) -> Options {
    Options { key: key.iter().map(|name| (*name).to_owned()).collect(), ..Options::default() }
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
}

fn shuffled(batch: &RecordBatch) -> RecordBatch {
    let rows = batch.num_rows() as u32;
    let order: UInt32Array = (0..rows).map(|row| (row * 7 + 3) % rows).collect();
    take_record_batch(batch, &order).unwrap()
}

/// Counts, and each difference on a line.
fn show(report: &Report) -> String {
    let counts = &report.counts;
    let mut text = format!(
        "{} same, {} changed, {} removed, {} added\n",
        counts.same, counts.changed, counts.removed, counts.added
    );
    for difference in &report.differences {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "∅".to_owned());
        let key: Vec<String> = difference.key.iter().map(value).collect();
        let symbol = match difference.kind {
            Kind::Changed => '~',
            Kind::Removed => '-',
            Kind::Added => '+',
        };
        write!(text, "{symbol} [{}] ×{}", key.join(","), difference.rows).unwrap();
        if difference.kind == Kind::Changed || key.is_empty() {
            for cell in &difference.columns {
                let side = |side: &Option<Option<String>>| side.as_ref().map_or(String::new(), value);
                write!(text, " {}:{}→{}", cell.column, side(&cell.left), side(&cell.right)).unwrap();
            }
        }
        text.push('\n');
    }
    text
}

/// `left` without rows 3 and 900, with other values in some rows, and with two more.
fn edited(left: &RecordBatch) -> RecordBatch {
    let kept: UInt32Array = (0..1_000u32).filter(|row| ![3, 900].contains(row)).collect();
    let kept = take_record_batch(left, &kept).unwrap();
    let mut columns: Vec<ArrayRef> = kept.columns().to_vec();
    let names = columns[1].as_any().downcast_ref::<StringArray>().unwrap();
    let ids = columns[0].as_any().downcast_ref::<Int64Array>().unwrap();
    let names: StringArray =
        ids.iter().zip(names.iter()).map(|(id, name)| if id == Some(11) { Some("other") } else { name }).collect();
    columns[1] = Arc::new(names);
    let kept = RecordBatch::try_new(left.schema(), columns).unwrap();
    concat_batches(&left.schema(), &[kept, rows(1_000..1_002)]).unwrap()
}

#[test]
fn equal_rows_in_any_order_are_equal() {
    let left = rows(0..1_000);
    let pair = Pair::new(&left, &shuffled(&left));
    for options in [by(&["id"]), by(&["id", "city"]), by(&[])] {
        let report = pair.diff(&options);
        assert!(report.equal && report.complete, "{report:?}");
        assert_eq!((report.counts.same, report.counts.left, report.counts.right), (1_000, 1_000, 1_000));
    }
}

#[test]
fn planted_differences_are_named_exactly() {
    let left = rows(0..1_000);
    let pair = Pair::new(&left, &shuffled(&edited(&left)));
    let report = pair.diff(&by(&["id"]));
    insta::assert_snapshot!(show(&report), @r"
    997 same, 1 changed, 2 removed, 2 added
    - [3] ×1
    ~ [11] ×1 name:näme 11→other
    - [900] ×1
    + [1000] ×1
    + [1001] ×1
    ");
    assert_eq!(report.changed_columns, [("name".to_owned(), 1)]);
    let report = pair.diff(&by(&[]));
    assert_eq!((report.counts.same, report.counts.removed, report.counts.added), (997, 3, 3), "a row is its own key");
    let ignoring = Options { ignore: vec!["name".to_owned()], ..by(&["id"]) };
    assert_eq!(pair.diff(&ignoring).counts.changed, 0);
    let only = Options { only: vec!["price".to_owned()], ..by(&["id"]) };
    let report = pair.diff(&only);
    assert_eq!((report.counts.changed, report.compared), (0, vec!["id".to_owned(), "price".to_owned()]));
}

#[test]
fn all_are_counted_and_the_first_are_named() {
    let pair = Pair::new(&rows(0..1_000), &rows(500..1_500));
    let readers = Readers::in_process(handle);
    let report = pair.try_diff(&readers, &by(&["id"]), 10).unwrap();
    assert_eq!((report.counts.same, report.counts.removed, report.counts.added), (500, 500, 500));
    assert_eq!((report.differences.len(), report.complete, report.counts.keys_differing), (10, false, 1_000));
    let report = pair.try_diff(&readers, &by(&["id"]), 0).unwrap();
    assert_eq!((report.differences.len(), report.complete, report.equal), (0, false, false));
}

#[test]
fn values_count_and_not_their_types() {
    let decimal = |values: Vec<Option<i128>>, scale| -> ArrayRef {
        Arc::new(Decimal128Array::from(values).with_precision_and_scale(38, scale).unwrap())
    };
    let left = batch(vec![
        ("id", Arc::new(Int32Array::from(vec![1, 2, 3, 4]))),
        ("count", Arc::new(UInt64Array::from(vec![Some(0), Some(7), None, Some(u64::MAX)]))),
        ("price", decimal(vec![Some(150), Some(-1), None, Some(10i128.pow(37))], 2)),
        ("ratio", Arc::new(Float32Array::from(vec![Some(0.5), Some(-0.0), Some(f32::NAN), None]))),
        ("cost", decimal(vec![Some(1), Some(25), Some(-310), None], 1)),
        ("at", Arc::new(TimestampMillisecondArray::from(vec![Some(0), Some(-1), None, Some(86_400_000)]))),
        ("day", Arc::new(Date32Array::from(vec![Some(0), Some(-1), None, Some(20_000)]))),
    ]);
    let right = batch(vec![
        ("cost", Arc::new(Float64Array::from(vec![Some(0.1), Some(2.5), Some(-31.0), None]))),
        ("ratio", Arc::new(Float64Array::from(vec![Some(0.5), Some(0.0), Some(-f64::NAN), None]))),
        ("price", decimal(vec![Some(15_000), Some(-100), None, None], 4)),
        ("count", decimal(vec![Some(0), Some(7), None, Some(u64::MAX.into())], 0)),
        ("id", Arc::new(Int64Array::from(vec![1, 2, 3, 4]))),
        (
            "day",
            Arc::new(TimestampMillisecondArray::from(vec![Some(0), Some(-86_400_000), None, Some(1_728_000_000_000)])),
        ),
        (
            "at",
            Arc::new(TimestampNanosecondArray::from(vec![Some(0), Some(-1_000_000), None, Some(86_400_000_000_001)])),
        ),
    ]);
    let report = Pair::new(&left, &right).diff(&by(&["id"]));
    insta::assert_snapshot!(show(&report), @r"
    3 same, 1 changed, 0 removed, 0 added
    ~ [4] ×1 price:100000000000000000000000000000000000.00→∅ at:1970-01-02T00:00:00→1970-01-02T00:00:00.000000001
    ");
    assert!(report.differing_types.iter().all(|column| column.compared), "{:?}", report.differing_types);
    assert_eq!(report.differing_types.len(), 7);
}

#[test]
fn columns_without_a_counterpart_are_a_difference() {
    let ids = || -> ArrayRef { Arc::new(Int64Array::from(vec![1, 2])) };
    let texts = || -> ArrayRef { Arc::new(StringArray::from(vec!["1", "2"])) };
    let left = batch(vec![("id", ids()), ("code", ids()), ("old", ids())]);
    let right = batch(vec![("id", ids()), ("code", texts()), ("new", ids())]);
    let pair = Pair::new(&left, &right);
    let report = pair.diff(&by(&["id"]));
    assert!(!report.equal);
    assert_eq!(
        (report.counts.same, report.only_left, report.only_right),
        (2, vec!["old".to_owned()], vec!["new".to_owned()])
    );
    assert!(report.differing_types.iter().any(|column| column.name == "code" && !column.compared));
    let common = Options { ignore: ["code", "old", "new"].map(str::to_owned).to_vec(), ..by(&["id"]) };
    assert!(pair.diff(&common).equal);
}

#[test]
fn tolerances_are_of_columns_or_of_all_numbers() {
    let side = |amounts: Vec<Option<f64>>| {
        let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..amounts.len() as i64));
        batch(vec![("id", ids), ("amount", Arc::new(Float64Array::from(amounts)))])
    };
    let left = side(vec![Some(1.0), Some(100.0), Some(-5.0), None, Some(f64::NAN), Some(1.0)]);
    let right = side(vec![Some(1.004), Some(100.5), Some(5.0), None, Some(f64::NAN), None]);
    let pair = Pair::new(&left, &right);
    let changed = |tolerance: Tolerance, column: bool| {
        let mut options = by(&["id"]);
        if column {
            options.tolerances.insert("amount".to_owned(), tolerance);
        } else {
            options.tolerance = Some(tolerance);
        }
        let report = pair.diff(&options);
        report.differences.iter().map(|difference| difference.key[0].clone().unwrap()).collect::<Vec<_>>()
    };
    let absolute = Tolerance { absolute: Some(0.01), relative: None };
    let relative = Tolerance { absolute: None, relative: Some(0.01) };
    for column in [true, false] {
        assert_eq!(changed(absolute, column), ["1", "2", "5"]);
        assert_eq!(changed(relative, column), ["2", "5"]);
    }
    assert_eq!(pair.diff(&by(&["id"])).counts.changed, 4);
}

#[test]
fn keys_that_repeat_are_compared_as_bags() {
    let side = |rows: &[(Option<&str>, i64)]| {
        let (keys, values): (Vec<_>, Vec<_>) = rows.iter().copied().unzip();
        batch(vec![
            ("k", Arc::new(StringArray::from(keys)) as ArrayRef),
            ("v", Arc::new(Int64Array::from(values)) as ArrayRef),
        ])
    };
    let left = side(&[(Some("a"), 1), (Some("a"), 1), (Some("a"), 2), (Some("b"), 1), (None, 1), (Some("c"), 1)]);
    let right = side(&[
        (Some("a"), 1),
        (Some("a"), 2),
        (Some("a"), 3),
        (None, 1),
        (Some("c"), 1),
        (Some("c"), 1),
        (Some("c"), 1),
    ]);
    let pair = Pair::new(&left, &right);
    insta::assert_snapshot!(show(&pair.diff(&by(&["k"]))), @r"
    4 same, 1 changed, 1 removed, 2 added
    ~ [a] ×1 v:1→3
    - [b] ×1
    + [c] ×2
    ");
    insta::assert_snapshot!(show(&pair.diff(&by(&[]))), @r"
    4 same, 0 changed, 2 removed, 3 added
    - [] ×1 k:a→ v:1→
    - [] ×1 k:b→ v:1→
    + [] ×1 k:→a v:→3
    + [] ×2 k:→c v:→1
    ");
    let counts = pair.diff(&by(&["k"])).counts;
    assert_eq!((counts.repeated_left, counts.repeated_right), (2, 4));
    // With a tolerance each row has one partner.
    let near = Options { tolerance: Some(Tolerance { absolute: Some(1.0), relative: None }), ..by(&["k"]) };
    insta::assert_snapshot!(show(&pair.diff(&near)), @r"
    5 same, 0 changed, 1 removed, 2 added
    - [b] ×1
    + [c] ×2
    ");
}

#[test]
fn composite_keys_are_not_joined_texts() {
    let side = |rows: &[(&str, &str)]| {
        let (left, right): (Vec<_>, Vec<_>) = rows.iter().copied().unzip();
        batch(vec![
            ("a", Arc::new(StringArray::from(left)) as ArrayRef),
            ("b", Arc::new(StringArray::from(right)) as ArrayRef),
        ])
    };
    let pair = Pair::new(&side(&[("a", "bc"), ("x", "y")]), &side(&[("ab", "c"), ("y", "x")]));
    let report = pair.diff(&by(&["a", "b"]));
    assert_eq!((report.counts.removed, report.counts.added, report.counts.changed), (2, 2, 0));
}

#[test]
fn an_empty_side() {
    let pair = Pair::new(&rows(0..0), &rows(0..3));
    let report = pair.diff(&by(&["id"]));
    assert_eq!((report.counts.left, report.counts.added, report.differences.len()), (0, 3, 3));
    assert!(Pair::new(&rows(0..0), &rows(0..0)).diff(&by(&["id"])).equal);
}

#[test]
fn what_does_not_go_together_is_refused_with_a_hint() {
    let pair = Pair::new(&rows(0..10), &rows(0..10));
    let readers = Readers::in_process(handle);
    let one = Tolerance { absolute: Some(1.0), relative: None };
    let tolerance = Some(one);
    let of = |name: &str| [(name.to_owned(), one)].into();
    for (options, words) in [
        (by(&["ids"]), "the first dataset has no column `ids`"),
        (Options { ignore: vec!["id".to_owned()], ..by(&["id"]) }, "both part of the key and to be ignored"),
        (
            Options { only: vec!["naem".to_owned()], ..by(&["id"]) },
            "neither the first dataset nor the second dataset has a column `naem`",
        ),
        (Options { tolerance, ..by(&[]) }, "a tolerance needs a key"),
        (Options { tolerances: of("name"), ..by(&["id"]) }, "is not numeric"),
        (Options { tolerances: of("id"), ..by(&["id"]) }, "is part of the key"),
    ] {
        let error = pair.try_diff(&readers, &options, 10).unwrap_err();
        assert_eq!(error.code, code::DIFF_REFUSED);
        assert!(error.message.contains(words), "{}", error.message);
    }
    let error = pair.try_diff(&readers, &by(&["ids"]), 10).unwrap_err();
    assert_eq!(error.hints, ["did you mean `id`?"]);
}

#[test]
fn a_diff_that_was_stopped_goes_on_where_it_was() {
    let left = rows(0..1_000);
    let pair = Pair::new(&left, &shuffled(&edited(&left)));
    let asked = Arc::new(AtomicUsize::new(0));
    let counting = |most: usize| {
        let asked = Arc::clone(&asked);
        Readers::in_process(move |request: Request| -> Result<Reply, DriverError> {
            if matches!(request, Request::Digest(_)) && asked.fetch_add(1, Ordering::Relaxed) >= most {
                return Err(DriverError::transient(code::IO, "cut off"));
            }
            handle(request)
        })
    };
    pair.try_diff(&counting(3), &by(&["id"]), 10).unwrap_err();
    asked.store(0, Ordering::Relaxed);
    // Only what was not done is done.
    let whole = Pair::new(&left, &shuffled(&edited(&left)));
    let expected = whole.try_diff(&counting(usize::MAX), &by(&["id"]), 10).unwrap();
    let all = asked.swap(0, Ordering::Relaxed);
    assert!(all > 6, "{all} units");
    let report = pair.try_diff(&counting(usize::MAX), &by(&["id"]), 10).unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), all - 3);
    assert_eq!(report, expected);
}

#[test]
fn a_file_that_is_written_to_meanwhile_is_a_conflict() {
    let pair = Pair::new(&rows(0..1_000), &rows(0..1_001));
    let path = pair.home.path().join("left.parquet");
    let readers = Readers::in_process(move |request: Request| {
        if matches!(request, Request::Pick(_)) {
            touch(&path);
        }
        handle(request)
    });
    let error = pair.try_diff(&readers, &by(&["id"]), 10).unwrap_err();
    assert_eq!(error.code, code::SOURCE_CHANGED);
}

fn touch(path: &Path) {
    let file = std::fs::File::options().append(true).open(path).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
}
