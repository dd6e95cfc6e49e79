//! The compatibility view: DuckDB runs it and sees the old columns.

use crate::files::{old_file, python, write_parquet};
use crate::support::{Setup, World, csv, json as json_lines, parquet};
use arrow::array::{ArrayRef, RecordBatch, Time32SecondArray, TimestampMicrosecondArray, TimestampSecondArray};
use greylag_data::arrow_types::from_arrow_schema;
use greylag_model::dataset::{CsvDialect, Format, Layout, Shape};
use serde_json::json;
use std::process::Command;
use std::sync::Arc;

/// The dialect of `SELECT … INTO OUTFILE`, whose null text holds the escape.
fn like_mysql() -> Layout {
    let dialect = CsvDialect { escape: Some('\\'), null: "\\N".to_owned(), ..CsvDialect::default() };
    Layout { format: Format::Csv(dialect), ..csv(Shape::File) }
}

#[test]
fn duckdb_sees_the_old_columns_through_the_view() {
    for (target, layout) in [
        ("new.parquet", parquet(Shape::File, &[])),
        ("new", parquet(Shape::Directory, &["flag"])),
        ("new.csv", csv(Shape::File)),
        ("new.csv", like_mysql()),
        ("new.jsonl", json_lines(Shape::File, &[])),
        ("new", json_lines(Shape::Directory, &["flag"])),
    ] {
        let mut setup = Setup::new().mapping(json!({
            "columns": [
                { "name": "user_id", "from": "id" },
                { "name": "small", "type": "int64" },
                { "name": "seen", "from": "day", "type": "timestamp(us)" },
            ],
            "drop": [{ "name": "share", "reason": "unused" }],
        }));
        setup.target = target;
        setup.target_layout = layout;
        let world = setup.build(old_file(200));
        world.run_through("data/cutover");
        assert_eq!(compared(&world, "id, name, price, day, flag, small"), "200", "{target}");
    }
}

/// What DuckDB counts in the view, once names, types and rows of some columns were found to be those of the old file.
fn compared(world: &World, columns: &str) -> String {
    let script = "\
import duckdb, sys
database = duckdb.connect()
database.execute(open(sys.argv[1]).read())
old, view = f\"read_parquet('{sys.argv[2]}')\", 'old'
columns = sys.argv[3]
there = database.execute(f'(SELECT {columns} FROM {old} EXCEPT ALL SELECT {columns} FROM {view})').fetchall()
back = database.execute(f'(SELECT {columns} FROM {view} EXCEPT ALL SELECT {columns} FROM {old})').fetchall()
names = lambda table: [row[0] for row in database.execute(f'DESCRIBE SELECT * FROM {table}').fetchall()]
types = lambda table: [row[1] for row in database.execute(f'DESCRIBE SELECT * FROM {table}').fetchall()]
assert not there and not back, (there[:3], back[:3])
assert names(old) == names(view), (names(old), names(view))
assert types(old) == types(view), (types(old), types(view))
print(database.execute(f'SELECT count(*) FROM {view}').fetchone()[0])
";
    let answer = Command::new(python())
        .args(["-c", script])
        .args([world.at("old.parquet.sql"), world.at("old.parquet")])
        .arg(columns)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&answer.stderr);
    let view = std::fs::read_to_string(world.at("old.parquet.sql")).unwrap();
    assert!(answer.status.success(), "{errors}\n{view}");
    String::from_utf8_lossy(&answer.stdout).trim().to_owned()
}

/// Parquet has no seconds: they are whole numbers in its files, old and new, and DuckDB reads them as such.
#[test]
fn duckdb_sees_whole_seconds_as_it_did() {
    let seconds = [Some(1_700_000_000), None, Some(-1)];
    let clocks = [Some(86_399), Some(0), None];
    let micros = [Some(1_700_000_000_000_000), None, Some(-1_000_000)];
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("kept", Arc::new(TimestampSecondArray::from(seconds.to_vec()))),
        ("clock", Arc::new(Time32SecondArray::from(clocks.to_vec()))),
        ("finer", Arc::new(TimestampSecondArray::from(seconds.to_vec()))),
        ("finer_clock", Arc::new(Time32SecondArray::from(clocks.to_vec()))),
        ("instant", Arc::new(TimestampSecondArray::from(seconds.to_vec()).with_timezone("UTC"))),
        ("coarser", Arc::new(TimestampMicrosecondArray::from(micros.to_vec()))),
        ("gone", Arc::new(TimestampSecondArray::from(seconds.to_vec()))),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)));
    let batch = batch.unwrap();
    for (target, layout) in [
        ("new.parquet", parquet(Shape::File, &[])),
        ("new.csv", csv(Shape::File)),
        ("new.jsonl", json_lines(Shape::File, &[])),
    ] {
        let mut setup = Setup::new().mapping(json!({
            "columns": [
                { "name": "renamed", "from": "clock" },
                { "name": "finer", "type": "timestamp(us)" },
                { "name": "finer_clock", "type": "time(us)" },
                { "name": "instant", "type": "timestamp(us, UTC)" },
                { "name": "coarser", "type": "timestamp(s)", "loss": "fail" },
            ],
            "drop": [{ "name": "gone", "reason": "unused" }],
            "reverse": [{ "name": "coarser", "expr": "CAST(coarser AS timestamp(us))" }],
        }));
        setup.schema = from_arrow_schema(&batch.schema()).unwrap();
        setup.target = target;
        setup.target_layout = layout;
        let rows = batch.clone();
        let world = setup.build(move |home| write_parquet(&home.join("old.parquet"), &rows, 100));
        world.run_through("data/cutover");
        assert_eq!(compared(&world, "kept, clock, finer, finer_clock, instant, coarser"), "3", "{target}");
    }
}
