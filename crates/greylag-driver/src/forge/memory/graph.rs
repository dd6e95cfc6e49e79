//! Commits of whole files, and branches.

use super::unknown;
use crate::error::DriverError;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

type Files = BTreeMap<String, String>;

struct Commit {
    parents: Vec<String>,
    files: Files,
}

/// What became of joining two histories.
pub(super) enum Joined {
    Commit(String),
    Already,
    Conflict(Vec<String>),
}

/// A repository's commits and branches.
#[derive(Default)]
pub(super) struct Graph {
    commits: BTreeMap<String, Commit>,
    pub(super) branches: BTreeMap<String, String>,
}

impl Graph {
    /// Writes a commit; the same twice is one.
    pub(super) fn commit(&mut self, parents: &[&str], files: Files) -> String {
        let parents: Vec<String> = parents.iter().map(|parent| (*parent).to_owned()).collect();
        let same = self.commits.iter().find(|(_, commit)| commit.parents == parents && commit.files == files);
        if let Some((id, _)) = same {
            return id.clone();
        }
        let id = format!("{:040x}", self.commits.len() + 1);
        self.commits.insert(id.clone(), Commit { parents, files });
        id
    }

    pub(super) fn files(&self, commit: &str) -> Result<&Files, DriverError> {
        self.get(commit).map(|commit| &commit.files)
    }

    fn get(&self, commit: &str) -> Result<&Commit, DriverError> {
        self.commits.get(commit).ok_or_else(|| unknown(&format!("commit `{commit}`")))
    }

    /// The commit and all before it, nearest first.
    fn history(&self, commit: &str) -> Result<Vec<String>, DriverError> {
        let (mut seen, mut order) = (BTreeSet::new(), Vec::new());
        let mut queue = VecDeque::from([commit.to_owned()]);
        while let Some(next) = queue.pop_front() {
            if seen.insert(next.clone()) {
                queue.extend(self.get(&next)?.parents.iter().cloned());
                order.push(next);
            }
        }
        Ok(order)
    }

    pub(super) fn merge(&mut self, base: &str, head: &str) -> Result<Joined, DriverError> {
        let before = self.history(base)?;
        if before.iter().any(|commit| commit == head) {
            return Ok(Joined::Already);
        }
        let Some(common) = self.history(head)?.into_iter().find(|commit| before.contains(commit)) else {
            return Ok(Joined::Conflict(Vec::new()));
        };
        match three_ways(self.files(&common)?, self.files(base)?, self.files(head)?) {
            Ok(files) => Ok(Joined::Commit(self.commit(&[base, head], files))),
            Err(paths) => Ok(Joined::Conflict(paths)),
        }
    }

    pub(super) fn revert(&mut self, onto: &str, merged: &str) -> Result<Joined, DriverError> {
        let parent = self.get(merged)?.parents.first().cloned().ok_or_else(|| unknown("parent of the merge"))?;
        match three_ways(self.files(merged)?, self.files(onto)?, self.files(&parent)?) {
            Ok(files) if files == *self.files(onto)? => Ok(Joined::Already),
            Ok(files) => Ok(Joined::Commit(self.commit(&[onto], files))),
            Err(paths) => Ok(Joined::Conflict(paths)),
        }
    }
}

/// What has the changes of both sides, or the files that both changed.
fn three_ways(common: &Files, one: &Files, other: &Files) -> Result<Files, Vec<String>> {
    let mut joined = one.clone();
    let mut conflicts = Vec::new();
    let paths: BTreeSet<&String> = common.keys().chain(one.keys()).chain(other.keys()).collect();
    for path in paths {
        let (was, here, there) = (common.get(path), one.get(path), other.get(path));
        if there == was || there == here {
            continue;
        }
        if here != was {
            conflicts.push(path.clone());
        }
        match there {
            Some(text) => joined.insert(path.clone(), text.clone()),
            None => joined.remove(path),
        };
    }
    if conflicts.is_empty() { Ok(joined) } else { Err(conflicts) }
}
