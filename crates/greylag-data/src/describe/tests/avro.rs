//! Datasets of Avro files: what their headers and blocks tell.

use super::*;
use crate::avro::write::AvroFileWriter;
use arrow::array::{Int32Array, TimestampMillisecondArray};
use greylag_model::dataset::Compression;

fn avro(estate: &Estate, path: &str, columns: &[(&str, ArrayRef)]) {
    let batch = columns.iter().map(|(name, array)| (*name, Arc::clone(array), array.logical_null_count() > 0));
    let batch = RecordBatch::try_from_iter_with_nullable(batch).unwrap();
    let file = fs::File::create(estate.path(path)).unwrap();
    let mut writer = AvroFileWriter::new(file, path, &batch.schema(), Compression::Gzip, true).unwrap();
    writer.append(&batch).unwrap();
    writer.finish_into().unwrap();
}

fn small(values: &[i32]) -> ArrayRef {
    Arc::new(Int32Array::from(values.to_vec()))
}

#[test]
fn files_of_one_dataset_agree() {
    let estate = Estate::new();
    avro(&estate, "t/k=1/a.avro", &[("id", ints(&[1, 2])), ("s", texts(&["x", "y"]))]);
    let some: ArrayRef = Arc::new(StringArray::from(vec![None, Some("z")]));
    avro(&estate, "t/k=2/a.avro", &[("s", some), ("id", ints(&[3, 4]))]);
    insta::assert_snapshot!(estate.show("t", &[]), @r#"
    avro Directory files 2 rows Some(4)
    "id" int64 not null
    "s" string
    "k" int64
    by k
    "#);
    insta::assert_snapshot!(estate.rows("t", 1_000_000), @r"
    chunk-00000
    +----+---+---+
    | id | s | k |
    +----+---+---+
    | 1  | x | 1 |
    | 2  | y | 1 |
    +----+---+---+
    chunk-00001
    +----+---+---+
    | id | s | k |
    +----+---+---+
    | 3  |   | 2 |
    | 4  | z | 2 |
    +----+---+---+
    ");
    avro(&estate, "odd/a.avro", &[("id", ints(&[1]))]);
    avro(&estate, "odd/b.avro", &[("id", small(&[1]))]);
    insta::assert_snapshot!(estate.show("odd", &[]), @"GL0614 column `id` is `int32` in `ROOT/odd/b.avro`, other than in `ROOT/odd/a.avro`");
    avro(&estate, "more/a.avro", &[("id", ints(&[1]))]);
    avro(&estate, "more/b.avro", &[("id", ints(&[1])), ("x", ints(&[1]))]);
    insta::assert_snapshot!(estate.show("more", &[]), @"GL0614 the column `x` is there in `ROOT/more/b.avro`, other than in `ROOT/more/a.avro`");
}

#[test]
fn declared_types_are_taken_where_the_file_carries_them() {
    let estate = Estate::new();
    let at: ArrayRef = Arc::new(TimestampMillisecondArray::from(vec![1]).with_timezone("UTC"));
    avro(&estate, "t.avro", &[("n", small(&[7])), ("at", at)]);
    let declared = |columns: &str| estate.show("t.avro", &[("greylag.dev/columns", columns)]);
    insta::assert_snapshot!(declared("n: uint8, at: timestamp(ms, Europe/Berlin)"), @r#"
    avro File files 1 rows Some(1)
    "n" uint8 not null
    "at" timestamp(ms, Europe/Berlin) not null
    "#);
    insta::assert_snapshot!(declared("n: int64"), @"GL0626 the column `n` of `ROOT/t.avro` is declared as `int64` and is `int32`");
    insta::assert_snapshot!(declared("at: timestamp(us, UTC)"), @"GL0626 the column `at` of `ROOT/t.avro` is declared as `timestamp(us, UTC)` and is `timestamp(ms, UTC)`");
}

#[test]
fn a_file_is_known_by_its_first_bytes() {
    let estate = Estate::new();
    avro(&estate, "plain", &[("id", ints(&[1]))]);
    assert!(estate.show("plain", &[]).starts_with("avro File"));
    estate.text("rubbish.avro", "Obj\u{1}rubbish");
    assert!(estate.show("rubbish.avro", &[]).starts_with("GL06"), "{}", estate.show("rubbish.avro", &[]));
    estate.text("mixed/a.jsonl", "{\"id\":1}\n");
    avro(&estate, "mixed/b.avro", &[("id", ints(&[1]))]);
    insta::assert_snapshot!(estate.show("mixed", &[]), @"GL0607 `ROOT/mixed` holds json (`a.jsonl`) and avro (`b.avro`)");
}

#[test]
fn a_large_file_is_cut_between_blocks() {
    let estate = Estate::new();
    let numbers: Vec<i64> = (0..200_000).map(|id| id * 1_000_003 % 99_991).collect();
    avro(&estate, "t.avro", &[("id", ints(&numbers))]);
    let observed = estate.observe("t.avro", &[]).unwrap();
    let facts = estate.files.facts(&observed.dataset, &observed.layout, 50_000).unwrap();
    let chunks = plan_chunks(&facts, 50_000);
    assert!(chunks.len() > 2, "{chunks:?}");
    let (anchor, mut read) = (estate.files.anchor(&observed.dataset.location).unwrap(), Vec::new());
    let source = PartSource {
        anchor: &anchor,
        layout: &observed.layout,
        schema: &observed.schema,
        columns: None,
        batch_rows: 999,
    };
    for part in chunks.iter().flat_map(|chunk| &chunk.parts) {
        for batch in source.open(part, &[]).unwrap() {
            let batch = batch.unwrap();
            read.extend_from_slice(batch.column(0).as_any().downcast_ref::<Int64Array>().unwrap().values());
        }
    }
    assert_eq!(read, numbers);
}
