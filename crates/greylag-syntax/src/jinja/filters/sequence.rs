//! Filters of lists and the like.

use super::super::value::{Arguments, Value, show, text};
use super::{Result, at_path, fail, size, text_of};
use crate::jinja::ast::Operator;
use crate::jinja::evaluate::Evaluator;
use crate::trace::Traced;

pub(super) fn call(evaluator: &mut Evaluator<'_>, name: &str, value: &Value, mut arguments: Arguments) -> Result {
    let at = arguments.at;
    match name {
        "first" => Ok(evaluator.items(value, at)?.into_iter().next().unwrap_or_else(|| Value::undefined("first item"))),
        "last" => Ok(evaluator.items(value, at)?.pop().unwrap_or_else(|| Value::undefined("last item"))),
        "length" | "count" => match value.length() {
            Some(length) => Ok(Value::size(length)),
            None => fail(format!("a value of type `{}` has no length", value.type_name()), &arguments),
        },
        "list" => {
            let items = evaluator.items(value, at)?;
            evaluator.list(items, at)
        }
        "reverse" => reverse(evaluator, value, &arguments),
        "batch" => {
            let count = size(arguments.take("linecount"), 1);
            batch(evaluator, value, count, arguments.take("fill_with"), &arguments)
        }
        "slice" => {
            let count = size(arguments.take("slices"), 1);
            slices(evaluator, value, count, arguments.take("fill_with"), &arguments)
        }
        "join" => join(evaluator, value, arguments),
        "items" => match value {
            Value::Dict(dict) => {
                Ok(Value::list(dict.entries().into_iter().map(|(key, value)| Value::tuple(vec![key, value])).collect()))
            }
            Value::Undefined(_) => Ok(Value::list(Vec::new())),
            other => fail(format!("a value of type `{}` has no items with keys", other.type_name()), &arguments),
        },
        "sum" => sum(evaluator, value, arguments),
        _ => Ok(evaluator.open("a random item", at)),
    }
}

fn reverse(evaluator: &mut Evaluator<'_>, value: &Value, arguments: &Arguments) -> Result {
    let mut items = evaluator.items(value, arguments.at)?;
    items.reverse();
    if let Value::Text(_) = value {
        let mut reversed = Traced::new();
        for item in &items {
            reversed.append(&text_of(item));
        }
        return evaluator.text(reversed, arguments.at);
    }
    Ok(Value::list(items))
}

fn batch(
    evaluator: &mut Evaluator<'_>,
    value: &Value,
    count: usize,
    fill: Option<Value>,
    arguments: &Arguments,
) -> Result {
    if count == 0 || count > evaluator.limits().items {
        return fail("a batch has at least one item, and not more than a list", arguments);
    }
    let items = evaluator.items(value, arguments.at)?;
    let mut batches: Vec<Vec<Value>> = items.chunks(count).map(<[Value]>::to_vec).collect();
    if let (Some(fill), Some(last)) = (fill, batches.last_mut()) {
        last.resize(count, fill);
    }
    Ok(Value::list(batches.into_iter().map(Value::list).collect()))
}

fn slices(
    evaluator: &mut Evaluator<'_>,
    value: &Value,
    count: usize,
    fill: Option<Value>,
    arguments: &Arguments,
) -> Result {
    if count == 0 || count > evaluator.limits().items {
        return fail("there is at least one slice, and not more than a list has items", arguments);
    }
    let items = evaluator.items(value, arguments.at)?;
    let (each, more) = (items.len() / count, items.len() % count);
    let mut rest = items.into_iter();
    let mut result = Vec::new();
    for at in 0..count {
        let mut slice: Vec<Value> = rest.by_ref().take(each + usize::from(at < more)).collect();
        if let Some(fill) = &fill
            && at >= more
        {
            slice.push(fill.clone());
        }
        result.push(Value::list(slice));
    }
    evaluator.list(result, arguments.at)
}

fn join(evaluator: &mut Evaluator<'_>, value: &Value, mut arguments: Arguments) -> Result {
    let separator = text_of(&arguments.take("d").unwrap_or_else(|| Value::generated("")));
    let attribute = arguments.take("attribute");
    let mut parts = Vec::new();
    for item in evaluator.items(value, arguments.at)? {
        let item = match &attribute {
            Some(path) => at_path(evaluator, &item, path, &arguments),
            None => item,
        };
        parts.push(show(&item));
    }
    let bytes: usize = parts.iter().map(|part| part.text().len() + separator.text().len()).sum();
    evaluator.spend(parts.len() + bytes / 64, arguments.at)?;
    evaluator.text(text::joined(&parts, &separator), arguments.at)
}

fn sum(evaluator: &mut Evaluator<'_>, value: &Value, mut arguments: Arguments) -> Result {
    let attribute = arguments.take("attribute").filter(|value| !matches!(value, Value::None));
    let mut total = arguments.take("start").unwrap_or_else(|| Value::int(0));
    for item in evaluator.items(value, arguments.at)? {
        let item = match &attribute {
            Some(path) => at_path(evaluator, &item, path, &arguments),
            None => item,
        };
        total = evaluator.operate(Operator::Add, total, item, arguments.at)?;
    }
    Ok(total)
}
