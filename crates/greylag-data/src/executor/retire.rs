//! `data/retire`: the old dataset goes out of sight, renamed to a hidden sibling without permissions. It can be had back.

use super::dataset::{Access, Place};
use super::{Job, OnPath, Work, done, output};
use crate::durable::{Identity, parent};
use crate::error::{lost, target_exists};
use greylag_driver::error::DriverError;
use greylag_driver::executor::{Outcome, Rehearsal, StepReport};
use greylag_model::id::Timestamp;
use greylag_model::task::Failure;
use serde::{Deserialize, Serialize};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::xxh3_128;

pub(super) struct Retire;

/// What retire wrote down, before and after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Retired {
    /// Where the old dataset is now.
    pub(super) hidden: PathBuf,
    /// What it is.
    pub(super) identity: Identity,
    /// What its permissions were; `None` for a link, which has none of its own: what it leads to is left alone.
    pub(super) access: Option<Access>,
    /// When it was retired.
    pub(super) at: Timestamp,
}

/// The hidden name of a retired dataset.
pub(super) fn hidden(job: &Job<'_>, source: &Place) -> PathBuf {
    let (run, task) = (job.request.run, job.request.task);
    let name = source.path.file_name().unwrap_or_default().to_string_lossy();
    let digest = xxh3_128(format!("{name}\0{run}\0{task}").as_bytes());
    let shown: String = name.chars().take(40).collect();
    parent(&source.path).join(format!(".{shown}.greylag-retired-{digest:032x}"))
}

impl Work for Retire {
    fn forward(&self, job: &Job<'_>) -> Result<Outcome, DriverError> {
        let source = job.source()?;
        let hidden = hidden(job, &source);
        let noted = job.context.checkpoints()?.into_iter().find(|(key, _)| key == "retired");
        let noted: Option<Retired> = noted.and_then(|(_, value)| serde_json::from_value(value).ok());
        let there = Identity::probe(&hidden).on("read", &hidden)?;
        let retired = match (noted, there) {
            (Some(noted), Some(there)) if there.same_place(&noted.identity) => noted,
            (_, Some(_)) => return Err(target_exists(&hidden)),
            (_, None) => self.rename(job, &source, hidden)?,
        };
        job.fault("in-effect", &retired.hidden)?;
        set_mode(job, &retired.hidden, retired.access.map(|_| 0))?;
        job.disk().sync(parent(&retired.hidden)).on("sync", parent(&retired.hidden))?;
        Ok(done(StepReport { output: output(&retired)?, ..StepReport::default() }))
    }

    fn rehearse(&self, job: &Job<'_>) -> Result<Rehearsal, DriverError> {
        let source = job.source()?;
        let hidden = hidden(job, &source);
        let Some(noted) = noted(job)? else { return Ok(Rehearsal::default()) };
        let named = Identity::probe(&source.path).on("read", &source.path)?.is_some();
        let obstacle = match Identity::probe(&hidden).on("read", &hidden)? {
            Some(there) if there.same_place(&noted.identity) => named.then(|| target_exists(&source.path)),
            _ if named => return Ok(Rehearsal::default()),
            _ => Some(lost("the retired dataset")),
        };
        let rights = noted.access.map(|access| format!(", and its mode {:o}", access.mode)).unwrap_or_default();
        Ok(Rehearsal {
            does: vec![format!("give the old dataset its name back, `{}`{rights}", source.path.display())],
            obstacles: obstacle.map(Failure::from).into_iter().collect(),
            ..Rehearsal::default()
        })
    }

    fn undo(&self, job: &Job<'_>) -> Result<Vec<String>, DriverError> {
        let source = job.source()?;
        let hidden = hidden(job, &source);
        let Some(noted) = noted(job)? else { return Ok(Vec::new()) };
        job.fault("in-effect", &hidden)?;
        match Identity::probe(&hidden).on("read", &hidden)? {
            Some(there) if there.same_place(&noted.identity) => {
                set_mode(job, &hidden, noted.access.map(|access| access.mode))?;
                match job.disk().rename(&hidden, &source.path) {
                    Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                        return Err(target_exists(&source.path));
                    }
                    renamed => renamed.on("restore", &source.path)?,
                }
            }
            // Back already, or never gone.
            _ if Identity::probe(&source.path).on("read", &source.path)?.is_some() => {
                set_mode(job, &source.path, noted.access.map(|access| access.mode))?;
            }
            _ => return Err(lost("the retired dataset")),
        }
        job.disk().sync(&source.path).on("sync", &source.path)?;
        job.disk().sync(parent(&source.path)).on("sync", parent(&source.path))?;
        Ok(Vec::new())
    }
}

/// What was retired, also by an attempt that came to no end.
fn noted(job: &Job<'_>) -> Result<Option<Retired>, DriverError> {
    if let Some(done) = job.output::<Retired>("data/retire")? {
        return Ok(Some(done));
    }
    let noted = job.context.noted_forwards()?.into_iter().find(|(key, _)| key == "retired");
    Ok(noted.and_then(|(_, value)| serde_json::from_value(value).ok()))
}

fn set_mode(job: &Job<'_>, path: &Path, mode: Option<u32>) -> Result<(), DriverError> {
    mode.map_or(Ok(()), |mode| job.disk().set_access(path, mode, None).on("change", path))
}

impl Retire {
    /// Notes what the dataset is, then hides it.
    fn rename(&self, job: &Job<'_>, source: &Place, hidden: PathBuf) -> Result<Retired, DriverError> {
        let metadata = std::fs::symlink_metadata(&source.path).on("read", &source.path)?;
        let identity = Identity::of(&metadata);
        let access = (!metadata.is_symlink()).then(|| Access::of(&metadata));
        let retired = Retired { hidden, identity, access, at: job.context.now() };
        job.context.checkpoint("retired", &output(&retired)?)?;
        job.fault("write", &source.path)?;
        job.disk().rename(&source.path, &retired.hidden).on("retire", &source.path)?;
        Ok(retired)
    }
}
