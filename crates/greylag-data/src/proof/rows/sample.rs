//! Real rows: the first of a dataset, as far as they survive the round trip.

use super::Rows;
use super::pool::Literals;
use super::view::{Back, View, change};
use crate::chunk::{Extent, Part};
use crate::convert::Source;
use crate::expr::value_at;
use crate::listing::{Anchor, FileFormat, list};
use arrow::array::RecordBatch;
use greylag_driver::error::DriverError;
use greylag_model::mapping::Mapping;
use greylag_model::proof::Sample;
use greylag_model::value::Value;

/// Values of a column that other relations get, too, so that joins match.
const SHARED: usize = 12;

/// Rows of a changed dataset for both sides. A row whose old values are not had back exactly is not used.
pub(in crate::proof) fn sampled(sample: &Sample, mapping: &Mapping) -> Result<Rows, DriverError> {
    let change = change(mapping);
    let view = View::new(mapping, &change)?;
    let (old_columns, new_columns): (Vec<usize>, Vec<usize>) =
        ((0..mapping.source.columns.len()).collect(), (0..mapping.columns.len()).collect());
    let mut rows = Rows::default();
    for old in read(sample, mapping)? {
        rows.drawn += 1;
        let new = view.new_of(&old, &new_columns);
        let back = new.as_ref().and_then(|new| view.old_of(new, &old, &old_columns));
        let is_same = |(at, value): (usize, &Value)| match view.back()[at] {
            Back::Column(_) | Back::Exact(_) => old[at] == *value,
            Back::Replaced(_) | Back::Lost => true,
        };
        match (new, back) {
            (Some(new), Some(back)) if back.iter().enumerate().all(is_same) => {
                rows.old.push(back);
                rows.new.push(new);
            }
            _ => rows.unfit += 1,
        }
    }
    Ok(rows)
}

/// Values of real rows as literals, so that what is joined with them has some of them.
pub(in crate::proof) fn literals(rows: &Rows, literals: &mut Literals) {
    for row in rows.old.iter().take(SHARED) {
        for value in row {
            match value {
                Value::Int(whole) => literals.number(&whole.to_string()),
                Value::String(text) => literals.text(text),
                _ => {}
            }
        }
    }
}

fn read(sample: &Sample, mapping: &Mapping) -> Result<Vec<Vec<Value>>, DriverError> {
    let anchor = Anchor { root: sample.root.clone(), path: sample.path.clone() };
    let wanted = sample.rows as usize;
    let source = Source { anchor: &anchor, layout: &sample.layout, schema: &mapping.source, batch_rows: wanted.max(1) };
    let listing = list(&anchor, Some(FileFormat::of(&sample.layout.format)))?;
    let mut rows = Vec::new();
    for file in &listing.files {
        let part = Part { relative: file.relative.clone(), extent: Extent::Whole, rows: None, bytes: file.bytes };
        for batch in source.open(&part, &file.partition)? {
            let batch: RecordBatch = batch?;
            let left = wanted.saturating_sub(rows.len()).min(batch.num_rows());
            let columns = || batch.columns().iter().zip(&mapping.source.columns);
            rows.extend((0..left).map(|row| {
                columns().map(|(array, column)| value_at(array, &column.data_type, row)).collect::<Vec<_>>()
            }));
            if rows.len() >= wanted {
                return Ok(rows);
            }
        }
    }
    Ok(rows)
}
