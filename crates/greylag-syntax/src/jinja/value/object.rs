//! Values that bring behaviour along: macros, and what the embedding gives.

use super::super::ast::Macro;
use super::super::evaluate::{Evaluator, Scope, Stop};
use super::{Arguments, Value};
use crate::trace::{Span, Traced};
use std::any::Any;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

/// A value of the embedding.
pub trait Object: fmt::Debug + Any {
    /// What it is called in messages.
    fn type_name(&self) -> &str;

    /// An attribute or method; `None` if there is none of this name.
    fn attribute(&self, _evaluator: &mut Evaluator<'_>, _name: &str, _at: Span) -> Option<Value> {
        None
    }

    /// What is at a key; by default the attribute of that name.
    fn item(&self, evaluator: &mut Evaluator<'_>, key: &Value, at: Span) -> Option<Value> {
        self.attribute(evaluator, key.as_text()?, at)
    }

    /// Calls it; `None` if it cannot be called.
    fn call(&self, _evaluator: &mut Evaluator<'_>, _arguments: Arguments) -> Option<Result<Value, Stop>> {
        None
    }

    /// What it prints as.
    fn print(&self) -> Traced {
        Traced::generated(format!("<{}>", self.type_name()))
    }

    /// Whether what it prints is a word of its own even where letters stand right before or behind it.
    fn is_word(&self) -> bool {
        false
    }

    /// Its items, if it can be looped over.
    fn items(&self) -> Option<Vec<Value>> {
        None
    }

    /// Whether it counts as true; `None` if that cannot be known.
    fn truth(&self) -> Option<bool> {
        Some(true)
    }

    /// Whether it is a mapping to tests.
    fn is_mapping(&self) -> bool {
        false
    }

    /// Whether it is text to operators and filters.
    fn is_text(&self) -> bool {
        false
    }
}

/// A function of the embedding.
pub struct Function {
    name: &'static str,
    #[expect(clippy::type_complexity, reason = "a function of a call")]
    call: Box<dyn Fn(&mut Evaluator<'_>, Arguments) -> Result<Value, Stop>>,
}

impl Function {
    /// A function as a value.
    pub fn value(
        name: &'static str,
        call: impl Fn(&mut Evaluator<'_>, Arguments) -> Result<Value, Stop> + 'static,
    ) -> Value {
        Value::Object(Rc::new(Self { name, call: Box::new(call) }))
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "function {}", self.name)
    }
}

impl Object for Function {
    fn type_name(&self) -> &str {
        self.name
    }

    fn call(&self, evaluator: &mut Evaluator<'_>, arguments: Arguments) -> Option<Result<Value, Stop>> {
        Some((self.call)(evaluator, arguments))
    }
}

/// A macro and where it was defined.
#[derive(Debug)]
pub struct MacroValue {
    /// The macro.
    pub definition: Arc<Macro>,
    /// The names that it sees.
    pub scope: Rc<Scope>,
}
