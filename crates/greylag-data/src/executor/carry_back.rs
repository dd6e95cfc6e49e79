//! Carrying rows back: data files that others have added to a published target become files of the old dataset.
//!
//! The mapping turned round ([`greylag_model::mapping::reversed`]) is a mapping like any other. So rows go back through what
//! they came through: reader processes convert them into a hidden sibling of the old dataset, read them again, and prove
//! both the writer (the evidence of what was written is that of what is read) and the mapping (what the mapping makes of
//! the rows that went back has the hash of the rows that were new, over all columns). Only then are the files renamed into
//! the old dataset, under names made of run, task and batch.
//!
//! # Dying half-way
//!
//! A *batch* is written down before its first file becomes visible: which files it was made from, and which files, known by
//! inode, it consists of. Before that a batch is nothing: the next attempt removes what was converted and starts over. From
//! then on every file of it is either still hidden or already in its place, and the next attempt moves the rest. A batch
//! whose files are all on disk under their names is marked as done, and what somebody does to them afterwards is theirs. The
//! hidden sibling is claimed under the attempt's epoch as that of the target is ([`crate::staging`]), so a zombie moves
//! nothing.
//!
//! Readers of the old dataset see a batch file by file, not at once.

use super::changes::Named;
use super::dataset::Manners;
use super::{Job, OnPath, output};
use crate::convert::{ConvertRequest, Output, RejectedOutput, SourceState, WrittenFile};
use crate::durable::{Identity, parent, settle, walk};
use crate::error::{not_carried, not_proven, odd_reply};
use crate::evidence::State;
use crate::hive;
use crate::listing::{Anchor, DataFile, FileFormat, list};
use crate::request::{Reply, Request};
use crate::staging::Staging;
use crate::verify::{VerifyRequest, WaysBack};
use greylag_driver::error::DriverError;
use greylag_driver::executor::Progress;
use greylag_model::mapping::{Mapping, reversed};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use xxhash_rust::xxh3::xxh3_128;

/// Longest plain name of a file that is carried back, without number and ending.
const NAME_MAX: usize = 120;
/// Begins the keys of batches among a step's notes.
const KEY: &str = "carry-";

/// Rows that went back together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Batch {
    /// The target's files that they were in.
    pub(super) from: Vec<Named>,
    /// The old dataset's files that they are in now.
    pub(super) files: Vec<Named>,
    /// How many.
    pub(super) rows: u64,
    /// Whether all files are on disk under their names.
    pub(super) done: bool,
}

/// What was carried back so far.
pub(super) struct Ledger {
    pub(super) batches: Vec<Batch>,
    /// Whether an earlier attempt has begun to carry, so that something of it may be there.
    begun: bool,
}

impl Ledger {
    pub(super) fn read(job: &Job<'_>) -> Result<Self, DriverError> {
        let mut noted = job.context.checkpoints()?;
        let begun = !noted.is_empty();
        noted.retain(|(key, _)| key.starts_with(KEY));
        noted.sort_by(|left, right| left.0.cmp(&right.0));
        let batch = |(_, value)| serde_json::from_value(value).map_err(|_| crate::error::lost("a batch of rows"));
        Ok(Self { batches: noted.into_iter().map(batch).collect::<Result<_, _>>()?, begun })
    }

    /// The target's files whose rows are in the old dataset.
    pub(super) fn known(&self) -> BTreeMap<&str, &Identity> {
        let from = self.batches.iter().flat_map(|batch| &batch.from);
        from.map(|(name, identity)| (name.as_str(), identity)).collect()
    }

    /// Moves what an earlier attempt has not moved, and removes what it has left. Looks at nothing if there was none: a
    /// run of ten thousand datasets in one directory would list it ten thousand times.
    pub(super) fn finish(&mut self, job: &Job<'_>) -> Result<(), DriverError> {
        if !self.begun {
            return Ok(());
        }
        let place = Place::of(job)?;
        for (number, batch) in self.batches.iter_mut().enumerate().filter(|(_, batch)| !batch.done) {
            place.staging.take(job.disk()).on("claim", &place.staging.path())?;
            place.appear(job, number, batch)?;
        }
        place.clear(job)
    }

