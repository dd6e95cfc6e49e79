//! Filters that put a filter or a test to each item. Of what is false in itself, `none` too, they give nothing.

use super::super::tests;
use super::super::value::{Arguments, Value};
use super::{Result, at_path, fail};
use crate::jinja::evaluate::{Evaluator, Stop};
use std::collections::VecDeque;

pub(super) fn call(evaluator: &mut Evaluator<'_>, name: &str, value: &Value, arguments: Arguments) -> Result {
    if name == "map" {
        return map(evaluator, value, arguments);
    }
    select(evaluator, value, arguments, name.ends_with("attr"), name.starts_with("select"))
}

fn map(evaluator: &mut Evaluator<'_>, value: &Value, mut arguments: Arguments) -> Result {
    let items = items(evaluator, value, &arguments)?;
    let mut result = Vec::with_capacity(items.len());
    if let Some(path) = arguments.take_named("attribute") {
        let default = arguments.take_named("default");
        for item in items {
            let found = at_path(evaluator, &item, &path, &arguments);
            result.push(match (&found, &default) {
                (Value::Undefined(_), Some(default)) => default.clone(),
                _ => found,
            });
        }
        return evaluator.list(result, arguments.at);
    }
    let Some(Value::Text(filter)) = arguments.positional.pop_front() else {
        return fail("`map` needs the name of a filter, or `attribute=`", &arguments);
    };
    if !evaluator.has_filter(filter.text()) {
        return fail(format!("there is no filter `{}`", filter.text()), &arguments);
    }
    for item in items {
        result.push(evaluator.filter_by_name(filter.text(), item, arguments.clone())?);
    }
    evaluator.list(result, arguments.at)
}

fn items(evaluator: &mut Evaluator<'_>, value: &Value, arguments: &Arguments) -> std::result::Result<Vec<Value>, Stop> {
    match value {
        Value::None | Value::Bool(false) | Value::Int(0, _) => Ok(Vec::new()),
        value => evaluator.items(value, arguments.at),
    }
}

fn select(
    evaluator: &mut Evaluator<'_>,
    value: &Value,
    mut arguments: Arguments,
    by_attribute: bool,
    wanted: bool,
) -> Result {
    let path = if by_attribute { arguments.positional.pop_front() } else { None };
    if by_attribute && path.is_none() {
        return fail("the name of an attribute is missing", &arguments);
    }
    let test = arguments.positional.pop_front();
    let mut kept = VecDeque::new();
    for item in items(evaluator, value, &arguments)? {
        evaluator.spend(1, arguments.at)?;
        let tested = match &path {
            Some(path) => at_path(evaluator, &item, path, &arguments),
            None => item.clone(),
        };
        if holds(evaluator, &tested, test.as_ref(), &arguments)? == wanted {
            kept.push_back(item);
        }
    }
    evaluator.list(kept.into(), arguments.at)
}

fn holds(
    evaluator: &mut Evaluator<'_>,
    value: &Value,
    test: Option<&Value>,
    arguments: &Arguments,
) -> std::result::Result<bool, Stop> {
    let result = match test {
        Some(Value::Text(name)) => tests::call(evaluator, name.text(), value, arguments.clone())?,
        _ => value.clone(),
    };
    Ok(evaluator.truth(&result, arguments.at))
}
