//! Taking a published target back: the undo of `data/publish`.
//!
//! # What others changed since
//!
//! The target's files are compared with those that were published ([`super::changes`]).
//!
//! | changed since | what becomes of it |
//! |---|---|
//! | nothing | the target is taken away |
//! | new data files, and the plan said that new rows are carried | their rows go back first ([`super::carry_back`]) |
//! | files that are no data | moved aside, into a hidden sibling of the target that the notes name |
//! | new data files where the plan said that they are not carried, files changed or gone | refused: the target stays |
//! | the target moved away by somebody | nothing is left to take back, which the notes say |
//! | something else at the target's place, or no old dataset to go back to | refused |
//!
//! # The order, and dying in it
//!
//! Rows are carried while the target stands, so that they are never in neither dataset. One rename then takes the target
//! out of sight, and what stands behind that name is compared *again*: nobody can add to it by its name any more. If
//! somebody was quicker, the target gets its name back and the attempt fails as a conflict; the next one carries what came
//! in between. An attempt that finds the target out of sight begins with that second comparison, so it does not matter
//! where the one before it died. Who still writes to a file that he holds open is seen until then, and not later: stop
//! writers before an undo.

use super::backfill::Backfilled;
use super::carry_back::{Ledger, convert};
use super::changes::{Changes, named};
use super::dataset::content_fingerprint;
use super::publish::{Published, is_ours};
use super::retire::Retired;
use super::{Job, OnPath};
use crate::durable::{parent, remove};
use crate::error::{old_gone, target_changed, target_exists, target_replaced};
use crate::listing::FileFormat;
use crate::staging::Staging;
use greylag_driver::error::DriverError;
use greylag_driver::executor::Rehearsal;
use greylag_model::task::Failure;
use serde_json::Value;
use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Key of the note that somebody has changed the old dataset.
const SOURCE_CHANGED: &str = "source-changed";

/// Where what was published is.
enum Standing {
    /// Under its name.
    Published,
    /// Out of sight: not published yet, or taken back already.
    Hidden,
    /// Nowhere, and nothing stands in its place.
    Gone,
    /// Nowhere, and something else stands in its place.
    Replaced,
}

struct Target<'a> {
    job: &'a Job<'a>,
    backfilled: Backfilled,
    path: PathBuf,
}

impl<'a> Target<'a> {
    /// The target; none if nothing was ever converted for it.
    fn of(job: &'a Job<'a>) -> Result<Option<Self>, DriverError> {
        let Some(backfilled) = job.output::<Backfilled>("data/backfill")? else { return Ok(None) };
        Ok(Some(Self { job, backfilled, path: job.target()?.path }))
    }

    fn standing(&self) -> Result<Standing, DriverError> {
        if is_ours(&self.path, &self.backfilled)? {
            return Ok(Standing::Published);
        }
        let request = self.job.request;
        let newest = Staging::newest(&self.path, request.run, request.task).on("look beside", &self.path)?;
        if let Some(staged) = newest
            && is_ours(&staged, &self.backfilled)?
        {
            return Ok(Standing::Hidden);
        }
        let there = std::fs::symlink_metadata(&self.path).is_ok();
        let published = self.job.output::<Published>("data/publish")?.is_some();
        Ok(if there && published { Standing::Replaced } else { Standing::Gone })
    }

    fn changes(&self, root: &Path, ledger: &Ledger) -> Result<Changes, DriverError> {
        let format = FileFormat::of(&self.job.work.target_layout.format);
        Ok(Changes::of(root, &self.backfilled, format)?.beside(&ledger.known()))
    }

    /// Why the target cannot be taken back with these changes.
    fn refusal(&self, changes: &Changes) -> Option<DriverError> {
        let undo = self.job.work.undo.as_ref();
        let carries = undo.is_some_and(|undo| undo.carries);
        if !changes.lost_rows() && (changes.new.is_empty() || carries) {
            return None;
        }
        let why = match undo {
            _ if changes.lost_rows() => "files that were changed or removed cannot be put back".to_owned(),
            Some(undo) => undo.line(),
            None => "the plan is older than the carrying back of new rows".to_owned(),
        };
        Some(target_changed(&self.path, &changes.words(), &why, self.job.request.run))
    }

    /// The old dataset must be there to go back to.
    fn old_is_there(&self) -> Result<(), DriverError> {
        let source = self.job.source()?.path;
        if source.exists() { Ok(()) } else { Err(old_gone(&source, &self.path)) }
    }

