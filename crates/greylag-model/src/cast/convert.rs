//! Converting one value: the written semantics of every pair of the matrix.

use super::{text, zone::Zone};
use crate::spec::Loss;
use crate::types::{DataType, TimeUnit};
use crate::value::Value;

/// Why a value does not fit; says nothing of the value itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfit(pub &'static str);

impl Unfit {
    /// Out of the target type's range.
    pub const RANGE: Self = Self("value is out of the type's range");
    /// Something would be lost, and the policy forbids it.
    pub const LOSS: Self = Self("value would lose something that the type cannot carry");
}

/// 10 to a power of 0 to 38.
pub fn power_of_ten(exponent: u8) -> i128 {
    10_i128.pow(u32::from(exponent))
}

/// Whether an unscaled decimal has at most `precision` digits.
pub fn fits_precision(unscaled: i128, precision: u8) -> bool {
    unscaled.unsigned_abs() < power_of_ten(precision).unsigned_abs()
}

/// An unscaled decimal at another scale.
pub fn rescale(unscaled: i128, from: u8, to: u8, loss: Option<Loss>) -> Result<i128, Unfit> {
    if to >= from {
        return unscaled.checked_mul(power_of_ten(to - from)).ok_or(Unfit::RANGE);
    }
    divide(unscaled, power_of_ten(from - to), loss)
}

/// Division with a policy for the rest; `round` takes halves away from zero, `truncate` goes towards zero.
fn divide(value: i128, by: i128, loss: Option<Loss>) -> Result<i128, Unfit> {
    let (quotient, rest) = (value / by, value % by);
    match loss {
        _ if rest == 0 => Ok(quotient),
        Some(Loss::Truncate) => Ok(quotient),
        Some(Loss::Round) if rest.unsigned_abs() >= by.unsigned_abs() - rest.unsigned_abs() => {
            Ok(quotient + value.signum())
        }
        Some(Loss::Round) => Ok(quotient),
        Some(Loss::Fail) | None => Err(Unfit::LOSS),
    }
}

/// As decimals, but `truncate` goes towards the past.
pub(super) fn coarsen(value: i128, by: i128, loss: Option<Loss>) -> Result<i128, Unfit> {
    if loss == Some(Loss::Truncate) { Ok(value.div_euclid(by)) } else { divide(value, by, loss) }
}

/// A float times 10^`scale`, rounded or cut, as a decimal's unscaled number. The product is a float64's, so that
/// engines agree; halves go away from zero. `fail` lets through what the decimal's nearest float64 gives back.
pub fn scaled_float(value: f64, precision: u8, scale: u8, loss: Option<Loss>) -> Result<i128, Unfit> {
    let scaled = value * power_of_ten(scale) as f64;
    let whole = if loss == Some(Loss::Truncate) { scaled.trunc() } else { scaled.round() };
    // Below 10^38, `as` is exact on whole floats.
    if whole.is_nan() || whole.abs() >= 1e38 || !fits_precision(whole as i128, precision) {
        return Err(Unfit::RANGE);
    }
    let unscaled = whole as i128;
    if matches!(loss, Some(Loss::Fail) | None) && decimal_to_float(unscaled, scale) != value {
        return Err(Unfit::LOSS);
    }
    Ok(unscaled)
}

/// The nearest float64 of a decimal.
pub(crate) fn decimal_to_float(unscaled: i128, scale: u8) -> f64 {
    // Both exact in a float64, so that the quotient is correctly rounded.
    if unscaled.unsigned_abs() <= 1 << 53 && scale <= 22 {
        return unscaled as f64 / power_of_ten(scale) as f64;
    }
    text::decimal(unscaled, scale).parse().unwrap_or(f64::NAN)
}

