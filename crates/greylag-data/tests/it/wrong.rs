//! Planted faults: each is caught by verification, and by the proof that is meant to catch it.

use crate::files::{old_file, rows, write_parquet};
use crate::support::{Setup, World, parquet};
use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use greylag_model::dataset::Shape;
use serde_json::json;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

/// A world after backfill.
fn backfilled(setup: Setup, count: i64) -> (World, PathBuf) {
    let world = setup.build(old_file(count));
    world.step("data/expand").unwrap();
    world.step("data/backfill").unwrap();
    let staged = staged(&world);
    (world, staged)
}

/// What was converted: its place moves with each lease.
fn staged(world: &World) -> PathBuf {
    let found = greylag_data::durable::walk(&world.home).unwrap();
    let staging =
        found.into_iter().map(|(path, _)| path).filter(|path| path.display().to_string().contains(".greylag-"));
    let staging = staging.min().unwrap();
    if staging.is_file() { staging } else { staging.join("data") }
}

/// Replaces the staged file by these rows, with the same size in the records so that only contents can tell.
fn plant(staged: &PathBuf, batch: &RecordBatch, world: &World) {
    write_parquet(staged, batch, 100);
    world.ledger.edit("data/backfill", |output| {
        output["files"][0]["bytes"] = json!(fs::metadata(staged).unwrap().len());
    });
}

#[test]
fn the_untouched_target_passes() {
    let (world, _) = backfilled(Setup::new(), 200);
    assert_eq!(world.failed_checks(), Vec::<String>::new());
}

#[test]
fn a_dropped_row() {
    let (world, staged) = backfilled(Setup::new(), 200);
    plant(&staged, &rows(0..199), &world);
    let failed = world.failed_checks();
    for name in ["read-back", "hash", "reverse"] {
        assert!(failed.contains(&name.to_owned()), "{failed:?}");
    }
}

#[test]
fn a_pair_of_rows_doubled_while_another_is_lost() {
    let (world, staged) = backfilled(Setup::new(), 200);
    let order = UInt32Array::from((0..198).chain([0, 0]).collect::<Vec<u32>>());
    plant(&staged, &take_record_batch(&rows(0..200), &order).unwrap(), &world);
    let failed = world.failed_checks();
    assert!(failed.contains(&"hash".to_owned()) && failed.contains(&"reverse".to_owned()), "{failed:?}");
}

#[test]
fn values_swapped_between_two_rows() {
    let (world, staged) = backfilled(Setup::new(), 200);
    let batch = rows(0..200);
    let mut order: Vec<u32> = (0..200).collect();
    order.swap(17, 18);
    let swapped = take_record_batch(&batch, &UInt32Array::from(order)).unwrap();
    let mut columns = batch.columns().to_vec();
    columns[1] = Arc::clone(swapped.column(1));
    plant(&staged, &RecordBatch::try_new(batch.schema(), columns).unwrap(), &world);
    assert_eq!(world.failed_checks(), ["hash", "reverse"], "every figure is equal: only the hashes tell");
}

#[test]
fn a_wrong_value() {
    let (world, staged) = backfilled(Setup::new(), 200);
    let batch = rows(0..200);
    let mut columns = batch.columns().to_vec();
    let names: StringArray =
        (0..200).map(|id| Some(if id == 3 { "näme x".to_owned() } else { format!("näme {id}") })).collect();
    columns[1] = Arc::new(names) as ArrayRef;
    plant(&staged, &RecordBatch::try_new(batch.schema(), columns).unwrap(), &world);
    let failed = world.failed_checks();
    assert!(failed.contains(&"hash".to_owned()) && failed.contains(&"nulls".to_owned()), "{failed:?}");
}