    /// Whether somebody has written to the old dataset since it was migrated, as seen before the first row went back.
    fn source_changed(&self) -> Result<bool, DriverError> {
        let noted = self.job.context.checkpoints()?.into_iter().find(|(key, _)| key == SOURCE_CHANGED);
        if let Some((_, Value::Bool(changed))) = noted {
            return Ok(changed);
        }
        let changed = content_fingerprint(&self.job.source()?.path)? != self.backfilled.source;
        if changed {
            self.job.context.checkpoint(SOURCE_CHANGED, &Value::Bool(true))?;
        }
        Ok(changed)
    }

    /// Carries new rows back, or says why the target has to stay.
    fn carry(&self, ledger: &mut Ledger) -> Result<(), DriverError> {
        ledger.finish(self.job)?;
        let changes = self.changes(&self.path, ledger)?;
        if let Some(refusal) = self.refusal(&changes) {
            return Err(refusal);
        }
        let Some(manners) = self.backfilled.manners.filter(|_| !changes.new.is_empty()) else { return Ok(()) };
        if !self.source_changed()? {
            // From now on it differs because of what is carried.
            self.job.context.checkpoint(SOURCE_CHANGED, &Value::Bool(false))?;
        }
        ledger.carry(self.job, &changes.new, &manners)
    }

    /// One rename takes it out of sight.
    fn hide(&self) -> Result<(), DriverError> {
        let (job, staging) = (self.job, self.job.staging()?);
        job.fault("write", &self.path)?;
        staging.claim(job.disk()).on("create", &staging.path())?;
        staging.tidy(job.disk(), &HashSet::new()).on("remove", &staging.path())?;
        // A directory that its owner may not write to cannot change its parent.
        if self.path.is_dir() {
            job.disk().set_access(&self.path, 0o700, None).on("change", &self.path)?;
        }
        job.disk().rename(&self.path, &staging.data()).on("take back", &self.path)?;
        job.fault("in-effect", &self.path)?;
        job.disk().sync(parent(&self.path)).on("sync", parent(&self.path))
    }

    /// Looks again at what is out of sight now, and moves aside what is others'.
    fn settle(&self, ledger: &Ledger) -> Result<(), DriverError> {
        let (job, staging) = (self.job, self.job.staging()?);
        staging.take(job.disk()).on("claim", &staging.path())?;
        let data = staging.data();
        let changes = self.changes(&data, ledger)?;
        if changes.lost_rows() || !changes.new.is_empty() {
            return Err(self.put_back(&data, &changes)?);
        }
        for relative in &changes.other {
            let kept = self.kept();
            let (from, to) = (data.join(relative), kept.join(relative));
            job.fault("write", &to)?;
            std::fs::create_dir_all(parent(&to)).on("create", parent(&to))?;
            match job.disk().rename(&from, &to) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(target_exists(&to)),
                moved => moved.on("move aside", &from)?,
            }
            job.fault("in-effect", &to)?;
            job.disk().sync(parent(&to)).on("sync", parent(&to))?;
            job.disk().sync(parent(&kept)).on("sync", parent(&kept))?;
        }
        Ok(())
    }

    /// Somebody was quicker: the target has its name again, and the error says why.
    fn put_back(&self, data: &Path, changes: &Changes) -> Result<DriverError, DriverError> {
        let job = self.job;
        if let Some(manners) = self.backfilled.manners.filter(|_| data.is_dir()) {
            job.disk().set_access(data, manners.directory.mode, None).on("change", data)?;
        }
        match job.disk().rename(data, &self.path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(target_exists(&self.path)),
            renamed => renamed.on("restore", &self.path)?,
        }
        job.disk().sync(parent(&self.path)).on("sync", parent(&self.path))?;
        let why = "it was written to while it was being taken back; stop what writes to it";
        Ok(target_changed(&self.path, &changes.words(), why, job.request.run))
    }

    /// Where files of others go that are no data: beside the target, so that a rename takes them there.
    fn kept(&self) -> PathBuf {
        let any = Staging::new(&self.path, self.job.request.run, self.job.request.task, 0).path();
        let mut name = any.file_name().unwrap_or_default().to_os_string();
        name.push(".kept");
        parent(&self.path).join(name)
    }

    /// What is not as before.
    fn notes(&self, ledger: &Ledger) -> Result<Vec<String>, DriverError> {
        let source = self.job.source()?.path;
        let mut notes = Vec::new();
        let batches = || ledger.batches.iter();
        let rows: u64 = batches().map(|batch| batch.rows).sum();
        if !ledger.batches.is_empty() {
            let from = batches().map(|batch| batch.from.len()).sum();
            let files: Vec<String> = batches().flat_map(|batch| &batch.files).map(|(name, _)| name.clone()).collect();
            let (rows, source) = (new_rows(rows, from, &self.path), source.display());
            notes.push(format!("{rows} went back into `{source}`, as {} {}", files.len(), in_files(&files)));
        }
        let kept = self.kept();
        if kept.exists() {
            notes.push(format!("files of others that were in `{}` are in `{}`", self.path.display(), kept.display()));
        }
        if source.exists() && self.source_changed()? {
            notes.push(format!("`{}` was written to since it was migrated, and is left as it is", source.display()));
        }
        Ok(notes)
    }
}

