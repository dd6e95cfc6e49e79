//! Evidence of both sides of a mapping in one pass.

use super::request::SourceState;
use crate::evidence::{Accumulator, ColumnKey, RowHasher, RowSum, State, hash_column};
use crate::verify::WaysBack;
use arrow::array::{ArrayRef, RecordBatch};
use greylag_driver::error::DriverError;
use greylag_model::mapping::Mapping;
use std::sync::Arc;

/// Evidence of target rows and of the same rows' source columns, be they read from the source (when converting) or
/// computed back from the target (when verifying).
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    target: Accumulator,
    /// Keys of the source columns whose way back is exact.
    keys: Vec<ColumnKey>,
    rows: RowHasher,
    values: Vec<u64>,
    shared: Vec<bool>,
    exact: RowSum,
    tolerant: Accumulator,
}

impl Watch {
    pub(crate) fn new(mapping: &Mapping, ways: &WaysBack) -> Self {
        let key = |index: &usize| ColumnKey::of(&mapping.source.columns[*index].name);
        Self {
            target: Accumulator::new(&mapping.target),
            keys: ways.exact.iter().map(key).collect(),
            rows: RowHasher::default(),
            values: Vec::new(),
            shared: Vec::new(),
            exact: RowSum::default(),
            tolerant: Accumulator::new(&ways.tolerant_schema(mapping)),
        }
    }

    /// Adds a batch: the source columns whose way back is exact and those with a tolerance, each in the order of
    /// [`WaysBack`], and the target's columns. `row` sees the hash of each target row.
    ///
    /// A column that was carried over as it is is the very same array on both sides: then its value hashes serve both
    /// row hashes. Whether it is the same is asked of the arrays, not of the mapping, so that a program that carries
    /// over the wrong column is found.
    pub(crate) fn update(
        &mut self,
        exact: &[ArrayRef],
        tolerant: &RecordBatch,
        target: &RecordBatch,
        row: impl FnMut(u128),
    ) -> Result<(), DriverError> {
        let Self { target: accumulator, keys, rows, values, shared, .. } = self;
        rows.begin(target.num_rows());
        shared.clear();
        shared.resize(exact.len(), false);
        let share = |array: &ArrayRef, hashes: &[u64]| {
            for ((column, key), shared) in exact.iter().zip(keys.iter()).zip(shared.iter_mut()) {
                if !*shared && Arc::ptr_eq(array, column) {
                    rows.add(*key, hashes);
                    *shared = true;
                }
            }
        };
        accumulator.update_with(target, share, row)?;
        for ((column, key), shared) in exact.iter().zip(keys.iter()).zip(shared.iter()) {
            if !shared {
                hash_column(column, values)?;
                rows.add(*key, values);
            }
        }
        self.exact = self.exact.plus(self.rows.finish());
        self.tolerant.update(tolerant)
    }

    pub(crate) fn finish(self) -> (State, SourceState) {
        (self.target.finish(), SourceState { exact: self.exact, tolerant: self.tolerant.finish() })
    }
}
