//! The files of a commit.

use super::ahead::Ahead;
use super::batch::{Batch, Kind, Object};
use super::object::{ObjectId, damaged, missing};
use super::path::{LONGEST, is_plain};
use super::reference::check_branch;
use super::repository::Repository;
use crate::tree::{Memo, Mode, Tree, Version};
use greylag_driver::error::DriverError;
use greylag_model::code::repository as code;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// Folders that are asked for at a time.
const AT_ONCE: usize = 256;

/// A regular file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct File {
    pub(super) id: ObjectId,
    pub(super) executable: bool,
}

/// All that is in a commit.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Regular files by path.
    pub(super) files: BTreeMap<String, File>,
    /// Links and submodules by path: mode and id.
    pub(super) others: BTreeMap<String, (String, ObjectId)>,
    /// How many entries are in no tree because of their names, or because of what they are.
    pub(super) left_out: usize,
}

/// The regular files of a commit, read when they are asked for, by one process of git that lives as long as this and the trees
/// [beside](CommitTree::beside) it.
///
/// Links, submodules, and entries whose names are not plain (see [`super::path`]) are not in it.
pub struct CommitTree {
    repository: Repository,
    commit: ObjectId,
    listing: Listing,
    ahead: Arc<Mutex<Ahead>>,
    memo: Memo,
}

impl Repository {
    /// The files of a commit.
    pub fn tree(&self, commit: &ObjectId) -> Result<CommitTree, DriverError> {
        self.tree_by(Batch::start(self)?, commit.clone())
    }

    /// The files of the commit at which a branch is now; none if there is no such branch.
    pub fn branch_tree(&self, branch: &str) -> Result<Option<CommitTree>, DriverError> {
        check_branch(branch)?;
        let mut batch = Batch::start(self)?;
        let mut commit = None;
        batch.read(&[format!("refs/heads/{branch}^{{commit}}")], &mut |object| {
            commit = object.map(|object| object.id);
            Ok(())
        })?;
        commit.map(|commit| self.tree_by(batch, commit)).transpose()
    }

    fn tree_by(&self, mut batch: Batch, commit: ObjectId) -> Result<CommitTree, DriverError> {
        let listing = list(self, &mut batch, &commit)?;
        Ok(CommitTree {
            repository: self.clone(),
            commit,
            listing,
            ahead: Arc::new(Mutex::new(Ahead::new(batch))),
            memo: Memo::default(),
        })
    }
}

impl CommitTree {
    /// The commit.
    pub fn commit(&self) -> &ObjectId {
        &self.commit
    }

    /// The files of another commit of the repository, read by the same process: files that both have are read once.
    pub fn beside(&self, commit: &ObjectId) -> Result<Self, DriverError> {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        let listing = ahead.by(&self.repository, |batch| list(&self.repository, batch, commit))?;
        drop(ahead);
        Ok(Self {
            repository: self.repository.clone(),
            commit: commit.clone(),
            listing,
            ahead: Arc::clone(&self.ahead),
            memo: Memo::default(),
        })
    }

    /// How many links, submodules and entries with strange names are left out.
    pub fn left_out(&self) -> usize {
        self.listing.left_out
    }

    pub(super) fn listing(&self) -> &Listing {
        &self.listing
    }
}

impl Tree for CommitTree {
    fn paths(&self) -> io::Result<Vec<String>> {
        Ok(self.listing.files.keys().cloned().collect())
    }

    fn read(&self, path: &str) -> io::Result<Option<Arc<[u8]>>> {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        ahead.read(&self.repository, &self.listing, path).map_err(io::Error::other)
    }

    fn version(&self, path: &str) -> io::Result<Option<Version>> {
        Ok(self.listing.files.get(path).map(|file| Version::Blob(file.id.to_string())))
    }

