//! `diff` checks of `data/verify`: the staged target against another dataset, row by row.
//!
//! # What is compared
//!
//! The left side is the old dataset as the mapping turns it (`with: source`), or another dataset as it is; the right side is
//! what was converted, which nobody else sees yet. It is the diff of the command ([`crate::diff`]), with its memory, its scratch
//! space in the state folder, and its notion of what is equal.
//!
//! With `source` the same code evaluates the mapping that evaluated it for the writer, so what it adds to the other proofs
//! ([`crate::verify`]) is *which* rows are wrong, and keys that repeat; it does not prove the mapping. Another dataset, which somebody
//! computed by other means, does.
//!
//! # What is told
//!
//! Counts go to the journal. The first keys that differ are named in a file beside the run, one difference a line as
//! `greylag diff -o ndjson` prints it. Values, those of keys included, are hashes there unless the rejected rows show theirs.
//!
//! # Dying half-way
//!
//! A diff's scratch directory is named by what is compared, and staging has another name in every attempt. So the right side
//! is known by the identities of what was staged, which a rename keeps: the next attempt goes on where this one was, and one that
//! converts anew begins anew. What a diff found is a checkpoint, under the same identities.

use super::backfill::Backfilled;
use super::dataset::{Place, content_fingerprint};
use super::derive::Made;
use super::{Job, OnPath, output};
use crate::diff::{Cell, Diff, Difference, Report, Side};
use crate::durable::remove;
use crate::listing::{Anchor, DataFile, FileFormat, list};
use greylag_driver::error::DriverError;
use greylag_driver::executor::Progress;
use greylag_model::check::{DiffEvidence, diff_command};
use greylag_model::code::data as code;
use greylag_model::spec::{DiffSpec, SOURCE};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use xxhash_rust::xxh3::xxh3_64;

/// Keys that are named.
const NAMED: usize = 100;

/// What a diff found, and of what: identities of both sides, and what was asked.
#[derive(Serialize, Deserialize)]
struct Finished {
    of: String,
    found: DiffEvidence,
}

/// What was converted.
pub(super) struct Staged<'a> {
    /// The file or directory.
    pub(super) data: &'a Path,
    /// Its files.
    pub(super) files: &'a [DataFile],
}

/// One left side.
struct Left {
    side: Side,
    /// What a command calls it.
    word: String,
    /// Identities of its files.
    content: String,
}