/// Converts one value of type `from` to type `to`. Null converts to null.
pub fn convert(value: Value, from: &DataType, to: &DataType, loss: Option<Loss>) -> Result<Value, Unfit> {
    use DataType as T;
    if from == to || matches!(value, Value::Null) {
        return Ok(value);
    }
    match (value, from, to) {
        (Value::List(items), T::List(from), T::List(to)) => {
            items.into_iter().map(|item| convert(item, from, to, loss)).collect::<Result<_, _>>().map(Value::List)
        }
        (Value::Struct(values), T::Struct(from), T::Struct(to)) => values
            .into_iter()
            .zip(from.iter().zip(to))
            .map(|(value, (from, to))| convert(value, &from.1, &to.1, loss))
            .collect::<Result<_, _>>()
            .map(Value::Struct),
        (Value::Map(entries), T::Map(from_key, from_value), T::Map(to_key, to_value)) => entries
            .into_iter()
            .map(|(key, value)| {
                Ok((convert(key, from_key, to_key, loss)?, convert(value, from_value, to_value, loss)?))
            })
            .collect::<Result<_, _>>()
            .map(Value::Map),
        (value, from, T::String) => to_text(&value, from).map(Value::String),
        (Value::String(text), _, to) => from_text(&text, to, loss),
        (Value::Boolean(value), _, _) => Ok(Value::Int(i128::from(value))),
        (Value::Int(value), _, T::Boolean) => match value {
            0 => Ok(Value::Boolean(false)),
            1 => Ok(Value::Boolean(true)),
            _ => Err(Unfit::RANGE),
        },
        (Value::Int(value), _, to) => number(value, 0, to, loss),
        (Value::Decimal(unscaled, scale), _, to) => number(unscaled, scale, to, loss),
        (Value::Float32(value), _, T::Float64) => Ok(Value::Float64(f64::from(value))),
        (Value::Float32(value), _, to) => float(f64::from(value), to, loss),
        (Value::Float64(value), _, to) => float(value, to, loss),
        (Value::Time(value), T::Time(from), T::Time(to)) => {
            let value = change_unit(value, *from, *to, loss)?;
            if value < to.per_second() * 86_400 { Ok(Value::Time(value)) } else { Err(Unfit::RANGE) }
        }
        (Value::Date(days), _, T::Timestamp { unit, zone }) => {
            let seconds = i64::from(days) * 86_400;
            let seconds = match zone_of(zone.as_deref())? {
                Some(zone) if loss_forbids(loss) && !zone.is_unique(seconds) => return Err(Unfit::LOSS),
                Some(zone) => zone.to_instant(seconds, 1).ok_or(Unfit::RANGE)?,
                None => seconds,
            };
            seconds.checked_mul(unit.per_second()).map(Value::Timestamp).ok_or(Unfit::RANGE)
        }
        (Value::Timestamp(value), T::Timestamp { unit, zone }, to) => instant(value, *unit, zone.as_deref(), to, loss),
        _ => Err(Unfit("the types do not convert")),
    }
}

fn loss_forbids(loss: Option<Loss>) -> bool {
    matches!(loss, None | Some(Loss::Fail))
}

fn zone_of(name: Option<&str>) -> Result<Option<Zone>, Unfit> {
    name.map(|name| Zone::find(name).ok_or(Unfit("the zone is not known"))).transpose()
}

fn change_unit(value: i64, from: TimeUnit, to: TimeUnit, loss: Option<Loss>) -> Result<i64, Unfit> {
    if to >= from {
        return value.checked_mul(to.per_second() / from.per_second()).ok_or(Unfit::RANGE);
    }
    let by = i128::from(from.per_second() / to.per_second());
    coarsen(i128::from(value), by, loss).map(|value| value as i64)
}

fn instant(value: i64, unit: TimeUnit, zone: Option<&str>, to: &DataType, loss: Option<Loss>) -> Result<Value, Unfit> {
    let zone = zone_of(zone)?;
    let per_second = unit.per_second();
    match to {
        DataType::Date => {
            let wall = zone.map_or(Some(value), |zone| zone.to_wall(value, per_second)).ok_or(Unfit::RANGE)?;
            let days = coarsen(i128::from(wall), i128::from(per_second) * 86_400, loss)?;
            i32::try_from(days).map(Value::Date).map_err(|_| Unfit::RANGE)
        }
        DataType::Timestamp { unit: to_unit, zone: to_zone } => {
            let value = match (zone, zone_of(to_zone.as_deref())?) {
                (None, Some(to)) => {
                    if loss_forbids(loss) && !to.is_unique(value.div_euclid(per_second)) {
                        return Err(Unfit::LOSS);
                    }
                    to.to_instant(value, per_second).ok_or(Unfit::RANGE)?
                }
                (Some(from), None) => {
                    let wall = from.to_wall(value, per_second).ok_or(Unfit::RANGE)?;
                    if loss_forbids(loss) && !from.is_unique(wall.div_euclid(per_second)) {
                        return Err(Unfit::LOSS);
                    }
                    wall
                }
                _ => value,
            };
            change_unit(value, unit, *to_unit, loss).map(Value::Timestamp)
        }
        _ => Err(Unfit("the types do not convert")),
    }
}

