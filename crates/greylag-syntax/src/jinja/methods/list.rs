//! Methods of lists. A set is a list whose items differ, so lists have the methods of sets.

use super::super::value::{Arguments, List, Value, equal, order};
use super::{Result, missing};
use crate::jinja::evaluate::Evaluator;
use std::cmp::Ordering;

pub(super) const NAMES: &[&str] = &[
    "append",
    "extend",
    "insert",
    "pop",
    "remove",
    "index",
    "count",
    "reverse",
    "sort",
    "copy",
    "clear",
    "add",
    "update",
    "discard",
    "union",
    "difference",
    "intersection",
    "issubset",
    "issuperset",
    "isdisjoint",
];

pub(super) fn call(evaluator: &mut Evaluator<'_>, list: &List, name: &str, mut arguments: Arguments) -> Result {
    let at = arguments.at;
    let number = |value: Option<Value>| if let Some(Value::Int(number, _)) = value { Some(number) } else { None };
    match name {
        "append" => list.push(arguments.take("item").unwrap_or(Value::None)),
        "add" => {
            let item = arguments.take("item").unwrap_or(Value::None);
            add(list, item);
        }
        "extend" | "update" => {
            let other = arguments.take("items").unwrap_or(Value::None);
            let items = if let Value::Open(_) = other { vec![other] } else { evaluator.items(&other, at)? };
            for item in items {
                if name == "update" { add(list, item) } else { list.push(item) }
            }
        }
        "insert" => {
            let index = position(number(arguments.take("index")).unwrap_or(0), list.len());
            let item = arguments.take("item").unwrap_or(Value::None);
            list.change(|items| items.insert(index, item));
        }
        "pop" => {
            let index = number(arguments.take("index")).unwrap_or(-1);
            let length = list.len();
            let index = usize::try_from(if index < 0 { index + length as i64 } else { index }).ok();
            return match index.filter(|index| *index < length) {
                Some(index) => Ok(list.change(|items| items.remove(index))),
                None => missing("there is nothing to take out of the list at this index", &arguments),
            };
        }
        "remove" | "discard" | "index" => {
            let item = arguments.take("item").unwrap_or(Value::None);
            let found = list.items().iter().position(|found| equal(found, &item) == Some(true));
            match (found, name) {
                (Some(found), "index") => return Ok(Value::size(found)),
                (Some(found), _) => drop(list.change(|items| items.remove(found))),
                (None, "discard") => {}
                (None, _) => return missing("the value is not in the list", &arguments),
            }
        }
        "count" => {
            let item = arguments.take("item").unwrap_or(Value::None);
            return Ok(Value::size(list.items().iter().filter(|found| equal(found, &item) == Some(true)).count()));
        }
        "reverse" => list.change(|items| items.reverse()),
        "sort" => {
            let reverse = arguments.take_named("reverse").and_then(|value| value.truth()) == Some(true);
            list.change(|items| {
                items.sort_by(|one, two| {
                    let order = order(one, two).unwrap_or(Ordering::Equal);
                    if reverse { order.reverse() } else { order }
                });
            });
        }
        "copy" => return Ok(Value::list(list.items())),
        "clear" => drop(list.change(std::mem::take)),
        _ => return set(evaluator, list, name, arguments),
    }
    evaluator.list(Vec::new(), at)?;
    if list.len() > evaluator.limits().items {
        let message = format!("a list has more than {} items", evaluator.limits().items);
        return crate::jinja::evaluate::fail(crate::jinja::ErrorKind::Limit, message, at);
    }
    Ok(Value::None)
}

fn add(list: &List, item: Value) {
    if !is_in(&list.items(), &item) {
        list.push(item);
    }
}

fn is_in(items: &[Value], item: &Value) -> bool {
    items.iter().any(|found| equal(found, item) == Some(true))
}

/// An index of Python, as one to insert at.
fn position(index: i64, length: usize) -> usize {
    let index = if index < 0 { (index + length as i64).max(0) } else { index };
    (index as usize).min(length)
}

/// Methods that compare two sets.
fn set(evaluator: &mut Evaluator<'_>, list: &List, name: &str, mut arguments: Arguments) -> Result {
    let at = arguments.at;
    let mine = list.items();
    let other = arguments.take("other").unwrap_or_else(|| Value::list(Vec::new()));
    if let Value::Open(_) = other {
        return Ok(super::open(evaluator, &Value::List(list.clone()), name, &Arguments::of([other], at)));
    }
    let theirs = evaluator.items(&other, at)?;
    evaluator.spend(mine.len().saturating_mul(theirs.len()) / 8, at)?;
    let kept = |wanted: bool| mine.iter().filter(|item| is_in(&theirs, item) == wanted).cloned().collect::<Vec<_>>();
    match name {
        "union" => {
            let all = List::new(mine);
            for item in theirs {
                add(&all, item);
            }
            Ok(Value::List(all))
        }
        "difference" => Ok(Value::list(kept(false))),
        "intersection" => Ok(Value::list(kept(true))),
        "issubset" => Ok(Value::Bool(kept(false).is_empty())),
        "isdisjoint" => Ok(Value::Bool(kept(true).is_empty())),
        _ => Ok(Value::Bool(theirs.iter().all(|item| is_in(&mine, item)))),
    }
}
