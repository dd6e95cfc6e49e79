//! A dbt project looked at for what migrations change.
//!
//! # How it goes
//!
//! 1. Every rendering of every node that reads a changed dataset says what it asks for (see [`crate::rewrite`]).
//! 2. Its demands become edits of whatever files made the bytes: the model, a macro of the project or of a package in it, a list in
//!    YAML. The names of datasets are made by `source`, so they change where the source is declared and where it is called.
//! 3. A node that needs somebody is *held*: none of its edits is made. A source moves for all of its readers or for none,
//!    so a held reader holds the source, and with it the other readers.
//! 4. The project is read again with all edits made. Every rendering of every node must then be the old one with its own demands
//!    made, and nothing else. Where one is not, whoever asked for an edit of its bytes is held, and it is tried again.
//!
//! Holding only ever grows, so this ends; with everything held nothing is edited.

mod entry;
mod held;
mod node;
mod report;
mod source;
mod trial;

use super::{FileReport, Seen};
use crate::dbt::{self, Project, Target};
use crate::rewrite::{Demand, Wanted};
use crate::tree::Tree;
use greylag_model::consumer::{Class, TableChange};
use greylag_syntax::edit::Edit;
use greylag_syntax::sql::Dialect;
use greylag_syntax::trace::FileId;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

/// What a node asks for.
#[derive(Debug, Default)]
struct Ask {
    /// What each rendering asks for; none of one that has no text.
    wanted: Vec<Option<Wanted>>,
    /// The edits that its demands become.
    edits: BTreeSet<Placed>,
    /// Sources that move for it.
    sources: BTreeSet<usize>,
    /// Nodes that make a changed dataset, which it reads.
    makers: BTreeSet<usize>,
    /// Why it is held, if it is.
    held: Option<Held>,
    /// Comments with the guide, in its own file.
    notes: BTreeSet<Placed>,
    /// Whether they cannot be made.
    unnoted: bool,
}

impl Ask {
    /// Which demands of a rendering are made: its own, or those that only speak to a person.
    fn made<'a>(&self, wanted: &'a Wanted) -> &'a [Demand] {
        match &self.held {
            None => &wanted.demands,
            Some(held) if held.class == Class::Judgement && !self.unnoted => &wanted.notes,
            Some(_) => &[],
        }
    }
}

/// An edit of a file, in an order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Placed {
    file: FileId,
    start: usize,
    end: usize,
    by: String,
}

impl Placed {
    fn new(file: FileId, edit: Edit) -> Self {
        Self { file, start: edit.at.start, end: edit.at.end, by: edit.by }
    }

    fn edit(&self) -> Edit {
        Edit { at: self.start..self.end, by: self.by.clone() }
    }
}

/// Why something is held.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Held {
    class: Class,
    why: String,
}

/// A project while it is looked at.
struct Look<'a> {
    tree: &'a dyn Tree,
    root: &'a str,
    options: &'a dbt::Options,
    dialect: Dialect,
    changes: &'a [TableChange],
    project: Project,
    /// Of each source: the change that it is concerned by.
    concerned: Vec<Option<usize>>,
    /// By node.
    asks: BTreeMap<usize, Ask>,
    /// Why sources are held.
    held_sources: BTreeMap<usize, Held>,
    /// Why edits of a file are not made, by file.
    refused: BTreeMap<FileId, Held>,
}

/// Looks at the project in a folder of a tree: what becomes of its files, by path.
pub(super) fn look(
    tree: &dyn Tree,
    root: &str,
    changes: &[TableChange],
    dialect: Option<Dialect>,
    seen: &mut Seen,
) -> io::Result<Vec<FileReport>> {
    let adapter = dialect.filter(|dialect| *dialect != Dialect::Generic).map(|dialect| dialect.to_string());
    let options = dbt::Options { adapter, threads: 2, ..dbt::Options::default() };
    let project = dbt::read(tree, root, &options)?;
    let dialect = dialect.unwrap_or(Dialect::Generic);
    let concerned = project.sources.iter().map(|source| source::change_of(source, changes)).collect();
    let (asks, held_sources, refused) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let mut look =
        Look { tree, root, options: &options, dialect, changes, project, concerned, asks, held_sources, refused };
    look.nodes(seen);
    look.settle()?;
    Ok(look.reports())
}

impl Look<'_> {
    /// The nodes that refer to a source.
    fn readers(&self, source: usize) -> impl Iterator<Item = usize> + '_ {
        let nodes = self.project.nodes.iter().enumerate();
        nodes
            .filter(move |(_, node)| node.edges.iter().any(|edge| edge.target == Target::Source(source)))
            .map(|(number, _)| number)
    }

    /// The sources that move: concerned ones that nothing holds.
    fn moving(&self) -> Vec<usize> {
        let concerned = self.concerned.iter().enumerate().filter(|(_, change)| change.is_some());
        concerned.map(|(source, _)| source).filter(|source| !self.held_sources.contains_key(source)).collect()
    }
}
