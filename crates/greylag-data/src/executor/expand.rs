//! `data/expand`: is the source still as planned, is the place free, is there room; then a staging directory, unless
//! the backfill may do with a file.

use super::changes::named;
use super::dataset::Place;
use super::{Job, OnPath, Work, done, output};
use crate::durable::parent;
use crate::error::target_exists;
use greylag_driver::error::DriverError;
use greylag_driver::executor::{Outcome, Rehearsal, StepReport};
use greylag_model::code::{data as code, engine};
use greylag_model::plan::{Staleness, staleness};
use serde::{Deserialize, Serialize};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

pub(super) struct Expand;

/// What expand wrote down.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Expanded {
    /// Directories that were made to hold the target, outermost first.
    #[serde(default)]
    pub(super) made: Vec<PathBuf>,
}

impl Work for Expand {
    fn forward(&self, job: &Job<'_>) -> Result<Outcome, DriverError> {
        as_planned(job)?;
        let target = job.target()?;
        let there = std::fs::symlink_metadata(&target.path).ok();
        match (job.base(), there) {
            (Some(_), Some(there)) if there.is_dir() => {}
            (Some(_), _) => return Err(crate::error::lost("the target of the run before")),
            (None, Some(_)) => return Err(target_exists(&target.path)),
            (None, None) => {}
        }
        let made = make_parents(job, &target)?;
        if job.base().is_none() {
            room(job, &target)?;
        }
        let staging = job.staging()?;
        job.fault("write", &staging.path())?;
        if !job.is_one_file() {
            staging.claim(job.disk()).on("create", &staging.path())?;
        }
        job.fault("in-effect", &staging.path())?;
        Ok(done(StepReport { output: output(&Expanded { made })?, ..StepReport::default() }))
    }

    fn rehearse(&self, job: &Job<'_>) -> Result<Rehearsal, DriverError> {
        let made = made(job)?;
        let Some(outermost) = made.first() else { return Ok(Rehearsal::default()) };
        Ok(Rehearsal::does(format!(
            "remove the directory `{}`, which was made for the new dataset",
            outermost.display()
        )))
    }

    fn undo(&self, job: &Job<'_>) -> Result<Vec<String>, DriverError> {
        let staging = job.staging()?;
        let holder = parent(&staging.path()).to_owned();
        job.fault("in-effect", &staging.path())?;
        match staging.remove_all(job.disk()) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            removed => removed.on("remove", &staging.path())?,
        }
        let made = made(job)?;
        let mut notes = Vec::new();
        for directory in made.iter().rev() {
            match job.disk().remove_dir(directory) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                // Somebody else's things lie in it by now; the directories above it are not empty either.
                Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => {
                    if notes.is_empty() {
                        notes.push(others_in(directory)?);
                    }
                }
                removed => removed.on("remove", directory)?,
            }
        }
        match made.first().map_or(holder.as_path(), |first| parent(first)) {
            settled if settled.exists() => job.disk().sync(settled).on("sync", settled)?,
            _ => {}
        }
        Ok(notes)
    }
}

/// The directories that were made for the target, outermost first, also by an attempt that came to no end.
fn made(job: &Job<'_>) -> Result<Vec<PathBuf>, DriverError> {
    let noted = job.context.noted_forwards()?.into_iter().find(|(key, _)| key == "made");
    match noted.and_then(|(_, value)| serde_json::from_value(value).ok()) {
        Some(made) => Ok(made),
        None => Ok(job.output::<Expanded>("data/expand")?.unwrap_or_default().made),
    }
}

/// Names what others have put into a directory that was made for the target.
fn others_in(directory: &Path) -> Result<String, DriverError> {
    let entries = std::fs::read_dir(directory).on("list", directory)?;
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(format!(
        "`{}` was made for the new dataset and is kept: others have {} in it",
        directory.display(),
        named(&names)
    ))
}

/// The dataset's identity, layout and schema are those that the plan was made for.
fn as_planned(job: &Job<'_>) -> Result<(), DriverError> {
    let planned = &job.work.source;
    let path = job.source()?.path;
    if job.plane.seen.recall(&path).is_some_and(|fingerprint| fingerprint == planned.fingerprint) {
        return Ok(());
    }
    let now = job.observe(planned)?;
    let reasons = match staleness(job.work, &now) {
        Staleness::Fresh => return Ok(()),
        Staleness::SameOperations(_) => "it moved, though the operations stay what they were".to_owned(),
        Staleness::Changed(reasons) => reasons.join("; "),
    };
    let words = format!("`{}` is not what the plan was made for: {reasons}", planned.dataset.entity.short());
    let run = job.request.run;
    Err(DriverError::conflict(engine::STALE, words)
        .hint(format!("`greylag approve {run} --stale -f FILE` plans it anew, shows that and asks")))
}

/// Makes the directories above the target that are not there yet; writes down which before it makes them.
fn make_parents(job: &Job<'_>, target: &Place) -> Result<Vec<PathBuf>, DriverError> {
    let holder = parent(&target.path);
    if holder.is_dir() {
        let before = job.context.checkpoints()?.into_iter().find(|(key, _)| key == "made");
        return Ok(before.and_then(|(_, value)| serde_json::from_value(value).ok()).unwrap_or_default());
    }
    let mut missing: Vec<PathBuf> = holder.ancestors().take_while(|path| !path.exists()).map(Path::to_owned).collect();
    missing.reverse();
    job.context.checkpoint("made", &output(&missing)?)?;
    for directory in &missing {
        job.fault("write", directory)?;
        match job.disk().create_dir(directory, 0o755) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            made => made.on("create", directory)?,
        }
    }
    // Settled with the target: see `durable::settle_names`.
    for directory in missing.iter().rev() {
        job.disk().sync(parent(directory)).on("sync", parent(directory))?;
    }
    Ok(missing)
}

/// Whether the file system has room for about what the source takes.
fn room(job: &Job<'_>, target: &Place) -> Result<(), DriverError> {
    let holder = parent(&target.path);
    let system = rustix::fs::statvfs(holder).map_err(std::io::Error::from).on("look at", holder)?;
    let free = system.f_bavail.saturating_mul(system.f_frsize);
    let needed = job.work.source.bytes;
    if free >= needed {
        return Ok(());
    }
    let words = format!("`{}` needs about {needed} bytes and has {free}", holder.display());
    Err(DriverError::transient(code::NO_ROOM, words).hint("make space, then `greylag retry --failed`"))
}
