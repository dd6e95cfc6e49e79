//! A copy of a tree on disk, for a command to work on.

use super::Command;
use crate::git::path;
use crate::repository::projects;
use crate::tree::{Mode, Tree};
use greylag_driver::error::DriverError;
use greylag_driver::sandbox::Folder;
use greylag_model::code::repository as code;
use std::collections::BTreeSet;
use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Most bytes of all files.
const MOST_BYTES: u64 = 4 << 30;
/// Most files.
const MOST_FILES: usize = 500_000;
/// Folders that hold tests, in lower case.
const TESTS: [&str; 6] = ["test", "tests", "spec", "specs", "__tests__", "ci"];
/// Where dbt installs packages.
const PACKAGES: [&str; 2] = ["dbt_packages", "dbt_modules"];
/// Most files and folders that are bound one by one.
const MOST_BOUND: usize = 500;

/// Where a command sees the copy.
pub(super) const WORK: &str = "/work";

/// What of two trees a command works on.
pub(super) struct Copy<'a> {
    pub(super) command: &'a Command,
    pub(super) base: &'a dyn Tree,
    /// What is written: the base itself, or the base with edits.
    pub(super) tree: &'a dyn Tree,
}

impl Copy<'_> {
    /// Writes the files into an empty folder; answers what of them the command may not change.
    pub(super) fn write(&self, folder: &Path) -> Result<Vec<Folder>, DriverError> {
        let modes = self.base.modes().map_err(|error| unreadable(&error))?;
        let mut paths: BTreeSet<String> = self.tree.paths().map_err(|error| unreadable(&error))?.into_iter().collect();
        paths.extend(self.command.files.keys().cloned());
        paths.extend(installed(self.tree, &paths).map_err(|error| unreadable(&error))?);
        if paths.len() > MOST_FILES {
            return Err(beyond(&format!("more than {MOST_FILES} files")));
        }
        let (mut bytes, mut changed) = (0, BTreeSet::new());
        for path in &paths {
            // What no plain path names is in no commit that this program makes, either.
            if path::check(path).is_err() {
                continue;
            }
            let before = self.base.read(path).map_err(|error| unreadable(&error))?;
            let kept = self.command.files.contains_key(path);
            let now = if kept { before.clone() } else { self.tree.read(path).map_err(|error| unreadable(&error))? };
            let Some(content) = &now else { continue };
            bytes += content.len() as u64;
            if bytes > MOST_BYTES {
                return Err(beyond(&format!("more than {MOST_BYTES} bytes")));
            }
            let executable = modes.get(path) == Some(&Mode::Executable);
            write(folder, path, content, executable).map_err(|error| unwritable(&folder.join(path), &error))?;
            if before != now {
                changed.insert(path.as_str());
            }
        }
        Ok(self.kept(folder, &paths, &changed))
    }

    /// What the command may not change: what decides what is run, and tests that are those of the base.
    fn kept(&self, folder: &Path, paths: &BTreeSet<String>, changed: &BTreeSet<&str>) -> Vec<Folder> {
        let mut kept: BTreeSet<&str> = self.command.files.keys().map(String::as_str).collect();
        for path in paths.iter().filter(|path| !changed.contains(path.as_str())) {
            let Some(tests) = tests(path) else { continue };
            let has_changes =
                changed.iter().any(|path| path.strip_prefix(tests).is_some_and(|rest| rest.starts_with('/')));
            kept.insert(if has_changes { path } else { tests });
        }
        let there = kept.into_iter().filter(|path| folder.join(path).exists());
        let bound =
            there.map(|path| Folder { path: folder.join(path), at: Path::new(WORK).join(path), writable: false });
        bound.take(MOST_BOUND).collect()
    }
}

/// The files of packages that are installed into dbt projects, and not part of the tree.
fn installed(tree: &dyn Tree, paths: &BTreeSet<String>) -> io::Result<Vec<String>> {
    let paths: Vec<String> = paths.iter().cloned().collect();
    let mut found = Vec::new();
    for root in projects(&paths) {
        for folder in PACKAGES {
            let folder = if root.is_empty() { folder.to_owned() } else { format!("{root}/{folder}") };
            found.extend(tree.installed(&folder)?);
        }
    }
    Ok(found)
}

/// The outermost folder of tests that a file is in.
fn tests(path: &str) -> Option<&str> {
    let slashes = path.match_indices('/').map(|(at, _)| at);
    slashes.filter_map(|at| path.get(..at)).find(|folder| {
        let name = folder.rsplit('/').next().unwrap_or(folder).to_ascii_lowercase();
        TESTS.contains(&name.as_str())
    })
}

fn write(folder: &Path, path: &str, content: &[u8], executable: bool) -> io::Result<()> {
    let path = folder.join(path);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    // Nothing but this has written into the folder, so there is no link to follow; a second file of one name is refused.
    let mut file = File::create_new(&path)?;
    file.write_all(content)?;
    file.set_permissions(Permissions::from_mode(if executable { 0o755 } else { 0o644 }))
}

fn unreadable(error: &io::Error) -> DriverError {
    DriverError::transient(code::GIT_OBJECT, format!("the repository cannot be read: {error}"))
}

fn unwritable(path: &Path, error: &io::Error) -> DriverError {
    let message = format!("`{}` cannot be written: {error}", path.display());
    DriverError::transient(greylag_model::code::fleet::JOB_START, message).hint("make space in the state folder")
}

fn beyond(what: &str) -> DriverError {
    DriverError::permanent(code::GIT_LIMIT, format!("the repository has {what}: no copy is made of it"))
}

#[cfg(test)]
mod test {
    use super::tests;

    #[test]
    fn tests_are_known_by_their_folder() {
        for (path, folder) in [
            ("tests/a/b.py", Some("tests")),
            ("dbt/Tests/ci/x.sql", Some("dbt/Tests")),
            ("models/tests.sql", None),
            ("a.sql", None),
        ] {
            assert_eq!(tests(path), folder, "{path}");
        }
    }
}
