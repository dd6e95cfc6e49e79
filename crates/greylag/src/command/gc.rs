//! `greylag gc`: removes what nobody needs any more.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::{self, Row, heading};
use clap::Args;
use greylag_model::code;
use greylag_model::id::RunId;
use std::fs;
use std::path::{Path, PathBuf};

/// Remove what runs left behind that nobody needs: rejected rows of runs that were undone or are not known.
#[derive(Debug, Args)]
pub(crate) struct Gc {
    /// Only show what would be removed.
    #[arg(long)]
    dry_run: bool,
}

impl Gc {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let home = context.home()?;
        let journal = context.journal()?;
        let mut rows = Vec::new();
        let mut bytes = 0;
        for folder in folders(&home.rejected())? {
            let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let why = match journal.run(&RunId::new(&name))? {
                None => "rejected rows of a run that is not known",
                Some(run) if run.row.state == greylag_model::task::RunState::Undone => {
                    "rejected rows of a run that was undone"
                }
                Some(_) => continue,
            };
            let size = size(&folder);
            bytes += size;
            if !self.dry_run {
                fs::remove_dir_all(&folder).map_err(|error| unremovable(&folder, &error))?;
            }
            let value = serde_json::json!({ "path": folder, "bytes": size, "why": why });
            let cells = vec![folder.display().to_string(), output::bytes(size), why.to_owned()];
            rows.push(Row::new(folder.display().to_string(), cells, &value));
        }
        let number = rows.len();
        output::list(context.format(), "removed", &[heading("path"), heading("bytes"), heading("why")], rows)?;
        let verb = if self.dry_run { "would be removed" } else { "removed" };
        context.say(&format!("{number} folders, {} {verb}", output::bytes(bytes)));
        Ok(Exit::Done)
    }
}

fn folders(parent: &Path) -> Result<Vec<PathBuf>, Failure> {
    match fs::read_dir(parent) {
        Ok(entries) => {
            let mut folders: Vec<PathBuf> =
                entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
            folders.sort();
            Ok(folders)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => {
            Err(Failure::error(code::cli::FILE_UNREADABLE, format!("`{}` cannot be read: {error}", parent.display())))
        }
    }
}

fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => size(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

fn unremovable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::error(code::cli::HOME_UNWRITABLE, format!("`{}` cannot be removed: {error}", path.display()))
}
