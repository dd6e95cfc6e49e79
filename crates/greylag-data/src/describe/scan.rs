//! Which files and directories below a directory may be datasets, by names only.
//!
//! 1. A directory with `key=value` sub-directories, or with the log of a table format, is one dataset.
//! 2. A directory other than the scanned one, with data files and without data in sub-directories, is one dataset, if
//!    its files share one format and one schema; else each file is one.
//! 3. Any other data file is one dataset, those directly in the scanned directory among them.
//! 4. Other sub-directories are looked at by the same rules.
//!
//! A `*.json` file is data only if its first line holds an object of its own, as JSON lines do: most files of that name are
//! settings or documents. `*.jsonl` and `*.ndjson` are data in any case.

use super::Candidate;
use crate::hive;
use crate::io_error::io_error;
use crate::listing::{Anchor, Kind, is_hidden, kind_of};
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use std::io::Read;

/// Bytes of a file in which its first line is looked for.
const FIRST_LINE: u64 = 64 << 10;
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
    /// Data files and directories whose names are not UTF-8: told of, so that they are not missed in silence.
    unnameable: Vec<String>,
    /// It has partitions, or is a table of another system.
    whole: bool,
}

fn join(relative: &str, name: &str) -> String {
    if relative.is_empty() { name.to_owned() } else { format!("{relative}/{name}") }
}

fn entries(anchor: &Anchor, relative: &str) -> Result<Entries, DriverError> {
    anchor.metadata(relative)?;
    let path = anchor.absolute_of(relative);
    let failed = |error: std::io::Error| io_error("list", &path, &error);
    let mut entries = Entries::default();
    for entry in std::fs::read_dir(&path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            let shown = name.to_string_lossy();
            let data = entry.file_type().map_err(failed)?.is_dir() || matches!(kind_of(&shown), Kind::Data(_));
            if data && !is_hidden(&shown) {
                entries.unnameable.push(join(relative, &shown));
            }
            continue;
        };
        if matches!(name, "_delta_log" | ".hoodie") {
            entries.whole = true;
        }
        // Links are looked at when the dataset is described; a scan does not follow them.
        let file_type = entry.file_type().map_err(failed)?;
        if is_hidden(name) {
            continue;
        }
        let below = join(relative, name);
        if file_type.is_dir() {
            entries.whole |= hive::parse_directory(name).is_some();
            entries.directories.push(below);
        } else if file_type.is_file() && matches!(kind_of(name), Kind::Data(_)) && !is_document(anchor, &below, name) {
            entries.files.push(below);
        }
    }
    entries.files.sort();
    Ok(entries)
}

/// Whether a file is JSON, but not JSON lines. One that cannot be read is told of later.
fn is_document(anchor: &Anchor, relative: &str, name: &str) -> bool {
    if !name.to_lowercase().ends_with(".json") {
        return false;
    }
    let mut start = Vec::new();
    let read = anchor.open(relative).map(|file| file.take(FIRST_LINE).read_to_end(&mut start));
    matches!(read, Ok(Ok(_))) && !crate::json::looks_like_lines(&start, (start.len() as u64) < FIRST_LINE)
}

fn look(anchor: &Anchor, relative: &str, depth: usize, out: &mut Vec<Candidate>) -> Result<(), DriverError> {
    if depth > DEEPEST {
        let words = format!("`{}` is deeper than {DEEPEST} directories", anchor.absolute_of(relative).display());
        return Err(DriverError::permanent(code::OUTSIDE_ROOT, words));
    }
    let entries = entries(anchor, relative)?;
    if entries.whole {
        out.push(Candidate::whole(relative));
        return Ok(());
    }
    let before = out.len();
    for directory in &entries.directories {
        look(anchor, directory, depth + 1, out)?;
    }
    let alone = out.len() == before;
    if alone && !relative.is_empty() && !entries.files.is_empty() {
        out.push(Candidate { files: entries.files, ..Candidate::whole(relative) });
    } else {
        out.extend(entries.files.into_iter().map(Candidate::whole));
    }
    let odd = |relative| Candidate { unnameable: true, ..Candidate::whole(relative) };
    out.extend(entries.unnameable.into_iter().map(odd));
    Ok(())
}
