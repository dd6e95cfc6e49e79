//! `data/publish`: the verified target becomes visible under its own name, by one rename.

use super::backfill::Backfilled;
use super::dataset::Manners;
use super::{Job, OnPath, Work, done, generation, output};
use crate::durable::{Identity, appear, parent, walk};
use crate::error::{source_changed, target_exists};
use greylag_driver::error::DriverError;
use greylag_driver::executor::{Outcome, Rehearsal, StepReport};
use serde::{Deserialize, Serialize};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

pub(super) struct Publish;

/// What publish wrote down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Published {
    path: PathBuf,
    /// Files and rows that the target has.
    files: u64,
    rows: u64,
    /// Whether the ledger is complete without those of the runs before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    whole: bool,
}

impl Work for Publish {
    fn forward(&self, job: &Job<'_>) -> Result<Outcome, DriverError> {
        let backfilled: Backfilled = job.output_needed("data/backfill")?;
        let target = job.target()?.path;
        if let Some(base) = job.base() {
            generation::publish(job, base, &backfilled)?;
            return published(target, &backfilled);
        }
        let staging = job.staging()?;
        let staged = staging.take(job.disk()).on("claim", &staging.path())?;
        let data = staging.data();
        if staged && Identity::probe(&data).on("read", &data)?.is_some() {
            let source = job.source()?;
            if backfilled.source_now(&source.path)? != backfilled.source {
                return Err(source_changed(&source.path));
            }
            if backfilled.staged_now(&data)? != backfilled.content {
                return Err(backfilled.lost(job, "what was verified"));
            }
            let shell = staging.shell();
            job.fault("write", &target)?;
            match appear(job.disk(), &data, &target, shell.as_deref()) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(target_exists(&target)),
                appeared => appeared.on("publish", &target)?,
            }
        } else if is_ours(&target, &backfilled)? {
            // An earlier attempt died after the rename, perhaps before the rest.
            staging.remove(job.disk()).on("remove", &staging.path())?;
            job.disk().sync(parent(&target)).on("sync", parent(&target))?;
        } else {
            return Err(backfilled.lost(job, "what was verified"));
        }
        job.fault("in-effect", &target)?;
        if let Some(manners) = &backfilled.manners {
            finish_manners(job, &target, manners)?;
        }
        published(target, &backfilled)
    }

    fn undo(&self, job: &Job<'_>) -> Result<Vec<String>, DriverError> {
        if job.base().is_some() {
            return generation::undo(job);
        }
        super::take_back::undo(job)
    }

    fn rehearse(&self, job: &Job<'_>) -> Result<Rehearsal, DriverError> {
        if job.base().is_some() {
            return generation::rehearse(job);
        }
        super::take_back::rehearse(job)
    }
}

/// What is written down of what stands at the target now.
fn published(path: PathBuf, backfilled: &Backfilled) -> Result<Outcome, DriverError> {
    let kept = backfilled.increment.clone().unwrap_or_default();
    let files = backfilled.files.len() as u64 + kept.kept_files;
    let rows = backfilled.target.rows + kept.kept_rows;
    let published = Published { path, files, rows, whole: kept.whole };
    Ok(done(StepReport { output: output(&published)?, ..StepReport::default() }))
}

/// Whether what stands at the target is what was staged.
pub(super) fn is_ours(target: &Path, backfilled: &Backfilled) -> Result<bool, DriverError> {
    let there = Identity::probe(target).on("read", target)?;
    Ok(matches!((there, backfilled.staged), (Some(there), Some(staged)) if there.same_place(&staged)))
}

/// Takes away the bits that were left on for the work, where the source does not have them. Not synced: what a power cut
/// could bring back is the owner's own right to read.
pub(super) fn finish_manners(job: &Job<'_>, target: &Path, manners: &Manners) -> Result<(), DriverError> {
    if manners.file.mode & 0o400 != 0 && manners.directory.mode & 0o700 == 0o700 {
        return Ok(());
    }
    for (path, metadata) in walk(target).on("list", target)?.iter().rev() {
        let access = if metadata.is_dir() { manners.directory } else { manners.file };
        job.disk().set_access(path, access.mode, None).on("change", path)?;
    }
    Ok(())
}
