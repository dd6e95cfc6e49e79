//! Conversions over arrays. Rows that do not fit are null in the result and named in [`Misfits`]; nothing else fails.
//!
//! Pairs that datasets are made of have loops of their own; the rest convert value by value with the written meaning.

use super::misfits::Misfits;
use super::values::{array_of, value_at};
use crate::arrow_types::to_arrow;
use arrow::array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow::array::{Array, ArrayData, ArrayRef, AsArray, Float64Array, PrimitiveArray, make_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType as ArrowType, TimeUnit as ArrowUnit};
use arrow::error::ArrowError;
use greylag_model::cast::{Unfit, convert, scaled_float, text};
use greylag_model::spec::Loss;
use greylag_model::types::{DataType, TimeUnit};
use greylag_model::value::Value;
use std::sync::Arc;

/// Converts an array of the canonical type of `from` to that of `to`.
pub(super) fn cast_array(
    array: &ArrayRef,
    from: &DataType,
    to: &DataType,
    loss: Option<Loss>,
    misfits: &mut Misfits,
) -> Result<ArrayRef, ArrowError> {
    use DataType as T;
    if from == to {
        return Ok(Arc::clone(array));
    }
    let target = to_arrow(to);
    Ok(match (from, to) {
        (from, T::Decimal { .. }) if from.integer().is_some() => by_arrow(array, &target, misfits)?,
        (from, to) if from.integer().is_some() && to.integer().is_some() => by_arrow(array, &target, misfits)?,
        (T::Boolean, to) if to.integer().is_some() => by_arrow(array, &target, misfits)?,
        (from, T::String) if from.integer().is_some() => by_arrow(array, &target, misfits)?,
        (T::String, T::Binary) | (T::Float32, T::Float64) => by_arrow(array, &target, misfits)?,
        (from, to) if from.integer().is_some() && to.is_float() && !forbids(from, to, loss) => {
            by_arrow(array, &target, misfits)?
        }
        (T::Decimal { precision, scale }, T::Float64) if *precision <= 15 => decimal_to_float(array, *scale),
        (T::Float64, T::Decimal { precision, scale }) => {
            map::<Float64Type, Decimal128Type>(array, &target, misfits, float_to_decimal(*precision, *scale, loss))
        }
        (T::Float32, T::Decimal { precision, scale }) => {
            let wide = float_to_decimal(*precision, *scale, loss);
            map::<Float32Type, Decimal128Type>(array, &target, misfits, |value| wide(value.into()))
        }
        (T::Decimal { scale, .. }, T::Decimal { precision, scale: to_scale }) if to_scale >= scale => {
            let factor = 10_i128.pow(u32::from(to_scale - scale));
            let limit = 10_i128.checked_pow(u32::from(*precision)).unwrap_or(i128::MAX);
            map::<Decimal128Type, Decimal128Type>(array, &target, misfits, |value| {
                let scaled = value.checked_mul(factor).filter(|scaled| scaled.unsigned_abs() < limit.unsigned_abs());
                scaled.ok_or(Unfit::RANGE)
            })
        }
        (T::Date, T::Timestamp { unit, zone }) if is_utc(zone.as_deref()) => {
            let day = unit.per_second() * 86_400;
            let at = move |days: i32| i64::from(days).checked_mul(day).ok_or(Unfit::RANGE);
            match unit {
                TimeUnit::S => map::<Date32Type, TimestampSecondType>(array, &target, misfits, at),
                TimeUnit::Ms => map::<Date32Type, TimestampMillisecondType>(array, &target, misfits, at),
                TimeUnit::Us => map::<Date32Type, TimestampMicrosecondType>(array, &target, misfits, at),
                TimeUnit::Ns => map::<Date32Type, TimestampNanosecondType>(array, &target, misfits, at),
            }
        }
        (T::Timestamp { unit, zone }, T::Timestamp { unit: to_unit, zone: to_zone })
            if same_clock(zone.as_deref(), to_zone.as_deref()) =>
        {
            instants(array, *unit, *to_unit, &target, loss, misfits)?
        }
        (T::Timestamp { unit, zone }, T::Date) if is_utc(zone.as_deref()) => {
            let day = unit.per_second() * 86_400;
            let days = |value: i64| i32::try_from(coarsen(value, day, loss)?).map_err(|_| Unfit::RANGE);
            let whole = as_seconds_type(array)?;
            map::<TimestampSecondType, Date32Type>(&whole, &target, misfits, days)
        }
        (T::String, to) => from_text(array, to, &target, loss, misfits),
        _ => by_value(array, from, to, loss, misfits),
    })
}

/// Whether losing something makes a misfit of it.
fn forbids(from: &DataType, to: &DataType, loss: Option<Loss>) -> bool {
    loss != Some(Loss::Round) && !greylag_model::cast::conversion(from, to).is_exact()
}

fn is_utc(zone: Option<&str>) -> bool {
    zone.is_none_or(|zone| zone == "UTC")
}

/// Whether both count from the same moment on the same clock: both instants, or both read as UTC.
fn same_clock(from: Option<&str>, to: Option<&str>) -> bool {
    from.is_some() == to.is_some() || (is_utc(from) && is_utc(to))
}

