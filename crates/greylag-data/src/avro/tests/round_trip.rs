//! What is written reads back as the same values, and as the same bytes.

use super::*;
use crate::any::{dice, hashes, types, values};
use arrow::array::{AsArray, Int64Array};
use arrow::datatypes::Int64Type;
use greylag_model::carry::avro_refuses;
use proptest::prelude::*;
use std::sync::Arc;

/// Letters that Avro's names have.
fn plain(data_type: &greylag_model::types::DataType) -> greylag_model::types::DataType {
    data_type
        .to_string()
        .replace("\"\"é\n", "")
        .replace(" \"", "\"")
        .replace('"', "")
        .parse()
        .unwrap_or(data_type.clone())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn every_type_that_avro_carries_survives(
        types in proptest::collection::vec(types(), 1..5),
        rows in 0..20_usize,
        seed in any::<u64>(),
        codec in 0..4_usize,
    ) {
        let types: Vec<_> = types.iter().map(plain).filter(|of| avro_refuses("a", of).is_none()).collect();
        prop_assume!(!types.is_empty());
        let mut dice = dice(seed);
        let columns = types.iter().enumerate();
        let columns = columns.map(|(index, data_type)| Column { name: format!("c{index}"), data_type: data_type.clone(), nullable: true });
        let schema = Schema { columns: columns.collect() };
        let batch = batch(&schema, types.iter().map(|of| values(of, rows, &mut dice)).collect());
        let bytes = write(&batch, CODECS[codec]).unwrap();
        prop_assert_eq!(write(&batch, CODECS[codec]).unwrap(), bytes.clone());
        let back = read(&bytes, &schema).unwrap();
        prop_assert_eq!(hashes(&back), hashes(&batch));
        prop_assert_eq!(write(&back, CODECS[codec]).unwrap(), bytes.clone());
        prop_assert_eq!(open(&bytes).unwrap().rows().unwrap(), rows as u64);
    }
}

#[test]
fn nullable_or_not() {
    let schema = schema("a: int64!; b: int64");
    let arrays: Vec<ArrayRef> =
        vec![Arc::new(Int64Array::from(vec![1, -2])), Arc::new(Int64Array::from(vec![None, Some(i64::MIN)]))];
    let batch = batch(&schema, arrays);
    let bytes = write(&batch, Compression::Uncompressed).unwrap();
    assert_eq!(open(&bytes).unwrap().schema().unwrap(), schema);
    assert_eq!(read(&bytes, &schema).unwrap(), batch);
    let mut stricter = schema.clone();
    stricter.columns[1].nullable = false;
    assert_eq!(read(&bytes, &stricter).unwrap_err().message, "`t.avro`: column `b` has nulls");
}

fn large() -> (Schema, Vec<u8>) {
    let schema = schema("id: int64; text: string");
    let ids = Int64Array::from_iter_values(0..60_000);
    let texts: arrow::array::StringArray = (0..60_000).map(|id| Some("x".repeat(id % 41))).collect();
    let batch = batch(&schema, vec![Arc::new(ids), Arc::new(texts)]);
    let bytes = write(&batch, Compression::Snappy).unwrap();
    (schema, bytes)
}

#[test]
fn pieces_hold_all_rows_once() {
    let (schema, bytes) = large();
    let cuts = open(&bytes).unwrap().cuts(20_000).unwrap();
    assert!(cuts.len() > 3, "{cuts:?}");
    let ends = cuts.iter().skip(1).map(|cut| cut.offset).chain([bytes.len() as u64]);
    let mut ids = Vec::new();
    for (cut, end) in cuts.iter().zip(ends) {
        assert_eq!(cut.line, ids.len() as u64 + 1);
        let extent = Extent::Bytes { start: cut.offset, end, line: cut.line };
        for batch in open(&bytes).unwrap().read(&schema, &extent, 1000).unwrap() {
            ids.extend_from_slice(batch.unwrap().column(0).as_primitive::<Int64Type>().values());
        }
    }
    assert_eq!(ids, (0..60_000).collect::<Vec<i64>>());
}

