//! What Jinja2 gives to every template.

use super::{Evaluator, Stop, Value, fail};
use crate::jinja::error::ErrorKind;
use crate::jinja::value::{Arguments, Dict, Function, Object};
use crate::trace::Span;
use std::cell::Cell;

/// A global of Jinja2.
pub(super) fn global(name: &str) -> Option<Value> {
    Some(match name {
        "range" => Function::value("range", range),
        "dict" => Function::value("dict", |evaluator, arguments| dict(evaluator, arguments).map(Value::Dict)),
        "namespace" => {
            Function::value("namespace", |evaluator, arguments| dict(evaluator, arguments).map(Value::Namespace))
        }
        "cycler" => Function::value("cycler", |_, arguments| {
            Ok(Value::object(Cycler { items: arguments.positional.into(), at: Cell::new(0) }))
        }),
        "joiner" => Function::value("joiner", |_, mut arguments| {
            let separator = arguments.take("sep").unwrap_or_else(|| Value::generated(", "));
            Ok(Value::object(Joiner { separator, used: Cell::new(false) }))
        }),
        "lipsum" => Function::value("lipsum", |evaluator, arguments| Ok(evaluator.open("lipsum()", arguments.at))),
        _ => return None,
    })
}

fn range(evaluator: &mut Evaluator<'_>, arguments: Arguments) -> Result<Value, Stop> {
    let at = arguments.at;
    let mut numbers = Vec::new();
    for value in &arguments.positional {
        match value {
            Value::Int(number, _) => numbers.push(*number),
            Value::Bool(value) => numbers.push(i64::from(*value)),
            Value::Open(_) => {
                let what = super::call::call_words("range", &arguments);
                return Ok(evaluator.open(&what, at));
            }
            other => {
                return fail(ErrorKind::Type, format!("`range` takes whole numbers, not `{}`", other.type_name()), at);
            }
        }
    }
    match numbers.as_slice() {
        [stop] => Ok(Value::Range(0, *stop, 1)),
        [start, stop] => Ok(Value::Range(*start, *stop, 1)),
        [_, _, 0] => fail(ErrorKind::Type, "the step of `range` cannot be zero", at),
        [start, stop, step] => Ok(Value::Range(*start, *stop, *step)),
        _ => fail(ErrorKind::Type, "`range` takes one to three numbers", at),
    }
}

fn dict(evaluator: &mut Evaluator<'_>, mut arguments: Arguments) -> Result<Dict, Stop> {
    let at = arguments.at;
    let dict = Dict::new();
    match arguments.positional.pop_front() {
        Some(Value::Dict(other) | Value::Namespace(other)) => {
            for (key, value) in other.entries() {
                dict.insert(key, value);
            }
        }
        None | Some(Value::Open(_)) => {}
        Some(pairs) => {
            for pair in evaluator.items(&pairs, at)? {
                let [key, value] = evaluator
                    .items(&pair, at)?
                    .try_into()
                    .map_err(|_| crate::jinja::Error::at(ErrorKind::Type, "`dict` takes pairs of key and value", at))?;
                dict.insert(key, value);
            }
        }
    }
    for (name, value) in arguments.named {
        dict.insert_text(&name, value);
    }
    Ok(dict)
}

#[derive(Debug)]
struct Cycler {
    items: Vec<Value>,
    at: Cell<usize>,
}

impl Object for Cycler {
    fn type_name(&self) -> &'static str {
        "cycler"
    }

    fn attribute(&self, _: &mut Evaluator<'_>, name: &str, _: Span) -> Option<Value> {
        let current = || self.items.get(self.at.get() % self.items.len().max(1)).cloned();
        match name {
            "current" => current(),
            "next" => {
                let value = current()?;
                self.at.set(self.at.get().wrapping_add(1));
                Some(Function::value("next", move |_, _| Ok(value.clone())))
            }
            "reset" => {
                self.at.set(0);
                Some(Function::value("reset", |_, _| Ok(Value::None)))
            }
            _ => None,
        }
    }
}

#[derive(Debug)]
struct Joiner {
    separator: Value,
    used: Cell<bool>,
}

impl Object for Joiner {
    fn type_name(&self) -> &'static str {
        "joiner"
    }

    fn call(&self, _: &mut Evaluator<'_>, _: Arguments) -> Option<Result<Value, Stop>> {
        let first = !self.used.replace(true);
        Some(Ok(if first { Value::generated("") } else { self.separator.clone() }))
    }
}
