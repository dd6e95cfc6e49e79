//! `data/verify`: the three proofs of [`crate::verify`], and the file's own checks.
//!
//! What fails a check stays in staging, and the check's words say where, so that somebody can look at it. A retry makes
//! it anew, an undo removes it, and so does `greylag gc` once the run has ended.

use super::backfill::Backfilled;
use super::derive::{Made, is_written};
use super::diff_check::Staged;
use super::increment::Increment;
use super::units::Unit;
use super::{Job, OnPath, Work, done, output};
use crate::convert::SourceState;
use crate::durable::walk;
use crate::error::source_changed;
use crate::evidence::{RowSum, State};
use crate::hive;
use crate::listing::{Anchor, DataFile};
use crate::request::{Reply, Request};
use crate::verify::{Facts, Found, SECOND_OPINION_ROWS, SampleOf, VerifyReply, VerifyRequest, WaysBack, judge};
use greylag_driver::error::DriverError;
use greylag_driver::executor::{Outcome, Progress, Rehearsal, StepReport};
use greylag_model::check::{CheckResult, DiffEvidence, Evidence, Verdict};
use greylag_model::derived::History;
use greylag_model::increment::{Late, mark_text};
use greylag_model::mapping::Mapping;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use xxhash_rust::xxh3::xxh3_64;

/// Chunks that a sample is taken from at most.
const SAMPLED_UNITS: usize = 4;

pub(super) struct Verify;

/// What verify wrote down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Verified {
    /// Evidence of the target's rows, read back.
    evidence: Evidence,
    /// Rows that the reference evaluator saw.
    sampled: u64,
}

impl Work for Verify {
    fn forward(&self, job: &Job<'_>) -> Result<Outcome, DriverError> {
        let backfilled: Backfilled = job.output_needed("data/backfill")?;
        let staging = job.staging()?;
        if !staging.take(job.disk()).on("claim", &staging.path())? {
            return Err(backfilled.lost(job, "what was converted"));
        }
        let source = job.source()?;
        if backfilled.source_now(&source.path)? != backfilled.source {
            return Err(source_changed(&source.path));
        }
        let data = staging.data();
        let (files, differ) = staged_files(&data, &backfilled)?;
        let anchor = Anchor { root: None, path: data.display().to_string() };
        let layout = &job.work.target_layout;
        let made = Made::of(job, &staging)?;
        // What a writer made is read back by itself: it has no way back to the old dataset.
        let (theirs, mapped): (Vec<DataFile>, Vec<DataFile>) =
            files.iter().cloned().partition(|file| is_written(job.work.derived.as_deref(), &file.relative));
        let mut units = job.units(&anchor, layout, &mapped)?;
        let mine = units.len();
        units.extend(job.units(&anchor, layout, &theirs)?);
        let (total, source_rows) = passes(job, &anchor, (&units, mine), backfilled.increment.as_ref(), made.as_ref())?;
        let diffs = job.diffs(&backfilled, &Staged { data: &data, files: &files })?;
        job.fault("in-effect", &data)?;
        report(job, &backfilled, (&total, source_rows), &diffs, differ.as_deref(), units.len())
    }

    fn undo(&self, _: &Job<'_>) -> Result<Vec<String>, DriverError> {
        Ok(Vec::new())
    }

    fn rehearse(&self, _: &Job<'_>) -> Result<Rehearsal, DriverError> {
        Ok(Rehearsal::default())
    }
}

/// The files that were written, and how what is there differs from them.
fn staged_files(data: &Path, backfilled: &Backfilled) -> Result<(Vec<DataFile>, Option<String>), DriverError> {
    let mut there = BTreeSet::new();
    for (path, metadata) in walk(data).on("list", data)? {
        if !metadata.is_dir() {
            let relative = path.strip_prefix(data).unwrap_or(&path).display().to_string();
            there.insert((relative, metadata.len()));
        }
    }
    let expected: BTreeSet<(String, u64)> =
        backfilled.files.iter().map(|file| (file.relative.clone(), file.bytes)).collect();
    let differ = (there != expected).then(|| {
        let (missing, odd) = (expected.difference(&there).count(), there.difference(&expected).count());
        format!("{missing} of {} files are missing or have another size, {odd} are not known", expected.len())
    });
    let mut files = Vec::new();
    for (relative, bytes) in there.intersection(&expected) {
        let partition = hive::partition_of(relative);
        let modified = std::fs::metadata(data.join(relative)).map_or(0, |metadata| metadata.mtime());
        files.push(DataFile { relative: relative.clone(), bytes: *bytes, modified_nanos: modified, partition });
    }
    Ok((files, differ))
}