/// `3 new rows of 1 file in …`.
fn new_rows(rows: u64, files: usize, from: &Path) -> String {
    let (row, file) = (if rows == 1 { "row" } else { "rows" }, if files == 1 { "file" } else { "files" });
    format!("{rows} new {row} of {files} {file} in `{}`", from.display())
}

fn in_files(names: &[String]) -> String {
    let word = if names.len() == 1 { "file" } else { "files" };
    format!("{word} ({})", named(names))
}

/// Takes the target back; says what is not as before because others changed it.
pub(super) fn undo(job: &Job<'_>) -> Result<Vec<String>, DriverError> {
    let Some(target) = Target::of(job)? else { return Ok(Vec::new()) };
    let mut ledger = Ledger::read(job)?;
    match target.standing()? {
        Standing::Published => {
            target.old_is_there()?;
            target.carry(&mut ledger)?;
            target.hide()?;
        }
        Standing::Hidden => {}
        Standing::Gone if job.output::<Published>("data/publish")?.is_some() => {
            let mut notes = vec![format!("`{}` was gone already: somebody moved it away", target.path.display())];
            notes.extend(target.notes(&ledger)?);
            return Ok(notes);
        }
        Standing::Gone => return Ok(Vec::new()),
        Standing::Replaced => return Err(target_replaced(&target.path, job.request.run)),
    }
    target.settle(&ledger)?;
    target.notes(&ledger)
}

/// What taking the target back would do. New rows are converted into a directory among the run's artefacts, which is
/// removed again: so it is known that they can be carried, not guessed.
pub(super) fn rehearse(job: &Job<'_>) -> Result<Rehearsal, DriverError> {
    let Some(target) = Target::of(job)? else { return Ok(Rehearsal::default()) };
    let path = target.path.display();
    let mut rehearsal = Rehearsal::default();
    match target.standing()? {
        Standing::Hidden => return Ok(rehearsal),
        Standing::Gone => {
            if job.output::<Published>("data/publish")?.is_some() {
                rehearsal.kept.push(format!("`{path}` is gone already: somebody moved it away"));
            }
            return Ok(rehearsal);
        }
        Standing::Replaced => {
            rehearsal.obstacles.push(target_replaced(&target.path, job.request.run).into());
            return Ok(rehearsal);
        }
        Standing::Published => {}
    }
    let ledger = Ledger::read(job)?;
    let changes = target.changes(&target.path, &ledger)?;
    let retired = job.output::<Retired>("data/retire")?.is_some();
    let missing = if retired { None } else { target.old_is_there().err() };
    let obstacle = target.refusal(&changes).or(missing);
    if obstacle.is_none() && !changes.new.is_empty() {
        match converted(job, &changes) {
            Ok(rows) => {
                let (rows, source) = (new_rows(rows, changes.new.len(), &target.path), job.source()?.path);
                rehearsal.does.push(format!("carry {rows} back into `{}`", source.display()));
            }
            Err(error) => rehearsal.obstacles.push(error.into()),
        }
    }
    rehearsal.obstacles.extend(obstacle.map(Failure::from));
    rehearsal.does.push(format!("take `{path}` away"));
    if !changes.other.is_empty() {
        let kept = target.kept();
        let files = in_files(&changes.other);
        rehearsal.kept.push(format!(
            "{} {files} of others would be moved to `{}`",
            changes.other.len(),
            kept.display()
        ));
    }
    let source = &job.source()?.path;
    if !retired && source.exists() && content_fingerprint(source)? != target.backfilled.source {
        let words = format!("`{}` was written to since it was migrated, and would be left as it is", source.display());
        rehearsal.kept.extend(Some(words).filter(|_| ledger.batches.is_empty()));
    }
    Ok(rehearsal)
}

/// How many rows would go back, converted and proven.
fn converted(job: &Job<'_>, changes: &Changes) -> Result<u64, DriverError> {
    let folder = job.plane.artefacts.join(job.request.run.as_str());
    let scratch = folder.join(format!(".rehearsal-{}", job.request.task.as_str().replace('/', ".")));
    let made = !folder.exists();
    remove(job.disk(), &scratch).on("remove", &scratch)?;
    std::fs::create_dir_all(&scratch).on("create", &scratch)?;
    let converted = convert(job, &changes.new, &scratch, "rehearsed");
    remove(job.disk(), &scratch).on("remove", &scratch)?;
    if made {
        // Another rehearsal may be at work in it.
        let _ = std::fs::remove_dir(&folder);
    }
    Ok(converted?.rows)
}