/// An exact number: `unscaled` times 10^-`scale`.
fn number(unscaled: i128, scale: u8, to: &DataType, loss: Option<Loss>) -> Result<Value, Unfit> {
    match to {
        DataType::Decimal { precision, scale: to_scale } => {
            let value = rescale(unscaled, scale, *to_scale, loss)?;
            if fits_precision(value, *precision) { Ok(Value::Decimal(value, *to_scale)) } else { Err(Unfit::RANGE) }
        }
        DataType::Float64 => {
            let value = decimal_to_float(unscaled, scale);
            let back = || scaled_float(value, 38, scale, Some(Loss::Round)) == Ok(unscaled);
            if loss_forbids(loss) && !back() { Err(Unfit::LOSS) } else { Ok(Value::Float64(value)) }
        }
        DataType::Float32 => {
            // Straight from the digits: by way of a float64 it would be rounded twice.
            let value: f32 = text::decimal(unscaled, scale).parse().unwrap_or(f32::NAN);
            let back = || scaled_float(f64::from(value), 38, scale, Some(Loss::Round)) == Ok(unscaled);
            if loss_forbids(loss) && !back() { Err(Unfit::LOSS) } else { Ok(Value::Float32(value)) }
        }
        to => {
            let (low, high) = to.integer_range().ok_or(Unfit("the types do not convert"))?;
            let value = rescale(unscaled, scale, 0, loss)?;
            if (low..=high).contains(&value) { Ok(Value::Int(value)) } else { Err(Unfit::RANGE) }
        }
    }
}

fn float(value: f64, to: &DataType, loss: Option<Loss>) -> Result<Value, Unfit> {
    match to {
        DataType::Float32 => {
            let single = value as f32;
            if single.is_infinite() && value.is_finite() {
                return Err(Unfit::RANGE);
            }
            if loss_forbids(loss) && !value.is_nan() && f64::from(single) != value {
                return Err(Unfit::LOSS);
            }
            Ok(Value::Float32(single))
        }
        DataType::Decimal { precision, scale } => {
            scaled_float(value, *precision, *scale, loss).map(|unscaled| Value::Decimal(unscaled, *scale))
        }
        to => {
            let (low, high) = to.integer_range().ok_or(Unfit("the types do not convert"))?;
            let unscaled = scaled_float(value, 38, 0, loss)?;
            if (low..=high).contains(&unscaled) { Ok(Value::Int(unscaled)) } else { Err(Unfit::RANGE) }
        }
    }
}

fn to_text(value: &Value, from: &DataType) -> Result<String, Unfit> {
    const YEARS: Unfit = Unfit("years have text only from 0001 to 9999");
    Ok(match (value, from) {
        (Value::Boolean(value), _) => value.to_string(),
        (Value::Int(value), _) => value.to_string(),
        (Value::Decimal(unscaled, scale), _) => text::decimal(*unscaled, *scale),
        (Value::Float32(value), _) => text::float32(*value),
        (Value::Float64(value), _) => text::float64(*value),
        (Value::Date(days), _) => text::date(i64::from(*days)).ok_or(YEARS)?,
        (Value::Time(value), DataType::Time(unit)) => text::time(*value, *unit),
        (Value::Timestamp(value), DataType::Timestamp { unit, zone }) => {
            let mut text = text::timestamp(*value, *unit).ok_or(YEARS)?;
            if zone.is_some() {
                text.push('Z');
            }
            text
        }
        (Value::Binary(bytes), _) => String::from_utf8(bytes.clone()).map_err(|_| Unfit("the bytes are not UTF-8"))?,
        (Value::String(text), _) => text.clone(),
        _ => return Err(Unfit("the types do not convert")),
    })
}

