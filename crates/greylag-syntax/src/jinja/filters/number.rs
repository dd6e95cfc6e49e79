//! Filters of numbers.

use super::super::value::{Arguments, Value, parse_float, parse_int, python_round};
use super::{Result, fail, whole};
use crate::jinja::evaluate::Evaluator;

pub(super) fn call(_: &mut Evaluator<'_>, name: &str, value: Value, mut arguments: Arguments) -> Result {
    match name {
        "abs" => match value {
            Value::Int(number, _) => Ok(Value::int(number.saturating_abs())),
            Value::Float(number, _) => Ok(Value::float(number.abs())),
            Value::Bool(value) => Ok(Value::int(i64::from(value))),
            other => fail(format!("`abs` takes a number, not `{}`", other.type_name()), &arguments),
        },
        "round" => round(&value, arguments),
        "int" => {
            let default = arguments.take("default").unwrap_or_else(|| Value::int(0));
            let base = whole(arguments.take("base"), 10);
            Ok(int(&value, u32::try_from(base).unwrap_or(10)).map_or(default, Value::int))
        }
        _ => {
            let default = arguments.take("default").unwrap_or_else(|| Value::float(0.0));
            let found = match &value {
                Value::Int(number, _) => Some(*number as f64),
                Value::Float(number, _) => Some(*number),
                Value::Bool(value) => Some(f64::from(u8::from(*value))),
                Value::Text(text) => parse_float(text.text()),
                _ => None,
            };
            Ok(found.map_or(default, Value::float))
        }
    }
}

fn int(value: &Value, base: u32) -> Option<i64> {
    match value {
        Value::Int(number, _) => Some(*number),
        Value::Bool(value) => Some(i64::from(*value)),
        Value::Float(number, _) if number.is_finite() => Some(number.trunc() as i64),
        Value::Text(text) => {
            let digits = match (base, text.text().get(..2)) {
                (16, Some("0x" | "0X")) | (8, Some("0o" | "0O")) | (2, Some("0b" | "0B")) => &text.text()[2..],
                _ => text.text(),
            };
            parse_int(digits, base).or_else(|| {
                parse_float(text.text()).filter(|found| found.is_finite()).map(|found| found.trunc() as i64)
            })
        }
        _ => None,
    }
}

fn round(value: &Value, mut arguments: Arguments) -> Result {
    let precision = whole(arguments.take("precision"), 0).clamp(-300, 300);
    let method = arguments.take("method");
    let number = match value {
        Value::Int(number, _) => *number as f64,
        Value::Float(number, _) => *number,
        Value::Bool(value) => f64::from(u8::from(*value)),
        other => return fail(format!("`round` takes a number, not `{}`", other.type_name()), &arguments),
    };
    let scale = 10f64.powi(precision as i32);
    let rounded = match method.as_ref().and_then(Value::as_text) {
        Some("ceil") => (number * scale).ceil() / scale,
        Some("floor") => (number * scale).floor() / scale,
        Some("common") | None if matches!(value, Value::Int(..) | Value::Bool(_)) => {
            return Ok(Value::int(python_round(number, precision.min(0)) as i64));
        }
        Some("common") | None => python_round(number, precision),
        Some(other) => return fail(format!("`round` knows no method `{other}`"), &arguments),
    };
    Ok(Value::float(rounded))
}
