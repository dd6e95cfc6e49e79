//! What a reader process is asked to verify, and what it answers.

use crate::chunk::Chunk;
use crate::convert::SourceState;
use crate::convert::Window;
use crate::evidence::{RowSum, State};
use crate::listing::Anchor;
use greylag_model::dataset::Layout;
use greylag_model::mapping::Mapping;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Chunks of the target to read back, and perhaps rows of the source to sample first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VerifyRequest {
    /// Old columns to new ones.
    #[serde(with = "crate::again")]
    pub mapping: Arc<Mapping>,
    /// Where the written files lie.
    pub target: Anchor,
    /// How they are laid out.
    pub target_layout: Layout,
    /// Which of their rows; none only samples.
    pub chunks: Vec<Chunk>,
    /// Rows of the source to evaluate before the target is read.
    pub sample: Option<SampleOf>,
    /// Row hashes to look for, from samples that were taken before.
    pub expected: Vec<RowSum>,
    /// Boolean expressions over the target that no row may make false.
    pub checks: Vec<String>,
    /// Rows of a batch.
    pub batch_rows: usize,
}

/// Rows of the source to evaluate by the reference evaluator.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SampleOf {
    /// Where the old dataset lies.
    pub source: Anchor,
    /// How it is laid out.
    pub source_layout: Layout,
    /// Neighbouring chunks.
    pub chunks: Vec<Chunk>,
    /// Only the first so many of their rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_rows: Option<u64>,
    /// Only these rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// Rows to take.
    pub rows: usize,
    /// Makes the choice.
    pub seed: u64,
}

/// What a sample gave.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sampled {
    /// Hashes of the rows that the target must have, but those that were found in the same request.
    pub expected: Vec<RowSum>,
    /// Rows evaluated.
    pub rows: u64,
    /// Of which the reference evaluator rejects.
    pub rejected: u64,
    /// Of which it says that they should have failed the conversion.
    pub failed: u64,
    /// Rows of the chunks.
    pub of: u64,
}

impl Sampled {
    /// Adds another chunk's sample.
    pub fn merge(&mut self, other: Self) {
        self.expected.extend(other.expected);
        self.rows += other.rows;
        self.rejected += other.rejected;
        self.failed += other.failed;
        self.of += other.of;
    }
}

/// How often an expected row hash was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The hash.
    pub hash: RowSum,
    /// Rows of the target that have it.
    pub times: u64,
}

/// What was read back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct VerifyReply {
    /// Evidence of the rows in the files.
    pub target: State,
    /// Evidence of the source's columns, computed back from those rows.
    pub source: SourceState,
    /// What the sample gave, if one was asked for.
    pub sampled: Sampled,
    /// Those of the expected hashes that were found, beyond those of `sampled`.
    pub found: Vec<Found>,
    /// Per check, the rows that make it false or fail.
    pub violations: Vec<u64>,
    /// How a file's columns differ from the target's, if one's do.
    pub schema_differs: Option<String>,
}
