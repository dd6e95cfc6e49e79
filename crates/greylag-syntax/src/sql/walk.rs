//! The walk over a parsed statement: what it knows at any time, and how it writes findings down.

use std::collections::HashSet;
use std::ops::Range;
use std::rc::Rc;

use sqlparser::ast::{Ident, ObjectName};

use super::Schemas;
use super::dialect::{Dialect, Written};
use super::lex::{Kind, Token};
use super::lines::Lines;
use super::marks::Marks;
use super::reading::{
    ColumnUse, Confidence, Feed, Name, Origin, Output, OutputKind, Place, Query, QueryKind, Quoting, Reading,
    RelationRole, RelationUse, Role, Unknown, Why,
};

/// A common table expression in sight.
pub(super) struct Cte {
    pub(super) name: Box<str>,
    pub(super) quoted: bool,
    pub(super) block: usize,
}

/// What the walk knows.
pub(super) struct Walker<'a> {
    pub(super) text: &'a str,
    pub(super) dialect: Dialect,
    pub(super) schemas: &'a dyn Schemas,
    /// Tokens of the whole text.
    pub(super) tokens: Vec<Token>,
    pub(super) reading: Reading,
    /// Columns of the relations, in the order of `reading.relations`.
    pub(super) known: Vec<Option<Rc<[String]>>>,
    pub(super) ctes: Vec<Cte>,
    /// Parameters of lambdas and functions: they hide columns.
    pub(super) locals: Vec<Box<str>>,
    /// Variables of the script: columns hide them.
    pub(super) variables: Vec<Box<str>>,
    /// Names that a column list after a common table expression gives to the outputs of a block.
    pub(super) renames: Vec<(usize, Vec<Name>)>,
    /// Names that were used as columns, for where only use tells that there is such a column.
    pub(super) plain: HashSet<u64>,
    /// Scalar subqueries that were met since an item began.
    pub(super) scalars: Vec<usize>,
    /// Whether an aggregate function was met since an item began.
    pub(super) aggregated: bool,
    /// Whether the function around takes whole rows.
    pub(super) takes_rows: bool,
    pub(super) block: Option<usize>,
    pub(super) statement: usize,
    /// Where the tree of the piece means something else than it says.
    pub(super) marks: Marks,
    /// Lines of the piece that was parsed, and where it begins in the text.
    pub(super) lines: Lines<'a>,
    pub(super) base: usize,
}

/// How the use of a column is resolved.
pub(super) struct Resolution {
    pub(super) from: Vec<Origin>,
    pub(super) confidence: Confidence,
    pub(super) why: Why,
}

impl Resolution {
    pub(super) fn new(from: Vec<Origin>, confidence: Confidence, why: Why) -> Self {
        Self { from, confidence, why }
    }
}

/// What is said of a use besides its name.
#[derive(Clone, Copy)]
pub(super) struct Said {
    pub(super) role: Role,
    pub(super) place: Place,
}

pub(super) fn written(ident: &Ident) -> Written<'_> {
    (&ident.value, ident.quote_style.is_some())
}

