//! Cuts text into tokens without ever failing.
//!
//! The parser has a tokenizer of its own, but that one stops at the first thing that it cannot read, and its places are lines
//! and columns. This one only knows what names stand on: where words, quoted names, strings and comments begin and end. It is
//! who says where a statement ends, and every range of a reading is that of its tokens; what the parser says of places is
//! looked up here and compared, so a disagreement is found and not passed on.

use super::dialect::Dialect;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Letters without quotes: a keyword or a name.
    Word,
    /// A name in quotes.
    Quoted,
    /// A string of any form.
    Text,
    /// A number.
    Number,
    /// A parameter: `@x`, `:x`, `$1`, `?`.
    Parameter,
    /// One other character.
    Mark(u8),
}

/// A token at `start..end`, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) kind: Kind,
}

impl Token {
    pub(super) fn text<'a>(&self, text: &'a str) -> &'a str {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    pub(super) fn is(&self, text: &str, word: &str) -> bool {
        self.kind == Kind::Word && self.text(text).eq_ignore_ascii_case(word)
    }

    pub(super) fn is_any(&self, text: &str, words: &[&str]) -> bool {
        self.kind == Kind::Word && words.iter().any(|word| self.text(text).eq_ignore_ascii_case(word))
    }

    pub(super) fn mark(&self, mark: u8) -> bool {
        self.kind == Kind::Mark(mark)
    }
}

/// All tokens of `text`. Comments and space are none.
pub(super) fn lex(text: &str, dialect: Dialect) -> Vec<Token> {
    let mut lexer = Lexer { bytes: text.as_bytes(), at: 0, dialect, tokens: Vec::with_capacity(text.len() / 6) };
    while lexer.at < lexer.bytes.len() {
        lexer.next();
    }
    lexer.tokens
}

struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
    dialect: Dialect,
    tokens: Vec<Token>,
}

fn begins_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