    fn modes(&self) -> io::Result<BTreeMap<String, Mode>> {
        let run = self.listing.files.iter().filter(|(_, file)| file.executable);
        let run = run.map(|(path, _)| (path.clone(), Mode::Executable));
        let others = self.listing.others.iter().map(|(path, (mode, id))| {
            let what = if mode == "120000" { "a link" } else { "no file" };
            (path.clone(), Mode::Other(format!("{what} (mode {mode}, object {id})")))
        });
        Ok(run.chain(others).collect())
    }

    fn memo(&self) -> Option<&Memo> {
        Some(&self.memo)
    }
}

/// Lists a commit, level by level.
fn list(repository: &Repository, batch: &mut Batch, commit: &ObjectId) -> Result<Listing, DriverError> {
    let limits = repository.git.limits();
    let root = batch.one(&format!("{commit}^{{tree}}")).map_err(|_| missing(&format!("commit `{commit}`")))?;
    let mut walk = Walk { listing: Listing::default(), left: limits.entries, folders: Vec::new() };
    walk.take("", &root)?;
    for _ in 0..limits.depth {
        let level = std::mem::take(&mut walk.folders);
        if level.is_empty() {
            return Ok(walk.listing);
        }
        for part in level.chunks(AT_ONCE) {
            let names: Vec<String> = part.iter().map(|(_, id)| id.as_str().to_owned()).collect();
            let mut folders = part.iter();
            batch.read(&names, &mut |object| {
                let path = folders.next().map(|(path, _)| path.as_str()).unwrap_or_default();
                let object = object.ok_or_else(|| missing(&format!("folder `{}`", path.escape_debug())))?;
                walk.take(path, &object)
            })?;
        }
    }
    if walk.folders.is_empty() { Ok(walk.listing) } else { Err(beyond(&format!("{} folders deep", limits.depth))) }
}

struct Walk {
    listing: Listing,
    left: usize,
    /// Those that are still to be looked at.
    folders: Vec<(String, ObjectId)>,
}

impl Walk {
    /// Takes the entries of the folder at a path.
    fn take(&mut self, folder: &str, object: &Object) -> Result<(), DriverError> {
        if object.kind != Kind::Tree {
            return Err(damaged(&format!("`{}` is no folder", object.id)));
        }
        let digest = object.id.as_str().len() / 2;
        let mut rest = object.bytes.as_slice();
        while !rest.is_empty() {
            let ((mode, name, id), after) = entry(rest, digest).ok_or_else(|| damaged("a folder cannot be read"))?;
            rest = after;
            self.left = self.left.checked_sub(1).ok_or_else(|| beyond("too many files"))?;
            match std::str::from_utf8(name) {
                Ok(text) if is_plain(name) && folder.len() + text.len() < LONGEST => {
                    let path = if folder.is_empty() { text.to_owned() } else { format!("{folder}/{text}") };
                    self.enter(mode, path, id);
                }
                _ => self.listing.left_out += 1,
            }
        }
        Ok(())
    }

    fn enter(&mut self, mode: &[u8], path: String, id: ObjectId) {
        match mode {
            b"40000" | b"040000" => self.folders.push((path, id)),
            b"100644" | b"100755" | b"100664" => {
                self.listing.files.insert(path, File { id, executable: mode == b"100755" });
            }
            _ => {
                self.listing.left_out += 1;
                let mode = String::from_utf8_lossy(mode).into_owned();
                self.listing.others.insert(path, (mode, id));
            }
        }
    }
}

/// Mode, name and id.
type Entry<'a> = (&'a [u8], &'a [u8], ObjectId);

/// An entry, and what follows it.
fn entry(bytes: &[u8], digest: usize) -> Option<(Entry<'_>, &[u8])> {
    let space = bytes.iter().position(|byte| *byte == b' ')?;
    let end = bytes.iter().position(|byte| *byte == 0).filter(|end| *end > space)?;
    let id = bytes.get(end + 1..end + 1 + digest)?;
    Some(((bytes.get(..space)?, bytes.get(space + 1..end)?, ObjectId::of(id)), bytes.get(end + 1 + digest..)?))
}

fn beyond(what: &str) -> DriverError {
    DriverError::permanent(code::GIT_LIMIT, format!("the repository goes beyond a limit: {what}"))
}
