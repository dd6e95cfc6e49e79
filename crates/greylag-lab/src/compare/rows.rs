//! Rows as hashes of their canonical values.
//!
//! Two arrays of the same logical type give the same hashes whatever their encoding (dictionary, offsets of 64 bits,
//! views). Floats: every NaN is the same, `0.0` differs from `-0.0`. Lists and maps: entries in order.

use arrow::array::{Array, ArrayRef, AsArray, OffsetSizeTrait};
use arrow::compute::cast;
use arrow::datatypes::{self as types, ArrowPrimitiveType, DataType as ArrowType, TimeUnit};
use xxhash_rust::xxh3::xxh3_128_with_seed;

/// Seeds that keep nulls, and the kinds of containers, apart from values.
const NULL: u64 = 0x6e75_6c6c;
const LIST: u64 = 0x6c69_7374;
const STRUCT: u64 = 0x7374_7275;

/// One hash for each value of an array.
pub(super) fn hashes(array: &ArrayRef) -> Vec<u128> {
    let mut out = match array.data_type() {
        ArrowType::Boolean => each(array, |row| whole(i128::from(array.as_boolean().value(row)))),
        ArrowType::Int8 => primitive::<types::Int8Type>(array, |value| whole(value.into())),
        ArrowType::Int16 => primitive::<types::Int16Type>(array, |value| whole(value.into())),
        ArrowType::Int32 => primitive::<types::Int32Type>(array, |value| whole(value.into())),
        ArrowType::Int64 => primitive::<types::Int64Type>(array, |value| whole(value.into())),
        ArrowType::UInt8 => primitive::<types::UInt8Type>(array, |value| whole(value.into())),
        ArrowType::UInt16 => primitive::<types::UInt16Type>(array, |value| whole(value.into())),
        ArrowType::UInt32 => primitive::<types::UInt32Type>(array, |value| whole(value.into())),
        ArrowType::UInt64 => primitive::<types::UInt64Type>(array, |value| whole(value.into())),
        ArrowType::Date32 => primitive::<types::Date32Type>(array, |value| whole(value.into())),
        ArrowType::Decimal32(..) => primitive::<types::Decimal32Type>(array, |value| whole(value.into())),
        ArrowType::Decimal64(..) => primitive::<types::Decimal64Type>(array, |value| whole(value.into())),
        ArrowType::Decimal128(..) => primitive::<types::Decimal128Type>(array, whole),
        ArrowType::Float32 => primitive::<types::Float32Type>(array, |value| {
            whole(i128::from(if value.is_nan() { f32::NAN } else { value }.to_bits()))
        }),
        ArrowType::Float64 => primitive::<types::Float64Type>(array, |value| {
            whole(i128::from(if value.is_nan() { f64::NAN } else { value }.to_bits()))
        }),
        ArrowType::Time32(TimeUnit::Second) => primitive::<types::Time32SecondType>(array, |value| whole(value.into())),
        ArrowType::Time32(_) => primitive::<types::Time32MillisecondType>(array, |value| whole(value.into())),
        ArrowType::Time64(TimeUnit::Microsecond) => {
            primitive::<types::Time64MicrosecondType>(array, |value| whole(value.into()))
        }
        ArrowType::Time64(_) => primitive::<types::Time64NanosecondType>(array, |value| whole(value.into())),
        ArrowType::Timestamp(unit, _) => match unit {
            TimeUnit::Second => primitive::<types::TimestampSecondType>(array, |value| whole(value.into())),
            TimeUnit::Millisecond => primitive::<types::TimestampMillisecondType>(array, |value| whole(value.into())),
            TimeUnit::Microsecond => primitive::<types::TimestampMicrosecondType>(array, |value| whole(value.into())),
            TimeUnit::Nanosecond => primitive::<types::TimestampNanosecondType>(array, |value| whole(value.into())),
        },
        ArrowType::Utf8 => each(array, |row| bytes(array.as_string::<i32>().value(row).as_bytes())),
        ArrowType::LargeUtf8 => each(array, |row| bytes(array.as_string::<i64>().value(row).as_bytes())),
        ArrowType::Utf8View => each(array, |row| bytes(array.as_string_view().value(row).as_bytes())),
        ArrowType::Binary => each(array, |row| bytes(array.as_binary::<i32>().value(row))),
        ArrowType::LargeBinary => each(array, |row| bytes(array.as_binary::<i64>().value(row))),
        ArrowType::BinaryView => each(array, |row| bytes(array.as_binary_view().value(row))),
        ArrowType::List(_) => list::<i32>(array),
        ArrowType::LargeList(_) => list::<i64>(array),
        ArrowType::Map(..) => {
            let map = array.as_map();
            let entries: ArrayRef = std::sync::Arc::new(map.entries().clone());
            ranges(map.value_offsets(), &hashes(&entries))
        }
        ArrowType::Struct(_) => {
            let columns: Vec<Vec<u128>> = array.as_struct().columns().iter().map(hashes).collect();
            each(array, |row| columns.iter().fold(u128::from(STRUCT), |hash, column| combine(hash, column[row])))
        }
        ArrowType::Dictionary(_, value) => return cast(array, value).map(|plain| hashes(&plain)).unwrap_or_default(),
        // A type that Greylag does not have: the schema was found to differ before.
        _ => vec![0; array.len()],
    };
    if array.null_count() > 0 {
        for (row, hash) in out.iter_mut().enumerate() {
            if array.is_null(row) {
                *hash = u128::from(NULL);
            }
        }
    }
    out
}

/// One hash for each row of these columns.
pub(super) fn row_hashes(columns: &[ArrayRef]) -> Vec<u128> {
    let rows = columns.first().map_or(0, Array::len);
    let mut out = vec![0; rows];
    for column in columns {
        for (row, hash) in out.iter_mut().zip(hashes(column)) {
            *row = combine(*row, hash);
        }
    }
    out
}

fn whole(value: i128) -> u128 {
    bytes(&value.to_le_bytes())
}

fn bytes(value: &[u8]) -> u128 {
    xxh3_128_with_seed(value, 0)
}

/// The hash of what came before and one more; the order matters.
fn combine(before: u128, next: u128) -> u128 {
    let mut both = [0; 32];
    both[..16].copy_from_slice(&before.to_le_bytes());
    both[16..].copy_from_slice(&next.to_le_bytes());
    xxh3_128_with_seed(&both, 1)
}

fn each(array: &ArrayRef, value: impl Fn(usize) -> u128) -> Vec<u128> {
    (0..array.len()).map(value).collect()
}

fn primitive<T: ArrowPrimitiveType>(array: &ArrayRef, value: impl Fn(T::Native) -> u128) -> Vec<u128> {
    array.as_primitive::<T>().values().iter().map(|native| value(*native)).collect()
}

fn list<O: OffsetSizeTrait>(array: &ArrayRef) -> Vec<u128> {
    let list = array.as_list::<O>();
    ranges(list.value_offsets(), &hashes(list.values()))
}

fn ranges<O: OffsetSizeTrait>(offsets: &[O], items: &[u128]) -> Vec<u128> {
    offsets
        .windows(2)
        .map(|ends| {
            let items = &items[ends[0].as_usize()..ends[1].as_usize()];
            items.iter().fold(u128::from(LIST) + items.len() as u128, |hash, item| combine(hash, *item))
        })
        .collect()
}
