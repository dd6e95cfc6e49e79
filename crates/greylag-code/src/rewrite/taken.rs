//! New names that mean something else where they would stand.
//!
//! A column that gets another name may meet that name: an alias of the select list that sorting takes first, or a column of
//! another relation. The text would still run, often, and give something else.

use super::Work;
use greylag_model::consumer::{Class, Fate};
use greylag_syntax::sql::{ColumnUse, Dialect, Feed, Origin, Output, OutputKind, Role};
use std::ops::Range;

impl Work<'_> {
    /// Holds what a new name would make ambiguous, or give another meaning. On the way back nothing is asked: what is taken
    /// back stood there before.
    pub(super) fn taken(&mut self) {
        if self.input.changes.iter().any(|change| change.undoes.is_some()) {
            return;
        }
        let reading = self.input.reading;
        for (at, relation) in reading.relations.iter().enumerate() {
            let Some((number, _)) = self.concerned[at].filter(|(number, _)| !self.change(*number).keeps_names()) else {
                continue;
            };
            if self.is_joined_naturally(&relation.range) {
                let why = "a natural join takes columns by their names, and these change";
                self.find(relation.range.clone(), Class::Agentic, number, None, why.to_owned());
            }
        }
        for column in &reading.columns {
            let Some((number, old, new)) = self.called_anew(column) else { continue };
            if column.qualifier.is_none() && (self.is_an_alias(column, &old, new) || self.is_of_another(column, new)) {
                let why = format!("`{old}` becomes `{new}`, which is the name of something else there");
                self.find(column.range.clone(), Class::Agentic, number, Some(&old), why);
            }
        }
        for column in &reading.columns {
            if let Some((number, old)) = self.is_covered(column) {
                let name = &column.name.text;
                let why = format!("`{name}` is something else there, and would be what `{old}` becomes");
                self.find(column.range.clone(), Class::Agentic, number, Some(&old), why);
            }
        }
    }

    /// Whether the block that a relation stands in has a natural join.
    fn is_joined_naturally(&self, at: &Range<usize>) -> bool {
        let blocks = self.input.reading.queries.iter().map(|block| &block.range);
        let around =
            blocks.filter(|range| range.start <= at.start && at.end <= range.end).min_by_key(|range| range.len());
        let text = around.and_then(|range| self.input.text.get(range.clone())).unwrap_or_default().to_ascii_lowercase();
        let words: Vec<&str> = text.split_whitespace().collect();
        words.windows(2).any(|pair| {
            pair[0] == "natural" && matches!(pair[1], "join" | "inner" | "left" | "right" | "full" | "outer")
        })
    }

    /// Of a use that gets another name: the change, the old name, and the new one.
    fn called_anew(&self, column: &ColumnUse) -> Option<(usize, String, &str)> {
        let (relation, name) = self.reached(column)?;
        let (number, _) = self.concerned[relation]?;
        let found = self.input.changes[number].column(&name)?;
        let new = match &found.fate {
            Fate::Same(new) => new.as_str(),
            Fate::Computed(expr) => expr.columns().into_iter().next()?,
            Fate::Replaced { by, .. } => by.as_str(),
            Fate::Lost(_) => return None,
        };
        (!new.eq_ignore_ascii_case(&found.name)).then(|| (number, found.name.clone(), new))
    }

    fn reached(&self, column: &ColumnUse) -> Option<(usize, String)> {
        column.from.iter().find_map(|origin| self.reach(*origin, &column.name.text))
    }

    /// Whether an alias of the block takes the name first: where rows are sorted, and anywhere in `ClickHouse`. An alias of
    /// the very column takes nothing away.
    fn is_an_alias(&self, column: &ColumnUse, old: &str, new: &str) -> bool {
        let first = column.role == Role::Order || self.input.dialect == Dialect::ClickHouse;
        let Some(block) = column.query.and_then(|query| self.input.reading.queries.get(query)) else { return false };
        first && block.outputs.iter().any(|output| is_called(output, new) && !self.is_copy(output, old))
    }

    /// Whether an output is a column of a dataset that changes, as it is.
    fn is_copy(&self, output: &Output, old: &str) -> bool {
        let of = |feed: &Feed| match feed {
            Feed::Use(number) => self.input.reading.columns.get(*number).and_then(|column| self.reached(column)),
            Feed::Column(origin, name) => self.reach(*origin, name),
            Feed::All(_) => None,
        };
        let copied = output.kind == OutputKind::Copy && output.feeds.len() == 1;
        copied && output.feeds.iter().filter_map(of).any(|(_, name)| name.eq_ignore_ascii_case(old))
    }

    /// Whether something else that the block reads has a column of that name, as far as its uses tell.
    fn is_of_another(&self, column: &ColumnUse, new: &str) -> bool {
        if column.query.is_none() {
            return false;
        }
        let reading = self.input.reading;
        let has = |origin: &Origin| match origin {
            Origin::Output { query, .. } if Some(*query) != column.query => reading
                .queries
                .get(*query)
                .is_some_and(|block| block.outputs.iter().any(|output| is_called(output, new))),
            _ => false,
        };
        let others = reading.columns.iter().filter(|other| other.query == column.query && !self.is_own(other));
        let mut others = others.filter(|other| !other.from.is_empty() && self.reached(other).is_none());
        others.any(|other| other.name.text.eq_ignore_ascii_case(new) || other.from.iter().any(has))
    }

    /// Whether a use means an output of its own block.
    fn is_own(&self, column: &ColumnUse) -> bool {
        column.from.iter().any(|origin| matches!(origin, Origin::Output { query, .. } if Some(*query) == column.query))
    }

    /// Whether a name without qualifier would be taken for a new column of a dataset that its block reads: the change, and
    /// the old name of that column.
    fn is_covered(&self, column: &ColumnUse) -> Option<(usize, String)> {
        let sorted = column.role == Role::Order && self.is_own(column);
        if column.qualifier.is_some() || column.from.is_empty() || sorted || self.reached(column).is_some() {
            return None;
        }
        let query = column.query?;
        let name = &*column.name.text;
        let near = self.input.reading.columns.iter().filter(|other| other.query == Some(query));
        let read = near.filter_map(|other| self.reached(other)).filter_map(|(relation, _)| self.concerned[relation]);
        let mut met = read.filter_map(|(number, _)| {
            let named = |fate: &Fate| matches!(fate, Fate::Same(new) if new.eq_ignore_ascii_case(name));
            let change = &self.input.changes[number];
            let found =
                change.columns.iter().find(|found| named(&found.fate) && !found.name.eq_ignore_ascii_case(name));
            found.map(|found| (number, found.name.clone()))
        });
        let (number, old) = met.next()?;
        let same = |origin: &Origin| match origin {
            Origin::Output { query, output } => {
                let block = self.input.reading.queries.get(*query);
                block.and_then(|block| block.outputs.get(*output)).is_some_and(|output| self.is_copy(output, &old))
            }
            Origin::Relation(_) => false,
        };
        (!(self.is_own(column) && column.from.iter().all(same))).then_some((number, old))
    }
}

fn is_called(output: &Output, name: &str) -> bool {
    output.name.as_deref().is_some_and(|called| called.eq_ignore_ascii_case(name))
}
