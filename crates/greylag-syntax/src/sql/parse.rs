//! Gives one piece to the parser, within bounds.
//!
//! A piece is tried in its dialect, in the generic one, and again in both with what names nothing blanked. What is too long or
//! too deep is not tried: the parser calls itself, and a tree as deep as its text is long must also be taken down again.

use std::ops::Range;

use sqlparser::ast::{Expr, Statement};
use sqlparser::dialect as parser;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token as ParserToken, TokenWithSpan, Tokenizer};

use super::blank::{Blanked, blank};
use super::clickhouse::{Adapted, adapt};
use super::dialect::Dialect;
use super::given::{Given, heads};
use super::lambda::parameters;
use super::lex::{Kind, Token};
use super::lines::Lines;
use super::marks::Marks;
use super::reading::Parsed;
use super::split::Form;

/// The longest piece that is parsed, in bytes and tokens.
const LONGEST: usize = 4 << 20;
pub(super) const MOST_TOKENS: usize = 400_000;
/// The deepest parentheses that are parsed.
pub(super) const DEEPEST: usize = 120;
/// The parser tries some things twice at each level, which doubles its work with each: subqueries in `from` in all dialects, calls
/// of functions in that of PostgreSQL. Subqueries nested deeper are not parsed; calls nested deeper go to the generic dialect.
const DEEPEST_TRIED: usize = 14;
/// How often the parser may call itself.
pub(super) const RECURSION: usize = 200;

/// What a piece is parsed to.
#[derive(Debug)]
pub(super) enum Tree {
    Statement(Box<Statement>),
    Expression(Box<Expr>),
}

/// A parsed piece, and how it was parsed.
pub(super) struct Outcome {
    pub(super) tree: Tree,
    pub(super) parsed: Parsed,
    /// Where it means something else than it says.
    pub(super) marks: Marks,
}

/// Why a piece is not given to the parser.
pub(super) fn beyond(text: &str, length: usize, tokens: &[Token]) -> Option<String> {
    if length > LONGEST || tokens.len() > MOST_TOKENS {
        return Some(format!("the statement is longer than {LONGEST} bytes or {MOST_TOKENS} words and signs"));
    }
    if derived(text, tokens) > DEEPEST_TRIED {
        return Some(format!("subqueries in `from` are nested deeper than {DEEPEST_TRIED}"));
    }
    (depth(tokens) > DEEPEST).then(|| format!("parentheses are nested deeper than {DEEPEST}"))
}

/// How deep subqueries in `from` are nested.
fn derived(text: &str, tokens: &[Token]) -> usize {
    let (mut open, mut depth, mut deepest) = (Vec::new(), 0_usize, 0);
    let mut before: Option<&Token> = None;
    for token in tokens {
        if token.mark(b'(') {
            let from = before.is_some_and(|word| word.is_any(text, &["from", "join"]));
            open.push(from);
            depth += usize::from(from);
        } else if token.mark(b')') && open.pop() == Some(true) {
            depth -= 1;
        }
        deepest = deepest.max(depth);
        before = Some(token);
    }
    deepest
}

