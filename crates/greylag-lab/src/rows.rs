//! The rows of a dataset: drawn once, held as the cells of the old and of the new columns.

use crate::attribute::Record;
use crate::cell::Cell;
use crate::design::{Design, Slot};
use crate::draws::Draws;

/// Cells by column (in the order of the design's slots) and row.
pub(crate) struct Rows {
    pub(crate) old: Vec<Vec<Cell>>,
    pub(crate) new: Vec<Vec<Cell>>,
    /// Rows of `old` that the new dataset does not have.
    pub(crate) rejected: usize,
}

/// Draws all rows. Each attribute has a stream of its own, so that its values do not depend on its neighbours.
pub(crate) fn draw(seed: u64, design: &Design) -> Rows {
    let mut old: Vec<Vec<Vec<Cell>>> = Vec::with_capacity(design.attributes.len());
    let mut new: Vec<Vec<Vec<Cell>>> = Vec::with_capacity(design.attributes.len());
    let mut rejected = vec![false; design.rows];
    for (number, attribute) in design.attributes.iter().enumerate() {
        let mut draws = Draws::new(seed, "rows", (design.index as u64) << 16 | number as u64);
        let mut old_columns = vec![Vec::with_capacity(design.rows); attribute.old.len()];
        let mut new_columns = vec![Vec::with_capacity(design.rows); attribute.new.len()];
        let mut record = Record::default();
        for rejected in &mut rejected {
            (attribute.draw)(&mut draws, &mut record);
            for (column, cell) in old_columns.iter_mut().zip(record.old.drain(..)) {
                column.push(cell);
            }
            for (column, cell) in new_columns.iter_mut().zip(record.new.drain(..)) {
                column.push(cell);
            }
            *rejected |= std::mem::take(&mut record.rejected);
        }
        old.push(old_columns);
        new.push(new_columns);
    }
    if let Some(cell) = design.hostile.and_then(|hostile| hostile.last_cell())
        && let Some(attribute) = design.attributes.iter().position(|attribute| attribute.marks.is_empty())
        && let Some(last) = old[attribute][0].last_mut()
    {
        *last = cell;
    }
    let by_slots = |cells: &mut Vec<Vec<Vec<Cell>>>, slots: &[Slot]| -> Vec<Vec<Cell>> {
        slots.iter().map(|slot| std::mem::take(&mut cells[slot.attribute][slot.cell])).collect()
    };
    let mut new = by_slots(&mut new, &design.new_slots);
    let count = rejected.iter().filter(|rejected| **rejected).count();
    if count > 0 {
        for column in &mut new {
            let mut kept = rejected.iter().map(|rejected| !rejected);
            column.retain(|_| kept.next().unwrap_or(true));
        }
    }
    Rows { old: by_slots(&mut old, &design.old_slots), new, rejected: count }
}
