//! One diff from beginning to end: the side that asks.

use super::digest::{ColumnOf, DigestReply, DigestRequest, SideOf, changed};
use super::merge::{Outcome, merge, reduce, runs_of};
use super::pick::{PickRequest, PickedRow};
use super::report::{Report, differences};
use super::runs::{Run, RunFile};
use crate::convert::Window;
use crate::durable::Identity;
use crate::error::odd_reply;
use crate::io_error::io_error;
use crate::listing::{Anchor, DataFile, FileFormat, list};
use crate::pool::CallLimits;
use crate::request::{Readers, Reply, Request};
use crate::sampler::take;
use crate::units::{Unit, in_parallel, units};
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use greylag_model::dataset::Layout;
use greylag_model::diff::{Compared, Named, Options, Pairing, Refused};
use greylag_model::mapping::Mapping;
use greylag_model::schema::Schema;
use greylag_model::spec::Tolerance;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use xxhash_rust::xxh3::xxh3_128;

/// Goes into the name of a diff's directory; a release that digests otherwise has another.
const FORM: u32 = 1;

/// One merge at a time: the checks of a run make many diffs at once, and its buffers are what a diff takes of this process.
static MERGING: Mutex<()> = Mutex::new(());

/// One of the two datasets.
#[derive(Clone, Debug)]
pub struct Side {
    /// Where it lies.
    pub anchor: Anchor,
    /// What tells it from others, where its place may be another the next time.
    pub known_as: Option<String>,
    /// Its files, where they are known without a look.
    pub files: Option<Vec<DataFile>>,
    /// How it is laid out.
    pub layout: Layout,
    /// Its columns, those of the partition last.
    pub schema: Schema,
    /// What is made of it before it is compared.
    pub mapping: Option<Mapping>,
    /// Only these rows; needs a mapping.
    pub window: Option<Window>,
}

impl Side {
    /// The columns that are compared.
    fn shown(&self) -> &Schema {
        self.mapping.as_ref().map_or(&self.schema, |mapping| &mapping.target)
    }
}

/// What makes diffs.
pub struct Diff<'a> {
    /// Who reads.
    pub readers: &'a Readers,
    /// Where diffs keep what they have done so far, each in a directory of its own.
    pub directory: &'a Path,
    /// Bytes of source that one request reads.
    pub chunk_bytes: u64,
    /// Most rows of a batch.
    pub batch_rows: usize,
    /// Keys whose rows are named, at most.
    pub rows: usize,
    /// Told how many bytes of how many are read.
    pub progress: &'a (dyn Fn(u64, u64) + Sync),
    /// Asked whether to give up; what is done so far is kept.
    pub cancelled: &'a (dyn Fn() -> bool + Sync),
}

/// A side with everything that requests need.
struct Prepared {
    known_as: Option<String>,
    request: SideOf,
    units: Vec<Unit>,
    files: Vec<DataFile>,
}

