//! Derived datasets: what a writer made becomes part of the target.
//!
//! The writer is a command in a sandbox ([`greylag_model::derived`]). Every attempt of it gets a directory of its own in
//! staging, `written-<epoch>`, and those of older attempts go: what a zombie still writes it writes to nameless inodes.
//! Its files are as untrusted as any: reader processes read them, as the target's columns, and write them anew beside the
//! rows that the mapping makes of the old dataset. So evidence, read-back, publishing and undo are those of any target.
//!
//! Who makes which row is said by windows over the watermark ([`crate::convert::Window`]); files of the writer's rows
//! are called `part-written-…`, which tells the two apart when they are read back.

use super::dataset::{Place, fingerprint_of};
use super::units::Unit;
use super::{DataPlane, Job, OnPath};
use crate::convert::Window;
use crate::diff::Side;
use crate::durable::walk;
use crate::error::lost;
use crate::listing::{Anchor, DataFile, FileFormat, list};
use crate::staging::Staging;
use greylag_driver::error::DriverError;
use greylag_driver::executor::StepRequest;
use greylag_model::code::data as code;
use greylag_model::derived::{Derived, History, Read, SURVEY, Survey};
use greylag_model::task::Direction;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Beginning of the keys of units that are the writer's, and of its directory.
pub(super) const WRITTEN: &str = "written";
/// Beginning of the names of their files.
const STEM: &str = "part-written";

/// What a writer is given.
#[derive(Clone, Debug)]
pub struct ForWriter {
    /// What it reads, and where that lies.
    pub reads: Vec<(Read, PathBuf)>,
    /// The empty directory that it writes to.
    pub writes: PathBuf,
    /// From where on it is to make rows, in the watermark column's own unit; none: all.
    pub survey: Survey,
}

impl DataPlane {
    /// Makes room for a writer, if this step is one; `survey` is what [`SURVEY`] wrote down.
    pub fn for_writer(
        &self,
        request: &StepRequest<'_>,
        survey: Option<Survey>,
    ) -> Result<Option<ForWriter>, DriverError> {
        let forward = request.direction == Direction::Forward;
        let work = request.dataset()?;
        let Some(derived) = work.derived.as_ref().filter(|derived| {
            forward && request.step.uses.starts_with("custom/") && request.step.name() == derived.writer
        }) else {
            return Ok(None);
        };
        let survey = survey.ok_or_else(|| lost(&format!("what `{SURVEY}` wrote down")))?;
        let target = Place::of(&work.target_location, &request.header.connections)?.path;
        let staging = Staging::new(&target, request.run, request.task, request.epoch);
        staging.claim(self.disk.as_ref()).on("create", &staging.path())?;
        staging.tidy(self.disk.as_ref(), &HashSet::new()).on("remove", &staging.path())?;
        let writes = staging.path().join(format!("{WRITTEN}-{}", request.epoch));
        self.disk.create_dir(&writes, 0o700).on("create", &writes)?;
        let place = |read: &Read| Ok((read.clone(), Place::of(&read.location, &request.header.connections)?.path));
        let reads = derived.reads.iter().map(place).collect::<Result<_, DriverError>>()?;
        Ok(Some(ForWriter { reads, writes, survey }))
    }
}

/// What the writer made, and which rows of it and of the old dataset count.
pub(super) struct Made {
    pub(super) derived: Derived,
    pub(super) survey: Survey,
    column: Option<usize>,
    pub(super) anchor: Anchor,
    pub(super) files: Vec<DataFile>,
}

