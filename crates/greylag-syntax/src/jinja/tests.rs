//! Tests: what stands behind `is`.

use super::ast::Comparison;
use super::error::ErrorKind;
use super::evaluate::{Evaluator, Stop, call_words, fail};
use super::value::{Arguments, Value};

/// The result of a test.
pub(super) fn call(
    evaluator: &mut Evaluator<'_>,
    name: &str,
    value: &Value,
    mut arguments: Arguments,
) -> Result<Value, Stop> {
    let at = arguments.at;
    evaluator.spend(1, at)?;
    if let Some(comparison) = comparison(name) {
        let Some(other) = arguments.take("other") else {
            return fail(ErrorKind::Type, format!("the test `{name}` needs something to compare with"), at);
        };
        return evaluator.comparison(comparison, value, &other, at);
    }
    if let Value::Open(open) = value
        && !matches!(name, "defined" | "undefined")
    {
        let what = call_words(&format!("{} is {name}", open.what), &arguments);
        return Ok(evaluator.open(&what, at));
    }
    let text = value.as_text();
    Ok(Value::Bool(match name {
        "defined" => !matches!(value, Value::Undefined(_)),
        "undefined" => matches!(value, Value::Undefined(_)),
        "none" => matches!(value, Value::None),
        "boolean" => matches!(value, Value::Bool(_)),
        "true" => matches!(value, Value::Bool(true)),
        "false" => matches!(value, Value::Bool(false)),
        "integer" => matches!(value, Value::Int(..)),
        "float" => matches!(value, Value::Float(..)),
        "number" => matches!(value, Value::Int(..) | Value::Float(..) | Value::Bool(_)),
        "string" => matches!(value, Value::Text(_)),
        "mapping" => match value {
            Value::Dict(_) => true,
            Value::Object(object) => object.is_mapping(),
            _ => false,
        },
        "iterable" => value.length().is_some() && !matches!(value, Value::Namespace(_)),
        "sequence" => value.length().is_some() && !matches!(value, Value::Namespace(_) | Value::Undefined(_)),
        "callable" => matches!(value, Value::Macro(_) | Value::Undefined(_)) || is_callable(value),
        "lower" => text.is_some_and(|text| text.to_lowercase() == text && text.to_uppercase() != text),
        "upper" => text.is_some_and(|text| text.to_uppercase() == text && text.to_lowercase() != text),
        "escaped" => false,
        "odd" | "even" | "divisibleby" => return divisible(name, value, arguments),
        "sameas" => same(value, &arguments.take("other").unwrap_or(Value::None)),
        "filter" => text.is_some_and(|name| evaluator.has_filter(name)),
        "test" => text.is_some_and(|name| NAMES.contains(&name) || comparison_name(name)),
        _ => return fail(ErrorKind::Name, format!("there is no test `{name}`"), at),
    }))
}

const NAMES: &[&str] = &[
    "defined",
    "undefined",
    "none",
    "boolean",
    "true",
    "false",
    "integer",
    "float",
    "number",
    "string",
    "mapping",
    "iterable",
    "sequence",
    "callable",
    "lower",
    "upper",
    "escaped",
    "odd",
    "even",
    "divisibleby",
    "sameas",
    "filter",
    "test",
];

fn comparison_name(name: &str) -> bool {
    comparison(name).is_some()
}

fn comparison(name: &str) -> Option<Comparison> {
    Some(match name {
        "eq" | "equalto" | "==" => Comparison::Equal,
        "ne" | "!=" => Comparison::NotEqual,
        "lt" | "lessthan" | "<" => Comparison::Less,
        "le" | "<=" => Comparison::LessEqual,
        "gt" | "greaterthan" | ">" => Comparison::Greater,
        "ge" | ">=" => Comparison::GreaterEqual,
        "in" => Comparison::In,
        _ => return None,
    })
}

fn is_callable(value: &Value) -> bool {
    matches!(value, Value::Object(object) if !object.is_text() && object.items().is_none())
}

fn divisible(name: &str, value: &Value, mut arguments: Arguments) -> Result<Value, Stop> {
    let divisor = match (name, arguments.take("num")) {
        ("divisibleby", Some(Value::Int(divisor, _))) => divisor,
        ("divisibleby", _) => 0,
        _ => 2,
    };
    let number = match value {
        Value::Int(number, _) => *number,
        Value::Bool(value) => i64::from(*value),
        other => {
            let message = format!("the test `{name}` takes a whole number, not `{}`", other.type_name());
            return fail(ErrorKind::Type, message, arguments.at);
        }
    };
    match number.checked_rem(divisor) {
        Some(rest) => Ok(Value::Bool((rest == 0) != (name == "odd"))),
        None => fail(ErrorKind::Type, "division by zero", arguments.at),
    }
}

fn same(one: &Value, two: &Value) -> bool {
    match (one, two) {
        (Value::List(one), Value::List(two)) => one.is_same(two),
        (Value::Dict(one), Value::Dict(two)) => one.is_same(two),
        (Value::None, Value::None) => true,
        (Value::Bool(one), Value::Bool(two)) => one == two,
        (Value::Int(one, _), Value::Int(two, _)) => one == two,
        (Value::Text(one), Value::Text(two)) => one.text() == two.text(),
        _ => false,
    }
}
