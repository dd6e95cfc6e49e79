//! Dates, times and timestamps of arrays as the texts that CSV and JSON share.

use super::format;
use arrow::array::{Array, ArrowPrimitiveType, AsArray};
use arrow::datatypes::{
    Date32Type, Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use greylag_model::types::TimeUnit;

/// Makes a format's cell of what appends a value's text.
pub(crate) trait Cells<'a> {
    /// One column of a batch.
    type Cell;
    /// Of an array and what appends the text of a row that is not null.
    fn cell(&self, array: &'a dyn Array, put: impl Fn(&mut Vec<u8>, usize) + 'a) -> Self::Cell;
}

/// Dates.
pub(crate) fn dates<'a, C: Cells<'a>>(cells: &C, array: &'a dyn Array) -> C::Cell {
    units::<Date32Type, C>(cells, array, format::date)
}

fn units<'a, T: ArrowPrimitiveType, C: Cells<'a>>(
    cells: &C,
    array: &'a dyn Array,
    put: impl Fn(&mut Vec<u8>, i64) + 'a,
) -> C::Cell
where
    T::Native: Into<i64>,
{
    let values = array.as_primitive::<T>();
    cells.cell(array, move |out, row| put(out, values.value(row).into()))
}

/// Times of day.
pub(crate) fn times<'a, C: Cells<'a>>(cells: &C, array: &'a dyn Array, unit: TimeUnit) -> C::Cell {
    let put = move |out: &mut Vec<u8>, value| format::time(out, value, unit);
    match unit {
        TimeUnit::S => units::<Time32SecondType, C>(cells, array, put),
        TimeUnit::Ms => units::<Time32MillisecondType, C>(cells, array, put),
        TimeUnit::Us => units::<Time64MicrosecondType, C>(cells, array, put),
        TimeUnit::Ns => units::<Time64NanosecondType, C>(cells, array, put),
    }
}

/// Timestamps, moments or readings of a clock.
pub(crate) fn timestamps<'a, C: Cells<'a>>(cells: &C, array: &'a dyn Array, unit: TimeUnit, instant: bool) -> C::Cell {
    let put = move |out: &mut Vec<u8>, value| format::timestamp(out, value, unit, instant);
    match unit {
        TimeUnit::S => units::<TimestampSecondType, C>(cells, array, put),
        TimeUnit::Ms => units::<TimestampMillisecondType, C>(cells, array, put),
        TimeUnit::Us => units::<TimestampMicrosecondType, C>(cells, array, put),
        TimeUnit::Ns => units::<TimestampNanosecondType, C>(cells, array, put),
    }
}
