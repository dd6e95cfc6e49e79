//! Staging directories: where an attempt builds a target before anybody can see it.
//!
//! A staging directory is a hidden sibling of the target, so that publishing is a rename on one file system. Its name
//! is made from the target, the run, the task and the *epoch* of the attempt's lease:
//!
//! ```text
//! /data/users_v2                                          the target
//! /data/.users_v2.greylag-users-v2-7k3f-users_v2.e3       its staging directory under the third lease
//!    data                                                 what will be renamed to the target: a file or a directory
//!    parts/                                               pieces of a single file that is put together at the end
//!    rejected/                                            rejected rows, a file per chunk
//! ```
//!
//! An increment that replaced a generation leaves beside the target, without an epoch, what it may have to bring back:
//! `.users_v2.greylag-users-v2-7k3f-users_v2.before`.
//!
//! A single file that one chunk makes needs no directory: then the staging *file* stands under that name itself, made
//! empty by the attempt and filled by its reader, which opens what is there and makes nothing. Whatever is said here
//! of the directory holds for it. Which of the two it is is seen on disk.
//!
//! # Fencing
//!
//! An attempt begins by claiming: it renames the directory of the newest older epoch to its own name. From then on
//! every path that an attempt with an older lease holds leads nowhere, so that a zombie (a process that was stopped,
//! lost its lease and woke up) gets "no such file" where it would create, rename or remove something. What a zombie
//! holds *open* it can still write to: so the claimant removes every file that the ledger does not call finished, and the
//! zombie writes to nameless inodes. Finished files are closed, and nobody opens them for writing again.
//!
//! # Dying half-way
//!
//! At every instant the directory exists under exactly one name (a rename is atomic), or not at all yet. Claiming
//! probes downwards from its own epoch, which is one call when the last attempt was the last lease, and looks into the
//! parent only when many leases came to nothing. Names are not synced here: whether a power cut keeps the older or the
//! newer name does not matter, and contents are settled before a step is done (see [`crate::durable`]). A power cut may
//! take a staging file's name, too: a later step that finds it gone after a restart of the machine sends the task back to
//! its backfill ([`greylag_model::code::data::POWER_CUT`]). That spares every small dataset a wait for its directory.

use crate::durable::{Disk, parent, remove, walk};
use greylag_model::id::{RunId, TaskId};
use std::collections::HashSet;
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::xxh3_128;

/// Longest file name that the usual file systems take, in bytes.
const NAME_MAX: usize = 255;
/// Epochs tried one by one before the parent directory is read.
const NEAR: u64 = 16;

/// The file name that a path has, or that what is staged there will have: it tells the format.
pub(crate) fn target_name(path: &Path) -> &str {
    fn name(path: &Path) -> &str {
        path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }
    let own = name(path);
    let staged = if own == "data" { path.parent().map(name).unwrap_or_default() } else { own };
    staged.strip_prefix('.').and_then(|rest| rest.rsplit_once(".greylag-")).map_or(own, |(target, _)| target)
}

/// The staging directory of one attempt. Making this value touches nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staging {
    parent: PathBuf,
    stem: OsString,
    epoch: u64,
}

/// What claiming found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Nothing: an empty directory was made.
    Fresh,
    /// The directory of this attempt's own or an older epoch.
    Taken,
}

impl Staging {
    /// The staging directory for `target` in an attempt with the fencing token `epoch`.
    pub fn new(target: &Path, run: &RunId, task: &TaskId, epoch: u64) -> Self {
        let name = target.file_name().unwrap_or_default();
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        let whole = {
            let mut whole = OsString::from(".");
            whole.push(name);
            whole.push(format!(".greylag-{run}-{task}.e"));
            whole
        };
        let fits = whole.len() + 20 <= NAME_MAX;
        let stem = if fits && plain(run.as_str()) && plain(task.as_str()) {
            whole
        } else {
            let digest = xxh3_128(whole.as_bytes());
            OsString::from(format!(".greylag-{digest:032x}.e"))
        };
        Self { parent: parent(target).to_owned(), stem, epoch }
    }

    /// The directory.
    pub fn path(&self) -> PathBuf {
        self.of_epoch(self.epoch)
    }

    /// What will be renamed to the target: the staging file itself, if it is one.
    pub fn data(&self) -> PathBuf {
        let path = self.path();
        if is_file(&path) { path } else { path.join("data") }
    }

