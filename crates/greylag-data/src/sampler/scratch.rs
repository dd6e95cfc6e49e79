//! A directory for what nobody needs afterwards.
//!
//! A process holds a lock on the directory that it made, for as long as it lives: the system lets go of it however the
//! process ends. So a directory whose lock is free belongs to nobody, and whoever comes next removes it.
//!
//! Between making a directory and locking it there is a moment in which another process may take it for abandoned. So the
//! maker looks again once it has the lock: if the directory is not there any more, it makes another.

use crate::io_error::io_error;
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// How often another name is tried.
const TRIES: u32 = 100;

/// A directory of this process's own, removed with everything in it when this is dropped.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    next: AtomicU64,
    /// Held for as long as the directory is in use.
    _lock: File,
}

impl Scratch {
    /// Makes a directory below `root`, whose name begins with `name`, and removes what dead processes have left there.
    pub fn create(root: &Path, name: &str) -> Result<Self, DriverError> {
        let failed = |error: &io::Error| io_error("create", root, error);
        DirBuilder::new().recursive(true).mode(0o700).create(root).map_err(|error| failed(&error))?;
        for left in abandoned(root)? {
            clear(&left)?;
        }
        for attempt in 0..TRIES {
            let path = root.join(if attempt == 0 { name.to_owned() } else { format!("{name}-{attempt}") });
            match DirBuilder::new().mode(0o700).create(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                made => made.map_err(|error| failed(&error))?,
            }
            if let Some(lock) = take(&path).map_err(|error| failed(&error))? {
                return Ok(Self { path, next: AtomicU64::new(0), _lock: lock });
            }
        }
        let words = format!("no directory of its own could be had below `{}`", root.display());
        Err(DriverError::transient(code::IO, words).hint("remove what is in it"))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A new directory in it, removed when the answer is dropped.
    pub fn room(&self) -> Result<Room, DriverError> {
        let path = self.path.join(self.next.fetch_add(1, Ordering::Relaxed).to_string());
        DirBuilder::new().mode(0o700).create(&path).map_err(|error| io_error("create", &path, &error))?;
        Ok(Room { path })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed now is abandoned once the lock is gone.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// A part of a scratch directory.
#[derive(Debug)]
pub struct Room {
    path: PathBuf,
}

impl Room {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// The directories below `root` that no living process holds.
pub fn abandoned(root: &Path) -> Result<Vec<PathBuf>, DriverError> {
    let failed = |error: &io::Error| io_error("list", root, error);
    let entries = match fs::read_dir(root) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|error| failed(&error))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| failed(&error))?.path();
        let directory = fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_dir());
        if directory && take(&path).map_err(|error| failed(&error))?.is_some() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Removes an abandoned directory; false if somebody holds it or it is gone.
pub fn clear(path: &Path) -> Result<bool, DriverError> {
    let failed = |error: &io::Error| io_error("remove", path, error);
    let Some(_lock) = take(path).map_err(|error| failed(&error))? else { return Ok(false) };
    fs::remove_dir_all(path).map_err(|error| failed(&error))?;
    Ok(true)
}

/// Locks a directory; `None` if somebody else holds it or it is gone.
pub(crate) fn take(path: &Path) -> io::Result<Option<File>> {
    let lock = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    match lock.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => return Ok(None),
        Err(fs::TryLockError::Error(error)) => return Err(error),
    }
    let held = lock.metadata()?;
    let there = fs::symlink_metadata(path).is_ok_and(|there| (there.dev(), there.ino()) == (held.dev(), held.ino()));
    Ok(there.then_some(lock))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::{Scratch, abandoned, clear};
    use std::fs;

    fn names(root: &std::path::Path) -> Vec<String> {
        let entries = fs::read_dir(root).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn the_living_keep_theirs_and_the_dead_are_cleared_away() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("scratch");
        assert_eq!(abandoned(&root).unwrap().len(), 0, "nothing is there yet");
        let first = Scratch::create(&root, "1").unwrap();
        let room = first.room().unwrap();
        fs::write(room.path().join("data"), "x").unwrap();
        fs::create_dir_all(root.join("dead/0")).unwrap();
        fs::write(root.join("dead/0/data"), "x").unwrap();
        assert_eq!(abandoned(&root).unwrap(), [root.join("dead")]);
        assert!(!clear(&root.join("1")).unwrap(), "somebody lives there");
        let second = Scratch::create(&root, "2").unwrap();
        let again = Scratch::create(&root, "2").unwrap();
        assert_eq!(names(&root), ["1", "2", "2-1"]);
        assert!(room.path().join("data").exists());
        drop((second, again));
        assert_eq!(names(&root), ["1"]);
        drop(room);
        assert_eq!(names(&root.join("1")), Vec::<String>::new());
        drop(first);
        assert_eq!(names(&root), Vec::<String>::new());
    }

    #[test]
    fn it_goes_with_what_is_in_it_even_in_a_panic() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().to_owned();
        let panicked = std::panic::catch_unwind(|| {
            let scratch = Scratch::create(&root, "1").unwrap();
            fs::write(scratch.room().unwrap().path().join("data"), "x").unwrap();
            panic!("half-way");
        });
        assert!(panicked.is_err());
        assert_eq!(names(&root), Vec::<String>::new());
    }
}
