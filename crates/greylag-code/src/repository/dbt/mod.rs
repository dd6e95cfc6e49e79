//! A dbt project looked at for what migrations change.
//!
//! # How it goes
//!
//! 1. Every rendering of every node that reads a changed dataset says what it asks for (see [`crate::rewrite`]).
//! 2. Its demands become edits of whatever files made the bytes: the model, a macro of the project or of a package in it, a list in
//!    YAML. The names of datasets are made by `source`, so they change where the source is declared and where it is called.
//!    A model that makes a changed dataset makes the new one, under its name: see [`maker`].
//! 3. A node that needs somebody is *held*: none of its edits is made. A source moves for all of its readers or for none,
//!    so a held reader holds the source, and with it the other readers; so it is with a model that makes a dataset.
//! 4. The project is read again with all edits made. Every rendering of every node must then be the old one with its own demands
//!    made, and nothing else. Where one is not, whoever asked for an edit of its bytes is held, and it is tried again.
//!
//! Where several projects read one file, an edit of it is tried in each of them: see [`together`].
//!
//! Holding only ever grows, so this ends; with everything held nothing is edited.

mod entry;
mod held;
mod joint;
mod maker;
pub(crate) mod makes;
mod node;
mod propagate;
mod report;
mod source;
mod split;
mod together;
mod trial;

pub(super) use report::join;

use super::joints::{Joints, PartOf};
use super::ways::Cut;
use super::{Seen, Way, index};
use crate::dbt::{self, Project, Target};
use crate::rewrite::{Demand, Wanted};
use crate::tree::Tree;
use greylag_model::consumer::{Class, TableChange};
use greylag_syntax::edit::Edit;
use greylag_syntax::sql::Dialect;
use greylag_syntax::trace::{FileId, Files, Span};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

/// What a node asks for.
#[derive(Debug, Default)]
struct Ask {
    /// What each rendering asks for; none of one that has no text.
    wanted: Vec<Option<Wanted>>,
    /// The edits that its demands become.
    edits: BTreeSet<Placed>,
    /// Sources that move for it.
    sources: BTreeSet<usize>,
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
    options: dbt::Options,
    dialect: Dialect,
    /// Those of the migration, and behind them those of models whose outputs have other names then.
    changes: Vec<TableChange>,
    /// How many are the migration's own.
    own: usize,
    project: Arc<Project>,
    /// Of each source: the change that it is concerned by.
    concerned: Vec<Option<usize>>,
    /// The nodes that make a changed dataset, with the change.
    makers: BTreeMap<usize, usize>,
    /// Sources that part, since only some of their readers can move.
    split: BTreeSet<usize>,
    /// Models whose outputs keep their names, and why.
    kept: BTreeMap<usize, String>,
    /// Whether what was looked at has been counted.
    counted: bool,
    /// The files of the tree, in order, and all places in YAML that may name something; empty where there is no maker.
    paths: Vec<String>,
    scalars: Vec<Span>,
    /// By node.
    asks: BTreeMap<usize, Ask>,
    /// Why sources and makers are held.
    held: BTreeMap<Target, Held>,
    /// Why edits of a file are not made, by file.
    refused: BTreeMap<FileId, Held>,
    /// Calls in macros that nothing renders, of what changes with them, and why they are left.
    idle: Vec<(Span, usize, Held)>,
    /// What other projects say of edits of files that they read, too.
    others: together::Others,
}

/// Looks at the projects in some folders of a tree, each as it is read: what becomes of their files. Where there are several, an edit of
/// a file that more than one of them reads is right in each. What hangs together is answered if `part_of` is there, which asks for it.
pub(super) fn look(
    tree: &dyn Tree,
    projects: Vec<(&str, Way)>,
    changes: &[TableChange],
    found: &mut index::Found,
    part_of: Option<PartOf<'_>>,
) -> io::Result<Joints> {
    let mut looks = agreed(tree, projects, changes, &mut found.seen)?;
    found.files.extend(looks.iter().flat_map(Look::reports));
    found.missing.extend(looks.iter().flat_map(|look| &look.project.missing_packages).cloned());
    found.cuts.extend(looks.iter().filter_map(|look| Cut::of(look.root, &look.project)));
    let mut joints = Joints::default();
    for look in &mut looks {
        if let Some(part_of) = part_of {
            joints.add(look.joints(part_of)?);
        }
    }
    Ok(joints)
}

