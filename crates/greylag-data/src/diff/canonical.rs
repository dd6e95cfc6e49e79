//! Values of paired columns as hashes that are equal if and only if the values are, whatever the type on either side; and
//! as numbers, for columns with a tolerance.

use crate::error::unsupported_array;
use crate::evidence::{NULL, float64, hash_column, wide};
use arrow::array::{Array, ArrowPrimitiveType, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type, i256,
};
use greylag_driver::error::DriverError;
use greylag_model::diff::Class;

/// Bits that stand for null among numbers: a NaN that no computation gives.
pub(super) const NULL_BITS: u64 = 0x7ff8_dead_beef_0000;
const DAY_NANOS: i128 = 86_400_000_000_000;

/// Replaces `out` by the hashes of a column of canonical type, one per row.
pub(super) fn hash(array: &dyn Array, class: Class, out: &mut Vec<u64>) -> Result<(), DriverError> {
    out.clear();
    match class {
        Class::AsItIs => return hash_column(array, out),
        Class::Integer => exact(array, out, |value, _| wide(value))?,
        Class::Moment | Class::TimeOfDay => moments(array, out)?,
        Class::Decimal { scale } => exact(array, out, |value, own| scaled(value, scale.saturating_sub(own)))?,
        Class::Float => {
            numbers(array, out)?;
            for bits in out.iter_mut() {
                *bits = if *bits == NULL_BITS { NULL } else { float64(f64::from_bits(*bits)) };
            }
            return Ok(());
        }
    }
    let Some(nulls) = array.nulls().filter(|nulls| nulls.null_count() > 0) else { return Ok(()) };
    for (slot, valid) in out.iter_mut().zip(nulls) {
        *slot = if valid { *slot } else { NULL };
    }
    Ok(())
}

/// Replaces `out` by the bits of a numeric column's values as double precision, `-0.0` as `0.0`, [`NULL_BITS`] for null.
pub(super) fn numbers(array: &dyn Array, out: &mut Vec<u64>) -> Result<(), DriverError> {
    out.clear();
    match array.data_type() {
        DataType::Float32 => primitive::<Float32Type>(array, out, |value| bits(f64::from(value))),
        DataType::Float64 => primitive::<Float64Type>(array, out, bits),
        _ => exact(array, out, |value, scale| bits(nearest(value, scale)))?,
    }
    for (slot, row) in out.iter_mut().zip(0..array.len()) {
        *slot = if array.is_valid(row) { *slot } else { NULL_BITS };
    }
    Ok(())
}

fn bits(value: f64) -> u64 {
    if value.is_nan() { f64::NAN.to_bits() } else { (value + 0.0).to_bits() }
}

/// The double nearest to `value × 10^-scale`.
fn nearest(value: i128, scale: u8) -> f64 {
    // Both operands are exact, so that the division rounds once.
    if value.unsigned_abs() < 1 << 53 && scale <= 22 {
        return value as f64 / 10f64.powi(i32::from(scale));
    }
    format!("{value}e-{scale}").parse().unwrap_or(f64::NAN)
}

/// The hash of `value × 10^more`.
fn scaled(value: i128, more: u8) -> u64 {
    if more == 0 {
        return wide(value);
    }
    if let Some(scaled) = 10i128.checked_pow(more.into()).and_then(|factor| value.checked_mul(factor)) {
        return wide(scaled);
    }
    // 38 digits and 38 more are below 2^255.
    let factor = i256::from_i128(10).wrapping_pow(more.into());
    let (low, high) = i256::from_i128(value).wrapping_mul(factor).to_parts();
    wide(low as i128).rotate_left(32) ^ wide(high)
}

/// Integers and decimals: the unscaled value and the scale.
fn exact(array: &dyn Array, out: &mut Vec<u64>, of: impl Fn(i128, u8) -> u64) -> Result<(), DriverError> {
    match array.data_type() {
        DataType::Int8 => primitive::<Int8Type>(array, out, |value| of(value.into(), 0)),
        DataType::Int16 => primitive::<Int16Type>(array, out, |value| of(value.into(), 0)),
        DataType::Int32 => primitive::<Int32Type>(array, out, |value| of(value.into(), 0)),
        DataType::Int64 => primitive::<Int64Type>(array, out, |value| of(value.into(), 0)),
        DataType::UInt8 => primitive::<UInt8Type>(array, out, |value| of(value.into(), 0)),
        DataType::UInt16 => primitive::<UInt16Type>(array, out, |value| of(value.into(), 0)),
        DataType::UInt32 => primitive::<UInt32Type>(array, out, |value| of(value.into(), 0)),
        DataType::UInt64 => primitive::<UInt64Type>(array, out, |value| of(value.into(), 0)),
        DataType::Decimal128(_, scale) => {
            let scale = u8::try_from(*scale).map_err(|_| unsupported_array(array.data_type()))?;
            primitive::<Decimal128Type>(array, out, |value| of(value, scale));
        }
        other => return Err(unsupported_array(other)),
    }
    Ok(())
}

fn moments(array: &dyn Array, out: &mut Vec<u64>) -> Result<(), DriverError> {
    let nanos = |value: i64, unit: i128| wide(i128::from(value) * unit);
    match array.data_type() {
        DataType::Date32 => primitive::<Date32Type>(array, out, |value| nanos(value.into(), DAY_NANOS)),
        DataType::Timestamp(TimeUnit::Second, _) => {
            primitive::<TimestampSecondType>(array, out, |value| nanos(value, 1_000_000_000));
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            primitive::<TimestampMillisecondType>(array, out, |value| nanos(value, 1_000_000));
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            primitive::<TimestampMicrosecondType>(array, out, |value| nanos(value, 1_000));
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            primitive::<TimestampNanosecondType>(array, out, |value| nanos(value, 1));
        }
        DataType::Time32(TimeUnit::Second) => {
            primitive::<Time32SecondType>(array, out, |value| nanos(value.into(), 1_000_000_000));
        }
        DataType::Time32(_) => primitive::<Time32MillisecondType>(array, out, |value| nanos(value.into(), 1_000_000)),
        DataType::Time64(TimeUnit::Microsecond) => {
            primitive::<Time64MicrosecondType>(array, out, |value| nanos(value, 1_000));
        }
        DataType::Time64(_) => primitive::<Time64NanosecondType>(array, out, |value| nanos(value, 1)),
        other => return Err(unsupported_array(other)),
    }
    Ok(())
}

fn primitive<T: ArrowPrimitiveType>(array: &dyn Array, out: &mut Vec<u64>, of: impl Fn(T::Native) -> u64) {
    out.extend(array.as_primitive::<T>().values().iter().map(|value| of(*value)));
}
