//! What is written reads back as the same values, to the last bit.

use super::*;
use arrow::array::{Array, BinaryArray, Float32Array, Float64Array, StringArray, new_null_array};
use arrow::datatypes::{DataType as ArrowType, TimeUnit as ArrowUnit};
use greylag_model::types::{DataType, TimeUnit};
use proptest::prelude::*;
use std::sync::Arc;

fn units() -> impl Strategy<Value = TimeUnit> {
    prop_oneof![Just(TimeUnit::S), Just(TimeUnit::Ms), Just(TimeUnit::Us), Just(TimeUnit::Ns)]
}

/// Types that have a text as a key.
fn scalars() -> impl Strategy<Value = DataType> {
    prop_oneof![
        Just(DataType::Boolean),
        Just(DataType::Int8),
        Just(DataType::Int16),
        Just(DataType::Int32),
        Just(DataType::Int64),
        Just(DataType::UInt8),
        Just(DataType::UInt16),
        Just(DataType::UInt32),
        Just(DataType::UInt64),
        Just(DataType::Float32),
        Just(DataType::Float64),
        (1..=38_u8)
            .prop_flat_map(|precision| (Just(precision), 0..=precision))
            .prop_map(|(precision, scale)| DataType::Decimal { precision, scale }),
        Just(DataType::Date),
        units().prop_map(DataType::Time),
        (units(), prop_oneof![Just(None), Just(Some("UTC")), Just(Some("Europe/Berlin"))])
            .prop_map(|(unit, zone)| DataType::Timestamp { unit, zone: zone.map(str::to_owned) }),
        Just(DataType::String),
        Just(DataType::Binary),
    ]
}

pub(crate) fn types() -> impl Strategy<Value = DataType> {
    scalars().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|item| DataType::List(Box::new(item))),
            (scalars(), inner.clone()).prop_map(|(key, item)| DataType::Map(Box::new(key), Box::new(item))),
            proptest::collection::vec(inner, 1..4).prop_map(|types| {
                let fields = types.into_iter().enumerate();
                DataType::Struct(fields.map(|(index, of)| (format!("f{index} \"é\n"), of)).collect())
            }),
        ]
    })
}

/// So many values of a type, from a sequence of numbers.
pub(crate) fn values(data_type: &DataType, rows: usize, dice: &mut dyn FnMut() -> u64) -> ArrayRef {
    use arrow::array::{ListArray, MapArray, StructArray};
    use arrow::buffer::{NullBuffer, OffsetBuffer};
    let arrow = crate::arrow_types::to_arrow(data_type);
    let valid: Vec<bool> = (0..rows).map(|_| !dice().is_multiple_of(4)).collect();
    let nulls = NullBuffer::from(valid.clone());
    let mut lengths =
        || -> Vec<usize> { valid.iter().map(|valid| if *valid { dice() as usize % 3 } else { 0 }).collect() };
    match (data_type, &arrow) {
        (DataType::List(item), ArrowType::List(field)) => {
            let lengths = lengths();
            let items = values(item, lengths.iter().sum(), dice);
            Arc::new(ListArray::new(Arc::clone(field), OffsetBuffer::from_lengths(lengths), items, Some(nulls)))
        }
        (DataType::Map(key, item), ArrowType::Map(entries, _)) => {
            // One key an entry at most, so that no key is twice.
            let lengths: Vec<usize> = lengths().into_iter().map(|length| length.min(1)).collect();
            let count = lengths.iter().sum();
            let ArrowType::Struct(fields) = entries.data_type() else { panic!() };
            let keys = loop {
                let keys = values(key, count, dice);
                if keys.null_count() == 0 {
                    break keys;
                }
            };
            let both = StructArray::new(fields.clone(), vec![keys, values(item, count, dice)], None);
            let offsets = OffsetBuffer::from_lengths(lengths);
            Arc::new(MapArray::new(Arc::clone(entries), offsets, both, Some(nulls), false))
        }
        (DataType::Struct(of), ArrowType::Struct(fields)) => {
            let arrays = of.iter().map(|(_, of)| values(of, rows, dice)).collect();
            Arc::new(StructArray::new(fields.clone(), arrays, Some(nulls)))
        }
        _ => scalar_values(data_type, &arrow, &valid, dice),
    }
}

