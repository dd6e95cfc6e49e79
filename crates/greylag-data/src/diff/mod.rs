//! Diff: which rows of two datasets differ, and how.
//!
//! # What equal means
//!
//! Columns are paired by name. What is compared is the value, not its spelling: an integer equals the same integer of any
//! width, a decimal the same number of any scale, a timestamp the same moment of any unit, a float the same number of any
//! width, NaN equals NaN, `-0.0` equals `0.0`, null equals null (see [`Class`]). Columns with a tolerance are compared as
//! double-precision numbers within it. Columns that only one side has, or whose types have nothing in common, are a
//! difference of their own and take no part in the comparison of rows.
//!
//! With a **key**, rows of equal key are held against each other: `changed` if both sides have it, `removed` if only the
//! left one, `added` if only the right one. The key may have several columns; they are hashed column by column, so that
//! `("a", "bc")` and `("ab", "c")` are two keys. A key that occurs more than once is compared as a bag: equal rows are
//! taken out first, what is left is held against each other in order. **Without a key** whole rows are compared as bags;
//! then nothing is `changed`.
//!
//! With a **mapping**, the left side is what the mapping makes of it, so that only what the mapping does not explain
//! counts.
//!
//! # How
//!
//! ```text
//! left  units ─ digest ─▶ sorted runs of (key hash, row hash) ─┐
//!                                                               ├─ merge by key ─▶ counts, keys that differ
//! right units ─ digest ─▶ sorted runs of (key hash, row hash) ─┘                          │
//! left, right units ─ pick ◀──────────────────────────────────────────────────────────────┘
//!                      └─▶ rows of those keys ─ held against each other ─▶ named differences
//! ```
//!
//! 1. **Digest** (in readers): each row becomes 16 bytes, or 8 more for each column with a tolerance. They are sorted by
//!    [`RUN_BYTES`] and written to scratch space.
//! 2. **Merge**: both sides' runs are merged in the order of their keys, in as many ranges of keys as there are processors.
//!    A key whose rows are equal leaves no trace; of the others the first so many are kept, the rest is only counted.
//! 3. **Pick** (in readers): both sides are read again, and the rows of those keys are given back as text. Skipped if
//!    there are none.
//!
//! **Memory** is [`RUN_BYTES`] per reader, a buffer per run (of which at most [`FAN_IN`] are merged at once), and the named
//! rows, whatever the size of the datasets; a process merges one diff at a time. Scratch space is 16 bytes a row.
//!
//! **Certainty.** That two different rows of one key are taken for equal has a probability of 2⁻⁶⁴ for each such pair.
//! Two keys that share their 64-bit hash are told apart where they are named; where they are only counted, a row that
//! was removed and one that was added may be counted as one that changed.
//!
//! # Dying half-way
//!
//! What a unit's digest gave is a file whose name follows from the listing, put in place by a rename. The same diff of
//! the same files, begun again, makes only those that are missing. Files that changed meanwhile give other names for all.

mod canonical;
mod digest;
mod job;
mod merge;
mod pick;
mod report;
mod runs;

pub use digest::{DigestReply, DigestRequest, SideOf};
pub use greylag_model::diff::{Class, Compared, Counts, Differing, Options, Pairing};
pub use job::{Diff, Side};
pub use pick::{PickReply, PickRequest, PickedRow};
pub use report::{Cell, Difference, Kind, Report};

pub(crate) use digest::digest;
pub(crate) use pick::pick;

/// Memory of the records that are sorted at once.
pub const RUN_BYTES: usize = 64 << 20;
/// Runs that are merged at once.
pub const FAN_IN: usize = 128;
