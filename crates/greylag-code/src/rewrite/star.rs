//! Stars over the old dataset: left alone where only names that can change are behind them, else written out.

use super::{Found, Style, Work};
use greylag_model::consumer::{Class, Fate};
use greylag_model::reference::{Confidence, Role};
use greylag_model::spec::StarPolicy;
use greylag_syntax::sql::{Feed, Origin, QueryKind, Star};
use std::collections::HashSet;

/// How many blocks over blocks are looked at for who sees a star's names.
const DEPTH: usize = 32;

impl Work<'_> {
    /// Decides on every star over a concerned relation; says which are written out.
    pub(super) fn stars(&mut self) -> HashSet<usize> {
        let mut kept = HashSet::new();
        for (number, star) in self.input.reading.stars.iter().enumerate() {
            let over = star.from.iter().filter_map(|origin| self.of_relation(*origin)).collect::<Vec<_>>();
            for (_, change) in &over {
                self.wanted.references.push(Found {
                    at: star.range.clone(),
                    change: *change,
                    column: None,
                    role: Role::Star,
                    confidence: Confidence::Certain,
                    why: String::new(),
                });
            }
            let Some((_, change)) = over.first() else { continue };
            if over.iter().all(|(_, change)| self.keeps_all(*change)) {
                continue;
            }
            if !self.exposes(star.query) {
                self.lists(star, *change);
                continue;
            }
            match over.iter().map(|(_, change)| self.change(*change).star).max_by_key(|star| *star as u8) {
                Some(StarPolicy::Keep) => {
                    self.wanted.shows_new = true;
                    self.lists(star, *change);
                    continue;
                }
                Some(StarPolicy::Hold) => {
                    let why = "a star shows columns that change, and the migration leaves stars to people";
                    self.find(star.item.clone(), Class::Agentic, *change, None, why);
                }
                Some(StarPolicy::Expand) | None => {}
            }
            kept.insert(number);
            match self.written_out(star) {
                Ok(text) => self.demand(star.item.clone(), text),
                Err((class, column, why)) => self.find(star.item.clone(), class, *change, column.as_deref(), why),
            }
        }
        kept
    }

    /// A relation that is concerned, with its change.
    pub(super) fn of_relation(&self, origin: Origin) -> Option<(usize, usize)> {
        let Origin::Relation(relation) = origin else { return None };
        self.concerned.get(relation).copied().flatten().map(|(change, _)| (relation, change))
    }

    /// Whether every old column is in the new dataset under its name and in its place, and nothing else is.
    pub(super) fn keeps_all(&self, change: usize) -> bool {
        let change = self.change(change);
        let same = |(old, new): (&greylag_model::consumer::ColumnChange, &String)| {
            old.judgement.is_none() && old.name == *new && old.fate == Fate::Same(new.clone())
        };
        change.columns.len() == change.target.len() && change.columns.iter().zip(&change.target).all(same)
    }

    /// Whether somebody sees the names of a block's columns who is not named column by column in this text.
    pub(super) fn exposes(&self, query: usize) -> bool {
        self.exposes_within(query, DEPTH)
    }

    fn exposes_within(&self, query: usize, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return true };
        let reading = self.input.reading;
        if reading.statements.iter().any(|statement| statement.query == Some(query)) {
            return true;
        }
        let reads = |feed: &Feed| match feed {
            Feed::Column(Origin::Output { query: of, .. }, _) | Feed::All(Origin::Output { query: of, .. }) => {
                *of == query
            }
            _ => false,
        };
        let by_position = reading.queries.iter().filter(|block| block.kind != QueryKind::Select);
        if by_position.flat_map(|block| &block.outputs).any(|output| output.feeds.iter().any(reads)) {
            return true;
        }
        let over = reading.stars.iter().filter(|star| star.query != query && star.queries.contains(&query));
        over.map(|star| star.query).any(|above| self.exposes_within(above, depth))
    }

    /// The lists of a star that stays: names of columns that change.
    fn lists(&mut self, star: &Star, change: usize) {
        let names = star.except.iter().chain(&star.replace).chain(star.rename.iter().map(|(old, _)| old));
        for name in names.cloned().collect::<Vec<_>>() {
            let Some(column) = self.change(change).column(&name.text) else { continue };
            match &column.fate {
                Fate::Same(new) | Fate::Replaced { by: new, .. } if star.replace.is_empty() => {
                    let (at, by) = self.replaced(&name, new);
                    self.demand(at, by);
                }
                _ => {
                    let why = format!("`{}` is in a list of a star and has no plain successor", name.text);
                    self.find(name.range.clone(), Class::Agentic, change, Some(&name.text), why);
                }
            }
        }
    }

    /// The columns of a star, one by one, with the names that they had.
    fn written_out(&self, star: &Star) -> Result<String, (Class, Option<String>, String)> {
        let agentic = |why: &str| (Class::Agentic, None, why.to_owned());
        if !star.replace.is_empty() || !star.rename.is_empty() {
            return Err(agentic("a star that replaces or renames columns would have to be written out"));
        }
        if star.from.len() > 1 && star.qualifier.is_none() && self.merges(star.query) {
            return Err(agentic("a star over relations that are joined by `using` would have to be written out"));
        }
        let mut items = Vec::new();
        for origin in &star.from {
            let Some((relation, change)) = self.of_relation(*origin) else {
                let Origin::Relation(relation) = origin else {
                    return Err(agentic(
                        "a star over several relations, of which one has no name, would have to be written out",
                    ));
                };
                items.push(format!("{}.*", self.name_in_scope(*relation)));
                continue;
            };
            let qualifier = match &star.qualifier {
                Some(range) => format!("{}.", self.qualifier_after(range.clone(), change)),
                None if star.from.len() > 1 => format!("{}.", self.name_in_scope(relation)),
                None => String::new(),
            };
            let style = Style { qualifier: &qualifier, ..self.style(star.statement) };
            let columns = self.change(change).columns.iter();
            let left_out = |name: &str| star.except.iter().any(|left_out| left_out.text.eq_ignore_ascii_case(name));
            let (shown, hard): (Vec<_>, Vec<_>) = columns
                .filter(|column| !left_out(&column.name))
                .map(|column| item(style, column))
                .partition(Result::is_ok);
            // Of several reasons the most difficult one counts.
            if let Some(why) = hard.into_iter().rev().filter_map(Result::err).max_by_key(|(class, ..)| *class) {
                return Err(why);
            }
            items.extend(shown.into_iter().filter_map(Result::ok));
        }
        Ok(self.laid_out(star, &items))
    }

    /// Whether a block joins by `using` or `natural`, so that columns of two relations are one.
    fn merges(&self, query: usize) -> bool {
        let block = &self.input.reading.queries[query];
        let text = self.input.text.get(block.range.clone()).unwrap_or_default().to_ascii_lowercase();
        text.contains("natural")
            || self.input.reading.columns.iter().any(|column| column.query == Some(query) && column.using.is_some())
    }

    /// What a relation is called in its block once the text is rewritten.
    pub(super) fn name_in_scope(&self, relation: usize) -> String {
        let found = &self.input.reading.relations[relation];
        let new = self.concerned[relation].map(|(change, _)| self.change(change).new.last());
        let name = match (&found.alias, new, found.parts.last()) {
            (Some(alias), _, _) => return self.input.text[alias.range.clone()].to_owned(),
            (None, Some(new), _) => new,
            (None, None, Some(last)) => &last.text,
            (None, None, None) => "",
        };
        Style { dialect: self.input.dialect, qualifier: "", upper: false, texts: &[] }.name(name)
    }

    /// A qualifier as it stands, or the new name where it repeats the old one.
    fn qualifier_after(&self, range: std::ops::Range<usize>, change: usize) -> String {
        let text = &self.input.text[range];
        let change = self.change(change);
        if change.old.iter().any(|old| old.last().eq_ignore_ascii_case(text)) {
            change.new.last().to_owned()
        } else {
            text.to_owned()
        }
    }

    /// One line, or one a line with the star's indentation where the star stands at the beginning of its line.
    fn laid_out(&self, star: &Star, items: &[String]) -> String {
        self.laid_out_at(star.item.start, items)
    }

    /// The same for a list that begins at a place.
    pub(super) fn laid_out_at(&self, start: usize, items: &[String]) -> String {
        let before = &self.input.text[..start];
        let line = &before[before.rfind('\n').map_or(0, |at| at + 1)..];
        let end = if before.ends_with(&format!("\r\n{line}")) { "\r\n" } else { "\n" };
        if !line.is_empty() && line.chars().all(char::is_whitespace) && items.len() > 1 {
            items.join(&format!(",{end}{line}"))
        } else {
            items.join(", ")
        }
    }
}

/// An old column by its own name.
pub(super) fn item(
    style: Style<'_>,
    column: &greylag_model::consumer::ColumnChange,
) -> Result<String, (Class, Option<String>, String)> {
    let name = || Some(column.name.clone());
    if let Some(judgement) = &column.judgement {
        return Err((Class::Judgement, name(), format!("a star shows `{}`: {}", column.name, judgement.text)));
    }
    let value = match &column.fate {
        Fate::Same(new) if *new == column.name => return Ok(format!("{}{}", style.qualifier, style.name(new))),
        Fate::Same(new) => format!("{}{}", style.qualifier, style.name(new)),
        Fate::Computed(expr) | Fate::Replaced { value: expr, .. } => {
            style.write(expr).map_err(|why| (Class::Agentic, name(), format!("`{}`: {why}", column.name)))?
        }
        Fate::Lost(why) => {
            return Err((Class::Judgement, name(), format!("a star shows `{}`, which ends: {why}", column.name)));
        }
    };
    Ok(format!("{value} {} {}", style.word("as"), style.name(&column.name)))
}
