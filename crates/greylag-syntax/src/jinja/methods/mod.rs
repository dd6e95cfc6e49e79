//! Methods of Python's texts, lists, dicts and tuples.

mod dict;
mod list;
mod text;

use super::error::ErrorKind;
use super::evaluate::{Evaluator, Stop, call_words, fail};
use super::value::{Arguments, Object, Value};

type Result = std::result::Result<Value, Stop>;

/// Whether a value has a method of a name.
pub(super) fn has(value: &Value, name: &str) -> bool {
    match value {
        Value::Text(_) => text::NAMES.contains(&name),
        Value::List(_) => list::NAMES.contains(&name),
        Value::Tuple(_) => matches!(name, "count" | "index"),
        Value::Dict(_) => dict::NAMES.contains(&name),
        _ => false,
    }
}

/// Calls a method that a value has.
pub(super) fn call(evaluator: &mut Evaluator<'_>, value: &Value, name: &str, arguments: Arguments) -> Result {
    evaluator.spend(1 + value.length().unwrap_or(0) / 16, arguments.at)?;
    match value {
        Value::Text(receiver) => text::call(evaluator, receiver, name, arguments),
        Value::List(receiver) => list::call(evaluator, receiver, name, arguments),
        Value::Tuple(receiver) => {
            let list = super::value::List::new(receiver.items());
            list::call(evaluator, &list, name, arguments)
        }
        Value::Dict(receiver) => dict::call(evaluator, receiver, name, arguments),
        other => fail(ErrorKind::Type, format!("`{}` has no methods", other.type_name()), arguments.at),
    }
}

/// A method with its value, to be called later.
pub(super) fn bound(value: &Value, name: &str) -> Value {
    Value::object(Bound { value: value.clone(), name: name.to_owned() })
}

#[derive(Debug)]
struct Bound {
    value: Value,
    name: String,
}

impl Object for Bound {
    fn type_name(&self) -> &'static str {
        "method"
    }

    fn call(&self, evaluator: &mut Evaluator<'_>, arguments: Arguments) -> Option<Result> {
        Some(call(evaluator, &self.value, &self.name, arguments))
    }
}

/// What a method gives whose arguments cannot be known.
fn open(evaluator: &mut Evaluator<'_>, value: &Value, name: &str, arguments: &Arguments) -> Value {
    let words = value.open_words().unwrap_or_else(|| super::value::repr(value).text().into());
    let what = call_words(&format!("{words}.{name}"), arguments);
    evaluator.open(&what, arguments.at)
}

fn missing<T>(what: &str, arguments: &Arguments) -> std::result::Result<T, Stop> {
    fail(ErrorKind::Type, what, arguments.at)
}
