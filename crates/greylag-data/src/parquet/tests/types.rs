//! Every type goes out and comes back.

use super::*;
use arrow::array::*;
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType as ArrowType, Field, Int32Type, Schema as ArrowSchema};
use greylag_model::types::TimeUnit;
use parquet::arrow::ArrowWriter;

const UNITS: [TimeUnit; 4] = [TimeUnit::S, TimeUnit::Ms, TimeUnit::Us, TimeUnit::Ns];

/// Three rows of `data_type`: two extremes and a null.
pub(super) fn sample(data_type: &DataType) -> ArrayRef {
    let arrow = crate::arrow_types::to_arrow(data_type);
    let cast = |array: ArrayRef| arrow::compute::cast(&array, &arrow).unwrap();
    let ints = |low: i64, high: i64| cast(Arc::new(Int64Array::from(vec![Some(low), None, Some(high)])));
    match data_type {
        DataType::Boolean => Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
        DataType::Int8 => ints(i8::MIN.into(), i8::MAX.into()),
        DataType::Int16 => ints(i16::MIN.into(), i16::MAX.into()),
        DataType::Int32 | DataType::Date => ints(i32::MIN.into(), i32::MAX.into()),
        DataType::Int64 | DataType::Timestamp { .. } => ints(i64::MIN, i64::MAX),
        DataType::UInt8 => ints(0, u8::MAX.into()),
        DataType::UInt16 => ints(0, u16::MAX.into()),
        DataType::UInt32 => ints(0, u32::MAX.into()),
        DataType::UInt64 => Arc::new(UInt64Array::from(vec![Some(0), None, Some(u64::MAX)])),
        DataType::Float32 => Arc::new(Float32Array::from(vec![Some(-0.0), None, Some(f32::NAN)])),
        DataType::Float64 => Arc::new(Float64Array::from(vec![Some(f64::NEG_INFINITY), None, Some(-0.0)])),
        DataType::Decimal { precision, scale } => {
            let most = 10_i128.pow(u32::from(*precision)) - 1;
            let array = Decimal128Array::from(vec![Some(-most), None, Some(most)]);
            Arc::new(array.with_precision_and_scale(*precision, *scale as i8).unwrap())
        }
        DataType::Time(unit) => {
            let per_second = [1, 1_000, 1_000_000, 1_000_000_000][*unit as usize];
            let array: ArrayRef = Arc::new(Int64Array::from(vec![Some(0), None, Some(86_399 * per_second)]));
            match unit {
                TimeUnit::S | TimeUnit::Ms => cast(arrow::compute::cast(&array, &ArrowType::Int32).unwrap()),
                TimeUnit::Us | TimeUnit::Ns => cast(array),
            }
        }
        DataType::String => Arc::new(StringArray::from(vec![Some(""), None, Some("a\0\n\"Zürich 🦢")])),
        DataType::Binary => Arc::new(BinaryArray::from(vec![Some(&b""[..]), None, Some(&[0, 255, 10][..])])),
        DataType::List(item) => {
            let ArrowType::List(field) = &arrow else { unreachable!() };
            let offsets = OffsetBuffer::new(vec![0, 0, 0, 3].into());
            let nulls = NullBuffer::from(vec![true, false, true]);
            Arc::new(ListArray::new(Arc::clone(field), offsets, sample(item), Some(nulls)))
        }
        DataType::Struct(fields) => {
            let ArrowType::Struct(arrow) = &arrow else { unreachable!() };
            let arrays = fields.iter().map(|(_, data_type)| sample(data_type)).collect();
            Arc::new(StructArray::new(arrow.clone(), arrays, Some(NullBuffer::from(vec![true, true, false]))))
        }
        DataType::Map(_, value) => {
            let ArrowType::Map(entries, _) = &arrow else { unreachable!() };
            let ArrowType::Struct(fields) = entries.data_type() else { unreachable!() };
            let keys: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "c"]));
            let both = StructArray::new(fields.clone(), vec![keys, sample(value)], None);
            let offsets = OffsetBuffer::new(vec![0, 2, 2, 3].into());
            let nulls = NullBuffer::from(vec![true, false, true]);
            Arc::new(MapArray::new(Arc::clone(entries), offsets, both, Some(nulls), false))
        }
    }
}

