//! Filters that compare items with each other.

use super::super::value::{Arguments, Key, Object, Value, order};
use super::{Result, at_path, fail, flag};
use crate::jinja::evaluate::{Evaluator, Stop};
use crate::trace::Span;
use std::cmp::Ordering;
use std::collections::HashSet;

pub(super) fn call(evaluator: &mut Evaluator<'_>, name: &str, value: &Value, mut arguments: Arguments) -> Result {
    let at = arguments.at;
    match name {
        "sort" => {
            let reverse = flag(arguments.take("reverse").as_ref());
            let items = keyed(evaluator, value, &mut arguments)?;
            let sorted = sorted(items, reverse, &arguments)?;
            evaluator.list(sorted, at)
        }
        "unique" => {
            let items = keyed(evaluator, value, &mut arguments)?;
            let mut seen = HashSet::new();
            let unique = items.into_iter().filter(|(key, _)| Key::of(key).is_none_or(|key| seen.insert(key)));
            let unique = unique.map(|(_, item)| item).collect();
            evaluator.list(unique, at)
        }
        "min" | "max" => {
            let items = keyed(evaluator, value, &mut arguments)?;
            let mut sorted = sorted(items, false, &arguments)?;
            let found = if name == "max" { sorted.pop() } else { sorted.into_iter().next() };
            Ok(found.unwrap_or_else(|| Value::undefined(name)))
        }
        "dictsort" => {
            let sensitive = arguments.take("case_sensitive");
            dictsort(sensitive.as_ref(), value, arguments)
        }
        _ => groupby(evaluator, value, arguments),
    }
}

/// Each item with what it is compared by: an attribute, and without regard to case if not told otherwise.
fn keyed(
    evaluator: &mut Evaluator<'_>,
    value: &Value,
    arguments: &mut Arguments,
) -> std::result::Result<Vec<(Value, Value)>, Stop> {
    let sensitive = flag(arguments.take("case_sensitive").as_ref());
    let attribute = arguments.take("attribute").filter(|value| !matches!(value, Value::None));
    let items = evaluator.items(value, arguments.at)?;
    let mut result = Vec::with_capacity(items.len());
    for item in items {
        let key = match &attribute {
            Some(Value::Text(paths)) if paths.text().contains(',') => {
                let paths = paths.text().split(',').map(|path| Value::generated(path.trim()));
                Value::tuple(paths.map(|path| folded(at_path(evaluator, &item, &path, arguments), sensitive)).collect())
            }
            Some(path) => folded(at_path(evaluator, &item, path, arguments), sensitive),
            None => folded(item.clone(), sensitive),
        };
        result.push((key, item));
    }
    Ok(result)
}

fn folded(key: Value, sensitive: bool) -> Value {
    match &key {
        Value::Text(text) if !sensitive => Value::generated(text.text().to_lowercase()),
        _ => key,
    }
}

fn sorted(
    mut items: Vec<(Value, Value)>,
    reverse: bool,
    arguments: &Arguments,
) -> std::result::Result<Vec<Value>, Stop> {
    let mut mixed = None;
    items.sort_by(|(one, _), (two, _)| {
        let order = order(one, two).unwrap_or_else(|| {
            if one.open_words().is_none() && two.open_words().is_none() {
                mixed.get_or_insert_with(|| format!("`{}` and `{}` have no order", one.type_name(), two.type_name()));
            }
            Ordering::Equal
        });
        if reverse { order.reverse() } else { order }
    });
    match mixed {
        Some(message) => fail(message, arguments),
        None => Ok(items.into_iter().map(|(_, item)| item).collect()),
    }
}

fn dictsort(sensitive: Option<&Value>, value: &Value, mut arguments: Arguments) -> Result {
    let Value::Dict(dict) = value else { return fail("`dictsort` takes a dict", &arguments) };
    let by = arguments.take("by");
    let reverse = flag(arguments.take("reverse").as_ref());
    let by_value = by.as_ref().and_then(Value::as_text) == Some("value");
    let entries = dict.entries().into_iter().map(|(key, value)| {
        let by = folded(if by_value { value.clone() } else { key.clone() }, flag(sensitive));
        (by, Value::tuple(vec![key, value]))
    });
    Ok(Value::list(sorted(entries.collect(), reverse, &arguments)?))
}

/// Items that have an attribute in common.
#[derive(Debug)]
struct Group {
    grouper: Value,
    list: Value,
}

impl Object for Group {
    fn type_name(&self) -> &'static str {
        "group"
    }

    fn attribute(&self, _: &mut Evaluator<'_>, name: &str, _: Span) -> Option<Value> {
        match name {
            "grouper" => Some(self.grouper.clone()),
            "list" => Some(self.list.clone()),
            _ => None,
        }
    }

    fn items(&self) -> Option<Vec<Value>> {
        Some(vec![self.grouper.clone(), self.list.clone()])
    }
}

fn groupby(evaluator: &mut Evaluator<'_>, value: &Value, mut arguments: Arguments) -> Result {
    let Some(attribute) = arguments.take("attribute") else { return fail("`groupby` needs an attribute", &arguments) };
    let default = arguments.take("default");
    let sensitive = flag(arguments.take("case_sensitive").as_ref());
    let mut keyed = Vec::new();
    for item in evaluator.items(value, arguments.at)? {
        let mut key = at_path(evaluator, &item, &attribute, &arguments);
        if let (Value::Undefined(_), Some(default)) = (&key, &default) {
            key = default.clone();
        }
        keyed.push((folded(key.clone(), sensitive), Value::tuple(vec![key, item])));
    }
    let mut groups: Vec<(Value, Value, Vec<Value>)> = Vec::new();
    for pair in sorted(keyed, false, &arguments)? {
        let Value::Tuple(pair) = pair else { continue };
        let (Some(key), Some(item)) = (pair.get(0), pair.get(1)) else { continue };
        let folded = folded(key.clone(), sensitive);
        match groups.last_mut() {
            Some((last, _, items)) if super::super::value::equal(last, &folded) == Some(true) => items.push(item),
            _ => groups.push((folded, key, vec![item])),
        }
    }
    let group = |(_, grouper, items)| Value::object(Group { grouper, list: Value::list(items) });
    Ok(Value::list(groups.into_iter().map(group).collect()))
}
