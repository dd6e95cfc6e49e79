//! How rewritten repositories differ from their truth.
//!
//! A rewritten file is laid beside the expected one. A place that has to change is *found* if it has the expected text,
//! or one that says the same; *missed* if it still has the old text; else it is *wrong*. Any other byte that differs
//! has changed *elsewhere*. Everything is counted by the class of the file and by the trap that the place belongs to, so
//! that a failure leads to its cause. A comment with the migration's guide is welcome in files that a person must look
//! at.

mod file;
#[cfg(test)]
mod tests;

use super::truth::{ConsumerClass, FileTruth};
use super::{repositories_truth, repository_truth};
use crate::error::LabError;
use crate::truth as estate_truth;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// What became of places and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Places that have to change.
    pub expected: u64,
    /// Of those, with the expected text.
    pub found: u64,
    /// Of those, with another text that says the same.
    pub alike: u64,
    /// Of those, as they were.
    pub missed: u64,
    /// Places that have to change, or may, with a text that is neither.
    pub wrong: u64,
    /// Bytes that were added or taken away at places that must stay.
    pub elsewhere: u64,
    /// Places that a person may let change, and that were changed as expected.
    pub optional: u64,
    /// Comments with the guide.
    pub noted: u64,
}

impl Counts {
    /// Whether nothing is missed, wrong or changed elsewhere.
    pub fn is_right(&self) -> bool {
        self.missed == 0 && self.wrong == 0 && self.elsewhere == 0
    }

    fn add(&mut self, other: &Self) {
        self.expected += other.expected;
        self.found += other.found;
        self.alike += other.alike;
        self.missed += other.missed;
        self.wrong += other.wrong;
        self.elsewhere += other.elsewhere;
        self.optional += other.optional;
        self.noted += other.noted;
    }
}

/// What kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FaultKind {
    /// A place is as it was.
    Missed,
    /// A place has neither the old nor an expected text.
    Wrong,
    /// Bytes changed that must stay.
    Elsewhere,
    /// A file is gone.
    Absent,
    /// A file is there that was not, and need not be.
    Added,
}

/// A place that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    /// What is wrong.
    pub kind: FaultKind,
    /// The file, below the repository's root.
    pub path: String,
    /// Line of the expected file, from 1.
    pub line: u64,
    /// The trap that it belongs to.
    pub trap: String,
    /// What must stand there.
    pub expected: String,
    /// What does.
    pub found: String,
}

/// How one repository, or all, differ from the truth.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RewriteComparison {
    /// Files that must be there.
    pub files: u64,
    /// Of those, by the class that the truth gives them.
    #[serde(default)]
    pub files_by_class: BTreeMap<ConsumerClass, u64>,
    /// Files without fault.
    pub right: u64,
    /// All counts.
    pub totals: Counts,
    /// By the class of the file.
    pub classes: BTreeMap<ConsumerClass, Counts>,
    /// By trap. What belongs to none is under the empty name.
    pub traps: BTreeMap<String, Counts>,
    /// Every fault, in the order of repositories, files and places.
    pub faults: Vec<Fault>,
}

impl RewriteComparison {
    /// Whether all is as it must be.
    pub fn is_right(&self) -> bool {
        self.faults.is_empty()
    }

    fn count(&mut self, class: ConsumerClass, trap: &str, counts: &Counts) {
        self.totals.add(counts);
        self.classes.entry(class).or_default().add(counts);
        self.traps.entry(trap.to_owned()).or_default().add(counts);
    }

    fn fault(&mut self, class: ConsumerClass, fault: Fault, counts: &Counts) {
        self.count(class, &fault.trap.clone(), counts);
        self.faults.push(fault);
    }

    fn add(&mut self, other: Self) {
        self.files += other.files;
        for (class, files) in &other.files_by_class {
            *self.files_by_class.entry(*class).or_default() += files;
        }
        self.right += other.right;
        self.totals.add(&other.totals);
        for (class, counts) in &other.classes {
            self.classes.entry(*class).or_default().add(counts);
        }
        for (trap, counts) in &other.traps {
            self.traps.entry(trap.clone()).or_default().add(counts);
        }
        self.faults.extend(other.faults);
    }
}

