//! Methods of dicts.

use super::super::value::{Arguments, Dict, Value};
use super::{Result, missing};
use crate::jinja::evaluate::Evaluator;

pub(super) const NAMES: &[&str] =
    &["get", "items", "keys", "values", "update", "pop", "popitem", "setdefault", "copy", "clear"];

pub(super) fn call(evaluator: &mut Evaluator<'_>, dict: &Dict, name: &str, mut arguments: Arguments) -> Result {
    match name {
        "items" => {
            Ok(Value::list(dict.entries().into_iter().map(|(key, value)| Value::tuple(vec![key, value])).collect()))
        }
        "keys" => Ok(Value::list(dict.keys())),
        "values" => Ok(Value::list(dict.values())),
        "copy" => Ok(Value::Dict(dict.entries().into_iter().collect())),
        "clear" => {
            dict.clear();
            Ok(Value::None)
        }
        "update" => update(evaluator, dict, arguments),
        "popitem" => match dict.pop_last() {
            Some((key, value)) => Ok(Value::tuple(vec![key, value])),
            None => missing("there is nothing to take out of the dict", &arguments),
        },
        _ => {
            let key = arguments.take("key").unwrap_or(Value::None);
            if matches!(key, Value::Open(_)) && name == "get" {
                let arguments = Arguments::of([key], arguments.at);
                return Ok(super::open(evaluator, &Value::Dict(dict.clone()), name, &arguments));
            }
            let default = arguments.take("default");
            keyed(dict, name, key, default, &arguments)
        }
    }
}

fn keyed(dict: &Dict, name: &str, key: Value, default: Option<Value>, arguments: &Arguments) -> Result {
    match name {
        "get" => Ok(dict.get(&key).or(default).unwrap_or(Value::None)),
        "setdefault" => Ok(dict.get(&key).unwrap_or_else(|| {
            let value = default.unwrap_or(Value::None);
            dict.insert(key, value.clone());
            value
        })),
        _ => match dict.remove(&key).or(default) {
            Some(value) => Ok(value),
            None => missing("the key is not in the dict", arguments),
        },
    }
}

fn update(evaluator: &mut Evaluator<'_>, dict: &Dict, mut arguments: Arguments) -> Result {
    let at = arguments.at;
    match arguments.positional.pop_front() {
        Some(Value::Dict(other) | Value::Namespace(other)) => {
            for (key, value) in other.entries() {
                dict.insert(key, value);
            }
        }
        None | Some(Value::Open(_) | Value::None | Value::Undefined(_)) => {}
        Some(pairs) => {
            for pair in evaluator.items(&pairs, at)? {
                let pair = evaluator.items(&pair, at)?;
                if let [key, value] = pair.as_slice() {
                    dict.insert(key.clone(), value.clone());
                }
            }
        }
    }
    for (name, value) in arguments.named {
        dict.insert_text(&name, value);
    }
    evaluator.spend(dict.len() / 8, at)?;
    Ok(Value::None)
}
