//! `data/publish`: the verified target becomes visible under its own name, by one rename.

use super::backfill::Backfilled;
use super::dataset::{Manners, content_fingerprint};
use super::{Job, OnPath, Work, done, output};
use crate::durable::{Identity, appear, parent, walk};
use crate::error::{source_changed, target_changed, target_exists};
use greylag_driver::error::DriverError;
use greylag_driver::executor::{Outcome, StepReport};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

pub(super) struct Publish;

/// What publish wrote down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Published {
    path: PathBuf,
    files: u64,
    rows: u64,
}

impl Work for Publish {
    fn forward(&self, job: &Job<'_>) -> Result<Outcome, DriverError> {
        let backfilled: Backfilled = job.output_needed("data/backfill")?;
        let target = job.target()?.path;
        let staging = job.staging()?;
        let staged = staging.take(job.disk()).on("claim", &staging.path())?;
        let data = staging.data();
        if staged && Identity::probe(&data).on("read", &data)?.is_some() {
            let source = job.source()?;
            if content_fingerprint(&source.path)? != backfilled.source {
                return Err(source_changed(&source.path));
            }
            if content_fingerprint(&data)? != backfilled.content {
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
        let published = Published { path: target, files: backfilled.files.len() as u64, rows: backfilled.target.rows };
        Ok(done(StepReport { output: output(&published)?, ..StepReport::default() }))
    }

    fn undo(&self, job: &Job<'_>) -> Result<(), DriverError> {
        let Some(backfilled) = job.output::<Backfilled>("data/backfill")? else { return Ok(()) };
        let target = job.target()?.path;
        if !is_ours(&target, &backfilled)? {
            // Never published, or taken back already.
            return Ok(());
        }
        if content_fingerprint(&target)? != backfilled.content {
            return Err(target_changed(&target));
        }
        let staging = job.staging()?;
        job.fault("write", &target)?;
        staging.claim(job.disk()).on("create", &staging.path())?;
        staging.tidy(job.disk(), &HashSet::new()).on("remove", &staging.path())?;
        let data = staging.data();
        // A directory that its owner may not write to cannot change its parent.
        if target.is_dir() {
            job.disk().set_access(&target, 0o700, None).on("change", &target)?;
        }
        job.disk().rename(&target, &data).on("take back", &target)?;
        job.fault("in-effect", &target)?;
        job.disk().sync(parent(&target)).on("sync", parent(&target))
    }
}

/// Whether what stands at the target is what was staged.
fn is_ours(target: &Path, backfilled: &Backfilled) -> Result<bool, DriverError> {
    let there = Identity::probe(target).on("read", target)?;
    Ok(matches!((there, backfilled.staged), (Some(there), Some(staged)) if there.same_place(&staged)))
}

/// Takes away the bits that were left on for the work, where the source does not have them. Not synced: what a power cut
/// could bring back is the owner's own right to read.
fn finish_manners(job: &Job<'_>, target: &Path, manners: &Manners) -> Result<(), DriverError> {
    if manners.file.mode & 0o400 != 0 && manners.directory.mode & 0o700 == 0o700 {
        return Ok(());
    }
    for (path, metadata) in walk(target).on("list", target)?.iter().rev() {
        let access = if metadata.is_dir() { manners.directory } else { manners.file };
        job.disk().set_access(path, access.mode, None).on("change", path)?;
    }
    Ok(())
}
