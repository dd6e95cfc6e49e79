//! Samples: what converting a few rows of a dataset, and judging the result, showed before there is a plan.
//!
//! A sample is an observation, like the rest of a [`crate::snapshot`]: what it means is decided when the plan is compiled.
//! It holds counts, column names and places, never values of rows.

use crate::check::CheckResult;
use crate::code::Code;
use crate::spec::Misfit;
use serde::{Deserialize, Serialize};

/// What the sample of one dataset showed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sample {
    /// Rows read: the first ones of the first files.
    pub rows: u64,
    /// Whether these are all rows that the dataset has.
    pub whole: bool,
    /// Rows that fit, and were converted and read back.
    pub written: u64,
    /// Rows that did not fit and were set aside, those among them that would fail the conversion.
    pub rejected: u64,
    /// What did not fit, by column and reason, in the order of the mapping.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub misfits: Vec<Misfits>,
    /// Every check that a verification makes, judged on the sample as if it were the dataset. Those that the migration
    /// file declares are last, one each and in its order.
    pub checks: Vec<CheckResult>,
    /// Bytes of the rows that were written, in the target's format.
    pub bytes: u64,
    /// Milliseconds it took.
    pub millis: u64,
}

/// Values of one column that did not fit for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Misfits {
    /// The target's column.
    pub column: String,
    /// What the mapping says of them.
    pub policy: Misfit,
    /// Code that the conversion would fail with under the policy `fail`.
    pub code: Code,
    /// Why they do not fit, e.g. `out of range`.
    pub reason: String,
    /// Rows.
    pub rows: u64,
    /// The first of them.
    pub first: RowPlace,
}

/// Where a row stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowPlace {
    /// The file: its path below the dataset's directory, or the name of a dataset that is one file.
    pub file: String,
    /// Its place among the file's rows, counted from 1; a CSV header is no row.
    pub row: u64,
}

/// How the samples of a snapshot were taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sampling {
    /// Most rows of one dataset.
    pub rows: u64,
    /// Milliseconds that all samples took together.
    pub millis: u64,
}