impl Job<'_> {
    /// Makes the diffs of the checks, one a check in order, over what was staged.
    pub(super) fn diffs(
        &self,
        backfilled: &Backfilled,
        staged: &Staged<'_>,
    ) -> Result<Vec<Option<DiffEvidence>>, DriverError> {
        let checks = &self.work.checks;
        if checks.iter().all(|check| check.diff.is_none()) {
            return Ok(Vec::new());
        }
        let before = self.context.checkpoints()?;
        let mut found = Vec::with_capacity(checks.len());
        for (number, check) in checks.iter().enumerate() {
            let Some(spec) = &check.diff else {
                found.push(None);
                continue;
            };
            let key = format!("diff-{number}");
            let earlier = before.iter().find(|(other, _)| *other == key);
            let earlier = earlier.and_then(|(_, value)| Finished::deserialize(value).ok());
            found.push(Some(self.one_diff(&key, spec, backfilled, staged, earlier)?));
        }
        Ok(found)
    }

    fn one_diff(
        &self,
        key: &str,
        spec: &DiffSpec,
        backfilled: &Backfilled,
        staged: &Staged<'_>,
        earlier: Option<Finished>,
    ) -> Result<DiffEvidence, DriverError> {
        let left = self.left(spec, backfilled)?;
        let of = format!("{} {} {}", left.content, backfilled.content, output(spec)?);
        let command = diff_command(spec, &left.word, &staged.data.display().to_string(), spec.with().other().is_none());
        if let Some(earlier) = earlier.filter(|earlier| earlier.of == of) {
            return Ok(DiffEvidence { command, ..earlier.found });
        }
        let plan = self.work;
        let right = Side {
            anchor: Anchor { root: None, path: staged.data.display().to_string() },
            known_as: Some(format!("{} {}", plan.target_location.path, backfilled.content)),
            files: Some(staged.files.to_vec()),
            layout: plan.target_layout.clone(),
            schema: plan.mapping.target.clone(),
            mapping: None,
            window: None,
        };
        let (left_side, right) = self.sides(left.side, right)?;
        let report = self.make_diff(&left_side, &right, spec)?;
        let file = self.name_differences(key, &report.differences)?;
        let found = evidence(report, file.as_deref());
        let finished = Finished { of, found };
        self.context.checkpoint(key, &output(&finished)?)?;
        Ok(DiffEvidence { command, ..finished.found })
    }

    /// Of a derived dataset whose past is backfilled, what is compared with the old one is what both have made.
    fn sides(&self, left: Side, right: Side) -> Result<(Side, Side), DriverError> {
        if left.mapping.is_none() {
            return Ok((left, right));
        }
        let Some(made) = Made::of(self, &self.staging()?)? else { return Ok((left, right)) };
        Ok(made.overlap(self, left.clone())?.unwrap_or((left, right)))
    }

    fn left(&self, spec: &DiffSpec, backfilled: &Backfilled) -> Result<Left, DriverError> {
        let plan = self.work;
        let (observed, mapping) = match spec.with().other() {
            None => (plan.source.clone(), Some(plan.mapping.clone())),
            Some(name) => (self.reference(name)?, None),
        };
        let place = Place::of(&observed.dataset.location, &self.request.header.connections)?;
        let content = match &mapping {
            Some(_) => backfilled.source_now(&place.path)?,
            None => content_fingerprint(&place.path)?,
        };
        // An increment has converted these, and these only.
        let files = match backfilled.increment.as_ref().filter(|_| mapping.is_some()) {
            None => None,
            Some(increment) => {
                let declared = FileFormat::of(&observed.layout.format);
                let mut files = list(&place.anchor, Some(declared))?.files;
                files.retain(|file| increment.taken.binary_search(&file.relative).is_ok());
                Some(files)
            }
        };
        if mapping.is_some() && content != backfilled.source {
            return Err(crate::error::source_changed(&place.path));
        }
        let word = match spec.with.as_deref() {
            None | Some(SOURCE) => observed.dataset.entity.short(),
            Some(other) => other.to_owned(),
        };
        let known_as = Some(format!("{} {content}", place.path.display()));
        let side = Side {
            anchor: place.anchor,
            known_as,
            files,
            layout: observed.layout,
            schema: observed.schema,
            mapping,
            window: None,
        };
        Ok(Left { side, word, content })
    }

    /// A dataset to compare with, if it is what the plan was made for.
    fn reference(&self, name: &str) -> Result<greylag_model::snapshot::Observed, DriverError> {
        let planned = self.work.references.get(name).ok_or_else(|| {
            DriverError::permanent(code::INCONSISTENT, format!("the plan does not know `{name}` of a `diff` check"))
        })?;
        let now = self.observe(planned)?;
        if now.fingerprint == planned.fingerprint {
            return Ok(now);
        }
        let words =
            format!("`{name}`, which a `diff` check compares with, has other columns or another layout than planned");
        Err(DriverError::permanent(code::DIFF_REFERENCE, words)
            .hint("undo this run and plan again, so that the check is held against what it is now"))
    }

    fn make_diff(&self, left: &Side, right: &Side, spec: &DiffSpec) -> Result<Report, DriverError> {
        let options = &self.plane.options;
        let failed: Mutex<Option<DriverError>> = Mutex::new(None);
        let lock = || failed.lock().unwrap_or_else(PoisonError::into_inner);
        let diff = Diff {
            readers: &self.plane.readers,
            directory: &self.plane.diffs,
            chunk_bytes: options.chunk_bytes,
            batch_rows: options.limits.batch_rows,
            rows: NAMED,
            progress: &|done, _| {
                self.context.progress(Progress { bytes: done, ..Progress::default() });
                if let Err(error) = self.fault("in-diff", &self.plane.diffs) {
                    lock().get_or_insert(error);
                }
            },
            cancelled: &|| self.context.cancelled() || lock().is_some(),
        };
        let made = diff.run(left, right, &spec.options());
        if let Some(error) = lock().take() {
            return Err(error);
        }
        // The words of a command that was stopped are not those of a step.
        self.go_on()?;
        made
    }

    /// Writes the differences beside the run; where, if there are any.
    fn name_differences(&self, key: &str, differences: &[Difference]) -> Result<Option<PathBuf>, DriverError> {
        let directory = self.plane.artefacts.join(self.request.run.as_str());
        let name = self.request.task.as_str().replace('/', ".");
        let path = directory.join(format!("{name}.{key}.jsonl"));
        if differences.is_empty() {
            remove(self.disk(), &path).on("remove", &path)?;
            return Ok(None);
        }
        self.fault("write", &directory)?;
        std::fs::create_dir_all(&directory).on("create", &directory)?;
        let hidden = directory.join(format!(".{name}.{key}.jsonl"));
        let values = self.plane.options.rejected_with_values;
        write_lines(&hidden, differences, values).on("write", &hidden)?;
        self.disk().sync(&hidden).on("sync", &hidden)?;
        self.disk().replace(&hidden, &path).on("write", &path)?;
        self.disk().sync(&directory).on("sync", &directory)?;
        Ok(Some(path))
    }
}

fn evidence(report: Report, file: Option<&Path>) -> DiffEvidence {
    let apart = report.differing_types.into_iter().filter(|column| !column.compared).map(|column| column.name);
    DiffEvidence {
        not_compared: report.only_left.into_iter().chain(report.only_right).chain(apart).collect(),
        changed_columns: report.changed_columns,
        named: report.differences.len() as u64,
        file: file.map(|file| file.display().to_string()),
        counts: report.counts,
        command: String::new(),
    }
}

fn write_lines(path: &Path, differences: &[Difference], values: bool) -> std::io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    for difference in differences {
        let hidden = if values { None } else { Some(hashed(difference)) };
        serde_json::to_writer(&mut out, hidden.as_ref().unwrap_or(difference))?;
        out.write_all(b"\n")?;
    }
    out.flush()
}

/// The same with hashes in place of values.
fn hashed(difference: &Difference) -> Difference {
    let hash = |value: &Option<String>| value.as_ref().map(|text| format!("#{:016x}", xxh3_64(text.as_bytes())));
    let cell = |cell: &Cell| Cell {
        column: cell.column.clone(),
        left: cell.left.as_ref().map(hash),
        right: cell.right.as_ref().map(hash),
    };
    Difference {
        key: difference.key.iter().map(hash).collect(),
        columns: difference.columns.iter().map(cell).collect(),
        ..difference.clone()
    }
}