pub(super) fn every_type() -> Vec<DataType> {
    use DataType::{Binary, Boolean, Date, Float32, Float64, Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64};
    let mut types = vec![Boolean, Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64, Float32, Float64];
    types.extend([Date, DataType::String, Binary]);
    for (precision, scale) in [(1, 0), (9, 2), (18, 18), (19, 4), (38, 0), (38, 38)] {
        types.push(DataType::Decimal { precision, scale });
    }
    for unit in UNITS {
        types.push(DataType::Time(unit));
        for zone in [None, Some("UTC"), Some("Europe/Zurich"), Some("+05:30")] {
            types.push(DataType::Timestamp { unit, zone: zone.map(str::to_owned) });
        }
    }
    let list = |item| DataType::List(Box::new(item));
    types.push(list(Int32));
    types.push(list(list(DataType::String)));
    types.push(DataType::Struct(vec![("a b".to_owned(), Int64), ("list".to_owned(), list(Date))]));
    types.push(DataType::Map(Box::new(DataType::String), Box::new(Float64)));
    types.push(list(DataType::Timestamp { unit: TimeUnit::S, zone: None }));
    types
}

#[test]
fn every_type_comes_back() {
    for data_type in every_type() {
        let schema = schema(&[("c", data_type.clone())]);
        let batch = RecordBatch::try_new(to_arrow_schema(&schema), vec![sample(&data_type)]).unwrap();
        let file = open(&write(&schema, std::slice::from_ref(&batch))).unwrap();
        assert_eq!(file.schema().unwrap(), schema, "{data_type}");
        assert_eq!(read(&file, &schema).unwrap(), [batch], "{data_type}");
    }
}

/// Writes with the library itself, as other tools do, embedding whatever Arrow type.
fn foreign(array: ArrayRef) -> Vec<u8> {
    let field = Field::new("c", array.data_type().clone(), true);
    let batch = RecordBatch::try_new(Arc::new(ArrowSchema::new(vec![field])), vec![array]).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

#[test]
fn other_spellings_are_read_as_canonical() {
    let texts = StringArray::from(vec![Some("a"), None, Some("b")]);
    let dictionary: DictionaryArray<Int32Type> = vec![Some("a"), None, Some("b")].into_iter().collect();
    let halves: ArrayRef = Arc::new(Float32Array::from(vec![Some(1.5), None]));
    let halves = arrow::compute::cast(&halves, &ArrowType::Float16).unwrap();
    let cases: Vec<(ArrayRef, &str)> = vec![
        (Arc::new(LargeStringArray::from(vec![Some("a"), None, Some("b")])), "String"),
        (Arc::new(StringViewArray::from(vec![Some("a"), None, Some("b")])), "String"),
        (Arc::new(dictionary), "String"),
        (Arc::new(texts), "String"),
        (Arc::new(BinaryViewArray::from(vec![Some(&b"x"[..])])), "Binary"),
        (Arc::new(FixedSizeBinaryArray::try_from_iter(vec![[1_u8; 4]].into_iter()).unwrap()), "Binary"),
        (Arc::new(Date64Array::from(vec![86_400_000])), "Date"),
        (halves, "Float32"),
        (Arc::new(Decimal256Array::from(vec![None, Some(7.into())]).with_precision_and_scale(38, 2).unwrap()), "38,2"),
        (Arc::new(NullArray::new(2)), "String"),
        (Arc::new(TimestampMicrosecondArray::from(vec![1]).with_timezone("+00:00")), "Us, zone UTC"),
    ];
    for (array, wanted) in cases {
        let (rows, nulls) = (array.len(), array.logical_null_count());
        let from = array.data_type().clone();
        let file = open(&foreign(array)).unwrap();
        let schema = file.schema().unwrap();
        let found = match &schema.columns[0].data_type {
            DataType::Decimal { precision, scale } => format!("{precision},{scale}"),
            DataType::Timestamp { unit, zone } => format!("{unit:?}, zone {}", zone.as_deref().unwrap_or("none")),
            other => format!("{other:?}"),
        };
        assert_eq!(found, wanted, "{from}");
        let back = read(&file, &schema).unwrap();
        assert_eq!(back[0].schema(), to_arrow_schema(&schema));
        assert_eq!((back[0].num_rows(), back[0].column(0).null_count()), (rows, nulls), "{from}");
    }
}

#[test]
fn a_date_with_a_time_of_day_is_an_error() {
    let file = open(&foreign(Arc::new(Date64Array::from(vec![86_400_001])))).unwrap();
    let error = read(&file, &file.schema().unwrap()).unwrap_err();
    assert_eq!(error.code, code::CORRUPT_PARQUET);
    assert_eq!(error.message, "`test` is corrupt: a date with a time of day");
}

#[test]
fn what_has_no_equal_is_named() {
    let fields = vec![
        Field::new("ok", ArrowType::Int32, true),
        Field::new("d", ArrowType::Duration(arrow::datatypes::TimeUnit::Second), true),
        Field::new("wide", ArrowType::Decimal256(40, 2), true),
        Field::new("ok", ArrowType::Int32, true),
    ];
    let wrong = crate::arrow_types::from_arrow_schema(&ArrowSchema::new(fields)).unwrap_err();
    insta::assert_snapshot!(wrong.join("\n"), @r"
    column `d`: a duration has no equal
    column `wide`: a decimal of 40 digits has no equal: at most 38
    column `ok` is there twice
    ");
}

#[test]
fn columns_come_in_the_order_asked_and_with_the_types_asked() {
    let both = schema(&[("a", DataType::Int32), ("b; DROP TABLE x --\n\"", DataType::String), ("c", DataType::Date)]);
    let arrays = both.columns.iter().map(|column| sample(&column.data_type)).collect();
    let batch = RecordBatch::try_new(to_arrow_schema(&both), arrays).unwrap();
    let file = open(&write(&both, &[batch])).unwrap();
    let asked = Schema { columns: vec![both.columns[2].clone(), both.columns[1].clone()] };
    let back = read(&file, &asked).unwrap();
    assert_eq!(back[0].schema(), to_arrow_schema(&asked));
    assert_eq!(back[0].column(1).as_string::<i32>().value(2), "a\0\n\"Zürich 🦢");

    let missing = read(&file, &schema(&[("z", DataType::Int32)])).unwrap_err();
    assert_eq!(missing.to_string(), "`test`: the column `z` is not there");
    let other = read(&file, &schema(&[("a", DataType::Int64)])).unwrap_err();
    assert_eq!(other.to_string(), "`test`: column `a` is `int32`, not `int64`");
    let mut strict = schema(&[("a", DataType::Int32)]);
    strict.columns[0].nullable = false;
    assert_eq!(read(&file, &strict).unwrap_err().to_string(), "`test`: column `a` has nulls");
}

#[test]
fn no_columns_asked_still_counts_rows() {
    let schema = schema(&[("a", DataType::Int32)]);
    let batch = RecordBatch::try_new(to_arrow_schema(&schema), vec![sample(&DataType::Int32)]).unwrap();
    let file = open(&write(&schema, &[batch])).unwrap();
    let rows: usize = read(&file, &Schema::default()).unwrap().iter().map(RecordBatch::num_rows).sum();
    assert_eq!(rows, 3);
}

#[test]
fn the_same_batches_give_the_same_bytes() {
    let schema = schema(&[("a", DataType::Int64), ("b", DataType::String)]);
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(0..5000)),
        Arc::new(StringArray::from_iter_values((0..5000).map(|row| format!("v{}", row % 7)))),
    ];
    let batch = RecordBatch::try_new(to_arrow_schema(&schema), arrays).unwrap();
    for compression in
        [Compression::Uncompressed, Compression::Snappy, Compression::Lz4, Compression::Gzip, Compression::Zstd]
    {
        let options = ParquetOptions { compression, ..ParquetOptions::default() };
        let bytes = write_with(&schema, std::slice::from_ref(&batch), options);
        assert_eq!(bytes, write_with(&schema, std::slice::from_ref(&batch), options));
        let file = open(&bytes).unwrap();
        let back = read(&file, &schema).unwrap();
        assert_eq!(arrow::compute::concat_batches(&back[0].schema(), &back).unwrap(), batch);
    }
}

