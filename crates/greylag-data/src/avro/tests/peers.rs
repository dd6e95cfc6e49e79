//! `arrow-avro` reads what is written here, and what it writes is read here.

use super::*;
use crate::any::{dice, hashes, values};
use crate::arrow_types::canonical_batch;
use arrow::array::{AsArray, Int64Array};
use arrow::datatypes::Int64Type;
use arrow_avro::compression::CompressionCodec;
use arrow_avro::reader::ReaderBuilder;
use arrow_avro::writer::{Writer, WriterBuilder, format::AvroOcfFormat};
use std::io::Cursor;
use std::sync::Arc;

const COLUMNS: &str = "a: boolean; b: int32; c: int64!; d: float32; e: float64; f: string; g: binary; h: decimal(20,3); \
                       i: date; j: time(ms); k: time(us); l: timestamp(ms, UTC); m: timestamp(us); n: timestamp(ns, UTC); \
                       o: list<string>; p: map<string, int64>; q: struct<x: int32, y: list<struct<z: string>>>";

fn sample(rows: usize) -> RecordBatch {
    let schema = schema(COLUMNS);
    let mut dice = dice(7);
    let column = |column: &Column| {
        let array = values(&column.data_type, rows, &mut dice);
        if column.nullable {
            return array;
        }
        let numbers = array.as_primitive::<Int64Type>();
        Arc::new(Int64Array::from_iter_values(numbers.iter().map(Option::unwrap_or_default))) as ArrayRef
    };
    let arrays = schema.columns.iter().map(column).collect();
    batch(&schema, arrays)
}

#[test]
fn a_peer_reads_what_is_written() {
    let batch = sample(100);
    for codec in CODECS {
        let bytes = write(&batch, codec).unwrap();
        let reader = ReaderBuilder::new().with_batch_size(1000).build(Cursor::new(bytes)).unwrap();
        let read: Vec<RecordBatch> = reader.collect::<Result<_, _>>().unwrap();
        assert_eq!(read.len(), 1);
        let read = canonical_batch(&read[0], &batch.schema()).unwrap();
        assert_eq!(hashes(&read), hashes(&batch), "{codec}");
    }
}

#[test]
fn what_a_peer_writes_is_read() {
    let batch = sample(100);
    let schema = schema(COLUMNS);
    for codec in
        [None, Some(CompressionCodec::Deflate), Some(CompressionCodec::Snappy), Some(CompressionCodec::ZStandard)]
    {
        let mut writer: Writer<Vec<u8>, AvroOcfFormat> =
            WriterBuilder::new(batch.schema().as_ref().clone()).with_compression(codec).build(Vec::new()).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
        let bytes = writer.into_inner();
        assert_eq!(open(&bytes).unwrap().schema().unwrap(), schema);
        assert_eq!(hashes(&read(&bytes, &schema).unwrap()), hashes(&batch), "{codec:?}");
    }
}