    /// Carries the rows of new files back.
    pub(super) fn carry(&mut self, job: &Job<'_>, new: &[Named], manners: &Manners) -> Result<(), DriverError> {
        let place = Place::of(job)?;
        let number = self.batches.len();
        let mut batch = place.prepare(job, number, new, manners).inspect_err(|_| {
            // What was converted is of no use to anybody; what cannot be removed now goes with the next attempt.
            let _ = place.clear(job);
        })?;
        job.fault("in-effect", &place.source)?;
        job.context.checkpoint(&key(number), &output(&batch)?)?;
        place.appear(job, number, &mut batch)?;
        self.batches.push(batch);
        place.clear(job)
    }
}

fn key(number: usize) -> String {
    format!("{KEY}{number:05}")
}

/// Where rows go back to.
struct Place {
    /// The old dataset, links followed: a rename must stay on one file system.
    source: PathBuf,
    staging: Staging,
}

impl Place {
    fn of(job: &Job<'_>) -> Result<Self, DriverError> {
        let source = job.source()?.path;
        let source = std::fs::canonicalize(&source).on("open", &source)?;
        let staging = Staging::new(&source, job.request.run, job.request.task, job.request.epoch);
        Ok(Self { source, staging })
    }

    /// Converts and proves a batch in hiding, and puts it on disk.
    fn prepare(&self, job: &Job<'_>, number: usize, new: &[Named], manners: &Manners) -> Result<Batch, DriverError> {
        let root = self.staging.path();
        job.fault("write", &root)?;
        self.staging.claim(job.disk()).on("create", &root)?;
        self.staging.tidy(job.disk(), &HashSet::new()).on("remove", &root)?;
        let data = self.staging.data();
        job.disk().create_dir(&data, 0o700).on("create", &data)?;
        let converted = convert(job, new, &data, &stem(job, number))?;
        let own = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        let owner = Some(manners.file.owner()).filter(|owner| *owner != own);
        for file in &converted.files {
            let path = data.join(&file.relative);
            job.disk().set_access(&path, manners.file.mode | 0o400, owner).on("change", &path)?;
        }
        settle(job.disk(), &data).on("sync", &data)?;
        job.disk().sync(parent(&root)).on("sync", parent(&root))?;
        let identity = |file: &WrittenFile| {
            let path = data.join(&file.relative);
            let found = Identity::probe(&path).on("read", &path)?;
            Ok((file.relative.clone(), found.ok_or_else(|| crate::error::lost("what was converted back"))?))
        };
        let files = converted.files.iter().map(identity).collect::<Result<_, DriverError>>()?;
        Ok(Batch { from: new.to_vec(), files, rows: converted.rows, done: false })
    }

    /// Makes a batch visible, as far as it is not.
    fn appear(&self, job: &Job<'_>, number: usize, batch: &mut Batch) -> Result<(), DriverError> {
        let data = self.staging.data();
        let mut directories = BTreeSet::from([self.source.clone()]);
        for (relative, identity) in &batch.files {
            let (from, to) = (data.join(relative), self.source.join(relative));
            self.lead_to(job, &from, &to, &mut directories)?;
            match job.disk().rename(&from, &to) {
                Ok(()) => job.fault("in-effect", &to)?,
                Err(error) if [ErrorKind::NotFound, ErrorKind::AlreadyExists].contains(&error.kind()) => {
                    let there = Identity::probe(&to).on("read", &to)?;
                    if there.is_none_or(|there| !there.same_place(identity)) {
                        return Err(not_carried(&to, "it is not what was written there").hint(
                            "the rows are still in the new dataset: move the file away, and see `greylag diff`",
                        ));
                    }
                }
                Err(error) => return Err(error).on("restore", &to),
            }
        }
        for directory in directories.iter().rev() {
            job.disk().sync(directory).on("sync", directory)?;
        }
        batch.done = true;
        job.context.checkpoint(&key(number), &output(&*batch)?)
    }

