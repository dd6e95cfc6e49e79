//! Which columns a name may mean.
//!
//! A **source** is what stands in `from`: a relation, or a block whose outputs are known by name. A source is *closed* if all
//! its columns are known, else *open*: it may have any column. A **scope** holds the sources of one block and knows the scope
//! around it. A name without a qualifier is looked up scope by scope, outwards:
//!
//! | sources that have it | open sources | found |
//! |---|---|---|
//! | one | none | certain |
//! | one | some | likely, the one |
//! | several | | unknown, all of them; certain if `using` joins them by it |
//! | none | one | certain if no scope around could supply it and no variable is so called, else likely |
//! | none | several | unknown, all of them |
//!
//! Elements of unnested arrays and rows of functions are open sources, too, but mostly have one column or few. Beside a single
//! other open source they do not count as candidates; they only make it likely instead of certain.
//!
//! The fourth row is a rule of its own: a valid statement has a column for every name, so where one relation alone could
//! supply it, that one does, be its schema known or not.
//!
//! A qualifier is looked up the same way. If it names no source, its first word may be a column whose field is reached.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::dialect::Written;
use super::reading::{Confidence, Name, Origin, OutputKind, QueryKind, Why};
use super::walk::{Resolution, Walker};

/// How many candidates are listed for a name that may mean any of them.
const MOST_CANDIDATES: usize = 64;

/// What makes the rows of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    Relation(usize),
    Block(usize),
}

/// A source in scope.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// The alias alone, or the parts of the relation's name; nothing if it cannot be named.
    pub(super) names: Vec<Name>,
    /// Whether the name is one that it is given here.
    pub(super) renamed: bool,
    /// Its own name, where that names it although it is given another.
    pub(super) own: Vec<Name>,
    pub(super) rows: Rows,
}

/// A column that `using` joins.
#[derive(Debug, Clone)]
pub(super) struct Merged {
    pub(super) name: Name,
    pub(super) from: Vec<Origin>,
    pub(super) confidence: Confidence,
}

/// What one block sees.
#[derive(Debug, Default)]
pub(super) struct Scope<'p> {
    pub(super) parent: Option<&'p Scope<'p>>,
    pub(super) sources: Vec<Source>,
    pub(super) merged: Vec<Merged>,
    pub(super) natural: bool,
    /// Symbols of a pattern: rows of the only source.
    pub(super) symbols: Vec<(String, bool)>,
    /// Names of the select list so far, by their small letters: name, whether it is quoted, output.
    pub(super) aliases: HashMap<String, Vec<(Box<str>, bool, usize)>>,
    /// Names of the select list that are still to come, where even what stands before them may mean them.
    pub(super) later: Vec<Box<str>>,
    pub(super) block: usize,
}

impl<'p> Scope<'p> {
    pub(super) fn inside(parent: Option<&'p Scope<'p>>, block: usize) -> Self {
        Self { parent, block, ..Self::default() }
    }

    fn around(&self) -> impl Iterator<Item = &Scope<'_>> {
        std::iter::successors(Some(self), |scope| scope.parent)
    }
}

/// How a clause sees the names of the select list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aliases {
    /// Not at all.
    Hidden,
    /// After the columns of the sources.
    Last,
    /// Before them.
    First,
}

/// Candidates of one scope.
#[derive(Default)]
struct Candidates {
    sure: Vec<Origin>,
    open: Vec<Origin>,
    /// Elements of unnested arrays and rows of functions.
    made: Vec<Origin>,
}