#[test]
fn an_empty_file_has_a_schema_and_no_rows() {
    let schema = schema(&[("a", DataType::Int64)]);
    let file = open(&write(&schema, &[])).unwrap();
    assert_eq!((file.rows(), file.schema().unwrap()), (0, schema.clone()));
    assert_eq!(read(&file, &schema).unwrap(), []);
}

#[test]
fn row_groups_end_by_size() {
    let schema = schema(&[("a", DataType::Int64)]);
    let batches: Vec<_> = (0..8)
        .map(|batch| {
            let values = (0..8192).map(|row: i64| (batch * 8192 + row).wrapping_mul(0x9E37_79B9_7F4A_7C15_u64 as i64));
            let array: ArrayRef = Arc::new(Int64Array::from_iter_values(values));
            RecordBatch::try_new(to_arrow_schema(&schema), vec![array]).unwrap()
        })
        .collect();
    let options = ParquetOptions { row_group_bytes: 128 << 10, ..ParquetOptions::default() };
    let file = open(&write_with(&schema, &batches, options)).unwrap();
    let groups = file.row_groups();
    assert!(groups.len() >= 4, "{groups:?}");
    assert_eq!(groups.iter().map(|group| group.rows).sum::<u64>(), 8 * 8192);
    let reader = file.read(&ReadOptions { columns: &schema, row_groups: Some(1..3), batch_rows: 1000 }).unwrap();
    let rows: usize = reader.map(|batch| batch.unwrap().num_rows()).sum();
    assert_eq!(rows as u64, groups[1].rows + groups[2].rows);
}
