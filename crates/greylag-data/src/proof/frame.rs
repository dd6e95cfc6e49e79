//! Results as values, whatever Arrow calls their types.

use crate::arrow_types::{canonical_array, from_arrow, to_arrow};
use crate::expr::value_at;
use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType as ArrowType, SchemaRef};
use arrow::error::ArrowError;
use greylag_model::types::DataType;
use greylag_model::value::Value;

/// Rows with names and types.
#[derive(Clone, Debug, Default)]
pub(super) struct Frame {
    pub(super) names: Vec<String>,
    pub(super) types: Vec<DataType>,
    pub(super) rows: Vec<Vec<Value>>,
}

impl Frame {
    /// The rows of batches.
    pub(super) fn of(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<Self, ArrowError> {
        // Intervals, durations and the like are compared by their text.
        let type_of = |arrow: &ArrowType| from_arrow(arrow).unwrap_or(DataType::String);
        let types: Vec<DataType> = schema.fields().iter().map(|field| type_of(field.data_type())).collect();
        let mut rows = Vec::new();
        for batch in batches {
            let columns = batch.columns().iter().zip(&types).map(|(array, to)| canonical(array, to));
            let columns: Vec<ArrayRef> = columns.collect::<Result<_, _>>()?;
            rows.extend((0..batch.num_rows()).map(|row| {
                columns.iter().zip(&types).map(|(array, data_type)| value_at(array, data_type, row)).collect::<Vec<_>>()
            }));
        }
        let names = schema.fields().iter().map(|field| field.name().clone()).collect();
        Ok(Self { names, types, rows })
    }
}

fn canonical(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    let to = to_arrow(to);
    if *array.data_type() == ArrowType::Null || from_arrow(array.data_type()).is_err() {
        return cast(array, &to);
    }
    canonical_array(array, &to)
}
