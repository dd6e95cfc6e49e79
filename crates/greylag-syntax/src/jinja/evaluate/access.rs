//! Attributes, items and slices.

use super::{Evaluator, Scope, Stop, Value, fail, words};
use crate::jinja::ast::{Expr, ExprKind};
use crate::jinja::error::ErrorKind;
use crate::jinja::methods;
use crate::jinja::value::range_len;
use crate::trace::Span;
use std::rc::Rc;

impl Evaluator<'_> {
    /// `a.b`, `a[b]` and `a[b:c]`.
    pub(super) fn part(&mut self, expr: &Expr, scope: &Rc<Scope>) -> Result<Value, Stop> {
        match &expr.kind {
            ExprKind::Attribute(value, name) => {
                let value = self.expr(value, scope)?;
                Ok(self.attribute(&value, name, expr.at))
            }
            ExprKind::Item(value, key) => {
                let value = self.expr(value, scope)?;
                let key = self.expr(key, scope)?;
                Ok(self.item(&value, &key, expr.at))
            }
            ExprKind::Slice(value, bounds) => {
                let value = self.expr(value, scope)?;
                let mut numbers = [None; 3];
                for (number, bound) in numbers.iter_mut().zip(bounds.iter()) {
                    if let Some(bound) = bound {
                        match self.expr(bound, scope)? {
                            Value::None => {}
                            Value::Int(found, _) => *number = Some(found),
                            Value::Bool(found) => *number = Some(i64::from(found)),
                            Value::Open(open) => {
                                let what = format!("{}[{}:]", words(&value), open.what);
                                return Ok(self.open(&what, expr.at));
                            }
                            _ => return fail(ErrorKind::Type, "the bounds of a slice are whole numbers", bound.at),
                        }
                    }
                }
                self.slice(&value, numbers, expr.at)
            }
            _ => Ok(Value::None),
        }
    }

    /// `value.name`: an attribute or method, else the item of that name.
    pub fn attribute(&mut self, value: &Value, name: &str, at: Span) -> Value {
        if let Value::Open(open) = value {
            return match self.host.part(&open.what, name) {
                Some(known) => known,
                None => self.open(&format!("{}.{name}", open.what), at),
            };
        }
        if methods::has(value, name) {
            return methods::bound(value, name);
        }
        let found = match value {
            Value::Dict(dict) | Value::Namespace(dict) => dict.get_text(name),
            Value::Object(object) => object.attribute(self, name, at),
            Value::Macro(found) if name == "name" => Some(Value::generated(&*found.definition.name)),
            _ => None,
        };
        found.unwrap_or_else(|| undefined_part(value, name))
    }

    /// `value[key]`: the item at a key, else the attribute of that name.
    pub fn item(&mut self, value: &Value, key: &Value, at: Span) -> Value {
        if let (Value::Open(open), Value::Text(name)) = (value, key)
            && key.open_words().is_none()
            && let Some(known) = self.host.part(&open.what, name.text())
        {
            return known;
        }
        if matches!(value, Value::Open(_)) || matches!(key, Value::Open(_)) {
            return self.open(&format!("{}[{}]", words(value), words(key)), at);
        }
        let found = match (value, key) {
            (Value::Dict(dict), _) => dict.get(key),
            (Value::Object(object), _) => object.item(self, key, at),
            (Value::Namespace(dict), Value::Text(name)) => dict.get_text(name.text()),
            (_, Value::Int(..) | Value::Bool(_)) => {
                let index = if let Value::Int(index, _) = key { *index } else { i64::from(key.truth() == Some(true)) };
                at_index(value, index)
            }
            _ => None,
        };
        match (found, key) {
            (Some(found), _) => found,
            (None, Value::Text(name)) => self.attribute(value, name.text(), at),
            (None, _) => undefined_part(value, &words(key)),
        }
    }

    /// `value[start:stop:step]`.
    fn slice(&mut self, value: &Value, bounds: [Option<i64>; 3], at: Span) -> Result<Value, Stop> {
        if let Value::Open(open) = value {
            let show = |bound: Option<i64>| bound.map_or_else(String::new, |bound| bound.to_string());
            let [start, stop, step] = bounds.map(show);
            return Ok(self.open(&format!("{}[{start}:{stop}:{step}]", open.what), at));
        }
        let Some(length) = value.length() else {
            return fail(ErrorKind::Type, format!("a value of type `{}` has no slices", value.type_name()), at);
        };
        self.check_items(length.min(self.limits.items), at)?;
        let Some(indices) = slice_indices(length as i64, bounds) else {
            return fail(ErrorKind::Type, "the step of a slice cannot be zero", at);
        };
        if let (Value::Text(text), [_, _, None | Some(1)]) = (value, bounds) {
            let byte = |index: usize| text.text().char_indices().nth(index).map_or(text.text().len(), |(at, _)| at);
            let Some(first) = indices.first() else { return Ok(Value::generated("")) };
            return Ok(Value::text(text.slice(byte(*first)..byte(*first + indices.len()))));
        }
        let items = value.items().unwrap_or_default();
        let picked: Vec<Value> = indices.iter().filter_map(|index| items.get(*index).cloned()).collect();
        Ok(match value {
            Value::Text(_) => {
                let mut text = crate::trace::Traced::new();
                for part in &picked {
                    text.append(&crate::jinja::value::show(part));
                }
                Value::text(text)
            }
            Value::Tuple(_) => Value::tuple(picked),
            _ => Value::list(picked),
        })
    }
}

fn undefined_part(value: &Value, name: &str) -> Value {
    match value {
        Value::Undefined(outer) if outer.is_empty() => Value::undefined(name),
        Value::Undefined(outer) => Value::undefined(&format!("{outer}.{name}")),
        Value::Object(object) => Value::undefined(&format!("{}.{name}", object.type_name())),
        _ => Value::undefined(name),
    }
}

fn at_index(value: &Value, index: i64) -> Option<Value> {
    let length = value.length()? as i64;
    let index = if index < 0 { index + length } else { index };
    let index = usize::try_from(index).ok().filter(|index| (*index as i64) < length)?;
    match value {
        Value::List(list) => list.get(index),
        Value::Tuple(tuple) => tuple.get(index),
        Value::Range(start, _, step) => Some(Value::int(start + index as i64 * step)),
        Value::Text(text) => {
            let (at, c) = text.text().char_indices().nth(index)?;
            Some(Value::text(text.slice(at..at + c.len_utf8())))
        }
        Value::Object(object) => object.items()?.into_iter().nth(index),
        _ => None,
    }
}

/// The indices that a slice of so many items takes, as Python's `slice.indices` has them.
fn slice_indices(length: i64, [start, stop, step]: [Option<i64>; 3]) -> Option<Vec<usize>> {
    let step = step.unwrap_or(1);
    let (low, high) = if step > 0 { (0, length) } else { (-1, length - 1) };
    let clamp = |bound: i64| if bound < 0 { bound.saturating_add(length).max(low) } else { bound.min(high) };
    let start = start.map_or(if step > 0 { low } else { high }, clamp);
    let stop = stop.map_or(if step > 0 { high } else { low }, clamp);
    if step == 0 {
        return None;
    }
    let count = range_len(start, stop, step) as i64;
    Some((0..count).filter_map(|at| usize::try_from(start + at * step).ok()).collect())
}
