//! Watermarks: the largest value of one column, and how many rows are older than they may be.

use super::request::{MarkOf, MarkRequest, Marked};
use super::{Numbers, Source};
use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use greylag_driver::error::DriverError;
use std::sync::Arc;

/// What a batch of the target has in that column.
pub(super) fn of(batch: &RecordBatch, of: &MarkOf) -> Result<Marked, DriverError> {
    let numbers = numbers(batch.column(of.column))?;
    let largest = arrow::compute::max(&numbers);
    let late = of.late_below.map_or(0, |below| numbers.iter().flatten().filter(|value| *value < below).count() as u64);
    Ok(Marked { largest, late })
}

/// The largest value of a column of the target over chunks of a source.
pub fn largest(request: &MarkRequest) -> Result<Marked, DriverError> {
    let MarkRequest { source, source_layout, chunks, mapping, column, batch_rows } = request;
    let numbers = Numbers::new(mapping, *column)?;
    let opened = Source { anchor: source, layout: source_layout, schema: &mapping.source, batch_rows: *batch_rows };
    let mut marked = Marked::default();
    for (part, partition) in
        chunks.iter().flat_map(|chunk| chunk.parts.iter().map(move |part| (part, &chunk.partition)))
    {
        for batch in opened.open(part, partition)? {
            marked.largest = marked.largest.max(arrow::compute::max(&numbers.of(&batch?)?));
        }
    }
    Ok(marked)
}

/// A column of days, moments or integers in its own unit.
pub(super) fn numbers(column: &ArrayRef) -> Result<Int64Array, DriverError> {
    let failed = |error: arrow::error::ArrowError| crate::error::arrow(&error);
    // Days come as 32 bits, moments as 64; the rest are integers.
    let numbers = match column.data_type() {
        DataType::Date32 => Arc::new(column.as_primitive_opt::<arrow::datatypes::Date32Type>().map_or_else(
            || arrow::array::Int32Array::new_null(column.len()),
            arrow::array::PrimitiveArray::reinterpret_cast::<Int32Type>,
        )),
        _ => cast(column, &DataType::Int64).map_err(failed)?,
    };
    let numbers = cast(&numbers, &DataType::Int64).map_err(failed)?;
    Ok(numbers.as_primitive_opt::<Int64Type>().cloned().unwrap_or_else(|| Int64Array::new_null(column.len())))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::of;
    use crate::convert::{MarkOf, Marked};
    use arrow::array::{ArrayRef, Date32Array, Int16Array, RecordBatch, TimestampMicrosecondArray};
    use std::sync::Arc;

    fn marked(array: ArrayRef, late_below: Option<i64>) -> Marked {
        let batch = RecordBatch::try_from_iter_with_nullable([("at", array, true)]).unwrap();
        of(&batch, &MarkOf { column: 0, late_below }).unwrap()
    }

    #[test]
    fn largest_and_late_of_each_kind() {
        let days = Arc::new(Date32Array::from(vec![Some(3), None, Some(9), Some(4)]));
        assert_eq!(marked(days.clone(), None), Marked { largest: Some(9), late: 0 });
        assert_eq!(marked(days, Some(4)), Marked { largest: Some(9), late: 1 });
        let moments = Arc::new(TimestampMicrosecondArray::from(vec![-5, 7, 7]).with_timezone("UTC"));
        assert_eq!(marked(moments, Some(7)), Marked { largest: Some(7), late: 1 });
        assert_eq!(marked(Arc::new(Int16Array::from(vec![1, 2])), Some(9)), Marked { largest: Some(2), late: 2 });
    }

    #[test]
    fn nulls_are_neither() {
        let nothing = Arc::new(Date32Array::from(vec![None, None]));
        assert_eq!(marked(nothing, Some(4)), Marked::default());
    }
}
