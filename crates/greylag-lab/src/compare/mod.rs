//! Compares an estate with its truth.
//!
//! Everything is looked at: schemas, rows, files, modes, what was there before and what should not be there now. Rows
//! are compared as multisets: each row of either side is hashed over the canonical values of its columns, both lists of
//! hashes are sorted and merged. That needs 16 bytes a row, whatever the rows hold. Only where they differ are the files
//! read again, to say which columns differ and to show a few of the rows.

mod dataset;
mod leftover;
mod parse;
mod rows;
mod source;
#[cfg(test)]
mod tests;

use crate::error::LabError;
use crate::hostile::Refusal;
use crate::truth::{self, CatalogTruth, DatasetTruth, EstateTruth, VERSION};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What is expected of the estate.
#[derive(Clone, Debug)]
pub struct CompareOptions {
    /// Expect what was generated, to the byte: everything was undone.
    pub undone: bool,
    /// Whether the old datasets are still where they were (false after `retire` and `drop`).
    pub old_stays: bool,
    /// What became of each pair, by the new dataset's reference (`resource:default/users_v2`); empty if unknown. A pair
    /// that must be refused is then held against it.
    pub outcomes: BTreeMap<String, Outcome>,
    /// Threads to use, at least 1.
    pub threads: usize,
}

impl Default for CompareOptions {
    fn default() -> Self {
        Self { undone: false, old_stays: true, outcomes: BTreeMap::new(), threads: 2 }
    }
}

/// What became of a pair, as the engine tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// How it ended.
    pub end: End,
    /// Code of the error, e.g. `GL0601`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Rejected rows, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected: Option<u64>,
}

/// How a pair ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// Its new dataset was published.
    Migrated,
    /// The plan refused it.
    Blocked,
    /// The run gave it up.
    Failed,
}

/// The answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// Datasets looked at.
    pub datasets: u64,
    /// Of which as they must be (migrated as expected, or refused as expected).
    pub right: u64,
    /// Of which rightly refused.
    pub refused: u64,
    /// Rows compared.
    pub rows: u64,
    /// Files and directories found unchanged.
    pub unchanged: u64,
    /// What differs, by dataset and path. Empty: the estate is as the truth says.
    pub differences: Vec<Difference>,
}

impl Comparison {
    /// Whether nothing differs.
    pub fn is_equal(&self) -> bool {
        self.differences.is_empty()
    }
}

/// One thing that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// The new dataset's reference, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// What kind of thing.
    pub kind: DifferenceKind,
    /// In words, with the path or the values.
    pub detail: String,
}

/// Kinds of differences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DifferenceKind {
    /// The new dataset is not there.
    Missing,
    /// The new dataset is there, but must have been refused.
    NotRefused,
    /// It ended otherwise than it must.
    Outcome,
    /// Files that cannot be read.
    Unreadable,
    /// Names, types or order of columns.
    Schema,
    /// Rows.
    Rows,
    /// File or directory, partitions, format, codec.
    Layout,
    /// Mode of a file or directory.
    Mode,
    /// Something that was there is gone or has other bytes.
    Changed,
    /// Something is there that nobody asked for.
    Leftover,
}

/// Reads what an estate is.
pub fn estate_truth(estate: &Path) -> Result<EstateTruth, LabError> {
    let truth: EstateTruth = truth::read_json(estate, "estate.json")?;
    if truth.version == VERSION {
        return Ok(truth);
    }
    let reason = format!("its truth has version {}, not {VERSION}", truth.version);
    Err(LabError::NoEstate { path: estate.to_owned(), reason })
}

/// Reads what the catalog must say after the import of an estate's descriptors.
pub fn catalog_truth(estate: &Path) -> Result<CatalogTruth, LabError> {
    estate_truth(estate)?;
    truth::read_json(estate, "catalog.json")
}

/// Where each new dataset must be, by its reference; pairs that must be refused are left out.
pub fn targets(estate: &Path) -> Result<BTreeMap<String, PathBuf>, LabError> {
    estate_truth(estate)?;
    let datasets: Vec<DatasetTruth> = truth::read_lines(estate, "datasets.ndjson")?;
    let migrated = datasets.into_iter().filter(|dataset| dataset.refused.is_none());
    Ok(migrated.map(|dataset| (dataset.to, estate.join(dataset.new_path))).collect())
}