#[test]
fn pieces_are_put_together_by_appending() {
    let of = schema("a: int64");
    let piece = |ids: std::ops::Range<i64>, head: bool| {
        let batch = batch(&of, vec![Arc::new(Int64Array::from_iter_values(ids))]);
        let mut writer = AvroFileWriter::new(Vec::new(), "t", &batch.schema(), Compression::Gzip, head).unwrap();
        writer.append(&batch).unwrap();
        writer.finish_into().unwrap().0
    };
    let bytes = [piece(0..0, true), piece(0..10, false), piece(0..0, false), piece(10..20, false)].concat();
    let back = read(&bytes, &of).unwrap();
    assert_eq!(back.column(0).as_primitive::<Int64Type>().values(), &(0..20).collect::<Vec<i64>>()[..]);
}

#[test]
fn columns_can_be_left_out_reordered_and_narrower_than_the_file_tells() {
    let (_, bytes) = large();
    let back = read(&bytes, &schema("text: string")).unwrap();
    assert_eq!((back.num_rows(), back.num_columns()), (60_000, 1));
    let narrow = schema("a: int8; b: uint32; c: timestamp(ms, Europe/Berlin)");
    let array = |of: &str, value: i64| {
        let to = crate::arrow_types::to_arrow(&of.parse().unwrap());
        arrow::compute::cast(&(Arc::new(Int64Array::from(vec![value])) as ArrayRef), &to).unwrap()
    };
    let batch = batch(
        &narrow,
        vec![array("int8", -7), array("uint32", 4_000_000_000), array("timestamp(ms, Europe/Berlin)", 5)],
    );
    let bytes = write(&batch, Compression::Zstd).unwrap();
    assert_eq!(read(&bytes, &narrow).unwrap(), batch);
    assert_eq!(open(&bytes).unwrap().schema().unwrap(), schema("a: int32; b: int64; c: timestamp(ms, UTC)"));
    assert!(read(&bytes, &schema("b: uint32")).is_ok());
    for other in ["a: int64", "b: int32", "c: timestamp(us, UTC)", "c: timestamp(ms)", "d: int8"] {
        assert_eq!(
            read(&bytes, &schema(other)).unwrap_err().code,
            greylag_model::code::data::SCHEMA_DIFFERS,
            "{other}"
        );
    }
    // What does not fit the declared type is an error, not another value.
    let wide = super::batch(&schema("a: int32"), vec![array("int32", 200)]);
    assert_eq!(
        read(&write(&wide, Compression::Snappy).unwrap(), &schema("a: int8")).unwrap_err().code.to_string(),
        "GL0636"
    );
}

#[test]
fn what_avro_cannot_carry_is_refused() {
    let refused = |columns: &str| {
        let made = AvroFileWriter::new(Vec::new(), "t", &to_arrow_schema(&schema(columns)), Compression::Gzip, true);
        made.err().map(|error| error.message).unwrap_or_default()
    };
    insta::assert_snapshot!(refused("a: uint64"), @"column `a` cannot be written as Avro: Avro has no unsigned 64-bit numbers");
    insta::assert_snapshot!(refused("a: list<timestamp(s)>"), @"column `a` cannot be written as Avro: Avro has no times in whole seconds");
    insta::assert_snapshot!(refused("a: time(ns)"), @"column `a` cannot be written as Avro: Avro has no times of day in nanoseconds");
    insta::assert_snapshot!(refused("a: map<int8, string>"), @"column `a` cannot be written as Avro: keys of Avro's maps are strings, not `int8`");
    insta::assert_snapshot!(refused("größe: int8"), @"column `größe` cannot be written as Avro: Avro names begin with a letter or `_` and go on with those and digits, and `größe` does not");
    insta::assert_snapshot!(refused("a: struct<\"1\": int8>"), @"column `a` cannot be written as Avro: Avro names begin with a letter or `_` and go on with those and digits, and `1` does not");
}