fn from_text(text: &str, to: &DataType, loss: Option<Loss>) -> Result<Value, Unfit> {
    Ok(match to {
        DataType::Boolean => Value::Boolean(text::parse_boolean(text)?),
        DataType::Binary => Value::Binary(text.as_bytes().to_vec()),
        DataType::Float32 => Value::Float32(text::parse_float32(text)?),
        DataType::Float64 => Value::Float64(text::parse_float64(text)?),
        DataType::Decimal { precision, scale } => {
            Value::Decimal(text::parse_decimal(text, *precision, *scale, loss)?, *scale)
        }
        DataType::Date => Value::Date(text::parse_date(text)? as i32),
        DataType::Time(unit) => Value::Time(text::parse_time(text, *unit, loss)?),
        DataType::Timestamp { unit, zone } => {
            Value::Timestamp(text::parse_timestamp(text, *unit, zone.as_deref(), loss)?)
        }
        to => {
            let (low, high) = to.integer_range().ok_or(Unfit("the types do not convert"))?;
            let value = text::parse_integer(text)?;
            if !(low..=high).contains(&value) {
                return Err(Unfit::RANGE);
            }
            Value::Int(value)
        }
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[track_caller]
    fn check(value: Value, from: &str, to: &str, loss: Option<Loss>, expected: Result<Value, Unfit>) {
        assert_eq!(convert(value, &from.parse().unwrap(), &to.parse().unwrap(), loss), expected, "{from} to {to}");
    }

    #[test]
    fn halves_go_away_from_zero_and_instants_are_cut_towards_the_past() {
        let (round, cut) = (Some(Loss::Round), Some(Loss::Truncate));
        check(Value::Decimal(-25, 1), "decimal(3,1)", "int8", round, Ok(Value::Int(-3)));
        check(Value::Decimal(-25, 1), "decimal(3,1)", "int8", cut, Ok(Value::Int(-2)));
        check(Value::Decimal(-25, 1), "decimal(3,1)", "int8", None, Err(Unfit::LOSS));
        check(Value::Timestamp(-1), "timestamp(us)", "timestamp(s)", cut, Ok(Value::Timestamp(-1)));
        check(Value::Timestamp(-1), "timestamp(us)", "date", cut, Ok(Value::Date(-1)));
        check(Value::Timestamp(-500), "timestamp(ms)", "timestamp(s)", round, Ok(Value::Timestamp(-1)));
        check(Value::Float64(2.5), "float64", "int8", round, Ok(Value::Int(3)));
    }

    #[test]
    fn the_ends_of_ranges() {
        let round = Some(Loss::Round);
        check(Value::Float64(9.3e18), "float64", "int64", round, Err(Unfit::RANGE));
        check(Value::Float64(-9_223_372_036_854_775_808.0), "float64", "int64", round, Ok(Value::Int(i64::MIN.into())));
        check(Value::Float64(f64::NAN), "float64", "int64", round, Err(Unfit::RANGE));
        check(Value::Float64(f64::INFINITY), "float64", "float32", round, Ok(Value::Float32(f32::INFINITY)));
        check(Value::Float64(1e39), "float64", "float32", round, Err(Unfit::RANGE));
        check(Value::Int(256), "int32", "uint8", None, Err(Unfit::RANGE));
        check(Value::Decimal(9_999, 2), "decimal(4,2)", "decimal(3,1)", round, Err(Unfit::RANGE));
        check(Value::Timestamp(i64::MAX), "timestamp(us)", "timestamp(ns)", None, Err(Unfit::RANGE));
    }

    #[test]
    fn fail_lets_through_what_comes_back() {
        check(Value::Float64(0.1), "float64", "decimal(5,2)", None, Ok(Value::Decimal(10, 2)));
        check(Value::Float64(0.125), "float64", "decimal(5,2)", None, Err(Unfit::LOSS));
        check(Value::Int((1 << 53) + 1), "int64", "float64", Some(Loss::Fail), Err(Unfit::LOSS));
        check(Value::Int(1 << 60), "int64", "float64", Some(Loss::Fail), Ok(Value::Float64((1_i64 << 60) as f64)));
    }
}
