//! Windows: the rows of a source whose value in one column of the target lies in a range. Who makes which part of a derived
//! dataset is said by them.
//!
//! The column is computed from source rows by its part of the mapping alone, so that rows outside the window are never
//! converted, rejected or counted. A row without a value there is taken for older than any: a window without a lower bound
//! has it, one with a lower bound fails at it, since nobody would make that row.

use super::mark::numbers;
use crate::arrow_types::to_arrow_schema;
use crate::expr::Program;
use arrow::array::{Array, BooleanArray, Int64Array, RecordBatch};
use arrow::compute::filter_record_batch;
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use greylag_model::mapping::Mapping;
use greylag_model::spec::Misfit;
use serde::{Deserialize, Serialize};

/// Rows whose value in a column of the target lies in a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Place of the column in the target: a date, a timestamp or an integer.
    pub column: usize,
    /// Not below this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<i64>,
    /// Below this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<i64>,
}

/// One column of a mapping, as numbers.
pub(crate) struct Numbers {
    program: Program,
    name: String,
}

impl Numbers {
    pub(crate) fn new(mapping: &Mapping, column: usize) -> Result<Self, DriverError> {
        let mut only = mapping.columns[column].clone();
        // One that does not fit has no value here; what becomes of its row is for the conversion to say.
        only.misfit = Misfit::Null;
        only.default = None;
        let name = only.target.clone();
        let program = Program::new(&[only], &to_arrow_schema(&mapping.source))?;
        Ok(Self { program, name })
    }

    /// Of every row of a source batch.
    pub(crate) fn of(&self, batch: &RecordBatch) -> Result<Int64Array, DriverError> {
        numbers(self.program.run(batch)?.batch.column(0))
    }
}

/// Lets rows of a window through.
pub(crate) struct Filter {
    numbers: Numbers,
    window: Window,
}

impl Filter {
    pub(crate) fn new(mapping: &Mapping, window: Window) -> Result<Self, DriverError> {
        Ok(Self { numbers: Numbers::new(mapping, window.column)?, window })
    }

    /// The rows of a source batch that are in the window.
    pub(crate) fn keep(&self, batch: &RecordBatch) -> Result<RecordBatch, DriverError> {
        let Window { from, below, .. } = self.window;
        let numbers = self.numbers.of(batch)?;
        if from.is_some() && numbers.null_count() > 0 {
            let words =
                format!("{} rows have no `{}`, which says whose they are", numbers.null_count(), self.numbers.name);
            return Err(
                DriverError::permanent(code::NO_MARK, words).hint("the writer has to give every row a value there")
            );
        }
        let inside = |value: Option<i64>| match value {
            None => true,
            Some(value) => from.is_none_or(|from| value >= from) && below.is_none_or(|below| value < below),
        };
        let mask: BooleanArray = numbers.iter().map(|value| Some(inside(value))).collect();
        if mask.true_count() == batch.num_rows() {
            return Ok(batch.clone());
        }
        filter_record_batch(batch, &mask).map_err(|error| crate::error::arrow(&error))
    }
}
