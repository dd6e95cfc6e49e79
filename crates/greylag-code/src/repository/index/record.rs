//! A tree that notes what is read of it.

use super::kept::{Content, Input, hash_of, hash_of_list};
use super::settled;
use crate::tree::{Tree, Version};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// A tree and the paths that were read of it.
pub(super) struct Recorded<'a> {
    below: &'a dyn Tree,
    read: Mutex<BTreeMap<String, Option<Content>>>,
    /// Folders whose files were listed, with the hash of their list.
    installed: Mutex<BTreeMap<String, String>>,
}

impl<'a> Recorded<'a> {
    pub(super) fn new(below: &'a dyn Tree) -> Self {
        Self { below, read: Mutex::default(), installed: Mutex::default() }
    }

    /// The folders of installed packages, each with the hash of its list of files.
    pub(super) fn installed(&self) -> BTreeMap<String, String> {
        self.installed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was read.
    pub(super) fn inputs(self, begun: i64) -> io::Result<Vec<Input>> {
        let read = self.read.into_inner().unwrap_or_else(PoisonError::into_inner);
        let inputs = read.into_iter().map(|(path, content)| {
            let content = content.map(|content| Content { version: settled(content.version, begun), ..content });
            Input { path, content }
        });
        Ok(inputs.collect())
    }
}

impl Tree for Recorded<'_> {
    fn paths(&self) -> io::Result<Vec<String>> {
        self.below.paths()
    }

    fn read(&self, path: &str) -> io::Result<Option<Arc<[u8]>>> {
        // The version comes first: what is written between the two is seen as another one.
        let version = self.below.version(path)?;
        let bytes = self.below.read(path)?;
        let content = bytes.as_ref().map(|bytes| {
            let hash = if matches!(version, Some(Version::Blob(_))) { None } else { Some(hash_of(bytes)) };
            Content { version, hash }
        });
        self.read.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), content);
        Ok(bytes)
    }

    fn installed(&self, folder: &str) -> io::Result<Vec<String>> {
        let paths = self.below.installed(folder)?;
        self.installed.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.to_owned(), hash_of_list(&paths));
        Ok(paths)
    }

    fn version(&self, path: &str) -> io::Result<Option<Version>> {
        self.below.version(path)
    }
}
