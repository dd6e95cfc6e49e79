//! Row hashes and their sum.

use super::hash::bytes;
use super::value::ValueRow;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use xxhash_rust::xxh3::xxh3_128;

/// The sum of row hashes modulo 2^128. Adding is associative and commutative. Its text is 32 hex digits; between processes
/// it travels as two numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RowSum(pub u128);

impl RowSum {
    /// The sum of both.
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }
}

impl std::fmt::Display for RowSum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Serialize for RowSum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.collect_str(self);
        }
        ((self.0 >> 64) as u64, self.0 as u64).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RowSum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            let (high, low) = <(u64, u64)>::deserialize(deserializer)?;
            return Ok(Self(u128::from(high) << 64 | u128::from(low)));
        }
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        u128::from_str_radix(&text, 16).map(Self).map_err(serde::de::Error::custom)
    }
}

/// A map by row hashes, which need no hashing again.
pub type ByRow<T> = std::collections::HashMap<u128, T, std::hash::BuildHasherDefault<AsItIs>>;

/// A set of row hashes.
pub type RowSet = std::collections::HashSet<u128, std::hash::BuildHasherDefault<AsItIs>>;

/// Takes a number as its own hash.
#[derive(Clone, Copy, Debug, Default)]
pub struct AsItIs(u64);

impl std::hash::Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        // Row hashes are numbers, which come by the other way.
        self.0 = xxhash_rust::xxh3::xxh3_64_with_seed(bytes, self.0);
    }

    fn write_u128(&mut self, hash: u128) {
        self.0 = (hash >> 64) as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// What ties a value hash to its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColumnKey {
    left: u64,
    right: u64,
}

impl ColumnKey {
    /// The key of the column called `name`.
    pub fn of(name: &str) -> Self {
        let both = xxh3_128(name.as_bytes());
        Self { left: both as u64 | 1, right: (both >> 64) as u64 ^ bytes(name.as_bytes()).rotate_left(32) | 1 }
    }
}

const LEFT: u64 = 0x2d35_8dcc_aa6c_78a5;
const RIGHT: u64 = 0x8bb8_4b93_962e_acc9;

/// The two lanes of one row while its columns come in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lanes {
    left: u64,
    right: u64,
}

impl Lanes {
    pub(super) const EMPTY: Self = Self { left: LEFT, right: RIGHT };

    #[inline]
    pub(super) fn add(&mut self, key: ColumnKey, value: u64) {
        self.left = self.left.wrapping_add(value.wrapping_mul(key.left));
        self.right = self.right.wrapping_add((value ^ (value >> 31)).wrapping_mul(key.right));
    }

    #[inline]
    pub(super) fn finish(self) -> u128 {
        let left = scramble(self.left.wrapping_add(self.right.rotate_left(29)));
        let right = scramble(self.right ^ left);
        u128::from(left) << 64 | u128::from(right)
    }
}

/// Bijective with full avalanche (the finaliser of MurmurHash3, which is in the public domain).
#[inline]
fn scramble(word: u64) -> u64 {
    let word = (word ^ (word >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let word = (word ^ (word >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    word ^ (word >> 33)
}

/// Hashes the rows of one batch at a time: [`begin`](Self::begin), [`add`](Self::add) each column, then
/// [`finish`](Self::finish) or [`finish_each`](Self::finish_each). Its buffers are kept from batch to batch.
#[derive(Clone, Debug, Default)]
pub struct RowHasher {
    rows: Vec<Lanes>,
}

impl RowHasher {
    /// Begins a batch of `rows` rows.
    pub fn begin(&mut self, rows: usize) {
        self.rows.clear();
        self.rows.resize(rows, Lanes::EMPTY);
    }

    /// Adds a column's value hashes, one per row, in any order of columns.
    pub fn add(&mut self, key: ColumnKey, values: &[u64]) {
        debug_assert_eq!(self.rows.len(), values.len());
        for (row, value) in self.rows.iter_mut().zip(values) {
            row.add(key, *value);
        }
    }

    /// Each row as it is so far, for columns that come in value by value.
    pub(crate) fn each_so_far(&self) -> impl Iterator<Item = ValueRow> {
        self.rows.iter().map(|row| ValueRow::from(*row))
    }

    /// The sum over the batch's rows.
    pub fn finish(&mut self) -> RowSum {
        self.rows.iter().fold(RowSum::default(), |sum, row| sum.plus(RowSum(row.finish())))
    }

    /// The sum over the batch's rows; `each` sees every row's hash.
    pub fn finish_each(&mut self, mut each: impl FnMut(u128)) -> RowSum {
        self.rows.iter().fold(RowSum::default(), |sum, row| {
            let hash = row.finish();
            each(hash);
            sum.plus(RowSum(hash))
        })
    }
}
