//! Equality, order and membership, as Python has them.

use super::Value;
use std::cmp::Ordering;

/// How deep values are compared before they count as different.
const DEPTH: usize = 64;

/// Whether two values are equal; `None` if that cannot be known.
pub fn equal(one: &Value, two: &Value) -> Option<bool> {
    equal_to(one, two, DEPTH)
}

fn equal_to(one: &Value, two: &Value, depth: usize) -> Option<bool> {
    let Some(depth) = depth.checked_sub(1) else { return Some(false) };
    if let (Some(left), Some(right)) = (number(one), number(two)) {
        return Some(left == right);
    }
    if one.open_words().is_some() || two.open_words().is_some() {
        return open_equal(one, two);
    }
    Some(match (one, two) {
        (Value::None, Value::None) | (Value::Undefined(_), Value::Undefined(_)) => true,
        (Value::Text(left), Value::Text(right)) => left.text() == right.text(),
        (Value::List(left), Value::List(right)) => {
            return left_right(&left.items(), &right.items(), depth);
        }
        (Value::Tuple(left), Value::Tuple(right)) => {
            return left_right(&left.items(), &right.items(), depth);
        }
        (Value::Dict(left), Value::Dict(right)) => {
            if left.len() != right.len() {
                return Some(false);
            }
            return all(left
                .entries()
                .iter()
                .map(|(key, value)| right.get(key).map_or(Some(false), |other| equal_to(value, &other, depth))));
        }
        (Value::Range(..), Value::Range(..)) => {
            return left_right(&one.items().unwrap_or_default(), &two.items().unwrap_or_default(), depth);
        }
        (Value::Object(left), Value::Object(right)) => {
            std::rc::Rc::ptr_eq(left, right) || left.is_text() && left.print().text() == right.print().text()
        }
        (Value::Macro(left), Value::Macro(right)) => std::rc::Rc::ptr_eq(left, right),
        (Value::Namespace(left), Value::Namespace(right)) => left.is_same(right),
        _ => false,
    })
}

/// What is open equals nothing that is no text, number or the like, and itself.
fn open_equal(one: &Value, two: &Value) -> Option<bool> {
    match (one, two) {
        (Value::Open(left), Value::Open(right)) if left == right => Some(true),
        (Value::Text(left), Value::Text(right)) if left.text() == right.text() => Some(true),
        _ => None,
    }
}

fn left_right(left: &[Value], right: &[Value], depth: usize) -> Option<bool> {
    if left.len() != right.len() {
        return Some(false);
    }
    all(left.iter().zip(right).map(|(left, right)| equal_to(left, right, depth)))
}

/// Whether all hold: one that does not decides, one that is not known leaves it open.
fn all(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut result = Some(true);
    for part in parts {
        match part {
            Some(true) => {}
            Some(false) => return Some(false),
            None => result = None,
        }
    }
    result
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(value) => Some(f64::from(u8::from(*value))),
        Value::Int(number, _) => Some(*number as f64),
        Value::Float(number, _) => Some(*number),
        _ => None,
    }
}

/// How two values are ordered; `None` if Python has no order for them.
pub fn order(one: &Value, two: &Value) -> Option<Ordering> {
    order_to(one, two, DEPTH)
}

fn order_to(one: &Value, two: &Value, depth: usize) -> Option<Ordering> {
    let depth = depth.checked_sub(1)?;
    if let (Value::Int(left, _), Value::Int(right, _)) = (one, two) {
        return Some(left.cmp(right));
    }
    if let (Some(left), Some(right)) = (number(one), number(two)) {
        return left.partial_cmp(&right);
    }
    let (left, right) = match (one, two) {
        (Value::Text(left), Value::Text(right)) => return Some(left.text().cmp(right.text())),
        (Value::List(left), Value::List(right)) => (left.items(), right.items()),
        (Value::Tuple(left), Value::Tuple(right)) => (left.items(), right.items()),
        _ => return None,
    };
    for (left, right) in left.iter().zip(&right) {
        if equal_to(left, right, depth) != Some(true) {
            return order_to(left, right, depth);
        }
    }
    Some(left.len().cmp(&right.len()))
}

/// Nothing can be in a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoContainer;

/// Whether a value is in another; `Ok(None)` if it cannot be known.
///
/// # Errors
/// Nothing can be in that.
pub fn contains(container: &Value, item: &Value) -> Result<Option<bool>, NoContainer> {
    if matches!(container, Value::Open(_)) {
        return Ok(None);
    }
    match (container, item) {
        (Value::Text(text), Value::Text(part)) => {
            let open = item.open_words().is_some() || container.open_words().is_some();
            let found = text.text().contains(part.text());
            Ok(if open && !found { None } else { Some(found) })
        }
        (Value::Text(_), Value::Open(_)) => Ok(None),
        (Value::Text(_), Value::Object(part)) if part.is_text() => contains(container, &Value::text(part.print())),
        (Value::Text(_), Value::Undefined(_)) => Ok(Some(false)),
        (Value::Dict(dict), _) if item.open_words().is_none() => Ok(Some(dict.get(item).is_some())),
        (Value::Object(text), _) if text.is_text() => contains(&Value::text(text.print()), item),
        (Value::Text(_), _) => Err(NoContainer),
        _ => {
            let mut result = Some(false);
            for found in container.items().ok_or(NoContainer)? {
                match equal(&found, item) {
                    Some(true) => return Ok(Some(true)),
                    Some(false) => {}
                    None => result = None,
                }
            }
            Ok(result)
        }
    }
}
