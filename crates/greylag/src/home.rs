//! The state folder: where it is and what is in it.

use crate::failure::Failure;
use greylag_model::code;
use std::env;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// One folder holds all state of an installation: the database, rejected rows, scratch space, nothing else.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    root: PathBuf,
}

impl Home {
    /// The folder that was asked for, or the default of the platform.
    pub(crate) fn locate(asked: Option<&Path>) -> Result<Self, Failure> {
        let root = match asked {
            Some(path) => std::path::absolute(path).map_err(|error| unusable(path, &error))?,
            None => default_root().ok_or_else(|| {
                Failure::error(code::cli::CONFIGURATION, "neither `GREYLAG_HOME`, `XDG_STATE_HOME` nor `HOME` is set")
                    .hint("name the state folder with `--home DIR`")
            })?,
        };
        Ok(Self { root })
    }

    /// Makes the folder if it is not there; only its owner may look inside.
    pub(crate) fn create(&self) -> Result<(), Failure> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.root).map_err(|error| unusable(&self.root, &error))
    }

    /// Which setting names the folder, given what was asked for.
    pub(crate) fn origin(asked: Option<&Path>) -> &'static str {
        let set = |name| env::var_os(name).filter(|value| !value.is_empty());
        match asked {
            Some(path) if set("GREYLAG_HOME").is_some_and(|home| home == path) => "GREYLAG_HOME",
            Some(_) => "--home",
            None if set("XDG_STATE_HOME").is_some() => "XDG_STATE_HOME",
            None => "HOME",
        }
    }

    /// The folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The database.
    pub(crate) fn database(&self) -> PathBuf {
        self.root.join("state.db")
    }

    /// Rows that were rejected, a folder a run.
    pub(crate) fn rejected(&self) -> PathBuf {
        self.root.join("rejected")
    }

    /// Directories of processes that try something out; each removes its own.
    pub(crate) fn scratch(&self) -> PathBuf {
        self.root.join("scratch")
    }

    /// Logs of custom steps, a folder a run, and copies of the scripts that run.
    pub(crate) fn steps(&self) -> PathBuf {
        self.root.join("steps")
    }

    /// What diffs that were stopped have done so far, a directory each.
    pub(crate) fn diffs(&self) -> PathBuf {
        self.root.join("diffs")
    }

    /// What processes that rewrite files are about to write, a file each.
    pub(crate) fn rewrites(&self) -> PathBuf {
        self.root.join("rewrites")
    }

    /// The embedded forge: repositories and their change requests.
    pub(crate) fn forge(&self) -> PathBuf {
        self.root.join("forge")
    }

    /// Commands of repositories that may be run.
    pub(crate) fn trust(&self) -> PathBuf {
        self.root.join("trust")
    }

    /// What was found in repositories, so that what is unchanged need not be read again: a file for each repository and question.
    pub(crate) fn scans(&self) -> PathBuf {
        self.root.join("scans")
    }

    /// Whether there is any state yet.
    pub(crate) fn exists(&self) -> bool {
        fs::exists(self.database()).unwrap_or(false)
    }
}

fn default_root() -> Option<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("XDG_STATE_HOME").or_else(|| set("HOME").map(|home| home.join(".local/state"))).map(|base| base.join("greylag"))
}

fn unusable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::error(code::cli::HOME_UNWRITABLE, format!("the state folder `{}` cannot be used: {error}", path.display()))
        .hint("name another one with `--home DIR` or `GREYLAG_HOME`")
}
