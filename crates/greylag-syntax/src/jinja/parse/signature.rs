//! Macros with their parameters, and what they read.

use super::super::ast::{Expr, ExprKind, Macro, MacroKind, Node, Parameter, Reads};
use super::super::error::Error;
use super::super::lex::Token;
use super::Parser;
use crate::trace::Span;
use std::sync::Arc;

impl Parser<'_> {
    /// A macro or test, behind its tag's word. `open` is where its first tag begins.
    pub(super) fn macro_definition(
        &mut self,
        kind: MacroKind,
        open: Span,
        ends: &[&'static str],
    ) -> Result<Node, Error> {
        let (name, name_at) = self.name()?;
        self.reads.push(Reads::default());
        let parameters = self.signature()?;
        self.macro_body(kind, name, name_at, parameters, open, ends).map(|found| Node::Macro(Arc::new(found)))
    }

    /// `{% materialization name, adapter='x' %}`.
    pub(super) fn materialization(&mut self, open: Span) -> Result<Node, Error> {
        let (name, name_at) = self.name()?;
        let mut adapter = "default".to_owned();
        self.reads.push(Reads::default());
        let mut parameters = Vec::new();
        while self.skip_op(",") {
            let (word, _) = self.name()?;
            if !self.skip_op("=") {
                continue;
            }
            let value = self.expression()?;
            match (&*word, value.kind) {
                ("adapter", ExprKind::Text(text)) => text.text().clone_into(&mut adapter),
                (_, kind) => parameters.push(Parameter { name: word, default: Some(Expr { kind, at: value.at }) }),
            }
        }
        let name = Arc::from(format!("materialization_{name}_{adapter}"));
        let kind = MacroKind::Materialization;
        let found = self.macro_body(kind, name, name_at, parameters, open, &["endmaterialization"])?;
        Ok(Node::Macro(Arc::new(found)))
    }

    /// The rest of a macro behind its parameters; what it reads was begun by the caller.
    pub(super) fn macro_body(
        &mut self,
        kind: MacroKind,
        name: Arc<str>,
        name_at: Span,
        parameters: Vec<Parameter>,
        open: Span,
        ends: &[&'static str],
    ) -> Result<Macro, Error> {
        self.expect(Token::BlockEnd)?;
        let (body, _) = self.body(ends)?;
        if kind == MacroKind::Macro && self.peek() == Token::Name {
            self.at += 1;
        }
        self.expect(Token::BlockEnd)?;
        let reads = self.reads.pop().unwrap_or_default();
        Ok(Macro { kind, name, name_at, parameters, body, at: self.since(open), reads })
    }

    /// `(a, b: type, c=default)`.
    pub(super) fn signature(&mut self) -> Result<Vec<Parameter>, Error> {
        let mut parameters: Vec<Parameter> = Vec::new();
        self.expect_op("(")?;
        while !self.is_op(")") {
            if !parameters.is_empty() {
                self.expect_op(",")?;
            }
            let (name, at) = self.name()?;
            if self.skip_op(":") {
                self.deeper(Self::type_name)?;
            }
            let default = if self.skip_op("=") { Some(self.expression()?) } else { None };
            if default.is_none() && parameters.last().is_some_and(|last| last.default.is_some()) {
                return self.fail(format!("parameter `{name}` without a default follows one with a default"), at);
            }
            parameters.push(Parameter { name, default });
        }
        self.expect_op(")")?;
        Ok(parameters)
    }

    /// A type of a parameter, which is left out.
    fn type_name(&mut self) -> Result<(), Error> {
        self.name()?;
        if self.skip_op("[") {
            while !self.skip_op("]") {
                self.deeper(Self::type_name)?;
                self.skip_op(",");
            }
        }
        Ok(())
    }

    /// Notes that a name is read.
    pub(super) fn note_read(&mut self, name: &str) {
        if let Some(reads) = self.reads.last_mut() {
            match name {
                "varargs" => reads.varargs = true,
                "kwargs" => reads.kwargs = true,
                "caller" => reads.caller = true,
                _ => {}
            }
        }
    }
}