impl Walker<'_> {
    /// The token where the parser saw an identifier, if it truly stands there.
    pub(super) fn token_of(&self, ident: &Ident) -> Option<usize> {
        let offset = self.base + self.lines.offset(ident.span.start)?;
        let index = self.token_at(offset)?;
        let token = self.tokens.get(index)?;
        let text = token.text(self.text);
        if self.marks.respelled.contains(&token.start) {
            return Some(index);
        }
        match token.kind {
            // The parser reads some words together that are none alone: `my-project`, `2020_sales`.
            Kind::Word => ident
                .value
                .strip_prefix(text)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
                .then_some(index),
            Kind::Number => ident.value.starts_with(text).then_some(index),
            Kind::Quoted | Kind::Text => Some(index),
            _ => None,
        }
    }

    /// A name that is spelled otherwise in the tree.
    pub(super) fn spelled(&self, ident: &Ident) -> Option<Name> {
        if self.marks.respelled.is_empty() {
            return None;
        }
        let at = self.token_of(ident)?;
        let is_spelled = self.tokens.get(at).is_some_and(|token| self.marks.respelled.contains(&token.start));
        is_spelled.then(|| self.name_at(at)).flatten()
    }

    /// The token that begins at an offset.
    pub(super) fn token_at(&self, offset: usize) -> Option<usize> {
        self.tokens.binary_search_by_key(&offset, |token| token.start as usize).ok()
    }

    /// An identifier with its place; what has none is written down as unknown.
    pub(super) fn name(&mut self, ident: &Ident) -> Option<Name> {
        let Some(index) = self.token_of(ident) else {
            self.lost(&ident.value);
            return None;
        };
        self.name_at(index)
    }

    pub(super) fn name_at(&self, index: usize) -> Option<Name> {
        let token = self.tokens.get(index)?;
        let range = token.start as usize..token.end as usize;
        let text = token.text(self.text);
        Some(match token.kind {
            Kind::Text if !text.starts_with(['\'', '"']) => return None,
            Kind::Quoted | Kind::Text => Name { range, text: unquote(text).into(), quoting: Quoting::Own },
            _ => Name { range, text: text.into(), quoting: Quoting::None },
        })
    }

    pub(super) fn lost(&mut self, value: &str) {
        let statement = self.reading.statements.get(self.statement);
        let range = statement.map_or(0..0, |statement| statement.range.clone());
        self.unknown(range, format!("the place of `{value}` was not found"));
    }

    /// Lists a region that was not understood.
    pub(super) fn unknown(&mut self, range: Range<usize>, reason: String) {
        self.reading.unknown.push(Unknown { range, reason: short(reason), statement: Some(self.statement) });
    }

    /// The parts of a relation's name with their places, and the range of the whole.
    ///
    /// The parser joins words with hyphens and splits backticks without keeping places, so the name is read again from the
    /// tokens.
    pub(super) fn path(&mut self, name: &ObjectName) -> Option<(Vec<Name>, Range<usize>)> {
        let first = name.0.first()?.as_ident()?;
        let Some(index) = self.token_of(first).or_else(|| self.text_of(first)) else {
            self.lost(&name.to_string());
            return None;
        };
        self.path_at(index).map(|(parts, range, _)| (parts, range))
    }

    /// The string that names a file in the place of a relation: the parser keeps no place of it. The first of that text is taken
    /// that follows `from`, `join` or a comma and is no relation yet.
    fn text_of(&self, ident: &Ident) -> Option<usize> {
        let statement = self.reading.statements.get(self.statement)?.range.clone();
        let after = |at: usize| {
            let before = at.checked_sub(1).and_then(|at| self.tokens.get(at));
            before.is_some_and(|token| token.is_any(self.text, &["from", "join"]) || token.mark(b','))
        };
        let taken =
            |start: u32| self.reading.relations.iter().rev().any(|relation| relation.range.start == start as usize);
        let first = self.tokens.partition_point(|token| (token.start as usize) < statement.start);
        let tokens =
            self.tokens.iter().enumerate().skip(first).take_while(|(_, token)| (token.start as usize) < statement.end);
        let mut texts = tokens.filter(|(at, token)| token.kind == Kind::Text && after(*at) && !taken(token.start));
        texts.find(|(_, token)| unquote(token.text(self.text)) == ident.value).map(|(at, _)| at)
    }

    /// The path of names that begins at a token, its range, and the token after it.
    pub(super) fn path_at(&self, first: usize) -> Option<(Vec<Name>, Range<usize>, usize)> {
        let start = self.tokens.get(first)?.start as usize;
        let mut parts = Vec::with_capacity(3);
        let (mut at, mut end) = (first, start);
        loop {
            let next = self.segment(at, &mut parts)?;
            end = end.max(self.tokens.get(next - 1)?.end as usize);
            at = next;
            if !self.tokens.get(at).is_some_and(|token| token.mark(b'.')) {
                break;
            }
            // A double dot leaves a default out; a dot before anything but a name ends the path.
            while self.tokens.get(at).is_some_and(|token| token.mark(b'.')) {
                at += 1;
            }
            if !self.tokens.get(at).is_some_and(|token| matches!(token.kind, Kind::Word | Kind::Quoted | Kind::Number))
            {
                break;
            }
        }
        Some((parts, start..end, at))
    }

    /// One segment of a path: a name, names in one pair of backticks, or words that hyphens join. The token after it.
    fn segment(&self, at: usize, parts: &mut Vec<Name>) -> Option<usize> {
        let token = self.tokens.get(at)?;
        let name = self.name_at(at)?;
        if token.kind == Kind::Quoted && self.dialect.quotes_hold_dots() && name.text.contains('.') {
            let mut start = token.start as usize + 1;
            for part in self.text.get(start..(token.end as usize).saturating_sub(1))?.split('.') {
                parts.push(Name { range: start..start + part.len(), text: part.into(), quoting: Quoting::Shared });
                start += part.len() + 1;
            }
            return Some(at + 1);
        }
        if self.dialect != Dialect::BigQuery || token.kind == Kind::Quoted {
            parts.push(name);
            return Some(at + 1);
        }
        let (mut last, mut end) = (at, token.end);
        // `my-project`, `my-project-1`: words and numbers with nothing between them.
        while let (Some(hyphen), Some(word)) = (self.tokens.get(last + 1), self.tokens.get(last + 2)) {
            let joined = hyphen.mark(b'-') && hyphen.start == end && word.start == hyphen.end;
            if !joined || !matches!(word.kind, Kind::Word | Kind::Number) {
                break;
            }
            (last, end) = (last + 2, word.end);
        }
        // `events_*`: a wildcard is part of a quoted name only.
        let range = token.start as usize..end as usize;
        // A number takes the dot after it along, as in `my-project-1.sales`.
        let trimmed = self.text.get(range.clone())?.trim_end_matches('.');
        let range = range.start..range.start + trimmed.len();
        parts.push(Name { text: trimmed.into(), range: range.clone(), quoting: Quoting::None });
        if range.end < end as usize {
            return self.segment(last + 1, parts);
        }
        Some(last + 1)
    }

    /// Writes the use of a relation down.
    pub(super) fn relation(&mut self, name: &ObjectName, alias: Option<Name>, role: RelationRole) -> Option<usize> {
        let (parts, range) = self.path(name)?;
        Some(self.push_relation(parts, range, alias, role, Confidence::Certain))
    }

    pub(super) fn push_relation(
        &mut self,
        parts: Vec<Name>,
        range: Range<usize>,
        alias: Option<Name>,
        role: RelationRole,
        confidence: Confidence,
    ) -> usize {
        let words: Vec<&str> = parts.iter().map(|part| &*part.text).collect();
        self.known.push(self.schemas.columns(&words).map(Rc::from));
        self.reading.relations.push(RelationUse { range, parts, alias, role, confidence, statement: self.statement });
        self.reading.relations.len() - 1
    }

    pub(super) fn push_block(&mut self, kind: QueryKind, parent: Option<usize>, range: Range<usize>) -> usize {
        let statement = self.statement;
        let (name, outputs, positional) = (None, Vec::new(), Vec::new());
        self.reading.queries.push(Query { range, kind, name, parent, statement, outputs, positional });
        self.reading.queries.len() - 1
    }

    /// Gives a block its outputs, under the names that a column list gives them.
    pub(super) fn set_outputs(&mut self, block: usize, mut outputs: Vec<Output>) {
        if let Some((_, names)) = self.renames.iter().rev().find(|(renamed, _)| *renamed == block) {
            for (output, name) in outputs.iter_mut().zip(names) {
                if output.is_open() {
                    break;
                }
                output.name = Some(name.text.clone());
                output.quoted = name.quoting != Quoting::None;
                output.alias = Some(name.range.clone());
            }
        }
        if let Some(query) = self.reading.queries.get_mut(block) {
            query.outputs = outputs;
        }
    }

    /// Writes the use of a column down; `names` is its path, of which `column` is the column.
    pub(super) fn push_column(
        &mut self,
        names: &[Name],
        column: usize,
        resolution: Resolution,
        said: Said,
    ) -> Option<usize> {
        let name = names.get(column)?.clone();
        let (first, last) = (names.first()?, names.last()?);
        let qualifier =
            (column > 0).then(|| names.get(column - 1).map(|end| first.range.start..end.range.end)).flatten();
        let Resolution { from, confidence, why } = resolution;
        let range = first.range.start..last.range.end;
        let mut place = said.place;
        if column + 1 < names.len() {
            (place.field, place.bare) = (true, None);
        }
        self.reading.columns.push(ColumnUse {
            name,
            range,
            qualifier,
            from,
            role: said.role,
            confidence,
            why,
            place,
            using: None,
            query: self.block,
            statement: self.statement,
        });
        Some(self.reading.columns.len() - 1)
    }

    /// A column of a target that the statement lists.
    pub(super) fn target_column(&mut self, ident: &Ident, relation: usize, role: Role) -> Option<usize> {
        let name = self.name(ident)?;
        let resolution = self.of_target(relation, name.written());
        self.push_column(&[name], 0, resolution, Said { role, place: Place::default() })
    }

    pub(super) fn of_target(&self, relation: usize, written: Written<'_>) -> Resolution {
        let from = vec![Origin::Relation(relation)];
        match self.known.get(relation).and_then(Option::as_ref) {
            Some(columns) if !columns.iter().any(|column| self.dialect.is_column(written, column)) => {
                Resolution::new(from, Confidence::Unknown, Why::NotInSchema)
            }
            _ => Resolution::new(from, Confidence::Certain, Why::Target),
        }
    }

    /// What the uses of one block since `before`, and the scalar subqueries since `scalars`, feed.
    pub(super) fn feeds_since(&mut self, before: usize, scalars: usize, block: Option<usize>) -> Vec<Feed> {
        let uses = self.reading.columns.get(before..).unwrap_or_default().iter().enumerate();
        let mut feeds: Vec<Feed> =
            uses.filter(|(_, column)| column.query == block).map(|(at, _)| Feed::Use(before + at)).collect();
        for query in self.scalars.drain(scalars.min(self.scalars.len())..) {
            let outputs = self.reading.queries.get(query).map(|query| query.outputs.as_slice()).unwrap_or_default();
            let name = outputs.first().and_then(|output| output.name.clone()).unwrap_or_default();
            feeds.push(Feed::Column(Origin::Output { query, output: 0 }, name));
        }
        feeds
    }

    /// From the first to the last use of tokens `first..end`.
    pub(super) fn span(&self, first: usize, end: usize) -> Range<usize> {
        match (self.tokens.get(first), self.tokens.get(end.saturating_sub(1))) {
            (Some(first), Some(last)) if end > 0 && last.end >= first.start => first.start as usize..last.end as usize,
            _ => 0..0,
        }
    }
}

