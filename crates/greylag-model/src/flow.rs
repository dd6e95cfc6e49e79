//! What code reads and writes, as it calls it: what a scan of a repository finds before any catalog is asked.
//!
//! A consumer is a file of SQL, or a node of a dbt project. It names relations by tables; of one that another consumer of the same
//! repository makes it says that, too, since the catalog may know no dataset of that name. Whether a table is a dataset is not
//! decided here.

use crate::table::TableName;
use serde::{Deserialize, Serialize};

/// What the code of a repository reads and writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flows {
    /// The repository as its own descriptor calls it, if it has one.
    pub name: Option<String>,
    /// Whose it is, as its descriptor says.
    pub owner: Option<String>,
    /// The consumers, by key.
    pub consumers: Vec<Consumer>,
    /// Regions of SQL that could not be read.
    pub unknown: u64,
}

/// A consumer: one that reads or writes relations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Consumer {
    /// What it is called in its repository, as long as it is the same one: a path, or dbt's name of a node.
    pub key: String,
    /// A short name.
    pub name: String,
    /// What it is: `sql`, `dbt-model`, `dbt-snapshot` …
    pub kind: String,
    /// Its file.
    pub path: String,
    /// Whose it is, as the repository says of the file: a reference of a group or user.
    pub owner: Option<String>,
    /// What it reads, by relation.
    pub reads: Vec<Touched>,
    /// What it writes, by relation.
    pub writes: Vec<Touched>,
    /// Where columns come from.
    pub columns: Vec<ColumnFlow>,
}

/// A relation as code names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Relation {
    /// Its name, if it has one that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<TableName>,
    /// The key of the consumer of the same repository that makes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_by: Option<String>,
}

/// A relation that a consumer reads or writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
    /// Which.
    pub relation: Relation,
    /// Where, in order: each once.
    pub places: Vec<Place>,
    /// Whether it is so in every way that the code can go, and nothing was guessed.
    pub certain: bool,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The file.
    pub path: String,
    /// From 1.
    pub line: u32,
    /// In characters, from 1.
    pub position: u32,
}

/// Where a column comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ColumnFlow {
    /// The relation that is written.
    pub to: Relation,
    /// The column of it; none if the source decides about all of them.
    pub output: Option<String>,
    /// The relation that is read.
    pub from: Relation,
    /// The column of it.
    pub column: String,
    /// What is done on the way.
    pub way: Way,
}

/// What is done to a value on its way; the words are those of OpenLineage's column lineage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// It stays as it is.
    Identity,
    /// Something is computed from it.
    Transformation,
    /// It is aggregated.
    Aggregation,
    /// It decides about rows: joins, filters, groups, sorts.
    Indirect,
}
