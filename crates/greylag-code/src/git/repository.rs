//! A bare repository on disk.

use super::command::{Git, failed};
use super::process::Output;
use greylag_driver::error::DriverError;
use greylag_model::code::repository as code;
use std::io;
use std::path::{Path, PathBuf};

/// What the configuration of a repository says; also for whoever uses git on it by hand.
const CONFIG: &str = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n\thooksPath = /dev/null\n\
     \tfsmonitor = false\n[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n[receive]\n\tautogc = false\n\
     \tfsckObjects = true\n\tadvertisePushOptions = false\n[transfer]\n\tfsckObjects = true\n";

/// What is on disk when a command has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Safety {
    /// A cache, which can be fetched again: nothing is waited for.
    Cache,
    /// All that it wrote survives a power cut.
    Durable,
}

impl Safety {
    pub(super) fn config(self) -> &'static [&'static str] {
        match self {
            Self::Cache => &["core.fsync=none"],
            Self::Durable => &["core.fsync=committed,loose-object,reference", "core.fsyncMethod=batch"],
        }
    }
}

/// A bare repository at a folder. Cheap to clone; holds nothing open.
#[derive(Clone, Debug)]
pub struct Repository {
    pub(super) git: Git,
    pub(super) folder: PathBuf,
    pub(super) safety: Safety,
}

impl Repository {
    /// The repository at a folder, made if there is none. Whoever dies in it leaves a folder that the next call completes.
    pub fn make(git: Git, folder: impl Into<PathBuf>, safety: Safety) -> Result<Self, DriverError> {
        let repository = Self { git, folder: folder.into(), safety };
        if !repository.folder.join("config").exists() {
            repository.init().map_err(|error| repository.io(&error))?;
        }
        Ok(repository)
    }

    /// The repository at a folder, which must have been made by [`Repository::make`].
    pub fn open(git: Git, folder: impl Into<PathBuf>, safety: Safety) -> Result<Self, DriverError> {
        let folder = folder.into();
        if folder.join("config").is_file() && folder.join("objects").is_dir() {
            return Ok(Self { git, folder, safety });
        }
        Err(DriverError::permanent(code::GIT_OBJECT, format!("there is no repository at `{}`", folder.display())))
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn init(&self) -> io::Result<()> {
        for folder in ["objects/pack", "objects/info", "refs/heads", "refs/tags"] {
            std::fs::create_dir_all(self.folder.join(folder))?;
        }
        std::fs::write(self.folder.join("HEAD"), "ref: refs/heads/main\n")?;
        // What makes it a repository for us comes last, and whole.
        let begun = self.folder.join("config.new");
        std::fs::write(&begun, CONFIG)?;
        if self.safety == Safety::Durable {
            std::fs::File::open(&begun)?.sync_all()?;
            std::fs::File::open(&self.folder)?.sync_all()?;
        }
        std::fs::rename(begun, self.folder.join("config"))
    }

    fn io(&self, error: &io::Error) -> DriverError {
        let message = format!("the repository `{}`: {error}", self.folder.display());
        DriverError::transient(code::GIT_FAILED, message)
    }

    /// Runs a command in it; any exit code but 0 is an error.
    pub(super) fn run(&self, what: &'static str, arguments: &[&str], input: &[u8]) -> Result<Output, DriverError> {
        let output = self.try_run(what, arguments, input)?;
        if output.status.success() { Ok(output) } else { Err(failed(what, &output)) }
    }

    /// Runs a command in it.
    pub(super) fn try_run(&self, what: &'static str, arguments: &[&str], input: &[u8]) -> Result<Output, DriverError> {
        self.git.run(self.git.command(&self.folder, self.safety, arguments), what, input)
    }
}