    /// Makes the partition directories that lead to a file; they have the access that the old dataset's own has.
    fn lead_to(
        &self,
        job: &Job<'_>,
        from: &Path,
        to: &Path,
        directories: &mut BTreeSet<PathBuf>,
    ) -> Result<(), DriverError> {
        let holders: Vec<&Path> = to.ancestors().skip(1).take_while(|up| *up != self.source).collect();
        for holder in holders.into_iter().rev() {
            if !directories.insert(holder.to_owned()) || !from.exists() {
                continue;
            }
            match job.disk().create_dir(holder, 0o755) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                made => {
                    made.on("create", holder)?;
                    let access = super::dataset::Access::of(&std::fs::metadata(&self.source).on("read", &self.source)?);
                    let own = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
                    let owner = Some(access.owner()).filter(|owner| *owner != own);
                    job.disk().set_access(holder, access.mode, owner).on("change", holder)?;
                }
            }
        }
        Ok(())
    }

    /// Removes the hidden sibling.
    fn clear(&self, job: &Job<'_>) -> Result<(), DriverError> {
        self.staging.remove_all(job.disk()).on("remove", &self.staging.path())
    }
}

/// First part of the names of a batch's files: who reads them can tell where they come from.
fn stem(job: &Job<'_>, number: usize) -> String {
    let (run, task) = (job.request.run, job.request.task);
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    let whole = format!("carried-back-{run}-{task}");
    let whole = if whole.len() <= NAME_MAX && plain(&whole) {
        whole
    } else {
        format!("carried-back-{:032x}", xxh3_128(whole.as_bytes()))
    };
    format!("{whole}-{number}")
}

/// What was converted, and proven.
pub(super) struct Converted {
    pub(super) files: Vec<WrittenFile>,
    pub(super) rows: u64,
}

/// Converts new files of the target into a directory that is there, in the old dataset's layout, and proves every row.
pub(super) fn convert(job: &Job<'_>, new: &[Named], into: &Path, stem: &str) -> Result<Converted, DriverError> {
    let target = job.target()?;
    let mapping = reversed(&job.work.mapping)
        .map_err(|error| not_carried(&target.path, &format!("the mapping cannot be turned round: {error}")))?;
    let back = Back { job, mapping: Arc::new(mapping), into, stem };
    back.convert(&target.anchor, new).map_err(|error| match error.class {
        greylag_model::spec::ErrorClass::Permanent => {
            let message = format!("new rows of `{}` cannot be carried back: {}", target.path.display(), error.message);
            DriverError { message, ..error }
        }
        _ => error,
    })
}

struct Back<'a> {
    job: &'a Job<'a>,
    mapping: Arc<Mapping>,
    into: &'a Path,
    stem: &'a str,
}

/// Evidence of rows, and the files that hold them.
struct Seen {
    files: Vec<WrittenFile>,
    rows: u64,
    target: State,
    source: SourceState,
}

