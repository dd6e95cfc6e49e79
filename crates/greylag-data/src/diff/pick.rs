//! Picks: the rows of given keys, as text. Runs in a reader.

use super::digest::{ColumnOf, Hashes, SideOf};
use crate::chunk::Chunk;
use crate::durable::Identity;
use crate::error::arrow;
use crate::evidence::RowSet;
use arrow::array::{Array, ArrayRef, UInt32Array};
use arrow::compute::take;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Rows that one answer has at most.
const MOST_ROWS: usize = 200_000;
/// Characters of a value that are kept.
const MOST_CHARACTERS: usize = 1_000;

/// Which rows to pick.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PickRequest {
    /// Of which side.
    pub side: SideOf,
    /// From which chunks.
    pub chunks: Vec<Chunk>,
    /// Key hashes.
    pub keys: Vec<u64>,
    /// Most rows of a batch.
    pub batch_rows: usize,
}

/// What was picked.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PickReply {
    /// The rows, in the order of the files.
    pub rows: Vec<PickedRow>,
    /// The files that were read, as they were.
    pub read: Vec<(String, Identity)>,
}

/// A row of one of the keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PickedRow {
    /// Its key's hash.
    pub key: u64,
    /// Of each compared column: the hash, or the number if there is a tolerance.
    pub values: Vec<u64>,
    /// The same as text; null has none.
    pub texts: Vec<Option<String>>,
}

/// Picks rows. Most rows are not wanted, so all columns are looked at only of those that are.
pub(crate) fn pick(request: &PickRequest) -> Result<PickReply, DriverError> {
    let PickRequest { side, chunks, keys, batch_rows } = request;
    let read = side.identities(chunks)?;
    let wanted: RowSet = keys.iter().map(|key| u128::from(*key) << 64).collect();
    let keyed = side.columns.iter().any(|column| column.key);
    let places: Vec<usize> = (0..side.columns.len()).filter(|at| side.columns[*at].key || !keyed).collect();
    let key_columns: Vec<ColumnOf> = places.iter().map(|at| side.columns[*at].clone()).collect();
    let (mut by_key, mut whole) = (Hashes::new(&key_columns), Hashes::new(&side.columns));
    let (mut picked, mut found, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    side.each_batch(chunks, *batch_rows, |arrays| {
        picked.clear();
        found.clear();
        let key_arrays: Vec<ArrayRef> = places.iter().map(|at| Arc::clone(&arrays[*at])).collect();
        let mut row = 0u32;
        by_key.each(&key_arrays, |record| {
            if wanted.contains(&(record >> 64 << 64)) {
                picked.push(row);
                found.push((record >> 64) as u64);
            }
            row += 1;
        })?;
        if picked.is_empty() {
            return Ok(());
        }
        if rows.len() + picked.len() > MOST_ROWS {
            let words = format!("the keys that differ have more than {MOST_ROWS} rows in one part of a dataset");
            return Err(DriverError::permanent(code::DIFF_REFUSED, words)
                .hint("have fewer keys named with `--rows N`, or name a key that tells rows apart"));
        }
        let picked = UInt32Array::from(std::mem::take(&mut picked));
        let taken: Vec<ArrayRef> = arrays
            .iter()
            .map(|array| take(array, &picked, None).map_err(|error| arrow(&error)))
            .collect::<Result<_, _>>()?;
        whole.each(&taken, |_| {})?;
        let texts = texts(&taken)?;
        for (row, key) in found.iter().enumerate() {
            rows.push(PickedRow {
                key: *key,
                values: whole.values.iter().map(|values| values[row]).collect(),
                texts: texts.iter().map(|text| text.of(row)).collect(),
            });
        }
        Ok(())
    })?;
    side.check_unchanged(chunks, &read)?;
    Ok(PickReply { rows, read })
}

/// A column's values as text.
struct Text<'a> {
    array: &'a ArrayRef,
    formatter: ArrayFormatter<'a>,
}

fn texts(arrays: &[ArrayRef]) -> Result<Vec<Text<'_>>, DriverError> {
    let mut texts = Vec::with_capacity(arrays.len());
    for array in arrays {
        let formatter = ArrayFormatter::try_new(array, &OPTIONS).map_err(|error| arrow(&error))?;
        texts.push(Text { array, formatter });
    }
    Ok(texts)
}

const OPTIONS: FormatOptions<'static> = FormatOptions::new().with_display_error(true);

impl Text<'_> {
    fn of(&self, row: usize) -> Option<String> {
        if self.array.is_null(row) {
            return None;
        }
        let text = self.formatter.value(row).to_string();
        Some(match text.char_indices().nth(MOST_CHARACTERS) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        })
    }
}
