//! Dicts: in the order of insertion, shared by everybody who has them.

use super::Value;
use super::container::release;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

/// Up to how many entries are looked through one by one.
const FEW: usize = 8;

/// What two keys that are one have in common: `1`, `1.0` and `True` are one key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// `none`, and what has no value.
    None,
    /// A number that is whole, or a truth value.
    Int(i64),
    /// Another number, by its bits.
    Float(u64),
    /// Text.
    Text(Arc<str>),
    /// A tuple.
    Tuple(Vec<Self>),
    /// What cannot be known, by its words.
    Open(Arc<str>),
    /// Something else, by its address.
    Address(usize),
}

impl Key {
    /// The key that a value is; `None` for what Python cannot hash.
    pub fn of(value: &Value) -> Option<Self> {
        Self::nested(value, 16)
    }

    fn nested(value: &Value, depth: usize) -> Option<Self> {
        let depth = depth.checked_sub(1)?;
        Some(match value {
            Value::None | Value::Undefined(_) => Self::None,
            Value::Bool(value) => Self::Int(i64::from(*value)),
            Value::Int(number, _) => Self::Int(*number),
            Value::Float(number, _) if number.fract() == 0.0 && number.abs() < 9e15 => Self::Int(*number as i64),
            Value::Float(number, _) => Self::Float(number.to_bits()),
            Value::Text(text) => Self::Text(Arc::from(text.text())),
            Value::Tuple(tuple) => {
                Self::Tuple(tuple.items().iter().map(|item| Self::nested(item, depth)).collect::<Option<_>>()?)
            }
            Value::Open(open) => Self::Open(open.what.clone()),
            Value::Range(start, stop, step) => Self::Tuple(vec![Self::Int(*start), Self::Int(*stop), Self::Int(*step)]),
            Value::Macro(found) => Self::Address(Rc::as_ptr(found).addr()),
            Value::Object(object) => Self::Address(Rc::as_ptr(object).cast::<()>().addr()),
            Value::List(_) | Value::Dict(_) | Value::Namespace(_) => return None,
        })
    }
}

#[derive(Debug, Default)]
struct Entries {
    entries: Vec<(Key, Value, Value)>,
    /// Where each key is, once there are many.
    index: HashMap<Key, usize>,
}

impl Drop for Entries {
    fn drop(&mut self) {
        release(std::mem::take(&mut self.entries).into_iter().map(|(_, _, value)| value).collect());
    }
}

impl Entries {
    fn find(&self, key: &Key) -> Option<usize> {
        if self.entries.len() <= FEW {
            return self.entries.iter().position(|(found, ..)| found == key);
        }
        self.index.get(key).copied()
    }

    fn insert(&mut self, key: Key, name: Value, value: Value) {
        if let Some(at) = self.find(&key) {
            self.entries[at].2 = value;
            return;
        }
        self.entries.push((key.clone(), name, value));
        if self.entries.len() == FEW + 1 {
            self.reindex();
        } else if self.entries.len() > FEW {
            self.index.insert(key, self.entries.len() - 1);
        }
    }

    fn reindex(&mut self) {
        self.index = self.entries.iter().enumerate().map(|(at, (key, ..))| (key.clone(), at)).collect();
    }

    fn remove(&mut self, key: &Key) -> Option<Value> {
        let at = self.find(key)?;
        let (_, _, value) = self.entries.remove(at);
        self.reindex();
        Some(value)
    }
}

/// A dict.
#[derive(Debug, Clone, Default)]
pub struct Dict(Rc<RefCell<Entries>>);

impl Dict {
    /// A dict without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many entries.
    pub fn len(&self) -> usize {
        self.0.borrow().entries.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of a key.
    pub fn get(&self, key: &Value) -> Option<Value> {
        let entries = self.0.borrow();
        entries.find(&Key::of(key)?).map(|at| entries.entries[at].2.clone())
    }

    /// The value of a key that is text.
    pub fn get_text(&self, key: &str) -> Option<Value> {
        let entries = self.0.borrow();
        if entries.entries.len() <= FEW {
            let is_it = |found: &Key| matches!(found, Key::Text(text) if &**text == key);
            return entries.entries.iter().find(|(found, ..)| is_it(found)).map(|(_, _, value)| value.clone());
        }
        entries.find(&Key::Text(Arc::from(key))).map(|at| entries.entries[at].2.clone())
    }

    /// Sets the value of a key; `false` if that can be no key.
    pub fn insert(&self, key: Value, value: Value) -> bool {
        let Some(hash) = Key::of(&key) else { return false };
        self.0.borrow_mut().insert(hash, key, value);
        true
    }

    /// Sets the value of a key that is text from no file.
    pub fn insert_text(&self, key: &str, value: Value) {
        self.0.borrow_mut().insert(Key::Text(Arc::from(key)), Value::generated(key), value);
    }

    /// Takes an entry out.
    pub fn remove(&self, key: &Value) -> Option<Value> {
        let key = Key::of(key)?;
        self.0.borrow_mut().remove(&key)
    }

    /// Takes the last entry out.
    pub fn pop_last(&self) -> Option<(Value, Value)> {
        let mut entries = self.0.borrow_mut();
        let (_, key, value) = entries.entries.pop()?;
        entries.reindex();
        Some((key, value))
    }

    /// Takes all entries out.
    pub fn clear(&self) {
        let old = std::mem::take(&mut *self.0.borrow_mut());
        drop(old);
    }

    /// The keys in order.
    pub fn keys(&self) -> Vec<Value> {
        self.0.borrow().entries.iter().map(|(_, key, _)| key.clone()).collect()
    }

    /// The values in order.
    pub fn values(&self) -> Vec<Value> {
        self.0.borrow().entries.iter().map(|(_, _, value)| value.clone()).collect()
    }

    /// Keys and values in order.
    pub fn entries(&self) -> Vec<(Value, Value)> {
        self.0.borrow().entries.iter().map(|(_, key, value)| (key.clone(), value.clone())).collect()
    }

    /// Whether both are one dict.
    pub fn is_same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    /// The values, if nobody else has the dict.
    pub(super) fn into_values(self) -> Vec<Value> {
        let Some(entries) = Rc::into_inner(self.0) else { return Vec::new() };
        let mut entries = entries.into_inner();
        std::mem::take(&mut entries.entries).into_iter().map(|(_, _, value)| value).collect()
    }
}

impl FromIterator<(Value, Value)> for Dict {
    fn from_iter<T: IntoIterator<Item = (Value, Value)>>(entries: T) -> Self {
        let dict = Self::new();
        for (key, value) in entries {
            dict.insert(key, value);
        }
        dict
    }
}
