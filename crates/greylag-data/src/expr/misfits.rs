//! Rows whose value does not fit.

use super::program::Unfit;
use arrow::array::BooleanBufferBuilder;
use arrow::buffer::NullBuffer;

/// Rows in ascending order, each with the reason.
#[derive(Debug, Default)]
pub(super) struct Misfits {
    rows: Vec<(usize, &'static str)>,
}

impl Misfits {
    pub(super) fn push(&mut self, row: usize, reason: &'static str) {
        self.rows.push((row, reason));
    }

    pub(super) fn first(&self) -> Option<&(usize, &'static str)> {
        self.rows.first()
    }

    /// Adds those of a later step; a row's first reason stays.
    pub(super) fn merge(&mut self, later: Self) {
        if later.rows.is_empty() {
            return;
        }
        self.rows.extend(later.rows);
        self.rows.sort_by_key(|(row, _)| *row);
        self.rows.dedup_by_key(|(row, _)| *row);
    }

    pub(super) fn rows(&self) -> &[(usize, &'static str)] {
        &self.rows
    }

    /// Adds what they come to for a column, by reason.
    pub(super) fn count(&self, column: usize, counts: &mut Vec<Unfit>) {
        let own = counts.len();
        for (row, reason) in &self.rows {
            match counts[own..].iter_mut().find(|count| count.reason == *reason) {
                Some(count) => count.rows += 1,
                None => counts.push(Unfit { column, reason, rows: 1, first: *row }),
            }
        }
    }

    /// The nulls of an array, and these rows.
    pub(super) fn nulls(&self, before: Option<&NullBuffer>, length: usize) -> Option<NullBuffer> {
        if self.rows.is_empty() {
            return before.cloned();
        }
        let mut valid = BooleanBufferBuilder::new(length);
        match before {
            Some(nulls) => valid.append_buffer(nulls.inner()),
            None => valid.append_n(length, true),
        }
        self.rows.iter().for_each(|(row, _)| valid.set_bit(*row, false));
        Some(NullBuffer::new(valid.finish()))
    }
}