impl Walker<'_> {
    /// What of a source a name may mean, and whether the source is known to have it.
    pub(super) fn find(&self, rows: Rows, name: Written<'_>) -> (Vec<Origin>, bool) {
        match rows {
            Rows::Relation(relation) => {
                let origin = vec![Origin::Relation(relation)];
                match self.known.get(relation).and_then(Option::as_ref) {
                    None => (origin, false),
                    Some(columns) if columns.iter().any(|column| self.dialect.is_column(name, column)) => {
                        (origin, true)
                    }
                    Some(_) if self.dialect.is_pseudo_column(name.0) => (origin, true),
                    Some(_) => (Vec::new(), true),
                }
            }
            Rows::Block(query) => self.find_output(query, name),
        }
    }

    fn find_output(&self, query: usize, name: Written<'_>) -> (Vec<Origin>, bool) {
        let Some(block) = self.reading.queries.get(query) else { return (Vec::new(), true) };
        let (mut exact, mut open) = (Vec::new(), Vec::new());
        for (output, column) in block.outputs.iter().enumerate() {
            if column.written().is_some_and(|other| self.dialect.same(name, other)) {
                exact.push(Origin::Output { query, output });
            } else if column.is_open() && !self.leaves_out(column.kind, name) {
                open.push(Origin::Output { query, output });
            }
        }
        if exact.is_empty() { (open, false) } else { (exact, true) }
    }

    fn leaves_out(&self, kind: OutputKind, name: Written<'_>) -> bool {
        let OutputKind::Star(star) = kind else { return false };
        let Some(star) = self.reading.stars.get(star) else { return false };
        let renamed = star.rename.iter().map(|(old, _)| old);
        star.except.iter().chain(&star.replace).chain(renamed).any(|left| self.dialect.same(left.written(), name))
    }

    fn candidates(&self, scope: &Scope<'_>, name: Written<'_>) -> Candidates {
        let mut candidates = Candidates::default();
        for source in &scope.sources {
            let (origins, sure) = self.find(source.rows, name);
            match (sure, self.is_made(source.rows)) {
                (true, _) => candidates.sure.extend(origins),
                (false, false) => candidates.open.extend(origins),
                (false, true) => candidates.made.extend(origins),
            }
        }
        candidates
    }

    fn is_made(&self, rows: Rows) -> bool {
        let Rows::Block(query) = rows else { return false };
        self.reading.queries.get(query).is_some_and(|block| block.kind == QueryKind::Function)
    }

    /// What a name without a qualifier means; none if nothing can supply it.
    pub(super) fn resolve(&self, scope: &Scope<'_>, name: Written<'_>, aliases: Aliases) -> Option<Resolution> {
        let own = (aliases != Aliases::Hidden).then(|| self.own_output(scope, name)).flatten();
        if own.is_none() && scope.later.iter().any(|later| self.dialect.same(name, (later, false))) {
            let mut found = self.resolve_column(scope, name)?;
            (found.confidence, found.why) = (Confidence::Unknown, Why::Several);
            return Some(found);
        }
        match (aliases, own) {
            (Aliases::First, Some(origin)) if self.dialect.aliases_hide_columns() => {
                Some(self.alias_or_column(scope, name, origin))
            }
            (Aliases::First, Some(origin)) => Some(Resolution::new(vec![origin], Confidence::Certain, Why::OwnOutput)),
            (_, Some(origin)) => Some(self.column_or_alias(scope, name, origin)),
            (_, None) => self.resolve_column(scope, name),
        }
    }

    fn own_output(&self, scope: &Scope<'_>, name: Written<'_>) -> Option<Origin> {
        if scope.aliases.is_empty() {
            return None;
        }
        let same = scope.aliases.get(&name.0.to_ascii_lowercase())?;
        let found = same.iter().find(|(alias, quoted, _)| self.dialect.same(name, (alias, *quoted)))?;
        Some(Origin::Output { query: scope.block, output: found.2 })
    }

    /// A clause that sees aliases before columns, unless a setting says otherwise.
    fn alias_or_column(&self, scope: &Scope<'_>, name: Written<'_>, alias: Origin) -> Resolution {
        let candidates = self.candidates(scope, name);
        let alone = candidates.sure.is_empty() && candidates.open.is_empty() && candidates.made.is_empty();
        let confidence = if alone { Confidence::Certain } else { Confidence::Likely };
        Resolution::new(vec![alias], confidence, Why::OwnOutput)
    }

    /// A clause that sees columns before aliases. Where open sources leave open whether there is such a column, its use
    /// elsewhere in the same block tells that there is.
    fn column_or_alias(&self, scope: &Scope<'_>, name: Written<'_>, alias: Origin) -> Resolution {
        let candidates = self.candidates(scope, name);
        if !candidates.sure.is_empty() {
            return self.judge(scope, name, candidates, false);
        }
        if candidates.open.is_empty() && candidates.made.is_empty() {
            return Resolution::new(vec![alias], Confidence::Certain, Why::OwnOutput);
        }
        let is_column = self.plain.contains(&plain(scope.block, name.0));
        if is_column {
            return self.judge(scope, name, candidates, true);
        }
        Resolution::new(vec![alias], Confidence::Likely, Why::OwnOutput)
    }

    fn resolve_column(&self, scope: &Scope<'_>, name: Written<'_>) -> Option<Resolution> {
        for level in scope.around() {
            if let Some(merged) = level.merged.iter().find(|merged| self.dialect.same(name, merged.name.written())) {
                return Some(Resolution::new(merged.from.clone(), merged.confidence, Why::Merged));
            }
            let candidates = self.candidates(level, name);
            if candidates.sure.is_empty() && candidates.open.is_empty() && candidates.made.is_empty() {
                continue;
            }
            let others = level.parent.is_some_and(|parent| self.could_supply(parent, name));
            return Some(self.judge(level, name, candidates, others));
        }
        None
    }

    fn could_supply(&self, scope: &Scope<'_>, name: Written<'_>) -> bool {
        scope.around().any(|level| level.sources.iter().any(|source| !self.find(source.rows, name).0.is_empty()))
    }

    /// The table at the head of this file.
    fn judge(&self, scope: &Scope<'_>, name: Written<'_>, candidates: Candidates, others: bool) -> Resolution {
        let Candidates { sure, mut open, made } = candidates;
        let others = others || open.len() == 1 && !made.is_empty();
        if open.len() != 1 {
            open.extend(made);
        }
        let variable = self.variables.iter().any(|variable| variable.eq_ignore_ascii_case(name.0));
        open.truncate(MOST_CANDIDATES);
        match (sure.len(), open.len()) {
            (1, 0) => Resolution::new(sure, Confidence::Certain, Why::OnlyKnown),
            (1, _) => Resolution::new(sure, Confidence::Likely, Why::KnownAmongUnknown),
            (0, 1) if others || variable => Resolution::new(open, Confidence::Likely, Why::Nearest),
            (0, 1) => Resolution::new(open, Confidence::Certain, Why::OnlySource),
            (0, _) => Resolution::new(open, Confidence::Unknown, Why::Several),
            _ if scope.natural => Resolution::new(sure, Confidence::Certain, Why::Merged),
            _ => Resolution::new(sure, Confidence::Unknown, Why::Several),
        }
    }

    /// The source that a qualifier names, how many names it has, and whether it is of this very scope.
    pub(super) fn qualified<'s>(&self, scope: &'s Scope<'s>, names: &[Name]) -> Option<(&'s Source, usize)> {
        for level in scope.around() {
            for length in (1..names.len()).rev() {
                let qualifier = names.get(..length)?;
                if let Some(source) = level.sources.iter().find(|source| self.is_named(source, qualifier)) {
                    return Some((source, length));
                }
            }
            let first = names.first()?.written();
            if level.symbols.iter().any(|(symbol, quoted)| self.dialect.same(first, (symbol, *quoted))) {
                return level.sources.first().filter(|_| names.len() > 1).map(|source| (source, 1));
            }
            // A column of this scope hides the relations around it.
            if self.dialect.dots_reach_fields() && !self.candidates(level, first).sure.is_empty() {
                return None;
            }
        }
        None
    }

    /// The source that a whole path names, as that of `t.*` does.
    pub(super) fn source_named<'s>(&self, scope: &'s Scope<'s>, path: &[Name]) -> Option<&'s Source> {
        scope.around().find_map(|level| level.sources.iter().find(|source| self.is_named(source, path)))
    }

    /// Whether a qualifier is the end of a source's name, or of its own name in full where it stands with less.
    pub(super) fn is_named(&self, source: &Source, qualifier: &[Name]) -> bool {
        let is_own = || {
            let both = source.own.iter().rev().zip(qualifier.iter().rev());
            source.own.len() >= qualifier.len()
                && !qualifier.is_empty()
                && both.into_iter().all(|(one, other)| self.dialect.same(one.written(), other.written()))
        };
        if !source.own.is_empty() && is_own() {
            return true;
        }
        let (own, said) = (source.names.len(), qualifier.len());
        let is_full = !source.renamed && matches!(source.rows, Rows::Relation(_));
        if own.min(said) == 0 || said > own && !is_full {
            return false;
        }
        let both = source.names.iter().rev().zip(qualifier.iter().rev());
        both.into_iter().all(|(one, other)| self.dialect.same(one.written(), other.written()))
    }

    /// What a column of a source that is named before it means.
    pub(super) fn resolve_in(&self, source: &Source, name: Written<'_>) -> Resolution {
        let (from, sure) = self.find(source.rows, name);
        match (from.len(), sure) {
            (0, _) => {
                let from =
                    if let Rows::Relation(relation) = source.rows { vec![Origin::Relation(relation)] } else { from };
                Resolution::new(from, Confidence::Unknown, Why::NotInSchema)
            }
            (1, true) => Resolution::new(from, Confidence::Certain, Why::Qualified),
            (1, false) => Resolution::new(from, Confidence::Certain, Why::QualifiedUnseen),
            _ => Resolution::new(from, Confidence::Unknown, Why::Several),
        }
    }
}

/// What a name without a qualifier is remembered by that was used as a column in a block.
pub(super) fn plain(block: usize, name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    block.hash(&mut hasher);
    for byte in name.bytes() {
        hasher.write_u8(byte.to_ascii_lowercase());
    }
    hasher.finish()
}