/// Looks that have come to their end: what is held, and what is asked for.
fn agreed<'a>(
    tree: &'a dyn Tree,
    projects: Vec<(&'a str, Way)>,
    changes: &[TableChange],
    seen: &mut Seen,
) -> io::Result<Vec<Look<'a>>> {
    let mut looks = Vec::new();
    for (root, way) in projects {
        let mut look = Look::new(tree, root, changes, way)?;
        look.work(seen)?;
        looks.push(look);
    }
    together::agree(&mut looks)?;
    Ok(looks)
}

/// All places in YAML that may name something.
fn scalars(files: &Files) -> Vec<Span> {
    let is_yaml = |path: &str| path.rsplit_once('.').is_some_and(|(_, extension)| matches!(extension, "yml" | "yaml"));
    files.iter().filter(|(_, path, _)| is_yaml(path)).flat_map(|(file, _, text)| dbt::places(file, text)).collect()
}

impl<'a> Look<'a> {
    fn new(tree: &'a dyn Tree, root: &'a str, changes: &[TableChange], way: Way) -> io::Result<Self> {
        let Way { dialect, options } = way;
        let project = dbt::read(tree, root, &options)?;
        let makes::Known { changes, concerned } = makes::known(&project, changes);
        let mut look = Self {
            tree,
            root,
            options,
            dialect: dialect.unwrap_or(Dialect::Generic),
            own: changes.len(),
            changes,
            project,
            concerned,
            makers: BTreeMap::new(),
            split: BTreeSet::new(),
            kept: BTreeMap::new(),
            counted: false,
            paths: Vec::new(),
            scalars: Vec::new(),
            asks: BTreeMap::new(),
            held: BTreeMap::new(),
            refused: BTreeMap::new(),
            idle: Vec::new(),
            others: together::Others::default(),
        };
        look.kept = look.exposed();
        look.leave_installed();
        Ok(look)
    }

    /// Finds what changes. Each time one more model keeps its names, so this ends.
    fn work(&mut self, seen: &mut Seen) -> io::Result<()> {
        loop {
            self.begin(seen)?;
            self.settle()?;
            let cannot = self.cannot_propagate();
            if cannot.is_empty() {
                return Ok(());
            }
            self.kept.extend(cannot);
        }
    }
}

impl Look<'_> {
    /// Asks all nodes, from the beginning.
    fn begin(&mut self, seen: &mut Seen) -> io::Result<()> {
        self.changes.truncate(self.own);
        (self.asks, self.held, self.refused) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        self.split.clear();
        self.idle.clear();
        self.makers = self.find_makers();
        let kept = std::mem::take(&mut self.kept);
        self.propagate(&kept);
        self.kept = kept;
        if !self.makers.is_empty() && self.paths.is_empty() {
            self.paths = self.tree.paths()?;
            self.scalars = scalars(&self.project.files);
        }
        let mut again = Seen::default();
        let first = self.counted;
        self.nodes(if first { &mut again } else { seen });
        self.counted = true;
        self.hold_idle();
        Ok(())
    }

    /// The nodes that refer to a source or to a maker, and the maker itself.
    fn readers(&self, target: Target) -> impl Iterator<Item = usize> + '_ {
        let nodes = self.project.nodes.iter().enumerate();
        nodes
            .filter(move |(number, node)| {
                target == Target::Node(*number) || node.edges.iter().any(|edge| edge.target == target)
            })
            .map(|(number, _)| number)
    }

    /// The sources and makers that move: concerned ones that nothing holds.
    fn moving(&self) -> Vec<Target> {
        let concerned = self.concerned.iter().enumerate().filter(|(_, change)| change.is_some());
        let sources = concerned.map(|(source, _)| Target::Source(source));
        let all = sources.chain(self.makers.keys().map(|node| Target::Node(*node)));
        all.filter(|target| !self.held.contains_key(target)).collect()
    }

    /// All edits that let a source or a maker mean the new dataset; an error says why there are none.
    fn moved_target(&self, target: Target) -> Result<BTreeSet<Placed>, Held> {
        match target {
            Target::Source(source) => self.moved(source),
            Target::Node(maker) => self.moved_maker(maker),
        }
    }

    /// The files that get another path.
    fn moves(&self) -> BTreeMap<FileId, String> {
        let makers = self.moving().into_iter().filter_map(|target| match target {
            Target::Node(maker) => self.new_path(maker),
            Target::Source(_) => None,
        });
        makers.collect()
    }

    /// What a source or a maker is called.
    fn id(&self, target: Target) -> &str {
        match target {
            Target::Source(source) => &self.project.sources[source].id,
            Target::Node(node) => &self.project.nodes[node].id,
        }
    }
}
