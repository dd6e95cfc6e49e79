//! The repository's own command: its build and its tests, as its owner names them in `.greylag.yaml`.
//!
//! ```yaml
//! verify:
//!   run: [make, test]            # or `verify: [make, test]`
//!   timeout: 10m
//!   limits: {memory: 1GiB, cpu: 30m, processes: 64, disk: 1GiB}
//!   files: [ci/check.sh]         # what else it runs
//! ```
//!
//! # Who may say what is run
//!
//! The command is read from the tree *before* the change, never from the changed one. It is run only for whoever has said so of this
//! very command, which is known by its [hash](Command::hash): of its words, its limits, and the content of every file that
//! decides what it does (those that its arguments name, those of `files`, and the usual files of build tools). What is
//! changed in any of these is another command, and must be trusted anew. Who is trusted where is the caller's to keep.
//!
//! # What it gets
//!
//! A copy of the files at `/work`, without `.git`, links and submodules, in the sandbox, without network, its home an empty folder.
//! The copy is made of the old tree with the edits of the new one. Files that decide what is run are those of the old tree,
//! and it cannot write to them, nor to the files of tests that no edit changes. What it writes goes with the copy.
//!
//! # What it proves
//!
//! It is run on the old tree first. A command that was red before says nothing of a change: `unknown`. So does one that goes beyond
//! a limit, or cannot be started. The end of what it says is kept as evidence, without control characters.

mod export;
mod output;
mod run;
mod settings;

pub use output::plain;
pub use run::{Outcome, Ran, run};
pub use settings::CommandError;

use crate::tree::Tree;
use greylag_driver::sandbox::Limits;
use greylag_model::custom::hash_of;
use serde::Serialize;
use std::collections::BTreeMap;

/// Longest time if the repository names none, milliseconds.
pub const TIME_MILLIS: i64 = 600_000;
/// Longest time that it may ask for, milliseconds.
pub const MOST_MILLIS: i64 = 6 * 3_600_000;

/// A command of a repository, as its tree says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Command {
    /// Program and arguments.
    pub run: Vec<String>,
    /// How long it may take, milliseconds.
    pub timeout_millis: i64,
    /// How much it may use.
    pub limits: Limits,
    /// Files that decide what it does, and hashes (BLAKE3, hexadecimal) of their content.
    pub files: BTreeMap<String, String>,
}

impl Command {
    /// The command of a tree; none if it names none.
    ///
    /// # Errors
    /// The tree cannot be read, or `.greylag.yaml` says something else than a command.
    pub fn of(tree: &dyn Tree) -> Result<Option<Self>, CommandError> {
        settings::of(tree)
    }

    /// What this command and no other has: BLAKE3, hexadecimal.
    pub fn hash(&self) -> String {
        // The value has no maps with keys that are no text, so it can always be written.
        hash_of(&serde_json::to_vec(self).unwrap_or_default())
    }
}
