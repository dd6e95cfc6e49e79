//! What a reader process is asked to convert, and what it answers.

use super::window::Window;
use crate::chunk::Chunk;
use crate::durable::Identity;
use crate::evidence::{RowSum, State};
use crate::listing::Anchor;
use greylag_model::dataset::Layout;
use greylag_model::mapping::Mapping;
use greylag_model::sample::Misfits;
use serde::{Deserialize, Serialize};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// Chunks to convert.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ConvertRequest {
    /// Where the old dataset lies.
    pub source: Anchor,
    /// How it is laid out.
    pub source_layout: Layout,
    /// Which of its rows, in order; none makes a valid empty dataset.
    pub chunks: Vec<Chunk>,
    /// Only so many of them, the first ones: a sample. Then the chunks are of whole files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_rows: Option<u64>,
    /// Old columns to new ones.
    #[serde(with = "crate::again")]
    pub mapping: Arc<Mapping>,
    /// Where the rows go.
    pub output: Output,
    /// Rejected rows.
    pub rejected: RejectedOutput,
    /// What the work may take.
    pub limits: Limits,
    /// What to note of one column of the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<MarkOf>,
    /// Only these rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
}

/// What the largest value of a column of the target is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MarkRequest {
    /// Where the old dataset lies.
    pub source: Anchor,
    /// How it is laid out.
    pub source_layout: Layout,
    /// Which of its rows.
    pub chunks: Vec<Chunk>,
    /// Old columns to new ones.
    #[serde(with = "crate::again")]
    pub mapping: Arc<Mapping>,
    /// Place of the column in the target.
    pub column: usize,
    /// Rows of a batch.
    pub batch_rows: usize,
}

/// A column of the target whose largest value is wanted: a date, a timestamp or an integer of at most 63 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkOf {
    /// Its place in the target's schema.
    pub column: usize,
    /// Values below this are counted.
    pub late_below: Option<i64>,
}

/// What was noted of a column, in its own unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marked {
    /// Its largest value; none if it had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub largest: Option<i64>,
    /// Rows whose value is below the bound.
    #[serde(default)]
    pub late: u64,
}

impl Marked {
    /// Adds what was noted of other rows.
    pub fn merge(&mut self, other: Self) {
        self.largest = self.largest.max(other.largest);
        self.late += other.late;
    }
}

/// Where converted rows go. Nothing outside is touched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// How the new dataset is laid out.
    pub layout: Layout,
    /// For a single file: the file. Else the directory, which must be there and below which files are `<stem>.parquet`, `<stem>-1.parquet` …
    pub path: PathBuf,
    /// Whether that file is there already, empty: then none is made.
    pub is_there: bool,
    /// First part of file names, e.g. `part-00000`.
    pub stem: String,
    /// Whether it is the beginning of a file that is put together from several: the only one with CSV's header.
    pub head: bool,
    /// Whether a file is written if there are no rows.
    pub even_if_empty: bool,
}

/// Where rejected rows go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RejectedOutput {
    /// The file; it is made when the first row is rejected, and its directory must be there.
    pub path: PathBuf,
    /// Whether values are written as they are; else as hashes, which tell equal from unequal and no more.
    pub with_values: bool,
}

/// What the work may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Memory for buffers of open files, bytes.
    pub memory_bytes: u64,
    /// Rows of a batch.
    pub batch_rows: usize,
    /// Bytes of output; more is answered as a full disk.
    pub output_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory_bytes: 128 << 20, batch_rows: 8192, output_bytes: u64::MAX }
    }
}

/// What was converted. Nothing is durable yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ConvertReply {
    /// Files written, relative to the output's path (empty for the path itself).
    pub files: Vec<WrittenFile>,
    /// Rows read.
    pub rows_read: u64,
    /// Rows rejected.
    pub rejected: u64,
    /// Evidence of the rows that were written, in terms of the target.
    pub target: State,
    /// Evidence of the same rows in terms of the source, as far as there is a way back.
    pub source: SourceState,
    /// The files that were read, as they were before and after.
    pub read: Vec<(String, Identity)>,
    /// What was noted of the column asked for.
    #[serde(default)]
    pub marked: Marked,
    /// Of a sample: all that did not fit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub misfits: Vec<Misfits>,
}

impl ConvertReply {
    /// Whether all files are below the output: a reader is not trusted with names.
    pub fn is_inside(&self) -> bool {
        let plain = |part: Component<'_>| matches!(part, Component::Normal(_));
        self.files.iter().all(|file| Path::new(&file.relative).components().all(plain))
    }
}

/// A file that was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenFile {
    /// Path below the output's.
    pub relative: String,
    /// Rows.
    pub rows: u64,
    /// Bytes.
    pub bytes: u64,
}

/// Evidence of the source's columns that have a way back (see [`crate::verify`]).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SourceState {
    /// Sum of row hashes over the columns whose way back is exact.
    pub exact: RowSum,
    /// Rows, and the figures of the columns whose way back has a tolerance.
    pub tolerant: State,
}

impl SourceState {
    /// Adds the evidence of other rows.
    pub fn merge(&mut self, other: &Self) {
        self.exact = self.exact.plus(other.exact);
        self.tolerant.merge(&other.tolerant);
    }
}
