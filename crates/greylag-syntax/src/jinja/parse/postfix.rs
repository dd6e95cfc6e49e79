//! What stands behind a value: attributes, subscripts, calls, filters and tests.

use super::super::ast::{Arguments, Expr, ExprKind, Filter};
use super::super::error::Error;
use super::super::lex::Token;
use super::{DEPTH, Parser};
use crate::trace::Span;
use std::sync::Arc;

impl Parser<'_> {
    /// What stands behind a value. Each link is a level of the tree, and counts as one.
    pub(super) fn postfix(&mut self, mut value: Expr, filters: bool) -> Result<Expr, Error> {
        let start = value.at;
        let mut links = 0;
        let mut filtered = false;
        loop {
            value = match self.peek() {
                Token::Op(".") if !filtered => self.attribute(value)?,
                Token::Op("[") if !filtered => self.subscript(value)?,
                Token::Op("(") => {
                    let arguments = self.arguments()?;
                    Expr { kind: ExprKind::Call(Box::new(value), arguments), at: self.since(start) }
                }
                Token::Op("|") if filters => {
                    filtered = true;
                    self.at += 1;
                    let filter = self.filter_name()?;
                    Expr { kind: ExprKind::Filter(Box::new(value), filter), at: self.since(start) }
                }
                Token::Name if filters && self.is_word("is") => {
                    filtered = true;
                    self.test(value, start)?
                }
                _ => return Ok(value),
            };
            links += 1;
            if links > DEPTH {
                return self.fail("too many filters or attributes after each other", self.span());
            }
        }
    }

    fn attribute(&mut self, value: Expr) -> Result<Expr, Error> {
        let start = value.at;
        self.expect_op(".")?;
        if self.peek() == Token::Int {
            let index = self.primary()?;
            return Ok(Expr { kind: ExprKind::Item(Box::new(value), Box::new(index)), at: self.since(start) });
        }
        let (name, _) = self.name()?;
        Ok(Expr { kind: ExprKind::Attribute(Box::new(value), name), at: self.since(start) })
    }

    fn subscript(&mut self, value: Expr) -> Result<Expr, Error> {
        let start = value.at;
        let open = self.expect_op("[")?;
        let mut parts = Vec::new();
        while !self.is_op("]") {
            parts.push(self.deeper(Self::subscript_part)?);
            if !self.skip_op(",") {
                break;
            }
        }
        self.expect_op("]")?;
        let kind = match (parts.len(), parts.pop()) {
            (_, None) => return self.fail("a subscript is missing", open),
            (1, Some(Subscript::Slice(slice))) => ExprKind::Slice(Box::new(value), slice),
            (1, Some(Subscript::Index(index))) => ExprKind::Item(Box::new(value), Box::new(index)),
            _ => return self.fail("a subscript of several parts is not supported", open),
        };
        Ok(Expr { kind, at: self.since(start) })
    }

    fn subscript_part(&mut self) -> Result<Subscript, Error> {
        let mut parts = [None, None, None];
        let mut colons = 0;
        loop {
            if self.skip_op(":") {
                colons += 1;
                if colons > 2 {
                    return self.unexpected("`]`");
                }
            } else if self.is_op("]") || self.is_op(",") {
                break;
            } else if parts[colons].is_none() {
                parts[colons] = Some(self.expression()?);
            } else {
                return self.unexpected("`:` or `]`");
            }
        }
        match (colons, parts) {
            (0, [Some(index), ..]) => Ok(Subscript::Index(index)),
            (0, _) => self.unexpected("a subscript"),
            (_, parts) => Ok(Subscript::Slice(Box::new(parts))),
        }
    }

    /// A name with dots.
    fn dotted(&mut self) -> Result<(Arc<str>, Span), Error> {
        let (mut name, at) = self.name()?;
        while self.skip_op(".") {
            name = Arc::from(format!("{name}.{}", self.name()?.0));
        }
        Ok((name, self.since(at)))
    }

    /// A filter behind its `|`.
    pub(super) fn filter_name(&mut self) -> Result<Filter, Error> {
        let (name, at) = self.dotted()?;
        let arguments = if self.is_op("(") { self.arguments()? } else { Arguments::default() };
        Ok(Filter { name, arguments, at })
    }

    fn test(&mut self, value: Expr, start: Span) -> Result<Expr, Error> {
        self.at += 1;
        let negated = self.skip_word("not");
        let (name, at) = self.dotted()?;
        let mut arguments = Arguments::default();
        let literal =
            matches!(self.peek(), Token::Name | Token::Text | Token::Int | Token::Float | Token::Op("[" | "{"));
        if self.is_op("(") {
            arguments = self.arguments()?;
        } else if literal && !["else", "or", "and", "if", "is"].iter().any(|word| self.is_word(word)) && !self.is_not()
        {
            let first = self.primary()?;
            arguments.positional.push(self.postfix(first, false)?);
        } else if self.is_word("is") {
            return self.fail("tests cannot follow each other", self.span());
        }
        let test = Filter { name, arguments, at };
        Ok(Expr { kind: ExprKind::Test(Box::new(value), test, negated), at: self.since(start) })
    }

    fn is_not(&self) -> bool {
        self.is_word("not") || self.is_word("in")
    }

    /// `(a, b, c=d, *e, **f)`.
    pub(super) fn arguments(&mut self) -> Result<Arguments, Error> {
        self.expect_op("(")?;
        let mut arguments = Arguments::default();
        while !self.is_op(")") {
            self.argument(&mut arguments)?;
            if !self.skip_op(",") {
                break;
            }
        }
        self.expect_op(")")?;
        Ok(arguments)
    }

    fn argument(&mut self, arguments: &mut Arguments) -> Result<(), Error> {
        let at = self.span();
        if self.skip_op("**") {
            arguments.several_named = Some(Box::new(self.expression()?));
        } else if self.skip_op("*") {
            arguments.several = Some(Box::new(self.expression()?));
        } else if self.peek() == Token::Name && self.token(1) == Token::Op("=") {
            let (name, _) = self.name()?;
            self.at += 1;
            let value = self.expression()?;
            arguments.named.push((name, value));
        } else if arguments.named.is_empty() && arguments.several_named.is_none() {
            let value = self.expression()?;
            arguments.positional.push(value);
        } else {
            return self.fail("a positional argument stands behind a named one", at);
        }
        Ok(())
    }
}

enum Subscript {
    Index(Expr),
    Slice(Box<[Option<Expr>; 3]>),
}
