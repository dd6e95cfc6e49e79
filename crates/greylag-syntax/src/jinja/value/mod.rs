//! What an expression can be.
//!
//! Values are Python's, as far as templates can tell: lists and dicts are shared and can be changed, `True` equals `1`, and
//! text is [`Traced`], so that every byte of it still knows where it is from. Numbers that were written in a template know
//! their bytes too, until they are calculated with.
//!
//! An [`Open`] value is one that nobody can know without a database or a run. It spreads through whatever is done with it,
//! and whoever branches on it takes both ways (see `evaluate`).

mod arguments;
mod compare;
mod container;
mod dict;
mod number;
mod object;
mod show;
pub(super) mod text;

pub use arguments::Arguments;
pub use compare::{NoContainer, contains, equal, order};
pub use container::{List, Tuple};
pub use dict::{Dict, Key};
pub(super) use number::{float_text, parse_float, parse_int, python_round};
pub use object::{Function, MacroValue, Object};
pub use show::{repr, show};

use crate::trace::{Mark, Origin, Span, Traced};
use std::rc::Rc;
use std::sync::Arc;

/// A value.
#[derive(Debug, Clone)]
pub enum Value {
    /// `none`.
    None,
    /// What has no value, and the name that was looked for.
    Undefined(Arc<str>),
    /// `true`, `false`.
    Bool(bool),
    /// A whole number, and its bytes if it was written.
    Int(i64, Option<Span>),
    /// Another number, and its bytes if it was written.
    Float(f64, Option<Span>),
    /// Text.
    Text(Arc<Traced>),
    /// A list, which can be changed.
    List(List),
    /// A tuple.
    Tuple(Tuple),
    /// A dict, which can be changed.
    Dict(Dict),
    /// What `range(start, stop, step)` gives.
    Range(i64, i64, i64),
    /// What `namespace()` gives.
    Namespace(Dict),
    /// A macro.
    Macro(Rc<MacroValue>),
    /// Something of the embedding.
    Object(Rc<dyn Object>),
    /// What cannot be known here.
    Open(Rc<Open>),
}

/// A value that cannot be known without a database or a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// How it is got, as a template would say it: what has the same words has the same value.
    pub what: Arc<str>,
    /// Whether it is the opposite of that.
    pub negated: bool,
    /// Where it was asked for.
    pub at: Span,
    /// Its number among those of a rendering.
    pub number: u32,
}

/// The bit of a [`Mark`] that says that a stretch stands for an [`Open`] value: the other bits are its number. Marks of the
/// embedding leave it unset.
pub const HOLE: u32 = 1 << 31;

impl Open {
    /// What stands in a rendering for it: an identifier of SQL.
    pub fn placeholder(&self) -> Traced {
        let origin = Origin::Made { of: [].into(), mark: Some(Mark(HOLE | self.number)) };
        Traced::of(format!("greylag_open_{}", self.number), origin)
    }
}

/// The numbers of the open values that stand in a text, in order.
pub fn holes_of(text: &Traced) -> impl Iterator<Item = u32> {
    text.stretches().filter_map(|(_, origin)| match origin {
        Origin::Made { mark: Some(Mark(mark)), .. } if mark & HOLE != 0 => Some(mark & !HOLE),
        _ => None,
    })
}

impl Value {
    /// Text that comes from no file.
    pub fn generated(text: impl Into<String>) -> Self {
        Self::Text(Arc::new(Traced::generated(text)))
    }

    /// Text.
    pub fn text(text: Traced) -> Self {
        Self::Text(Arc::new(text))
    }

    /// A whole number that was not written.
    pub fn int(number: i64) -> Self {
        Self::Int(number, None)
    }

    /// A number that was not written.
    pub fn float(number: f64) -> Self {
        Self::Float(number, None)
    }

    /// A size as a number.
    pub fn size(size: usize) -> Self {
        Self::Int(size as i64, None)
    }

