//! Tags.

use super::super::ast::{CallBlock, Expr, ExprKind, Filter, For, MacroKind, NamedBlock, Node, Reads, Target};
use super::super::error::Error;
use super::super::lex::Token;
use super::Parser;
use crate::trace::Span;
use std::sync::Arc;

impl Parser<'_> {
    /// A tag, from the word behind `{%`. A tag that means nothing here gives no node.
    pub(super) fn statement(&mut self) -> Result<Option<Node>, Error> {
        let open = self.tokens.get(self.at.saturating_sub(1)).map_or(self.span(), |(_, span)| *span);
        let Some(word) = self.word() else { return self.unexpected("the name of a tag") };
        let at = self.next();
        let node = match word {
            "set" => self.set()?,
            "if" => self.condition()?,
            "for" => self.repeat()?,
            "macro" => self.macro_definition(MacroKind::Macro, open, &["endmacro"])?,
            "test" => self.macro_definition(MacroKind::Test, open, &["endtest"])?,
            "data_test" => self.macro_definition(MacroKind::Test, open, &["enddata_test"])?,
            "materialization" => self.materialization(open)?,
            "snapshot" => self.named_block("snapshot", &["endsnapshot"])?,
            "docs" => self.named_block("docs", &["enddocs"])?,
            "call" => self.call_block(open)?,
            "filter" => self.filter_block()?,
            "with" => self.with()?,
            "print" => self.tag_end(|parser| Ok(Node::Print(parser.tuple(true, &[])?)))?,
            "do" => self.tag_end(|parser| Ok(Node::Do(parser.tuple(true, &[])?)))?,
            "break" => self.tag_end(|_| Ok(Node::Break(at)))?,
            "continue" => self.tag_end(|_| Ok(Node::Continue(at)))?,
            "import" | "from" | "include" | "extends" | "block" | "autoescape" | "trans" => {
                return self
                    .fail(format!("the tag `{word}` is not supported: dbt has no templates that load others"), at);
            }
            _ => return self.fail(format!("there is no tag `{word}`"), at),
        };
        Ok(Some(node))
    }

    fn tag_end(&mut self, read: impl FnOnce(&mut Self) -> Result<Node, Error>) -> Result<Node, Error> {
        let node = read(self)?;
        self.expect(Token::BlockEnd)?;
        Ok(node)
    }

    fn set(&mut self) -> Result<Node, Error> {
        let target = self.target(true)?;
        if self.skip_op("=") {
            let value = self.tuple(true, &[])?;
            self.expect(Token::BlockEnd)?;
            return Ok(Node::Set(target, value));
        }
        let filters = self.filters()?;
        self.expect(Token::BlockEnd)?;
        let (body, _) = self.body(&["endset"])?;
        self.expect(Token::BlockEnd)?;
        Ok(Node::SetBlock(target, filters, body))
    }

    /// `| a | b(c)`, without a value before.
    fn filters(&mut self) -> Result<Vec<Filter>, Error> {
        let mut filters = Vec::new();
        while self.skip_op("|") {
            filters.push(self.filter_name()?);
        }
        Ok(filters)
    }

    fn condition(&mut self) -> Result<Node, Error> {
        let mut arms = Vec::new();
        loop {
            let condition = self.tuple(false, &[])?;
            self.expect(Token::BlockEnd)?;
            let (body, end) = self.body(&["elif", "else", "endif"])?;
            arms.push((condition, body));
            match end {
                "elif" => {}
                "else" => {
                    self.expect(Token::BlockEnd)?;
                    let (otherwise, _) = self.body(&["endif"])?;
                    self.expect(Token::BlockEnd)?;
                    return Ok(Node::If(arms, otherwise));
                }
                _ => {
                    self.expect(Token::BlockEnd)?;
                    return Ok(Node::If(arms, Vec::new()));
                }
            }
        }
    }

    fn repeat(&mut self) -> Result<Node, Error> {
        let target = self.target(false)?;
        if !self.skip_word("in") {
            return self.unexpected("`in`");
        }
        let items = self.tuple(false, &["recursive"])?;
        let filter = if self.skip_word("if") { Some(self.expression()?) } else { None };
        if self.is_word("recursive") {
            return self.fail("a recursive loop is not supported", self.span());
        }
        self.expect(Token::BlockEnd)?;
        let (body, end) = self.body(&["else", "endfor"])?;
        self.expect(Token::BlockEnd)?;
        let mut otherwise = Vec::new();
        if end == "else" {
            (otherwise, _) = self.body(&["endfor"])?;
            self.expect(Token::BlockEnd)?;
        }
        Ok(Node::For(Box::new(For { target, items, filter, body, otherwise })))
    }

    fn named_block(&mut self, kind: &'static str, ends: &[&'static str]) -> Result<Node, Error> {
        let (name, name_at) = self.name()?;
        let begin = self.expect(Token::BlockEnd)?;
        let (body, _) = self.body(ends)?;
        let end = self.tokens.get(self.at.saturating_sub(2)).map_or(begin, |(_, span)| *span);
        self.expect(Token::BlockEnd)?;
        let inner = Span { start: begin.end, end: end.start.max(begin.end), ..begin };
        let kind = Arc::from(kind);
        Ok(Node::Block(Box::new(NamedBlock { kind, name, name_at, body, inner })))
    }

    fn call_block(&mut self, open: Span) -> Result<Node, Error> {
        self.reads.push(Reads::default());
        let parameters = if self.is_op("(") { self.signature()? } else { Vec::new() };
        let outer = self.reads.pop().unwrap_or_default();
        let call = self.expression()?;
        if !matches!(call.kind, ExprKind::Call(..)) {
            return self.fail("`call` needs a call behind it", call.at);
        }
        self.reads.push(outer);
        let name = Arc::from("caller");
        let found = self.macro_body(MacroKind::Caller, name, call.at, parameters, open, &["endcall"])?;
        // What a nested caller reads of the macro around it, the macro reads.
        if let Some(reads) = self.reads.last_mut() {
            reads.varargs |= found.reads.varargs;
            reads.kwargs |= found.reads.kwargs;
            reads.caller |= found.reads.caller;
        }
        Ok(Node::Call(Box::new(CallBlock { call, caller: Arc::new(found) })))
    }

    fn filter_block(&mut self) -> Result<Node, Error> {
        let mut filters = vec![self.filter_name()?];
        filters.extend(self.filters()?);
        self.expect(Token::BlockEnd)?;
        let (body, _) = self.body(&["endfilter"])?;
        self.expect(Token::BlockEnd)?;
        Ok(Node::Filter(filters, body))
    }

    fn with(&mut self) -> Result<Node, Error> {
        let mut values: Vec<(Target, Expr)> = Vec::new();
        while self.peek() != Token::BlockEnd {
            if !values.is_empty() {
                self.expect_op(",")?;
            }
            let target = self.target(false)?;
            self.expect_op("=")?;
            values.push((target, self.expression()?));
        }
        self.expect(Token::BlockEnd)?;
        let (body, _) = self.body(&["endwith"])?;
        self.expect(Token::BlockEnd)?;
        Ok(Node::With(values, body))
    }

    /// `a`, `a, b`, `(a, b)`, and `a.b` where a namespace may be assigned to.
    fn target(&mut self, namespace: bool) -> Result<Target, Error> {
        let start = self.span();
        let first = self.single_target(namespace)?;
        if !self.is_op(",") {
            return Ok(first);
        }
        let mut targets = vec![first];
        while self.skip_op(",") {
            if self.is_op("=") || self.is_op(")") || self.is_word("in") {
                break;
            }
            targets.push(self.single_target(namespace)?);
        }
        Ok(Target::Tuple(targets, self.since(start)))
    }

    fn single_target(&mut self, namespace: bool) -> Result<Target, Error> {
        let start = self.span();
        if self.skip_op("(") {
            let inner = self.deeper(|parser| parser.target(namespace))?;
            self.expect_op(")")?;
            return Ok(inner);
        }
        let (name, _) = self.name()?;
        if namespace && self.skip_op(".") {
            let (attribute, _) = self.name()?;
            return Ok(Target::Attribute(name, attribute, self.since(start)));
        }
        if matches!(&*name, "true" | "false" | "none" | "True" | "False" | "None") {
            return self.fail(format!("`{name}` cannot be assigned to"), start);
        }
        Ok(Target::Name(name, start))
    }
}
