//! What the files of functions share.

pub(super) use super::args::{Arithmetic, common_decimal, sum_type};
pub(super) use super::{Fails, Form, Nullable, Nulls, Spec};
pub(super) use crate::cast::{fits_precision, power_of_ten, rescale};
pub(super) use crate::expr::{RowError, TypedExpr};
pub(super) use crate::spec::Loss;
pub(super) use crate::types::{DataType, TimeUnit};
pub(super) use crate::value::Value;
use std::cmp::Ordering;

/// Arguments of types that checking does not let through.
pub(super) const WRONG: RowError = RowError::new("the value is not of the type that was planned");
pub(super) const BY_ZERO: RowError = RowError::new("division by zero");
pub(super) const RANGE: RowError = RowError::new("number is out of range");

pub(super) fn text(values: &[Value], at: usize) -> Result<&str, RowError> {
    match values.get(at) {
        Some(Value::String(text)) => Ok(text),
        _ => Err(WRONG),
    }
}

pub(super) fn integer(values: &[Value], at: usize) -> Result<i128, RowError> {
    match values.get(at) {
        Some(Value::Int(value)) => Ok(*value),
        _ => Err(WRONG),
    }
}

/// A count of characters: nothing below zero, everything above what memory holds.
pub(super) fn index(value: i128) -> usize {
    usize::try_from(value.max(0)).unwrap_or(usize::MAX)
}

pub(super) fn int64(value: i128) -> Result<Value, RowError> {
    i64::try_from(value).map(|value| Value::Int(i128::from(value))).map_err(|_| RANGE)
}

pub(super) fn shift_days(days: i32, more: i128) -> Result<Value, RowError> {
    i32::try_from(i128::from(days) + more).map(Value::Date).map_err(|_| RANGE)
}

/// A decimal result, if it has no more digits than its type.
pub(super) fn decimal(unscaled: Option<i128>, scale: u8, data_type: &DataType) -> Result<Value, RowError> {
    let DataType::Decimal { precision, .. } = data_type else { return Err(WRONG) };
    match unscaled {
        Some(unscaled) if fits_precision(unscaled, *precision) => Ok(Value::Decimal(unscaled, scale)),
        _ => Err(RANGE),
    }
}

/// Two decimals at the larger of their scales.
pub(super) fn aligned(left: &Value, right: &Value) -> Result<(i128, i128, u8), RowError> {
    let (Value::Decimal(left, left_scale), Value::Decimal(right, right_scale)) = (left, right) else {
        return Err(WRONG);
    };
    let scale = *left_scale.max(right_scale);
    let at = |value, from| rescale(value, from, scale, None).map_err(|_| RANGE);
    Ok((at(*left, *left_scale)?, at(*right, *right_scale)?, scale))
}

/// The type of a number without its fraction.
pub(super) fn whole(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Decimal { precision, .. } => DataType::Decimal { precision: *precision, scale: 0 },
        other => other.clone(),
    }
}

/// Order of two values of one type, neither null. NaN is greatest and equal to itself, `-0.0` equals `0.0`.
pub(super) fn compare(left: &Value, right: &Value) -> Result<Ordering, RowError> {
    let float = |left: f64, right: f64| left.partial_cmp(&right).unwrap_or_else(|| left.is_nan().cmp(&right.is_nan()));
    Ok(match (left, right) {
        (Value::Boolean(left), Value::Boolean(right)) => left.cmp(right),
        (Value::Int(left), Value::Int(right)) => left.cmp(right),
        (Value::Decimal(left, a), Value::Decimal(right, b)) if a == b => left.cmp(right),
        (Value::Float32(left), Value::Float32(right)) => float(f64::from(*left), f64::from(*right)),
        (Value::Float64(left), Value::Float64(right)) => float(*left, *right),
        (Value::Date(left), Value::Date(right)) => left.cmp(right),
        (Value::Time(left), Value::Time(right)) | (Value::Timestamp(left), Value::Timestamp(right)) => left.cmp(right),
        (Value::String(left), Value::String(right)) => left.cmp(right),
        (Value::Binary(left), Value::Binary(right)) => left.cmp(right),
        _ => return Err(WRONG),
    })
}

/// One character's lower case, if that is one character.
pub(super) fn simple_lower(letter: char) -> char {
    // The one character whose full mapping is two, while its simple mapping is one.
    if letter == 'İ' {
        return 'i';
    }
    single(letter.to_lowercase(), letter)
}

/// One character's upper case, if that is one character.
pub(super) fn simple_upper(letter: char) -> char {
    match letter as u32 {
        // Greek with iota below: the full mapping is two characters, the simple one the title-case letter.
        code @ (0x1F80..=0x1F87 | 0x1F90..=0x1F97 | 0x1FA0..=0x1FA7) => char::from_u32(code + 8).unwrap_or(letter),
        code @ (0x1FB3 | 0x1FC3 | 0x1FF3) => char::from_u32(code + 9).unwrap_or(letter),
        _ => single(letter.to_uppercase(), letter),
    }
}

fn single(mut mapped: impl Iterator<Item = char>, letter: char) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(one), None) => one,
        _ => letter,
    }
}
