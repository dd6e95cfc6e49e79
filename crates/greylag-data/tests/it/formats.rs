//! Every format becomes every format, as one file and as partitions, and back again without a difference.

use crate::files::{python, rows, write_parquet};
use crate::support::{Setup, World, avro, csv, json, parquet};
use arrow::array::{ArrayRef, BinaryArray, RecordBatch};
use greylag_data::arrow_types::from_arrow_schema;
use greylag_model::dataset::{Layout, Shape};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

fn layouts(shape: Shape, partition_by: &[&str]) -> [Layout; 4] {
    let csv = Layout { partition_by: parquet(shape, partition_by).partition_by, ..csv(shape) };
    [parquet(shape, partition_by), csv, json(shape, partition_by), avro(shape, partition_by)]
}

fn name(stem: &str, layout: &Layout) -> &'static str {
    // A setup is for the time of a test.
    let name = match layout.shape {
        Shape::File => format!("{stem}.{}", layout.format.extension()),
        Shape::Directory => format!("{stem}-{}", layout.format.name()),
    };
    Box::leak(name.into_boxed_str())
}

/// Carries a dataset over, unchanged, in a directory that is there.
fn carry(world: &World, from: &Layout, to: &Layout, name_from: &'static str, name_to: &'static str) -> World {
    let mut setup = Setup::new().small_chunks();
    setup.source = name_from;
    setup.target = name_to;
    setup.schema = world.plan.subject.mapping.target.clone();
    setup.layout = from.clone();
    setup.target_layout = to.clone();
    setup.options.chunk_bytes = 2_000;
    let home = world.home.clone();
    let next = setup.build(|new| {
        let (from, to) = (home.join(name_from), new.join(name_from));
        let copied = Command::new("cp").arg("-r").args([from, to]).status().unwrap();
        assert!(copied.success());
    });
    next.run_through("data/publish");
    next
}

#[test]
fn every_format_becomes_every_format_and_comes_back() {
    for (shape, partition_by) in [(Shape::File, &[][..]), (Shape::Directory, &["flag"][..])] {
        for first in layouts(shape, partition_by) {
            let mut setup = Setup::new();
            setup.target = name("first", &first);
            setup.target_layout = first.clone();
            let world = setup.build(|home| write_parquet(&home.join("old.parquet"), &rows(0..500), 100));
            world.run_through("data/publish");
            let schema = &world.plan.subject.mapping.target;
            let expected = world.rows_of(name("first", &first), schema, &first);
            assert_eq!(expected.len(), 500);
            for second in layouts(shape, partition_by) {
                let next = carry(&world, &first, &second, name("first", &first), name("second", &second));
                let there = next.rows_of(name("second", &second), schema, &second);
                assert_eq!(there, expected, "{} → {}", first.format.name(), second.format.name());
            }
        }
    }
}

#[test]
fn a_dataset_without_rows_keeps_its_columns_in_every_format() {
    for shape in [Shape::File, Shape::Directory] {
        for layout in layouts(shape, &[]) {
            let mut setup = Setup::new();
            setup.target = name("new", &layout);
            setup.target_layout = layout.clone();
            let world = setup.build(|home| write_parquet(&home.join("old.parquet"), &rows(0..0), 100));
            world.run_through("data/publish");
            let next = carry(&world, &layout, &parquet(Shape::File, &[]), name("new", &layout), "again.parquet");
            assert_eq!(
                next.rows_of("again.parquet", &world.plan.subject.mapping.target, &parquet(Shape::File, &[])).len(),
                0
            );
        }
    }
}

/// A dataset with lists, structs, maps and bytes.
fn nested() -> RecordBatch {
    use arrow::array::{Int64Array, ListArray, StringArray, StructArray};
    use arrow::buffer::{NullBuffer, OffsetBuffer};
    use arrow::datatypes::{DataType, Field, Fields};
    let count = 300;
    let ids: ArrayRef = Arc::new((0..count).map(|id| Some(id * 3_000_000_000_000_007)).collect::<Int64Array>());
    let texts: ArrayRef =
        Arc::new((0..count).map(|id| (id % 5 > 0).then(|| format!("é\"{id}\\\n"))).collect::<StringArray>());
    let fields = Fields::from(vec![Field::new("n", DataType::Int64, true), Field::new("t", DataType::Utf8, true)]);
    let valid = NullBuffer::from((0..count).map(|id| id % 7 > 0).collect::<Vec<_>>());
    let masked = |array: &ArrayRef| {
        let nulls = arrow::array::BooleanArray::new(!valid.inner(), None);
        arrow::compute::nullif(array, &nulls).unwrap()
    };
    let place: ArrayRef = Arc::new(StructArray::new(fields, vec![masked(&ids), masked(&texts)], Some(valid.clone())));
    let lengths = (0..count as usize).map(|id| id % 3);
    let items: ArrayRef =
        Arc::new((0..count).map(|id| (id % 4 > 0).then(|| format!("tag {id}"))).collect::<StringArray>());
    let tags = ListArray::new(
        Arc::new(Field::new_list_field(DataType::Utf8, true)),
        OffsetBuffer::from_lengths(lengths),
        items,
        None,
    );
    let raw: ArrayRef =
        Arc::new((0..count).map(|id| (id % 6 > 0).then(|| vec![id as u8, 0, 255])).collect::<BinaryArray>());
    let columns: Vec<(&str, ArrayRef)> =
        vec![("id", ids), ("text", texts), ("place", place), ("tags", Arc::new(tags)), ("raw", raw)];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
}