/// An open output: any name may be one of it.
pub(super) fn open(feeds: Vec<Feed>, range: Range<usize>) -> Output {
    Output { name: None, quoted: false, range, alias: None, kind: OutputKind::Open, feeds }
}

/// An output of a name.
pub(super) fn named(name: &Name, kind: OutputKind, feeds: Vec<Feed>) -> Output {
    let quoted = name.quoting != Quoting::None;
    Output {
        name: Some(name.text.clone()),
        quoted,
        range: name.range.clone(),
        alias: Some(name.range.clone()),
        kind,
        feeds,
    }
}

/// The letters of a quoted name: without the quotes around it, doubled quotes once.
pub(super) fn unquote(text: &str) -> String {
    let quote = text.chars().next().unwrap_or('"');
    let inner = text.get(quote.len_utf8()..text.len().saturating_sub(1)).unwrap_or_default();
    let (doubled, once) = (format!("{quote}{quote}"), quote.to_string());
    if inner.contains(&doubled) { inner.replace(&doubled, &once) } else { inner.to_owned() }
}

/// A reason on one line that a person reads through: the parser's may quote a whole string of a statement.
fn short(reason: String) -> String {
    const LONG: usize = 200;
    const END: usize = 60;
    if reason.len() <= LONG && !reason.contains('\n') {
        return reason;
    }
    let words: Vec<&str> = reason.split_whitespace().collect();
    let line = words.join(" ");
    let letters = line.chars().count();
    if letters <= LONG {
        return line;
    }
    let head: String = line.chars().take(LONG - END).collect();
    let tail: String = line.chars().skip(letters - END).collect();
    format!("{head} … {tail}")
}