fn scalar_values(data_type: &DataType, arrow: &ArrowType, valid: &[bool], dice: &mut dyn FnMut() -> u64) -> ArrayRef {
    let mut some = |value: &mut dyn FnMut(u64) -> i64| -> Vec<Option<i64>> {
        valid
            .iter()
            .map(|valid| {
                let drawn = dice();
                valid.then(|| value(drawn))
            })
            .collect()
    };
    let cast = |values: Vec<Option<i64>>, to: &ArrowType| {
        arrow::compute::cast(&(Arc::new(arrow::array::Int64Array::from(values)) as ArrayRef), to).unwrap()
    };
    match data_type {
        DataType::Boolean => cast(some(&mut |drawn| (drawn % 2) as i64), arrow),
        DataType::UInt64 => {
            let numbers: Vec<Option<u64>> =
                some(&mut |drawn| drawn as i64).into_iter().map(|n| n.map(|n| n as u64)).collect();
            Arc::new(arrow::array::UInt64Array::from(numbers))
        }
        DataType::Float32 => Arc::new(
            some(&mut |drawn| drawn as i64)
                .into_iter()
                .map(|bits| {
                    bits.map(|bits| {
                        let f = f32::from_bits(bits as u32);
                        if f.is_nan() { f32::NAN } else { f }
                    })
                })
                .collect::<Float32Array>(),
        ),
        DataType::Float64 => Arc::new(
            some(&mut |drawn| drawn as i64)
                .into_iter()
                .map(|bits| {
                    bits.map(|bits| {
                        let f = f64::from_bits(bits as u64);
                        if f.is_nan() { f64::NAN } else { f }
                    })
                })
                .collect::<Float64Array>(),
        ),
        DataType::Decimal { precision, scale } => {
            let most = 10_i128.pow(u32::from(*precision));
            let wide = |n: i64| (i128::from(n) * i128::from(n.rotate_left(17))) % most;
            let numbers = some(&mut |drawn| drawn as i64).into_iter().map(|n| n.map(wide));
            let array: arrow::array::Decimal128Array = numbers.collect();
            Arc::new(array.with_precision_and_scale(*precision, *scale as i8).unwrap())
        }
        DataType::Date => {
            let days = cast(some(&mut |drawn| (drawn % 3_000_000) as i64 - 800_000), &ArrowType::Int32);
            arrow::compute::cast(&days, arrow).unwrap()
        }
        DataType::Time(unit) => {
            let day = 86_400 * unit.per_second();
            let units = some(&mut |drawn| (drawn % day as u64) as i64);
            let width = if matches!(unit, TimeUnit::S | TimeUnit::Ms) { ArrowType::Int32 } else { ArrowType::Int64 };
            arrow::compute::cast(&cast(units, &width), arrow).unwrap()
        }
        DataType::Timestamp { unit, .. } => {
            let nanos = matches!(unit, TimeUnit::Ns);
            let units = some(&mut |drawn| {
                if nanos { drawn as i64 } else { drawn as i64 % (200_000_000_000 * unit.per_second()) }
            });
            let ArrowType::Timestamp(of, _) = arrow else { panic!() };
            let plain = cast(units, &ArrowType::Timestamp(*of, None));
            let ArrowType::Timestamp(_, zone) = arrow else { panic!() };
            zoned(&plain, *of, zone.clone())
        }
        DataType::String | DataType::Binary => {
            let texts: Vec<Option<String>> = some(&mut |drawn| drawn as i64).into_iter().map(|n| n.map(text)).collect();
            let array: ArrayRef = Arc::new(StringArray::from(texts.clone()));
            if *data_type == DataType::String {
                return array;
            }
            let bytes = |text: Option<String>| {
                text.map(|text| text.bytes().map(|byte| byte.wrapping_mul(7)).collect::<Vec<u8>>())
            };
            Arc::new(texts.into_iter().map(bytes).collect::<BinaryArray>())
        }
        _ => {
            let (bits, signed) = data_type.integer().unwrap();
            let narrow = |n: i64| if signed { n >> (64 - bits) } else { ((n as u64) >> (64 - bits)) as i64 };
            cast(some(&mut |drawn| narrow(drawn as i64)), arrow)
        }
    }
}

