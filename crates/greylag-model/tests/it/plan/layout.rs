use super::{Case, csv, entity, local, observed, parquet};
use greylag_model::dataset::{Compression, Format, Layout, Shape};
use greylag_model::plan::default_location;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The target's layout, its changes and reasons to break, or what is wrong.
fn check(source: Layout, layout: Value) -> String {
    let mut case = Case::new(&[("a", "b", "v: int64; year: int32")], json!({"layout": layout}));
    case.snapshot.pairs[0].source = Ok(observed("a", "v: int64; year: int32", source));
    let Some(plan) = case.compile().plan else { return case.reasons() };
    let task = plan.tasks[0].dataset().unwrap();
    let mut text = serde_json::to_string(&task.target_layout).unwrap() + "\n";
    for change in &task.changes {
        writeln!(text, "~ {}  {}", change.subject, change.detail).unwrap();
    }
    for why in &task.breaking {
        writeln!(text, "! {why}").unwrap();
    }
    text
}

#[test]
fn as_the_old_one_but_for_compression() {
    let format = Format::Parquet { compression: Compression::Snappy };
    let layout = Layout { format, ..parquet(Shape::Directory, &["year"]) };
    insta::assert_snapshot!(check(layout, json!({})), @r#"
    {"format":"parquet","compression":"zstd","shape":"directory","partitionBy":["year"]}
    ~ (compression)  snappy → zstd
    "#);
}

#[test]
fn csv_keeps_its_dialect() {
    insta::assert_snapshot!(check(csv(Shape::File), json!({})), @r#"{"format":"csv","delimiter":",","quote":"\"","escape":null,"header":true,"null":"","encoding":"utf-8","byteOrderMark":false,"lineEnding":"lf","shape":"file"}"#);
}

#[test]
fn another_format() {
    insta::assert_snapshot!(check(csv(Shape::File), json!({"format": "parquet", "compression": "snappy"})), @r#"
    {"format":"parquet","compression":"snappy","shape":"file"}
    ~ (format)  csv → parquet
    ! the format goes from csv to parquet
    "#);
}

#[test]
fn partitions_ask_for_a_directory() {
    insta::assert_snapshot!(check(parquet(Shape::File, &[]), json!({"partitionBy": ["year"]})), @r#"
    {"format":"parquet","compression":"zstd","shape":"directory","partitionBy":["year"]}
    ~ (shape)  file → directory
    ~ (partitions)  none → year
    ! the shape goes file → directory
    ! the partition columns go none → year
    "#);
}

#[test]
fn a_file_asks_for_no_partitions() {
    insta::assert_snapshot!(check(parquet(Shape::Directory, &["year"]), json!({"shape": "file"})), @r#"
    {"format":"parquet","compression":"zstd","shape":"file"}
    ~ (shape)  directory → file
    ~ (partitions)  year → none
    ! the shape goes directory → file
    ! the partition columns go year → none
    "#);
}

#[test]
fn another_dialect() {
    insta::assert_snapshot!(check(csv(Shape::File), json!({"csv": {"delimiter": ";"}})), @r#"
    {"format":"csv","delimiter":";","quote":"\"","escape":null,"header":true,"null":"","encoding":"utf-8","byteOrderMark":false,"lineEnding":"lf","shape":"file"}
    ~ (format)  another CSV dialect
    ! the CSV dialect changes
    "#);
}

#[test]
fn json_lines() {
    insta::assert_snapshot!(check(csv(Shape::File), json!({"format": "json"})), @r#"
    {"format":"json","shape":"file"}
    ~ (format)  csv → json
    ! the format goes from csv to json
    "#);
    insta::assert_snapshot!(check(parquet(Shape::File, &[]), json!({"format": "json", "csv": {}, "compression": "zstd"})), @"
    GL0412 at /spec/layout/csv: `csv` is given for JSON files
        remove `csv`, or say `format: csv`
    GL0412 at /spec/layout/compression: `compression` is given for JSON files
        remove it, or say `format: parquet`
    ");
}

#[test]
fn avro() {
    insta::assert_snapshot!(check(parquet(Shape::Directory, &["year"]), json!({"format": "avro"})), @r#"
    {"format":"avro","compression":"gzip","shape":"directory","partitionBy":["year"]}
    ~ (format)  parquet → avro
    ! the format goes from parquet to avro
    "#);
    insta::assert_snapshot!(check(csv(Shape::File), json!({"format": "avro", "compression": "lz4"})), @"
    GL0412 at /spec/layout/compression: Avro has no codec `lz4`
        write `gzip` (Avro's deflate), `snappy` or `zstd`
    ");
}

#[test]
fn contradictions() {
    let layout = json!({"csv": {"delimiter": ";"}, "shape": "file", "partitionBy": ["year"]});
    insta::assert_snapshot!(check(parquet(Shape::File, &[]), layout), @"
    GL0412 at /spec/layout/csv: `csv` is given for Parquet files
        remove `csv`, or say `format: csv`
    GL0412 at /spec/layout/partitionBy: a single file cannot have partitions
        say `shape: directory`, or remove `partitionBy`
    ");
    insta::assert_snapshot!(check(csv(Shape::File), json!({"compression": "zstd", "partitionBy": ["yaer"]})), @"
    GL0412 at /spec/layout/compression: `compression` is given for CSV files
        remove it, or say `format: parquet`
    ");
}

#[test]
fn columns_that_move_break_readers_of_csv() {
    let mut case = Case::new(&[("a", "b", "v: int64; w: int64")], json!({}));
    case.snapshot.pairs[0].source = Ok(observed("a", "v: int64; w: int64", csv(Shape::File)));
    case.spec["mapping"] = json!({"split": [], "columns": [{"name": "w"}, {"name": "v2", "from": "v"}, {"name": "v"}]});
    assert_eq!(case.plan().tasks[0].dataset().unwrap().breaking, ["column `v` stands at another position"]);
}

#[test]
fn a_place_is_beside_the_old_one() {
    let at = |path: &str, source: &Layout, layout: Value| {
        let spec = serde_json::from_value(layout).unwrap();
        default_location(&local(path), source, &entity("finance/new"), Some(&spec)).path
    };
    let file = parquet(Shape::File, &[]);
    assert_eq!(at("/data/old.parquet", &file, json!({})), "/data/new.parquet");
    assert_eq!(at("old.parquet", &file, json!({"format": "csv"})), "new.csv");
    assert_eq!(at("old.parquet", &file, json!({"format": "json"})), "new.jsonl");
    assert_eq!(at("/data/old.parquet", &file, json!({"partitionBy": ["x"]})), "/data/new");
    assert_eq!(at("/data/old/", &parquet(Shape::Directory, &[]), json!({})), "/data/new");
    assert_eq!(at("/data/old", &parquet(Shape::Directory, &["x"]), json!({"shape": "file"})), "/data/new.parquet");
}
