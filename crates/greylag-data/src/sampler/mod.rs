//! Samples: a few rows through the very requests that backfill and verify make, into a directory that nobody sees.
//!
//! # What is the same, and what is not
//!
//! Reader processes convert and verify as they do in a run, with the same limits, and [`crate::verify::judge`] judges. What
//! is different: only the first rows of the first files are read; the output lies in a [`Scratch`] directory, not beside
//! the target, which is not even looked at; and a column whose policy is `fail` rejects instead, so that one sample finds
//! every misfit and not only the first. Which of them would have failed is told by the policy in [`Sample::misfits`].
//!
//! The reference evaluator sees rows of the same sample. If all were seen, it must reject as many as the conversion did.
//!
//! # Dying half-way
//!
//! A sample leaves nothing behind when it ends, well or not. What a killed process leaves is removed by the next that
//! makes a [`Scratch`] below the same root.

mod scratch;

pub(crate) use scratch::take;
pub use scratch::{Scratch, abandoned, clear};

use crate::chunk::{Chunk, Extent, Part};
use crate::convert::{ConvertReply, ConvertRequest, Limits, Output, RejectedOutput};
use crate::executor::{Options, Place};
use crate::hive;
use crate::io_error::io_error;
use crate::listing::{Anchor, DataFile, FileFormat, list};
use crate::pool::CallLimits;
use crate::request::{Readers, Reply, Request};
use crate::verify::{Facts, SampleOf, VerifyReply, VerifyRequest, judge};
use greylag_driver::error::DriverError;
use greylag_driver::executor::dataset_of;
use greylag_driver::sampler::{SampleRequest, Sampler};
use greylag_model::check::CheckResult;
use greylag_model::dataset::Shape;
use greylag_model::mapping::Mapping;
use greylag_model::plan::DatasetWork;
use greylag_model::sample::{Misfits, Sample};
use greylag_model::spec::Misfit;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes that one sample may write: rows can be large.
const OUTPUT_BYTES: u64 = 1 << 30;
/// Name of the file or directory that a sample is written to.
const DATA: &str = "data";

/// Takes samples of datasets of files.
pub struct LocalSampler {
    readers: Arc<Readers>,
    options: Options,
    scratch: Scratch,
}

impl LocalSampler {
    /// A sampler that has `readers` work and writes below `scratch`.
    pub fn new(readers: Arc<Readers>, options: Options, scratch: Scratch) -> Self {
        Self { readers, options, scratch }
    }
}

impl Sampler for LocalSampler {
    fn width(&self) -> usize {
        self.readers.at_once()
    }

    fn sample(&self, request: &SampleRequest<'_>, cancelled: &dyn Fn() -> bool) -> Result<Sample, DriverError> {
        let task = dataset_of(request.task)?;
        let place = Place::of(&task.source.dataset.location, &request.header.connections)?;
        let format = FileFormat::of(&task.source.layout.format);
        let mut files = list(&place.anchor, Some(format))?.files;
        let all = files.len();
        // A file without rows takes the place of one with some; that makes a smaller sample, not a wrong one.
        files.truncate(usize::try_from(request.rows).unwrap_or(usize::MAX));
        let room = self.scratch.room()?;
        let attempt = Attempt {
            sampler: self,
            task,
            rows: request.rows,
            source: place.anchor,
            chunks: files.iter().map(chunk).collect(),
            // Checked by judging: rows that are left out must be counted as rejected by everybody who evaluates.
            mapping: counting(&task.mapping),
            room: room.path(),
            cancelled,
        };
        let converted = attempt.convert()?;
        let verified = attempt.verify(&converted)?;
        let known = task.source.rows == Some(converted.rows_read);
        let whole = known || (converted.rows_read < request.rows && all == files.len());
        Ok(attempt.report(converted, &verified, whole))
    }
}

/// A whole file as a chunk.
fn chunk(file: &DataFile) -> Chunk {
    let part = Part { relative: file.relative.clone(), extent: Extent::Whole, rows: None, bytes: file.bytes };
    Chunk { key: "chunk-00000".to_owned(), partition: file.partition.clone(), parts: vec![part] }
}

/// The mapping with nothing in it that ends a conversion.
fn counting(mapping: &Mapping) -> Arc<Mapping> {
    let mut mapping = mapping.clone();
    for column in mapping.columns.iter_mut().filter(|column| column.misfit == Misfit::Fail) {
        column.misfit = Misfit::Reject;
    }
    Arc::new(mapping)
}

/// One sample being taken.
struct Attempt<'a> {
    sampler: &'a LocalSampler,
    task: &'a DatasetWork,
    rows: u64,
    source: Anchor,
    chunks: Vec<Chunk>,
    mapping: Arc<Mapping>,
    room: &'a Path,
    cancelled: &'a dyn Fn() -> bool,
}

