//! The same hashes from the reference evaluator's values, written a second time: the sampled verification compares rows
//! that never were Arrow with rows that were read from the target.

use super::hash::{NULL, bytes, float32, float64, fold, mix, sequence, wide};
use super::row::{ColumnKey, Lanes};
use greylag_model::value::Value;

/// The value hash of one value.
pub fn hash_value(value: &Value) -> u64 {
    match value {
        Value::Null => NULL,
        Value::Boolean(value) => mix(u64::from(*value)),
        Value::Int(value) => mix(*value as u64),
        Value::Float32(value) => float32(*value),
        Value::Float64(value) => float64(*value),
        Value::Decimal(value, _) => wide(*value),
        Value::Date(value) => mix(*value as u64),
        Value::Time(value) | Value::Timestamp(value) => mix(*value as u64),
        Value::String(value) => bytes(value.as_bytes()),
        Value::Binary(value) => bytes(value),
        Value::List(items) | Value::Struct(items) => {
            items.iter().fold(sequence(items.len()), |hash, item| fold(hash, hash_value(item)))
        }
        Value::Map(entries) => entries.iter().fold(sequence(entries.len()), |hash, (key, value)| {
            fold(hash, fold(fold(sequence(2), hash_value(key)), hash_value(value)))
        }),
    }
}

/// The row hash of one row, a value at a time.
#[derive(Clone, Copy)]
pub(crate) struct ValueRow(Lanes);

impl Default for ValueRow {
    fn default() -> Self {
        Self(Lanes::EMPTY)
    }
}

impl From<Lanes> for ValueRow {
    fn from(lanes: Lanes) -> Self {
        Self(lanes)
    }
}

impl ValueRow {
    /// Adds the value of a column, in any order of columns.
    pub(crate) fn add(&mut self, key: ColumnKey, value: &Value) {
        self.0.add(key, hash_value(value));
    }

    /// The hash.
    pub(crate) fn finish(self) -> u128 {
        self.0.finish()
    }
}

/// The row hash of a row of values, each with its column's key.
pub fn row_hash<'a>(row: impl IntoIterator<Item = (ColumnKey, &'a Value)>) -> u128 {
    let mut hash = ValueRow::default();
    row.into_iter().for_each(|(key, value)| hash.add(key, value));
    hash.finish()
}
