//! Nodes.

use super::{Evaluator, Scope, Stop, Value, fail};
use crate::jinja::ast::{CallBlock, Expr, ExprKind, Filter, MacroKind, Node, Target};
use crate::jinja::error::ErrorKind;
use crate::jinja::value::{MacroValue, show};
use crate::trace::{Origin, Span, Traced};
use std::rc::Rc;
use std::sync::Arc;

/// How many macros may be defined while a template is evaluated, so that what they see of each other cannot become deep.
const CLOSURES: usize = 2_000;

impl Evaluator<'_> {
    /// Evaluates nodes one after the other.
    pub(super) fn nodes(&mut self, nodes: &[Node], scope: &Rc<Scope>, out: &mut Traced) -> Result<(), Stop> {
        stacker::maybe_grow(192 << 10, 2 << 20, || nodes.iter().try_for_each(|node| self.node(node, scope, out)))
    }

    fn node(&mut self, node: &Node, scope: &Rc<Scope>, out: &mut Traced) -> Result<(), Stop> {
        match node {
            Node::Data(data) => self.emit(data, out),
            Node::Print(expr) => {
                let value = self.expr(expr, scope)?;
                self.print(&value, expr.at, out)
            }
            Node::Set(target, expr) => {
                let value = self.expr(expr, scope)?;
                self.assign(target, value, scope)
            }
            Node::SetBlock(target, filters, body) => {
                let value = self.captured(body, scope)?;
                let value = self.filtered(value, filters, scope)?;
                self.assign(target, value, scope)
            }
            Node::If(arms, otherwise) => self.condition(arms, otherwise, scope, out),
            Node::For(repeat) => self.repeat(repeat, scope, out),
            Node::Macro(found) => {
                if found.kind == MacroKind::Macro {
                    let value = self.closure(found.clone(), scope)?;
                    scope.set(&found.name, value);
                }
                Ok(())
            }
            Node::Call(block) => self.call_block(block, scope, out),
            Node::Filter(filters, body) => {
                let value = self.captured(body, scope)?;
                let value = self.filtered(value, filters, scope)?;
                self.print(&value, filters.first().map_or(start(), |filter| filter.at), out)
            }
            Node::Do(expr) => self.expr(expr, scope).map(drop),
            Node::With(values, body) => self.with(values, body, scope, out),
            Node::Break(_) => Err(Stop::Break),
            Node::Continue(_) => Err(Stop::Continue),
            Node::Block(_) => Ok(()),
        }
    }

    fn emit(&mut self, data: &Traced, out: &mut Traced) -> Result<(), Stop> {
        let at = data.sources().first().copied().unwrap_or(start());
        self.spend(1 + data.text().len() / 64, at)?;
        if out.text().len() + data.text().len() > self.limits.text {
            return fail(ErrorKind::Limit, format!("the output is longer than {} bytes", self.limits.text), at);
        }
        self.parted(data, out);
        out.append(data);
        Ok(())
    }

    /// Appends a value as it prints.
    fn print(&mut self, value: &Value, at: Span, out: &mut Traced) -> Result<(), Stop> {
        let text = match value {
            Value::Text(text) => text.clone(),
            other => Arc::new(show(other)),
        };
        self.spend(1 + text.text().len() / 64, at)?;
        if out.text().len() + text.text().len() > self.limits.text {
            return fail(ErrorKind::Limit, format!("the output is longer than {} bytes", self.limits.text), at);
        }
        let is_word = matches!(value, Value::Object(object) if object.is_word());
        if is_word && text.text().starts_with(is_of_word) && out.text().ends_with(is_of_word) {
            out.push(" ", Origin::Generated);
        } else {
            self.parted(&text, out);
        }
        out.append(&text);
        if is_word {
            self.word = Some((out.text().len(), text));
        }
        Ok(())
    }

    /// Parts what comes next from a word of its own that was printed right before it.
    fn parted(&mut self, next: &Traced, out: &mut Traced) {
        if next.is_empty() {
            return;
        }
        let Some((length, word)) = self.word.take() else { return };
        let is_last = out.text().len() == length && out.text().ends_with(word.text());
        if is_last && word.text().ends_with(is_of_word) && next.text().starts_with(is_of_word) {
            out.push(" ", Origin::Generated);
        }
    }

    /// What nodes render to, with names of their own.
    fn captured(&mut self, body: &[Node], scope: &Rc<Scope>) -> Result<Value, Stop> {
        let mut text = Traced::new();
        self.nodes(body, &Scope::inside(scope), &mut text)?;
        Ok(Value::text(text))
    }

    fn filtered(&mut self, mut value: Value, filters: &[Filter], scope: &Rc<Scope>) -> Result<Value, Stop> {
        for filter in filters {
            value = self.filter(value, filter, scope)?;
        }
        Ok(value)
    }

    fn condition(
        &mut self,
        arms: &[(Expr, Vec<Node>)],
        otherwise: &[Node],
        scope: &Rc<Scope>,
        out: &mut Traced,
    ) -> Result<(), Stop> {
        for (condition, body) in arms {
            let value = self.expr(condition, scope)?;
            if self.truth(&value, condition.at) {
                return self.nodes(body, scope, out);
            }
        }
        self.nodes(otherwise, scope, out)
    }

    fn with(
        &mut self,
        values: &[(Target, Expr)],
        body: &[Node],
        scope: &Rc<Scope>,
        out: &mut Traced,
    ) -> Result<(), Stop> {
        let inner = Scope::inside(scope);
        for (target, expr) in values {
            let value = self.expr(expr, &inner)?;
            self.assign(target, value, &inner)?;
        }
        self.nodes(body, &inner, out)
    }

    /// A macro that sees the names of a scope.
    pub(super) fn closure(
        &mut self,
        definition: Arc<crate::jinja::ast::Macro>,
        scope: &Rc<Scope>,
    ) -> Result<Value, Stop> {
        self.closures += 1;
        if self.closures > CLOSURES {
            return fail(ErrorKind::Limit, format!("more than {CLOSURES} macros are defined"), definition.at);
        }
        Ok(Value::Macro(Rc::new(MacroValue { definition, scope: scope.clone() })))
    }

    fn call_block(&mut self, block: &CallBlock, scope: &Rc<Scope>, out: &mut Traced) -> Result<(), Stop> {
        let ExprKind::Call(callee, arguments) = &block.call.kind else { return Ok(()) };
        let caller = self.closure(block.caller.clone(), scope)?;
        let value = self.call_expr(callee, arguments, Some(caller), block.call.at, scope)?;
        self.print(&value, block.call.at, out)
    }

    /// Assigns a value to what a target names.
    pub(super) fn assign(&mut self, target: &Target, value: Value, scope: &Rc<Scope>) -> Result<(), Stop> {
        match target {
            Target::Name(name, _) => scope.set(name, value),
            Target::Attribute(name, attribute, at) => match scope.get(name) {
                Some(Value::Namespace(dict)) => {
                    dict.insert_text(attribute, value);
                }
                _ => return fail(ErrorKind::Type, format!("`{name}` is no namespace, so its attributes stay"), *at),
            },
            Target::Tuple(targets, at) => {
                let values = self.unpacked(&value, targets.len(), *at)?;
                for (target, value) in targets.iter().zip(values) {
                    self.assign(target, value, scope)?;
                }
            }
        }
        Ok(())
    }

    /// The items of a value that several targets share.
    fn unpacked(&mut self, value: &Value, count: usize, at: Span) -> Result<Vec<Value>, Stop> {
        if let Value::Open(open) = value {
            let what = open.what.clone();
            return Ok((0..count).map(|item| self.open(&format!("{what}[{item}]"), at)).collect());
        }
        let values = self.items(value, at)?;
        if values.len() != count {
            let message = format!("{} values do not go into {count} names", values.len());
            return fail(ErrorKind::Type, message, at);
        }
        Ok(values)
    }
}

/// A place for what has none.
pub(super) fn start() -> Span {
    Span::new(crate::trace::FileId(0), 0..0)
}

/// Whether a letter is of a word.
fn is_of_word(letter: char) -> bool {
    letter == '_' || letter.is_alphanumeric()
}
