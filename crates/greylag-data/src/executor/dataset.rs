//! Datasets as the executors see them: places, names, sizes, modes; never contents.

use super::OnPath;
use crate::durable::{Identity, walk};
use crate::listing::Anchor;
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use greylag_model::dataset::Location;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::Xxh3;

/// A location on this machine.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) anchor: Anchor,
    pub(crate) path: PathBuf,
}

impl Place {
    pub(crate) fn of(location: &Location, roots: &BTreeMap<String, String>) -> Result<Self, DriverError> {
        let trimmed = location.path.trim_end_matches('/').to_owned();
        let anchor = match &location.connection {
            None => Anchor { root: None, path: trimmed },
            Some(name) => {
                let root = roots.get(name).ok_or_else(|| {
                    DriverError::permanent(code::UNKNOWN_CONNECTION, format!("there is no connection `{name}`"))
                        .hint("declare it with `kind: Connection`, and plan again")
                })?;
                Anchor { root: Some(root.clone()), path: trimmed }
            }
        };
        let path = anchor.absolute();
        let outside = Path::new(&anchor.path).components().any(|part| part == std::path::Component::ParentDir);
        if outside || path.file_name().is_none() {
            let words = format!("`{}` cannot be a dataset's place", path.display());
            return Err(DriverError::permanent(code::OUTSIDE_ROOT, words).hint("use a path without `..`"));
        }
        Ok(Self { anchor, path })
    }
}

/// Who may do what with a file or directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Access {
    /// Permission bits.
    pub(super) mode: u32,
    /// User.
    pub(super) user: u32,
    /// Group.
    pub(super) group: u32,
}

impl Access {
    pub(super) fn of(metadata: &std::fs::Metadata) -> Self {
        Self { mode: metadata.mode() & 0o7777, user: metadata.uid(), group: metadata.gid() }
    }

    pub(super) fn owner(self) -> (u32, u32) {
        (self.user, self.group)
    }
}

/// What a dataset gives its successor: access of its files, and of its directories.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manners {
    pub(super) file: Access,
    pub(super) directory: Access,
}

/// Of a dataset: that of its first file, and of its own directory. A single file that becomes a directory lets those who
/// could read it enter.
pub(super) fn manners(root: &Path, first_file: &Path) -> Result<Manners, DriverError> {
    let of = |path: &Path| std::fs::metadata(path).map(|metadata| (Access::of(&metadata), metadata.is_dir()));
    let (file, _) = of(first_file).on("read", first_file)?;
    let directory = match of(root).on("read", root)? {
        (directory, true) => directory,
        (own, false) => Access { mode: own.mode & 0o777 | (own.mode & 0o444) >> 2, ..own },
    };
    // A file of a directory that becomes a single file keeps its bits; execution is never meant.
    Ok(Manners { file: Access { mode: file.mode & 0o666, ..file }, directory })
}

/// Hash over the names and identities of some files below `root`; links are followed.
pub(crate) fn fingerprint_of<'a>(root: &Path, files: impl Iterator<Item = &'a str>) -> Result<String, DriverError> {
    let mut hash = Xxh3::new();
    for relative in files {
        let path = root.join(relative);
        let Identity { device, inode, size, modified } = Identity::of(&std::fs::metadata(&path).on("read", &path)?);
        hash.update(relative.as_bytes());
        for number in [device, inode, size, modified as u64] {
            hash.update(&number.to_le_bytes());
        }
    }
    Ok(format!("{:032x}", hash.digest128()))
}

/// Hash over the names and identities of everything below and including `root`: changes whenever a file is written,
/// added, removed or replaced, and does not when the whole is renamed.
///
/// A link at the root is followed; of links below it both the link and what it leads to count.
pub(crate) fn content_fingerprint(root: &Path) -> Result<String, DriverError> {
    let linked = std::fs::symlink_metadata(root).on("read", root)?.is_symlink();
    let root = if linked { &std::fs::canonicalize(root).on("read", root)? } else { root };
    let mut found = walk(root).on("list", root)?;
    found.sort_by(|left, right| left.0.cmp(&right.0));
    let mut hash = Xxh3::new();
    for (path, metadata) in found {
        let relative = path.strip_prefix(root).unwrap_or(&path);
        hash.update(relative.as_os_str().as_encoded_bytes());
        let followed = if metadata.is_symlink() { std::fs::metadata(&path).ok() } else { None };
        for metadata in std::iter::once(&metadata).chain(&followed) {
            let Identity { device, inode, size, modified } = Identity::of(metadata);
            for number in [device, inode, size, modified as u64] {
                hash.update(&number.to_le_bytes());
            }
        }
    }
    Ok(format!("{:032x}", hash.digest128()))
}
