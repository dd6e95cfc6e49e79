//! Names and what they stand for, from the inside out.

use super::Value;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// The names of a block, inside of those of the blocks around it.
#[derive(Debug, Default)]
pub struct Scope {
    names: RefCell<Vec<(Arc<str>, Value)>>,
    outer: Option<Rc<Self>>,
}

impl Scope {
    /// An outermost scope.
    pub fn root() -> Rc<Self> {
        Rc::default()
    }

    /// A scope inside of another.
    pub(super) fn inside(outer: &Rc<Self>) -> Rc<Self> {
        Rc::new(Self { names: RefCell::default(), outer: Some(outer.clone()) })
    }

    /// Whether there is no name in it and around it.
    pub(super) fn is_bare(&self) -> bool {
        self.outer.is_none() && self.names.borrow().is_empty()
    }

    /// Gives a name a value, here.
    pub fn set(&self, name: &Arc<str>, value: Value) {
        let mut names = self.names.borrow_mut();
        let old = match names.iter_mut().find(|(found, _)| found == name) {
            Some((_, found)) => Some(std::mem::replace(found, value)),
            None => {
                names.push((name.clone(), value));
                None
            }
        };
        drop(names);
        drop(old);
    }

    /// The value of a name, here or further out.
    pub fn get(&self, name: &str) -> Option<Value> {
        let mut scope = self;
        loop {
            if let Some((_, value)) = scope.names.borrow().iter().find(|(found, _)| &**found == name) {
                return Some(value.clone());
            }
            scope = scope.outer.as_deref()?;
        }
    }
}
