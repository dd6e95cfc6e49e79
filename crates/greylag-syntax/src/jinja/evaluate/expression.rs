//! Expressions.

use super::{Evaluator, Scope, Stop, Value, fail, words};
use crate::jinja::ast::{Comparison, Expr, ExprKind, Filter};
use crate::jinja::error::ErrorKind;
use crate::jinja::tests;
use crate::jinja::value::{Dict, contains, equal, order, show};
use crate::trace::{Span, Traced};
use std::cmp::Ordering;
use std::rc::Rc;

impl Evaluator<'_> {
    /// The value of an expression.
    pub(super) fn expr(&mut self, expr: &Expr, scope: &Rc<Scope>) -> Result<Value, Stop> {
        self.spend(1, expr.at)?;
        match &expr.kind {
            ExprKind::None => Ok(Value::None),
            ExprKind::Bool(value) => Ok(Value::Bool(*value)),
            ExprKind::Int(number) => Ok(Value::Int(*number, Some(expr.at))),
            ExprKind::Float(number, at) => Ok(Value::Float(*number, *at)),
            ExprKind::Text(text) => Ok(Value::Text(text.clone())),
            ExprKind::Name(name) => Ok(self.name(name, expr.at, scope)),
            _ => stacker::maybe_grow(192 << 10, 2 << 20, || self.composed(expr, scope)),
        }
    }

    /// The value of an expression that has others in it.
    fn composed(&mut self, expr: &Expr, scope: &Rc<Scope>) -> Result<Value, Stop> {
        match &expr.kind {
            ExprKind::List(items) => Ok(Value::list(self.exprs(items, scope)?)),
            ExprKind::Tuple(items) => Ok(Value::tuple(self.exprs(items, scope)?)),
            ExprKind::Dict(entries) => self.dict(entries, scope),
            ExprKind::Attribute(..) | ExprKind::Item(..) | ExprKind::Slice(..) => self.part(expr, scope),
            ExprKind::Call(callee, arguments) => self.call_expr(callee, arguments, None, expr.at, scope),
            ExprKind::Filter(value, filter) => {
                let value = self.expr(value, scope)?;
                self.filter(value, filter, scope)
            }
            ExprKind::Test(value, test, negated) => {
                let value = self.expr(value, scope)?;
                self.test(value, test, *negated, scope)
            }
            _ => self.operation(expr, scope),
        }
    }

    fn operation(&mut self, expr: &Expr, scope: &Rc<Scope>) -> Result<Value, Stop> {
        match &expr.kind {
            ExprKind::Not(inner) => {
                let value = self.expr(inner, scope)?;
                Ok(self.not(value))
            }
            ExprKind::Negative(inner) => {
                let value = self.expr(inner, scope)?;
                self.negative(value, expr.at)
            }
            ExprKind::Positive(inner) => self.expr(inner, scope),
            ExprKind::Arithmetic(first, others) => {
                let mut value = self.expr(first, scope)?;
                for (operator, other) in others {
                    let other = self.expr(other, scope)?;
                    value = self.operate(*operator, value, other, expr.at)?;
                }
                Ok(value)
            }
            ExprKind::Compare(first, others) => self.compare(first, others, expr.at, scope),
            ExprKind::Concat(parts) => self.concat(parts, expr.at, scope),
            ExprKind::And(parts) => self.chain(parts, false, scope),
            ExprKind::Or(parts) => self.chain(parts, true, scope),
            ExprKind::If(parts, otherwise) => self.inline_if(parts, otherwise.as_deref(), scope),
            _ => Ok(Value::None),
        }
    }

    fn exprs(&mut self, items: &[Expr], scope: &Rc<Scope>) -> Result<Vec<Value>, Stop> {
        items.iter().map(|item| self.expr(item, scope)).collect()
    }

    /// What a name stands for: in the template, then in the embedding, then in Jinja.
    fn name(&mut self, name: &str, at: Span, scope: &Scope) -> Value {
        let host = self.host;
        if let Some(value) = scope.get(name) {
            return value;
        }
        if self.is_watched() && !host.is_constant(name) && super::builtin::global(name).is_none() {
            self.spoil();
        }
        host.global(self, name, at).or_else(|| super::builtin::global(name)).unwrap_or_else(|| Value::undefined(name))
    }

    fn dict(&mut self, entries: &[(Expr, Expr)], scope: &Rc<Scope>) -> Result<Value, Stop> {
        let dict = Dict::new();
        for (key, value) in entries {
            let (name, at) = (self.expr(key, scope)?, key.at);
            let value = self.expr(value, scope)?;
            if !dict.insert(name, value) {
                return fail(ErrorKind::Type, "a list or dict can be no key of a dict", at);
            }
        }
        Ok(Value::Dict(dict))
    }

    fn not(&mut self, value: Value) -> Value {
        match value {
            Value::Open(open) => {
                let negated = !open.negated;
                Value::Open(Rc::new(super::Open { negated, ..(*open).clone() }))
            }
            other => Value::Bool(!self.truth(&other, super::statement::start())),
        }
    }

    /// `and` and `or`: the first value that decides, else the last.
    fn chain(&mut self, parts: &[Expr], decides: bool, scope: &Rc<Scope>) -> Result<Value, Stop> {
        let mut value = Value::None;
        for (at, part) in parts.iter().enumerate() {
            value = self.expr(part, scope)?;
            if at + 1 < parts.len() && self.truth(&value, part.at) == decides {
                break;
            }
        }
        Ok(value)
    }

    fn inline_if(
        &mut self,
        [condition, value]: &[Expr; 2],
        otherwise: Option<&Expr>,
        scope: &Rc<Scope>,
    ) -> Result<Value, Stop> {
        let decided = self.expr(condition, scope)?;
        if self.truth(&decided, condition.at) {
            return self.expr(value, scope);
        }
        otherwise.map_or_else(|| Ok(Value::undefined("")), |otherwise| self.expr(otherwise, scope))
    }

    fn concat(&mut self, parts: &[Expr], at: Span, scope: &Rc<Scope>) -> Result<Value, Stop> {
        let mut text = Traced::new();
        for part in parts {
            match self.expr(part, scope)? {
                Value::Text(part) => text.append(&part),
                other => text.append(&show(&other)),
            }
            self.check_text(text.text().len(), at)?;
        }
        self.text(text, at)
    }

    fn compare(
        &mut self,
        first: &Expr,
        others: &[(Comparison, Expr)],
        at: Span,
        scope: &Rc<Scope>,
    ) -> Result<Value, Stop> {
        let mut left = self.expr(first, scope)?;
        let mut result = Value::Bool(true);
        for (index, (comparison, other)) in others.iter().enumerate() {
            let right = self.expr(other, scope)?;
            self.spend(left.length().unwrap_or(0) / 16, at)?;
            result = self.comparison(*comparison, &left, &right, at)?;
            if index + 1 < others.len() && !self.truth(&result, at) {
                return Ok(Value::Bool(false));
            }
            left = right;
        }
        Ok(result)
    }

    /// A comparison of two values. What cannot be known is asked in one form: `!=` is the opposite of `==`.
    pub(in crate::jinja) fn comparison(
        &mut self,
        comparison: Comparison,
        left: &Value,
        right: &Value,
        at: Span,
    ) -> Result<Value, Stop> {
        let [one, two] = [left, right].map(|side| self.questioned(side).map(Value::Open));
        let (left, right) = (one.as_ref().unwrap_or(left), two.as_ref().unwrap_or(right));
        let negated = matches!(
            comparison,
            Comparison::NotEqual | Comparison::GreaterEqual | Comparison::Greater | Comparison::NotIn
        );
        let (known, sign) = match comparison {
            Comparison::Equal | Comparison::NotEqual => (equal(left, right), "=="),
            Comparison::In | Comparison::NotIn => match contains(right, left) {
                Ok(known) => (known, "in"),
                Err(_) => {
                    let message = format!("nothing can be `in` a value of type `{}`", right.type_name());
                    return fail(ErrorKind::Type, message, at);
                }
            },
            Comparison::Less | Comparison::GreaterEqual => {
                (self.ordered(left, right, at)?.map(|order| order == Ordering::Less), "<")
            }
            Comparison::LessEqual | Comparison::Greater => {
                (self.ordered(left, right, at)?.map(|order| order != Ordering::Greater), "<=")
            }
        };
        let known = known.or_else(|| self.known_by_equality(comparison, left, right));
        let question = || format!("{} {sign} {}", words(left), words(right));
        let answer = self.answer(known, negated, at, question);
        if let (Value::Open(asked), "==") = (&answer, sign) {
            match (left, right) {
                (Value::Open(subject), value) | (value, Value::Open(subject)) => {
                    self.spoil();
                    self.oracle.asks(&asked.what, subject, value);
                }
                _ => {}
            }
        }
        Ok(answer)
    }

    /// What follows of a comparison from an equality that was assumed before.
    fn known_by_equality(&mut self, comparison: Comparison, left: &Value, right: &Value) -> Option<bool> {
        let known = match (comparison, left, right) {
            (Comparison::Equal | Comparison::NotEqual, Value::Open(subject), value)
            | (Comparison::Equal | Comparison::NotEqual, value, Value::Open(subject)) => {
                self.oracle.is_one_of(subject, std::slice::from_ref(value))
            }
            (Comparison::In | Comparison::NotIn, Value::Open(subject), Value::List(_) | Value::Tuple(_)) => {
                self.oracle.is_one_of(subject, &right.items().unwrap_or_default())
            }
            _ => None,
        };
        if known.is_some() {
            self.spoil();
        }
        known
    }

    fn ordered(&mut self, left: &Value, right: &Value, at: Span) -> Result<Option<Ordering>, Stop> {
        if left.open_words().is_some() || right.open_words().is_some() {
            return Ok(None);
        }
        match order(left, right) {
            Some(order) => Ok(Some(order)),
            None => {
                let message = format!("`{}` and `{}` have no order", left.type_name(), right.type_name());
                fail(ErrorKind::Type, message, at)
            }
        }
    }

    fn test(&mut self, value: Value, test: &Filter, negated: bool, scope: &Rc<Scope>) -> Result<Value, Stop> {
        let arguments = self.arguments(&test.arguments, test.at, scope)?;
        let result = tests::call(self, &test.name, &value, arguments)?;
        Ok(if negated { self.not(result) } else { result })
    }
}
