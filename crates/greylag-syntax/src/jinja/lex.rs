//! From text to tokens.
//!
//! Outside of tags there is data; inside of tags there are names, numbers, strings and operators. `-` beside a delimiter takes
//! the white space next to it away. As in dbt, tags keep the line break behind them, blanks before them stay, and of a file's
//! last line break one is left out. Line breaks of other systems count as `\n`.

use super::error::{Error, ErrorKind};
use crate::trace::{FileId, Span};
use std::ops::Range;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// Text outside of tags.
    Data,
    /// `{%`.
    BlockBegin,
    /// `%}`.
    BlockEnd,
    /// `{{`.
    PrintBegin,
    /// `}}`.
    PrintEnd,
    /// A name or keyword.
    Name,
    /// Text with its quotes.
    Text,
    /// A whole number.
    Int,
    /// Another number.
    Float,
    /// An operator or bracket.
    Op(&'static str),
    /// Nothing more.
    End,
}

/// The operators, the longer before those that they begin with.
const OPERATORS: [&str; 25] = [
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".",
    ":", "|", ",",
];

/// Whether Python's `str.strip` takes a character away.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

/// The tokens of the bytes `range` of a text.
pub(super) fn lex(file: FileId, text: &str, range: Range<usize>) -> Result<Vec<(Token, Span)>, Error> {
    let end = without_last_break(text, &range);
    let mut lexer = Lexer { text, file, at: range.start, end, strip: false, tokens: Vec::new() };
    while lexer.at < lexer.end {
        lexer.outside()?;
    }
    lexer.push(Token::End, end, end);
    Ok(lexer.tokens)
}

/// The tokens of the bytes `range` of a text, which is what stands between braces.
pub(super) fn lex_expression(file: FileId, text: &str, range: Range<usize>) -> Result<Vec<(Token, Span)>, Error> {
    let mut lexer = Lexer { text, file, at: range.start, end: range.end, strip: false, tokens: Vec::new() };
    let mut brackets = Vec::new();
    loop {
        let rest = lexer.rest();
        lexer.at += rest.len() - rest.trim_start_matches(is_space).len();
        if lexer.at >= lexer.end {
            break;
        }
        lexer.token(&mut brackets)?;
    }
    lexer.push(Token::End, range.end, range.end);
    Ok(lexer.tokens)
}

/// The end of a text without its last line break.
fn without_last_break(text: &str, range: &Range<usize>) -> usize {
    let inner = &text[range.clone()];
    let rest = inner.strip_suffix("\r\n").or_else(|| inner.strip_suffix(['\n', '\r'])).unwrap_or(inner);
    range.start + rest.len()
}