/// Arrow's own conversion, where what it cannot convert is just what does not fit.
fn by_arrow(array: &ArrayRef, to: &ArrowType, misfits: &mut Misfits) -> Result<ArrayRef, ArrowError> {
    let options = CastOptions { safe: true, ..CastOptions::default() };
    let result = cast_with_options(array, to, &options)?;
    if result.null_count() != array.null_count() {
        for row in 0..array.len() {
            if result.is_null(row) && array.is_valid(row) {
                misfits.push(row, Unfit::RANGE.0);
            }
        }
    }
    Ok(result)
}

/// One loop over primitive values.
fn map<A: ArrowPrimitiveType, B: ArrowPrimitiveType>(
    array: &ArrayRef,
    to: &ArrowType,
    misfits: &mut Misfits,
    convert: impl Fn(A::Native) -> Result<B::Native, Unfit>,
) -> ArrayRef {
    let array = array.as_primitive::<A>();
    let mut found = Misfits::default();
    let values: Vec<B::Native> = array
        .values()
        .iter()
        .enumerate()
        .map(|(row, value)| match convert(*value) {
            Ok(value) => value,
            Err(unfit) => {
                if array.is_valid(row) {
                    found.push(row, unfit.0);
                }
                B::Native::default()
            }
        })
        .collect();
    let nulls = found.nulls(array.nulls(), array.len());
    found.rows().iter().for_each(|(row, reason)| misfits.push(*row, reason));
    Arc::new(PrimitiveArray::<B>::new(values.into(), nulls).with_data_type(to.clone()))
}

/// At most 15 digits: exact as i64 and as float64, so that one division rounds correctly.
fn decimal_to_float(array: &ArrayRef, scale: u8) -> ArrayRef {
    let array = array.as_primitive::<Decimal128Type>();
    let unit = 10_f64.powi(i32::from(scale));
    let values: Vec<f64> = array.values().iter().map(|value| *value as i64 as f64 / unit).collect();
    Arc::new(Float64Array::new(values.into(), array.nulls().cloned()))
}

/// [`scaled_float`], with a short way for up to 15 digits: all of its numbers are exact as i64 and as float64.
fn float_to_decimal(precision: u8, scale: u8, loss: Option<Loss>) -> impl Fn(f64) -> Result<i128, Unfit> {
    let unit = 10_f64.powi(i32::from(scale));
    let limit = if scale <= 15 { 10_f64.powi(i32::from(precision.min(15))) } else { 0.0 };
    move |value| {
        let scaled = value * unit;
        let whole = if loss == Some(Loss::Truncate) { scaled.trunc() } else { scaled.round() };
        if whole.abs() < limit {
            let lost = matches!(loss, Some(Loss::Fail) | None) && whole / unit != value;
            return if lost { Err(Unfit::LOSS) } else { Ok((whole as i64).into()) };
        }
        scaled_float(value, precision, scale, loss)
    }
}

fn coarsen(value: i64, by: i64, loss: Option<Loss>) -> Result<i64, Unfit> {
    let (floor, rest) = (value.div_euclid(by), value.rem_euclid(by));
    match loss {
        _ if rest == 0 => Ok(floor),
        Some(Loss::Truncate) => Ok(floor),
        // The rest is counted from the past: half of it goes away from zero, so forward from the epoch on.
        Some(Loss::Round) => {
            let past_half = rest > by - rest || (rest == by - rest && value > 0);
            Ok(floor + i64::from(past_half))
        }
        Some(Loss::Fail) | None => Err(Unfit::LOSS),
    }
}

/// Timestamps of any unit share their layout: look at them as seconds, whatever they count.
fn as_seconds_type(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let plain = |array: ArrayData| array.into_builder().data_type(ArrowType::Timestamp(ArrowUnit::Second, None));
    Ok(make_array(plain(array.to_data()).build()?))
}

fn instants(
    array: &ArrayRef,
    from: TimeUnit,
    to: TimeUnit,
    target: &ArrowType,
    loss: Option<Loss>,
    misfits: &mut Misfits,
) -> Result<ArrayRef, ArrowError> {
    let array = as_seconds_type(array)?;
    let seconds = ArrowType::Timestamp(ArrowUnit::Second, None);
    let result = if to >= from {
        let factor = to.per_second() / from.per_second();
        map::<TimestampSecondType, TimestampSecondType>(&array, &seconds, misfits, |value| {
            value.checked_mul(factor).ok_or(Unfit::RANGE)
        })
    } else {
        let by = from.per_second() / to.per_second();
        map::<TimestampSecondType, TimestampSecondType>(&array, &seconds, misfits, |value| coarsen(value, by, loss))
    };
    Ok(make_array(result.to_data().into_builder().data_type(target.clone()).build()?))
}