/// All passes over units, of which the first so many hold rows that the mapping made: the sample first, then the read-back, which looks for the sample's rows. Also how many rows the source
/// has, counted without the pass that wrote.
fn passes(
    job: &Job<'_>,
    target: &Anchor,
    (units, mapped): (&[Unit], usize),
    increment: Option<&Increment>,
    made: Option<&Made>,
) -> Result<(VerifyReply, Option<u64>), DriverError> {
    let Samples { samples, units: sources, rows: source_rows } = samples(job, increment, made)?;
    let mapping = Arc::new(job.work.mapping.clone());
    let copy = made.map(|made| Arc::new(made.derived.copy.clone()));
    let request = |mapping: &Arc<Mapping>, unit: Option<&Unit>, sample: Option<SampleOf>, expected: Vec<RowSum>| {
        Request::Verify(Box::new(VerifyRequest {
            mapping: Arc::clone(mapping),
            target: target.clone(),
            target_layout: job.work.target_layout.clone(),
            chunks: unit.map(|unit| unit.chunks.clone()).unwrap_or_default(),
            sample,
            expected,
            checks: job.work.checks.iter().filter_map(|check| check.expr.clone()).collect(),
            batch_rows: job.plane.options.limits.batch_rows,
        }))
    };
    let total = Mutex::new(empty_reply(job));
    let lock = || total.lock().unwrap_or_else(PoisonError::into_inner);
    let ask = |request: &Request| match job.call(request)? {
        Reply::Verify(reply) => Ok(*reply),
        _ => Err(crate::error::odd_reply()),
    };
    // The usual small dataset: one request does it all.
    if let ([unit], [sample], 1) = (units, samples.as_slice(), mapped) {
        let reply = ask(&request(&mapping, Some(unit), Some(sample.clone()), Vec::new()))?;
        add(&mut lock(), reply);
    } else {
        job.in_parallel(&samples, |_, sample| {
            let reply = ask(&request(&mapping, None, Some(sample.clone()), Vec::new()))?;
            lock().sampled.merge(reply.sampled);
            Ok(())
        })?;
        let expected = lock().sampled.expected.clone();
        let progress = Mutex::new(Progress { chunks_total: units.len() as u64, ..Progress::default() });
        job.in_parallel(units, |number, unit| {
            let reply = match &copy {
                Some(copy) if number >= mapped => {
                    let reply = ask(&request(copy, Some(unit), None, Vec::new()))?;
                    VerifyReply { source: empty_reply(job).source, ..reply }
                }
                _ => ask(&request(&mapping, Some(unit), None, expected.clone()))?,
            };
            let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
            progress.rows += reply.target.rows;
            progress.bytes += unit.bytes();
            progress.chunks += 1;
            job.context.progress(*progress);
            add(&mut lock(), reply);
            Ok(())
        })?;
    }
    let total = total.into_inner().unwrap_or_else(PoisonError::into_inner);
    if made.is_some() {
        // Two have made them: nobody's metadata tells how many there are to be.
        return Ok((total, None));
    }
    let source_rows = source_rows.or_else(|| (samples.len() == sources).then_some(total.sampled.of));
    Ok((total, source_rows))
}

fn empty_reply(job: &Job<'_>) -> VerifyReply {
    let mapping = &job.work.mapping;
    let tolerant = WaysBack::of(mapping).tolerant_schema(mapping);
    VerifyReply {
        target: State::empty(&mapping.target),
        source: SourceState { tolerant: State::empty(&tolerant), ..SourceState::default() },
        violations: vec![0; job.work.checks.iter().filter(|check| check.expr.is_some()).count()],
        ..VerifyReply::default()
    }
}

fn add(total: &mut VerifyReply, reply: VerifyReply) {
    total.target.merge(&reply.target);
    total.source.merge(&reply.source);
    total.sampled.merge(reply.sampled);
    total.found.extend(reply.found);
    for (total, more) in total.violations.iter_mut().zip(reply.violations) {
        *total += more;
    }
    total.schema_differs = total.schema_differs.take().or(reply.schema_differs);
}

/// What to sample.
struct Samples {
    samples: Vec<SampleOf>,
    /// Units of the source.
    units: usize,
    /// Rows of the source, if its metadata tells.
    rows: Option<u64>,
}