#[test]
fn a_wrong_byte_in_the_file() {
    let (world, first) = backfilled(Setup::new(), 200);
    let bytes = fs::read(first).unwrap();
    let mut caught = 0;
    // A byte in the pages of each column, and in the footer: it is an error or a failed check, never a pass.
    for at in (4..bytes.len()).step_by(bytes.len() / 40) {
        let mut wrong = bytes.clone();
        wrong[at] ^= 0x10;
        if fs::read_dir(&world.home).unwrap().count() == 1 {
            // The last verification ended in an error, which leaves nothing in staging.
            world.step("data/backfill").unwrap();
        }
        fs::write(staged(&world), &wrong).unwrap();
        let report = world.step("data/verify");
        let passed = report
            .is_ok_and(|report| report.checks.iter().all(|check| check.verdict == greylag_model::check::Verdict::Pass));
        // A byte of a statistic or of a name of the writer changes no value; the values were compared all the same.
        caught += usize::from(!passed);
    }
    assert!(caught >= 30, "{caught} of 40");
}

#[test]
fn a_missing_and_an_odd_file() {
    let mut setup = Setup::new().small_chunks();
    setup.target = "new";
    setup.target_layout = parquet(Shape::Directory, &[]);
    let (world, first) = backfilled(setup, 300);
    fs::copy(first.join("part-00000.parquet"), first.join("part-00009.parquet")).unwrap();
    assert!(world.failed_checks().contains(&"files".to_owned()));
    fs::remove_file(staged(&world).join("part-00009.parquet")).unwrap();
    assert_eq!(world.failed_checks(), Vec::<String>::new());
    fs::remove_file(staged(&world).join("part-00001.parquet")).unwrap();
    let failed = world.failed_checks();
    assert!(failed.contains(&"files".to_owned()) && failed.contains(&"hash".to_owned()), "{failed:?}");
}

#[test]
fn a_wrong_cast_is_found_by_the_reference_and_by_the_way_back() {
    // What a faulty program would have written: the evidence of the writing pass agrees with it.
    let mapping = json!({ "columns": [{ "name": "small", "type": "int64" }] });
    let (right, _) = backfilled(Setup::new().mapping(mapping.clone()), 200);
    let wrong_mapping =
        json!({ "columns": [{ "name": "small", "from": "small", "expr": "CAST(small + 1 AS int64)" }] });
    let (wrong, wrong_file) = backfilled(Setup::new().mapping(wrong_mapping), 200);
    fs::copy(wrong_file, staged(&right)).unwrap();
    right.ledger.edit("data/backfill", |output| {
        let other = wrong.ledger.output("data/backfill");
        output["files"] = other["files"].clone();
        output["target"] = other["target"].clone();
    });
    let failed = right.failed_checks();
    assert_eq!(failed, ["reverse", "reference"]);
}

#[test]
fn the_files_own_checks() {
    let mut setup = Setup::new();
    setup.checks = json!([
        { "notNull": ["id"] },
        { "notNull": ["name"], "name": "names" },
        { "expr": "small < 100" },
        { "expr": "small < 99", "name": "smaller" },
        { "minRows": 201 },
        { "maxRows": 200 },
        { "maxRejected": 0 },
    ]);
    let (world, _) = backfilled(setup, 200);
    assert_eq!(world.failed_checks(), ["names", "smaller", "minRows"]);
}

#[test]
fn corrupt_sources_stop_the_backfill() {
    let world = Setup::new().build(old_file(200));
    world.step("data/expand").unwrap();
    let good = fs::read(world.at("old.parquet")).unwrap();
    for (cut, _) in [(0, "empty"), (4, "magic"), (good.len() / 2, "half"), (good.len() - 9, "footer")] {
        fs::write(world.at("old.parquet"), &good[..cut]).unwrap();
        let error = world.step("data/backfill").unwrap_err();
        assert_eq!(error.class, greylag_model::spec::ErrorClass::Permanent, "{error:?}");
    }
    fs::write(world.at("old.parquet"), &good).unwrap();
    world.step("data/backfill").unwrap();
}

#[test]
fn doubled_batches_are_doubled_rows() {
    let (world, staged) = backfilled(Setup::new(), 100);
    let batch = rows(0..100);
    plant(&staged, &concat_batches(&batch.schema(), [&batch, &batch]).unwrap(), &world);
    assert!(world.failed_checks().contains(&"hash".to_owned()));
}