fn from_text(
    array: &ArrayRef,
    to: &DataType,
    target: &ArrowType,
    loss: Option<Loss>,
    misfits: &mut Misfits,
) -> ArrayRef {
    match to {
        DataType::Int8 => integers::<Int8Type>(array, misfits),
        DataType::Int16 => integers::<Int16Type>(array, misfits),
        DataType::Int32 => integers::<Int32Type>(array, misfits),
        DataType::Int64 => integers::<Int64Type>(array, misfits),
        DataType::UInt8 => integers::<UInt8Type>(array, misfits),
        DataType::UInt16 => integers::<UInt16Type>(array, misfits),
        DataType::UInt32 => integers::<UInt32Type>(array, misfits),
        DataType::UInt64 => integers::<UInt64Type>(array, misfits),
        DataType::Float32 => parsed::<Float32Type>(array, target, misfits, text::parse_float32),
        DataType::Float64 => parsed::<Float64Type>(array, target, misfits, text::parse_float64),
        DataType::Decimal { precision, scale } => parsed::<Decimal128Type>(array, target, misfits, |value| {
            text::parse_decimal(value, *precision, *scale, loss)
        }),
        DataType::Date => {
            parsed::<Date32Type>(array, target, misfits, |value| text::parse_date(value).map(|days| days as i32))
        }
        DataType::Timestamp { unit, zone } => {
            let read = |value: &str| text::parse_timestamp(value, *unit, zone.as_deref(), loss);
            match unit {
                TimeUnit::S => parsed::<TimestampSecondType>(array, target, misfits, read),
                TimeUnit::Ms => parsed::<TimestampMillisecondType>(array, target, misfits, read),
                TimeUnit::Us => parsed::<TimestampMicrosecondType>(array, target, misfits, read),
                TimeUnit::Ns => parsed::<TimestampNanosecondType>(array, target, misfits, read),
            }
        }
        _ => by_value(array, &DataType::String, to, loss, misfits),
    }
}

fn integers<T: ArrowPrimitiveType>(array: &ArrayRef, misfits: &mut Misfits) -> ArrayRef
where
    T::Native: TryFrom<i128>,
{
    parsed::<T>(array, &T::DATA_TYPE, misfits, |value| text::parse_integer(value)?.try_into().map_err(|_| Unfit::RANGE))
}

fn parsed<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    to: &ArrowType,
    misfits: &mut Misfits,
    read: impl Fn(&str) -> Result<T::Native, Unfit>,
) -> ArrayRef {
    let texts = array.as_string::<i32>();
    let mut found = Misfits::default();
    let values: Vec<T::Native> = texts
        .iter()
        .enumerate()
        .map(|(row, value)| {
            let Some(value) = value else { return T::Native::default() };
            read(value).unwrap_or_else(|unfit| {
                found.push(row, unfit.0);
                T::Native::default()
            })
        })
        .collect();
    let nulls = found.nulls(texts.nulls(), texts.len());
    found.rows().iter().for_each(|(row, reason)| misfits.push(*row, reason));
    Arc::new(PrimitiveArray::<T>::new(values.into(), nulls).with_data_type(to.clone()))
}

/// The written meaning, value by value.
fn by_value(array: &ArrayRef, from: &DataType, to: &DataType, loss: Option<Loss>, misfits: &mut Misfits) -> ArrayRef {
    let values: Vec<Value> = (0..array.len())
        .map(|row| {
            convert(value_at(array, from, row), from, to, loss).unwrap_or_else(|unfit| {
                misfits.push(row, unfit.0);
                Value::Null
            })
        })
        .collect();
    array_of(&values, to)
}

#[cfg(test)]
mod tests {
    use super::float_to_decimal;
    use greylag_model::cast::scaled_float;
    use greylag_model::spec::Loss;
    use proptest::prelude::*;

    const LOSSES: [Option<Loss>; 4] = [None, Some(Loss::Fail), Some(Loss::Round), Some(Loss::Truncate)];

    fn agrees(value: f64, precision: u8, scale: u8) {
        for loss in LOSSES {
            let short = float_to_decimal(precision, scale, loss)(value);
            assert_eq!(short, scaled_float(value, precision, scale, loss), "{value:e} ({precision},{scale}) {loss:?}");
        }
    }

    #[test]
    fn the_short_way_to_a_decimal_is_the_long_one_at_the_edges() {
        let edges = [0.0, -0.0, 0.5, -0.5, 1.5, 2.5, 0.1, 99.995, 1e15, 1e15 - 1.0, 999_999_999_999_999.5, 9.995e12];
        let odd = [f64::NAN, f64::INFINITY, f64::MIN_POSITIVE, f64::MAX, 9_007_199_254_740_993.0, 1e38];
        for value in edges.into_iter().chain(odd).flat_map(|value| [value, -value]) {
            for (precision, scale) in [(1, 0), (15, 2), (15, 15), (16, 2), (18, 0), (38, 0), (38, 16), (38, 38)] {
                agrees(value, precision, scale);
            }
        }
    }

    proptest! {
        #[test]
        fn the_short_way_to_a_decimal_is_the_long_one(
            any in any::<f64>(),
            cents in -10_i64.pow(16)..10_i64.pow(16),
            precision in 1..=38_u8,
            scale in 0..=38_u8,
        ) {
            let scale = scale.min(precision);
            agrees(any, precision, scale);
            agrees(cents as f64 / 10_f64.powi(scale.into()), precision, scale);
        }
    }
}