/// The source's chunks to sample, chosen by the hash of their names.
fn samples(job: &Job<'_>, increment: Option<&Increment>, made: Option<&Made>) -> Result<Samples, DriverError> {
    let plan = job.work;
    if made.is_some_and(|made| made.derived.history != History::Backfill) {
        return Ok(Samples { samples: Vec::new(), units: 0, rows: None });
    }
    let window = made.and_then(Made::of_the_old);
    let source = job.source()?;
    let declared = crate::listing::FileFormat::of(&plan.source.layout.format);
    let mut listing = crate::listing::list(&source.anchor, Some(declared))?;
    if let Some(increment) = increment {
        listing.files.retain(|file| increment.taken.binary_search(&file.relative).is_ok());
    }
    let units = job.units(&source.anchor, &plan.source.layout, &listing.files)?;
    let rows = if WaysBack::of(&plan.mapping).covers_target {
        SECOND_OPINION_ROWS.min(job.plane.options.sample_rows)
    } else {
        job.plane.options.sample_rows
    };
    let mut chosen: Vec<&Unit> = units.iter().collect();
    chosen.sort_by_key(|unit| xxh3_64(unit.key.as_bytes()));
    chosen.truncate(SAMPLED_UNITS);
    let share = rows.div_ceil(chosen.len().max(1));
    let sample = |unit: &&Unit| SampleOf {
        source: source.anchor.clone(),
        source_layout: plan.source.layout.clone(),
        chunks: unit.chunks.clone(),
        first_rows: None,
        rows: share,
        seed: xxh3_64(unit.key.as_bytes()),
        window,
    };
    let rows = units.iter().flat_map(|unit| &unit.chunks).map(crate::chunk::Chunk::rows).sum();
    Ok(Samples { samples: chosen.iter().map(sample).collect(), units: units.len(), rows })
}

/// What came later than it may.
fn late_rows(job: &Job<'_>, increment: &Increment) -> Option<CheckResult> {
    let watermark = job.work.increments.as_ref()?.watermark.as_ref()?;
    let below = watermark.late_below()?;
    let (_, column) = job.work.mapping.target.find(&watermark.column)?;
    let bound = mark_text(&column.data_type, below);
    let detail = format!("{} rows with `{}` before {bound}", increment.late, watermark.column);
    let holds = increment.late == 0 || watermark.late == Late::Accept;
    let verdict = if holds { Verdict::Pass } else { Verdict::Fail };
    Some(CheckResult { name: "late".to_owned(), verdict, detail, hint: None })
}

fn report(
    job: &Job<'_>,
    backfilled: &Backfilled,
    (total, source_rows): (&VerifyReply, Option<u64>),
    diffs: &[Option<DiffEvidence>],
    differ: Option<&str>,
    units: usize,
) -> Result<Outcome, DriverError> {
    let plan = job.work;
    let mut counted = total.violations.iter().copied();
    let violations: Vec<Option<u64>> =
        plan.checks.iter().map(|check| check.expr.as_ref().and_then(|_| counted.next())).collect();
    let kept = backfilled.increment.as_ref();
    let found: &[Found] = &total.found;
    let differ = differ.or(total.schema_differs.as_deref());
    let mut checks = judge(&Facts {
        mapping: &plan.mapping,
        written: &backfilled.target,
        source: &backfilled.source_state,
        read_back: &total.target,
        computed_back: &total.source,
        rows_read: backfilled.rows_read,
        source_rows,
        rejected: backfilled.rejected,
        sampled: &total.sampled,
        found,
        checks: &plan.checks,
        violations: &violations,
        diffs,
        files_differ: differ,
        kept: kept.map_or((0, 0), |kept| (kept.kept_rows, kept.kept_rejected)),
        mapped: plan.derived.as_ref().is_none_or(|derived| derived.history == History::Backfill),
    });
    checks.extend(kept.and_then(|kept| late_rows(job, kept)));
    if let Some(failed) = checks.iter_mut().find(|check| check.verdict == Verdict::Fail) {
        // Kept so that somebody can look; nobody sees it under the target's name.
        let kept = job.staging()?.path();
        let _ = write!(failed.detail, "; what was converted is kept in `{}`", kept.display());
    }
    let verified = Verified { evidence: total.target.evidence(&plan.mapping.target), sampled: total.sampled.rows };
    let chunks = units as u64;
    // The run's totals count what was moved, once: rows that were looked at again do not count.
    let progress = Progress { chunks, chunks_total: chunks, ..Progress::default() };
    Ok(done(StepReport { progress, output: output(&verified)?, checks, ..StepReport::default() }))
}