impl Diff<'_> {
    /// Compares two datasets.
    pub fn run(&self, left: &Side, right: &Side, options: &Options) -> Result<Report, DriverError> {
        let named = |words, side| Named { words, schema: Side::shown(side) };
        let pairing = Pairing::of(named("the first dataset", left), named("the second dataset", right), options)
            .map_err(refused)?;
        let sides = [self.prepare(left, 0, &pairing)?, self.prepare(right, 1, &pairing)?];
        let own = Own::take(self.directory, &sides)?;
        let bytes: u64 = sides.iter().flat_map(|side| &side.units).map(Unit::bytes).sum();
        let read = Read { done: AtomicU64::new(0), all: AtomicU64::new(bytes), seen: Mutex::default() };
        let tolerances: Vec<Tolerance> = pairing.columns.iter().filter_map(|column| column.tolerance).collect();
        let (left, rejected) = self.digest(&sides[0], 0, &own.path, tolerances.len(), &read)?;
        let (right, more) = self.digest(&sides[1], 1, &own.path, tolerances.len(), &read)?;
        let mut outcome = {
            let _one = MERGING.lock().unwrap_or_else(PoisonError::into_inner);
            let reduced = |runs, name| reduce(runs, tolerances.len(), &own.path, name);
            let (left, right) = (reduced(left, NAMES[0])?, reduced(right, NAMES[1])?);
            merge(&left, &right, &tolerances, self.rows, self.readers.at_once())?
        };
        outcome.counts.rejected = rejected + more;
        let differences = self.name(&sides, &pairing.columns, &outcome, &read, bytes)?;
        own.remove()?;
        Ok(report(pairing, outcome, differences, options))
    }

    fn call(&self, request: &Request) -> Result<Reply, DriverError> {
        let cancelled = || (self.cancelled)();
        self.readers.call_within(request, &CallLimits { timeout: None, cancelled: Some(&cancelled) })
    }

    fn go_on(&self) -> Result<(), DriverError> {
        if (self.cancelled)() {
            return Err(DriverError::transient(code::DIFF_STOPPED, "the diff was stopped")
                .hint("the same command goes on where it was"));
        }
        Ok(())
    }

    fn prepare(&self, side: &Side, number: usize, pairing: &Pairing) -> Result<Prepared, DriverError> {
        let files = match &side.files {
            Some(files) => files.clone(),
            None => list(&side.anchor, Some(FileFormat::of(&side.layout.format)))?.files,
        };
        let units = units(&|request| self.call(request), &side.anchor, &side.layout, &files, self.chunk_bytes)?;
        let column = |column: &Compared| ColumnOf {
            name: column.name.clone(),
            place: column.places[number],
            class: column.class,
            key: column.key,
            tolerant: column.tolerance.is_some(),
        };
        let request = SideOf {
            anchor: side.anchor.clone(),
            layout: side.layout.clone(),
            schema: side.schema.clone(),
            mapping: side.mapping.clone().map(Box::new),
            window: side.window,
            columns: pairing.columns.iter().map(column).collect(),
        };
        Ok(Prepared { known_as: side.known_as.clone(), request, units, files })
    }

    /// The runs of one side, and how many rows the mapping rejected.
    fn digest(
        &self,
        side: &Prepared,
        number: usize,
        directory: &Path,
        extras: usize,
        read: &Read,
    ) -> Result<(Vec<Run>, u64), DriverError> {
        let replies = Mutex::new(vec![DigestReply::default(); side.units.len()]);
        in_parallel(self.readers.at_once(), &side.units, &|| self.go_on(), |index, unit| {
            let done = Done { path: directory.join(format!("{}-{}", NAMES[number], unit.key)) };
            let reply = match done.reply() {
                Some(reply) => reply,
                None => self.digest_unit(side, unit, &done)?,
            };
            read.add(number, &reply.read, unit.bytes(), &side.request.anchor)?;
            (self.progress)(read.done.load(Ordering::Relaxed), read.all.load(Ordering::Relaxed));
            replies.lock().unwrap_or_else(PoisonError::into_inner)[index] = reply;
            Ok(())
        })?;
        let replies = replies.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut runs = Vec::new();
        for (unit, reply) in side.units.iter().zip(&replies).filter(|(_, reply)| !reply.runs.is_empty()) {
            let path = directory.join(format!("{}-{}", NAMES[number], unit.key));
            runs.extend(runs_of(&RunFile::open(path, extras)?, &reply.runs));
        }
        Ok((runs, replies.iter().map(|reply| reply.rejected).sum()))
    }

    fn digest_unit(&self, side: &Prepared, unit: &Unit, done: &Done) -> Result<DigestReply, DriverError> {
        let request = DigestRequest {
            side: side.request.clone(),
            chunks: unit.chunks.clone(),
            output: done.path.clone(),
            batch_rows: self.batch_rows,
        };
        let Reply::Digest(reply) = self.call(&Request::Digest(Box::new(request)))? else { return Err(odd_reply()) };
        done.keep(&reply)?;
        Ok(*reply)
    }

    /// The rows of the keys that differ, held against each other.
    fn name(
        &self,
        sides: &[Prepared; 2],
        columns: &[Compared],
        outcome: &Outcome,
        read: &Read,
        bytes: u64,
    ) -> Result<Vec<super::Difference>, DriverError> {
        if outcome.keys.is_empty() {
            return Ok(Vec::new());
        }
        read.all.fetch_add(bytes, Ordering::Relaxed);
        let mut picked = Vec::with_capacity(2);
        for (number, side) in sides.iter().enumerate() {
            let parts: Mutex<Vec<Vec<PickedRow>>> = Mutex::new(vec![Vec::new(); side.units.len()]);
            in_parallel(self.readers.at_once(), &side.units, &|| self.go_on(), |index, unit| {
                let request = PickRequest {
                    side: side.request.clone(),
                    chunks: unit.chunks.clone(),
                    keys: outcome.keys.clone(),
                    batch_rows: self.batch_rows,
                };
                let Reply::Pick(reply) = self.call(&Request::Pick(Box::new(request)))? else { return Err(odd_reply()) };
                read.add(number, &reply.read, unit.bytes(), &side.request.anchor)?;
                (self.progress)(read.done.load(Ordering::Relaxed), read.all.load(Ordering::Relaxed));
                parts.lock().unwrap_or_else(PoisonError::into_inner)[index] = reply.rows;
                Ok(())
            })?;
            picked.push(parts.into_inner().unwrap_or_else(PoisonError::into_inner).concat());
        }
        let right = picked.pop().unwrap_or_default();
        let left = picked.pop().unwrap_or_default();
        let well_formed = |row: &PickedRow| row.values.len() == columns.len() && row.texts.len() == columns.len();
        if !left.iter().chain(&right).all(well_formed) {
            return Err(odd_reply());
        }
        Ok(differences(columns, left, right))
    }
}

