//! Texts of SQL before and after a change.

use crate::repository::line_and_position;
use greylag_model::consumer::TableChange;
use greylag_model::table::Meeting;
use greylag_syntax::sql::{Dialect, Reading, RelationUse, Schemas, read};
use std::sync::Arc;

/// A text that was read.
#[derive(Debug)]
pub(super) struct Side {
    pub(super) text: String,
    pub(super) reading: Reading,
}

/// One text of SQL, and what was made of it.
#[derive(Debug)]
pub(super) struct Unit {
    /// The file.
    pub(super) path: String,
    /// Which way of a template it is, if it is one of several.
    pub(super) way: Option<usize>,
    /// Whether the text is that of the file, so that its lines can be named.
    pub(super) is_file: bool,
    /// Whether the file is left to somebody.
    pub(super) held: bool,
    /// What changes, as the text calls it.
    pub(super) changes: Arc<[TableChange]>,
    /// The change whose new dataset the text makes, where it made the old one before.
    pub(super) makes: Option<usize>,
    /// Before; none if there was none.
    pub(super) old: Option<Side>,
    /// After.
    pub(super) new: Side,
}

impl Side {
    /// Reads a text in the world before the change.
    pub(super) fn before(text: &str, dialect: Dialect, changes: &[TableChange]) -> Self {
        Self { text: text.to_owned(), reading: read(text, dialect, &Before(changes)) }
    }

    /// Reads a text in the world after it.
    pub(super) fn after(text: &str, dialect: Dialect, changes: &[TableChange]) -> Self {
        Self { text: text.to_owned(), reading: read(text, dialect, &After(changes)) }
    }
}

impl Unit {
    /// The change of the dataset that the text makes.
    pub(super) fn made(&self) -> Option<&TableChange> {
        self.makes.and_then(|number| self.changes.get(number))
    }

    /// Where a byte of the new text is, for messages.
    pub(super) fn place(&self, at: usize) -> String {
        match (self.is_file, self.way) {
            (true, _) => {
                let (line, position) = line_and_position(&self.new.text, at);
                format!("`{}:{line}:{position}`", self.path)
            }
            (false, Some(way)) => format!("`{}` (way {})", self.path, way + 1),
            (false, None) => format!("`{}`", self.path),
        }
    }

    /// The whole of it, for messages.
    pub(super) fn name(&self) -> String {
        match self.way {
            Some(way) => format!("`{}` (way {})", self.path, way + 1),
            None => format!("`{}`", self.path),
        }
    }
}

/// The parts of a relation's name.
pub(super) fn parts(relation: &RelationUse) -> Vec<&str> {
    relation.parts.iter().map(|part| &*part.text).collect()
}

/// The change whose old dataset a name means, and how much of the name says so.
pub(super) fn old_of(name: &[&str], changes: &[TableChange]) -> Option<(usize, Meeting)> {
    best(changes, |change| change.old.iter().filter_map(|old| old.meets(name)).max())
}

/// The change whose new dataset a name means.
pub(super) fn new_of(name: &[&str], changes: &[TableChange]) -> Option<(usize, Meeting)> {
    best(changes, |change| change.new.meets(name))
}

fn best(changes: &[TableChange], meets: impl Fn(&TableChange) -> Option<Meeting>) -> Option<(usize, Meeting)> {
    let found = changes.iter().enumerate().filter_map(|(number, change)| Some((number, meets(change)?)));
    found.max_by_key(|(number, meeting)| (*meeting, std::cmp::Reverse(*number)))
}

/// Whether the old and the new dataset go by one name, so that a name cannot tell them apart.
pub(super) fn stays(change: &TableChange) -> bool {
    change.old.iter().any(|old| old.meets(change.new.parts()).is_some())
}

/// The columns of datasets before a change.
struct Before<'a>(&'a [TableChange]);

impl Schemas for Before<'_> {
    fn columns(&self, name: &[&str]) -> Option<Vec<String>> {
        let (change, _) = old_of(name, self.0)?;
        let columns: Vec<String> = self.0.get(change)?.columns.iter().map(|column| column.name.clone()).collect();
        (!columns.is_empty()).then_some(columns)
    }
}

/// The columns of datasets after it: an old dataset is still there for those who read it.
struct After<'a>(&'a [TableChange]);

impl Schemas for After<'_> {
    fn columns(&self, name: &[&str]) -> Option<Vec<String>> {
        match (new_of(name, self.0), old_of(name, self.0)) {
            (Some((new, meets)), old) if old.is_none_or(|(_, other)| meets >= other) => {
                let columns = &self.0.get(new)?.target;
                (!columns.is_empty()).then(|| columns.clone())
            }
            _ => Before(self.0).columns(name),
        }
    }
}

/// What a name in the new text means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meant {
    /// The new dataset of a change.
    New(usize),
    /// The old one.
    Old(usize),
    /// Something else.
    Other,
}

/// What a name in the new text means.
pub(super) fn meant(name: &[&str], changes: &[TableChange]) -> Meant {
    match (new_of(name, changes), old_of(name, changes)) {
        (Some((new, meets)), old) if old.is_none_or(|(_, other)| meets >= other) => Meant::New(new),
        (_, Some((old, _))) => Meant::Old(old),
        _ => Meant::Other,
    }
}