fn zoned(array: &ArrayRef, unit: ArrowUnit, zone: Option<Arc<str>>) -> ArrayRef {
    let data = array.to_data().into_builder().data_type(ArrowType::Timestamp(unit, zone)).build().unwrap();
    arrow::array::make_array(data)
}

fn text(n: i64) -> String {
    const LETTERS: [char; 16] =
        ['a', '"', '\\', '\n', '\r', '\t', '\0', 'é', '🦢', '\u{feff}', '\u{2028}', '{', '}', ',', '\u{7f}', ' '];
    (0..(n as u64 % 7)).map(|place| LETTERS[(n >> (place * 4 + 3)) as usize & 15]).collect()
}

/// A generator of numbers whose low and high bits are both good.
pub(crate) fn dice(mut seed: u64) -> impl FnMut() -> u64 {
    move || {
        seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

/// By value: what lies under a null does not count.
pub(crate) fn hashes(batch: &RecordBatch) -> Vec<Vec<u64>> {
    let column = |array: &ArrayRef| {
        let mut hashes = Vec::new();
        crate::evidence::hash_column(array, &mut hashes).unwrap();
        hashes
    };
    batch.columns().iter().map(column).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn every_type_survives(types in proptest::collection::vec(types(), 1..4), rows in 0..20_usize, seed in any::<u64>()) {
        let mut dice = dice(seed);
        let columns = types.iter().enumerate().map(|(index, data_type)| {
            Column { name: format!("c{index} \\\"\u{1}"), data_type: data_type.clone(), nullable: true }
        });
        let schema = Schema { columns: columns.collect() };
        let arrays = types.iter().map(|data_type| values(data_type, rows, &mut dice)).collect();
        let batch = batch(&schema, arrays);
        let bytes = write(&batch).unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        for line in text.lines().filter(|line| !line.is_empty()) {
            let read: Result<serde_json::Value, _> = serde_json::from_str(line);
            prop_assert!(read.is_ok(), "{}", line);
        }
        let back = read(&bytes, &schema).unwrap();
        prop_assert_eq!(hashes(&back), hashes(&batch), "{}", text);
        prop_assert_eq!(write(&back).unwrap(), bytes);
    }
}

#[test]
fn what_is_written() {
    let schema = schema(
        "id: int64; big: uint64; share: float64; price: decimal(9,2); day: date; at: timestamp(ms, UTC); t: time(us); \
         text: string; raw: binary; tags: list<string>; place: struct<x: float32, on: boolean>; counts: map<date, int8>",
    );
    let line = r#"{"id":-9223372036854775808,"big":18446744073709551615,"share":0.1,"price":"-0.07","day":"2024-02-29","at":"2024-02-29T10:00:00.500Z","t":"23:59:59.000001","text":"é\"\\\n","raw":"AP8=","tags":["a",null],"place":{"x":1.5,"on":true},"counts":{"2024-01-01":1}}"#;
    let nulls = r#"{"id":null,"big":null,"share":"NaN","price":null,"day":null,"at":null,"t":null,"text":null,"raw":null,"tags":[],"place":{"x":"-Infinity","on":null},"counts":{}}"#;
    let text = format!("{line}\n{nulls}\n");
    assert_eq!(show(text.as_bytes(), &schema), text);
    // Missing and null are one.
    let sparse = "{\"share\":\"NaN\",\"tags\":[],\"place\":{\"x\":\"-Infinity\"},\"counts\":{}}\n";
    assert_eq!(show(sparse.as_bytes(), &schema), format!("{nulls}\n"));
}

#[test]
fn numbers_never_pass_through_a_double() {
    let of =
        |data_type: &str, text: &str| show(format!("{{\"a\":{text}}}").as_bytes(), &schema(&format!("a: {data_type}")));
    assert_eq!(of("int64", "9007199254740993"), "{\"a\":9007199254740993}\n");
    assert_eq!(of("uint64", "18446744073709551615"), "{\"a\":18446744073709551615}\n");
    let digits = "-12345678901234567890123456789012345678";
    assert_eq!(of("decimal(38,0)", digits), format!("{{\"a\":\"{digits}\"}}\n"));
    assert_eq!(
        of("decimal(38,1)", "1234567890123456789012345678901234567.8"),
        "{\"a\":\"1234567890123456789012345678901234567.8\"}\n"
    );
    assert_eq!(of("float64", "-0.0"), "{\"a\":-0.0}\n");
    for (data_type, text) in [
        ("int64", "1.0"),
        ("int64", "1.9"),
        ("int64", "1e3"),
        ("int64", "9223372036854775808"),
        ("int8", "128"),
        ("uint8", "-1"),
        ("decimal(3,1)", "1.25"),
        ("float64", "1e400"),
        ("int64", "\"1\""),
        ("float64", "\"1\""),
        ("boolean", "1"),
        ("string", "1"),
        ("string", "true"),
        ("date", "20240229"),
        ("list<int8>", "1"),
        ("timestamp(us)", "\"2024-02-29T10:00:00Z\""),
        ("timestamp(s)", "\"2024-02-29T10:00:00.5\""),
    ] {
        assert!(of(data_type, text).starts_with("GL0632 `t.jsonl`, line 1, byte 6: "), "{data_type} {text}");
    }
}

#[test]
fn columns_can_be_left_out_and_reordered() {
    let all = schema("a: int64; b: string; c: boolean");
    let wanted = schema("c: boolean; a: int64");
    let batch = read_as(b"{\"b\":\"x\",\"a\":1,\"c\":true}\n{\"b\":null,\"c\":false}", &wanted, &all).unwrap();
    assert_eq!(String::from_utf8(write(&batch).unwrap()).unwrap(), "{\"c\":true,\"a\":1}\n{\"c\":false,\"a\":null}\n");
    let none = read_as(b"{}\n\n{\"a\":3}\n", &Schema::default(), &all).unwrap();
    assert_eq!(none.num_rows(), 2);
}

#[test]
fn no_rows_leave_a_blank_line() {
    let schema = schema("a: int64");
    let none = batch(&schema, vec![new_null_array(&ArrowType::Int64, 0)]);
    assert_eq!(write(&none).unwrap(), b"\n");
    assert_eq!(read(b"\n", &schema).unwrap().num_rows(), 0);
    let writer = JsonFileWriter::new(Vec::new(), "t", &none.schema(), false).unwrap();
    assert!(writer.finish_into().unwrap().0.is_empty());
}

#[test]
fn keys_that_have_no_text_and_keys_that_are_twice_are_refused() {
    let nested = schema("a: map<list<int8>, int8>");
    let refused = JsonFileWriter::new(Vec::new(), "t", &to_arrow_schema(&nested), true).err().unwrap();
    insta::assert_snapshot!(refused.message, @"column `a` cannot be written as JSON: a key of JSON is text, and this map's keys are nested");
    let twice = {
        use arrow::array::{Int32Builder, MapBuilder, StringBuilder};
        let mut maps = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
        for value in [1, 2] {
            maps.keys().append_value("k");
            maps.values().append_value(value);
        }
        maps.append(true).unwrap();
        maps.finish()
    };
    let of = schema("a: map<string, int32>");
    let array: ArrayRef = Arc::new(twice);
    let array =
        crate::arrow_types::canonical_array(&array, &crate::arrow_types::to_arrow(&of.columns[0].data_type)).unwrap();
    insta::assert_snapshot!(write(&batch(&of, vec![array])).unwrap_err().message, @"`t.jsonl`: row 1: a map has one key twice, which an object of JSON cannot");
}
