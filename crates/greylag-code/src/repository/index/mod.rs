//! What was found in a repository before, so that a new commit re-reads only what changed.
//!
//! # What is kept
//!
//! A repository is made of *units*: a dbt project as a whole, the projects together that share what changes, and every other file that is looked into. Of each unit the index keeps what
//! was found in it, and its *inputs*: every path that was read for it, with what tells that content from another one, or that there was
//! none; and of a project the list of its paths. A unit is *unchanged* if all its inputs are; then what was found stands, and nothing of
//! it is read. The whole index is of one set of changes, one way of reading and one version of the reader: with others it is empty.
//!
//! What tells contents apart: in git the id of the blob; in a directory size, inode and times, which are believed only if the file had been
//! still for two seconds when it was read (a write within the clock's grain would go unseen otherwise), and else the hash of the bytes,
//! which are read for it.
//!
//! **A project is one unit**, because a node may hang on any of its files: a macro, a variable, the name that another node's
//! configuration gives it, a macro that is not there yet. One changed file of a project has all of it read and rendered again, which is
//! what a cold scan costs for this project alone (`cargo xtask bench references`: some seconds for 5,000 models).
//!
//! **Invariant:** a report made with an index is the report made without one. The index is never authoritative: what is damaged, of
//! another version, or of other changes is thrown away as a whole, and the unit is read.

mod kept;
mod record;
mod store;

pub use store::tidy;

use super::settings::PROFILES;
use super::ways::Cut;
use super::{FileReport, Options, Seen};
use crate::tree::{Tree, Version};
use greylag_model::consumer::TableChange;
use greylag_model::id::Timestamp;
use kept::{Input, Unit};
use record::Recorded;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

/// What was found in a repository, kept in a file.
#[derive(Debug)]
pub struct Index {
    file: PathBuf,
    /// When this scan began, in milliseconds.
    begun: i64,
    /// Of the last scan.
    before: BTreeMap<String, Unit>,
    /// Of this one.
    now: BTreeMap<String, Unit>,
    /// Whether anything is other than in the file.
    changed: bool,
}

/// What an index is of.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The repository: its place, in a form that is always the same.
    pub repository: &'a str,
    /// The version of the program that reads.
    pub reader: &'a str,
    /// The changes that are asked for.
    pub changes: &'a [TableChange],
    /// How code is read.
    pub options: Options<'a>,
}

impl Subject<'_> {
    /// The hash of all of it.
    fn hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        let dialect = self.options.dialect.map(|dialect| dialect.to_string()).unwrap_or_default();
        let changes = serde_json::to_vec(self.changes).unwrap_or_default();
        let stated = serde_json::to_vec(&self.options.stated).unwrap_or_default();
        for part in [self.repository.as_bytes(), self.reader.as_bytes(), dialect.as_bytes(), &changes, &stated] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        hasher.finalize().to_hex().to_string()
    }
}

impl Index {
    /// The index of a subject in a folder; an empty one if there is none that can be trusted.
    pub fn open(folder: &Path, subject: &Subject<'_>, begun: Timestamp) -> Self {
        let hash = subject.hash();
        let file = folder.join(format!("{hash}.{}", store::EXTENSION));
        let before = store::read(&file, &hash).unwrap_or_default();
        Self { file, begun: begun.0, before, now: BTreeMap::new(), changed: false }
    }

    /// Keeps what was found, and removes the oldest indexes of the folder where there are too many. Units that were not seen by the
    /// last scan are dropped.
    ///
    /// # Errors
    /// The file cannot be written; then the earlier one stands.
    pub fn save(self) -> io::Result<()> {
        if self.changed || self.before.len() != self.now.len() {
            store::write(&self.file, &self.now)?;
        } else {
            // It was of use: it is not among the oldest.
            store::touch(&self.file, self.begun);
        }
        let Some(folder) = self.file.parent() else { return Ok(()) };
        store::tidy(folder)
    }

    /// How many units the last scan kept.
    pub fn len(&self) -> usize {
        self.before.len()
    }

    /// Whether nothing was kept.
    pub fn is_empty(&self) -> bool {
        self.before.is_empty()
    }

