//! `data/backfill`: converts every chunk into staging, in parallel, and settles it.
//!
//! A dataset of one unit is one request and has no checkpoint: what an attempt leaves of it is removed by the next. If it
//! is a single file, too, it is staged without a directory and its name is not synced ([`crate::staging`]). With
//! several units each is settled and then written down in the ledger, so that a crash redoes at most the units in flight.
//! Small ones are settled and written down together ([`settle`]).
//! A ledger entry counts only if the source is the one it was made from and its files are there. When a person tries
//! again what failed its verification, nothing counts: all is converted anew.

mod settle;

use super::changes::{Mark, marks};
use super::dataset::{Manners, Place, content_fingerprint, fingerprint_of};
use super::derive::{Made, WRITTEN, stem};
use super::increment::{Choice, Increment, Piece};
use super::units::Unit;
use super::{Job, OnPath, Work, done, output};
use crate::convert::{ConvertReply, ConvertRequest, MarkOf, Marked, Output, RejectedOutput, SourceState, WrittenFile};
use crate::durable::Identity;
use crate::error::{lost, power_cut, source_changed};
use crate::evidence::State;
use crate::listing::{DataFile, FileFormat, list};
use crate::request::{AssembleRequest, Reply, Request};
use crate::staging::{Claim, Staging};
use greylag_driver::error::DriverError;
use greylag_driver::executor::{Outcome, Progress, Rehearsal, StepReport};
use greylag_model::dataset::Shape;
use greylag_model::increment::Mark as Watermark;
use serde::{Deserialize, Serialize};
use settle::Gathered;
use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

pub(super) struct Backfill;

/// What backfill wrote down.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Backfilled {
    /// The staged file or directory: known again by inode after its rename.
    pub(super) staged: Option<Identity>,
    /// Names and identities of everything staged.
    pub(super) content: String,
    /// Names and identities of everything in the source.
    pub(super) source: String,
    /// Data files, relative to the dataset.
    pub(super) files: Vec<WrittenFile>,
    /// What tells each of them from another file in its place, in the same order.
    #[serde(default)]
    pub(super) marks: Vec<Mark>,
    /// Rows read.
    pub(super) rows_read: u64,
    /// Rows rejected.
    pub(super) rejected: u64,
    /// Where they are, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) rejected_file: Option<PathBuf>,
    /// Evidence of what was written.
    pub(super) target: State,
    /// Evidence of the same rows in the source.
    pub(super) source_state: SourceState,
    /// Access that the target is to have.
    pub(super) manners: Option<Manners>,
    /// What it took and what it kept, if runs take up what changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) increment: Option<Increment>,
    /// How far the target is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) watermark: Option<Watermark>,
    /// The start of the machine that it happened under: after another one the staged name may be gone.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) boot: String,
}

impl Backfilled {
    /// What it wrote down is not there.
    pub(super) fn lost(&self, job: &Job<'_>, what: &str) -> DriverError {
        if self.boot == job.plane.boot { lost(what) } else { power_cut(what) }
    }

    /// Names and identities of what it was made from, as they are now.
    pub(super) fn source_now(&self, place: &Path) -> Result<String, DriverError> {
        match &self.increment {
            None => content_fingerprint(place),
            // Of the other files none was read, and new ones may come at any time.
            Some(increment) => fingerprint_of(place, increment.taken.iter().map(String::as_str)),
        }
    }

    /// Names and identities of what was staged, as they are now at `data`.
    pub(super) fn staged_now(&self, data: &Path) -> Result<String, DriverError> {
        match &self.increment {
            None => content_fingerprint(data),
            // An attempt to publish puts the kept files beside them.
            Some(_) => fingerprint_of(data, self.files.iter().map(|file| file.relative.as_str())),
        }
    }
}

/// A finished unit in the ledger.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Finished {
    /// The source that it was made from.
    source: String,
    /// Which piece of which file it is, if runs take up what changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    piece: Option<Piece>,
    reply: ConvertReply,
    /// When its files were written, in their order, if runs take up what changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    times: Vec<i64>,
}

