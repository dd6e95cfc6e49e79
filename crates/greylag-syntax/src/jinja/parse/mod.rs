//! From tokens to a tree.
//!
//! The grammar is Jinja2's, with dbt's tags. Nesting is bounded, so that no text makes this or whoever walks the tree run out
//! of stack.

mod blocks;
mod expression;
mod literal;
mod postfix;
mod signature;
mod statement;

pub use blocks::parse_blocks;

use super::ast::{Expr, Node, Reads, Template};
use super::error::{Error, ErrorKind};
use super::lex::{Token, lex, lex_expression};
use crate::trace::{FileId, Origin, Span, Traced};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// How deep tags, brackets and the like may stand in each other.
const DEPTH: usize = 100;

/// Reads the bytes `range` of a file's text as a template. As in Jinja2, the last line break is left out.
///
/// # Errors
/// What cannot be read, with its place.
pub fn parse(file: FileId, text: &str, range: Range<usize>) -> Result<Template, Error> {
    let at = Span::new(file, range.start as u32..range.end as u32);
    if text.get(range.clone()).is_none() {
        return Err(Error::at(ErrorKind::Syntax, "these bytes are not of the text", at));
    }
    let tokens = lex(file, text, range)?;
    let mut parser = Parser { text, tokens, at: 0, depth: 0, names: HashMap::new(), reads: Vec::new() };
    let (body, _) = parser.body(&[])?;
    Ok(Template { at, body })
}

/// Reads the bytes `range` of a file's text as one expression, without braces around it.
///
/// # Errors
/// What cannot be read, with its place.
pub fn parse_expression(file: FileId, text: &str, range: Range<usize>) -> Result<Expr, Error> {
    if text.get(range.clone()).is_none() {
        let at = Span::new(file, range.start as u32..range.end as u32);
        return Err(Error::at(ErrorKind::Syntax, "these bytes are not of the text", at));
    }
    let tokens = lex_expression(file, text, range)?;
    let mut parser = Parser { text, tokens, at: 0, depth: 0, names: HashMap::new(), reads: Vec::new() };
    let expr = parser.tuple(true, &[])?;
    parser.expect(Token::End)?;
    Ok(expr)
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<(Token, Span)>,
    at: usize,
    depth: usize,
    /// Names that were seen: one allocation for each.
    names: HashMap<&'a str, Arc<str>>,
    /// What the macros around this place read.
    reads: Vec<Reads>,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Token {
        self.token(0)
    }

    fn token(&self, ahead: usize) -> Token {
        self.tokens.get(self.at + ahead).map_or(Token::End, |(token, _)| *token)
    }

    fn span(&self) -> Span {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(Span::new(FileId(0), 0..0), |(_, span)| *span)
    }

    /// From the start of a span to the end of the last token that was taken.
    fn since(&self, start: Span) -> Span {
        let end = self.tokens.get(self.at.saturating_sub(1)).map_or(start.end, |(_, span)| span.end);
        Span { end: end.max(start.end), ..start }
    }

    fn next(&mut self) -> Span {
        let span = self.span();
        self.at += 1;
        span
    }

    fn source(&self, span: Span) -> &'a str {
        self.text.get(span.range()).unwrap_or_default()
    }

    /// The word at this place, if there is one.
    fn word(&self) -> Option<&'a str> {
        (self.peek() == Token::Name).then(|| self.source(self.span()))
    }

    fn is_word(&self, word: &str) -> bool {
        self.word() == Some(word)
    }

    fn skip_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    fn is_op(&self, operator: &str) -> bool {
        matches!(self.peek(), Token::Op(found) if found == operator)
    }

    fn skip_op(&mut self, operator: &str) -> bool {
        let found = self.is_op(operator);
        self.at += usize::from(found);
        found
    }

    fn expect_op(&mut self, operator: &str) -> Result<Span, Error> {
        if self.is_op(operator) { Ok(self.next()) } else { self.unexpected(&format!("`{operator}`")) }
    }

    fn expect(&mut self, token: Token) -> Result<Span, Error> {
        if self.peek() == token { Ok(self.next()) } else { self.unexpected(describe(token)) }
    }

    fn name(&mut self) -> Result<(Arc<str>, Span), Error> {
        let span = self.expect(Token::Name)?;
        Ok((self.intern(self.source(span)), span))
    }

    fn intern(&mut self, name: &'a str) -> Arc<str> {
        self.names.entry(name).or_insert_with(|| Arc::from(name)).clone()
    }

    fn fail<T>(&self, message: impl Into<String>, at: Span) -> Result<T, Error> {
        Err(Error::at(ErrorKind::Syntax, message, at))
    }

    fn unexpected<T>(&self, wanted: &str) -> Result<T, Error> {
        let found = match self.peek() {
            Token::Data => "text".to_owned(),
            Token::End => "the end of the template".to_owned(),
            _ => format!("`{}`", self.source(self.span())),
        };
        self.fail(format!("{found} stands where {wanted} is expected"), self.span())
    }

    /// One level deeper.
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if self.depth >= DEPTH {
            return Err(Error::at(ErrorKind::Limit, format!("nested deeper than {DEPTH} levels"), self.span()));
        }
        self.depth += 1;
        let result = stacker::maybe_grow(192 << 10, 2 << 20, || read(self));
        self.depth -= 1;
        result
    }

    /// Everything up to a tag that begins with one of the words, and that word, which is taken; or all the rest.
    fn body(&mut self, ends: &[&'static str]) -> Result<(Vec<Node>, &'static str), Error> {
        let mut nodes = Vec::new();
        loop {
            let span = self.span();
            match self.peek() {
                Token::Data => {
                    self.at += 1;
                    nodes.push(Node::Data(Arc::new(self.data(span))));
                }
                Token::PrintBegin => {
                    self.at += 1;
                    let expr = self.tuple(true, &[])?;
                    self.expect(Token::PrintEnd)?;
                    nodes.push(Node::Print(expr));
                }
                Token::BlockBegin => {
                    self.at += 1;
                    if let Some(end) = ends.iter().find(|end| self.is_word(end)) {
                        self.at += 1;
                        return Ok((nodes, end));
                    }
                    nodes.extend(self.deeper(Self::statement)?);
                }
                Token::End if ends.is_empty() => return Ok((nodes, "")),
                Token::End => return self.fail(format!("`{}` is missing", ends.join("` or `")), span),
                _ => return self.unexpected("text or a tag"),
            }
        }
    }

    /// Data with its origin; line breaks become `\n`.
    fn data(&self, span: Span) -> Traced {
        let text = self.source(span);
        if !text.contains('\r') {
            return Traced::of(text, Origin::Copied(span));
        }
        let mut data = Traced::new();
        let mut from = 0;
        for (at, _) in text.match_indices('\r') {
            let part = |range: Range<usize>| span.part(range.start as u32..range.end as u32);
            data.push(&text[from..at], Origin::Copied(part(from..at)));
            if !text[at + 1..].starts_with('\n') {
                data.push("\n", Origin::Made { of: [part(at..at + 1)].into(), mark: None });
            }
            from = at + 1;
        }
        data.push(&text[from..], Origin::Copied(span.part(from as u32..text.len() as u32)));
        data
    }
}

fn describe(token: Token) -> &'static str {
    match token {
        Token::BlockEnd => "`%}`",
        Token::PrintEnd => "`}}`",
        Token::Name => "a name",
        Token::Text => "a text in quotes",
        _ => "something else",
    }
}