struct Lexer<'a> {
    text: &'a str,
    file: FileId,
    at: usize,
    end: usize,
    /// Whether the tag before takes white space away.
    strip: bool,
    tokens: Vec<(Token, Span)>,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..self.end]
    }

    fn span(&self, from: usize, to: usize) -> Span {
        Span::new(self.file, from as u32..to as u32)
    }

    fn push(&mut self, token: Token, from: usize, to: usize) {
        let span = self.span(from, to);
        self.tokens.push((token, span));
    }

    fn fail<T>(&self, message: impl Into<String>, from: usize) -> Result<T, Error> {
        Err(Error::at(ErrorKind::Syntax, message, self.span(from, from)))
    }

    /// Where the next delimiter begins, or the end.
    fn next_delimiter(&self) -> usize {
        let rest = self.rest();
        let mut from = 0;
        while let Some(found) = rest[from..].find('{') {
            let at = from + found;
            if matches!(rest.as_bytes().get(at + 1), Some(b'%' | b'{' | b'#')) {
                return self.at + at;
            }
            from = at + 1;
        }
        self.end
    }

    /// Data up to the next delimiter, and what it delimits.
    fn outside(&mut self) -> Result<(), Error> {
        if std::mem::take(&mut self.strip) {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start_matches(is_space).len();
        }
        let open = self.next_delimiter();
        let mut data_end = open;
        let sign = self.text.as_bytes()[..self.end].get(open + 2).copied();
        if open < self.end && sign == Some(b'-') {
            data_end = self.at + self.text[self.at..open].trim_end_matches(is_space).len();
        }
        if data_end > self.at {
            self.push(Token::Data, self.at, data_end);
        }
        self.at = open;
        if open == self.end {
            return Ok(());
        }
        match self.text.as_bytes().get(open + 1) {
            Some(b'#') => self.comment(),
            Some(b'%') => match self.raw_begin() {
                Some(after) => self.raw(open, after),
                None => self.inside(Token::BlockBegin),
            },
            _ => self.inside(Token::PrintBegin),
        }
    }

    fn comment(&mut self) -> Result<(), Error> {
        let open = self.at;
        let Some(close) = self.text[open + 2..self.end].find("#}") else {
            return self.fail("a comment has no end: `#}` is missing", open);
        };
        let close = open + 2 + close;
        self.strip = self.text.as_bytes().get(close - 1) == Some(&b'-');
        self.at = close + 2;
        Ok(())
    }

    /// Behind a `{% word %}` that begins at a place, and whether it strips what follows.
    fn lone_tag(&self, at: usize, word: &str) -> Option<(usize, bool)> {
        let rest = self.text[at..self.end].strip_prefix("{%")?;
        let rest = rest.strip_prefix(['-', '+']).unwrap_or(rest).trim_start_matches(is_space);
        let rest = rest.strip_prefix(word)?.trim_start_matches(is_space);
        let (rest, strip) = match rest.strip_prefix("-%}") {
            Some(rest) => (rest, true),
            None => (rest.strip_prefix("%}").or_else(|| rest.strip_prefix("+%}"))?, false),
        };
        Some((self.end - rest.len(), strip))
    }

    fn raw_begin(&self) -> Option<(usize, bool)> {
        self.lone_tag(self.at, "raw")
    }

    fn raw(&mut self, open: usize, (mut begin, strip): (usize, bool)) -> Result<(), Error> {
        if strip {
            begin = self.end - self.text[begin..self.end].trim_start_matches(is_space).len();
        }
        let mut from = begin;
        while let Some(found) = self.text[from..self.end].find("{%") {
            let at = from + found;
            if let Some((after, strip)) = self.lone_tag(at, "endraw") {
                let body = &self.text[begin..at];
                let trimmed = if self.text.as_bytes().get(at + 2) == Some(&b'-') {
                    body.trim_end_matches(is_space)
                } else {
                    body
                };
                if !trimmed.is_empty() {
                    self.push(Token::Data, begin, begin + trimmed.len());
                }
                (self.at, self.strip) = (after, strip);
                return Ok(());
            }
            from = at + 2;
        }
        self.fail("a `raw` has no `endraw`", open)
    }

    /// The tokens of a tag.
    fn inside(&mut self, begin: Token) -> Result<(), Error> {
        let open = self.at;
        self.push(begin, open, open + 2);
        self.at += 2;
        if self.rest().starts_with(['-', '+']) && !self.ends_here(begin) {
            self.at += 1;
        }
        let mut brackets: Vec<&'static str> = Vec::new();
        loop {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start_matches(is_space).len();
            if self.at >= self.end {
                return self.fail("a tag has no end", open);
            }
            if brackets.is_empty() && self.close(begin) {
                return Ok(());
            }
            self.token(&mut brackets)?;
        }
    }

    /// Whether the sign at this place belongs to the end of the tag, as in `{{-}}`.
    fn ends_here(&self, begin: Token) -> bool {
        let close = if begin == Token::BlockBegin { "%}" } else { "}}" };
        self.rest().get(1..).is_some_and(|rest| rest.starts_with(close)) && self.rest().starts_with('+')
    }

    fn close(&mut self, begin: Token) -> bool {
        let (close, token) = if begin == Token::BlockBegin { ("%}", Token::BlockEnd) } else { ("}}", Token::PrintEnd) };
        let rest = self.rest();
        let signed = rest.get(1..).is_some_and(|after| after.starts_with(close))
            && (rest.starts_with('-') || begin == Token::BlockBegin && rest.starts_with('+'));
        if !signed && !rest.starts_with(close) {
            return false;
        }
        self.strip = signed && rest.starts_with('-');
        let to = self.at + usize::from(signed) + 2;
        self.push(token, self.at, to);
        self.at = to;
        true
    }

    /// One token of an expression.
    fn token(&mut self, brackets: &mut Vec<&'static str>) -> Result<(), Error> {
        let rest = self.rest();
        let first = rest.chars().next().unwrap_or_default();
        let (token, len) = if first.is_ascii_digit() && self.behind_dot() {
            (Token::Int, rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len())
        } else if first.is_ascii_digit() {
            number(rest)
        } else if first == '_' || first.is_alphabetic() {
            (Token::Name, rest.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(rest.len()))
        } else if first == '\'' || first == '"' {
            match string_end(rest, first) {
                Some(len) => (Token::Text, len),
                None => return self.fail("a text has no closing quote", self.at),
            }
        } else {
            let Some(operator) = OPERATORS.iter().find(|operator| rest.starts_with(**operator)) else {
                return self.fail(format!("`{first}` is not expected here"), self.at);
            };
            self.bracket(operator, brackets)?;
            (Token::Op(operator), operator.len())
        };
        self.push(token, self.at, self.at + len);
        self.at += len;
        Ok(())
    }

    /// Whether this place is right behind a dot, so that a number is an index.
    fn behind_dot(&self) -> bool {
        matches!(self.tokens.last(), Some((Token::Op("."), span)) if span.end as usize == self.at)
    }

    fn bracket(&self, operator: &'static str, brackets: &mut Vec<&'static str>) -> Result<(), Error> {
        match operator {
            "(" => brackets.push(")"),
            "[" => brackets.push("]"),
            "{" => brackets.push("}"),
            ")" | "]" | "}" => match brackets.pop() {
                Some(expected) if expected == operator => {}
                Some(expected) => return self.fail(format!("`{operator}` instead of `{expected}`"), self.at),
                None => return self.fail(format!("`{operator}` closes nothing"), self.at),
            },
            _ => {}
        }
        Ok(())
    }
}

