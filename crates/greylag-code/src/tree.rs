//! The files of a repository as they are in one version of it.
//!
//! Paths are relative, with `/` between their parts, and in order. Whatever is no regular file (a link, a submodule, a
//! device) is not in a tree, so no reader can be led out of it.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A version of a repository's files.
pub trait Tree: Send + Sync {
    /// The paths of all regular files, in order.
    fn paths(&self) -> io::Result<Vec<String>>;
    /// The bytes of a file; `None` if there is none at this path.
    fn read(&self, path: &str) -> io::Result<Option<Arc<[u8]>>>;
    /// What tells the content of a file from others without its bytes being read; `None` if there is no file, or nothing does.
    fn version(&self, path: &str) -> io::Result<Option<Version>> {
        let _ = path;
        Ok(None)
    }
}

/// What tells the content of a file from others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Version {
    /// The id of a blob of git: another content has another one.
    Blob(String),
    /// What a file system says. Another content has another one unless both were written within the grain of its clock.
    Stat {
        /// In bytes.
        size: u64,
        /// The file's number.
        inode: u64,
        /// When its bytes were written last, in nanoseconds.
        modified: i128,
        /// When anything of it was changed last, in nanoseconds.
        changed: i128,
    },
}

/// A tree in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryTree {
    files: BTreeMap<String, Arc<[u8]>>,
}

impl MemoryTree {
    /// A tree of paths and texts.
    pub fn new<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self::of(files.into_iter().map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())))
    }

    /// A tree of paths and bytes.
    pub fn of(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        Self { files: files.into_iter().map(|(path, bytes)| (path, Arc::from(bytes))).collect() }
    }
}

impl Tree for MemoryTree {
    fn paths(&self) -> io::Result<Vec<String>> {
        Ok(self.files.keys().cloned().collect())
    }

    fn read(&self, path: &str) -> io::Result<Option<Arc<[u8]>>> {
        Ok(self.files.get(path).cloned())
    }
}

/// A tree with other texts in the place of some of its files.
pub struct Overlay<'a> {
    below: &'a dyn Tree,
    files: BTreeMap<String, Arc<[u8]>>,
}

impl<'a> Overlay<'a> {
    /// A tree as it is.
    pub fn new(below: &'a dyn Tree) -> Self {
        Self { below, files: BTreeMap::new() }
    }

    /// Puts a text in the place of a file.
    pub fn put(&mut self, path: &str, text: String) {
        self.files.insert(path.to_owned(), Arc::from(text.into_bytes()));
    }
}

impl Tree for Overlay<'_> {
    fn paths(&self) -> io::Result<Vec<String>> {
        let mut paths = self.below.paths()?;
        paths.extend(self.files.keys().cloned());
        paths.sort();
        paths.dedup();
        Ok(paths)
    }

    fn read(&self, path: &str) -> io::Result<Option<Arc<[u8]>>> {
        match self.files.get(path) {
            Some(bytes) => Ok(Some(Arc::clone(bytes))),
            None => self.below.read(path),
        }
    }
}

/// A directory on disk, without what git keeps in it.
#[derive(Debug, Clone)]
pub struct DirectoryTree {
    root: PathBuf,
}

impl DirectoryTree {
    /// The files below a directory.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Whether each part of a path is a plain name and no part of it is a link.
    fn is_plain(&self, path: &str) -> bool {
        let mut at = self.root.clone();
        path.split('/').all(|part| {
            at.push(part);
            !matches!(part, "" | "." | "..")
                && std::fs::symlink_metadata(&at).is_ok_and(|metadata| !metadata.file_type().is_symlink())
        })
    }
}

impl Tree for DirectoryTree {
    fn paths(&self) -> io::Result<Vec<String>> {
        let mut paths = Vec::new();
        collect(&self.root, "", &mut paths)?;
        paths.sort();
        Ok(paths)
    }

    fn read(&self, path: &str) -> io::Result<Option<Arc<[u8]>>> {
        let file = self.root.join(path);
        if !self.is_plain(path) || !std::fs::symlink_metadata(&file).is_ok_and(|metadata| metadata.is_file()) {
            return Ok(None);
        }
        std::fs::read(file).map(|bytes| Some(Arc::from(bytes)))
    }

    fn version(&self, path: &str) -> io::Result<Option<Version>> {
        let file = self.root.join(path);
        let metadata = std::fs::symlink_metadata(&file).ok().filter(|metadata| metadata.is_file());
        let Some(metadata) = metadata.filter(|_| self.is_plain(path)) else { return Ok(None) };
        let nanoseconds = |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
        Ok(Some(Version::Stat {
            size: metadata.size(),
            inode: metadata.ino(),
            modified: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            changed: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        }))
    }
}

/// The regular files below a directory, links not followed.
fn collect(directory: &Path, prefix: &str, paths: &mut Vec<String>) -> io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
        let kind = entry.file_type()?;
        if kind.is_dir() && name != ".git" {
            collect(&entry.path(), &path, paths)?;
        } else if kind.is_file() {
            paths.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_directory_has_its_regular_files_and_nothing_behind_links() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret"), "s").unwrap();
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("models/.git")).unwrap();
        std::fs::create_dir_all(root.path().join(".git")).unwrap();
        std::fs::write(root.path().join(".git/config"), "").unwrap();
        std::fs::write(root.path().join("models/a.sql"), "select 1").unwrap();
        std::os::unix::fs::symlink(outside.path(), root.path().join("out")).unwrap();
        std::os::unix::fs::symlink(outside.path().join("secret"), root.path().join("models/link.sql")).unwrap();
        let tree = DirectoryTree::new(root.path());
        assert_eq!(tree.paths().unwrap(), ["models/a.sql"]);
        assert_eq!(tree.read("models/a.sql").unwrap().as_deref(), Some(&b"select 1"[..]));
        for path in ["out/secret", "models/link.sql", "../secret", "models", "none", "", "models/../models/a.sql"] {
            assert_eq!(tree.read(path).unwrap(), None, "{path}");
        }
    }
}
