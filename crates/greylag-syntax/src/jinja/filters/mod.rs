//! Filters: Jinja2's, and those that dbt adds. One file for each group.

mod convert;
mod format;
mod json;
mod number;
mod order;
mod select;
mod sequence;
mod text;

pub(super) use format::{brace_format, percent_format};
pub use json::json;
pub(super) use text::{capitalized, replaced};

use super::error::ErrorKind;
use super::evaluate::{Evaluator, Stop};
use super::value::{Arguments, Value, show};
use crate::trace::Traced;
use std::sync::Arc;

type Result = std::result::Result<Value, Stop>;

const NAMES: &[&str] = &[
    "abs",
    "as_bool",
    "as_native",
    "as_number",
    "as_text",
    "attr",
    "batch",
    "capitalize",
    "center",
    "count",
    "d",
    "default",
    "dictsort",
    "e",
    "escape",
    "first",
    "float",
    "forceescape",
    "format",
    "groupby",
    "indent",
    "int",
    "is_list",
    "items",
    "join",
    "last",
    "length",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "pprint",
    "random",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "slice",
    "sort",
    "string",
    "striptags",
    "sum",
    "title",
    "tojson",
    "trim",
    "truncate",
    "unique",
    "upper",
    "urlencode",
    "wordcount",
    "wordwrap",
];

/// Whether there is a filter of a name.
pub(super) fn has(name: &str) -> bool {
    NAMES.contains(&name)
}

/// A value through a filter.
pub(super) fn call(evaluator: &mut Evaluator<'_>, name: &str, value: Value, arguments: Arguments) -> Result {
    if let Some(what) = open_words(name, &value, &arguments) {
        return Ok(evaluator.open(&what, arguments.at));
    }
    match name {
        "upper" | "lower" | "title" | "capitalize" | "trim" | "replace" | "indent" | "center" | "truncate"
        | "wordwrap" | "escape" | "e" | "forceescape" | "striptags" | "urlencode" | "format" | "string" | "safe"
        | "wordcount" => text::call(evaluator, name, &value, arguments),
        "first" | "last" | "length" | "count" | "list" | "reverse" | "batch" | "slice" | "join" | "items"
        | "random" | "sum" => sequence::call(evaluator, name, &value, arguments),
        "sort" | "unique" | "min" | "max" | "dictsort" | "groupby" => order::call(evaluator, name, &value, arguments),
        "map" | "select" | "reject" | "selectattr" | "rejectattr" => select::call(evaluator, name, &value, arguments),
        "abs" | "round" | "int" | "float" => number::call(evaluator, name, value, arguments),
        _ => convert::call(evaluator, name, value, arguments),
    }
}

/// What the result is called if it cannot be known.
fn open_words(name: &str, value: &Value, arguments: &Arguments) -> Option<String> {
    let is_open = |value: &Value| matches!(value, Value::Open(_));
    let words = || {
        let value = value.open_words().unwrap_or_else(|| Arc::from(super::value::repr(value).text()));
        super::evaluate::call_words(&format!("{value} | {name}"), arguments)
    };
    if is_open(value) {
        return Some(words());
    }
    let keeps = ["default", "d", "join", "replace", "map", "select", "selectattr", "reject", "rejectattr", "format"];
    if !keeps.contains(&name) && arguments.values().any(is_open) {
        return Some(words());
    }
    let counts = [
        "length",
        "count",
        "int",
        "float",
        "first",
        "last",
        "list",
        "reverse",
        "wordcount",
        "sort",
        "unique",
        "truncate",
        "wordwrap",
        "center",
        "min",
        "max",
    ];
    (matches!(value, Value::Text(_)) && value.open_words().is_some() && counts.contains(&name)).then(words)
}

/// A value as the text that it prints as.
fn text_of(value: &Value) -> Arc<Traced> {
    match value {
        Value::Text(text) => text.clone(),
        other => Arc::new(show(other)),
    }
}

/// A whole number among the arguments.
fn whole(value: Option<Value>, default: i64) -> i64 {
    match value {
        Some(Value::Int(number, _)) => number,
        Some(Value::Bool(value)) => i64::from(value),
        Some(Value::Float(number, _)) => number as i64,
        _ => default,
    }
}

/// A size among the arguments.
fn size(value: Option<Value>, default: usize) -> usize {
    usize::try_from(whole(value, default as i64)).unwrap_or(0)
}

/// A truth value among the arguments.
fn flag(value: Option<&Value>) -> bool {
    value.and_then(Value::truth) == Some(true)
}

/// An attribute by its path with dots, or an index.
fn at_path(evaluator: &mut Evaluator<'_>, value: &Value, path: &Value, arguments: &Arguments) -> Value {
    let Some(path) = path.as_text() else { return evaluator.item(value, path, arguments.at) };
    let mut value = value.clone();
    for part in path.split('.') {
        let key = part.parse().map_or_else(|_| Value::generated(part), Value::int);
        value = evaluator.item(&value, &key, arguments.at);
    }
    value
}

fn fail<T>(message: impl Into<String>, arguments: &Arguments) -> std::result::Result<T, Stop> {
    super::evaluate::fail(ErrorKind::Type, message, arguments.at)
}
