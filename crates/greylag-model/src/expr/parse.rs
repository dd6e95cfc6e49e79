//! Text to [`Expr`]. `sqlparser` reads SQL; everything outside the closed set is refused here, with its place.
//!
//! Types inside `CAST` are ours, not SQL's (`timestamp(us, UTC)`, `list<int32>`, a loss policy behind them), so they
//! are cut out of the token stream before SQL is parsed and a numbered word is left in their place.

mod leaf;
mod tree;

use super::{Expr, ExprError};
use crate::code::expr as code;
use crate::spec::Loss;
use crate::types::DataType;
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan, Tokenizer};

/// Longest text of an expression, in bytes.
pub const LARGEST: usize = 64 * 1024;
/// Most words and signs; bounds the depth of chains such as `a + b + …`.
const TOKENS: usize = 4_000;
/// Nesting that the SQL parser accepts.
const RECURSION: usize = 50;
/// Word that stands for a type that was cut out.
const PLACEHOLDER: &str = "greylag_type_";

/// Stack for [`RECURSION`] levels of the SQL parser, whose frames are large in a build without optimisation.
const STACK: usize = 24 * 1024 * 1024;

/// Reads an expression.
pub fn parse(text: &str) -> Result<Expr, ExprError> {
    if text.len() > LARGEST {
        return Err(ExprError::new(code::TOO_LARGE, format!("the expression is longer than {LARGEST} bytes")));
    }
    stacker::maybe_grow(STACK, STACK, || read(text))
}

fn read(text: &str) -> Result<Expr, ExprError> {
    let places = Places::new(text);
    let tokens = Tokenizer::new(&GenericDialect {}, text).tokenize_with_location().map_err(|error| {
        let at = places.offset(error.location);
        ExprError::new(code::SYNTAX, lower(&error.message)).at((at, text.len()))
    })?;
    let mut tokens: Vec<TokenWithSpan> =
        tokens.into_iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).collect();
    if tokens.len() > TOKENS {
        return Err(ExprError::new(code::TOO_LARGE, format!("the expression has more than {TOKENS} words and signs")));
    }
    let types = cut_types(text, &places, &mut tokens)?;
    let dialect = GenericDialect {};
    let mut parser = Parser::new(&dialect).with_recursion_limit(RECURSION).with_tokens_with_locations(tokens);
    let parsed = parser.parse_expr().map_err(|error| syntax(&error, &parser, &places))?;
    let next = parser.peek_token();
    if next.token != Token::EOF {
        let message = format!("expected the end of the expression, found `{}`", next.token);
        return Err(ExprError::new(code::SYNTAX, message).at(places.range(next.span)));
    }
    tree::Lowering { places: &places, types: &types }.expr(&parsed, 0)
}

fn lower(message: &str) -> String {
    let mut letters = message.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().collect::<String>() + letters.as_str())
}

fn syntax(error: &ParserError, parser: &Parser<'_>, places: &Places<'_>) -> ExprError {
    match error {
        ParserError::RecursionLimitExceeded => {
            ExprError::new(code::TOO_LARGE, format!("the expression nests deeper than {RECURSION} levels"))
        }
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => {
            // The parser stops at or one behind the word that it did not expect.
            let message = message.split(" at Line:").next().unwrap_or(message);
            let index = parser.index().saturating_sub(1);
            let span = parser.token_at(index).span;
            let here = if message.contains("found: EOF") {
                (places.text.len(), places.text.len())
            } else {
                places.range(span)
            };
            ExprError::new(code::SYNTAX, lower(&message.replace("found: EOF", "found the end"))).at(here)
        }
    }
}

/// Lines and columns of the tokenizer to byte offsets.
struct Places<'a> {
    text: &'a str,
    lines: Vec<usize>,
}

impl<'a> Places<'a> {
    fn new(text: &'a str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { text, lines: std::iter::once(0).chain(breaks).collect() }
    }

    fn offset(&self, location: Location) -> usize {
        if location.line == 0 {
            return 0;
        }
        let start = self.lines.get(location.line as usize - 1).copied().unwrap_or(self.text.len());
        let rest = &self.text[start..];
        let column = location.column.saturating_sub(1) as usize;
        start + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at)
    }

    fn range(&self, span: Span) -> (usize, usize) {
        if span.start.line == 0 { (0, self.text.len()) } else { (self.offset(span.start), self.offset(span.end)) }
    }
}

/// A type that was cut out, with its policy.
type CutType = (DataType, Option<Loss>);

fn cut_types(text: &str, places: &Places<'_>, tokens: &mut Vec<TokenWithSpan>) -> Result<Vec<CutType>, ExprError> {
    let mut types = Vec::new();
    let mut kept: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    // Depths of the parentheses of casts whose `AS` is still to come.
    let mut open: Vec<usize> = Vec::new();
    let mut depth = 0;
    let mut rest = tokens.drain(..).peekable();
    let is_word = |token: &Token, words: &[&str]| matches!(token, Token::Word(word) if word.quote_style.is_none() && words.iter().any(|known| word.value.eq_ignore_ascii_case(known)));
    let mut last_was_cast = false;
    while let Some(token) = rest.next() {
        match &token.token {
            Token::LParen => {
                depth += 1;
                if last_was_cast {
                    open.push(depth);
                }
            }
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        last_was_cast = is_word(&token.token, &["CAST", "TRY_CAST"]);
        let is_as = is_word(&token.token, &["AS"]) && open.last() == Some(&depth);
        kept.push(token);
        if !is_as {
            continue;
        }
        open.pop();
        let mut inner = 0_usize;
        let mut span: Option<Span> = None;
        while let Some(next) = rest.next_if(|next| !(inner == 0 && next.token == Token::RParen)) {
            match next.token {
                Token::LParen => inner += 1,
                Token::RParen => inner -= 1,
                Token::EOF => break,
                _ => {}
            }
            span = Some(span.map_or(next.span, |span: Span| span.union(&next.span)));
        }
        if let Some(span) = span {
            let (start, end) = places.range(span);
            types.push(read_type(&text[start..end]).map_err(|error| error.at((start, end)))?);
            let word = Token::make_word(&format!("{PLACEHOLDER}{}", types.len() - 1), None);
            kept.push(TokenWithSpan::new(word, span));
        }
    }
    drop(rest);
    *tokens = kept;
    Ok(types)
}

fn read_type(text: &str) -> Result<CutType, ExprError> {
    let (written, loss) = match text.rsplit_once(char::is_whitespace) {
        Some((written, word)) if word.eq_ignore_ascii_case("round") => (written, Some(Loss::Round)),
        Some((written, word)) if word.eq_ignore_ascii_case("truncate") => (written, Some(Loss::Truncate)),
        Some((written, word)) if word.eq_ignore_ascii_case("fail") => (written, Some(Loss::Fail)),
        _ => (text, None),
    };
    let data_type = written.trim().parse::<DataType>().map_err(|message| ExprError::new(code::BAD_TYPE, message))?;
    Ok((data_type, loss))
}

/// The most similar of some names, if one is similar enough.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|known| (strsim::damerau_levenshtein(&known.to_lowercase(), &name.to_lowercase()), known))
        .filter(|(distance, known)| *distance <= known.chars().count().max(name.chars().count()) / 3)
        .min()
        .map(|(_, known)| known)
}
