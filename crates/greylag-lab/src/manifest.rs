//! What a tree looks like: path, mode and hash of everything in it.

use crate::error::LabError;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use xxhash_rust::xxh3::Xxh3;

/// One file or directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Below the tree's root; names joined by `/`.
    pub(crate) path: String,
    pub(crate) mode: u32,
    /// 32 hex digits of the content; absent for directories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hash: Option<String>,
}

/// Everything below `root` in these of its directories, sorted by path. A name that is not UTF-8 is shown with
/// replacement characters: the lab makes none.
pub(crate) fn manifest(root: &Path, parts: &[&str]) -> Result<Vec<Entry>, LabError> {
    manifest_of(root, parts, &|_| true)
}

/// The same; only the files whose path `wants` to be hashed are read (the others have an empty hash).
pub(crate) fn manifest_of(root: &Path, parts: &[&str], wants: &dyn Fn(&str) -> bool) -> Result<Vec<Entry>, LabError> {
    let mut entries = Vec::new();
    for part in parts {
        let place = root.join(part);
        if place.exists() {
            walk(&place, part, wants, &mut entries)?;
        }
    }
    entries.sort();
    Ok(entries)
}

fn walk(place: &Path, path: &str, wants: &dyn Fn(&str) -> bool, entries: &mut Vec<Entry>) -> Result<(), LabError> {
    let metadata = fs::symlink_metadata(place).map_err(|error| LabError::io("read", place, error))?;
    let mode = metadata.permissions().mode() & 0o7777;
    let hash = if metadata.is_dir() {
        let names = fs::read_dir(place).map_err(|error| LabError::io("read", place, error))?;
        for name in names {
            let name = name.map_err(|error| LabError::io("read", place, error))?.file_name();
            let path = format!("{path}/{}", String::from_utf8_lossy(name.as_bytes()));
            walk(&place.join(&name), &path, wants, entries)?;
        }
        None
    } else if metadata.is_file() {
        Some(if wants(path) { hash_file(place, metadata.size())? } else { String::new() })
    } else {
        // A link or a device was not there before: its content does not matter.
        Some("not a file".to_owned())
    };
    entries.push(Entry { path: path.to_owned(), mode, hash });
    Ok(())
}

/// Hash of a file's content, 32 hex digits.
pub(crate) fn hash_file(path: &Path, size: u64) -> Result<String, LabError> {
    let failed = |error| LabError::io("read", path, error);
    let mut file = File::open(path).map_err(failed)?;
    let mut hash = Xxh3::new();
    let mut buffer = vec![0; usize::try_from(size).unwrap_or(usize::MAX).clamp(1, 1 << 18)];
    loop {
        match file.read(&mut buffer).map_err(failed)? {
            0 => return Ok(format!("{:032x}", hash.digest128())),
            read => hash.update(&buffer[..read]),
        }
    }
}
