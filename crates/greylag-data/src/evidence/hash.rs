//! Value hashes, a column at a time.

use crate::error::unsupported_array;
use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, GenericByteArray, GenericByteViewArray, GenericListArray,
    OffsetSizeTrait, StructArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{
    BinaryViewType, ByteArrayType, ByteViewType, DataType, Date32Type, Decimal32Type, Decimal64Type, Decimal128Type,
    Float32Type, Float64Type, GenericBinaryType, GenericStringType, Int8Type, Int16Type, Int32Type, Int64Type,
    StringViewType, Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use greylag_driver::error::DriverError;
use xxhash_rust::xxh3::xxh3_64;

/// The value hash of null, whatever its type.
pub(crate) const NULL: u64 = 0xa076_1d64_78bd_642f;
/// What a list's or struct's hash begins with.
const NESTED: u64 = 0xe703_7ed1_a0b4_28db;
/// Odd; makes [`fold`] depend on order.
const STEP: u64 = 0x8ebc_6af0_9c88_c6e3;

/// Bijective, so that two numbers never share a value hash.
#[inline]
pub(super) fn mix(word: u64) -> u64 {
    let product = (word ^ (word >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    product ^ (product >> 29)
}

/// One more element of a sequence.
#[inline]
pub(super) fn fold(sequence: u64, element: u64) -> u64 {
    mix(sequence.wrapping_mul(STEP) ^ element)
}

/// The hash of a sequence of `length` elements before its first one.
#[inline]
pub(super) fn sequence(length: usize) -> u64 {
    mix(NESTED ^ length as u64)
}

#[inline]
pub(super) fn bytes(value: &[u8]) -> u64 {
    xxh3_64(value)
}

#[inline]
pub(crate) fn wide(value: i128) -> u64 {
    mix(value as u64 ^ mix(((value >> 64) as u64).wrapping_add(NESTED)))
}

#[inline]
pub(super) fn float32(value: f32) -> u64 {
    mix(u64::from(if value.is_nan() { f32::NAN.to_bits() } else { value.to_bits() }))
}

#[inline]
pub(crate) fn float64(value: f64) -> u64 {
    mix(if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() })
}

/// Replaces `out` by the value hashes of `array`, one per row.
///
/// Fails only for Arrow types that no column type of the model has.
pub fn hash_column(array: &dyn Array, out: &mut Vec<u64>) -> Result<(), DriverError> {
    out.clear();
    match array.data_type() {
        DataType::Null => out.resize(array.len(), NULL),
        DataType::Boolean => {
            let values = array.as_boolean().values();
            out.extend(values.iter().map(|value| mix(u64::from(value))));
        }
        DataType::Int8 => words::<Int8Type>(array, out, |value| value as u64),
        DataType::Int16 => words::<Int16Type>(array, out, |value| value as u64),
        DataType::Int32 => words::<Int32Type>(array, out, |value| value as u64),
        DataType::Int64 => words::<Int64Type>(array, out, |value| value as u64),
        DataType::UInt8 => words::<UInt8Type>(array, out, u64::from),
        DataType::UInt16 => words::<UInt16Type>(array, out, u64::from),
        DataType::UInt32 => words::<UInt32Type>(array, out, u64::from),
        DataType::UInt64 => words::<UInt64Type>(array, out, |value| value),
        DataType::Date32 => words::<Date32Type>(array, out, |value| value as u64),
        DataType::Time32(TimeUnit::Second) => words::<Time32SecondType>(array, out, |value| value as u64),
        DataType::Time32(_) => words::<Time32MillisecondType>(array, out, |value| value as u64),
        DataType::Time64(TimeUnit::Microsecond) => words::<Time64MicrosecondType>(array, out, |value| value as u64),
        DataType::Time64(_) => words::<Time64NanosecondType>(array, out, |value| value as u64),
        DataType::Timestamp(unit, _) => match unit {
            TimeUnit::Second => words::<TimestampSecondType>(array, out, |value| value as u64),
            TimeUnit::Millisecond => words::<TimestampMillisecondType>(array, out, |value| value as u64),
            TimeUnit::Microsecond => words::<TimestampMicrosecondType>(array, out, |value| value as u64),
            TimeUnit::Nanosecond => words::<TimestampNanosecondType>(array, out, |value| value as u64),
        },
        DataType::Float32 => primitive::<Float32Type>(array, out, float32),
        DataType::Float64 => primitive::<Float64Type>(array, out, float64),
        DataType::Decimal32(..) => primitive::<Decimal32Type>(array, out, |value| wide(value.into())),
        DataType::Decimal64(..) => primitive::<Decimal64Type>(array, out, |value| wide(value.into())),
        DataType::Decimal128(..) => primitive::<Decimal128Type>(array, out, wide),
        DataType::Utf8 => strings::<GenericStringType<i32>>(array.as_string(), out),
        DataType::LargeUtf8 => strings::<GenericStringType<i64>>(array.as_string(), out),
        DataType::Binary => strings::<GenericBinaryType<i32>>(array.as_binary(), out),
        DataType::LargeBinary => strings::<GenericBinaryType<i64>>(array.as_binary(), out),
        DataType::Utf8View => views::<StringViewType>(array.as_string_view(), out),
        DataType::BinaryView => views::<BinaryViewType>(array.as_binary_view(), out),
        DataType::FixedSizeBinary(_) => {
            let array = array.as_fixed_size_binary();
            out.extend((0..array.len()).map(|row| bytes(array.value(row))));
        }
        DataType::List(_) => lists::<i32>(array.as_list(), out)?,
        DataType::LargeList(_) => lists::<i64>(array.as_list(), out)?,
        DataType::Struct(_) => structs(array.as_struct(), out)?,
        DataType::Map(..) => {
            let array = array.as_map();
            sequences(array.offsets(), &(std::sync::Arc::new(array.entries().clone()) as ArrayRef), out)?;
        }
        DataType::Dictionary(_, value) => return hash_cast(array, value, out),
        DataType::RunEndEncoded(_, value) => return hash_cast(array, value.data_type(), out),
        other => return Err(unsupported_array(other)),
    }
    nulls(array.nulls(), out);
    Ok(())
}

fn hash_cast(array: &dyn Array, to: &DataType, out: &mut Vec<u64>) -> Result<(), DriverError> {
    let plain = arrow::compute::cast(array, to).map_err(|_| unsupported_array(array.data_type()))?;
    hash_column(&plain, out)
}

fn nulls(nulls: Option<&NullBuffer>, out: &mut [u64]) {
    let Some(nulls) = nulls.filter(|nulls| nulls.null_count() > 0) else { return };
    for (slot, valid) in out.iter_mut().zip(nulls) {
        *slot = if valid { *slot } else { NULL };
    }
}

fn words<T: ArrowPrimitiveType>(array: &dyn Array, out: &mut Vec<u64>, word: impl Fn(T::Native) -> u64) {
    primitive::<T>(array, out, |value| mix(word(value)));
}

fn primitive<T: ArrowPrimitiveType>(array: &dyn Array, out: &mut Vec<u64>, hash: impl Fn(T::Native) -> u64) {
    out.extend(array.as_primitive::<T>().values().iter().map(|value| hash(*value)));
}

fn strings<T: ByteArrayType>(array: &GenericByteArray<T>, out: &mut Vec<u64>) {
    let data = array.values().as_slice();
    out.extend(array.offsets().windows(2).map(|window| {
        use arrow::datatypes::ArrowNativeType as _;
        bytes(&data[window[0].as_usize()..window[1].as_usize()])
    }));
}

fn views<T: ByteViewType>(array: &GenericByteViewArray<T>, out: &mut Vec<u64>) {
    out.extend(array.iter().map(|value| value.map_or(NULL, |value| bytes(value.as_ref()))));
}

fn lists<O: OffsetSizeTrait>(array: &GenericListArray<O>, out: &mut Vec<u64>) -> Result<(), DriverError> {
    sequences(array.offsets(), array.values(), out)
}

fn sequences<O: OffsetSizeTrait>(
    offsets: &OffsetBuffer<O>,
    values: &ArrayRef,
    out: &mut Vec<u64>,
) -> Result<(), DriverError> {
    let first = offsets.first().map_or(0, |offset| offset.as_usize());
    let last = offsets.last().map_or(0, |offset| offset.as_usize());
    let mut elements = Vec::with_capacity(last - first);
    hash_column(&values.slice(first, last - first), &mut elements)?;
    out.extend(offsets.windows(2).map(|window| {
        let items = &elements[window[0].as_usize() - first..window[1].as_usize() - first];
        items.iter().fold(sequence(items.len()), |hash, item| fold(hash, *item))
    }));
    Ok(())
}

fn structs(array: &StructArray, out: &mut Vec<u64>) -> Result<(), DriverError> {
    out.resize(array.len(), sequence(array.num_columns()));
    let mut field = Vec::with_capacity(array.len());
    for column in array.columns() {
        hash_column(column, &mut field)?;
        for (hash, value) in out.iter_mut().zip(&field) {
            *hash = fold(*hash, *value);
        }
    }
    Ok(())
}