/// Compares the rewritten tree `tree` of the repository `name` with the truth of the estate.
///
/// `tree` is a directory with the repository's files; a `.git` in it is passed over.
///
/// # Errors
/// If the estate has no such repository, or a file cannot be read.
pub fn compare_repository(estate: &Path, name: &str, tree: &Path) -> Result<RewriteComparison, LabError> {
    let truth = repository_truth(estate, name)?;
    let mut comparison = RewriteComparison::default();
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for file in &truth.files {
        let kept = estate_truth::path(estate, &format!("repositories/{name}/old/{}", file.path));
        let old = fs::read_to_string(&kept).map_err(|error| LabError::io("read", &kept, error))?;
        comparison.files += 1;
        *comparison.files_by_class.entry(file.class).or_default() += 1;
        let faults = comparison.faults.len();
        let path = moved(file, tree, &mut comparison);
        let place = tree.join(path);
        known.insert(path);
        match fs::read(&place) {
            Ok(bytes) => file::compare(file, &old, &String::from_utf8_lossy(&bytes), &mut comparison),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => absent(file, &old, &mut comparison),
            Err(error) => return Err(LabError::io("read", &place, error)),
        }
        comparison.right += u64::from(comparison.faults.len() == faults);
    }
    added(tree, &known, &mut comparison)?;
    Ok(comparison)
}

/// Compares the rewritten trees `trees/<name>` of all repositories of the estate.
///
/// # Errors
/// As [`compare_repository`].
pub fn compare_repositories(estate: &Path, trees: &Path) -> Result<RewriteComparison, LabError> {
    let all = repositories_truth(estate)?;
    let mut comparison = RewriteComparison::default();
    for name in &all.names {
        let mut one = compare_repository(estate, name, &trees.join(name))?;
        for fault in &mut one.faults {
            fault.path = format!("{name}/{}", fault.path);
        }
        comparison.add(one);
    }
    Ok(comparison)
}

/// Where the file is to be looked for: where it must be, or where it was. A move is a place that has to change.
fn moved<'a>(file: &'a FileTruth, tree: &Path, comparison: &mut RewriteComparison) -> &'a str {
    let Some(moved) = &file.moved else { return &file.path };
    let trap = file.traps.first().cloned().unwrap_or_default();
    if tree.join(moved).exists() || !tree.join(&file.path).exists() {
        comparison.count(file.class, &trap, &Counts { expected: 1, found: 1, ..Counts::default() });
        return moved;
    }
    let (path, expected, found) = (file.path.clone(), moved.clone(), file.path.clone());
    let fault = Fault { kind: FaultKind::Missed, path, line: 1, trap, expected, found };
    comparison.fault(file.class, fault, &Counts { expected: 1, missed: 1, ..Counts::default() });
    &file.path
}

fn absent(file: &FileTruth, old: &str, comparison: &mut RewriteComparison) {
    for edit in file.edits.iter().filter(|edit| !edit.optional) {
        comparison.count(file.class, &edit.trap, &Counts { expected: 1, wrong: 1, ..Counts::default() });
    }
    let fault = Fault {
        kind: FaultKind::Absent,
        path: file.path.clone(),
        line: 1,
        trap: file.traps.first().cloned().unwrap_or_default(),
        expected: String::new(),
        found: String::new(),
    };
    comparison.fault(file.class, fault, &Counts { elsewhere: old.len() as u64, ..Counts::default() });
}

/// Files below `tree` that the truth does not know. Links are not followed.
fn added(tree: &Path, known: &BTreeSet<&str>, comparison: &mut RewriteComparison) -> Result<(), LabError> {
    let mut open = vec![String::new()];
    while let Some(below) = open.pop() {
        let place = tree.join(&below);
        let failed = |error| LabError::io("read", &place, error);
        let mut entries: Vec<(String, bool, u64)> = Vec::new();
        for entry in fs::read_dir(&place).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let metadata = fs::symlink_metadata(entry.path()).map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if !(below.is_empty() && name == ".git") {
                let path = if below.is_empty() { name } else { format!("{below}/{name}") };
                entries.push((path, metadata.is_dir(), metadata.len()));
            }
        }
        entries.sort();
        for (path, is_directory, bytes) in entries {
            if is_directory {
                open.push(path);
            } else if !known.contains(path.as_str()) {
                let (trap, text) = (String::new(), String::new());
                let fault = Fault { kind: FaultKind::Added, path, line: 1, trap, expected: text.clone(), found: text };
                let counts = Counts { elsewhere: bytes.max(1), ..Counts::default() };
                comparison.fault(ConsumerClass::Unaffected, fault, &counts);
            }
        }
    }
    Ok(())
}
