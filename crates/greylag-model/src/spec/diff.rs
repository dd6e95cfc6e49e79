//! `diff` of a check, as it is written.

use super::{MOST, Tolerance};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What `with` says of the old dataset.
pub const SOURCE: &str = "source";

/// A comparison, row by row, of the new dataset with what it should be. `{}` compares whole rows with those that the mapping
/// makes of the old dataset.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(rename = "Diff")]
pub struct DiffSpec {
    /// With what: `source`, which is the old dataset as the mapping turns it; or another dataset, by its name in the catalog or
    /// by a path that begins with `/`, `./` or `../` (the last two from the folder of this file).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = &"finance/users_reference", extend("default" = SOURCE))]
    pub with: Option<String>,
    /// Columns that tell rows apart, together; without them whole rows are compared, each as often as it occurs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(length(min = 1)), extend("examples" = [["user_id"]]))]
    pub key: Vec<String>,
    /// Columns to leave out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(length(min = 1)), extend("examples" = [["loaded_at"]]))]
    pub ignore: Vec<String>,
    /// How far numbers outside the key may be apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<Tolerance>,
    /// The same of single columns, instead of that.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("examples" = [{"amount": {"absolute": 0.01}}]))]
    pub tolerances: BTreeMap<String, Tolerance>,
    /// Most rows that may differ: changed, missing, and too many, together.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(range(max = MOST), example = 10)]
    pub max_differences: u64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What a diff compares the new dataset with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum With<'a> {
    /// What the mapping makes of the old one.
    Source,
    /// What lies at a path.
    Path(&'a str),
    /// A dataset of the catalog.
    Dataset(&'a str),
}

impl DiffSpec {
    /// What `with` means.
    pub fn with(&self) -> With<'_> {
        With::of(self.with.as_deref())
    }

    /// What is asked of the diff.
    pub fn options(&self) -> crate::diff::Options {
        crate::diff::Options {
            key: self.key.clone(),
            only: Vec::new(),
            ignore: self.ignore.clone(),
            tolerance: self.tolerance,
            tolerances: self.tolerances.clone(),
        }
    }
}

impl<'a> With<'a> {
    /// What a text under `with` means.
    pub fn of(text: Option<&'a str>) -> Self {
        match text {
            None | Some(SOURCE) => Self::Source,
            Some(path) if ["/", "./", "../"].iter().any(|start| path.starts_with(start)) => Self::Path(path),
            Some(name) => Self::Dataset(name),
        }
    }

    /// The text that names another dataset.
    pub fn other(self) -> Option<&'a str> {
        match self {
            Self::Source => None,
            Self::Path(text) | Self::Dataset(text) => Some(text),
        }
    }
}
