//! What must become of a repository's files, as `truth/repositories/<name>.json` has it.

pub use greylag_model::reference::Role;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the format.
pub(crate) const VERSION: u32 = 1;

/// Who can move a file or a repository to the new datasets; later ones outweigh earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConsumerClass {
    /// Nothing of it changes.
    Unaffected,
    /// Rules can.
    Mechanical,
    /// Rules cannot; the reason says why.
    Agentic,
    /// A person has to decide.
    Judgement,
    /// What it reads cannot be told.
    Unknown,
}

impl ConsumerClass {
    /// By the name that scenarios use.
    pub(super) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "unaffected" => Self::Unaffected,
            "mechanical" => Self::Mechanical,
            "agentic" => Self::Agentic,
            "judgement" => Self::Judgement,
            "unknown" => Self::Unknown,
            _ => return None,
        })
    }
}

/// A repository.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RepositoryTruth {
    /// Version of the format.
    pub version: u32,
    /// Name: its directory below `repositories/`, and its entity.
    pub name: String,
    /// `dbt`, `job` or `mixed`.
    pub kind: String,
    /// Dialect of its SQL: `duckdb`, `postgres` or `bigquery`.
    pub dialect: String,
    /// The weightiest class of its files.
    pub class: ConsumerClass,
    /// Its owner.
    pub owner: String,
    /// Old datasets that it reads.
    pub reads: Vec<String>,
    /// Old datasets that it writes.
    pub writes: Vec<String>,
    /// Traps in it, sorted.
    pub traps: Vec<String>,
    /// All its files, sorted by path.
    pub files: Vec<FileTruth>,
}

/// A file of a repository.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileTruth {
    /// Below the repository's root.
    pub path: String,
    /// Its new path; absent where it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<String>,
    /// Who can change it.
    pub class: ConsumerClass,
    /// Why it is not for rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Traps that it has.
    pub traps: Vec<String>,
    /// BLAKE3 of its bytes, 64 hex digits.
    pub old: String,
    /// BLAKE3 of the expected bytes; absent where none changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
    /// Places that change, by place.
    pub edits: Vec<Edit>,
    /// Whether values that the migration narrows go through it, so that the new code on the new data gives what the
    /// mapping says, not the very same rows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lossy: bool,
    /// Places that name a dataset or a column of it, by place.
    pub references: Vec<Reference>,
    /// Places that look like such names and must stay.
    pub decoys: Vec<Decoy>,
}

/// Bytes that change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Edit {
    /// First byte.
    pub start: usize,
    /// First byte behind.
    pub end: usize,
    /// What stands there afterwards.
    pub new: String,
    /// Other texts that mean the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alternatives: Vec<String>,
    /// The trap that it belongs to.
    pub trap: String,
    /// Whether the old text is right as well: a person decides.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
}

/// Bytes that name a dataset or a column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reference {
    /// First byte.
    pub start: usize,
    /// First byte behind.
    pub end: usize,
    /// The old dataset.
    pub dataset: String,
    /// The column, if one is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// What for.
    pub role: Role,
}

/// Bytes that look like a name of a dataset or a column and are none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decoy {
    /// First byte.
    pub start: usize,
    /// First byte behind.
    pub end: usize,
    /// The trap that it belongs to.
    pub trap: String,
}

/// All repositories of an estate: `truth/repositories.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RepositoriesTruth {
    /// Names, in the order in which they were drawn.
    pub names: Vec<String>,
    /// How many repositories are of each class.
    pub classes: BTreeMap<ConsumerClass, u64>,
    /// How many files are of each class.
    pub files: BTreeMap<ConsumerClass, u64>,
    /// How many repositories have each trap.
    pub traps: BTreeMap<String, u64>,
    /// The table of each old dataset, `schema.table`, and of its successor; whether repositories read it or not.
    pub tables: BTreeMap<String, Move>,
}

/// The tables of a dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Move {
    /// Number of the dataset: names its expected rows.
    pub number: u64,
    /// Of the old dataset.
    pub old: String,
    /// Of the new dataset.
    pub new: String,
    /// Path of the old dataset's data below the estate.
    pub path: String,
    /// Columns of the old table and their types, partition columns last.
    pub columns: Vec<(String, String)>,
    /// How many of the last columns stand in the names of directories.
    pub partitions: u64,
}
