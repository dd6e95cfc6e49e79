//! The rules of `.gitignore`, folder by folder.

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::fs;
use std::path::Path;

/// Longest file of rules that is read.
const LONGEST: u64 = 1 << 20;

/// The rules of the folders around, the outermost first.
#[derive(Default)]
pub(super) struct Rules(Vec<Gitignore>);

/// What rules say of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is ignored.
    Ignored,
    /// It was, and is taken back.
    Kept,
    /// Nothing.
    Unsaid,
}

impl Rules {
    /// Adds the rules that a file has for a folder; whether there are any. A link is none, as git has it.
    pub(super) fn add(&mut self, folder: &Path, file: &Path) -> bool {
        let is_file = fs::symlink_metadata(file).is_ok_and(|found| found.is_file() && found.len() <= LONGEST);
        let Some(text) = is_file.then(|| fs::read(file).ok()).flatten() else { return false };
        let mut builder = GitignoreBuilder::new(folder);
        for line in String::from_utf8_lossy(&text).lines() {
            // A rule that cannot be read ignores nothing.
            let _ = builder.add_line(None, line);
        }
        let rules = builder.build().ok().filter(|rules| !rules.is_empty());
        let is_there = rules.is_some();
        self.0.extend(rules);
        is_there
    }

    /// Takes the innermost away.
    pub(super) fn remove(&mut self) {
        self.0.pop();
    }

    /// What they say of a path; an inner folder's word counts more.
    pub(super) fn of(&self, path: &Path, is_folder: bool) -> Verdict {
        for rules in self.0.iter().rev() {
            match rules.matched(path, is_folder) {
                Match::Ignore(_) => return Verdict::Ignored,
                Match::Whitelist(_) => return Verdict::Kept,
                Match::None => {}
            }
        }
        Verdict::Unsaid
    }
}