    /// The directory that goes once its data is published; none around a staging file.
    pub fn shell(&self) -> Option<PathBuf> {
        Some(self.path()).filter(|path| !is_file(path))
    }

    /// What an increment keeps of the generation before its own, for the way back.
    pub fn before(&self) -> PathBuf {
        let stem = self.stem.as_bytes();
        let mut name = OsString::from_vec(stem.strip_suffix(b"e").unwrap_or(stem).to_vec());
        name.push("before");
        self.parent.join(name)
    }

    /// Pieces of a single file.
    pub fn parts(&self) -> PathBuf {
        self.path().join("parts")
    }

    /// Rejected rows.
    pub fn rejected(&self) -> PathBuf {
        self.path().join("rejected")
    }

    fn of_epoch(&self, epoch: u64) -> PathBuf {
        let mut name = self.stem.clone();
        name.push(epoch.to_string());
        self.parent.join(name)
    }

    /// Makes the directory this attempt's own, or a new one if there is none yet.
    pub fn claim(&self, disk: &dyn Disk) -> io::Result<Claim> {
        if self.take(disk)? {
            if !is_file(&self.path()) {
                return Ok(Claim::Taken);
            }
            disk.remove_file(&self.path())?;
        }
        match disk.create_dir(&self.path(), 0o700) {
            Ok(()) => Ok(Claim::Fresh),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Claim::Taken),
            Err(error) => Err(error),
        }
    }

    /// Makes an empty staging file that is this attempt's own. What was there goes: who still has it open writes to an
    /// inode without a name.
    pub fn claim_file(&self, disk: &dyn Disk) -> io::Result<()> {
        if self.take(disk)? {
            remove(disk, &self.path())?;
        }
        match disk.write_new(&self.path(), &[], 0o600) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                remove(disk, &self.path())?;
                disk.write_new(&self.path(), &[], 0o600)
            }
            made => made,
        }
    }

    /// Makes the directory this attempt's own if there is one.
    pub fn take(&self, disk: &dyn Disk) -> io::Result<bool> {
        let own = self.path();
        let lowest = self.epoch.saturating_sub(NEAR);
        for older in (lowest..self.epoch).rev() {
            match disk.rename(&self.of_epoch(older), &own) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(true),
                outcome => return outcome.map(|()| true),
            }
        }
        if std::fs::symlink_metadata(&own).is_ok() {
            return Ok(true);
        }
        if lowest == 0 {
            return Ok(false);
        }
        match self.epochs()?.into_iter().filter(|epoch| *epoch < lowest).max() {
            Some(older) => disk.rename(&self.of_epoch(older), &own).map(|()| true),
            None => Ok(false),
        }
    }

    /// Epochs of which there is a directory, from a look into the parent.
    fn epochs(&self) -> io::Result<Vec<u64>> {
        let mut epochs = Vec::new();
        for entry in std::fs::read_dir(&self.parent)? {
            let name = entry?.file_name();
            let epoch = name.as_bytes().strip_prefix(self.stem.as_bytes());
            let epoch = epoch.and_then(|digits| std::str::from_utf8(digits).ok());
            epochs.extend(epoch.and_then(|digits| digits.parse::<u64>().ok()));
        }
        Ok(epochs)
    }

    /// Removes what lies in the directory, except the files in `keep` and the directories that lead to them.
    pub fn tidy(&self, disk: &dyn Disk, keep: &HashSet<PathBuf>) -> io::Result<()> {
        let root = self.path();
        if is_file(&root) {
            return if keep.is_empty() { disk.remove_file(&root) } else { Ok(()) };
        }
        let mut needed: HashSet<&Path> = HashSet::from([root.as_path()]);
        for path in keep {
            needed.extend(path.ancestors().take_while(|ancestor| *ancestor != root));
        }
        for (path, metadata) in walk(&root)?.iter().rev() {
            match (needed.contains(path.as_path()), metadata.is_dir()) {
                (true, _) => {}
                (false, true) => disk.remove_dir(path)?,
                (false, false) => disk.remove_file(path)?,
            }
        }
        Ok(())
    }

    /// Removes this attempt's directory, which it has claimed.
    pub fn remove(&self, disk: &dyn Disk) -> io::Result<()> {
        remove(disk, &self.path())
    }

    /// The directories of this and all older epochs that are there.
    pub fn left(&self) -> io::Result<Vec<PathBuf>> {
        match self.epochs() {
            Ok(epochs) => {
                Ok(epochs.into_iter().filter(|epoch| *epoch <= self.epoch).map(|epoch| self.of_epoch(epoch)).collect())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// What the newest attempt of a task has staged, if there is anything.
    pub fn newest(target: &Path, run: &RunId, task: &TaskId) -> io::Result<Option<PathBuf>> {
        let any = Self::new(target, run, task, u64::MAX);
        let epochs = match any.epochs() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            epochs => epochs?,
        };
        let newest = epochs.into_iter().max().map(|epoch| Self { epoch, ..any }.data());
        Ok(newest.filter(|data| data.exists()))
    }

    /// Removes the directories of this and all older epochs: the end of an undo. Newer ones are a later lease's.
    pub fn remove_all(&self, disk: &dyn Disk) -> io::Result<()> {
        self.left()?.iter().try_for_each(|path| remove(disk, path))
    }
}

fn is_file(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::{Claim, Staging};
    use crate::durable::LocalDisk;
    use greylag_model::id::{RunId, TaskId};
    use std::fs;
    use std::path::Path;

    fn staging(home: &Path, epoch: u64) -> Staging {
        Staging::new(&home.join("users_v2"), &RunId::new("run-1"), &TaskId::new("users_v2"), epoch)
    }

    #[test]
    fn a_newer_attempt_takes_the_directory_and_the_zombie_is_locked_out() {
        let home = tempfile::tempdir().unwrap();
        let (old, new) = (staging(home.path(), 3), staging(home.path(), 5));
        assert_eq!(old.claim(&LocalDisk).unwrap(), Claim::Fresh);
        fs::write(old.data(), "finished").unwrap();
        assert_eq!(new.claim(&LocalDisk).unwrap(), Claim::Taken);
        assert_eq!(new.claim(&LocalDisk).unwrap(), Claim::Taken, "claiming twice is claiming once");
        assert_eq!(fs::read_to_string(new.data()).unwrap(), "finished");
        assert_eq!(fs::write(old.data(), "zombie").unwrap_err().kind(), std::io::ErrorKind::NotFound);
        assert_eq!(new.path().file_name().unwrap(), ".users_v2.greylag-run-1-users_v2.e5");
    }

    #[test]
    fn an_attempt_after_many_leases_still_finds_it() {
        let home = tempfile::tempdir().unwrap();
        staging(home.path(), 2).claim(&LocalDisk).unwrap();
        assert_eq!(staging(home.path(), 1_000_000).claim(&LocalDisk).unwrap(), Claim::Taken);
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }

    #[test]
    fn tidying_keeps_what_the_ledger_knows() {
        let home = tempfile::tempdir().unwrap();
        let staging = staging(home.path(), 1);
        staging.claim(&LocalDisk).unwrap();
        fs::create_dir_all(staging.data().join("day=1")).unwrap();
        fs::create_dir_all(staging.data().join("day=2")).unwrap();
        let kept = staging.data().join("day=1/part-00000.parquet");
        for path in [&kept, &staging.data().join("day=1/part-00001.parquet"), &staging.data().join("day=2/torn")] {
            fs::write(path, "").unwrap();
        }
        staging.tidy(&LocalDisk, &[kept.clone()].into()).unwrap();
        let left: Vec<_> = crate::durable::walk(&staging.path()).unwrap().into_iter().map(|(path, _)| path).collect();
        assert_eq!(left, [staging.path(), staging.data(), staging.data().join("day=1"), kept]);
        staging.remove_all(&LocalDisk).unwrap();
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    }

    #[test]
    fn names_that_do_not_fit_are_hashed_and_stay_apart() {
        let long = "x".repeat(250);
        let of = |task: &str| {
            Staging::new(Path::new("/data").join(&long).as_path(), &RunId::new("r"), &TaskId::new(task), 7)
        };
        let names = [of("a"), of("b"), of("finance/orders")].map(|staging| staging.path());
        assert!(
            names
                .iter()
                .all(|name| name.file_name().unwrap().len() <= 255 && name.parent() == Some(Path::new("/data")))
        );
        assert!(names[0] != names[1] && names[1] != names[2]);
    }
}
