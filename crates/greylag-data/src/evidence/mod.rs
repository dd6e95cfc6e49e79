//! Evidence: what one pass over a dataset's rows observed, in the terms of one schema.
//!
//! # Terms
//!
//! - A **value hash** is 64 bits of one value in its canonical form. It depends on the logical value alone, not on
//!   Arrow's encoding (offsets width, views, dictionaries, slices, garbage under nulls), on batches, or on the file.
//! - A **row hash** is 128 bits of all of a row's value hashes, each tied to its column's *name*.
//! - The **dataset hash** is the sum of the row hashes modulo 2^128: free of order, and duplicates add up instead of
//!   cancelling as they would under exclusive or.
//!
//! # Canonical forms
//!
//! | type | form |
//! |---|---|
//! | integers, dates, times, timestamps | the two's complement 64-bit number in the type's unit |
//! | decimals | the unscaled 128-bit number |
//! | floats | the bits; every NaN is one NaN; `-0.0` differs from `0.0` (as in `model::value`) |
//! | booleans | 0 or 1 |
//! | text, binary | the bytes; empty differs from null |
//! | lists, maps | length and elements, in order; an empty list differs from null |
//! | structs | the fields' hashes, in order |
//! | null | one constant for every type |
//!
//! Types are not part of a hash: evidence is compared only between passes in the terms of the same schema, and the
//! schema is compared by itself.
//!
//! # How the row hash is made, and what it can tell
//!
//! Column at a time: each column has two odd 64-bit keys made from its name; a row has two 64-bit lanes, and each
//! value hash times the keys is added to them. A bijective finaliser then mixes the two lanes, and only then are rows
//! added up. Without that finaliser the whole would be linear, and values that change places between rows would go
//! unnoticed. Two different rows collide with a probability of about 2^-64 if they differ in one text (its value hash
//! is 64 bits wide), never if they differ in one number of up to 64 bits, and about 2^-128 else. There is no secret
//! key: this finds faults, not forgers who can choose both datasets.
//!
//! Adding to the lanes is commutative, so that the order of columns does not matter, but the keys differ: contents
//! that changes places between two columns is found. And one value hash serves two row hashes: that of the target's
//! row and, for a column that was carried over as it is, that of the source's row (see [`RowHasher::add`]).
//!
//! # Figures beside the hash
//!
//! Smallest and largest values and sums say *where* two datasets differ when the hash says *that* they do. Sums are
//! exact, those of floats too (see `float_sum`), so that merging partial evidence is associative and commutative to
//! the last bit, whatever the chunks. Of text and binary the figures are of lengths in bytes: evidence is journalled
//! and shown, and must not hold what people wrote.

mod accumulator;
mod float_sum;
mod hash;
mod range;
mod row;
mod state;
mod text;
mod value;

#[cfg(test)]
mod tests;

pub use accumulator::Accumulator;
pub use hash::hash_column;
pub(crate) use hash::{NULL, float64, wide};
pub use row::{ByRow, ColumnKey, RowHasher, RowSet, RowSum};
pub use state::{ColumnState, State};
pub(crate) use value::ValueRow;
pub use value::{hash_value, row_hash};
