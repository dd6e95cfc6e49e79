//! Sources: the datasets as a project declares them in YAML, and calls them everywhere.

use super::maker::{WORDS, is_elsewhere};
use super::{Held, Look, Placed};
use crate::dbt::{ColumnTest, Edge, SourceTable, Target};
use greylag_model::consumer::{Class, Fate, TableChange};
use greylag_model::table::TableName;
use greylag_syntax::edit::Edit;
use greylag_syntax::trace::{Span, Traced};
use std::collections::BTreeSet;

/// The change that a source is concerned by.
pub(super) fn change_of(source: &SourceTable, changes: &[TableChange]) -> Option<usize> {
    let parts = source.relation();
    let meets = changes
        .iter()
        .enumerate()
        .filter_map(|(number, change)| Some((change.old.iter().filter_map(|old| old.meets(&parts)).max()?, number)));
    meets.max_by_key(|(meeting, number)| (*meeting, std::cmp::Reverse(*number))).map(|(_, number)| number)
}

/// The schema that a name says, if it says one.
fn schema_of(name: &TableName) -> Option<&str> {
    name.parts().iter().rev().nth(1).map(String::as_str)
}

/// The bytes of a file that a text is a copy of.
pub(super) fn span(text: &Traced) -> Option<Span> {
    text.copy_of(0..text.text().len())
}

impl Look<'_> {
    /// All edits that let a source mean the new dataset; an error says why there are none.
    pub(super) fn moved(&self, source: usize) -> Result<BTreeSet<Placed>, Held> {
        let agentic = |why: String| Held { class: Class::Agentic, why };
        let table = &self.project.sources[source];
        let Some(change) = self.concerned[source].map(|number| &self.changes[number]) else {
            return Ok(BTreeSet::new());
        };
        let mut edits = BTreeSet::new();
        let identifier = span(&table.identifier).ok_or_else(|| {
            agentic(format!("nothing that stands in a file names the table of the source `{}`", table.id))
        })?;
        // Where only the target knows the schema, it is the one that the old dataset has.
        let stays = |schema: &str| match table.schema.text() {
            "" => change.old.iter().filter_map(schema_of).any(|old| schema.eq_ignore_ascii_case(old)),
            // Quotes around it are part of the text, and not of the name.
            _ => table.relation().iter().rev().nth(1).is_some_and(|own| schema.eq_ignore_ascii_case(own)),
        };
        if schema_of(&change.new).is_some_and(|schema| !stays(schema)) {
            return Err(agentic(format!("the source `{}` would have to be in another schema", table.id)));
        }
        if self.split.contains(&source) {
            return self.moved_apart(source, change);
        }
        if let Some((lines, home)) = self.added(source) {
            edits = self.moved_home(source, lines, home)?;
            self.tests(source, change, &mut edits)?;
            return Ok(edits);
        }
        if self.home(source).is_some() {
            return self.moved_apart(source, change);
        }
        let is_called_so = span(&table.table) == Some(identifier);
        if is_called_so && self.beside(table, change.new.last()).is_some() {
            if self.may_part(source) {
                return self.moved_apart(source, change);
            }
            return Err(agentic(format!("there is a source `{}` beside `{}` already", change.new.last(), table.id)));
        }
        edits.insert(replaced(identifier, change.new.last()));
        if is_called_so {
            self.calls(Target::Source(source), table.table.text(), change.new.last(), &mut edits)?;
        }
        for column in &table.columns {
            if let Some(new) = self.renamed(change, column.name.text()) {
                let at = span(&column.name);
                edits.insert(replaced(
                    at.ok_or_else(|| agentic(format!("the column `{}` of a source is made up", column.name)))?,
                    new,
                ));
            }
        }
        self.tests(source, change, &mut edits)?;
        Ok(edits)
    }

    /// What an old column is called now, if it has another name.
    fn renamed<'a>(&self, change: &'a TableChange, name: &str) -> Option<&'a str> {
        match &change.column(name)?.fate {
            Fate::Same(new) | Fate::Replaced { by: new, .. } => (new != name).then_some(new.as_str()),
            Fate::Computed(expr) => match expr.columns().as_slice() {
                [one] => change.target.iter().find(|new| new.as_str() == *one && *new != name).map(String::as_str),
                _ => None,
            },
            Fate::Lost(_) => None,
        }
    }

    /// The literals by which a source or a node is called, wherever they stand.
    pub(super) fn calls(&self, target: Target, old: &str, new: &str, edits: &mut BTreeSet<Placed>) -> Result<(), Held> {
        let nodes = self.project.nodes.iter().flat_map(|node| &node.edges);
        let tests = self.project.tests.iter().flat_map(|test| &test.edges);
        let exposures = self.project.exposures.iter().flat_map(|exposure| &exposure.edges);
        let edges: Vec<&Edge> = nodes.chain(tests).chain(exposures).filter(|edge| edge.target == target).collect();
        for (call, literals) in edges.iter().flat_map(|edge| &edge.places) {
            let named: Vec<&Span> =
                literals.iter().filter(|literal| self.project.files.bytes(**literal) == old).collect();
            // Where source and table, or package and model, have one name, it comes last.
            let Some(last) = named.last() else {
                let path = self.project.files.path(call.file);
                let what = if matches!(target, Target::Source(_)) { "source" } else { "model" };
                let why = format!("`{path}` makes the name of the {what} `{old}` out of parts");
                return Err(Held { class: Class::Agentic, why });
            };
            edits.insert(replaced(**last, new));
        }
        Ok(())
    }

    /// What tests say of columns of the source.
    fn tests(&self, source: usize, change: &TableChange, edits: &mut BTreeSet<Placed>) -> Result<(), Held> {
        let target = Target::Source(source);
        for test in &self.project.tests {
            let leads_there = test.edges.iter().any(|edge| edge.target == target);
            if !leads_there && test.subject != target {
                continue;
            }
            for (name, argument) in &test.arguments {
                match self.renamed(change, argument.text()).zip(span(argument)) {
                    Some((new, at))
                        if leads_there && name == "field"
                            || test.subject == target && ColumnTest::lists_columns(name) =>
                    {
                        edits.insert(replaced(at, new));
                    }
                    _ if test.subject == target
                        && !WORDS.contains(&name.as_str())
                        && !is_elsewhere(test, name)
                        && speaks_of(change, argument.text()) =>
                    {
                        return Err(unread(test, name));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

fn unread(test: &ColumnTest, argument: &str) -> Held {
    let why = format!("the test `{}` of a source speaks of a column in `{argument}`", test.test);
    Held { class: Class::Agentic, why }
}

/// Whether a text has the name of a column that changes in it, as a word.
pub(super) fn speaks_of(change: &TableChange, text: &str) -> bool {
    let words = text.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    words.filter_map(|word| change.column(word)).any(|column| column.fate != Fate::Same(column.name.clone()))
}

pub(super) fn replaced(at: Span, new: &str) -> Placed {
    Placed::new(at.file, Edit::replace(at, new))
}
