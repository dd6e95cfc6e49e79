//! The files of a repository as they are in one version of it.
//!
//! Paths are relative, with `/` between their parts, and in order. Whatever is no regular file (a link, a submodule, a
//! device) is not in a tree, so no reader can be led out of it.

mod directory;
mod ignored;
mod index;

pub use directory::{DirectoryTree, LeftOut};

use serde::{Deserialize, Serialize};
use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// A version of a repository's files.
pub trait Tree: Send + Sync {
    /// The paths of all regular files, in order.
    fn paths(&self) -> io::Result<Vec<String>>;
    /// The bytes of a file; `None` if there is none at this path.
    fn read(&self, path: &str) -> io::Result<Option<Arc<[u8]>>>;
    /// The paths of all regular files below a folder, in order, and those that lie there without being in the tree: what was installed
    /// into a work tree that git ignores. [`Tree::read`] reads them, too.
    fn installed(&self, folder: &str) -> io::Result<Vec<String>> {
        let is_below = |path: &String| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        Ok(self.paths()?.into_iter().filter(is_below).collect())
    }
    /// What tells the content of a file from others without its bytes being read; `None` if there is no file, or nothing does.
    fn version(&self, path: &str) -> io::Result<Option<Version>> {
        let _ = path;
        Ok(None)
    }
    /// What is at paths besides the bytes of files. A tree that has nothing but bytes has none.
    fn modes(&self) -> io::Result<BTreeMap<String, Mode>> {
        Ok(BTreeMap::new())
    }
    /// What was made of this very tree is kept here; a tree that may change, or that is told what is read of it, has none.
    fn memo(&self) -> Option<&Memo> {
        None
    }
}

/// What was made of a tree that never changes, so that it is made once, whoever asks for it.
#[derive(Default)]
pub struct Memo(Mutex<HashMap<String, Arc<dyn Any + Send + Sync>>>);

impl fmt::Debug for Memo {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Memo")
    }
}

impl Memo {
    /// What is kept under a key, or what `make` makes, which is kept from then on. Two who ask at once may both make it.
    pub(crate) fn of<T: Send + Sync + 'static>(
        &self,
        key: &str,
        make: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<Arc<T>> {
        let kept = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept().get(key).and_then(|known| Arc::clone(known).downcast().ok()) {
            return Ok(known);
        }
        let made = Arc::new(make()?);
        kept().insert(key.to_owned(), Arc::clone(&made) as Arc<dyn Any + Send + Sync>);
        Ok(made)
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

/// What is at a path besides the bytes of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The file may be run.
    Executable,
    /// It is no file (a link, a submodule): words that two trees of one kind have the same of only if it is the same.
    Other(String),
}

impl fmt::Display for Mode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Executable => out.write_str("a file that may be run"),
            Self::Other(words) => out.write_str(words),
        }
    }
}

/// A tree in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryTree {
    files: BTreeMap<String, Arc<[u8]>>,
    modes: BTreeMap<String, Mode>,
}

impl MemoryTree {
    /// A tree of paths and texts.
    pub fn new<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self::of(files.into_iter().map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())))
    }

    /// A tree of paths and bytes.
    pub fn of(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        let files = files.into_iter().map(|(path, bytes)| (path, Arc::from(bytes))).collect();
        Self { files, modes: BTreeMap::new() }
    }

    /// The same, with something at a path.
    pub fn with_mode(mut self, path: &str, mode: Mode) -> Self {
        self.modes.insert(path.to_owned(), mode);
        self
    }
}

impl Tree for MemoryTree {
    fn paths(&self) -> io::Result<Vec<String>> {
        Ok(self.files.keys().cloned().collect())
    }

    fn read(&self, path: &str) -> io::Result<Option<Arc<[u8]>>> {
        Ok(self.files.get(path).cloned())
    }

    fn modes(&self) -> io::Result<BTreeMap<String, Mode>> {
        Ok(self.modes.clone())
    }
}

/// A tree with other texts in the place of some of its files, and without others.
pub struct Overlay<'a> {
    below: &'a dyn Tree,
    files: BTreeMap<String, Option<Arc<[u8]>>>,
}

impl<'a> Overlay<'a> {
    /// A tree as it is.
    pub fn new(below: &'a dyn Tree) -> Self {
        Self { below, files: BTreeMap::new() }
    }

    /// Puts a text in the place of a file.
    pub fn put(&mut self, path: &str, text: String) {
        self.files.insert(path.to_owned(), Some(Arc::from(text.into_bytes())));
    }

    /// Takes a file away.
    pub fn remove(&mut self, path: &str) {
        self.files.insert(path.to_owned(), None);
    }
}

impl Tree for Overlay<'_> {
    fn paths(&self) -> io::Result<Vec<String>> {
        let mut paths = self.below.paths()?;
        paths.retain(|path| !self.files.contains_key(path));
        paths.extend(self.files.iter().filter(|(_, bytes)| bytes.is_some()).map(|(path, _)| path.clone()));
        paths.sort();
        paths.dedup();
        Ok(paths)
    }

    fn read(&self, path: &str) -> io::Result<Option<Arc<[u8]>>> {
        match self.files.get(path) {
            Some(bytes) => Ok(bytes.clone()),
            None => self.below.read(path),
        }
    }

    fn installed(&self, folder: &str) -> io::Result<Vec<String>> {
        // Nobody puts texts in the place of what is not in the tree.
        let mut paths = self.below.installed(folder)?;
        paths.retain(|path| !self.files.contains_key(path));
        let is_below = |path: &str| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        paths.extend(
            self.files.iter().filter(|(path, bytes)| bytes.is_some() && is_below(path)).map(|(path, _)| path.clone()),
        );
        paths.sort();
        Ok(paths)
    }

    fn modes(&self) -> io::Result<BTreeMap<String, Mode>> {
        self.below.modes()
    }
}