fn nested_world(target: &'static str, layout: Layout) -> World {
    let batch = nested();
    let mut setup = Setup::new();
    setup.schema = from_arrow_schema(&batch.schema()).unwrap();
    setup.target = target;
    setup.target_layout = layout;
    setup.build(|home| write_parquet(&home.join("old.parquet"), &batch, 100))
}

#[test]
fn nested_values_and_bytes_become_json_lines_and_avro_and_come_back() {
    for (target, layout) in [("new.jsonl", json(Shape::File, &[])), ("new.avro", avro(Shape::File, &[]))] {
        let world = nested_world(target, layout.clone());
        world.run_through("data/publish");
        let schema = &world.plan.subject.mapping.target;
        let old = world.rows_of("old.parquet", schema, &parquet(Shape::File, &[]));
        assert_eq!(world.rows_of(target, schema, &layout), old, "{target}");
        let back = carry(&world, &layout, &parquet(Shape::File, &[]), target, "back.parquet");
        assert_eq!(back.rows_of("back.parquet", schema, &parquet(Shape::File, &[])), old, "{target}");
    }
}

/// Where no view can be, a note tells what is what, and stands there as a view does.
#[test]
fn avro_has_a_note_in_place_of_a_view() {
    let mut setup = Setup::new().mapping(serde_json::json!({
        "columns": [{ "name": "user_id", "from": "id" }],
        "drop": [{ "name": "share", "reason": "unused" }],
    }));
    setup.target = "new.avro";
    setup.target_layout = avro(Shape::File, &[]);
    let world = setup.build(|home| write_parquet(&home.join("old.parquet"), &rows(0..100), 100));
    world.run_through("data/retire");
    let note = std::fs::read_to_string(world.at("old.parquet.sql")).unwrap();
    assert!(note.lines().all(|line| line.starts_with("-- ")), "{note}");
    assert!(note.contains("\n--     \"id\" = \"user_id\"\n"), "{note}");
    assert!(note.contains("(lost: dropped: unused)"), "{note}");
}

/// DuckDB's own reader of JSON finds in the file what its reader of Parquet finds in the source.
#[test]
fn duckdb_reads_the_same_from_json_lines_as_from_parquet() {
    let world = nested_world("new.jsonl", json(Shape::File, &[]));
    world.run_through("data/cutover");
    let script = "\
import duckdb, sys
database = duckdb.connect()
old, new = f\"read_parquet('{sys.argv[1]}')\", f\"read_json('{sys.argv[2]}', format = 'newline_delimited')\"
columns = 'id, text, place, tags'
missing = database.execute(f'(SELECT {columns} FROM {old} EXCEPT ALL SELECT {columns} FROM {new})').fetchall()
extra = database.execute(f'(SELECT {columns} FROM {new} EXCEPT ALL SELECT {columns} FROM {old})').fetchall()
assert not missing and not extra, (missing[:2], extra[:2])
types = lambda table: [row[1] for row in database.execute(f'DESCRIBE SELECT {columns} FROM {table}').fetchall()]
assert types(old) == types(new), (types(old), types(new))
database.execute(open(sys.argv[3]).read())
for left, right in [(old, 'old'), ('old', old)]:
    odd = database.execute(f'(SELECT * FROM {left} EXCEPT ALL SELECT * FROM {right})').fetchall()
    assert not odd, odd[:2]
print(database.execute(f'SELECT count(*) FROM old').fetchone()[0])
";
    let paths: [&Path; 3] = [&world.at("old.parquet"), &world.at("new.jsonl"), &world.at("old.parquet.sql")];
    let answer = Command::new(python()).args(["-c", script]).args(paths).output().unwrap();
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    assert_eq!(String::from_utf8_lossy(&answer.stdout).trim(), "300");
}

/// A line that a hand changed behind the writer's back is found, whatever was changed.
#[test]
fn changes_behind_the_writers_back_are_found() {
    let changes: [(&str, &str); 4] = [
        ("\"id\":17,", "\"id\":18,"),
        ("\"small\":17,", "\"small\":71,"),
        ("\"name\":\"näme 17\",", ""),
        ("\"day\":\"1970-01-18\"", "\"day\":\"1970-01-19\""),
    ];
    for (from, to) in changes {
        let mut setup = Setup::new();
        setup.target = "new";
        setup.target_layout = json(Shape::Directory, &[]);
        let world = setup.build(|home| write_parquet(&home.join("old.parquet"), &rows(0..100), 100));
        world.step("data/expand").unwrap();
        world.step("data/backfill").unwrap();
        let files = greylag_data::durable::walk(&world.home).unwrap();
        let (path, _) = files.into_iter().find(|(path, _)| path.extension().is_some_and(|of| of == "jsonl")).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        // Of the same length, so that only its content can tell.
        let padded = format!("{}{to}", " ".repeat(from.len().saturating_sub(to.len())));
        let changed = text.replacen(from, &padded, 1);
        assert_ne!(changed, text, "{from}");
        std::fs::write(&path, changed).unwrap();
        assert!(!world.failed_checks().is_empty(), "{from} → {to}");
    }
}
