//! The way back of a rewriting: what the rules have written is recognised, and what stood there before stands there again.
//!
//! A change that undoes another one knows what that one would have written for each old column: `user_id as uid`, a cast
//! between its parentheses, a list of columns for a star, a comment for a person. Where a text has these very bytes, the old column takes
//! their place, and an alias that only kept its name goes. What is not recognised is rewritten as any other reader of the new
//! dataset: it means the same, in other bytes.
//!
//! Some bytes are gone, and no reading of the new text brings them back: the letters' case of a name that got another one, a join by
//! `using` that became `on`, the list of a star's exceptions, and whatever was deleted.

use super::column::is_plain_output;
use super::{Style, Work, star};
use greylag_model::consumer::{Fate, TableChange};
use greylag_model::expr::Node;
use greylag_syntax::sql::{ColumnUse, Origin, Output, QueryKind};
use std::ops::Range;

/// A list of fewer columns is more likely one that somebody wrote.
const FEWEST: usize = 4;

impl<'a> Work<'a> {
    /// The change that a change of this number undoes.
    fn undone(&self, change: usize) -> Option<&'a TableChange> {
        self.change(change).undoes.as_deref()
    }

    /// Takes back what the rules have written; what was taken back is not looked at again.
    pub(super) fn restore(&mut self) {
        if self.input.changes.iter().all(|change| change.undoes.is_none()) {
            return;
        }
        self.notes_taken_back();
        self.stars_taken_back();
        let columns = &self.input.reading.columns;
        for column in columns {
            let [origin] = column.from.as_slice() else { continue };
            if self.is_restored(&column.range) {
                continue;
            }
            let Some((relation, name)) = self.reach(*origin, &column.name.text) else { continue };
            let Some((change, _)) = self.concerned[relation] else { continue };
            if let Some(undone) = self.undone(change) {
                self.restore_column(column, change, undone, &name);
            }
        }
    }

    /// Whether a place was taken back.
    pub(super) fn is_restored(&self, at: &Range<usize>) -> bool {
        self.restored.iter().any(|restored| restored.start <= at.start && at.end <= restored.end)
    }

    fn restore_column(&mut self, column: &ColumnUse, change: usize, undone: &TableChange, name: &str) {
        let mut found: Vec<(Range<usize>, &str)> = Vec::new();
        for old in &undone.columns {
            let at = match &old.fate {
                // Where the name stays nothing was written.
                Fate::Same(new) if new == name && *new != old.name => Some(column.range.clone()),
                Fate::Computed(value) | Fate::Replaced { value, .. } if value.columns().contains(&name) => {
                    let before = column
                        .qualifier
                        .clone()
                        .map_or("", |range| &self.input.text[range.start..column.name.range.start]);
                    let style = Style { qualifier: before, ..self.style(column.statement) };
                    style.write(value).ok().and_then(|written| self.around(column, &written))
                }
                _ => None,
            };
            found.extend(at.map(|at| (at, old.name.as_str())));
        }
        let Some((at, old)) = found.into_iter().max_by_key(|(at, _)| at.len()) else { return };
        let (end, written) = self.with_alias(column, &at, old);
        if written.is_none() && at == column.range && self.is_shown_instead(column, undone, old) {
            self.refer(column, change, name);
            self.restored.push(at);
            return;
        }
        if written.is_none() && at == column.range {
            // Another name and nothing else: as in any other reader.
            return;
        }
        let before = self.qualifier(column);
        let style = self.style(column.statement);
        let whole = at.start..end;
        self.wanted.demands.retain(|demand| !(whole.start <= demand.at.start && demand.at.end <= whole.end));
        let inside: Vec<ColumnUse> = self
            .input
            .reading
            .columns
            .iter()
            .filter(|other| whole.start <= other.range.start && other.range.end <= whole.end)
            .cloned()
            .collect();
        for other in inside {
            self.refer(&other, change, &other.name.text);
        }
        self.demand(whole.clone(), format!("{before}{}", written.unwrap_or_else(|| style.name(old))));
        self.restored.push(whole);
    }

    /// Whether a use is an output under the old name for which the rules show the new values, so that nothing was written.
    fn is_shown_instead(&self, column: &ColumnUse, undone: &TableChange, old: &str) -> bool {
        let found = undone.columns.iter().find(|found| found.name == old);
        let is_it = found.is_some_and(
            |found| matches!(&found.fate, Fate::Replaced { value, .. } if matches!(value.node, Node::Column(_))),
        );
        is_it && is_plain_output(column) && column.name.text.eq_ignore_ascii_case(old)
    }

    /// Where a written expression stands around a use.
    fn around(&self, column: &ColumnUse, written: &str) -> Option<Range<usize>> {
        let text = self.input.text;
        let used = text.get(column.range.clone())?;
        written.match_indices(used).find_map(|(at, _)| {
            let start = column.range.start.checked_sub(at)?;
            text.get(start..)?.starts_with(written).then(|| start..start + written.len())
        })
    }

    /// The end of an item that is a place and an alias that says the old name, and that name as it is written; the end of the
    /// place itself, if there is no such alias.
    fn with_alias(&self, column: &ColumnUse, at: &Range<usize>, old: &str) -> (usize, Option<String>) {
        let block = column.query.and_then(|query| self.input.reading.queries.get(query));
        // Who names every column twice did so here, too.
        if block.is_some_and(|block| block.outputs.iter().any(|output| self.is_named_twice(output))) {
            return (at.end, None);
        }
        let item = block.and_then(|block| {
            block.outputs.iter().find(|output| output.range.start == at.start && output.alias.is_some())
        });
        let alias = item.and_then(|item| Some((item.alias.clone()?, item.name.as_deref()?)));
        let Some((alias, _)) = alias.filter(|(_, name)| name.eq_ignore_ascii_case(old)) else { return (at.end, None) };
        let between = self.input.text.get(at.end..alias.start).unwrap_or_default();
        if between.trim().eq_ignore_ascii_case("as") && between.len() == 4 {
            (alias.end, Some(self.input.text[alias].to_owned()))
        } else {
            (at.end, None)
        }
    }

    /// Whether an item is a column with its own name as its alias.
    fn is_named_twice(&self, output: &Output) -> bool {
        let is_it = |column: &ColumnUse| {
            column.range.start == output.range.start
                && output.name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(&column.name.text))
        };
        let alias = output.alias.as_ref();
        let item = alias.and_then(|alias| self.input.text.get(output.range.start..alias.start)).unwrap_or_default();
        let plain = item
            .trim_end()
            .to_ascii_lowercase()
            .strip_suffix("as")
            .is_some_and(|item| !item.trim_end().contains(['(', ' ', '\n']));
        plain && self.input.reading.columns.iter().any(is_it)
    }

    /// Comments that the rules have written for people.
    fn notes_taken_back(&mut self) {
        for change in self.input.changes {
            for note in notes(change) {
                let found: Vec<usize> = self.input.text.match_indices(&note).map(|(at, _)| at).collect();
                for at in found {
                    self.demand(at..at + note.len(), "");
                }
            }
        }
    }

    /// Lists of all columns, as the rules write them for a star.
    fn stars_taken_back(&mut self) {
        for (number, concerned) in self.concerned.clone().into_iter().enumerate() {
            let Some((change, _)) = concerned else { continue };
            let Some(undone) = self.undone(change) else { continue };
            for block in &self.input.reading.queries {
                if block.kind != QueryKind::Select || block.statement != self.input.reading.relations[number].statement
                {
                    continue;
                }
                if let Some((at, by)) = self.star_of(number, undone, &block.outputs) {
                    self.wanted.demands.retain(|demand| !(at.start <= demand.at.start && demand.at.end <= at.end));
                    self.demand(at.clone(), by);
                    self.restored.push(at);
                }
            }
        }
    }

    /// The items of a block that are what the rules make of a star over a relation, and the star.
    fn star_of(&self, relation: usize, undone: &TableChange, outputs: &[Output]) -> Option<(Range<usize>, String)> {
        let text = self.input.text;
        let reads = |output: &Output| {
            self.input.reading.columns.iter().find(|column| {
                output.range.start <= column.range.start
                    && column.range.end <= output.range.end
                    && column.from == [Origin::Relation(relation)]
            })
        };
        let changes = |column: &greylag_model::consumer::ColumnChange| column.fate != Fate::Same(column.name.clone());
        if undone.columns.len() < FEWEST || !undone.columns.iter().any(changes) {
            return None;
        }
        let count = undone.columns.len();
        for first in 0..(outputs.len() + 1).saturating_sub(count) {
            let Some(column) = reads(&outputs[first]) else { continue };
            let qualifier = column.qualifier.clone().map_or("", |range| &text[range.start..column.name.range.start]);
            let style = Style { qualifier, ..self.style(column.statement) };
            let items: Option<Vec<String>> =
                undone.columns.iter().map(|column| star::item(style, column).ok()).collect();
            let at = outputs[first].range.start..outputs[first + count - 1].range.end;
            if text.get(at.clone()) == Some(self.laid_out_at(at.start, &items?).as_str()) {
                return Some((at, format!("{}*", self.qualifier(column))));
            }
        }
        None
    }
}

/// The comments that the rules write for people where a change that is undone has columns to be judged.
pub(crate) fn notes(change: &TableChange) -> Vec<String> {
    let undone = change.undoes.iter().flat_map(|undone| &undone.columns);
    undone.filter_map(|column| column.judgement.as_ref()).map(super::note_text).collect()
}