fn refused(why: Refused) -> DriverError {
    let error = DriverError::permanent(code::DIFF_REFUSED, why.message);
    why.hint.into_iter().fold(error, DriverError::hint)
}

const NAMES: [&str; 2] = ["left", "right"];

/// What has been read so far.
struct Read {
    done: AtomicU64,
    all: AtomicU64,
    /// Files as a reader saw them first: another answer later means that somebody writes to them.
    seen: Mutex<[HashMap<String, Identity>; 2]>,
}

impl Read {
    fn add(&self, side: usize, files: &[(String, Identity)], bytes: u64, anchor: &Anchor) -> Result<(), DriverError> {
        self.done.fetch_add(bytes, Ordering::Relaxed);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, identity) in files {
            let first = seen[side].entry(name.clone()).or_insert(*identity);
            if first != identity {
                return Err(changed(anchor, name));
            }
        }
        Ok(())
    }
}

fn report(pairing: Pairing, outcome: Outcome, differences: Vec<super::Difference>, options: &Options) -> Report {
    let Pairing { columns, only_left, only_right, differing } = pairing;
    let odd = differing.iter().any(|column| !column.compared);
    let changed = differences.iter().filter(|difference| difference.kind == super::Kind::Changed);
    let mut by_column: HashMap<&str, u64> = HashMap::new();
    for (cell, rows) in changed.flat_map(|difference| difference.columns.iter().map(|cell| (cell, difference.rows))) {
        *by_column.entry(&cell.column).or_default() += rows;
    }
    let changed_columns =
        columns.iter().filter_map(|column| Some((column.name.clone(), *by_column.get(column.name.as_str())?)));
    let changed_columns = changed_columns.collect();
    Report {
        equal: outcome.counts.keys_differing == 0 && only_left.is_empty() && only_right.is_empty() && !odd,
        complete: outcome.keys.len() as u64 == outcome.counts.keys_differing,
        key: options.key.clone(),
        compared: columns.iter().map(|column| column.name.clone()).collect(),
        counts: outcome.counts,
        only_left,
        only_right,
        differing_types: differing,
        changed_columns,
        differences,
    }
}

/// The directory of one diff, locked for as long as it is worked on.
struct Own {
    path: PathBuf,
    _lock: File,
}

impl Own {
    fn take(root: &Path, sides: &[Prepared; 2]) -> Result<Self, DriverError> {
        let files: Vec<_> = sides.iter().map(|side| &side.files).collect();
        let place = |side: &Prepared| match &side.known_as {
            Some(name) => Anchor { root: None, path: name.clone() },
            None => side.request.anchor.clone(),
        };
        let requests: Vec<_> =
            sides.iter().map(|side| SideOf { anchor: place(side), ..side.request.clone() }).collect();
        let names: Vec<Vec<_>> =
            sides.iter().map(|side| side.units.iter().map(|unit| &unit.chunks).collect()).collect();
        let identity = rmp_serde::to_vec(&(FORM, env!("CARGO_PKG_VERSION"), files, requests, names))
            .map_err(|error| DriverError::permanent(code::IO, format!("a diff cannot be named: {error}")))?;
        let path = root.join(format!("{:032x}", xxh3_128(&identity)));
        let failed = |error: &std::io::Error| io_error("create", &path, error);
        fs::create_dir_all(&path).map_err(|error| failed(&error))?;
        match take(&path).map_err(|error| failed(&error))? {
            Some(lock) => Ok(Self { path, _lock: lock }),
            None => Err(DriverError::conflict(code::DIFF_RUNNING, "the same diff is being made by another process")
                .hint("wait for that one")),
        }
    }

    fn remove(self) -> Result<(), DriverError> {
        fs::remove_dir_all(&self.path).map_err(|error| io_error("remove", &self.path, &error))
    }
}

/// What a unit's digest left.
struct Done {
    path: PathBuf,
}

impl Done {
    fn note(&self) -> PathBuf {
        self.path.with_extension("done")
    }

    /// What was answered when the unit was digested, if it was.
    fn reply(&self) -> Option<DigestReply> {
        rmp_serde::from_slice(&fs::read(self.note()).ok()?).ok()
    }

    /// Keeps an answer. The runs are on disk before, so that a note never tells of runs that a power cut took.
    fn keep(&self, reply: &DigestReply) -> Result<(), DriverError> {
        let note = self.note();
        let failed = |error: std::io::Error| io_error("write", &note, &error);
        let bytes = rmp_serde::to_vec_named(reply).map_err(|_| odd_reply())?;
        File::open(&self.path).and_then(|runs| runs.sync_data()).map_err(failed)?;
        let draft = self.path.with_extension("draft");
        File::create(&draft).and_then(|mut file| file.write_all(&bytes)).map_err(failed)?;
        fs::rename(&draft, &note).map_err(failed)
    }
}