fn goes_on(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn push(&mut self, start: usize, kind: Kind) {
        self.at = self.at.min(self.bytes.len());
        self.tokens.push(Token { start: start as u32, end: self.at as u32, kind });
    }

    fn next(&mut self) {
        let start = self.at;
        match self.peek(0) {
            byte if byte.is_ascii_whitespace() || byte == 0 || byte == 0x0b => self.at += 1,
            // The mark of the order of bytes, which some editors put at the beginning of a file.
            0xef if self.peek(1) == 0xbb && self.peek(2) == 0xbf => self.at += 3,
            b'-' if self.peek(1) == b'-' => self.line_comment(),
            b'#' if self.dialect == Dialect::BigQuery => self.line_comment(),
            b'#' if self.dialect == Dialect::ClickHouse && matches!(self.peek(1), b' ' | b'!') => self.line_comment(),
            b'/' if self.peek(1) == b'/' && self.dialect == Dialect::Snowflake => self.line_comment(),
            b'/' if self.peek(1) == b'*' => self.block_comment(),
            b'\'' => self.string(start, b'\'', self.dialect.backslash_escapes()),
            b'"' if self.dialect.double_quotes_are_strings() => self.string(start, b'"', true),
            quote @ (b'"' | b'`') => self.quoted(start, quote),
            b'$' if self.dialect.dollar_quotes() && self.dollar(start) => {}
            b'$' | b'@' => self.parameter(start),
            b':' if begins_word(self.peek(1)) && !self.after_operand() => self.parameter(start),
            b'?' => self.one(start, Kind::Parameter),
            byte if byte.is_ascii_digit() => self.number(start),
            b'.' if self.peek(1).is_ascii_digit() && !self.after_operand() => self.number(start),
            byte if begins_word(byte) => self.word(start),
            byte => self.one(start, Kind::Mark(byte)),
        }
    }

    fn one(&mut self, start: usize, kind: Kind) {
        self.at += 1;
        self.push(start, kind);
    }

    /// Whether the token just before this byte ends an operand, so that `.5` and `:x` are a path and not a number or parameter.
    fn after_operand(&self) -> bool {
        self.tokens.last().is_some_and(|last| {
            last.end as usize == self.at
                && matches!(
                    last.kind,
                    Kind::Word | Kind::Quoted | Kind::Text | Kind::Number | Kind::Mark(b')' | b']' | b':')
                )
        })
    }

    fn line_comment(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.at += rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        while self.at < self.bytes.len() {
            match (self.peek(0), self.peek(1)) {
                (b'/', b'*') if depth == 0 || self.dialect.comments_nest() => {
                    (depth, self.at) = (depth + 1, self.at + 2);
                }
                (b'*', b'/') => (depth, self.at) = (depth - 1, self.at + 2),
                _ => self.at += 1,
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// A string whose opening quote is here; three of them open a long one in BigQuery. One that never ends is none.
    fn string(&mut self, start: usize, quote: u8, escapes: bool) {
        let long = self.dialect == Dialect::BigQuery && self.peek(1) == quote && self.peek(2) == quote;
        self.at += if long { 3 } else { 1 };
        while self.at < self.bytes.len() {
            let doubled = self.peek(1) == quote;
            match self.peek(0) {
                b'\\' if escapes => self.at += 2,
                byte if byte == quote && long => {
                    if doubled && self.peek(2) == quote {
                        self.at += 3;
                        return self.push(start, Kind::Text);
                    }
                    self.at += 1;
                }
                byte if byte == quote && doubled => self.at += 2,
                byte if byte == quote => return self.one(start, Kind::Text),
                _ => self.at += 1,
            }
        }
        self.push(start, Kind::Mark(quote));
    }

    /// A quoted name; one that never ends is none.
    fn quoted(&mut self, start: usize, quote: u8) {
        self.at += 1;
        while self.at < self.bytes.len() {
            match self.peek(0) {
                b'\\' if self.dialect == Dialect::BigQuery => self.at += 2,
                byte if byte == quote && self.peek(1) == quote => self.at += 2,
                byte if byte == quote => return self.one(start, Kind::Quoted),
                _ => self.at += 1,
            }
        }
        self.push(start, Kind::Mark(quote));
    }

    /// A string between `$tag$` and `$tag$`; false when there is none here.
    fn dollar(&mut self, start: usize) -> bool {
        let rest = self.bytes.get(self.at + 1..).unwrap_or_default();
        let tag = rest.iter().position(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'_')).unwrap_or(rest.len());
        if rest.get(tag) != Some(&b'$') || rest.first().is_some_and(u8::is_ascii_digit) {
            return false;
        }
        let opening = self.bytes.get(self.at..self.at + tag + 2).unwrap_or_default();
        let body = self.at + opening.len();
        let mut at = body;
        while at < self.bytes.len() {
            let Some(next) = self.bytes.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'$')) else {
                break;
            };
            at += next;
            if self.bytes.get(at..).is_some_and(|rest| rest.starts_with(opening)) {
                self.at = at + opening.len();
                self.push(start, Kind::Text);
                return true;
            }
            at += 1;
        }
        self.at = self.bytes.len();
        self.push(start, Kind::Text);
        true
    }

    fn parameter(&mut self, start: usize) {
        self.at += 1;
        while matches!(self.peek(0), b'@' | b':') && self.at < start + 2 {
            self.at += 1;
        }
        while self.at < self.bytes.len() && goes_on(self.peek(0)) {
            self.at += 1;
        }
        self.push(start, Kind::Parameter);
    }

    fn number(&mut self, start: usize) {
        while self.at < self.bytes.len() {
            match self.peek(0) {
                b'.' if self.peek(1).is_ascii_digit() || !begins_word(self.peek(1)) => self.at += 1,
                b'+' | b'-'
                    if self.bytes.get(self.at - 1).is_some_and(|e| matches!(e, b'e' | b'E'))
                        && self.peek(1).is_ascii_digit() =>
                {
                    self.at += 1;
                }
                byte if goes_on(byte) => self.at += 1,
                _ => break,
            }
        }
        self.push(start, Kind::Number);
    }

    fn word(&mut self, start: usize) {
        while self.at < self.bytes.len() && goes_on(self.peek(0)) {
            self.at += 1;
        }
        let prefix = self.bytes.get(start..self.at).unwrap_or_default();
        let quote = self.peek(0);
        let opens = quote == b'\'' || (quote == b'"' && self.dialect.double_quotes_are_strings());
        if opens && prefix.len() <= 2 && prefix.iter().all(|byte| b"rRbBeExXnNuU".contains(byte)) {
            let escapes = self.dialect.backslash_escapes() || prefix.eq_ignore_ascii_case(b"e");
            return self.string(start, quote, escapes);
        }
        self.push(start, Kind::Word);
    }
}