impl Back<'_> {
    fn seen(&self) -> Mutex<Seen> {
        let tolerant = State::empty(&WaysBack::of(&self.mapping).tolerant_schema(&self.mapping));
        let source = SourceState { tolerant, ..SourceState::default() };
        Mutex::new(Seen { files: Vec::new(), rows: 0, target: State::empty(&self.mapping.target), source })
    }

    fn convert(&self, target: &Anchor, new: &[Named]) -> Result<Converted, DriverError> {
        let layout = &self.job.work.target_layout;
        let wanted: HashSet<&str> = new.iter().map(|(name, _)| name.as_str()).collect();
        let mut listing = list(target, Some(FileFormat::of(&layout.format)))?;
        listing.files.retain(|file| wanted.contains(file.relative.as_str()));
        let units = self.job.units(target, layout, &listing.files)?;
        let written = self.seen();
        self.job.in_parallel(&units, |number, unit| {
            self.job.fault("write", self.into)?;
            let Reply::Convert(reply) = self.job.call(&self.request(target, number, unit.chunks.clone()))? else {
                return Err(odd_reply());
            };
            if !reply.is_inside() {
                return Err(odd_reply());
            }
            let mut written = written.lock().unwrap_or_else(PoisonError::into_inner);
            written.files.extend(reply.files);
            written.rows += reply.rows_read;
            written.target.merge(&reply.target);
            written.source.merge(&reply.source);
            let (chunks, chunks_total) = (written.files.len() as u64, units.len() as u64);
            self.job.context.progress(Progress { rows: written.rows, bytes: 0, chunks, chunks_total });
            Ok(())
        })?;
        let mut written = written.into_inner().unwrap_or_else(PoisonError::into_inner);
        written.files.sort_by(|left, right| left.relative.cmp(&right.relative));
        self.prove(&written)?;
        Ok(Converted { files: written.files, rows: written.rows })
    }

    fn request(&self, target: &Anchor, number: usize, chunks: Vec<crate::chunk::Chunk>) -> Request {
        let plan = self.job.work;
        Request::Convert(Box::new(ConvertRequest {
            source: target.clone(),
            source_layout: plan.target_layout.clone(),
            chunks,
            first_rows: None,
            mapping: Arc::clone(&self.mapping),
            output: Output {
                layout: plan.source.layout.clone(),
                path: self.into.to_owned(),
                is_there: false,
                stem: format!("{}-{number:05}", self.stem),
                head: true,
                even_if_empty: false,
            },
            // Nothing is rejected: a value that does not fit fails.
            rejected: RejectedOutput { path: self.into.join("_rejected"), with_values: false },
            limits: self.job.plane.options.limits,
            mark: None,
            window: None,
        }))
    }

    /// Reads everything back: the rows are those that were written, and the mapping makes the new rows of them.
    fn prove(&self, written: &Seen) -> Result<(), DriverError> {
        let layout = &self.job.work.source.layout;
        let anchor = Anchor { root: None, path: self.into.display().to_string() };
        let files: Vec<DataFile> = written.files.iter().map(data_file).collect();
        let units = self.job.units(&anchor, layout, &files)?;
        let read = self.seen();
        let differs = Mutex::new(self.stray(&written.files)?);
        self.job.in_parallel(&units, |_, unit| {
            let request = Request::Verify(Box::new(VerifyRequest {
                mapping: Arc::clone(&self.mapping),
                target: anchor.clone(),
                target_layout: layout.clone(),
                chunks: unit.chunks.clone(),
                sample: None,
                expected: Vec::new(),
                checks: Vec::new(),
                batch_rows: self.job.plane.options.limits.batch_rows,
            }));
            let Reply::Verify(reply) = self.job.call(&request)? else { return Err(odd_reply()) };
            let mut read = read.lock().unwrap_or_else(PoisonError::into_inner);
            read.target.merge(&reply.target);
            read.source.merge(&reply.source);
            if let Some(words) = reply.schema_differs {
                *differs.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
            }
            Ok(())
        })?;
        let read = read.into_inner().unwrap_or_else(PoisonError::into_inner);
        let schema = &self.mapping.target;
        let same = written.target.evidence(schema) == read.target.evidence(schema) && written.rows == read.target.rows;
        match differs.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(words) => return Err(not_proven(&words)),
            None if !same => return Err(not_proven("what was read back is not what was written")),
            None => {}
        }
        if written.source.exact == read.source.exact {
            return Ok(());
        }
        let bound = self.job.work.undo.iter().flat_map(|undo| &undo.bound);
        let bound: Vec<String> = bound.map(|name| format!("`{name}`")).collect();
        let error = not_proven("the mapping would not make the same rows of them again");
        Err(if bound.is_empty() {
            error
        } else {
            error.hint(format!("the old dataset has no place for {}: save those rows elsewhere", bound.join(", ")))
        })
    }

    /// A file that nobody spoke of.
    fn stray(&self, files: &[WrittenFile]) -> Result<Option<String>, DriverError> {
        let known: HashSet<PathBuf> = files.iter().map(|file| self.into.join(&file.relative)).collect();
        let found = walk(self.into).on("list", self.into)?;
        let stray = found.into_iter().find(|(path, metadata)| !metadata.is_dir() && !known.contains(path));
        Ok(stray.map(|(path, _)| format!("`{}` was written besides", path.display())))
    }
}

fn data_file(file: &WrittenFile) -> DataFile {
    let partition = hive::partition_of(&file.relative);
    DataFile { relative: file.relative.clone(), bytes: file.bytes, modified_nanos: 0, partition }
}