impl Attempt<'_> {
    fn call(&self, request: &Request) -> Result<Reply, DriverError> {
        let limits = CallLimits { timeout: None, cancelled: Some(self.cancelled) };
        self.sampler.readers.call_within(request, &limits)
    }

    fn data(&self) -> PathBuf {
        self.room.join(DATA)
    }

    /// A batch is no larger than the sample: nobody parses rows that nobody wants.
    fn limits(&self) -> Limits {
        let limits = self.sampler.options.limits;
        let batch_rows = limits.batch_rows.min(usize::try_from(self.rows).unwrap_or(usize::MAX));
        Limits { batch_rows, output_bytes: limits.output_bytes.min(OUTPUT_BYTES), ..limits }
    }

    fn convert(&self) -> Result<ConvertReply, DriverError> {
        if self.task.target_layout.shape == Shape::Directory {
            let data = self.data();
            std::fs::create_dir(&data).map_err(|error| io_error("create", &data, &error))?;
        }
        let request = ConvertRequest {
            source: self.source.clone(),
            source_layout: self.task.source.layout.clone(),
            chunks: self.chunks.clone(),
            first_rows: Some(self.rows),
            mapping: Arc::clone(&self.mapping),
            output: Output {
                is_there: false,
                layout: self.task.target_layout.clone(),
                path: self.data(),
                stem: "part-00000".to_owned(),
                head: true,
                even_if_empty: true,
            },
            rejected: RejectedOutput { path: self.room.join("rejected.jsonl"), with_values: false },
            limits: self.limits(),
            mark: None,
            window: None,
        };
        match self.call(&Request::Convert(Box::new(request)))? {
            Reply::Convert(reply) if reply.is_inside() => Ok(*reply),
            _ => Err(crate::error::odd_reply()),
        }
    }

    fn verify(&self, converted: &ConvertReply) -> Result<VerifyReply, DriverError> {
        let written = converted.files.iter().map(|file| {
            let (relative, partition) = (file.relative.clone(), hive::partition_of(&file.relative));
            chunk(&DataFile { relative, bytes: file.bytes, modified_nanos: 0, partition })
        });
        let limits = self.limits();
        let most = self.sampler.options.sample_rows;
        let request = VerifyRequest {
            mapping: Arc::clone(&self.mapping),
            target: Anchor { root: None, path: self.data().display().to_string() },
            target_layout: self.task.target_layout.clone(),
            chunks: written.collect(),
            sample: Some(SampleOf {
                window: None,
                source: self.source.clone(),
                source_layout: self.task.source.layout.clone(),
                chunks: self.chunks.clone(),
                first_rows: Some(self.rows),
                rows: most.min(usize::try_from(self.rows).unwrap_or(most)),
                seed: 0,
            }),
            expected: Vec::new(),
            checks: self.task.checks.iter().filter_map(|check| check.expr.clone()).collect(),
            batch_rows: limits.batch_rows,
        };
        match self.call(&Request::Verify(Box::new(request)))? {
            Reply::Verify(reply) => Ok(*reply),
            _ => Err(crate::error::odd_reply()),
        }
    }

    fn report(&self, converted: ConvertReply, verified: &VerifyReply, whole: bool) -> Sample {
        let checks = self.judge(&converted, verified);
        let policy = |column: &str| {
            let planned = self.task.mapping.columns.iter().find(|planned| planned.target == column);
            planned.map_or(Misfit::Fail, |planned| planned.misfit)
        };
        let as_planned = |misfits: Misfits| Misfits { policy: policy(&misfits.column), ..misfits };
        Sample {
            rows: converted.rows_read,
            whole,
            written: converted.target.rows,
            rejected: converted.rejected,
            misfits: converted.misfits.into_iter().map(as_planned).collect(),
            checks,
            bytes: converted.files.iter().map(|file| file.bytes).sum(),
            millis: 0,
        }
    }

    fn judge(&self, converted: &ConvertReply, verified: &VerifyReply) -> Vec<CheckResult> {
        let mut counted = verified.violations.iter().copied();
        let checks = &self.task.checks;
        let violations: Vec<Option<u64>> =
            checks.iter().map(|check| check.expr.as_ref().and_then(|_| counted.next())).collect();
        judge(&Facts {
            mapping: &self.mapping,
            written: &converted.target,
            source: &converted.source,
            read_back: &verified.target,
            computed_back: &verified.source,
            rows_read: converted.rows_read,
            source_rows: None,
            rejected: converted.rejected,
            sampled: &verified.sampled,
            found: &verified.found,
            checks,
            violations: &violations,
            diffs: &[],
            files_differ: verified.schema_differs.as_deref(),
            kept: (0, 0),
            mapped: true,
        })
    }
}
