//! Expressions, from those that bind least to literals.

use super::super::ast::{Comparison, Expr, ExprKind, Operator};
use super::super::error::Error;
use super::super::lex::Token;
use super::super::value::float_text;
use super::Parser;
use super::literal;
use crate::trace::{Origin, Span, Traced};
use std::sync::Arc;

impl Parser<'_> {
    /// An expression, or several with commas as a tuple. Without `conditional`, an `if` ends it, and so do the words.
    pub(super) fn tuple(&mut self, conditional: bool, ends: &[&str]) -> Result<Expr, Error> {
        let start = self.span();
        let mut items = Vec::new();
        let mut comma = false;
        while !self.tuple_ends(ends) {
            items.push(if conditional { self.expression()? } else { self.deeper(Self::or)? });
            comma = self.skip_op(",");
            if !comma {
                break;
            }
        }
        match (items.len(), comma) {
            (0, _) => self.unexpected("an expression"),
            (1, false) => Ok(items.swap_remove(0)),
            _ => Ok(Expr { kind: ExprKind::Tuple(items), at: self.since(start) }),
        }
    }

    fn tuple_ends(&self, ends: &[&str]) -> bool {
        matches!(self.peek(), Token::PrintEnd | Token::BlockEnd | Token::End)
            || self.is_op(")")
            || ends.iter().any(|end| self.is_word(end))
    }

    /// An expression without bare commas.
    pub(super) fn expression(&mut self) -> Result<Expr, Error> {
        self.deeper(Self::conditional)
    }

    fn conditional(&mut self) -> Result<Expr, Error> {
        let start = self.span();
        let mut value = self.or()?;
        let mut links = 0;
        while self.skip_word("if") {
            links += 1;
            if links > super::DEPTH {
                return self.fail("too many conditions after each other", self.span());
            }
            let condition = self.or()?;
            let otherwise = if self.skip_word("else") { Some(Box::new(self.expression()?)) } else { None };
            value = Expr { kind: ExprKind::If(Box::new([condition, value]), otherwise), at: self.since(start) };
        }
        Ok(value)
    }

    pub(super) fn or(&mut self) -> Result<Expr, Error> {
        self.chain("or", Self::and, ExprKind::Or)
    }

    fn and(&mut self) -> Result<Expr, Error> {
        self.chain("and", Self::not, ExprKind::And)
    }

    fn chain(
        &mut self,
        word: &str,
        mut operand: impl FnMut(&mut Self) -> Result<Expr, Error>,
        kind: fn(Vec<Expr>) -> ExprKind,
    ) -> Result<Expr, Error> {
        let start = self.span();
        let first = operand(self)?;
        if !self.is_word(word) {
            return Ok(first);
        }
        let mut operands = vec![first];
        while self.skip_word(word) {
            operands.push(operand(self)?);
        }
        Ok(Expr { kind: kind(operands), at: self.since(start) })
    }

    fn not(&mut self) -> Result<Expr, Error> {
        let start = self.span();
        if self.is_word("not") {
            self.at += 1;
            let inner = self.deeper(Self::not)?;
            return Ok(Expr { kind: ExprKind::Not(Box::new(inner)), at: self.since(start) });
        }
        self.compare()
    }

    fn compare(&mut self) -> Result<Expr, Error> {
        let start = self.span();
        let first = self.sum()?;
        let mut others = Vec::new();
        while let Some(comparison) = self.comparison() {
            others.push((comparison, self.sum()?));
        }
        if others.is_empty() {
            return Ok(first);
        }
        Ok(Expr { kind: ExprKind::Compare(Box::new(first), others), at: self.since(start) })
    }

    fn comparison(&mut self) -> Option<Comparison> {
        let (found, tokens) = match self.peek() {
            Token::Op("==") => (Comparison::Equal, 1),
            Token::Op("!=") => (Comparison::NotEqual, 1),
            Token::Op("<") => (Comparison::Less, 1),
            Token::Op("<=") => (Comparison::LessEqual, 1),
            Token::Op(">") => (Comparison::Greater, 1),
            Token::Op(">=") => (Comparison::GreaterEqual, 1),
            Token::Name if self.is_word("in") => (Comparison::In, 1),
            Token::Name if self.is_word("not") && self.next_is_in() => (Comparison::NotIn, 2),
            _ => return None,
        };
        self.at += tokens;
        Some(found)
    }

    fn next_is_in(&self) -> bool {
        self.tokens.get(self.at + 1).is_some_and(|(token, span)| *token == Token::Name && self.source(*span) == "in")
    }

    fn sum(&mut self) -> Result<Expr, Error> {
        self.arithmetic(&[("+", Operator::Add), ("-", Operator::Subtract)], Self::concat)
    }

    fn concat(&mut self) -> Result<Expr, Error> {
        let start = self.span();
        let first = self.product()?;
        if !self.is_op("~") {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.skip_op("~") {
            parts.push(self.product()?);
        }
        Ok(Expr { kind: ExprKind::Concat(parts), at: self.since(start) })
    }

    fn product(&mut self) -> Result<Expr, Error> {
        let operators = [
            ("*", Operator::Multiply),
            ("/", Operator::Divide),
            ("//", Operator::FloorDivide),
            ("%", Operator::Modulo),
        ];
        self.arithmetic(&operators, Self::power)
    }

    fn power(&mut self) -> Result<Expr, Error> {
        self.arithmetic(&[("**", Operator::Power)], |parser| parser.unary(true))
    }

    fn arithmetic(
        &mut self,
        operators: &[(&str, Operator)],
        mut operand: impl FnMut(&mut Self) -> Result<Expr, Error>,
    ) -> Result<Expr, Error> {
        let start = self.span();
        let first = operand(self)?;
        let mut others = Vec::new();
        while let Some((_, operator)) = operators.iter().find(|(sign, _)| self.is_op(sign)) {
            self.at += 1;
            others.push((*operator, operand(self)?));
        }
        if others.is_empty() {
            return Ok(first);
        }
        Ok(Expr { kind: ExprKind::Arithmetic(Box::new(first), others), at: self.since(start) })
    }

    fn unary(&mut self, filters: bool) -> Result<Expr, Error> {
        let start = self.span();
        let inner = if self.skip_op("-") {
            let inner = self.deeper(|parser| parser.unary(false))?;
            Expr { kind: ExprKind::Negative(Box::new(inner)), at: self.since(start) }
        } else if self.skip_op("+") {
            let inner = self.deeper(|parser| parser.unary(false))?;
            Expr { kind: ExprKind::Positive(Box::new(inner)), at: self.since(start) }
        } else {
            self.primary()?
        };
        self.postfix(inner, filters)
    }

    pub(super) fn primary(&mut self) -> Result<Expr, Error> {
        let at = self.span();
        match self.peek() {
            Token::Name => Ok(self.name_or_constant(at)),
            Token::Text => Ok(self.text(at)),
            Token::Int => {
                self.at += 1;
                let source = self.source(at);
                // What is too large to calculate with is still printed as it is written.
                let digits = || Arc::new(Traced::of(source, Origin::Copied(at)));
                let kind = literal::int(source).map_or_else(|| ExprKind::Text(digits()), ExprKind::Int);
                Ok(Expr { kind, at })
            }
            Token::Float => {
                self.at += 1;
                let number = literal::float(self.source(at), at)?;
                let written = (float_text(number) == self.source(at)).then_some(at);
                Ok(Expr { kind: ExprKind::Float(number, written), at })
            }
            Token::Op("(") => self.parenthesised(at),
            Token::Op("[") => self.deeper(|parser| parser.list(at)),
            Token::Op("{") => self.deeper(|parser| parser.dict(at)),
            _ => self.unexpected("an expression"),
        }
    }

    fn name_or_constant(&mut self, at: Span) -> Expr {
        self.at += 1;
        let name = self.source(at);
        let kind = match name {
            "true" | "True" => ExprKind::Bool(true),
            "false" | "False" => ExprKind::Bool(false),
            "none" | "None" => ExprKind::None,
            _ => {
                self.note_read(name);
                ExprKind::Name(self.intern(name))
            }
        };
        Expr { kind, at }
    }

    fn text(&mut self, start: Span) -> Expr {
        self.at += 1;
        let mut value = literal::text(self.source(start), start);
        while self.peek() == Token::Text {
            let at = self.next();
            value.append(&literal::text(self.source(at), at));
        }
        Expr { kind: ExprKind::Text(Arc::new(value)), at: self.since(start) }
    }

    fn parenthesised(&mut self, at: Span) -> Result<Expr, Error> {
        self.at += 1;
        if self.skip_op(")") {
            return Ok(Expr { kind: ExprKind::Tuple(Vec::new()), at: self.since(at) });
        }
        let inner = self.tuple(true, &[])?;
        self.expect_op(")")?;
        Ok(inner)
    }

    fn list(&mut self, at: Span) -> Result<Expr, Error> {
        self.at += 1;
        let mut items = Vec::new();
        while !self.is_op("]") {
            items.push(self.expression()?);
            if !self.skip_op(",") {
                break;
            }
        }
        self.expect_op("]")?;
        Ok(Expr { kind: ExprKind::List(items), at: self.since(at) })
    }

    fn dict(&mut self, at: Span) -> Result<Expr, Error> {
        self.at += 1;
        let mut entries = Vec::new();
        while !self.is_op("}") {
            let key = self.expression()?;
            self.expect_op(":")?;
            entries.push((key, self.expression()?));
            if !self.skip_op(",") {
                break;
            }
        }
        self.expect_op("}")?;
        Ok(Expr { kind: ExprKind::Dict(entries), at: self.since(at) })
    }
}
