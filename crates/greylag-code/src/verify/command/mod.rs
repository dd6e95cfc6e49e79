//! The repository's own commands: its tests, and what builds its dbt project, as its owner names them in `.greylag.yaml`.
//!
//! ```yaml
//! verify:
//!   run: [make, test]            # or `verify: [make, test]`
//!   timeout: 10m
//!   limits: {memory: 1GiB, cpu: 30m, processes: 64, disk: 1GiB}
//!   files: [ci/check.sh]         # what else it runs
//! build:
//!   run: [dbt, build]            # or `build: [dbt, build]`; see `crate::prove::build` for what becomes of it
//!   project: warehouse           # the folder of the dbt project, if it is not the root
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
//! Packages of dbt that are installed are copied, too. Programs are those of the system and of the [tool folders](Runner::tools) that the
//! operator names.
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
pub(crate) use run::{More, of_tree};
pub use run::{Outcome, Ran, Runner, hint, run};
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

/// What a command of a repository is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// It tells whether the repository is in order.
    Verify,
    /// It builds a dbt project.
    Build,
}

impl Purpose {
    /// All.
    pub const ALL: [Self; 2] = [Self::Verify, Self::Build];

    /// Its key in `.greylag.yaml`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Build => "build",
        }
    }
}

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
    /// The folder of the dbt project that it builds; none if it is no build.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
}

impl Command {
    /// The command of a tree; none if it names none.
    ///
    /// # Errors
    /// The tree cannot be read, or `.greylag.yaml` says something else than a command.
    pub fn of(tree: &dyn Tree, purpose: Purpose) -> Result<Option<Self>, CommandError> {
        settings::of(tree, purpose)
    }

    /// What it is for.
    pub fn purpose(&self) -> Purpose {
        if self.project.is_some() { Purpose::Build } else { Purpose::Verify }
    }

    /// Its words, as they can be shown.
    pub fn words(&self) -> String {
        plain(&self.run.join(" ")).chars().take(120).collect()
    }

    /// What this command and no other has: BLAKE3, hexadecimal.
    pub fn hash(&self) -> String {
        // The value has no maps with keys that are no text, so it can always be written.
        hash_of(&serde_json::to_vec(self).unwrap_or_default())
    }
}
