//! Commands of repositories that this installation has been told to run.
//!
//! Trust is of one command in one repository: a file in the state folder, whose name is the hash of both. The command's own hash
//! has its words, limits and scripts, so whatever changes in them is another command, which nobody has trusted. A file is
//! written whole or not at all, and says for people what was shown when it was made.

use crate::context::Context;
use crate::failure::Failure;
use crate::home::Home;
use crate::show::instant;
use greylag_code::verify::command::Command;
use greylag_model::code;
use greylag_model::custom::hash_of;
use serde_json::{Value, json};
use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The folder of trust, and one repository in it.
pub(crate) struct Trust {
    folder: PathBuf,
}

/// What was trusted.
pub(crate) struct Trusted {
    /// The repository, as [`Trust`] knows it.
    pub(crate) repository: String,
    /// The command's hash.
    pub(crate) hash: String,
    /// All of the record.
    pub(crate) value: Value,
    path: PathBuf,
}

impl Trust {
    /// That of a state folder.
    pub(crate) fn of(home: &Home) -> Self {
        Self { folder: home.trust() }
    }

    /// Whether a command of a repository may be run.
    pub(crate) fn allows(&self, repository: &str, command: &Command) -> Result<bool, Failure> {
        let path = self.path(repository, &command.hash());
        match fs::symlink_metadata(&path) {
            Ok(metadata) => Ok(metadata.is_file()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(unusable(&path, &error)),
        }
    }

    /// Lets a command of a repository be run from now on.
    pub(crate) fn grant(&self, context: &Context, repository: &str, command: &Command) -> Result<(), Failure> {
        let hash = command.hash();
        let value = json!({
            "repository": repository, "hash": hash, "command": command,
            "by": context.actor(), "at": instant(context.now()),
        });
        let path = self.path(repository, &hash);
        self.write(&path, &value).map_err(|error| unusable(&path, &error))
    }

    /// All that is trusted, by repository; of one repository if it is named.
    pub(crate) fn all(&self, repository: Option<&str>) -> Result<Vec<Trusted>, Failure> {
        let mut all = Vec::new();
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(all),
            Err(error) => return Err(unusable(&self.folder, &error)),
        };
        for entry in entries {
            let path = entry.map_err(|error| unusable(&self.folder, &error))?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let bytes = fs::read(&path).map_err(|error| unusable(&path, &error))?;
            let value: Value = serde_json::from_slice(&bytes).map_err(|error| unusable(&path, &error.into()))?;
            let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
            all.push(Trusted { repository: text("repository"), hash: text("hash"), value: value.clone(), path });
        }
        all.retain(|trusted| repository.is_none_or(|wanted| trusted.repository == wanted));
        all.sort_by(|one, other| (&one.repository, &one.hash).cmp(&(&other.repository, &other.hash)));
        Ok(all)
    }

    fn path(&self, repository: &str, hash: &str) -> PathBuf {
        self.folder.join(format!("{}.json", hash_of(format!("{repository}\n{hash}").as_bytes())))
    }

    fn write(&self, path: &Path, value: &Value) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let begun = path.with_extension("new");
        let mut file = File::create(&begun)?;
        file.write_all(value.to_string().as_bytes())?;
        file.sync_all()?;
        fs::rename(&begun, path)?;
        File::open(&self.folder)?.sync_all()
    }
}

impl Trusted {
    /// Takes it back.
    pub(crate) fn revoke(&self) -> Result<(), Failure> {
        fs::remove_file(&self.path).map_err(|error| unusable(&self.path, &error))
    }
}

fn unusable(path: &Path, error: &io::Error) -> Failure {
    Failure::error(code::cli::HOME_UNWRITABLE, format!("`{}` cannot be used: {error}", path.display()))
        .hint("look at the permissions of the state folder")
}
