//! Values of any type, for tests of formats.

#![expect(clippy::unwrap_used, reason = "tests")]

use arrow::array::{Array, ArrayRef, BinaryArray, Float32Array, Float64Array, RecordBatch, StringArray};
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
