//! Samples of datasets of every shape: what they count, what they judge, and that nothing is left of them.

use crate::files::{old_file, rows, write_parquet};
use crate::support::{Setup, World, code_of, csv, parquet};
use greylag_model::check::Verdict;
use greylag_model::code::data as code;
use greylag_model::dataset::Shape;
use greylag_model::sample::Sample;
use greylag_model::schema::{Column, Schema};
use greylag_model::types::DataType;
use serde_json::json;
use std::fmt::Write;
use std::fs;

/// Rows, and what is not as it should be, as text.
fn show(sample: &Sample) -> String {
    let whole = if sample.whole { "all" } else { "the first" };
    let mut text = format!("{whole} {} rows, {} written, {} rejected\n", sample.rows, sample.written, sample.rejected);
    for misfits in &sample.misfits {
        let place = format!("row {} of {}", misfits.first.row, misfits.first.file);
        let (column, policy) = (&misfits.column, misfits.policy);
        writeln!(text, "{column} ({policy:?}): {} rows, {}, {place}", misfits.rows, misfits.reason).unwrap();
    }
    for check in sample.checks.iter().filter(|check| check.verdict != Verdict::Pass) {
        writeln!(text, "{:?} {}: {}", check.verdict, check.name, check.detail).unwrap();
    }
    text
}

fn sampled(world: &World, rows: u64) -> String {
    show(&world.sample(rows).unwrap())
}

#[test]
fn the_first_rows_of_a_file() {
    let mut setup = Setup::new();
    setup.checks = json!([{"notNull": ["id"]}, {"expr": "id < 250"}, {"minRows": 250}]);
    let world = setup.build(old_file(1_050));
    // Batches have 100 rows.
    let sample = world.sample(250).unwrap();
    insta::assert_snapshot!(show(&sample), @"the first 250 rows, 250 written, 0 rejected");
    let names: Vec<&str> = sample.checks.iter().map(|check| check.name.as_str()).collect();
    assert!(["reverse", "reference", "hash"].iter().all(|name| names.contains(name)), "{names:?}");
    assert_eq!(names[names.len() - 3..], ["notNull", "id < 250", "minRows"]);
    assert!(sample.bytes > 0);
}

#[test]
fn more_rows_than_there_are() {
    let world = Setup::new().build(old_file(40));
    insta::assert_snapshot!(sampled(&world, 1_000), @"all 40 rows, 40 written, 0 rejected");
}

#[test]
fn an_empty_dataset() {
    for layout in [parquet(Shape::File, &[]), parquet(Shape::Directory, &["name"])] {
        let mut setup = Setup::new();
        setup.target_layout = layout;
        let world = setup.build(old_file(0));
        let sample = world.sample(1_000).unwrap();
        assert_eq!((sample.rows, sample.whole, sample.written), (0, true, 0));
        assert!(sample.checks.iter().all(|check| check.verdict != Verdict::Fail), "{:?}", sample.checks);
    }
}

#[test]
fn every_misfit_is_counted_whatever_its_policy() {
    let world = Setup::new()
        .mapping(json!({"columns": [
            {"name": "id", "type": "int8"},
            {"name": "less", "type": "uint8", "expr": "small - 10", "misfit": "null"},
            {"name": "code", "type": "int32", "misfit": "reject"}
        ]}))
        .build(old_file(250));
    insta::assert_snapshot!(sampled(&world, 200), @"
    the first 200 rows, 32 written, 168 rejected
    id (Fail): 72 rows, value is out of the type's range, row 129 of old.parquet
    code (Reject): 150 rows, text is not of the form that the type has, row 2 of old.parquet
    less (Null): 20 rows, value is out of the type's range, row 1 of old.parquet
    ");
}

#[test]
fn files_are_read_in_order_until_there_are_enough_rows() {
    let mut setup = Setup::new();
    setup.source = "old";
    setup.target = "new";
    setup.layout = parquet(Shape::Directory, &["region"]);
    setup.target_layout = setup.layout.clone();
    setup.schema.columns.push(Column { name: "region".to_owned(), data_type: DataType::String, nullable: true });
    let world = setup.mapping(json!({"columns": [{"name": "id", "type": "int8"}]})).build(|home| {
        for (at, region) in ["region=a%2Fb", "region=east", "region=west"].iter().enumerate() {
            let at = at as i64 * 60;
            write_parquet(&home.join("old").join(region).join("a.parquet"), &rows(at..at + 60), 100);
        }
        fs::create_dir(home.join("old/region=zulu")).unwrap();
        fs::write(home.join("old/region=zulu/a.parquet"), "PAR1 not opened for a few rows PAR1").unwrap();
    });
    insta::assert_snapshot!(sampled(&world, 100), @"the first 100 rows, 100 written, 0 rejected");
    insta::assert_snapshot!(sampled(&world, 170), @"
    the first 170 rows, 128 written, 42 rejected
    id (Fail): 42 rows, value is out of the type's range, row 9 of region=west/a.parquet
    ");
    assert_eq!(code_of(world.sample(181)), code::CORRUPT_PARQUET);
}

#[test]
fn a_file_becomes_partitions() {
    let mut setup = Setup::new();
    setup.target = "new";
    setup.target_layout = parquet(Shape::Directory, &["small"]);
    let world = setup.build(old_file(1_000));
    insta::assert_snapshot!(sampled(&world, 300), @"the first 300 rows, 300 written, 0 rejected");
}

#[test]
fn a_wrong_way_back_is_found() {
    let reverse = json!([{"name": "small", "expr": "CAST(little + 1 AS int32)"}]);
    let world = Setup::new()
        .mapping(json!({"columns": [{"name": "little", "from": "small"}], "reverse": reverse}))
        .build(old_file(20));
    let text = sampled(&world, 10);
    assert!(text.contains("Fail reverse: "), "{text}");
}

fn delimited(text: &str) -> World {
    let column = |name: &str, data_type| Column { name: name.to_owned(), data_type, nullable: true };
    let mut setup = Setup::new();
    setup.source = "old.csv";
    setup.schema = Schema { columns: vec![column("id", DataType::Int64), column("price", DataType::String)] };
    setup.layout = csv(Shape::File);
    setup.mapping = json!({"columns": [{"name": "price", "type": "decimal(6,2)"}]});
    setup.build(|home| fs::write(home.join("old.csv"), text).unwrap())
}

#[test]
fn delimited_text_is_read_no_further_than_the_sample() {
    let world = delimited("id,price\n1,2.50\n2,free\n3,\"4,00\"\n4\n");
    insta::assert_snapshot!(sampled(&world, 3), @"
    the first 3 rows, 1 written, 2 rejected
    price (Fail): 2 rows, text is not of the form that the type has, row 2 of old.csv
    ");
    assert_eq!(code_of(world.sample(4)), code::CSV_RAGGED);
}

#[test]
fn a_file_that_is_gone_or_corrupt() {
    let world = Setup::new().build(|home| fs::write(home.join("old.parquet"), "PAR1 no footer PAR1").unwrap());
    assert_eq!(code_of(world.sample(10)), code::CORRUPT_PARQUET);
    fs::remove_file(world.at("old.parquet")).unwrap();
    assert_eq!(code_of(world.sample(10)), code::NOT_FOUND);
}