impl Made {
    /// Of a derived dataset whose staging is this attempt's; none of any other.
    pub(super) fn of(job: &Job<'_>, staging: &Staging) -> Result<Option<Self>, DriverError> {
        let plan = job.work;
        let Some(derived) = &plan.derived else { return Ok(None) };
        let survey: Survey = job.output_needed(SURVEY)?;
        let root = written(&staging.path())?.ok_or_else(|| lost("what the writer made"))?;
        let anchor = Anchor { root: None, path: root.display().to_string() };
        let files = match list(&anchor, Some(FileFormat::of(&plan.target_layout.format))) {
            Ok(listing) => listing.files,
            Err(error) if error.code == code::NO_DATA_FILES => Vec::new(),
            Err(error) => return Err(error),
        };
        let column = derived.watermark.as_ref().and_then(|name| plan.mapping.target.find(name)).map(|found| found.0);
        Ok(Some(Self { derived: derived.as_ref().clone(), survey, column, anchor, files }))
    }

    fn window(&self, from: Option<i64>, below: Option<i64>) -> Option<Window> {
        let column = self.column.filter(|_| from.is_some() || below.is_some())?;
        Some(Window { column, from, below })
    }

    /// Which rows of the old dataset count.
    pub(super) fn of_the_old(&self) -> Option<Window> {
        self.window(None, self.survey.watermark)
    }

    /// Which rows of the writer's.
    pub(super) fn of_the_writer(&self) -> Option<Window> {
        self.window(self.survey.watermark, None)
    }

    /// Which rows both have made.
    fn of_both(&self) -> Option<Window> {
        self.window(self.survey.since, self.survey.watermark)
    }

    /// The units of the writer's files, and before them those of the old dataset, if rows of it count.
    pub(super) fn units(
        &self,
        job: &Job<'_>,
        old: impl FnOnce() -> Result<Vec<Unit>, DriverError>,
    ) -> Result<Vec<Unit>, DriverError> {
        let mut units = if self.derived.history == History::Backfill { old()? } else { Vec::new() };
        let layout = &job.work.target_layout;
        for unit in job.units(&self.anchor, layout, &self.files)? {
            units.push(Unit { key: unit.key.replace("unit", WRITTEN), ..unit });
        }
        Ok(units)
    }

    /// Files that have to stay until the target is published.
    pub(super) fn keep(&self) -> Result<Vec<PathBuf>, DriverError> {
        let root = self.anchor.absolute();
        let found = walk(&root).on("list", &root)?;
        Ok(found.into_iter().filter(|(_, metadata)| !metadata.is_dir()).map(|(path, _)| path).collect())
    }

    /// Both sides of the comparison of what both have made, where that is not all.
    pub(super) fn overlap(&self, job: &Job<'_>, old: Side) -> Result<Option<(Side, Side)>, DriverError> {
        let (History::Backfill, Some(window)) = (self.derived.history, self.of_both()) else { return Ok(None) };
        let plan = job.work;
        let names = self.files.iter().map(|file| file.relative.as_str());
        let content = fingerprint_of(&self.anchor.absolute(), names)?;
        let writer = Side {
            anchor: self.anchor.clone(),
            known_as: Some(format!("written {content}")),
            files: Some(self.files.clone()),
            layout: plan.target_layout.clone(),
            schema: plan.mapping.target.clone(),
            mapping: Some(self.derived.copy.clone()),
            window: Some(window),
        };
        Ok(Some((Side { window: Some(window), ..old }, writer)))
    }
}

/// The writer's directory in staging.
fn written(staging: &Path) -> Result<Option<PathBuf>, DriverError> {
    for entry in std::fs::read_dir(staging).on("list", staging)? {
        let entry = entry.on("list", staging)?;
        if entry.file_name().to_string_lossy().starts_with(WRITTEN) {
            return Ok(Some(entry.path()));
        }
    }
    Ok(None)
}

/// First part of the names of a unit's files.
pub(super) fn stem(key: &str) -> String {
    match key.strip_prefix(WRITTEN) {
        Some(rest) => format!("{STEM}{rest}"),
        None => key.replace("unit", "part"),
    }
}

/// Whether a file of the target holds rows of the writer.
pub(super) fn is_written(derived: Option<&Derived>, relative: &str) -> bool {
    let name = relative.rsplit('/').next().unwrap_or_default();
    derived.is_some_and(|derived| derived.history != History::Backfill || name.starts_with(STEM))
}
