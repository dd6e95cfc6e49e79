//! Calls.

use super::{Evaluator, Scope, Stop, Value, fail, words};
use crate::jinja::ast::{self, Expr, ExprKind, Filter, Macro};
use crate::jinja::error::ErrorKind;
use crate::jinja::value::{Arguments, Dict, MacroValue, show};
use crate::jinja::{filters, methods};
use crate::trace::{Span, Traced};
use std::rc::Rc;
use std::sync::{Arc, LazyLock};

static VARARGS: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from("varargs"));
static KWARGS: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from("kwargs"));
static CALLER: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from("caller"));

impl Evaluator<'_> {
    /// A macro as a value that sees no names but the embedding's, as dbt's macros do.
    pub fn global_macro(definition: &Arc<Macro>) -> Value {
        Value::Macro(Rc::new(MacroValue { definition: definition.clone(), scope: Scope::root() }))
    }

    /// Evaluates arguments.
    pub(super) fn arguments(
        &mut self,
        arguments: &ast::Arguments,
        at: Span,
        scope: &Rc<Scope>,
    ) -> Result<Arguments, Stop> {
        let mut result = Arguments::none(at);
        for positional in &arguments.positional {
            result.positional.push_back(self.expr(positional, scope)?);
        }
        for (name, value) in &arguments.named {
            let value = self.expr(value, scope)?;
            result.named.push((name.clone(), value));
        }
        if let Some(several) = &arguments.several {
            let value = self.expr(several, scope)?;
            if matches!(value, Value::Open(_)) {
                result.positional.push_back(value);
            } else {
                result.positional.extend(self.items(&value, several.at)?);
            }
        }
        if let Some(named) = &arguments.several_named {
            match self.expr(named, scope)? {
                Value::Dict(dict) => {
                    for (key, value) in dict.entries() {
                        result.named.push((Arc::from(show(&key).text()), value));
                    }
                }
                Value::Open(_) | Value::Undefined(_) | Value::None => {}
                other => {
                    let message = format!("`**` needs a dict, not `{}`", other.type_name());
                    return fail(ErrorKind::Type, message, named.at);
                }
            }
        }
        Ok(result)
    }

    /// A call of what an expression gives.
    pub(super) fn call_expr(
        &mut self,
        callee: &Expr,
        arguments: &ast::Arguments,
        caller: Option<Value>,
        at: Span,
        scope: &Rc<Scope>,
    ) -> Result<Value, Stop> {
        if let ExprKind::Attribute(receiver, name) = &callee.kind {
            let receiver = self.expr(receiver, scope)?;
            if methods::has(&receiver, name) {
                let arguments = self.arguments(arguments, at, scope)?;
                return methods::call(self, &receiver, name, arguments);
            }
            let attribute = self.attribute(&receiver, name, callee.at);
            let mut arguments = self.arguments(arguments, at, scope)?;
            arguments.named.extend(caller.map(|caller| (CALLER.clone(), caller)));
            return self.call(&attribute, arguments);
        }
        let value = self.expr(callee, scope)?;
        let mut arguments = self.arguments(arguments, at, scope)?;
        arguments.named.extend(caller.map(|caller| (CALLER.clone(), caller)));
        self.call(&value, arguments)
    }

    /// Calls a value.
    ///
    /// # Errors
    /// It cannot be called, or not so; or what it does goes wrong.
    pub fn call(&mut self, callee: &Value, arguments: Arguments) -> Result<Value, Stop> {
        let at = arguments.at;
        self.spend(1, at)?;
        match callee {
            Value::Macro(found) => self.call_macro(found, arguments),
            Value::Object(object) => match object.call(self, arguments) {
                Some(result) => result.map_err(|stop| placed(stop, at)),
                None => fail(ErrorKind::Type, format!("a value of type `{}` cannot be called", object.type_name()), at),
            },
            Value::Open(open) => {
                let what = call_words(&open.what, &arguments);
                Ok(self.open(&what, at))
            }
            Value::Undefined(name) => {
                self.spoil();
                self.host.unknown(name, at);
                let what = call_words(name, &arguments);
                Ok(self.open(&what, at))
            }
            other => fail(ErrorKind::Type, format!("a value of type `{}` cannot be called", other.type_name()), at),
        }
    }

    fn call_macro(&mut self, found: &Rc<MacroValue>, arguments: Arguments) -> Result<Value, Stop> {
        let at = arguments.at;
        if self.calls >= self.limits.calls {
            let message = format!("macros call each other more than {} deep", self.limits.calls);
            return fail(ErrorKind::Limit, message, at);
        }
        self.calls += 1;
        let result = if found.scope.is_bare() {
            self.remembered(&found.definition, arguments, |this, arguments| this.run_macro(found, arguments))
        } else {
            self.run_macro(found, arguments)
        };
        self.calls -= 1;
        result
    }

    fn run_macro(&mut self, found: &MacroValue, arguments: Arguments) -> Result<Value, Stop> {
        let scope = Scope::inside(&found.scope);
        self.bind(&found.definition, arguments, &scope)?;
        let mut text = Traced::new();
        match self.nodes(&found.definition.body, &scope, &mut text) {
            Ok(()) => Ok(Value::text(text)),
            Err(Stop::Return(value)) => Ok(value),
            Err(stop) => Err(stop),
        }
    }

    /// Gives a macro's parameters their values.
    fn bind(&mut self, definition: &Macro, mut arguments: Arguments, scope: &Rc<Scope>) -> Result<(), Stop> {
        let at = arguments.at;
        for parameter in &definition.parameters {
            let given = arguments.positional.pop_front().or_else(|| arguments.take_named(&parameter.name));
            let value = match (given, &parameter.default) {
                (Some(value), _) => value,
                (None, Some(default)) => self.expr(default, scope)?,
                (None, None) => Value::Undefined(parameter.name.clone()),
            };
            scope.set(&parameter.name, value);
        }
        let caller = arguments.take_named("caller");
        if definition.reads.caller {
            let undefined = || Value::Undefined(CALLER.clone());
            scope.set(&CALLER, caller.unwrap_or_else(undefined));
        }
        if definition.reads.varargs {
            scope.set(&VARARGS, Value::tuple(std::mem::take(&mut arguments.positional).into()));
        } else if !arguments.positional.is_empty() {
            let count = definition.parameters.len();
            let message = format!("macro `{}` takes not more than {count} arguments", definition.name);
            return fail(ErrorKind::Type, message, at);
        }
        if definition.reads.kwargs {
            let entries = arguments.named.drain(..);
            let named = entries.map(|(name, value)| (Value::generated(&*name), value)).collect::<Dict>();
            scope.set(&KWARGS, Value::Dict(named));
        } else if let Some((name, _)) = arguments.named.first() {
            let message = format!("macro `{}` has no parameter `{name}`", definition.name);
            return fail(ErrorKind::Type, message, at);
        }
        Ok(())
    }

    /// A value through a filter.
    pub(super) fn filter(&mut self, value: Value, filter: &Filter, scope: &Rc<Scope>) -> Result<Value, Stop> {
        let arguments = self.arguments(&filter.arguments, filter.at, scope)?;
        self.filter_by_name(&filter.name, value, arguments)
    }

    /// A value through the filter of a name.
    pub(in crate::jinja) fn filter_by_name(
        &mut self,
        name: &str,
        value: Value,
        mut arguments: Arguments,
    ) -> Result<Value, Stop> {
        let at = arguments.at;
        self.spend(1 + value.length().unwrap_or(0).min(self.limits.items) / 16, at)?;
        if let Some(function) = self.host.filter(name) {
            self.spoil();
            arguments.positional.push_front(value);
            return self.call(&function, arguments);
        }
        filters::call(self, name, value, arguments).map_err(|stop| placed(stop, at))
    }

    /// Whether there is a filter of a name.
    pub(in crate::jinja) fn has_filter(&self, name: &str) -> bool {
        self.host.filter(name).is_some() || filters::has(name)
    }
}

/// A call in the words of a question.
pub fn call_words(name: &str, arguments: &Arguments) -> String {
    let mut parts: Vec<String> = arguments.positional.iter().map(words).collect();
    parts.extend(arguments.named.iter().map(|(name, value)| format!("{name}={}", words(value))));
    format!("{name}({})", parts.join(", "))
}

/// A stop with a place, if it is an error without one.
fn placed(stop: Stop, at: Span) -> Stop {
    match stop {
        Stop::Error(error) => Stop::Error(Box::new(error.or_at(at))),
        other => other,
    }
}
