//! Increments: runs that go on from what an earlier run of the same migration has published.
//!
//! **Terms.** A *base* is the newest run that published a target and was not taken back. A *generation* of a target is what
//! one run made of it: the files of the base that are still right, and those that the run converted. A *watermark* is the
//! largest value that a column of the target has had; rows that are older than it by more than the allowed lateness are
//! *late*.
//!
//! **Who is authoritative.** The source's files say what there is; the ledgers of the base, and of the bases before it, say
//! which of them were converted and to which files of the target. A file whose identity (inode, size, time of change) is that
//! of the ledger is not read again.
//!
//! **Invariant.** A generation is the mapping of a set of source files, each in one version and each once: the same as if all
//! of them had been converted by a single run. It becomes visible whole, and the one before it can be had back.

use crate::dataset::{Layout, Location};
use crate::id::RunId;
use crate::mapping::Mapping;
use crate::plan::DatasetWork;
pub use crate::spec::{Late, Removed};
use crate::types::{DataType, TimeUnit};
use serde::{Deserialize, Serialize};

/// How the runs of one dataset take up what changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Increments {
    /// What happens to the rows of source files that are gone.
    #[serde(default)]
    pub removed: Removed,
    /// Milliseconds that a file must not have been written to before it is taken.
    #[serde(default)]
    pub settle_millis: i64,
    /// What tells how far the dataset is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watermark: Option<Watermark>,
    /// What it goes on from; none: it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Base>,
}

/// A column of the target whose largest value tells how far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Watermark {
    /// Its name.
    pub column: String,
    /// How much later than the watermark rows may come, in the column's own unit ([`unit_millis`]).
    pub lateness: i64,
    /// What happens to late rows.
    pub late: Late,
    /// The largest value that the generations so far have had, in the column's own unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<i64>,
}

impl Watermark {
    /// Values below this are late; none while there is no watermark.
    pub fn late_below(&self) -> Option<i64> {
        self.mark.map(|mark| mark.saturating_sub(self.lateness))
    }
}

/// The task of an earlier run whose generation is gone on from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Base {
    /// Which run.
    pub run: RunId,
    /// Position of the task in its plan.
    pub ordinal: u64,
    /// Index of the step that has the ledger.
    pub step: u32,
}

/// Key under which the step that has the ledger says, in its output, how far the target is: a [`Mark`].
pub const MARK: &str = "watermark";

/// How far a target is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Which column tells it.
    pub column: String,
    /// Its largest value so far, in its own unit.
    pub value: i64,
}

/// What was found of a target that an earlier run has published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Published {
    /// By which task.
    pub base: Base,
    /// Whether that run has a ledger of files: whether it was planned with increments.
    pub increments: bool,
    /// Whether the dataset was cut over.
    pub cut_over: bool,
    /// Whether a task of another run of the migration is at work on it, and which run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy: Option<RunId>,
    /// Hash of what its generations have in common: [`digest`].
    pub digest: String,
    /// Column and value of its watermark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<(String, i64)>,
}

/// Hash of what all generations of a target must have in common: source, mapping and layout. 32 hex digits.
pub fn digest(work: &DatasetWork) -> String {
    digest_of(&work.source.dataset.location, &work.source.layout, &work.mapping, &work.target_layout)
}

pub(crate) fn digest_of(source: &Location, layout: &Layout, mapping: &Mapping, target: &Layout) -> String {
    // Writing plain structs into memory cannot fail; an empty text would only refuse every base.
    let text = serde_json::to_vec(&(source, layout, mapping, target)).unwrap_or_default();
    let mut hex = blake3::hash(&text).to_hex().to_string();
    hex.truncate(32);
    hex
}

/// Units of a column's values in a millisecond, as a fraction: 1,000 of 1 for microseconds, 1 of 86,400,000 for dates.
/// None for what has no time: integers.
pub fn unit_millis(data_type: &DataType) -> Option<(i64, i64)> {
    match data_type {
        DataType::Date => Some((1, 86_400_000)),
        DataType::Timestamp { unit, .. } => Some(match unit {
            TimeUnit::S => (1, 1_000),
            TimeUnit::Ms => (1, 1),
            TimeUnit::Us => (1_000, 1),
            TimeUnit::Ns => (1_000_000, 1),
        }),
        _ => None,
    }
}

/// A time in a column's own unit, rounded up: a part of a day is a day. None for what has no time.
pub(crate) fn in_units(data_type: &DataType, millis: i64) -> Option<i64> {
    let (per, of) = unit_millis(data_type)?;
    let units = (i128::from(millis) * i128::from(per) + i128::from(of - 1)) / i128::from(of);
    Some(i64::try_from(units).unwrap_or(i64::MAX))
}

/// Whether a column of this type can be a watermark.
pub fn can_mark(data_type: &DataType) -> bool {
    use DataType::{Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32};
    unit_millis(data_type).is_some() || matches!(data_type, Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32)
}

/// A watermark as people read it: a date, a moment, or a number.
pub fn mark_text(data_type: &DataType, mark: i64) -> String {
    let Some((per, of)) = unit_millis(data_type) else { return mark.to_string() };
    let millis = (i128::from(mark) * i128::from(of)).div_euclid(i128::from(per));
    let moment = i64::try_from(millis).ok().and_then(chrono::DateTime::from_timestamp_millis);
    match (moment, data_type) {
        (None, _) => mark.to_string(),
        (Some(moment), DataType::Date) => moment.format("%Y-%m-%d").to_string(),
        (Some(moment), DataType::Timestamp { zone, .. }) => {
            let end = if zone.is_some() { "Z" } else { "" };
            format!("{}{end}", moment.format("%Y-%m-%dT%H:%M:%S"))
        }
        (Some(_), _) => mark.to_string(),
    }
}
