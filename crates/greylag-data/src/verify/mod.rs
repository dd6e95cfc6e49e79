//! Verification: three proofs that do not share their faults.
//!
//! # What could be wrong, and what would find it
//!
//! 1. **The writer and the disk.** While converting, evidence is taken of the target's rows as they go to the writer.
//!    Verifying reads *every* written file back and takes evidence again: schema, rows, nulls, smallest and largest
//!    values, sums and the hash must be equal. Finds: bytes that changed, files or row groups that are missing or there
//!    twice, rows swapped between partitions, a codec that does not give back what it took.
//! 2. **The mapping, on every row, where there is a way back.** Most columns of most mappings can be computed back:
//!    renames and exact casts by construction, others because the file gives a reverse. From the rows *read back*, the
//!    source's columns are computed by the reverse expressions, and their row hash must equal that of the columns as the
//!    *source* had them. Nothing of the way there is used: an expression that is evaluated wrongly, a column that went
//!    to the wrong place, values that changed rows, a row that was dropped or doubled are found, in whatever row.
//! 3. **The mapping, on a sample, by another evaluator.** Rows of the source are read *again* and evaluated by
//!    `model::expr`'s reference evaluator, which shares no code with the vectorised one. The hash of each resulting row
//!    must be found among the target's rows, at least as often as in the sample. This is the proof for columns without a
//!    way back; where there is one for all, a smaller sample is a second opinion.
//!
//! # The sample
//!
//! Chunks are chosen by the hash of their names, rows within a chunk by the hash of their positions (those with the
//! smallest), so that another attempt or another person takes the same. Up to [`SAMPLE_ROWS`] rows of a dataset, or
//! [`SECOND_OPINION_ROWS`] where the way back covers everything; a dataset that is smaller than that is checked whole,
//! and then the rejected rows are counted, too. If the way back covers some columns, the rows beyond the second opinion
//! take those columns from the same program that wrote them, so that the reference evaluates what only it can prove, and
//! each value is still looked for in its own row. A row hash says nothing of *which* row of the target it is: that
//! it stands in the right place is proven by the hash of all.
//!
//! # Tolerance
//!
//! A column whose way back has a tolerance cannot be hashed: equal within a tolerance is not an equivalence. For it,
//! what stands is: the sample (the way *there* has one right result, also when it rounds); and over all rows, the
//! figures of the values computed back against those of the source: equal nulls, smallest and largest within the
//! tolerance, the sum within rows times it. One value that is off by more than the sum's leeway, or out of range,
//! is found; two errors that cancel out inside the range, outside the sample, are not. Whoever needs more gives an exact
//! reverse.
//!
//! # Columns without a proof on every row
//!
//! A lost column, one that gets a default, and one that becomes null where it does not fit (see [`WaysBack`]) are proven
//! by the sample alone, besides the counts. The result of the check says how many columns and rows that concerns.
//!
//! # Dying half-way
//!
//! Verifying changes nothing. It is done again from the start.

mod judge;
mod pass;
mod request;
mod sample;
mod ways_back;

pub use judge::{Facts, judge};
pub use pass::verify;
pub use request::{Found, SampleOf, Sampled, VerifyReply, VerifyRequest};
pub use sample::sample;
pub use ways_back::WaysBack;

/// Rows of a dataset that the reference evaluator sees at most.
pub const SAMPLE_ROWS: usize = 1024;
/// The same of columns that are covered by an exact way back.
pub const SECOND_OPINION_ROWS: usize = 32;
