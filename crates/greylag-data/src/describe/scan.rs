//! Which files and directories below a directory may be datasets, by names only.
//!
//! 1. A directory with `key=value` sub-directories, or with the log of a table format, is one dataset.
//! 2. A directory other than the scanned one, with data files and without data in sub-directories, is one dataset, if
//!    its files share one format and one schema; else each file is one.
//! 3. Any other data file is one dataset, those directly in the scanned directory among them.
//! 4. Other sub-directories are looked at by the same rules.

use super::Candidate;
use crate::hive;
use crate::io_error::io_error;
use crate::listing::{Anchor, Kind, is_hidden, kind_of};
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;

/// Directories are not descended deeper than this.
const DEEPEST: usize = 64;

/// Candidates in path order.
pub(super) fn scan(anchor: &Anchor) -> Result<Vec<Candidate>, DriverError> {
    let mut candidates = Vec::new();
    look(anchor, "", 0, &mut candidates)?;
    candidates.sort_by(|left, right| left.relative.cmp(&right.relative));
    Ok(candidates)
}

/// What one directory holds, hidden and half-written names left out.
#[derive(Default)]
struct Entries {
    files: Vec<String>,
    directories: Vec<String>,
    /// It has partitions, or is a table of another system.
    whole: bool,
}

fn entries(anchor: &Anchor, relative: &str) -> Result<Entries, DriverError> {
    anchor.metadata(relative)?;
    let path = anchor.absolute_of(relative);
    let failed = |error: std::io::Error| io_error("list", &path, &error);
    let mut entries = Entries::default();
    for entry in std::fs::read_dir(&path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        if matches!(name, "_delta_log" | ".hoodie") {
            entries.whole = true;
        }
        // Links are looked at when the dataset is described; a scan does not follow them.
        let file_type = entry.file_type().map_err(failed)?;
        if is_hidden(name) {
            continue;
        }
        let below = if relative.is_empty() { name.to_owned() } else { format!("{relative}/{name}") };
        if file_type.is_dir() {
            entries.whole |= hive::parse_directory(name).is_some();
            entries.directories.push(below);
        } else if file_type.is_file() && matches!(kind_of(name), Kind::Data(_)) {
            entries.files.push(below);
        }
    }
    entries.files.sort();
    Ok(entries)
}

fn look(anchor: &Anchor, relative: &str, depth: usize, out: &mut Vec<Candidate>) -> Result<(), DriverError> {
    if depth > DEEPEST {
        let words = format!("`{}` is deeper than {DEEPEST} directories", anchor.absolute_of(relative).display());
        return Err(DriverError::permanent(code::OUTSIDE_ROOT, words));
    }
    let entries = entries(anchor, relative)?;
    if entries.whole {
        out.push(Candidate { relative: relative.to_owned(), files: Vec::new() });
        return Ok(());
    }
    let before = out.len();
    for directory in &entries.directories {
        look(anchor, directory, depth + 1, out)?;
    }
    let alone = out.len() == before;
    if alone && !relative.is_empty() && !entries.files.is_empty() {
        out.push(Candidate { relative: relative.to_owned(), files: entries.files });
    } else {
        out.extend(entries.files.into_iter().map(|relative| Candidate { relative, files: Vec::new() }));
    }
    Ok(())
}
