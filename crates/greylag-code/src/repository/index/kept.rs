//! What is kept of a unit.

use super::{Found, settled};
use crate::repository::ways::Cut;
use crate::repository::{FileReport, Located, Seen};
use crate::tree::{Tree, Version};
use greylag_model::consumer::Class;
use greylag_model::reference::Reference;
use greylag_syntax::edit::{self, Edit};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io;

/// A unit.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Unit {
    pub(super) inputs: Vec<Input>,
    /// The hash of the paths that it hangs on.
    pub(super) listing: String,
    /// The folders that those lie in.
    pub(super) folders: Vec<String>,
    /// Folders of installed packages, with the hash of the list of their files.
    pub(super) installed: BTreeMap<String, String>,
    missing: BTreeSet<String>,
    cuts: Vec<Cut>,
    files: Vec<File>,
    seen: [u64; 4],
}

/// A path that was read for a unit.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Input {
    pub(super) path: String,
    /// What was there; none if nothing was.
    pub(super) content: Option<Content>,
}

/// What tells a content from others.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Content {
    pub(super) version: Option<Version>,
    /// The hash of the bytes, where the version is not that of a content.
    pub(super) hash: Option<String>,
}

/// Whether an input is as it was.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Same {
    No,
    Yes,
    /// Its bytes are, with other times.
    Restated,
}

impl Input {
    /// Compares it with a tree; bytes are read only where nothing else tells.
    pub(super) fn is_same(&mut self, tree: &dyn Tree, begun: i64) -> io::Result<Same> {
        let version = tree.version(&self.path)?;
        let Some(content) = &mut self.content else {
            let is_there = version.is_some() || tree.read(&self.path)?.is_some();
            return Ok(if is_there { Same::No } else { Same::Yes });
        };
        if version.is_some() && version == content.version {
            return Ok(Same::Yes);
        }
        let Some(hash) = &content.hash else { return Ok(Same::No) };
        match tree.read(&self.path)? {
            Some(bytes) if *hash == hash_of(&bytes) => {
                content.version = settled(version, begun);
                Ok(Same::Restated)
            }
            _ => Ok(Same::No),
        }
    }
}

/// The hash of a list of paths.
pub(super) fn hash_of_list(paths: &[String]) -> String {
    hash_of(paths.join("\0").as_bytes())
}

pub(super) fn hash_of(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// The report of a file; what its edits make of it is made again.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct File {
    path: String,
    class: Class,
    references: Vec<Reference>,
    findings: Vec<Located>,
    edits: Vec<(usize, usize, String)>,
    old: String,
    is_changed: bool,
    moved: Option<String>,
}

impl Unit {
    pub(super) fn of(
        inputs: Vec<Input>,
        listing: String,
        folders: Vec<String>,
        installed: BTreeMap<String, String>,
        found: &Found,
    ) -> Self {
        let Found { files, seen, missing, cuts } = found;
        let seen = [seen.sql, seen.bytes, seen.statements, seen.unknown];
        let (files, missing, cuts) = (files.iter().map(File::of).collect(), missing.clone(), cuts.clone());
        Self { inputs, listing, folders, installed, missing, cuts, files, seen }
    }

    /// What was found; none if it cannot be made again.
    pub(super) fn found(&self) -> Option<Found> {
        let [sql, bytes, statements, unknown] = self.seen;
        let files = self.files.iter().map(File::report).collect::<Option<Vec<_>>>()?;
        let seen = Seen { files: 0, sql, bytes, statements, unknown };
        Some(Found { files, seen, missing: self.missing.clone(), cuts: self.cuts.clone() })
    }
}

impl File {
    fn of(file: &FileReport) -> Self {
        Self {
            path: file.path.clone(),
            class: file.class,
            references: file.references.clone(),
            findings: file.findings.clone(),
            edits: file.edits.iter().map(|edit| (edit.at.start, edit.at.end, edit.by.clone())).collect(),
            old: file.old.clone(),
            is_changed: file.new.is_some(),
            moved: file.moved.clone(),
        }
    }

    fn report(&self) -> Option<FileReport> {
        let edits: Vec<Edit> =
            self.edits.iter().map(|(start, end, by)| Edit { at: *start..*end, by: by.clone() }).collect();
        let new = if self.is_changed { Some(edit::apply(&self.old, &edits).ok()?.text) } else { None };
        Some(FileReport {
            path: self.path.clone(),
            class: self.class,
            references: self.references.clone(),
            findings: self.findings.clone(),
            edits,
            old: self.old.clone(),
            new,
            moved: self.moved.clone(),
        })
    }
}