impl Work for Backfill {
    fn forward(&self, job: &Job<'_>) -> Result<Outcome, DriverError> {
        let mut run = Run::new(job, job.staging()?)?;
        let before = run.fingerprint()?;
        let units = run.units()?;
        let claim = run.claim(&units)?;
        // Done before and begun again: what it made did not hold, so nothing of it is kept.
        let anew = job.context.output_of("data/backfill")?.is_some();
        let noted = units.len() > 1 || run.choice.is_some();
        let finished = if noted && !anew { run.ledger(&before)? } else { BTreeMap::new() };
        run.prepare(claim, &finished)?;
        let replies = run.convert(&units, finished, &before)?;
        let report = run.finish(&units, replies, &before)?;
        Ok(done(report))
    }

    fn undo(&self, job: &Job<'_>) -> Result<Vec<String>, DriverError> {
        let staging = job.staging()?;
        job.fault("in-effect", &staging.path())?;
        if staging.take(job.disk()).on("claim", &staging.path())? {
            staging.tidy(job.disk(), &HashSet::new()).on("remove", &staging.path())?;
        }
        Ok(Vec::new())
    }

    fn rehearse(&self, job: &Job<'_>) -> Result<Rehearsal, DriverError> {
        let target = job.target()?.path;
        Ok(Rehearsal::does(format!("delete what was converted for `{}`", target.display())))
    }
}

/// One attempt.
struct Run<'a> {
    job: &'a Job<'a>,
    staging: Staging,
    place: Place,
    files: Vec<DataFile>,
    /// What it takes and what it keeps, if runs take up what changed.
    choice: Option<Choice>,
    /// What a writer made, if it is a derived dataset.
    made: Option<Made>,
}

impl<'a> Run<'a> {
    fn new(job: &'a Job<'a>, staging: Staging) -> Result<Self, DriverError> {
        let source = job.source()?;
        let declared = FileFormat::of(&job.work.source.layout.format);
        let listing = list(&source.anchor, Some(declared))?;
        let choice = match &job.work.increments {
            None => None,
            Some(increments) => Some(Choice::make(job, increments, &source, listing.files.clone())?),
        };
        let files = choice.as_ref().map_or(listing.files, |choice| choice.convert.clone());
        if job.work.derived.is_some() {
            staging.take(job.disk()).on("claim", &staging.path())?;
        }
        let made = Made::of(job, &staging)?;
        Ok(Self { job, staging, place: source, files, choice, made })
    }

    /// Names and identities of what is converted.
    fn fingerprint(&self) -> Result<String, DriverError> {
        self.choice
            .as_ref()
            .map_or_else(|| content_fingerprint(&self.place.path), |choice| choice.fingerprint(&self.place))
    }

    fn units(&mut self) -> Result<Vec<Unit>, DriverError> {
        let (job, anchor, layout) = (self.job, &self.place.anchor, &self.job.work.source.layout);
        match &mut self.choice {
            None => match &self.made {
                Some(made) => made.units(job, || job.units(anchor, layout, &self.files)),
                None => job.units(anchor, layout, &self.files),
            },
            Some(choice) => choice.units(&|file| job.units(anchor, layout, std::slice::from_ref(file))),
        }
    }

    /// What a unit's ledger entry says of its source: the version of its file, else of the whole.
    fn version<'s>(&'s self, key: &str, source: &'s str) -> &'s str {
        match &self.choice {
            None => source,
            Some(choice) => choice.piece(key).map_or("", |(_, version)| version),
        }
    }

    fn shape(&self) -> Shape {
        self.job.work.target_layout.shape
    }

