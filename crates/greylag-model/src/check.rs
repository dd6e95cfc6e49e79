//! Checks: what was observed (evidence), and what it means (verdict). Judging is pure.

use serde::{Deserialize, Serialize};

/// What one full pass over a dataset's rows observed, in the terms of one schema. Two passes over the same rows in
/// any order, chunking or file format give equal evidence.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// Rows.
    pub rows: u64,
    /// Sum over rows, modulo 2^128, of a 128-bit hash of the row's canonical values; 32 hex digits. A sum, not an
    /// exclusive or: duplicates do not cancel.
    pub hash: String,
    /// One per column, in the schema's order.
    pub columns: Vec<ColumnEvidence>,
}

/// What was observed of one column. Texts are canonical (the type's literal form). Of text and binary all three figures
/// are of lengths in bytes: evidence is journalled and shown, and must not hold what people wrote.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ColumnEvidence {
    /// Its name.
    pub name: String,
    /// Nulls.
    pub nulls: u64,
    /// Smallest value, for ordered types with at least one value (floats: NaN is left out and counted).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<String>,
    /// Largest value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<String>,
    /// Sum of numbers (exact for integers and decimals; floats: of the finite values, compared within 1e-9 relative),
    /// of lengths in bytes for text and binary, of trues for booleans.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sum: Option<String>,
}

/// What the evidence means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It holds.
    Pass,
    /// It does not.
    Fail,
    /// It could not be told.
    Unknown,
}

/// One check and its outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckResult {
    /// Name, e.g. `rows`, `hash`, `reverse`, `reference`, or the name the file gives.
    pub name: String,
    /// Outcome.
    pub verdict: Verdict,
    /// What was compared or found, for people; counts and hashes, never values of rows.
    pub detail: String,
    /// What to do if it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

mod diff;
mod judge;

pub use diff::{DiffEvidence, command as diff_command};
pub use judge::{Judged, judge};
