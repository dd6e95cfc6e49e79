//! Loops.

use super::{Evaluator, Scope, Stop, Value};
use crate::jinja::ast::For;
use crate::jinja::value::{Arguments, Function, Object, equal};
use crate::trace::{Span, Traced};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, LazyLock};

static LOOP: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from("loop"));

/// What `loop` is in a body.
#[derive(Debug)]
struct Loop {
    items: Rc<Vec<Value>>,
    index: usize,
    /// What `changed` was given last.
    changed: Rc<RefCell<Option<Value>>>,
    depth: usize,
}

impl Object for Loop {
    fn type_name(&self) -> &'static str {
        "loop"
    }

    fn attribute(&self, _: &mut Evaluator<'_>, name: &str, _: Span) -> Option<Value> {
        let (index, length) = (self.index, self.items.len());
        let neighbour =
            |at: Option<usize>| at.and_then(|at| self.items.get(at)).cloned().unwrap_or_else(|| Value::undefined(name));
        Some(match name {
            "index" => Value::size(index + 1),
            "index0" => Value::size(index),
            "revindex" => Value::size(length - index),
            "revindex0" => Value::size(length - index - 1),
            "first" => Value::Bool(index == 0),
            "last" => Value::Bool(index + 1 == length),
            "length" => Value::size(length),
            "depth" => Value::size(self.depth),
            "depth0" => Value::size(self.depth.saturating_sub(1)),
            "previtem" => neighbour(index.checked_sub(1)),
            "nextitem" => neighbour(index.checked_add(1)),
            "cycle" => Function::value("cycle", move |_, arguments| Ok(cycle(&arguments, index))),
            "changed" => {
                let last = self.changed.clone();
                Function::value("changed", move |_, arguments| Ok(Value::Bool(changed(&last, arguments))))
            }
            _ => return None,
        })
    }
}

fn cycle(arguments: &Arguments, index: usize) -> Value {
    let count = arguments.positional.len();
    if count == 0 { Value::None } else { arguments.positional.get(index % count).cloned().unwrap_or(Value::None) }
}

fn changed(last: &RefCell<Option<Value>>, arguments: Arguments) -> bool {
    let now = Value::tuple(arguments.positional.into());
    let same = last.borrow().as_ref().is_some_and(|last| equal(last, &now) == Some(true));
    *last.borrow_mut() = Some(now);
    !same
}

impl Evaluator<'_> {
    pub(super) fn repeat(&mut self, repeat: &For, scope: &Rc<Scope>, out: &mut Traced) -> Result<(), Stop> {
        let items = self.looped(repeat, scope)?;
        if items.is_empty() {
            return self.nodes(&repeat.otherwise, scope, out);
        }
        let items = Rc::new(items);
        let changed = Rc::default();
        for index in 0..items.len() {
            self.spend(1, repeat.items.at)?;
            let inner = Scope::inside(scope);
            self.assign(&repeat.target, items[index].clone(), &inner)?;
            let state = Loop { items: items.clone(), index, changed: Rc::clone(&changed), depth: 1 };
            inner.set(&LOOP, Value::object(state));
            match self.nodes(&repeat.body, &inner, out) {
                Ok(()) | Err(Stop::Continue) => {}
                Err(Stop::Break) => break,
                Err(stop) => return Err(stop),
            }
        }
        Ok(())
    }

    /// The items that a loop goes through. Of a list that cannot be known it is gone without an item and with one.
    fn looped(&mut self, repeat: &For, scope: &Rc<Scope>) -> Result<Vec<Value>, Stop> {
        let at = repeat.items.at;
        let value = self.expr(&repeat.items, scope)?;
        let items = match &value {
            Value::Open(open) => {
                let (some, item) =
                    (format!("{} has an item", open.what), format!("{}{}", super::cover::ITEM, open.what));
                let some = self.open(&some, at);
                if self.truth(&some, at) { vec![self.open(&item, at)] } else { Vec::new() }
            }
            known => self.items(known, at)?,
        };
        let Some(filter) = &repeat.filter else { return Ok(items) };
        let mut taken = Vec::new();
        for item in items {
            let inner = Scope::inside(scope);
            self.assign(&repeat.target, item.clone(), &inner)?;
            let wanted = self.expr(filter, &inner)?;
            if self.truth(&wanted, filter.at) {
                taken.push(item);
            }
        }
        Ok(taken)
    }
}
