//! Compatibility views, as text.

use crate::mapping::resolved;
use greylag_model::dataset::{Compression, CsvDialect, Format, Layout, Shape};
use greylag_model::mapping::Mapping;
use greylag_model::view::{ViewRequest, compatibility_view};
use serde_json::{Value, json};

fn mapping(source: &str, rules: Value) -> Mapping {
    resolved(source, rules).unwrap().mapping
}

fn parquet(shape: Shape, partition_by: &[&str]) -> Layout {
    let partition_by = partition_by.iter().map(ToString::to_string).collect();
    Layout { format: Format::Parquet { compression: Compression::Zstd }, shape, partition_by }
}

fn check(name: &str, mapping: &Mapping, layout: &Layout, path: &str) -> String {
    match compatibility_view(ViewRequest { name, mapping, source: &parquet(Shape::File, &[]), layout, path }) {
        Ok(text) => text,
        Err(error) => crate::mapping::diagnostic(&error),
    }
}

#[test]
fn old_names_and_types() {
    let rules = json!({
        "columns": [
            {"name": "user_id", "from": "uid", "type": "int64"},
            {"name": "price", "type": "float64"},
            {"name": "when", "from": "day", "type": "timestamp(us)"}
        ],
        "split": [{"from": "name", "into": ["first", "last"], "separator": " "}],
        "drop": [{"name": "legacy", "reason": "unused\nDROP TABLE users; --"}, {"name": "tags", "reason": "gone"}]
    });
    let source = "uid: int32!; name: string; price: decimal(9,2); day: date; legacy: decimal(15,2); tags: list<string>";
    insta::assert_snapshot!(check(
        "users_v1",
        &mapping(source, rules),
        &parquet(Shape::File, &[]),
        "/data/users_v2.parquet"
    ), @r#"
    -- The old names and types of users_v1 over the new files.
    -- DuckDB reads it: duckdb -c ".read FILE" -c "SELECT …"
    CREATE OR REPLACE VIEW "users_v1" AS
    SELECT
        CAST("user_id" AS INTEGER) AS "uid",
        (CASE WHEN ("first" IS NOT NULL) THEN concat_ws(' ', "first", "last") END) AS "name",
        CAST((round(("price" * 1e2)) / 1e2) AS DECIMAL(9,2)) AS "price",
        (CASE WHEN CAST("when" AS DATE) <> "when" THEN error('value does not fit') ELSE CAST("when" AS DATE) END) AS "day",
        CAST(NULL AS DECIMAL(15,2)) AS "legacy", -- lost: dropped: unused DROP TABLE users; --
        CAST(NULL AS VARCHAR[]) AS "tags" -- lost: dropped: gone
    FROM read_parquet('/data/users_v2.parquet', hive_partitioning = false);
    "#);
}

#[test]
fn partitioned_directories_have_typed_partitions() {
    let mapping = mapping("v: int64; year: int32; cc: string", json!({}));
    let layout = parquet(Shape::Directory, &["year", "cc"]);
    insta::assert_snapshot!(check("events", &mapping, &layout, "/data/events_v2/"), @r#"
    -- The old names and types of events over the new files.
    -- DuckDB reads it: duckdb -c ".read FILE" -c "SELECT …"
    CREATE OR REPLACE VIEW "events" AS
    SELECT
        "v" AS "v",
        "year" AS "year",
        "cc" AS "cc"
    FROM read_parquet('/data/events_v2/**/*.parquet', hive_partitioning = true, hive_types = {'year': 'INTEGER', 'cc': 'VARCHAR'});
    "#);
}

#[test]
fn csv_is_read_as_it_was_written() {
    let dialect = CsvDialect {
        delimiter: ';',
        quote: '\'',
        escape: Some('\\'),
        header: false,
        null: "NULL".to_owned(),
        encoding: "latin-1".to_owned(),
        ..CsvDialect::default()
    };
    let layout = Layout { format: Format::Csv(dialect), shape: Shape::Directory, partition_by: vec!["y".to_owned()] };
    let mapping = mapping("a: int8; b: timestamp(ms); it's: decimal(5,2); y: date", json!({}));
    insta::assert_snapshot!(check("old", &mapping, &layout, "/data/new"), @r#"
    -- The old names and types of old over the new files.
    -- DuckDB reads it: duckdb -c ".read FILE" -c "SELECT …"
    CREATE OR REPLACE VIEW "old" AS
    SELECT
        "a" AS "a",
        "b" AS "b",
        "it's" AS "it's",
        "y" AS "y"
    FROM read_csv('/data/new/**/*.csv', hive_partitioning = true, hive_types = {'y': 'DATE'}, auto_detect = false, new_line = '\n', delim = ';', quote = '''', escape = '\', header = false, nullstr = 'NULL', allow_quoted_nulls = false, encoding = 'latin-1', columns = {'a': 'TINYINT', 'b': 'TIMESTAMP_MS', 'it''s': 'DECIMAL(5,2)'});
    "#);
}

#[test]
fn json_lines_are_read_by_key_and_converted() {
    let layout = Layout { format: Format::Json, shape: Shape::Directory, partition_by: vec!["y".to_owned()] };
    let source = "a: int8; b: timestamp(ms, UTC); it's: decimal(5,2); raw: binary; tags: list<struct<n: date, \"o k\": string>>; \
                  y: date";
    insta::assert_snapshot!(check("old", &mapping(source, json!({})), &layout, "/data/new"), @r#"
    -- The old names and types of old over the new files.
    -- DuckDB reads it: duckdb -c ".read FILE" -c "SELECT …"
    CREATE OR REPLACE VIEW "old" AS
    SELECT
        "a" AS "a",
        "b" AS "b",
        "it's" AS "it's",
        "raw" AS "raw",
        "tags" AS "tags",
        "y" AS "y"
    FROM (SELECT * REPLACE (CAST("b" AS TIMESTAMPTZ) AS "b", CAST("it's" AS DECIMAL(5,2)) AS "it's", from_base64("raw") AS "raw") FROM read_json('/data/new/**/*.jsonl', hive_partitioning = true, hive_types = {'y': 'DATE'}, format = 'newline_delimited', maximum_object_size = 33554432, columns = {'a': 'TINYINT', 'b': 'VARCHAR', 'it''s': 'VARCHAR', 'raw': 'VARCHAR', 'tags': 'STRUCT("n" DATE, "o k" VARCHAR)[]'}));
    "#);
}

#[test]
fn what_duckdb_cannot_tell_in_json_lines_has_no_view() {
    let layout = Layout { format: Format::Json, ..parquet(Shape::File, &[]) };
    insta::assert_snapshot!(check("old", &mapping("a: int8; A: int8", json!({})), &layout, "/data/new.jsonl"), @"
    GL0442: DuckDB does not tell the key `A` from `a`, so there is no compatibility view
        give one of the new columns a name that differs by more than case
    ");
    insta::assert_snapshot!(check("old", &mapping("a: list<binary>", json!({})), &layout, "/data/new.jsonl"), @"
    GL0442: column `a` has bytes inside nested values, which are base64 in JSON and text to DuckDB
        keep the dataset in Parquet
    ");
}

#[test]
fn avro_has_a_note_of_comments_only() {
    let layout = Layout { format: Format::Avro { compression: Compression::Gzip }, ..parquet(Shape::File, &[]) };
    let rules = json!({
        "columns": [{"name": "user_id", "from": "uid", "type": "int64"}],
        "drop": [{"name": "legacy", "reason": "unused\nDROP TABLE users; --"}]
    });
    let mapping = mapping("uid: int32!; legacy: string", rules);
    insta::assert_snapshot!(check("old\n;", &mapping, &layout, "/data/new\n.avro"), @r#"
    -- There is no view of old ;: its new files are Avro, which DuckDB reads only by an extension.
    -- The new files: /data/new .avro
    -- The old columns, in terms of the new ones:
    --     "uid" = CAST("user_id" AS INTEGER)
    --     "legacy" = CAST(NULL AS VARCHAR) (lost: dropped: unused DROP TABLE users; --)
    "#);
}

#[test]
fn csv_whose_null_holds_an_escape() {
    let dialect = CsvDialect { escape: Some('\\'), null: "\\N".to_owned(), ..CsvDialect::default() };
    let layout = Layout { format: Format::Csv(dialect), ..parquet(Shape::File, &[]) };
    let text = check("old", &mapping("a: int8", json!({})), &layout, "/data/new.csv");
    assert!(text.contains(r"escape = '\', header = true, nullstr = '\N', allow_quoted_nulls = false, encoding = 'utf-8', strict_mode = false"), "{text}");
}

#[test]
fn csv_whose_null_holds_a_delimiter_has_none() {
    let dialect = CsvDialect { null: "a,b".to_owned(), ..CsvDialect::default() };
    let layout = Layout { format: Format::Csv(dialect), ..parquet(Shape::File, &[]) };
    insta::assert_snapshot!(check("old", &mapping("a: int8", json!({})), &layout, "/data/new.csv"), @r"
    GL0442: DuckDB cannot read CSV whose null `a,b` holds its delimiter or quote
        give the new dataset another `null` under `layout.csv`
    ");
}

#[test]
fn hostile_names_stay_names() {
    let rules = json!({
        "columns": [{"name": "x\"; DROP TABLE t; --", "from": "a\"b"}],
        "drop": [{"name": "c'\nd", "reason": "r\r\n\u{2028}*/ '; DROP"}]
    });
    let mapping = mapping("a\"b: int32; c'\nd: string", rules);
    let path = "/data/it's [x]*?.parquet";
    insta::assert_snapshot!(check("v\"1\n; DROP", &mapping, &parquet(Shape::File, &[]), path), @r#"
    -- The old names and types of v"1 ; DROP over the new files.
    -- DuckDB reads it: duckdb -c ".read FILE" -c "SELECT …"
    CREATE OR REPLACE VIEW "v""1
    ; DROP" AS
    SELECT
        "x""; DROP TABLE t; --" AS "a""b",
        CAST(NULL AS VARCHAR) AS "c'
    d" -- lost: dropped: r   */ '; DROP
    FROM read_parquet('/data/it''s [[]x][*][?].parquet', hive_partitioning = false);
    "#);
}

#[test]
fn names_that_are_equal_but_for_case_are_read_by_position() {
    let rules = json!({"columns": [{"name": "ID", "from": "uid", "type": "int64"}]});
    let mapping = mapping("id: int32; uid: int32", rules);
    insta::assert_snapshot!(check("old", &mapping, &parquet(Shape::File, &[]), "/data/new.parquet"), @r#"
    -- The old names and types of old over the new files.
    -- DuckDB reads it: duckdb -c ".read FILE" -c "SELECT …"
    CREATE OR REPLACE VIEW "old" AS
    SELECT
        "c1" AS "id",
        CAST("c2" AS INTEGER) AS "uid"
    FROM read_parquet('/data/new.parquet', hive_partitioning = false) AS files(c1, c2);
    "#);
    let layout = Layout { format: Format::Csv(CsvDialect::default()), ..parquet(Shape::File, &[]) };
    insta::assert_snapshot!(check("old", &mapping, &layout, "/data/new.csv"), @r#"
    -- The old names and types of old over the new files.
    -- DuckDB reads it: duckdb -c ".read FILE" -c "SELECT …"
    CREATE OR REPLACE VIEW "old" AS
    SELECT
        "c1" AS "id",
        CAST("c2" AS INTEGER) AS "uid"
    FROM read_csv('/data/new.csv', hive_partitioning = false, auto_detect = false, new_line = '\n', delim = ',', quote = '"', escape = '"', header = true, nullstr = '', allow_quoted_nulls = false, encoding = 'utf-8', columns = {'c1': 'INTEGER', 'c2': 'BIGINT'});
    "#);
    insta::assert_snapshot!(check("old", &mapping, &parquet(Shape::Directory, &["ID"]), "/data/new"), @"GL0442: DuckDB does not tell the partition column `ID` from `id`, so there is no compatibility view");
}

#[test]
fn below_a_backslash_there_is_none() {
    let mapping = mapping("id: int32", json!({}));
    insta::assert_snapshot!(check("old", &mapping, &parquet(Shape::Directory, &[]), "/data/a\\b"), @r"
    GL0442: DuckDB cannot read below `/data/a\b`, which has a backslash: there is no compatibility view
        give the new dataset a `location` without backslashes
    ");
    let file = check("old", &mapping, &parquet(Shape::File, &[]), "/data/a\\b.parquet");
    assert!(file.contains("read_parquet('/data/a\\b.parquet', hive_partitioning = false)"), "{file}");
}