    /// A new list.
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(List::new(items))
    }

    /// A tuple.
    pub fn tuple(items: Vec<Self>) -> Self {
        Self::Tuple(Tuple::new(items))
    }

    /// An object of the embedding.
    pub fn object(object: impl Object + 'static) -> Self {
        Self::Object(Rc::new(object))
    }

    /// Nothing of this name.
    pub fn undefined(name: &str) -> Self {
        Self::Undefined(Arc::from(name))
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text.text()) } else { None }
    }

    /// Python's name of its type.
    pub fn type_name(&self) -> &str {
        match self {
            Self::None => "NoneType",
            Self::Undefined(_) => "Undefined",
            Self::Bool(_) => "bool",
            Self::Int(..) => "int",
            Self::Float(..) => "float",
            Self::Text(_) => "str",
            Self::List(_) => "list",
            Self::Tuple(_) => "tuple",
            Self::Dict(_) => "dict",
            Self::Range(..) => "range",
            Self::Namespace(_) => "Namespace",
            Self::Macro(_) => "Macro",
            Self::Object(object) => object.type_name(),
            Self::Open(_) => "unknown value",
        }
    }

    /// Whether it counts as true; `None` if that cannot be known.
    pub fn truth(&self) -> Option<bool> {
        Some(match self {
            Self::None | Self::Undefined(_) => false,
            Self::Bool(value) => *value,
            Self::Int(number, _) => *number != 0,
            Self::Float(number, _) => *number != 0.0,
            Self::Text(text) if !text.is_empty() && holes_of(text).count() > 0 => {
                return text.stretches().any(|(_, origin)| !is_hole(origin)).then_some(true);
            }
            Self::Text(text) => !text.is_empty(),
            Self::List(list) => !list.is_empty(),
            Self::Tuple(tuple) => !tuple.is_empty(),
            Self::Dict(dict) => !dict.is_empty(),
            Self::Range(start, stop, step) => range_len(*start, *stop, *step) != 0,
            Self::Object(object) => return object.truth(),
            Self::Namespace(_) | Self::Macro(_) => true,
            Self::Open(_) => return None,
        })
    }

    /// What something unknown about it is called, if there is something: it is open, or text with open values in it.
    pub fn open_words(&self) -> Option<Arc<str>> {
        match self {
            Self::Open(open) if open.negated => Some(Arc::from(format!("not ({})", open.what))),
            Self::Open(open) => Some(open.what.clone()),
            Self::Text(text) if holes_of(text).next().is_some() => Some(Arc::from(text.text())),
            _ => None,
        }
    }

    /// How many items it has, if it has any.
    pub fn length(&self) -> Option<usize> {
        match self {
            Self::Text(text) => Some(text.text().chars().count()),
            Self::List(list) => Some(list.len()),
            Self::Tuple(tuple) => Some(tuple.len()),
            Self::Dict(dict) | Self::Namespace(dict) => Some(dict.len()),
            Self::Range(start, stop, step) => Some(range_len(*start, *stop, *step)),
            Self::Undefined(_) => Some(0),
            Self::Object(object) => object.items().map(|items| items.len()),
            _ => None,
        }
    }

    /// Its items, as a loop would see them; `None` if it cannot be looped over.
    pub fn items(&self) -> Option<Vec<Self>> {
        match self {
            Self::Text(text) => {
                Some(text.text().char_indices().map(|(at, c)| Self::text(text.slice(at..at + c.len_utf8()))).collect())
            }
            Self::List(list) => Some(list.items()),
            Self::Tuple(tuple) => Some(tuple.items()),
            Self::Dict(dict) => Some(dict.keys()),
            Self::Range(start, stop, step) => {
                let len = range_len(*start, *stop, *step) as i64;
                Some((0..len).map(|at| Self::int(start + at * step)).collect())
            }
            Self::Undefined(_) => Some(Vec::new()),
            Self::Object(object) => object.items(),
            _ => None,
        }
    }

    /// A copy whose lists and dicts are its own, down to a depth that no honest value reaches.
    pub fn deep_copy(&self) -> Self {
        self.copy_to(32)
    }

    fn copy_to(&self, depth: usize) -> Self {
        let Some(depth) = depth.checked_sub(1) else { return Self::None };
        match self {
            Self::List(list) => Self::list(list.items().iter().map(|item| item.copy_to(depth)).collect()),
            Self::Dict(dict) => {
                Self::Dict(dict.entries().into_iter().map(|(key, value)| (key, value.copy_to(depth))).collect())
            }
            other => other.clone(),
        }
    }
}

fn is_hole(origin: &Origin) -> bool {
    matches!(origin, Origin::Made { mark: Some(Mark(mark)), .. } if mark & HOLE != 0)
}

/// How many numbers a range has.
pub(super) fn range_len(start: i64, stop: i64, step: i64) -> usize {
    let (start, stop, step) = (i128::from(start), i128::from(stop), i128::from(step));
    let len = match step {
        0 => 0,
        1.. => (stop - start + step - 1).div_euclid(step),
        _ => (start - stop - step - 1).div_euclid(-step),
    };
    usize::try_from(len.max(0)).unwrap_or(usize::MAX)
}
