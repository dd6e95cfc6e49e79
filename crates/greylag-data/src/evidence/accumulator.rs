//! One pass over batches.

use super::hash::hash_column;
use super::range::observe;
use super::row::{ColumnKey, RowHasher};
use super::state::State;
use crate::error::wrong_shape;
use arrow::array::{ArrayRef, RecordBatch};
use greylag_driver::error::DriverError;
use greylag_model::schema::Schema;

/// Makes evidence from batches of one schema. Buffers are kept: in the steady state a batch allocates nothing.
#[derive(Clone, Debug)]
pub struct Accumulator {
    keys: Vec<ColumnKey>,
    state: State,
    rows: RowHasher,
    values: Vec<u64>,
}

impl Accumulator {
    /// An accumulator over rows of `schema`.
    pub fn new(schema: &Schema) -> Self {
        Self {
            keys: schema.columns.iter().map(|column| ColumnKey::of(&column.name)).collect(),
            state: State::empty(schema),
            rows: RowHasher::default(),
            values: Vec::new(),
        }
    }

    /// Adds a batch whose columns are the schema's, in its order.
    pub fn update(&mut self, batch: &RecordBatch) -> Result<(), DriverError> {
        self.update_with(batch, |_, _| {}, |_| {})
    }

    /// Like [`update`](Self::update); `column` sees each column's array and value hashes (so that another row hash can
    /// use them) and `row` each row's hash.
    pub fn update_with(
        &mut self,
        batch: &RecordBatch,
        mut column: impl FnMut(&ArrayRef, &[u64]),
        row: impl FnMut(u128),
    ) -> Result<(), DriverError> {
        if batch.num_columns() != self.keys.len() {
            return Err(wrong_shape(self.keys.len(), batch.num_columns()));
        }
        self.rows.begin(batch.num_rows());
        for ((array, key), state) in batch.columns().iter().zip(&self.keys).zip(&mut self.state.columns) {
            hash_column(array, &mut self.values)?;
            self.rows.add(*key, &self.values);
            column(array, &self.values);
            observe(array, state);
        }
        self.state.rows += batch.num_rows() as u64;
        self.state.hash = self.state.hash.plus(self.rows.finish_each(row));
        Ok(())
    }

    /// What was observed so far.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// What was observed.
    pub fn finish(self) -> State {
        self.state
    }
}
