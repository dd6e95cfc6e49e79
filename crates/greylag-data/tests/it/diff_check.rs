//! `diff` checks: the staged target against its source and against other datasets, with what was planted found.

use crate::files::{old_file, rows, write_parquet};
use crate::support::{Setup, World};
use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use greylag_data::arrow_types::from_arrow_schema;
use greylag_data::pool::ReaderPool;
use greylag_data::request::{Reply, Request, handle};
use greylag_driver::error::DriverError;
use greylag_model::check::{CheckResult, Verdict};
use greylag_model::code::data as code;
use serde_json::{Value, json};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A task with `diff` checks after its backfill; `reference` is what they call `ref`, in a file of its own.
fn backfilled(mut setup: Setup, checks: Value, reference: &RecordBatch) -> World {
    setup.checks = checks;
    let mut world = setup.build(old_file(250));
    write_parquet(&world.at("ref.parquet"), reference, 100);
    world.refer("ref", "ref.parquet", from_arrow_schema(&reference.schema()).unwrap());
    world.step("data/expand").unwrap();
    world.step("data/backfill").unwrap();
    world
}

/// What verify says of the diffs. Nothing is left in scratch.
fn verify(world: &World) -> Vec<CheckResult> {
    let report = world.step("data/verify").unwrap();
    let left = fs::read_dir(world.diffs()).map_or(0, Iterator::count);
    assert_eq!(left, 0, "a diff that is done leaves nothing");
    let count = world.plan.subject.checks.len();
    report.checks[report.checks.len() - count..].to_vec()
}

fn show(world: &World, results: &[CheckResult]) -> String {
    let line = |result: &CheckResult| {
        let hint = result.hint.as_ref().map(|hint| format!("\n  hint: {hint}")).unwrap_or_default();
        format!("{:?} {}: {}{hint}\n", result.verdict, result.name, result.detail)
    };
    let text: String = results.iter().map(line).collect();
    // The epoch of staging, and the temporary directory, are others every time.
    let home = world.home.parent().unwrap().display().to_string();
    text.replace(&home, "~")
}

