//! Sources that part: the readers that can move get an entry of their own, beside the old one.
//!
//! Where a migration says `sources: split`, a reader that is held does not hold the source. The old entry stays for it, with its tests and its
//! columns; a second one with the new table's name follows it, and the calls of the readers that can move name that one. A call
//! that both kinds of readers go through shows in the trial, since it would change a rendering that must stay; then the source is held.
//!
//! On the way back such an entry has a *home*: the one beside it that declares the old table still. Its readers call that one again,
//! by whatever name it has. If all of them can, and the entry is what is written here and stands where it is written, it goes with
//! them, and the file is what it was before; an entry of which somebody has made more stays.

use super::maker::agentic;
use super::source::replaced;
use super::{Held, Look, Placed};
use crate::dbt::{SourceTable, Target};
use greylag_model::consumer::TableChange;
use greylag_model::spec::SourcePolicy;
use greylag_syntax::edit::Edit;
use greylag_syntax::trace::Span;
use std::collections::BTreeSet;

impl Look<'_> {
    /// Whether a source may part.
    pub(super) fn may_part(&self, source: usize) -> bool {
        self.concerned[source].is_some_and(|change| self.changes[change].sources == SourcePolicy::Split)
    }

    /// The edits by which the readers that can move do so; an error says why there are none.
    pub(super) fn moved_apart(&self, source: usize, change: &TableChange) -> Result<BTreeSet<Placed>, Held> {
        let target = Target::Source(source);
        let table = &self.project.sources[source];
        let home = self.home(source);
        let (old, new) = (table.table.text(), home.map_or(change.new.last(), |home| home.table.text()));
        let is_free = |node: &usize| self.asks.get(node).is_some_and(|ask| ask.held.is_none());
        let movable: Vec<usize> = self.readers(target).filter(is_free).collect();
        if movable.is_empty() {
            return Err(agentic("none of its readers can move"));
        }
        let mut edits = BTreeSet::new();
        if home.is_none() {
            edits.extend(self.second_entry(table, new)?);
        }
        let edges =
            movable.iter().flat_map(|node| &self.project.nodes[*node].edges).filter(|edge| edge.target == target);
        for (call, literals) in edges.flat_map(|edge| &edge.places) {
            let last = literals.iter().rfind(|literal| self.project.files.bytes(**literal) == old);
            let last = last.ok_or_else(|| {
                let path = self.project.files.path(call.file);
                agentic(format!("`{path}` makes the name of the source `{old}` out of parts"))
            })?;
            edits.insert(replaced(*last, new));
        }
        Ok(edits)
    }

    /// The source that readers of this one go back to, since it has declared the old table all the while.
    pub(super) fn home(&self, source: usize) -> Option<&SourceTable> {
        let table = &self.project.sources[source];
        let change = self.concerned[source].map(|number| &self.changes[number])?;
        let is_back = change.undoes.is_some() && self.may_part(source);
        let is_home = |(number, other): &(usize, &SourceTable)| {
            let is_beside = other.package == table.package && other.source.text() == table.source.text();
            is_beside && *number != source && change.new.meets(&other.relation()).is_some()
        };
        self.project.sources.iter().enumerate().filter(|_| is_back).find(is_home).map(|(_, home)| home)
    }

    /// The lines of an entry that nothing but [`Look::moved_apart`] has written, and the name of its home.
    pub(super) fn added(&self, source: usize) -> Option<(Span, &str)> {
        let (table, home) = (&self.project.sources[source], self.home(source)?);
        let (lines, before) = (self.item(table.at)?, self.item(home.at)?);
        let is_next = (before.file, before.end) == (lines.file, lines.start);
        let is_bare = self.project.files.bytes(lines).trim() == format!("- name: {}", table.table.text());
        (is_next && is_bare).then(|| (lines, home.table.text()))
    }

    /// The edits by which all readers of an added entry go back and the entry goes.
    pub(super) fn moved_home(&self, source: usize, lines: Span, home: &str) -> Result<BTreeSet<Placed>, Held> {
        let mut edits = BTreeSet::from([Placed::new(lines.file, Edit { at: lines.range(), by: String::new() })]);
        self.calls(Target::Source(source), self.project.sources[source].table.text(), home, &mut edits)?;
        Ok(edits)
    }

    /// The table of a name in the same source as another one.
    pub(super) fn beside(&self, table: &SourceTable, name: &str) -> Option<&SourceTable> {
        self.project.sources.iter().find(|other| {
            other.package == table.package && other.source.text() == table.source.text() && other.table.text() == name
        })
    }

    /// The entry for the new table behind the old one; none if it stands there.
    fn second_entry(&self, table: &SourceTable, new: &str) -> Result<Option<Placed>, Held> {
        match self.beside(table, new) {
            Some(there) if there.identifier.text() == new => return Ok(None),
            Some(_) => return Err(agentic(format!("there is a source `{new}` of another table already"))),
            None => {}
        }
        let lines = self.item(table.at).ok_or_else(|| agentic("no entry can be put behind that of the source"))?;
        let text = self.project.files.bytes(lines);
        let indent = &text[..text.len() - text.trim_start_matches([' ', '\t']).len()];
        let end = if text.ends_with("\r\n") { "\r\n" } else { "\n" };
        let entry = Edit::insert(lines.end as usize, format!("{indent}- name: {new}{end}"));
        Ok(Some(Placed::new(lines.file, entry)))
    }
}
