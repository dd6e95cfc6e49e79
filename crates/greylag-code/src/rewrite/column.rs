//! Columns of the old dataset, each by what becomes of it.

use super::print::is_plain;
use super::writer::Called;
use super::{Found, Style, Work};
use greylag_model::consumer::{Class, ColumnChange, Fate};
use greylag_model::expr::{Node, TypedExpr};
use greylag_model::reference::{self, Role};
use greylag_syntax::sql::{self, ColumnUse, Confidence, Feed, Origin, Quoting, Why};
use std::ops::Range;

impl Work<'_> {
    /// References to columns, and what they ask for.
    pub(super) fn columns(&mut self) {
        let joined = self.joins();
        for (at, column) in self.input.reading.columns.iter().enumerate() {
            // Lists of stars go with their stars.
            if column.role == sql::Role::Star || self.is_restored(&column.range) || self.of_joined(column, &joined) {
                continue;
            }
            let mut reached: Vec<(usize, String)> =
                column.from.iter().filter_map(|origin| self.reach(*origin, &column.name.text)).collect();
            reached.dedup();
            match reached.as_slice() {
                [] if column.from.is_empty() => self.unresolved(column),
                [] => {}
                [(relation, name)] if column.from.len() == 1 => {
                    if !self.is_stuck(at, *relation, name) {
                        self.column(column, *relation, name);
                    }
                }
                several => self.several(column, several),
            }
        }
    }

    /// A use that reaches one relation and no other.
    fn column(&mut self, column: &ColumnUse, relation: usize, name: &str) {
        let Some((number, _)) = self.concerned[relation] else { return };
        let change = self.change(number);
        let Some(found) = change.column(name) else {
            if change.is_open() {
                self.refer(column, number, name);
                return;
            }
            if column.why == Why::WholeRow {
                self.whole_row(column, number);
            } else if column.why != Why::Pseudo {
                let why = format!("`{name}` is no column of `{}`", change.dataset);
                self.find(column.range.clone(), Class::Unknown, number, Some(name), why);
            }
            return;
        };
        self.refer(column, number, &found.name);
        if let Some(judgement) = &found.judgement {
            let why = format!("{} {}", judgement.text, judgement.guide);
            self.note(column.range.end, judgement);
            self.find(column.range.clone(), Class::Judgement, number, Some(&found.name), why);
        }
        if column.confidence == Confidence::Unknown {
            let why = column.why.to_string();
            self.find(column.range.clone(), Class::Unknown, number, Some(&found.name), why);
            return;
        }
        match &found.fate {
            Fate::Same(new) => self.rename(column, &found.name, new),
            Fate::Computed(expr) => self.compute(column, number, found, expr),
            Fate::Replaced { by, value, .. } if is_plain_output(column) => match &value.node {
                Node::Column(_) => self.rename(column, &found.name, by),
                _ => self.compute(column, number, found, value),
            },
            Fate::Replaced { by, why, .. } => {
                let why = format!("`{by}` replaces `{}` with other values: {why}", found.name);
                self.find(column.range.clone(), Class::Judgement, number, Some(&found.name), why);
            }
            Fate::Lost(why) => {
                let why = format!("`{}` ends: {why}", found.name);
                self.find(column.range.clone(), Class::Judgement, number, Some(&found.name), why);
            }
        }
    }

    /// A use of a whole row: whoever takes it sees the columns of the new dataset.
    fn whole_row(&mut self, column: &ColumnUse, number: usize) {
        let change = self.change(number);
        if change.keeps_names() {
            return;
        }
        let why = format!("it takes a whole row of `{}`, whose columns change", change.dataset);
        self.find(column.range.clone(), Class::Agentic, number, None, why);
    }

    pub(super) fn refer(&mut self, column: &ColumnUse, change: usize, name: &str) {
        let confidence = match column.confidence {
            Confidence::Certain => reference::Confidence::Certain,
            Confidence::Likely => reference::Confidence::Likely,
            Confidence::Unknown => reference::Confidence::Unknown,
        };
        let why = if confidence == reference::Confidence::Certain { String::new() } else { column.why.to_string() };
        let (at, column, role) = (column.name.range.clone(), Some(name.to_owned()), role(column.role));
        self.wanted.references.push(Found { at, change, column, role, confidence, why });
    }

    /// Another name; a select item that is just the column keeps its output's name.
    fn rename(&mut self, column: &ColumnUse, old: &str, new: &str) {
        if old == new {
            return;
        }
        let (at, by) = match self.unquoted(column, old, new) {
            Some(unquoted) => unquoted,
            None => self.replaced(&column.name, new),
        };
        match column.place.bare.filter(|_| self.is_seen(column)) {
            // One place, so that a name that comes from a literal is changed where the literal stands.
            Some(end) => {
                let is_given = self.called(column) == Called::As(new);
                let alias = if is_given { String::new() } else { self.alias(column) };
                if end == at.end {
                    self.demand(at, format!("{by}{alias}"));
                } else {
                    self.demand(at, by);
                    if !alias.is_empty() {
                        self.demand(end..end, alias);
                    }
                }
            }
            None => self.demand(at, by),
        }
    }

    /// On the way back: a name whose quotes the rules have written, since only the new name needs them.
    fn unquoted(&self, column: &ColumnUse, old: &str, new: &str) -> Option<(Range<usize>, String)> {
        let back = self.input.changes.iter().any(|change| change.undoes.is_some());
        let written = back && column.name.quoting == Quoting::Own && is_plain(new) && !is_plain(old);
        written.then(|| (column.name.range.clone(), new.to_owned()))
    }

    /// Whether somebody sees the name of the output that a use alone makes: a reader of the text, or another part of it.
    fn is_seen(&self, column: &ColumnUse) -> bool {
        let reading = self.input.reading;
        let Some(query) = column.query else { return true };
        let Some(block) = reading.queries.get(query) else { return true };
        let item = block
            .outputs
            .iter()
            .position(|output| output.range.start <= column.range.start && column.range.end <= output.range.end);
        let Some(output) = item.filter(|_| !self.exposes(query)) else { return true };
        let of = Origin::Output { query, output };
        let feeds = || reading.queries.iter().flat_map(|query| &query.outputs).flat_map(|output| &output.feeds);
        reading.columns.iter().any(|other| other.from.contains(&of))
            || feeds().any(|feed| matches!(feed, Feed::Column(origin, _) if *origin == of))
    }

    /// ` as ` and the name that the output had, or is given; nothing where whoever makes the dataset names it.
    pub(super) fn alias(&self, column: &ColumnUse) -> String {
        let style = self.style(column.statement);
        let name = match self.called(column) {
            Called::AsBefore => self.input.text[column.name.range.clone()].to_owned(),
            Called::As(given) => style.name(given),
            Called::Later => return String::new(),
        };
        format!(" {} {name}", style.word("as"))
    }

    /// An expression over new columns.
    fn compute(&mut self, column: &ColumnUse, change: usize, found: &ColumnChange, expr: &TypedExpr) {
        let place = match column.role {
            sql::Role::Using
            | sql::Role::InsertTarget
            | sql::Role::UpdateTarget
            | sql::Role::Star
            | sql::Role::Define => Some("stands where only a name can stand"),
            _ if column.place.field => Some("has fields read of it"),
            _ => None,
        };
        if let Some(place) = place {
            let why = format!("`{}` is computed from new columns and {place}", found.name);
            self.find(column.range.clone(), Class::Agentic, change, Some(&found.name), why);
            return;
        }
        let qualifier = self.qualifier(column);
        let style = Style { qualifier: &qualifier, ..self.style(column.statement) };
        match style.write(expr) {
            Ok(text) => {
                let named = column.place.bare.is_some() && self.is_seen(column);
                let alias = if named { self.alias(column) } else { String::new() };
                self.wanted
                    .demands
                    .retain(|demand| !column.qualifier.as_ref().is_some_and(|qualifier| within(&demand.at, qualifier)));
                self.demand(column.range.clone(), format!("{text}{alias}"));
            }
            Err(why) => self.find(column.range.clone(), Class::Agentic, change, Some(&found.name), why.to_string()),
        }
    }

    /// The qualifier of a use with its dot, as it stands after the rewriting.
    pub(super) fn qualifier(&self, column: &ColumnUse) -> String {
        let Some(range) = &column.qualifier else { return String::new() };
        let renamed = self.wanted.demands.iter().find(|demand| within(&demand.at, range));
        let text = &self.input.text;
        match renamed {
            Some(demand) => {
                format!("{}{}{}.", &text[range.start..demand.at.start], demand.by, &text[demand.at.end..range.end])
            }
            None => format!("{}.", &text[range.clone()]),
        }
    }

    /// A use that several relations may be meant by, or that is a column of several.
    fn several(&mut self, column: &ColumnUse, reached: &[(usize, String)]) {
        let fates = reached.iter().filter_map(|(relation, name)| {
            let (number, _) = self.concerned[*relation]?;
            Some((number, self.change(number).column(name)?))
        });
        let fates: Vec<(usize, &ColumnChange)> = fates.collect();
        for (number, found) in &fates {
            self.refer(column, *number, &found.name);
        }
        let moves = |found: &ColumnChange| found.judgement.is_some() || found.fate != Fate::Same(found.name.clone());
        let Some((number, found)) = fates.iter().find(|(_, found)| moves(found)) else { return };
        let merged = column.why == Why::Merged || column.role == sql::Role::Using;
        let all = fates.len() == column.from.len() && fates.iter().all(|(_, other)| other.fate == found.fate);
        match &found.fate {
            Fate::Same(new) if merged && all => self.rename(column, &found.name, new),
            _ if merged => {
                let why = format!("`{}` is joined by name with a column that keeps its name", found.name);
                self.find(column.range.clone(), Class::Agentic, *number, Some(&found.name), why);
            }
            _ => {
                let why = format!("it may be `{}`: {}", found.name, column.why);
                self.find(column.range.clone(), Class::Unknown, *number, Some(&found.name), why);
            }
        }
    }

    /// A word that was not resolved, in a statement that names a concerned relation.
    fn unresolved(&mut self, column: &ColumnUse) {
        let relations = self.input.reading.relations.iter().zip(&self.concerned);
        let here = relations.filter(|(relation, _)| relation.statement == column.statement);
        let found = here.filter_map(|(_, concerned)| *concerned).find_map(|(number, _)| {
            let found = self.change(number).column(&column.name.text)?;
            let moves = found.judgement.is_some() || found.fate != Fate::Same(found.name.clone());
            moves.then_some((number, found.name.clone()))
        });
        if let Some((number, name)) = found {
            self.refer(column, number, &name);
            let why = format!("it may be `{name}`: {}", column.why);
            self.find(column.name.range.clone(), Class::Unknown, number, Some(&name), why);
        }
    }
}

fn within(inner: &std::ops::Range<usize>, outer: &std::ops::Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// A use that is shown and nothing else: no row is chosen, joined or computed by it.
pub(super) fn is_plain_output(column: &ColumnUse) -> bool {
    column.role == sql::Role::Select && !column.place.computed && !column.place.condition
}

fn role(role: sql::Role) -> Role {
    match role {
        sql::Role::Select => Role::Select,
        sql::Role::Join | sql::Role::Using => Role::Join,
        sql::Role::Filter | sql::Role::Having | sql::Role::Qualify => Role::Filter,
        sql::Role::Group => Role::Group,
        sql::Role::Window => Role::Window,
        sql::Role::Order => Role::Order,
        sql::Role::MergeKey => Role::MergeKey,
        sql::Role::InsertTarget | sql::Role::UpdateTarget => Role::Assign,
        sql::Role::Assign => Role::Select,
        sql::Role::Star => Role::Star,
        sql::Role::Define => Role::Declare,
        sql::Role::Limit | sql::Role::From | sql::Role::Unknown => Role::Other,
    }
}
