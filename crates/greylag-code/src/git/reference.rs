//! References: reading them, and changing several at once or none.

use super::command::failed;
use super::object::ObjectId;
use super::repository::Repository;
use super::stored::{self, Stored};
use greylag_driver::error::DriverError;
use greylag_model::code::repository as code;
use std::collections::BTreeMap;

/// One reference that moves from where it is expected to be to somewhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefChange {
    /// The branch's name, without `refs/heads/`.
    pub branch: String,
    /// Where it is; none if it must not be there.
    pub from: Option<ObjectId>,
    /// Where it shall be; none to delete it.
    pub to: Option<ObjectId>,
}

/// Whether this can be the name of a branch, by stricter rules than git's own: nothing that is not seen, no `~`, `^`, `:`,
/// `?`, `*`, `[`, `\`, `..`, `@{`, no part that begins with `.` or `-` or ends with `.lock` or `.`, none that is empty.
pub fn is_branch_name(name: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && !part.starts_with(['.', '-'])
            && !part.ends_with('.')
            && !part.to_ascii_lowercase().ends_with(".lock")
    };
    let letter =
        |letter: char| letter.is_control() || letter.is_whitespace() || "~^:?*[\\\"'$`;&|<>(){}".contains(letter);
    name.len() <= 200
        && name != "HEAD"
        && name != "@"
        && name.split('/').all(part)
        && !name.contains("..")
        && !name.chars().any(letter)
}

pub(super) fn check_branch(name: &str) -> Result<(), DriverError> {
    if is_branch_name(name) {
        return Ok(());
    }
    let shown: String = name.chars().take(200).collect();
    Err(DriverError::denied(code::GIT_PATH, format!("`{}` cannot be the name of a branch", shown.escape_debug())))
}

impl Repository {
    /// All branches and where they are. Branches whose names are strange (see [`is_branch_name`]) are left out.
    pub fn branches(&self) -> Result<BTreeMap<String, ObjectId>, DriverError> {
        self.listed(&["refs/heads/"])
    }

    fn listed(&self, patterns: &[&str]) -> Result<BTreeMap<String, ObjectId>, DriverError> {
        let arguments = [&["for-each-ref", "--format=%(objectname) %(refname)"], patterns].concat();
        let output = self.run("list branches", &arguments, &[])?;
        let mut branches = BTreeMap::new();
        for line in output.bytes.split(|byte| *byte == b'\n') {
            let Ok(line) = std::str::from_utf8(line) else { continue };
            let Some((id, name)) = line.split_once(' ') else { continue };
            let Some(name) = name.strip_prefix("refs/heads/").filter(|name| is_branch_name(name)) else { continue };
            branches.insert(name.to_owned(), ObjectId::parse(id)?);
        }
        Ok(branches)
    }

    /// Where some branches are; those that are not there are left out.
    pub fn positions(&self, names: &[&str]) -> Result<BTreeMap<String, ObjectId>, DriverError> {
        let mut found = BTreeMap::new();
        for name in names {
            check_branch(name)?;
            match stored::branch(&self.folder, name) {
                Stored::At(id) => drop(found.insert((*name).to_owned(), id)),
                Stored::Nowhere => {}
                Stored::Unknown => return self.positions_by_git(names),
            }
        }
        Ok(found)
    }

    fn positions_by_git(&self, names: &[&str]) -> Result<BTreeMap<String, ObjectId>, DriverError> {
        let patterns: Vec<String> = names.iter().map(|name| format!("refs/heads/{name}")).collect();
        for name in names {
            check_branch(name)?;
        }
        let mut found = self.listed(&patterns.iter().map(String::as_str).collect::<Vec<_>>())?;
        // A pattern finds what is below it, too.
        found.retain(|name, _| names.contains(&name.as_str()));
        Ok(found)
    }

    /// Where a branch is.
    pub fn branch(&self, name: &str) -> Result<Option<ObjectId>, DriverError> {
        check_branch(name)?;
        match stored::branch(&self.folder, name) {
            Stored::At(id) => return Ok(Some(id)),
            Stored::Nowhere => return Ok(None),
            Stored::Unknown => {}
        }
        let name = format!("refs/heads/{name}");
        let output =
            self.try_run("read a branch", &["rev-parse", "--verify", "--quiet", "--end-of-options", &name], &[])?;
        match output.exit() {
            Some(0) => ObjectId::parse(String::from_utf8_lossy(&output.bytes).trim()).map(Some),
            Some(1) => Ok(None),
            _ => Err(failed("read a branch", &output)),
        }
    }

    /// Moves branches, all or none. Fails with class conflict if one is not where it is expected.
    pub fn move_branches(&self, changes: &[RefChange]) -> Result<(), DriverError> {
        let mut input = Vec::new();
        for change in changes {
            check_branch(&change.branch)?;
            let line = match (&change.from, &change.to) {
                (Some(from), Some(to)) => format!("update refs/heads/{}\0{to}\0{from}\0", change.branch),
                (None, Some(to)) => format!("update refs/heads/{}\0{to}\0{}\0", change.branch, to.zero()),
                (Some(from), None) => format!("delete refs/heads/{}\0{from}\0", change.branch),
                (None, None) => continue,
            };
            input.extend_from_slice(line.as_bytes());
        }
        if input.is_empty() {
            return Ok(());
        }
        let output = self.try_run("move a branch", &["update-ref", "--stdin", "-z"], &input)?;
        if output.status.success() { Ok(()) } else { Err(refused(changes, &output)) }
    }
}

fn refused(changes: &[RefChange], output: &super::process::Output) -> DriverError {
    let error = failed("move a branch", output);
    if output.log.contains("Unable to create") {
        return DriverError::transient(code::GIT_FAILED, error.message)
            .hint("another process changes this branch; if none does, remove the `.lock` file");
    }
    if output.log.contains("cannot lock ref") || output.log.contains("but expected") {
        let names: Vec<&str> = changes.iter().map(|change| change.branch.as_str()).collect();
        let message = format!("`{}` is not where it was expected: {}", names.join("`, `"), error.message);
        return DriverError::conflict(code::GIT_MOVED, message);
    }
    error
}

#[cfg(test)]
mod tests {
    use super::is_branch_name;

    #[test]
    fn names_of_branches() {
        for name in ["main", "greylag/users-v2/tasks.a_b", "é", "a-b", "@a", "a#1"] {
            assert!(is_branch_name(name), "{name}");
        }
        let long = "a".repeat(201);
        for name in [
            "",
            "-a",
            "a/-b",
            ".a",
            "a/.b",
            "a..b",
            "a.lock",
            "a.lock/b",
            "a/",
            "/a",
            "a//b",
            "a b",
            "a\n",
            "a~1",
            "a^",
            "a:b",
            "a*",
            "a?",
            "a[",
            "a\\b",
            "@",
            "HEAD",
            "a@{1}",
            "a.",
            "$(id)",
            "a;b",
            long.as_str(),
        ] {
            assert!(!is_branch_name(name), "{name}");
        }
    }
}
