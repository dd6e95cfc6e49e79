//! What others have changed in a published dataset: its files as they are now against those that were published.
//!
//! A file is the published one if it has its name, inode, length and time of change. Any other file is *new* if it is data
//! as a listing of the dataset sees it, else it is *other*: a marker, a log, something half-written, an empty file. What is
//! a link is never taken for a new file, since what it leads to is somebody else's: it counts as changed.

use super::OnPath;
use super::backfill::Backfilled;
use super::dataset::content_fingerprint;
use crate::convert::WrittenFile;
use crate::durable::{Identity, walk};
use crate::listing::{Anchor, FileFormat, list};
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Names that a message shows.
const SHOWN: usize = 5;

/// What tells a written file from another one of its name and length: its inode, and when it was last changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark(u64, i64);

impl Mark {
    pub(super) fn of(identity: &Identity) -> Self {
        Self(identity.inode, identity.modified)
    }
}

/// The marks of files below `root`, in their order.
pub(super) fn marks(root: &Path, files: &[WrittenFile]) -> Result<Vec<Mark>, DriverError> {
    let mark = |file: &WrittenFile| {
        let path = if file.relative.is_empty() { root.to_owned() } else { root.join(&file.relative) };
        Ok(Mark::of(&Identity::of(&std::fs::symlink_metadata(&path).on("read", &path)?)))
    };
    files.iter().map(mark).collect()
}

/// A file by its path below the dataset.
pub(super) type Named = (String, Identity);

/// How a dataset differs from what was published. All lists are sorted.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Changes {
    /// Data files that were not published.
    pub(super) new: Vec<Named>,
    /// Other files that were not published.
    pub(super) other: Vec<String>,
    /// Published files that hold something else now.
    pub(super) changed: Vec<String>,
    /// Published files that are gone.
    pub(super) missing: Vec<String>,
}

impl Changes {
    /// Compares what stands at `root` with what was published.
    pub(super) fn of(root: &Path, backfilled: &Backfilled, format: FileFormat) -> Result<Self, DriverError> {
        if content_fingerprint(root)? == backfilled.content {
            return Ok(Self::default());
        }
        if backfilled.marks.len() != backfilled.files.len() {
            // Published by a version that did not write them down: nothing can be told apart.
            return Ok(Self { changed: vec!["files that cannot be told apart".to_owned()], ..Self::default() });
        }
        let mut published: BTreeMap<&str, (u64, Mark)> = (backfilled.files.iter().zip(&backfilled.marks))
            .map(|(file, mark)| (file.relative.as_str(), (file.bytes, *mark)))
            .collect();
        let mut changes = Self::default();
        let mut added = Vec::new();
        for (path, metadata) in walk(root).on("list", root)? {
            let relative = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            let identity = Identity::of(&metadata);
            match published.remove(relative.as_str()) {
                Some((bytes, mark)) if (identity.size, Mark::of(&identity)) == (bytes, mark) => {}
                Some(_) => changes.changed.push(relative),
                None if metadata.is_symlink() => changes.changed.push(relative),
                None if !metadata.is_dir() => added.push((relative, identity)),
                None => {}
            }
        }
        changes.missing = published.into_keys().map(str::to_owned).collect();
        let data = if added.is_empty() { BTreeSet::new() } else { data_files(root, format)? };
        let (new, other): (Vec<Named>, Vec<Named>) = added.into_iter().partition(|(name, _)| data.contains(name));
        (changes.new, changes.other) = (new, other.into_iter().map(|(name, _)| name).collect());
        changes.new.sort_by(|left, right| left.0.cmp(&right.0));
        changes.other.sort();
        changes.changed.sort();
        Ok(changes)
    }

    /// Without the files that are `known`; one that holds something else by now counts as changed.
    pub(super) fn beside(mut self, known: &BTreeMap<&str, &Identity>) -> Self {
        let (before, new): (Vec<Named>, Vec<Named>) =
            self.new.into_iter().partition(|(name, _)| known.contains_key(name.as_str()));
        let kept: BTreeSet<&str> = before.iter().map(|(name, _)| name.as_str()).collect();
        self.missing.extend(known.keys().filter(|name| !kept.contains(*name)).map(|name| (*name).to_owned()));
        let other = before.iter().filter(|(name, identity)| known.get(name.as_str()) != Some(&identity));
        self.changed.extend(other.map(|(name, _)| name.clone()));
        self.new = new;
        self
    }

    /// Whether rows were changed or removed, which no mapping brings back.
    pub(super) fn lost_rows(&self) -> bool {
        !self.changed.is_empty() || !self.missing.is_empty()
    }

    /// `2 files are new (…), 1 is changed (…)`, without those that are no data.
    pub(super) fn words(&self) -> String {
        let new: Vec<String> = self.new.iter().map(|(name, _)| name.clone()).collect();
        let parts = [(&new, "new"), (&self.changed, "changed"), (&self.missing, "gone")];
        let part = |(names, word): &(&Vec<String>, &str)| {
            let verb = if names.len() == 1 { "file is" } else { "files are" };
            format!("{} {verb} {word} ({})", names.len(), named(names))
        };
        parts.iter().filter(|(names, _)| !names.is_empty()).map(part).collect::<Vec<_>>().join(", ")
    }
}

/// The first names of a list, quoted.
pub(super) fn named(names: &[String]) -> String {
    let quote = |name: &String| if name.is_empty() { "itself".to_owned() } else { format!("`{name}`") };
    let first = names.iter().take(SHOWN).map(quote).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// What a listing takes for data.
fn data_files(root: &Path, format: FileFormat) -> Result<BTreeSet<String>, DriverError> {
    let anchor = Anchor { root: None, path: root.display().to_string() };
    match list(&anchor, Some(format)) {
        Ok(listing) => Ok(listing.files.into_iter().map(|file| file.relative).collect()),
        Err(error) if error.code == code::NO_DATA_FILES => Ok(BTreeSet::new()),
        Err(error) => Err(error),
    }
}
