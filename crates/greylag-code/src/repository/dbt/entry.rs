//! What entries of YAML say of the models that make a changed dataset, and what else they say of its sources: names, columns,
//! keys, tests, and the words of descriptions.

use super::Look;
use super::makes::{Names, made_by};
use crate::dbt::{ColumnTest, Node, Said, SaidKind, Target};
use crate::repository::words;
use crate::rewrite::Found;
use greylag_model::consumer::TableChange;
use greylag_model::reference::{Confidence, Reference, Role};
use greylag_syntax::trace::{FileId, Span, Traced};

/// A place in a file that speaks of a changed dataset.
struct Spoken {
    at: Span,
    column: Option<String>,
    role: Role,
}

impl Look<'_> {
    /// The references of entries that are not those of the sources themselves.
    pub(super) fn entries(&self) -> Vec<(Reference, FileId)> {
        let mut found = Vec::new();
        for (number, node) in self.project.nodes.iter().enumerate() {
            if let Some(change) = made_by(node, &self.changes, Names::Old) {
                found.extend(self.as_references(change, self.of_node(number, node, &self.changes[change])));
            }
        }
        for (number, source) in self.project.sources.iter().enumerate() {
            if let Some(change) = self.concerned[number] {
                let change_of = &self.changes[change];
                let names = [source.table.text(), source.identifier.text()];
                let mut spoken = said(&source.said, &names, change_of);
                spoken.extend(self.tested(Target::Source(number), change_of));
                found.extend(self.as_references(change, spoken));
            }
        }
        found
    }

    fn of_node(&self, number: usize, node: &Node, change: &TableChange) -> Vec<Spoken> {
        let name = |at: &Span| Spoken { at: *at, column: None, role: Role::Declare };
        let mut spoken: Vec<Spoken> = node.name_at.iter().map(name).collect();
        spoken.extend(node.config.alias.as_ref().and_then(whole).iter().map(name));
        let columns = node.columns.iter().map(|column| &*column.name);
        spoken.extend(columns.filter_map(|column| named(column, Role::Declare, change)));
        spoken.extend(said(&node.said, &[&node.name], change));
        let target = Target::Node(number);
        spoken.extend(self.tested(target, change));
        let leading = self.project.tests.iter().filter(|test| test.edges.iter().any(|edge| edge.target == target));
        for (key, argument) in leading.flat_map(|test| &test.arguments) {
            if key == "field" {
                spoken.extend(named(argument, Role::Test, change));
            } else if argument.text().contains(&node.name) {
                spoken.extend(whole(argument).map(|at| Spoken { at, column: None, role: Role::Test }));
            }
        }
        spoken
    }

    /// The columns that tests at a subject name in their arguments.
    fn tested(&self, subject: Target, change: &TableChange) -> Vec<Spoken> {
        let at_it = self.project.tests.iter().filter(|test: &&ColumnTest| test.subject == subject);
        let arguments = at_it.flat_map(|test| &test.arguments);
        let columns = arguments.filter(|(key, argument)| {
            key == "column_name" || key != "field" && change.column(argument.text()).is_some()
        });
        columns.filter_map(|(_, argument)| named(argument, Role::Test, change)).collect()
    }

    fn as_references(&self, change: usize, spoken: Vec<Spoken>) -> Vec<(Reference, FileId)> {
        let reference = |spoken: Spoken| {
            let (confidence, why) = match spoken.role {
                Role::Documentation => (Confidence::Unknown, "the word stands in a description".to_owned()),
                _ => (Confidence::Certain, String::new()),
            };
            let found = Found { at: 0..0, change, column: spoken.column, role: spoken.role, confidence, why };
            (self.reference(&found, spoken.at, None), spoken.at.file)
        };
        spoken.into_iter().map(reference).collect()
    }
}

/// Keys and words of an entry.
fn said(said: &[Said], names: &[&str], change: &TableChange) -> Vec<Spoken> {
    let mut spoken = Vec::new();
    for said in said {
        match said.kind {
            SaidKind::Column => spoken.extend(named(&said.text, Role::Declare, change)),
            SaidKind::Words => {
                let text = said.text.text();
                let mut add = |word: &str, column: Option<&str>| {
                    let places = words::places(text, word).filter_map(|at| said.text.copy_of(at));
                    let column = column.map(str::to_owned);
                    spoken.extend(places.map(|at| Spoken { at, column: column.clone(), role: Role::Documentation }));
                };
                for (at, name) in names.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
                    if !names[..at].contains(name) {
                        add(name, None);
                    }
                }
                for column in &change.columns {
                    add(&column.name, Some(&column.name));
                }
            }
        }
    }
    spoken
}

/// A text that is the name of a column of the changed dataset, or of any while its columns are not known.
fn named(text: &Traced, role: Role, change: &TableChange) -> Option<Spoken> {
    let column = match change.column(text.text()) {
        Some(column) => column.name.clone(),
        None if change.is_open() => text.text().to_owned(),
        None => return None,
    };
    Some(Spoken { at: whole(text)?, column: Some(column), role })
}

/// The bytes of a file that a text is a copy of.
fn whole(text: &Traced) -> Option<Span> {
    text.copy_of(0..text.text().len()).filter(|_| !text.is_empty())
}
