//! What must be so after the migration, known by construction. `truth/` holds it:
//!
//! | file | content |
//! |---|---|
//! | `estate.json` | version, options, totals, coverage ([`EstateTruth`]) |
//! | `datasets.ndjson` | one [`DatasetTruth`] a line |
//! | `rows/<number>.parquet` | the expected rows, partition columns among them, with the new types |
//! | `catalog.json` | what the catalog must say ([`CatalogTruth`]) |
//! | `repositories.json` | which repositories there are, their classes and traps, the tables of all datasets ([`RepositoriesTruth`](crate::RepositoriesTruth)) |
//! | `repositories/<name>.json` | what must become of a repository ([`RepositoryTruth`](crate::RepositoryTruth)) |
//! | `repositories/<name>/old/`, `new/` | its files, and those that change as they must be |
//! | `manifest.ndjson` | path, mode and hash of everything outside `truth/` as it was generated |

use crate::error::LabError;
use crate::hostile::{Hostile, Refusal};
use crate::layout::Layout;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// Version of the truth's format.
pub(crate) const VERSION: u32 = 1;

/// What the estate is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EstateTruth {
    /// Version of the format.
    pub version: u32,
    /// Seed that it was drawn from.
    pub seed: u64,
    /// Datasets.
    pub datasets: u64,
    /// Pairs that must be refused.
    pub hostile: u64,
    /// Repositories of code.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub repositories: u64,
    /// Rows of all old datasets.
    pub rows: u64,
    /// Rows that must be rejected.
    pub rejected: u64,
    /// Migration files, below the estate.
    pub migrations: Vec<String>,
    /// How often each operation, type, layout and oddity occurs, hostile pairs left out.
    pub coverage: BTreeMap<String, u64>,
}

/// Estates without repositories are as they were before there were any.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// What must become of one dataset.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DatasetTruth {
    pub(crate) number: u64,
    /// `resource:default/users_v1`.
    pub(crate) from: String,
    pub(crate) to: String,
    /// Name of the migration.
    pub(crate) migration: String,
    pub(crate) old_path: String,
    pub(crate) new_path: String,
    /// Why it must be refused; absent if it must be migrated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) refused: Option<Refused>,
    /// Rows of the new dataset.
    pub(crate) rows: u64,
    pub(crate) rejected: u64,
    /// Columns of the new dataset, partition columns last.
    pub(crate) schema: Vec<ColumnTruth>,
    pub(crate) layout: Layout,
    /// Mode of each data file.
    pub(crate) file_mode: u32,
    /// Mode of each directory, where the old dataset had any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) directory_mode: Option<u32>,
}

/// Why and when a pair must be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refused {
    pub(crate) why: Hostile,
    pub(crate) when: Refusal,
}

/// A column of a new dataset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ColumnTruth {
    pub(crate) name: String,
    /// Text of the type.
    #[serde(rename = "type")]
    pub(crate) data_type: String,
    /// How far a value may be off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tolerance: Option<f64>,
}

/// What the catalog must say after the import of `catalog/`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CatalogTruth {
    /// Entities by kind as descriptors spell it.
    pub entities: BTreeMap<String, u64>,
    /// Owner of each dataset.
    pub owners: BTreeMap<String, String>,
    /// What each consumer reads and writes.
    pub consumers: BTreeMap<String, Flow>,
    /// Everything downstream of some datasets, consumers and datasets, sorted.
    pub downstream: BTreeMap<String, Vec<String>>,
}

/// What a consumer reads and writes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// Datasets read.
    pub reads: Vec<String>,
    /// Datasets written.
    pub writes: Vec<String>,
}

/// Path of a part of the truth.
pub(crate) fn path(estate: &Path, name: &str) -> PathBuf {
    estate.join("truth").join(name)
}

/// Path of a dataset's expected rows.
pub(crate) fn rows_path(estate: &Path, number: u64) -> PathBuf {
    path(estate, "rows").join(format!("{number:05}.parquet"))
}

/// Writes one JSON document.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), LabError> {
    write_lines(path, std::iter::once(value))
}

/// Writes one JSON document a line.
pub(crate) fn write_lines<T: Serialize>(path: &Path, values: impl Iterator<Item = T>) -> Result<(), LabError> {
    let failed = |error| LabError::io("write", path, error);
    let mut out = BufWriter::new(File::create(path).map_err(failed)?);
    for value in values {
        serde_json::to_writer(&mut out, &value).map_err(|error| failed(error.into()))?;
        out.write_all(b"\n").map_err(failed)?;
    }
    out.flush().map_err(failed)
}

/// Reads one JSON document.
pub(crate) fn read_json<T: DeserializeOwned>(estate: &Path, name: &str) -> Result<T, LabError> {
    let path = path(estate, name);
    let file = File::open(&path).map_err(|error| no_estate(estate, format!("`{}`: {error}", path.display())))?;
    serde_json::from_reader(BufReader::new(file))
        .map_err(|error| no_estate(estate, format!("`{}`: {error}", path.display())))
}

/// Reads one JSON document a line.
pub(crate) fn read_lines<T: DeserializeOwned>(estate: &Path, name: &str) -> Result<Vec<T>, LabError> {
    let path = path(estate, name);
    let odd = |reason: String| no_estate(estate, format!("`{}`: {reason}", path.display()));
    let file = File::open(&path).map_err(|error| odd(error.to_string()))?;
    let lines = BufReader::new(file).lines();
    lines
        .map(|line| {
            let line = line.map_err(|error| odd(error.to_string()))?;
            serde_json::from_str(&line).map_err(|error| odd(error.to_string()))
        })
        .collect()
}

fn no_estate(estate: &Path, reason: String) -> LabError {
    LabError::NoEstate { path: estate.to_owned(), reason }
}
