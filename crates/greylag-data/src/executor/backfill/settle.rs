//! Putting on disk what a backfill has converted.
//!
//! A unit counts when its files are on disk and the ledger says so. An increment has a unit for each source file, and waiting
//! for the disk for each of thousands of small files would take longer than converting them. So units are gathered until they
//! have the size of a chunk, or the first of them has waited for [`GATHER_MILLIS`]; then their files are put on disk, several
//! at a time, then the directories that lead to them, then all their entries are written down at once. What a crash redoes is
//! what was in flight: being converted, or gathered.
//!
//! Files have the access that they keep before they are put on disk, so that in the end only directories are left to do.

use super::{Finished, Run};
use crate::convert::{ConvertReply, WrittenFile};
use crate::durable::{Identity, parent, walk};
use crate::executor::dataset::{Access, Manners, manners};
use crate::executor::{OnPath, output};
use crate::units::{Unit, in_parallel};
use greylag_driver::error::DriverError;
use greylag_model::dataset::Shape;
use greylag_model::id::Timestamp;
use std::collections::{BTreeSet, HashSet};
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// So long a unit that is converted may wait for others to be settled with.
const GATHER_MILLIS: i64 = 2_000;
/// Files that are put on disk at once, if there are many.
const SYNCED_AT_ONCE: usize = 8;

/// Units that are converted and not settled yet.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) units: Vec<(String, ConvertReply)>,
    bytes: u64,
    since: Timestamp,
}

impl Run<'_> {
    /// Puts a unit to those that wait, and answers all of them once they are to be settled.
    pub(super) fn gather(&self, gathered: &Mutex<Gathered>, unit: &Unit, reply: &ConvertReply) -> Option<Gathered> {
        let now = self.job.context.now();
        let mut all = gathered.lock().unwrap_or_else(PoisonError::into_inner);
        if all.units.is_empty() {
            all.since = now;
        }
        all.units.push((unit.key.clone(), reply.clone()));
        all.bytes += unit.bytes();
        let full = all.bytes >= self.job.plane.options.chunk_bytes || now.millis_since(all.since) >= GATHER_MILLIS;
        full.then(|| std::mem::take(&mut *all))
    }

    /// Puts units on disk and writes them down.
    pub(super) fn settle_units(&self, units: &[(String, ConvertReply)], source: &str) -> Result<(), DriverError> {
        if units.is_empty() {
            return Ok(());
        }
        self.settle_files(units)?;
        let entry = |(key, reply): &(String, ConvertReply)| {
            let piece = self.choice.as_ref().and_then(|choice| choice.piece(key));
            let time = |file: &WrittenFile| {
                let path = self.written_path(key, file);
                Ok(Identity::of(&std::fs::symlink_metadata(&path).on("read", &path)?).modified)
            };
            let times = match piece {
                Some(_) => reply.files.iter().map(time).collect::<Result<_, DriverError>>()?,
                None => Vec::new(),
            };
            let (source, piece) = (self.version(key, source).to_owned(), piece.map(|(piece, _)| piece.clone()));
            Ok((key.clone(), output(&Finished { source, piece, reply: reply.clone(), times })?))
        };
        let notes = units.iter().map(entry).collect::<Result<Vec<_>, DriverError>>()?;
        self.job.context.checkpoint_all(&notes)
    }

    /// Puts the files of units and the directories that lead to them on disk; the files with the access that they keep.
    fn settle_files(&self, units: &[(String, ConvertReply)]) -> Result<(), DriverError> {
        let root = self.staging.path();
        let mut directories = BTreeSet::from([parent(&root).to_owned()]);
        let mut files: Vec<PathBuf> = Vec::new();
        let access = (self.shape() == Shape::Directory).then(|| self.manners()).transpose()?;
        for (key, reply) in units {
            for path in reply.files.iter().map(|file| self.written_path(key, file)) {
                if let Some(manners) = &access {
                    let metadata = std::fs::symlink_metadata(&path).on("read", &path)?;
                    self.give_access(&path, &metadata, manners)?;
                }
                files.push(path);
            }
            files.extend((reply.rejected > 0).then(|| self.rejected_path(key)));
        }
        for path in &files {
            let up = path.ancestors().skip(1).take_while(|directory| directory.starts_with(&root));
            directories.extend(up.map(Path::to_owned));
        }
        self.sync_files(&files)?;
        directories.iter().rev().try_for_each(|directory| self.job.disk().sync(directory).on("sync", directory))
    }

    /// Puts files on disk; many at once, so that they share the waits for it.
    fn sync_files(&self, files: &[PathBuf]) -> Result<(), DriverError> {
        let threads = if files.len() > 2 * SYNCED_AT_ONCE { SYNCED_AT_ONCE } else { 1 };
        in_parallel(threads, files, &|| Ok(()), |_, path| self.job.disk().sync(path).on("sync", path))
    }

    /// The access that the target is to have: that of the source.
    fn manners(&self) -> Result<Manners, DriverError> {
        let first = self.files.first().map(|file| file.relative.as_str()).filter(|relative| !relative.is_empty());
        manners(&self.place.path, &first.map_or_else(|| self.place.path.clone(), |file| self.place.path.join(file)))
    }

    /// Gives a staged file or directory the access of the source's; false if it has it. The owner's own read bits stay on
    /// until the target is published: this process has to read and rename what it wrote.
    fn give_access(&self, path: &Path, metadata: &Metadata, manners: &Manners) -> Result<bool, DriverError> {
        let (access, extra) = if metadata.is_dir() { (manners.directory, 0o700) } else { (manners.file, 0o400) };
        let own = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        let owner = Some(access.owner()).filter(|owner| *owner != own);
        let (now, mode) = (Access::of(metadata), access.mode | extra);
        if now.mode == mode && owner.is_none_or(|owner| owner == now.owner()) {
            return Ok(false);
        }
        self.job.disk().set_access(path, mode, owner).on("change", path).map(|()| true)
    }

    /// Gives all that is staged its access and puts it on disk. Of `settled` files only what changed now is waited for.
    pub(super) fn settle_whole(&self, settled: &HashSet<PathBuf>) -> Result<Manners, DriverError> {
        let (manners, data, disk) = (self.manners()?, self.staging.data(), self.job.disk());
        let found = walk(&data).on("list", &data)?;
        let mut files = Vec::new();
        for (path, metadata) in &found {
            let changed = self.give_access(path, metadata, &manners)?;
            if metadata.is_file() && (changed || !settled.contains(path)) {
                files.push(path.clone());
            }
        }
        self.sync_files(&files)?;
        // What is not exchanged for anything need not outlive a power cut.
        let nothing = self.choice.as_ref().is_some_and(|choice| choice.is_empty() && self.job.base().is_some());
        if self.staging.shell().is_some() && !nothing {
            let directories =
                found.iter().rev().filter(|(_, metadata)| metadata.is_dir()).map(|(path, _)| path.as_path());
            let holders = [parent(&data), parent(&self.staging.path())].map(Path::to_owned);
            let all = directories.chain(holders.iter().map(PathBuf::as_path));
            all.into_iter().try_for_each(|path| disk.sync(path).on("sync", path))?;
        }
        Ok(manners)
    }
}