/// How deep parentheses are nested.
pub(super) fn depth(tokens: &[Token]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for token in tokens {
        match token.kind {
            Kind::Mark(b'(' | b'[' | b'{') => depth += 1,
            Kind::Mark(b')' | b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// How many nodes the tree of a piece may have one below the other. A chain of operators, or of arms of a set operation, is as
/// deep as it is long; a comma ends one. So this is the largest number of tokens since a comma, summed over open parentheses.
pub(super) fn longest_chain(text: &str, tokens: &[Token]) -> usize {
    let (mut levels, mut sum, mut longest, mut arms) = (vec![0_usize], 0_usize, 0, 0);
    for token in tokens {
        match token.kind {
            Kind::Mark(b'(' | b'[' | b'{') => levels.push(0),
            Kind::Mark(b')' | b']' | b'}') if levels.len() > 1 => sum -= levels.pop().unwrap_or_default(),
            Kind::Mark(b',') => {
                sum -= levels.last().copied().unwrap_or_default();
                levels.pop();
                levels.push(0);
            }
            Kind::Word if token.is_any(text, &["union", "intersect", "except", "minus", "join", "when"]) => arms += 1,
            _ => {}
        }
        sum += 1;
        if let Some(level) = levels.last_mut() {
            *level += 1;
        }
        longest = longest.max(sum);
    }
    longest + arms
}

/// Parses a piece; the error is that of its own dialect.
pub(super) fn parse(
    whole: &str,
    piece: Range<usize>,
    tokens: &[Token],
    dialect: Dialect,
    form: Form,
) -> Result<Outcome, String> {
    let (text, base) = (whole.get(piece.clone()).unwrap_or_default(), piece.start);
    if dialect == Dialect::ClickHouse {
        let Adapted { text, arrays, tokens } = adapt(whole, text, tokens, base)?;
        let mut marks = Marks { arrays, ..Marks::default() };
        let (text, tokens) = without_given(whole, text, tokens, base, &mut marks)?;
        let outcome = tried(&text, &tokens, base, dialect, form).map_err(|error| placed(&error, whole, base))?;
        marks.join(outcome.marks);
        return Ok(Outcome { marks, ..outcome });
    }
    let mut outcome = tried(text, tokens, base, dialect, form).map_err(|error| placed(&error, whole, base))?;
    if dialect == Dialect::Snowflake {
        outcome.marks.locals.extend(parameters(whole, tokens));
    }
    Ok(outcome)
}

/// Takes the expressions that `with` names out of a text, and parses each by itself.
fn without_given(
    whole: &str,
    text: String,
    tokens: Vec<Token>,
    base: usize,
    marks: &mut Marks,
) -> Result<(String, Vec<Token>), String> {
    let mut taken: Vec<Range<usize>> = Vec::new();
    let start = |at: usize| tokens.get(at).map_or(u32::MAX, |token| token.start);
    let bytes = |range: &Range<usize>| {
        let (first, last) = (tokens.get(range.start)?, tokens.get(range.end.checked_sub(1)?)?);
        Some(first.start as usize - base..last.end as usize - base)
    };
    for with in 0..tokens.len() {
        if taken.iter().any(|range| range.contains(&with)) {
            continue;
        }
        let Some(found) = heads(whole, &tokens, with) else { continue };
        for (first, name) in found.items {
            let inner = tokens.get(first..name - 1).unwrap_or_default();
            let Some(place) = bytes(&(first..name - 1)) else { continue };
            // Places are counted in letters from the beginning of the line.
            let ahead = text.get(..place.start).unwrap_or_default();
            if !ahead.rsplit('\n').next().is_some_and(str::is_ascii) {
                return Err("an expression that `with` names stands behind letters that are not ASCII".to_owned());
            }
            let blank = |byte: u8| if byte == b'\n' { '\n' } else { ' ' };
            let mut alone: String = ahead.bytes().map(blank).collect();
            alone.push_str(text.get(place).unwrap_or_default());
            let outcome = tried(&alone, inner, base, Dialect::ClickHouse, Form::Expression)
                .map_err(|error| placed(&error, whole, base))?;
            let Tree::Expression(expr) = outcome.tree else { continue };
            marks.join(outcome.marks);
            let seen = start(name + 1)..start(found.end);
            marks.given.push(Given {
                expr,
                name: start(name),
                seen,
                select: start(found.select),
                block: 0,
                walked: false,
            });
        }
        taken.extend(found.taken);
    }
    if taken.is_empty() {
        return Ok((text, tokens));
    }
    let mut left = text.into_bytes();
    for place in taken.iter().filter_map(bytes) {
        left.get_mut(place).unwrap_or_default().iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
    }
    let is_left = |at: &usize| !taken.iter().any(|range| range.contains(at));
    let tokens = (0..tokens.len()).filter(is_left).map(|at| tokens[at]).collect();
    Ok((String::from_utf8(left).map_err(|error| error.to_string())?, tokens))
}

/// Tries one text after the other; the error is that of the first.
fn tried(text: &str, tokens: &[Token], base: usize, dialect: Dialect, form: Form) -> Result<Outcome, String> {
    let outcome = |tree, parsed| Outcome { tree, parsed, marks: Marks::default() };
    let deep = dialect == Dialect::Postgres && depth(tokens) > DEEPEST_TRIED;
    let own = if deep { Dialect::Generic.parser() } else { dialect.parser() };
    let is_misread = misread(text, tokens, base, dialect);
    let error = match attempt(text, own, form, &[]) {
        Ok(tree) if !is_misread => return Ok(outcome(tree, Parsed::Dialect)),
        Ok(_) => "the type of an array or a string is read as something else".to_owned(),
        Err(error) => error,
    };
    let others = others(dialect);
    for other in others.iter().filter(|_| !is_misread) {
        if let Ok(tree) = attempt(text, *other, form, &[]) {
            return Ok(outcome(tree, Parsed::Generic));
        }
    }
    if let Some(Blanked { text, marks }) = blank(text, tokens, base, dialect) {
        let named: Vec<usize> = marks.named.iter().map(|start| *start as usize - base).collect();
        for dialect in std::iter::once(&own).chain(others) {
            if let Ok(tree) = attempt(&text, *dialect, form, &named) {
                return Ok(Outcome { marks, ..outcome(tree, Parsed::Blanked) });
            }
        }
    }
    Err(error)
}

/// Whether the parser would take `array<t>[…]` for two comparisons, or `r'…'` for a column and its name.
fn misread(text: &str, tokens: &[Token], base: usize, dialect: Dialect) -> bool {
    if dialect == Dialect::Spark {
        let first = |token: &Token| text.as_bytes().get(token.start as usize - base).copied();
        return tokens.iter().any(|token| token.kind == Kind::Text && matches!(first(token), Some(b'r' | b'R')));
    }
    let array = |token: &Token| {
        let range = (token.start as usize - base)..(token.end as usize - base);
        token.kind == Kind::Word && text.get(range).is_some_and(|word| word.eq_ignore_ascii_case("array"))
    };
    dialect == Dialect::BigQuery
        && tokens.windows(2).any(|pair| array(&pair[0]) && pair[1].mark(b'<'))
        && tokens.windows(2).any(|pair| pair[0].mark(b'>') && pair[1].mark(b'['))
}

/// Dialects that are tried after a dialect's own.
fn others(dialect: Dialect) -> &'static [&'static dyn parser::Dialect] {
    match dialect {
        Dialect::Generic | Dialect::Trino => &[],
        _ => &[&parser::GenericDialect {}],
    }
}

/// Parses a text, with an `as` put before what stands at some places.
fn attempt(text: &str, dialect: &'static dyn parser::Dialect, form: Form, named: &[usize]) -> Result<Tree, String> {
    let mut tokens =
        Tokenizer::new(dialect, text).tokenize_with_location().map_err(|error| lower(&error.to_string()))?;
    if !named.is_empty() {
        let lines = Lines::new(text);
        let is_named = |at: Location| lines.offset(at).is_some_and(|offset| named.contains(&offset));
        let before = |token: TokenWithSpan| {
            let given =
                is_named(token.span.start).then(|| TokenWithSpan::new(ParserToken::make_keyword("AS"), token.span));
            given.into_iter().chain([token])
        };
        tokens = tokens.into_iter().flat_map(before).collect();
    }
    let mut parser = Parser::new(dialect).with_recursion_limit(RECURSION).with_tokens_with_locations(tokens);
    let tree = match form {
        Form::Expression => parser.parse_expr().map(|expr| Tree::Expression(Box::new(expr))),
        _ => parser.parse_statement().map(|statement| Tree::Statement(Box::new(statement))),
    };
    let tree = tree.map_err(|error| lower(&message(error)))?;
    match parser.peek_token().token {
        ParserToken::EOF | ParserToken::SemiColon => Ok(tree),
        other => Err(format!("expected: end of statement, found: {other}{}", parser.peek_token().span.start)),
    }
}

fn message(error: ParserError) -> String {
    match error {
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => message,
        ParserError::RecursionLimitExceeded => format!("the parser would call itself more than {RECURSION} times"),
    }
}

/// A message whose place, counted from where the piece begins, is counted from where the text does.
fn placed(message: &str, whole: &str, base: usize) -> String {
    let Some((said, place)) = message.rsplit_once(" at Line: ") else { return message.to_owned() };
    let numbers = place
        .split_once(", Column: ")
        .and_then(|(line, column)| Some((line.parse::<usize>().ok()?, column.trim().parse::<usize>().ok()?)));
    let Some((line, column)) = numbers else { return message.to_owned() };
    let before = whole.get(..base).unwrap_or_default();
    let lines = before.matches('\n').count();
    let indent = before.rsplit('\n').next().map_or(0, |last| last.chars().count());
    format!("{said}, at line {} column {}", line + lines, if line == 1 { column + indent } else { column })
}

fn lower(message: &str) -> String {
    let mut chars = message.chars();
    chars.next().map(|first| first.to_ascii_lowercase().to_string() + chars.as_str()).unwrap_or_default()
}