    /// What was found in a unit, if it is unchanged.
    fn known(&mut self, tree: &dyn Tree, name: &str, paths: &Listing<'_>) -> io::Result<Option<Found>> {
        let Some(mut unit) = self.before.get(name).cloned() else { return Ok(None) };
        if unit.listing != paths.hash(&unit.folders) {
            return Ok(None);
        }
        for (folder, hash) in &unit.installed {
            if *hash != kept::hash_of_list(&tree.installed(folder)?) {
                return Ok(None);
            }
        }
        for input in &mut unit.inputs {
            match input.is_same(tree, self.begun)? {
                kept::Same::No => return Ok(None),
                kept::Same::Yes => {}
                kept::Same::Restated => self.changed = true,
            }
        }
        let found = unit.found();
        if found.is_some() {
            self.now.insert(name.to_owned(), unit);
        }
        Ok(found)
    }

    fn keep(&mut self, name: &str, unit: Unit) {
        self.changed = true;
        self.now.insert(name.to_owned(), unit);
    }
}

/// What was found in a unit.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    pub(super) files: Vec<FileReport>,
    pub(super) seen: Seen,
    /// Packages that are wanted and not there.
    pub(super) missing: BTreeSet<String>,
    /// Projects of which not all ways were looked at.
    pub(super) cuts: Vec<Cut>,
}

/// The paths of which a unit is made, and what else it hangs on that is no file.
pub(super) struct Listing<'a> {
    /// All paths.
    pub(super) paths: &'a [String],
    /// The folders of projects; none of a single file.
    pub(super) roots: &'a [String],
    /// What the repository says of all its units.
    pub(super) said: String,
}

/// The file that makes a folder a project.
const PROJECT: &str = "dbt_project.yml";
/// Extensions of files whose mere being there matters to a project.
const OF_PROJECTS: [&str; 5] = ["sql", "py", "csv", "yml", "yaml"];

impl Listing<'_> {
    /// The hash: of a project over the paths in its folders, and over where there are projects and profiles at all.
    fn hash(&self, folders: &[String]) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.said.as_bytes());
        let matters = |path: &&String| {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
            name == PROJECT
                || name == PROFILES
                || OF_PROJECTS.contains(&extension) && folders.iter().any(|around| is_inside(folder, around))
        };
        for path in self.paths.iter().filter(|_| !self.roots.is_empty()).filter(matters) {
            hasher.update(b"\0");
            hasher.update(path.as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }

    /// The folders of a project and of the packages that were looked for.
    fn folders(&self, inputs: &[Input]) -> Vec<String> {
        if self.roots.is_empty() {
            return Vec::new();
        }
        let packages = inputs.iter().filter_map(|input| match input.path.rsplit_once('/') {
            Some((folder, PROJECT)) => Some(folder),
            None if input.path == PROJECT => Some(""),
            _ => None,
        });
        let outside = packages.filter(|folder| !self.roots.iter().any(|root| is_inside(folder, root)));
        self.roots.iter().map(String::as_str).chain(outside).map(str::to_owned).collect()
    }
}

/// Whether a folder is another one, or lies in it.
fn is_inside(folder: &str, around: &str) -> bool {
    around.is_empty() || folder.strip_prefix(around).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What is found in a unit: what was found before if it is unchanged, else what `look` finds.
pub(super) fn unit(
    index: Option<&mut Index>,
    tree: &dyn Tree,
    name: &str,
    listing: &Listing<'_>,
    look: impl FnOnce(&dyn Tree, &mut Found) -> io::Result<()>,
) -> io::Result<Found> {
    let mut found = Found::default();
    let Some(index) = index else {
        look(tree, &mut found)?;
        return Ok(found);
    };
    if let Some(found) = index.known(tree, name, listing)? {
        return Ok(found);
    }
    let recorded = Recorded::new(tree);
    look(&recorded, &mut found)?;
    let installed = recorded.installed();
    let inputs = recorded.inputs(index.begun)?;
    let folders = listing.folders(&inputs);
    index.keep(name, Unit::of(inputs, listing.hash(&folders), folders, installed, &found));
    Ok(found)
}

/// The version of a file that may be believed later: not one of a file that was written a moment ago.
fn settled(version: Option<Version>, begun: i64) -> Option<Version> {
    const STILL: i64 = 2_000;
    version.filter(|version| match version {
        Version::Blob(_) => true,
        Version::Stat { changed, .. } => *changed / 1_000_000 + i128::from(STILL) < i128::from(begun),
    })
}