    /// The units that the ledger knows, of this very source, whose files are there.
    fn ledger(&self, source: &str) -> Result<BTreeMap<String, ConvertReply>, DriverError> {
        let mut finished = BTreeMap::new();
        for (key, value) in self.job.context.checkpoints()? {
            let Ok(entry) = serde_json::from_value::<Finished>(value) else { continue };
            let there = |file: &WrittenFile| {
                let path = self.written_path(&key, file);
                std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.len() == file.bytes)
            };
            if entry.source == self.version(&key, source) && entry.reply.files.iter().all(there) {
                finished.insert(key, entry.reply);
            }
        }
        Ok(finished)
    }

    /// Where a unit of a single file that has several goes; other units go where they stay.
    fn piece(&self, key: &str) -> PathBuf {
        self.staging.parts().join(key)
    }

    fn written_path(&self, key: &str, file: &WrittenFile) -> PathBuf {
        match self.shape() {
            Shape::File => self.piece(key),
            Shape::Directory => self.staging.data().join(&file.relative),
        }
    }

    fn rejected_path(&self, key: &str) -> PathBuf {
        self.staging.rejected().join(format!("{key}.jsonl"))
    }

    /// Makes staging this attempt's own: the empty file, or the directory.
    fn claim(&self, units: &[Unit]) -> Result<Claim, DriverError> {
        let (disk, path) = (self.job.disk(), self.staging.path());
        if self.job.is_one_file() && units.len() <= 1 {
            self.job.fault("write", &path)?;
            return self.staging.claim_file(disk).on("create", &path).map(|()| Claim::Fresh);
        }
        self.staging.claim(disk).on("create", &path)
    }

    /// Removes what is not finished and makes the directories.
    fn prepare(&self, claim: Claim, finished: &BTreeMap<String, ConvertReply>) -> Result<(), DriverError> {
        let mut keep = HashSet::new();
        for (key, reply) in finished {
            keep.extend(reply.files.iter().map(|file| self.written_path(key, file)));
            if reply.rejected > 0 {
                keep.insert(self.rejected_path(key));
            }
        }
        if let Some(made) = &self.made {
            keep.extend(made.keep()?);
        }
        if claim == Claim::Taken {
            self.staging.tidy(self.job.disk(), &keep).on("remove", &self.staging.path())?;
        }
        if self.shape() == Shape::Directory {
            self.directory(&self.staging.data())?;
        }
        if self.job.rejects() {
            self.directory(&self.staging.rejected())?;
        }
        Ok(())
    }

    fn directory(&self, path: &Path) -> Result<(), DriverError> {
        self.job.fault("write", path)?;
        match self.job.disk().create_dir(path, 0o700) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            made => made.on("create", path),
        }
    }

    fn request(&self, key: &str, unit: &Unit, alone: bool, head: bool, even_if_empty: bool) -> ConvertRequest {
        let plan = self.job.work;
        let path = match (self.shape(), alone) {
            (Shape::File, false) => self.piece(key),
            _ => self.staging.data(),
        };
        let made = self.made.as_ref();
        let theirs = made.filter(|_| key.starts_with(WRITTEN));
        let (anchor, layout, mapping, window) = match theirs {
            Some(made) => (&made.anchor, &plan.target_layout, &made.derived.copy, made.of_the_writer()),
            None => (&self.place.anchor, &plan.source.layout, &plan.mapping, made.and_then(Made::of_the_old)),
        };
        ConvertRequest {
            source: anchor.clone(),
            source_layout: layout.clone(),
            chunks: unit.chunks.clone(),
            first_rows: None,
            mapping: Arc::new(mapping.clone()),
            output: Output {
                layout: plan.target_layout.clone(),
                is_there: path == self.staging.path(),
                path,
                stem: stem(key),
                head,
                even_if_empty,
            },
            rejected: RejectedOutput {
                path: self.rejected_path(key),
                with_values: self.job.plane.options.rejected_with_values,
            },
            limits: self.job.plane.options.limits,
            mark: self.mark(),
            window,
        }
    }

    /// What is to be noted of the watermark.
    fn mark(&self) -> Option<MarkOf> {
        let plan = self.job.work;
        let watermark = plan.increments.as_ref()?.watermark.as_ref()?;
        let (column, _) = plan.mapping.target.find(&watermark.column)?;
        Some(MarkOf { column, late_below: watermark.late_below() })
    }

    /// Converts what is not finished.
    fn convert(
        &self,
        units: &[Unit],
        finished: BTreeMap<String, ConvertReply>,
        source: &str,
    ) -> Result<BTreeMap<String, ConvertReply>, DriverError> {
        let alone = units.len() <= 1 && self.choice.is_none();
        // Each source file is one of the target, also if it has no rows; only where values make directories there is no place.
        let always = self.choice.is_some() && self.job.work.target_layout.partition_by.is_empty();
        if !alone && self.shape() == Shape::File {
            self.directory(&self.staging.parts())?;
        }
        let before = units.iter().filter_map(|unit| Some((unit, finished.get(&unit.key)?)));
        let mut progress = Progress { chunks_total: units.len() as u64, ..Progress::default() };
        for (unit, reply) in before {
            progress.rows += reply.rows_read;
            progress.bytes += unit.bytes();
            progress.chunks += 1;
        }
        let (done, gathered) = (Mutex::new((finished, progress)), Mutex::new(Gathered::default()));
        let lock = || done.lock().unwrap_or_else(PoisonError::into_inner);
        let converted = self.job.in_parallel(units, |index, unit| {
            if lock().0.contains_key(&unit.key) {
                return Ok(());
            }
            self.job.fault("write", &self.staging.path())?;
            let pieces = self.shape() == Shape::File;
            // A piece is a part of one file; in a directory each is a file of its own.
            let head = index == 0 || !pieces;
            let request = self.request(&unit.key, unit, alone, head, pieces || alone || always);
            let Reply::Convert(reply) = self.job.call(&Request::Convert(Box::new(request)))? else {
                return Err(crate::error::odd_reply());
            };
            self.inside(&reply)?;
            self.job.fault("in-effect", &self.staging.path())?;
            if !alone && let Some(full) = self.gather(&gathered, unit, &reply) {
                self.settle_units(&full.units, source)?;
            }
            let mut done = lock();
            done.1.rows += reply.rows_read;
            done.1.bytes += unit.bytes();
            done.1.chunks += 1;
            self.job.context.progress(done.1);
            done.0.insert(unit.key.clone(), *reply);
            Ok(())
        });
        // Also after a failure: what is converted need not be converted again.
        let rest = gathered.into_inner().unwrap_or_else(PoisonError::into_inner);
        let settled = self.settle_units(&rest.units, source);
        converted.and(settled)?;
        Ok(done.into_inner().unwrap_or_else(PoisonError::into_inner).0)
    }

    /// A reader is not trusted with names: it may only have written below its output.
    fn inside(&self, reply: &ConvertReply) -> Result<(), DriverError> {
        if reply.is_inside() { Ok(()) } else { Err(crate::error::odd_reply()) }
    }

    /// Puts everything together: single file, empty dataset, access, rejected rows; settles it and says what it is.
    fn finish(
        &self,
        units: &[Unit],
        replies: BTreeMap<String, ConvertReply>,
        before: &str,
    ) -> Result<StepReport, DriverError> {
        let mapping = &self.job.work.mapping;
        let ways = crate::verify::WaysBack::of(mapping);
        let mut all = Backfilled {
            source: before.to_owned(),
            target: State::empty(&mapping.target),
            source_state: SourceState { tolerant: State::empty(&ways.tolerant_schema(mapping)), ..Default::default() },
            ..Backfilled::default()
        };
        let mut marked = Marked::default();
        for (key, reply) in &replies {
            marked.merge(reply.marked);
            all.rows_read += reply.rows_read;
            all.rejected += reply.rejected;
            all.target.merge(&reply.target);
            // What a writer made has no source to be held against.
            if !key.starts_with(WRITTEN) {
                all.source_state.merge(&reply.source);
            }
            all.files.extend(reply.files.iter().cloned());
        }
        let nothing = self.choice.as_ref().is_none_or(|choice| choice.kept.is_empty() && self.job.base().is_none());
        let empty = all.files.is_empty() && nothing;
        if empty {
            all.files = self.empty()?;
        }
        if self.shape() == Shape::File && units.len() > 1 {
            all.files = vec![self.assemble(units, all.target.rows)?];
        }
        all.files.sort_by(|left, right| left.relative.cmp(&right.relative));
        let after = self.fingerprint()?;
        if after != before {
            return Err(source_changed(&self.place.path));
        }
        all.rejected_file = self.keep_rejected(&replies)?;
        let alone = units.len() <= 1 && self.choice.is_none();
        let settled = replies.iter().filter(|_| !alone && self.shape() == Shape::Directory);
        let settled = settled.flat_map(|(key, reply)| reply.files.iter().map(|file| self.written_path(key, file)));
        all.manners = Some(self.settle_whole(&settled.collect())?);
        let data = self.staging.data();
        all.boot.clone_from(&self.job.plane.boot);
        all.staged = Identity::probe(&data).on("read", &data)?;
        if let (Some(choice), Some(increments)) = (&self.choice, &self.job.work.increments) {
            all.increment = Some(choice.report(marked.late));
            all.watermark = choice.mark(increments, marked.largest);
            let entry = empty.then(|| Choice::placeholder(&all.files));
            choice.close(self.job, increments.base.as_ref(), entry.as_ref())?;
        }
        all.content = all.staged_now(&data)?;
        all.marks = marks(&data, &all.files)?;
        let bytes = self.files.iter().map(|file| file.bytes).sum();
        let chunks = units.len() as u64;
        let progress = Progress { rows: all.rows_read, bytes, chunks, chunks_total: chunks };
        Ok(StepReport { progress, output: output(&all)?, ..StepReport::default() })
    }

    /// A valid dataset without rows.
    fn empty(&self) -> Result<Vec<WrittenFile>, DriverError> {
        let unit = Unit { key: "unit-00000".to_owned(), chunks: Vec::new() };
        self.job.fault("write", &self.staging.path())?;
        let request = self.request(&unit.key, &unit, true, true, true);
        match self.job.call(&Request::Convert(Box::new(request)))? {
            Reply::Convert(reply) => self.inside(&reply).map(|()| reply.files),
            _ => Err(crate::error::odd_reply()),
        }
    }

    fn assemble(&self, units: &[Unit], rows: u64) -> Result<WrittenFile, DriverError> {
        self.job.fault("write", &self.staging.data())?;
        let request = AssembleRequest {
            format: self.job.work.target_layout.format.clone(),
            pieces: units.iter().map(|unit| self.piece(&unit.key)).collect(),
            output: self.staging.data(),
        };
        let Reply::Assembled(bytes) = self.job.call(&Request::Assemble(request))? else {
            return Err(crate::error::odd_reply());
        };
        Ok(WrittenFile { relative: String::new(), rows, bytes })
    }

    /// Rejected rows leave staging for the run's own directory, in the order of the source.
    fn keep_rejected(&self, replies: &BTreeMap<String, ConvertReply>) -> Result<Option<PathBuf>, DriverError> {
        if replies.values().all(|reply| reply.rejected == 0) {
            return Ok(None);
        }
        let directory = self.job.plane.artefacts.join(self.job.request.run.as_str());
        self.job.fault("write", &directory)?;
        std::fs::create_dir_all(&directory).on("create", &directory)?;
        let name = self.job.request.task.as_str().replace('/', ".");
        let path = directory.join(format!("{name}.rejected.jsonl"));
        let hidden = directory.join(format!(".{name}.rejected.jsonl"));
        let mut whole = File::create(&hidden).on("create", &hidden)?;
        for (key, _) in replies.iter().filter(|(_, reply)| reply.rejected > 0) {
            let piece = self.rejected_path(key);
            let mut lines = File::open(&piece).on("open", &piece)?;
            std::io::copy(&mut lines, &mut whole).on("write", &hidden)?;
        }
        self.job.disk().sync(&hidden).on("sync", &hidden)?;
        self.job.disk().replace(&hidden, &path).on("write", &path)?;
        self.job.disk().sync(&directory).on("sync", &directory)?;
        Ok(Some(path))
    }
}