/// The length of a text in quotes, with them.
fn string_end(rest: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// A number at the beginning of a text, and its length.
fn number(rest: &str) -> (Token, usize) {
    let bytes = rest.as_bytes();
    let run = |from: usize, digit: fn(&u8) -> bool| {
        let mut at = from;
        while bytes.get(at).is_some_and(digit)
            || bytes.get(at) == Some(&b'_') && at > 0 && bytes.get(at + 1).is_some_and(digit)
        {
            at += 1;
        }
        at
    };
    let radix = match bytes.get(1).map(u8::to_ascii_lowercase) {
        Some(b'x') => Some(u8::is_ascii_hexdigit as fn(&u8) -> bool),
        Some(b'o') => Some((|byte: &u8| (b'0'..=b'7').contains(byte)) as fn(&u8) -> bool),
        Some(b'b') => Some((|byte: &u8| matches!(byte, b'0' | b'1')) as fn(&u8) -> bool),
        _ => None,
    };
    if let (b'0', Some(digit)) = (bytes[0], radix)
        && run(2, digit) > 2
    {
        return (Token::Int, run(2, digit));
    }
    let mut end = run(0, u8::is_ascii_digit);
    let mut token = Token::Int;
    if bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
        (token, end) = (Token::Float, run(end + 1, u8::is_ascii_digit));
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        if bytes.get(end + 1 + sign).is_some_and(u8::is_ascii_digit) {
            (token, end) = (Token::Float, run(end + 1 + sign, u8::is_ascii_digit));
        }
    }
    (token, end)
}
