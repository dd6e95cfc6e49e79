//! What a custom step has on disk: a copy of its scripts while it runs, and its log.

use greylag_driver::error::DriverError;
use greylag_driver::executor::StepRequest;
use greylag_model::code::fleet as code;
use greylag_model::custom::{Script, hash_of};
use greylag_model::task::Direction;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A copy of exactly those scripts that the plan has frozen; it goes with this value.
pub(super) struct Scripts {
    folder: PathBuf,
    logs: PathBuf,
}

impl Drop for Scripts {
    fn drop(&mut self) {
        // What stays is removed by the next attempt.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Scripts {
    /// Copies them for one attempt.
    pub(super) fn copy(
        root: &Path,
        request: &StepRequest<'_>,
        scripts: &BTreeMap<String, Script>,
    ) -> Result<Self, DriverError> {
        let logs = root.join(plain(request.run.as_str()));
        let copies = root.join("running");
        let stem = hash_of(format!("{}\n{}\n{}", request.run, request.task, request.step.name()).as_bytes());
        let stem = format!("{}.e", &stem[..32]);
        fs::create_dir_all(&copies).map_err(|error| unusable(&copies, &error))?;
        forget_older(&copies, &stem);
        let folder = copies.join(format!("{stem}{}", request.epoch));
        fs::create_dir(&folder).map_err(|error| unusable(&folder, &error))?;
        let made = Self { folder, logs };
        for (name, script) in scripts {
            let content = unchanged(name, script)?;
            let path = made.folder.join(name.trim_start_matches("./"));
            let write = || {
                if let Some(parent) = path.parent() {
                    fs::create_dir_all(parent)?;
                }
                fs::write(&path, &content)?;
                fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
            };
            write().map_err(|error| unusable(&path, &error))?;
        }
        Ok(made)
    }

    pub(super) fn path(&self) -> &Path {
        &self.folder
    }

    /// Keeps what the command said on standard error, instead of what an earlier attempt said; where that is.
    pub(super) fn keep_log(&self, request: &StepRequest<'_>, log: &str) -> Result<Option<PathBuf>, DriverError> {
        if log.is_empty() {
            return Ok(None);
        }
        let undo = if request.direction == Direction::Undo { ".undo" } else { "" };
        let name = format!("{}.{}{undo}.log", plain(request.task.as_str()), request.step.name());
        let path = self.logs.join(name);
        let written = fs::create_dir_all(&self.logs).and_then(|()| fs::write(&path, log));
        written.map_err(|error| unusable(&path, &error))?;
        Ok(Some(path))
    }
}

/// Copies of attempts that died.
fn forget_older(copies: &Path, stem: &str) {
    for entry in fs::read_dir(copies).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(stem) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// The content of a script, if it is that of the plan.
fn unchanged(name: &str, script: &Script) -> Result<Vec<u8>, DriverError> {
    let changed = |why: String| {
        DriverError::permanent(code::JOB_CHANGED, format!("the script `{name}` {why}"))
            .hint(format!("put the old `{}` back, or plan again", script.path))
    };
    let content = fs::read(&script.path).map_err(|error| changed(format!("cannot be read any more: {error}")))?;
    if hash_of(&content) == script.hash { Ok(content) } else { Err(changed("has changed since the plan".to_owned())) }
}

/// A name that can be that of a file.
fn plain(name: &str) -> String {
    let fits = name.len() <= 120 && !name.starts_with('.');
    if fits && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)) {
        name.to_owned()
    } else {
        hash_of(name.as_bytes())[..32].to_owned()
    }
}

fn unusable(path: &Path, error: &io::Error) -> DriverError {
    let message = format!("`{}` cannot be written: {error}", path.display());
    DriverError::transient(code::JOB_START, message).hint("make space in the state folder, or look at its permissions")
}