/// Compares an estate with its truth. `progress` is called with datasets done and all of them.
pub fn compare(
    estate: &Path,
    options: &CompareOptions,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Comparison, LabError> {
    estate_truth(estate)?;
    let datasets: Vec<DatasetTruth> = truth::read_lines(estate, "datasets.ndjson")?;
    let mut comparison = Comparison { datasets: datasets.len() as u64, ..Comparison::default() };
    leftover::compare(estate, options, &datasets, &mut comparison)?;
    if !options.undone {
        let found = compare_all(estate, options, &datasets, progress);
        for (dataset, found) in datasets.iter().zip(found) {
            comparison.rows += found.rows;
            comparison.differences.extend(found.differences.into_iter().map(|(kind, detail)| Difference {
                dataset: Some(dataset.to.clone()),
                kind,
                detail,
            }));
        }
    }
    comparison.differences.sort();
    let wrong: std::collections::BTreeSet<&str> =
        comparison.differences.iter().filter_map(|difference| difference.dataset.as_deref()).collect();
    let right = |dataset: &&DatasetTruth| !wrong.contains(dataset.to.as_str());
    comparison.right = datasets.iter().filter(right).count() as u64;
    comparison.refused = datasets.iter().filter(right).filter(|dataset| dataset.refused.is_some()).count() as u64;
    Ok(comparison)
}

/// What was found of one dataset.
#[derive(Debug, Default)]
struct Found {
    rows: u64,
    differences: Vec<(DifferenceKind, String)>,
}

impl Found {
    fn differs(&mut self, kind: DifferenceKind, detail: impl Into<String>) {
        self.differences.push((kind, detail.into()));
    }
}

fn compare_all(
    estate: &Path,
    options: &CompareOptions,
    datasets: &[DatasetTruth],
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Vec<Found> {
    let next = AtomicUsize::new(0);
    let done = AtomicUsize::new(0);
    let all: Mutex<BTreeMap<usize, Found>> = Mutex::new(BTreeMap::new());
    let lock = || all.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    std::thread::scope(|scope| {
        for _ in 0..options.threads.max(1) {
            scope.spawn(|| {
                while let Some(dataset) = datasets.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut found = Found::default();
                    one(estate, options, dataset, &mut found);
                    lock().insert(dataset.number as usize, found);
                    progress(done.fetch_add(1, Ordering::Relaxed) + 1, datasets.len());
                }
            });
        }
    });
    all.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).into_values().collect()
}

fn one(estate: &Path, options: &CompareOptions, dataset: &DatasetTruth, found: &mut Found) {
    let outcome = options.outcomes.get(&dataset.to);
    match &dataset.refused {
        Some(refused) => {
            // What stood there before (`target-exists`) is guarded by the manifest.
            let stood = refused.why == crate::Hostile::TargetExists;
            if !stood && estate.join(&dataset.new_path).exists() {
                found.differs(DifferenceKind::NotRefused, format!("`{}` exists", dataset.new_path));
            }
            let right = |end: End| match refused.when {
                Refusal::Blocked => end == End::Blocked,
                Refusal::Failed => end == End::Failed,
                Refusal::Either => end != End::Migrated,
            };
            if let Some(outcome) = outcome
                && !right(outcome.end)
            {
                let when = format!("{:?} for {:?}", refused.when, refused.why);
                found.differs(DifferenceKind::Outcome, format!("ended {:?}, must be {when}", outcome.end));
            }
            let codes: Vec<String> = refused.why.codes().iter().map(ToString::to_string).collect();
            if let Some(code) = outcome.and_then(|outcome| outcome.code.as_ref())
                && !codes.contains(code)
            {
                let why = refused.why;
                let detail = format!("was refused with {code}, must be {} ({why:?})", codes.join(" or "));
                found.differs(DifferenceKind::Outcome, detail);
            }
        }
        None => {
            if let Some(outcome) = outcome {
                if outcome.end != End::Migrated {
                    let code = outcome.code.as_deref().unwrap_or("no code");
                    found.differs(
                        DifferenceKind::Outcome,
                        format!("ended {:?} ({code}), must be migrated", outcome.end),
                    );
                }
                if let Some(rejected) = outcome.rejected.filter(|rejected| *rejected != dataset.rejected) {
                    let detail = format!("{rejected} rows were rejected, must be {}", dataset.rejected);
                    found.differs(DifferenceKind::Outcome, detail);
                }
            }
            dataset::compare(estate, dataset, found);
        }
    }
}
