//! `derived` of a pair, as it is written.

use super::{Tolerance, duration};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The dataset is made from others by a writer, which will go on making the new one. The mapping says what the new one is to be
/// for the rows that the old one has; the rows themselves come from the writer, as it will be, over the new datasets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Derived")]
pub struct DerivedSpec {
    /// The writer: a command of `commands` that is `readOnly`. It finds what it `reads` below `/data/reads` and writes the new
    /// dataset's files to `/out`.
    #[schemars(length(min = 1), example = &"revenue")]
    pub writer: String,
    /// Values of the command's inputs; texts may have `${{ }}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "super::steps::plain_map", extend("examples" = [{"currency": "EUR"}]))]
    pub with: BTreeMap<String, Value>,
    /// What it reads: old datasets of this migration (it sees what they become), or others of the catalog. They come first.
    #[schemars(length(min = 1), inner(length(min = 1)), extend("examples" = [["orders_v1"]]))]
    pub reads: Vec<String>,
    /// Where the rows of the past come from.
    pub history: History,
    /// Column of the new dataset (a date, a timestamp or an integer) whose largest value in the old one says where the past
    /// ends: the writer owns what is not below it. For `backfill` and `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = &"day")]
    pub watermark: Option<String>,
    /// For `backfill`: so much below the watermark the writer makes as well, and it must be the same (dates and timestamps).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = duration::PATTERN), example = &"7d")]
    pub overlap: Option<String>,
    /// Columns that tell rows apart where both are compared; without them whole rows are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(length(min = 1)), extend("examples" = [["day", "shop"]]))]
    pub key: Vec<String>,
    /// How far numbers outside the key may be apart there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<Tolerance>,
}

/// Where the rows of the past come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum History {
    /// The writer makes all of it anew, and it must be what the mapping makes of the old dataset.
    Rerun,
    /// Below the watermark they are the mapping of the old ones; the writer makes the rest.
    Backfill,
    /// Nowhere: the new dataset begins at the watermark.
    None,
}
