//! Durable changes of a directory tree: what survives a power cut, and in which order.
//!
//! # The promise of a file system, as far as it is relied on here
//!
//! - A file's bytes, mode and owner are on disk once `fsync` of the *file* has returned; its name is once `fsync` of
//!   the *directory* that holds it has. Before that any subset of the changes may be there after a power cut, a name
//!   without its bytes included.
//! - A rename is atomic: the old name or the new one, never both or neither; which of them is decided when the
//!   directory of the new name is on disk.
//!
//! # Order
//!
//! [`settle`] puts a staged tree on disk: files first, then directories from the leaves up, then the directory that
//! holds the tree. It runs before a step says that it is done, so that what the journal calls done is there after a
//! power cut. [`appear`] then makes the tree visible under its name by one rename, which never replaces anything, and
//! puts the rename on disk. So a target is absent or whole at every instant, for readers and after a power cut.
//!
//! Every change goes through [`Disk`]: the tests' double forgets what was not synced.

use rustix::fs::{CWD, RenameFlags};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The changes that the data plane makes to a file system outside reader processes.
pub trait Disk: Send + Sync {
    /// Creates a directory; fails if something is there.
    fn create_dir(&self, path: &Path, mode: u32) -> io::Result<()>;
    /// Creates a file that must not be there, with these bytes.
    fn write_new(&self, path: &Path, bytes: &[u8], mode: u32) -> io::Result<()>;
    /// Renames; fails with [`io::ErrorKind::AlreadyExists`] if something is at `to`.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Renames over what is at `to`, if anything.
    fn replace(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Exchanges what is at two paths, at once: at every instant each of the two is at one of them.
    fn exchange(&self, left: &Path, right: &Path) -> io::Result<()>;
    /// Gives a file a second name; fails with [`io::ErrorKind::AlreadyExists`] if something is there.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Waits until the file or directory at `path` is on disk.
    fn sync(&self, path: &Path) -> io::Result<()>;
    /// Sets mode and, if given, user and group.
    fn set_access(&self, path: &Path, mode: u32, owner: Option<(u32, u32)>) -> io::Result<()>;
    /// Removes a file.
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    /// Removes an empty directory.
    fn remove_dir(&self, path: &Path) -> io::Result<()>;
}

/// The machine's file systems.
#[derive(Clone, Copy, Debug, Default)]
pub struct LocalDisk;

impl Disk for LocalDisk {
    fn create_dir(&self, path: &Path, mode: u32) -> io::Result<()> {
        fs::DirBuilder::new().mode(mode).create(path)
    }

    fn write_new(&self, path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
        OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?.write_all(bytes)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            // A file system without the flag (old NFS and FUSE): a look before the leap is the best there is. Targets of
            // Greylag's own are fenced by their leases; only a stranger could come between.
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
                if fs::symlink_metadata(to).is_ok() {
                    return Err(io::ErrorKind::AlreadyExists.into());
                }
                fs::rename(from, to)
            }
            outcome => Ok(outcome?),
        }
    }

    fn replace(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn exchange(&self, left: &Path, right: &Path) -> io::Result<()> {
        match rustix::fs::renameat_with(CWD, left, CWD, right, RenameFlags::EXCHANGE) {
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "this file system cannot exchange two directories at once (`renameat2` with `RENAME_EXCHANGE`)",
            )),
            outcome => Ok(outcome?),
        }
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(from, to)
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn set_access(&self, path: &Path, mode: u32, owner: Option<(u32, u32)>) -> io::Result<()> {
        if let Some((user, group)) = owner {
            std::os::unix::fs::lchown(path, Some(user), Some(group))?;
        }
        // After the owner: changing the owner clears the set-id bits.
        fs::set_permissions(path, fs::Permissions::from_mode(mode))
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path)
    }
}

/// What names a file or directory beyond its path, and tells whether it was written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Identity {
    /// Device number.
    pub device: u64,
    /// Inode number.
    pub inode: u64,
    /// Bytes; 0 for a directory.
    pub size: u64,
    /// Nanoseconds since the epoch of the last change of the contents; 0 for a directory.
    pub modified: i64,
}