/// Lines of the file that names differences.
fn named(world: &World, check: usize) -> Vec<Value> {
    let path = world.artefacts().join(format!("run-1/new.diff-{check}.jsonl"));
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The source with another name in row 11, without row 3, and with row 250.
fn other() -> RecordBatch {
    let all = rows(0..251);
    let kept: UInt32Array = (0..251u32).rev().filter(|row| *row != 3).collect();
    let kept = take_record_batch(&all, &kept).unwrap();
    let ids = kept.column(0).as_any().downcast_ref::<Int64Array>().unwrap().clone();
    let names = kept.column(1).as_any().downcast_ref::<StringArray>().unwrap();
    let names: StringArray =
        ids.iter().zip(names.iter()).map(|(id, name)| if id == Some(11) { Some("sECret") } else { name }).collect();
    let mut columns = kept.columns().to_vec();
    columns[1] = Arc::new(names);
    RecordBatch::try_new(kept.schema(), columns).unwrap()
}

#[test]
fn the_source_through_the_mapping_is_what_was_written() {
    let mapping = json!({"columns": [
        {"name": "uid", "from": "id", "type": "int32"},
        {"name": "share", "type": "decimal(12,3)", "loss": "round", "misfit": "reject"},
    ]});
    let checks = json!([{"diff": {"key": ["uid"]}}, {"name": "whole rows", "diff": {}}]);
    for setup in [Setup::new(), Setup::new().small_chunks()] {
        let world = backfilled(setup.mapping(mapping.clone()), checks.clone(), &rows(0..1));
        let results = verify(&world);
        insta::allow_duplicates! {
            insta::assert_snapshot!(show(&world, &results), @"
            Pass diff: with `source`, by `uid`: 250 rows the same, 0 changed, 0 only there, 0 only in the new dataset, at most 0 wanted
            Pass whole rows: with `source`, whole rows: 250 rows the same, 0 changed, 0 only there, 0 only in the new dataset, at most 0 wanted
            ");
        }
        assert!(!world.artefacts().join("run-1/new.diff-0.jsonl").exists());
    }
}

#[test]
fn what_another_dataset_has_otherwise_is_counted_and_named_without_values() {
    let checks = json!([
        {"diff": {"with": "ref", "key": ["id"]}},
        {"name": "lenient", "diff": {"with": "ref", "key": ["id"], "maxDifferences": 3}},
        {"name": "by value", "diff": {"with": "ref", "key": ["id"], "ignore": ["name"], "maxDifferences": 2}},
    ]);
    let world = backfilled(Setup::new().small_chunks(), checks, &other());
    let results = verify(&world);
    assert_eq!(
        results.iter().map(|result| result.verdict).collect::<Vec<_>>(),
        [Verdict::Fail, Verdict::Pass, Verdict::Pass]
    );
    let text = show(&world, &results[..1]);
    let (told, hint) = text.split_once("\n  hint: ").unwrap();
    insta::assert_snapshot!(told, @"Fail diff: with `ref`, by `id`: 248 rows the same, 1 changed, 1 only there, 1 only in the new dataset, at most 0 wanted; changed columns: `name`; 3 named in `~/runs/run-1/new.diff-0.jsonl`; what was converted is kept in `~/data/.new.parquet.greylag-run-1-new.e3`");
    assert!(hint.starts_with("`greylag diff ref ~/data/.new.parquet.greylag-run-1-new.e3"), "{hint}");
    assert!(hint.contains(" --key id` shows the same"), "{hint}");
    let lines = named(&world, 0);
    let kinds: Vec<&str> = lines.iter().map(|line| line["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["added", "changed", "removed"]);
    assert_eq!(lines[1]["columns"][0]["column"], "name");
    let all = format!("{text}{lines:?}{:?}", world.ledger.checkpoints.lock().unwrap());
    assert!(!all.contains("sECret") && !all.contains("näme"), "{all}");
    assert!(lines[1]["key"][0].as_str().unwrap().starts_with('#'), "{}", lines[1]);
}

#[test]
fn values_are_named_where_rejected_rows_show_theirs() {
    let mut setup = Setup::new();
    setup.options.rejected_with_values = true;
    let world = backfilled(setup, json!([{"diff": {"with": "ref", "key": ["id"]}}]), &other());
    assert_eq!(verify(&world)[0].verdict, Verdict::Fail);
    let keys: Vec<Value> = named(&world, 0).iter().map(|line| line["key"][0].clone()).collect();
    assert_eq!(keys, ["3", "11", "250"]);
    assert_eq!(named(&world, 0)[1]["columns"], json!([{"column": "name", "left": "sECret", "right": "näme 11"}]));
}

#[test]
fn duplicates_nulls_and_tolerances() {
    // Row 0 twice, row 1 not at all: whole rows tell, and a key does.
    let order: UInt32Array = [0, 0].into_iter().chain(2..250u32).collect();
    let doubled = take_record_batch(&rows(0..250), &order).unwrap();
    let checks = json!([{"diff": {"with": "ref", "key": ["id"]}}, {"name": "b", "diff": {"with": "ref"}}]);
    let world = backfilled(Setup::new(), checks, &doubled);
    insta::assert_snapshot!(show(&world, &verify(&world)).lines().filter(|line| !line.contains("hint")).collect::<Vec<_>>().join("\n"), @"
    Fail diff: with `ref`, by `id`: 249 rows the same, 0 changed, 1 only there, 1 only in the new dataset, at most 0 wanted; rows that repeat a key: 1 there, 0 in the new dataset; 2 named in `~/runs/run-1/new.diff-0.jsonl`; what was converted is kept in `~/data/.new.parquet.greylag-run-1-new.e3`
    Fail b: with `ref`, whole rows: 249 rows the same, 0 changed, 1 only there, 1 only in the new dataset, at most 0 wanted; 2 named in `~/runs/run-1/new.diff-1.jsonl`
    ");
    // A null is a value of its own; a number may be off.
    let batch = rows(0..250);
    let shares = batch.column(3).as_any().downcast_ref::<Float64Array>().unwrap();
    let nudged: Float64Array = shares
        .iter()
        .enumerate()
        .map(|(row, share)| match row {
            0 => Some(0.0),
            1 => None,
            row if row % 2 == 0 => share.map(|share| share + 0.001),
            _ => share,
        })
        .collect();
    let mut columns: Vec<ArrayRef> = batch.columns().to_vec();
    columns[3] = Arc::new(nudged);
    let nudged = RecordBatch::try_new(batch.schema(), columns).unwrap();
    let of = |tolerance: Value| json!({"diff": {"with": "ref", "key": ["id"], "tolerance": tolerance}, "name": tolerance.to_string()});
    let checks = json!([of(json!({"absolute": 0.01})), of(json!({"absolute": 0.0001}))]);
    let world = backfilled(Setup::new(), checks, &nudged);
    let results = verify(&world);
    assert!(results[0].detail.contains("248 rows the same, 2 changed"), "nulls stay: {}", results[0].detail);
    assert!(results[1].detail.contains("135 rows the same, 115 changed"), "{}", results[1].detail);
}

#[test]
fn a_wrong_target_differs_from_its_source_in_the_rows_that_are_wrong() {
    let world = backfilled(Setup::new(), json!([{"diff": {"key": ["id"]}}]), &rows(0..1));
    let staging = fs::read_dir(&world.home).unwrap().map(|entry| entry.unwrap().path());
    let staged = staging.filter(|path| path.display().to_string().contains(".greylag-")).min().unwrap();
    let wrong = concat_batches(&rows(0..1).schema(), &[rows(0..17), rows(18..250), rows(300..301)]).unwrap();
    write_parquet(&staged, &wrong, 100);
    world.ledger.edit("data/backfill", |output| {
        output["files"][0]["bytes"] = json!(fs::metadata(&staged).unwrap().len());
    });
    let result = verify(&world).pop().unwrap();
    assert!(
        result.detail.contains("249 rows the same, 0 changed, 1 only there, 1 only in the new dataset"),
        "{result:?}"
    );
    assert!(result.hint.unwrap().contains("--mapping FILE --key id"));
}

/// Readers that count digests, and fail after some.
fn cut_off(asked: &Arc<AtomicUsize>, most: &Arc<AtomicUsize>) -> Arc<ReaderPool<Request, Reply>> {
    let (asked, most) = (Arc::clone(asked), Arc::clone(most));
    Arc::new(ReaderPool::in_process(move |request: Request| -> Result<Reply, DriverError> {
        if matches!(request, Request::Digest(_)) {
            if asked.load(Ordering::Relaxed) >= most.load(Ordering::Relaxed) {
                return Err(DriverError::transient(code::IO, "cut off"));
            }
            asked.fetch_add(1, Ordering::Relaxed);
        }
        handle(request)
    }))
}

#[test]
fn the_next_attempt_goes_on_where_one_was_cut_off_and_a_new_backfill_begins_anew() {
    let (asked, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(usize::MAX)));
    let checks =
        json!([{"diff": {"key": ["id"]}}, {"name": "b", "diff": {"with": "ref", "key": ["id"], "maxDifferences": 3}}]);
    let world = || {
        let mut setup = Setup::new().small_chunks();
        setup.readers = cut_off(&asked, &most);
        backfilled(setup, checks.clone(), &other())
    };
    let whole = world();
    verify(&whole);
    let all = asked.swap(0, Ordering::Relaxed);
    assert!(all >= 8, "{all} units");
    for cut in 1..all {
        let world = world();
        most.store(cut, Ordering::Relaxed);
        world.step("data/verify").unwrap_err();
        most.store(usize::MAX, Ordering::Relaxed);
        // Under a new lease, so that staging has another name.
        let results = verify(&world);
        assert!(results.iter().all(|result| result.verdict == Verdict::Pass), "{results:?}");
        assert_eq!(asked.swap(0, Ordering::Relaxed), all, "cut after {cut}: only what was not done is done");
        if cut == all - 1 {
            world.step("data/verify").unwrap();
            assert_eq!(asked.swap(0, Ordering::Relaxed), 0, "what a diff found is kept");
            world.step("data/backfill").unwrap();
            verify(&world);
            assert_eq!(asked.swap(0, Ordering::Relaxed), all, "other bytes are compared anew");
        }
    }
}

#[test]
fn a_failure_between_two_units_is_told_as_what_it_was() {
    let world = backfilled(Setup::new().small_chunks(), json!([{"diff": {"key": ["id"]}}]), &rows(0..1));
    let hit = Arc::new(AtomicUsize::new(0));
    world.set_fault(Some(Arc::new(move |_, point, _| {
        let second = point == "in-diff" && hit.fetch_add(1, Ordering::Relaxed) == 1;
        if second { Err(std::io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    })));
    let error = world.step("data/verify").unwrap_err();
    assert_eq!(error.class, greylag_model::spec::ErrorClass::Transient, "{error:?}");
    world.set_fault(None);
    assert_eq!(verify(&world)[0].verdict, Verdict::Pass);
}

#[test]
fn a_dataset_that_is_not_as_planned_stops_the_check() {
    let mut world = backfilled(Setup::new(), json!([{"diff": {"with": "ref", "key": ["id"]}}]), &rows(0..250));
    let fewer = rows(0..250).project(&[0, 1]).unwrap();
    write_parquet(&world.at("ref.parquet"), &fewer, 100);
    world.refer("ref", "ref.parquet", from_arrow_schema(&fewer.schema()).unwrap());
    let error = world.step("data/verify").unwrap_err();
    assert_eq!(error.code, code::DIFF_REFERENCE);
    assert!(!error.hints.is_empty());
}

#[test]
fn more_rows_of_one_key_than_memory_is_for_are_refused_with_a_hint() {
    // 70,000 rows that differ in nothing but a column with a tolerance cannot be paired within bounds.
    let same = |value: f64| {
        let count = 70_000;
        let ids: ArrayRef = Arc::new(Int64Array::from(vec![1; count]));
        RecordBatch::try_from_iter([("id", ids), ("x", Arc::new(Float64Array::from(vec![value; count])) as ArrayRef)])
            .unwrap()
    };
    let mut setup = Setup::new();
    setup.schema = from_arrow_schema(&same(0.0).schema()).unwrap();
    setup.checks = json!([{"diff": {"with": "ref", "key": ["id"], "tolerance": {"absolute": 1}}}]);
    let mut world = setup.build(|home| write_parquet(&home.join("old.parquet"), &same(0.5), 70_000));
    write_parquet(&world.at("ref.parquet"), &same(0.0), 70_000);
    world.refer("ref", "ref.parquet", from_arrow_schema(&same(0.0).schema()).unwrap());
    world.step("data/expand").unwrap();
    world.step("data/backfill").unwrap();
    let error = world.step("data/verify").unwrap_err();
    assert_eq!(error.code, code::DIFF_REFUSED);
    assert!(error.message.contains("more than 65536 rows share a key"), "{error:?}");
    assert_eq!(error.hints, ["name a key that tells rows apart, or leave the tolerance out"]);
}

#[test]
fn a_sample_does_not_run_it() {
    let mut setup = Setup::new();
    setup.checks = json!([{"diff": {"key": ["id"]}}]);
    let asked = Arc::new(AtomicUsize::new(0));
    setup.readers = cut_off(&asked, &Arc::new(AtomicUsize::new(0)));
    let world = setup.build(old_file(250));
    let sample = world.sample(10).unwrap();
    assert_eq!(sample.checks.last().map(|check| check.verdict), Some(Verdict::Unknown));
    assert_eq!(asked.load(Ordering::Relaxed), 0);
}
