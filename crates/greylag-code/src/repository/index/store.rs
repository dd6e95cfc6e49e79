//! Indexes as files: a line that says what the file is, with the hash of the rest, and the units as JSON.

use super::kept::{Unit, hash_of};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The extension of their names.
pub(super) const EXTENSION: &str = "scan";
/// The form of the file; another one is another file.
const FORM: &str = "greylag scan 3";
/// Longest index that is kept or read, in bytes.
const LONGEST: u64 = 64 << 20;
/// How much a folder keeps: files, and bytes.
const MOST: (usize, u64) = (256, 512 << 20);

/// The units of a file, if it is whole and of this subject.
pub(super) fn read(file: &Path, subject: &str) -> Option<BTreeMap<String, Unit>> {
    if fs::metadata(file).ok()?.len() > LONGEST {
        return None;
    }
    let text = fs::read_to_string(file).ok()?;
    let (head, body) = text.split_once('\n')?;
    if head != format!("{FORM} {}", hash_of(body.as_bytes())) {
        return None;
    }
    let (own, units) = body.split_once('\n')?;
    (own == subject).then(|| serde_json::from_str(units).ok()).flatten()
}

/// Writes a file in one step; one that would be too long is not written, and an older one removed.
pub(super) fn write(file: &Path, units: &BTreeMap<String, Unit>) -> io::Result<()> {
    let subject = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let body = format!("{subject}\n{}", serde_json::to_string(units)?);
    if body.len() as u64 > LONGEST {
        return match fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
    }
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    // Two processes that scan the same repository write two files; the later one stands.
    let beside = file.with_extension(format!("{}.{}", std::process::id(), EXTENSION));
    let written = File::create(&beside)
        .and_then(|mut to| to.write_all(format!("{FORM} {}\n{body}", hash_of(body.as_bytes())).as_bytes()));
    written.and_then(|()| fs::rename(&beside, file)).inspect_err(|_| drop(fs::remove_file(&beside)))
}

/// Says of a file that it was used at a time, in milliseconds; where that fails it is only removed sooner.
pub(super) fn touch(file: &Path, at: i64) {
    let at = u64::try_from(at).ok().and_then(|at| SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(at)));
    if let (Ok(file), Some(at)) = (File::options().append(true).open(file), at) {
        drop(file.set_modified(at));
    }
}

/// Removes the indexes of a folder that were not used for longest, where there are too many or they are too large.
///
/// # Errors
/// The folder cannot be listed, or a file not removed.
pub fn tidy(folder: &Path) -> io::Result<()> {
    let mut all: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let is_index = entry.path().extension().is_some_and(|extension| extension == EXTENSION);
        if let Some(metadata) = entry.metadata().ok().filter(|metadata| is_index && metadata.is_file()) {
            all.push((metadata.modified()?, metadata.len(), entry.path()));
        }
    }
    all.sort();
    let (mut number, mut bytes) = (all.len(), all.iter().map(|(_, bytes, _)| bytes).sum::<u64>());
    for (_, length, path) in all {
        if number <= MOST.0 && bytes <= MOST.1 {
            break;
        }
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        (number, bytes) = (number - 1, bytes - length);
    }
    Ok(())
}
