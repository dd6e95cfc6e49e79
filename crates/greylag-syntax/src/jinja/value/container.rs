//! Lists and tuples.

use super::Value;
use std::cell::RefCell;
use std::rc::Rc;

/// A list that everybody who has it shares.
#[derive(Debug, Clone, Default)]
pub struct List(Rc<Cells>);

/// A tuple.
#[derive(Debug, Clone, Default)]
pub struct Tuple(Rc<Cells>);

/// Values that go without recursion, however deep they contain each other.
#[derive(Debug, Default)]
struct Cells(RefCell<Vec<Value>>);

impl Drop for Cells {
    fn drop(&mut self) {
        release(std::mem::take(self.0.get_mut()));
    }
}

/// Lets values go one after the other, those that stand in others too.
pub(super) fn release(mut values: Vec<Value>) {
    if !values.iter().any(is_container) {
        return;
    }
    while let Some(value) = values.pop() {
        match value {
            Value::List(List(cells)) | Value::Tuple(Tuple(cells)) => {
                if let Some(mut cells) = Rc::into_inner(cells) {
                    values.append(cells.0.get_mut());
                }
            }
            Value::Dict(dict) | Value::Namespace(dict) => values.extend(dict.into_values()),
            _ => {}
        }
    }
}

fn is_container(value: &Value) -> bool {
    matches!(value, Value::List(_) | Value::Tuple(_) | Value::Dict(_) | Value::Namespace(_))
}

impl List {
    /// A new list.
    pub fn new(items: Vec<Value>) -> Self {
        Self(Rc::new(Cells(RefCell::new(items))))
    }

    /// How many items.
    pub fn len(&self) -> usize {
        self.0.0.borrow().len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The items as they are now.
    pub fn items(&self) -> Vec<Value> {
        self.0.0.borrow().clone()
    }

    /// The item at an index from zero.
    pub fn get(&self, index: usize) -> Option<Value> {
        self.0.0.borrow().get(index).cloned()
    }

    /// Appends an item.
    pub fn push(&self, item: Value) {
        self.0.0.borrow_mut().push(item);
    }

    /// Changes the items.
    pub fn change<T>(&self, change: impl FnOnce(&mut Vec<Value>) -> T) -> T {
        change(&mut self.0.0.borrow_mut())
    }

    /// Whether both are one list.
    pub fn is_same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Tuple {
    /// A tuple.
    pub fn new(items: Vec<Value>) -> Self {
        Self(Rc::new(Cells(RefCell::new(items))))
    }

    /// How many items.
    pub fn len(&self) -> usize {
        self.0.0.borrow().len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The items.
    pub fn items(&self) -> Vec<Value> {
        self.0.0.borrow().clone()
    }

    /// The item at an index from zero.
    pub fn get(&self, index: usize) -> Option<Value> {
        self.0.0.borrow().get(index).cloned()
    }
}