impl Identity {
    /// Of what is at `path` itself (links are not followed); `None` if nothing is.
    pub fn probe(path: &Path) -> io::Result<Option<Self>> {
        match fs::symlink_metadata(path) {
            Ok(metadata) => Ok(Some(Self::of(&metadata))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// From metadata.
    pub fn of(metadata: &fs::Metadata) -> Self {
        let contents = metadata.is_file();
        let modified = metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec());
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: if contents { metadata.len() } else { 0 },
            modified: if contents { modified } else { 0 },
        }
    }

    /// Whether both name the same file or directory, whatever it holds now.
    pub fn same_place(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }
}

/// Everything below and including `root`, parents before children; links are listed, not followed.
pub fn walk(root: &Path) -> io::Result<Vec<(PathBuf, fs::Metadata)>> {
    let mut found = vec![(root.to_owned(), fs::symlink_metadata(root)?)];
    let mut next = 0;
    while let Some((path, metadata)) = found.get(next) {
        if metadata.is_dir() {
            let mut children = Vec::new();
            for entry in fs::read_dir(path)? {
                let entry = entry?;
                children.push((entry.path(), entry.metadata()?));
            }
            found.extend(children);
        }
        next += 1;
    }
    Ok(found)
}

/// Puts a tree, and its name in its parent directory, on disk.
pub fn settle(disk: &dyn Disk, root: &Path) -> io::Result<()> {
    let found = walk(root)?;
    for (path, _) in found.iter().filter(|(_, metadata)| metadata.is_file()) {
        disk.sync(path)?;
    }
    for (path, _) in found.iter().rev().filter(|(_, metadata)| metadata.is_dir()) {
        disk.sync(path)?;
    }
    disk.sync(parent(root))
}

/// Renames a settled tree to a name that must be free, and puts that on disk. `shell` is the directory that held the
/// tree, a sibling of the new name: it goes before the one sync that settles both.
pub fn appear(disk: &dyn Disk, from: &Path, to: &Path, shell: Option<&Path>) -> io::Result<()> {
    disk.rename(from, to)?;
    if let Some(shell) = shell {
        remove(disk, shell)?;
    }
    disk.sync(parent(to))
}

/// Writes a small file so that `path` holds its old bytes or the new ones at every instant; `hidden` is a free name in
/// the same directory.
pub fn write_whole(disk: &dyn Disk, hidden: &Path, path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    remove(disk, hidden)?;
    disk.write_new(hidden, bytes, mode)?;
    disk.sync(hidden)?;
    disk.replace(hidden, path)?;
    disk.sync(parent(path))
}

/// Lets the owner look into the directories below and including `root` and change what they hold, whatever modes they have.
pub fn open_up(disk: &dyn Disk, root: &Path) -> io::Result<()> {
    let mut left = vec![root.to_owned()];
    while let Some(path) = left.pop() {
        let mode = fs::symlink_metadata(&path)?.mode() & 0o7777;
        if mode & 0o700 != 0o700 {
            disk.set_access(&path, mode | 0o700, None)?;
        }
        for entry in fs::read_dir(&path)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                left.push(entry.path());
            }
        }
    }
    Ok(())
}

/// Removes whatever is at `path`, a whole tree if need be; nothing there is fine.
pub fn remove(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir()) {
        open_up(disk, path)?;
    }
    let found = match walk(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found?,
    };
    for (path, metadata) in found.iter().rev() {
        let removed = if metadata.is_dir() { disk.remove_dir(path) } else { disk.remove_file(path) };
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// The directory that holds `path`.
pub fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::{Disk, Identity, LocalDisk, appear, remove, settle, walk, write_whole};
    use std::fs;
    use std::io::ErrorKind;

    #[test]
    fn a_target_that_exists_is_never_replaced() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        fs::write(at("staged"), "new").unwrap();
        fs::write(at("target"), "old").unwrap();
        assert_eq!(
            appear(&LocalDisk, &at("staged"), &at("target"), None).unwrap_err().kind(),
            ErrorKind::AlreadyExists
        );
        assert_eq!(fs::read(at("target")).unwrap(), b"old");
        fs::create_dir(at("staged-directory")).unwrap();
        fs::create_dir(at("empty")).unwrap();
        let refused = LocalDisk.rename(&at("staged-directory"), &at("empty")).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AlreadyExists, "not even an empty directory");
    }

    #[test]
    fn identity_survives_a_rename_and_tells_a_write() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        fs::write(at("staged"), "bytes").unwrap();
        let before = Identity::probe(&at("staged")).unwrap().unwrap();
        settle(&LocalDisk, &at("staged")).unwrap();
        appear(&LocalDisk, &at("staged"), &at("target"), None).unwrap();
        assert_eq!(Identity::probe(&at("target")).unwrap(), Some(before));
        assert_eq!(Identity::probe(&at("staged")).unwrap(), None);
        fs::write(at("target"), "other bytes").unwrap();
        let after = Identity::probe(&at("target")).unwrap().unwrap();
        assert!(after != before && after.same_place(&before));
    }

    #[test]
    fn links_are_removed_and_what_they_point_to_stays() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        fs::create_dir_all(at("tree/inner")).unwrap();
        fs::write(at("kept"), "kept").unwrap();
        std::os::unix::fs::symlink(at("kept"), at("tree/inner/link")).unwrap();
        std::os::unix::fs::symlink(home.path(), at("tree/around")).unwrap();
        assert_eq!(walk(&at("tree")).unwrap().len(), 4);
        remove(&LocalDisk, &at("tree")).unwrap();
        remove(&LocalDisk, &at("tree")).unwrap();
        assert_eq!(fs::read(at("kept")).unwrap(), b"kept");
        assert!(!at("tree").exists());
    }

    #[test]
    fn a_small_file_is_written_whole_over_leftovers() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        fs::write(at(".hidden"), "of an earlier attempt").unwrap();
        for bytes in ["one", "two"] {
            write_whole(&LocalDisk, &at(".hidden"), &at("view.sql"), bytes.as_bytes(), 0o644).unwrap();
            assert_eq!(fs::read_to_string(at("view.sql")).unwrap(), bytes);
        }
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }
}
