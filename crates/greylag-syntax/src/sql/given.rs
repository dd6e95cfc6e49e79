//! Names that `with` gives to expressions, as ClickHouse has them: `with now() as t, (select max(x) from u) as m select t, m`.
//!
//! The parser knows table expressions only. So each expression is taken out of the text and parsed by itself; it sees the columns of the
//! select that `with` stands before, and its name is seen from behind it to the end of the group or statement, before any column.

use std::ops::Range;

use sqlparser::ast::{Expr, Select};

use super::expr::Reach;
use super::lex::{Kind, Token};
use super::reading::{Confidence, Name, Origin, OutputKind, QueryKind, Role, Why};
use super::scope::{Aliases, Scope};
use super::walk::{Resolution, Walker, named};

/// An expression that has a name. Places are those of tokens in the whole text.
#[derive(Debug, Clone)]
pub(super) struct Given {
    pub(super) expr: Box<Expr>,
    /// Where its name stands.
    pub(super) name: u32,
    /// Where the name is seen.
    pub(super) seen: Range<u32>,
    /// The select whose columns it sees.
    pub(super) select: u32,
    /// Its block, once there is one, and whether it was walked.
    pub(super) block: usize,
    pub(super) walked: bool,
}

/// A `with` that names expressions: which tokens these are, and what becomes of the text without them.
pub(super) struct Heads {
    /// First token of the expression and the token of its name.
    pub(super) items: Vec<(usize, usize)>,
    /// Tokens that are taken out.
    pub(super) taken: Vec<Range<usize>>,
    pub(super) select: usize,
    pub(super) end: usize,
}

/// What `with` names at a token, if there are expressions among it.
pub(super) fn heads(text: &str, tokens: &[Token], with: usize) -> Option<Heads> {
    let is = |at: usize, words: &[&str]| tokens.get(at).is_some_and(|token| token.is_any(text, words));
    let mark = |at: usize, mark: u8| tokens.get(at).is_some_and(|token| token.mark(mark));
    if !is(with, &["with"]) || is(with + 1, &["totals", "fill", "ties", "rollup", "cube", "recursive", "no", "data"]) {
        return None;
    }
    let (mut parts, mut first, mut at) = (Vec::new(), with + 1, with + 1);
    let select = loop {
        let token = tokens.get(at)?;
        match token.kind {
            Kind::Mark(b'(' | b'[' | b'{') => at = after(tokens, at),
            Kind::Mark(b')' | b']' | b'}' | b';') => return None,
            Kind::Mark(b',') => {
                parts.push(first..at);
                (first, at) = (at + 1, at + 1);
            }
            Kind::Word if token.is(text, "select") => {
                parts.push(first..at);
                break at;
            }
            _ => at += 1,
        }
    };
    let is_name = |at: usize| tokens.get(at).is_some_and(|token| matches!(token.kind, Kind::Word | Kind::Quoted));
    let is_table = |part: &Range<usize>| {
        let list = if mark(part.start + 1, b'(') { after(tokens, part.start + 1) } else { part.start + 1 };
        let open = list + 1 + usize::from(is(list + 1, &["materialized"]));
        is_name(part.start) && is(list, &["as"]) && mark(open, b'(') && after(tokens, open) == part.end
    };
    let kept: Vec<bool> = parts.iter().map(is_table).collect();
    let (mut items, mut taken) = (Vec::new(), Vec::new());
    for (at, part) in parts.iter().enumerate() {
        let more = kept.iter().skip(at + 1).any(|kept| *kept);
        if !kept[at] {
            let name = part.end.checked_sub(1).filter(|name| *name >= part.start + 2)?;
            if !is_name(name) || !is(name - 1, &["as"]) {
                return None;
            }
            items.push((part.start, name));
            taken.push(part.clone());
        }
        if at + 1 < parts.len() && !(kept[at] && more) {
            taken.push(part.end..part.end + 1);
        }
    }
    if !kept.contains(&true) {
        taken.push(with..with + 1);
    }
    let mut end = select;
    while tokens.get(end).is_some_and(|token| !matches!(token.kind, Kind::Mark(b')' | b']' | b'}' | b';'))) {
        end = if matches!(tokens[end].kind, Kind::Mark(b'(' | b'[' | b'{')) { after(tokens, end) } else { end + 1 };
    }
    (!items.is_empty()).then_some(Heads { items, taken, select, end })
}

/// The token after a group.
fn after(tokens: &[Token], open: usize) -> usize {
    let (mut at, mut depth) = (open, 0_usize);
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token.kind {
            Kind::Mark(b'(' | b'[' | b'{') => depth += 1,
            Kind::Mark(b')' | b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    at
}

impl Walker<'_> {
    /// Makes a block for each expression that has a name, before anything is looked at.
    pub(super) fn open_given(&mut self) {
        for at in 0..self.marks.given.len() {
            let name = self.token_at(self.marks.given[at].name as usize).and_then(|token| self.name_at(token));
            let Some(name) = name else { continue };
            let block = self.push_block(QueryKind::Values, None, name.range.clone());
            self.set_outputs(block, vec![named(&name, OutputKind::Transformation, Vec::new())]);
            self.marks.given[at].block = block;
        }
    }

    /// Walks the expressions that see the columns of this select.
    pub(super) fn walk_given(&mut self, select: &Select, scope: &Scope<'_>) {
        if self.marks.given.is_empty() {
            return;
        }
        let Some(start) = self.lines.offset(select.select_token.0.span.start).map(|offset| self.base + offset) else {
            return;
        };
        let mut given = std::mem::take(&mut self.marks.given);
        // What is walked next sees those before it.
        for at in 0..given.len() {
            if given[at].select as usize != start || given[at].walked {
                continue;
            }
            given[at].walked = true;
            let (before, scalars) = (self.reading.columns.len(), self.scalars.len());
            let expr = given[at].expr.clone();
            self.marks.given = given;
            self.expr(&expr, scope, Reach::new(Role::Select, Aliases::First).computed());
            given = std::mem::take(&mut self.marks.given);
            let feeds = self.feeds_since(before, scalars, self.block);
            let query = self.reading.queries.get_mut(given[at].block);
            if let Some(output) = query.and_then(|query| query.outputs.first_mut()) {
                output.feeds = feeds;
            }
        }
        self.marks.given = given;
    }

    /// Expressions whose select was not found are not understood.
    pub(super) fn close_given(&mut self) {
        for given in std::mem::take(&mut self.marks.given) {
            if !given.walked {
                let at = given.name as usize;
                self.unknown(at..at, "an expression that `with` names was not read".to_owned());
            }
        }
    }

    /// The expression that a name stands for, the nearest first.
    pub(super) fn given(&self, scope: &Scope<'_>, name: &Name) -> Option<Resolution> {
        let is_seen = |given: &&Given| {
            given.seen.contains(&(name.range.start as u32))
                && self.reading.queries.get(given.block).is_some_and(|query| {
                    query
                        .outputs
                        .iter()
                        .filter_map(|output| output.written())
                        .any(|other| self.dialect.same(name.written(), other))
                })
        };
        let found = self.marks.given.iter().filter(is_seen).max_by_key(|given| (given.seen.start, given.name))?;
        let alone = self.resolve(scope, name.written(), Aliases::Hidden).is_none();
        let confidence = if alone { Confidence::Certain } else { Confidence::Likely };
        let from = vec![Origin::Output { query: found.block, output: 0 }];
        Some(Resolution::new(from, confidence, Why::OwnOutput))
    }
}
