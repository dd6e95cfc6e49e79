//! References: the places in files that name a dataset or one of its columns.

use serde::{Deserialize, Serialize};

/// One place in a file that names a dataset or a column of one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reference {
    /// Path of the file, relative to its repository.
    pub path: String,
    /// First byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
    /// Line of the first byte, from 1.
    pub line: u32,
    /// Column of the first byte, in characters from 1.
    pub position: u32,
    /// The dataset, as the catalog calls it.
    pub dataset: String,
    /// The column, if the place names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// What the code does with it there.
    pub role: Role,
    /// How sure it is.
    pub confidence: Confidence,
    /// Why no surer, or how it was found where that is not plain.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// The files whose code reads the dataset through this place, if that is another than the place's own: the models that
    /// call a macro, say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub via: Vec<String>,
}

/// What code does with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Reads a dataset.
    Read,
    /// Writes a dataset: the target of an insert, a merge, an update, a delete or a creation.
    Write,
    /// Gives a value of a result.
    Select,
    /// Joins by it.
    Join,
    /// Keeps or leaves out rows by it.
    Filter,
    /// Groups by it.
    Group,
    /// Sorts by it.
    Order,
    /// Is of a window: its partition or its order.
    Window,
    /// Tells rows of a merge apart.
    MergeKey,
    /// Is given a value: a column of an insert or an update.
    Assign,
    /// Is among all columns that a `*` stands for.
    Star,
    /// Is checked by a test.
    Test,
    /// Is declared: an entry of a configuration.
    Declare,
    /// Is spoken of in words.
    Documentation,
    /// Something else, or not understood.
    Other,
}

/// How sure a reference is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// The word is there, in code that was not understood.
    Unknown,
    /// Nothing else fits, but something that would settle it is not known.
    Likely,
    /// It names the dataset or column and nothing else.
    Certain,
}
