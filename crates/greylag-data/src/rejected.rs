//! Rejected rows: JSON lines beside the run, one a row.
//!
//! ```json
//! {"file":"day=1/a.parquet","row":17,"column":"price","reason":"out of range","values":{"id":"#8c5f…","price":null}}
//! ```
//!
//! `row` counts from 0 within the part that was read; a part of a larger file is told by `part`. Values are hashes
//! unless the migration's author asked for them: they tell equal from unequal, so that a person can look for a pattern
//! or for the row in the source, and nothing else.

use crate::chunk::{Extent, Part};
use crate::convert::RejectedOutput;
use crate::evidence::hash_column;
use crate::expr::Rejected;
use crate::io_error::io_error;
use arrow::array::{Array, BooleanArray, RecordBatch};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use greylag_driver::error::DriverError;
use greylag_model::schema::Schema;
use serde::Serialize;
use std::fs::File;
use std::io::{BufWriter, Write};

/// Writes rejected rows.
#[derive(Debug)]
pub struct RejectedRows<'a> {
    output: &'a RejectedOutput,
    schema: &'a Schema,
    file: Option<BufWriter<File>>,
    rows: u64,
}

/// One line.
#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<String>,
    row: u64,
    column: &'a str,
    reason: &'a str,
    values: serde_json::Map<String, serde_json::Value>,
}

impl<'a> RejectedRows<'a> {
    /// A writer that touches nothing until the first row.
    pub fn new(output: &'a RejectedOutput, schema: &'a Schema) -> Self {
        Self { output, schema, file: None, rows: 0 }
    }

    /// Takes a batch's rejected rows; gives back which rows stay, or `None` if all do. `first_row` is the place of the
    /// batch within its part.
    pub fn take(
        &mut self,
        part: &Part,
        first_row: u64,
        batch: &RecordBatch,
        rejected: &[Rejected],
    ) -> Result<Option<BooleanArray>, DriverError> {
        if rejected.is_empty() {
            return Ok(None);
        }
        let mut stays = vec![true; batch.num_rows()];
        let shown = if self.output.with_values { Shown::plain(batch)? } else { Shown::hashed(batch)? };
        for row in rejected {
            // Several columns may reject one row; the first says why.
            if !std::mem::replace(&mut stays[row.row], false) {
                continue;
            }
            let line = Line {
                file: &part.relative,
                part: match &part.extent {
                    Extent::Whole => None,
                    Extent::RowGroups(groups) => Some(format!("row groups {}..{}", groups.start, groups.end)),
                    Extent::Bytes { line, .. } => Some(format!("from line {line}")),
                },
                row: first_row + row.row as u64,
                column: &row.column,
                reason: &row.reason,
                values: shown.row(row.row, self.schema),
            };
            self.write(&line)?;
        }
        Ok(Some(BooleanArray::from(stays)))
    }

    fn write(&mut self, line: &Line<'_>) -> Result<(), DriverError> {
        let path = &self.output.path;
        let failed = |error: std::io::Error| io_error("write", path, &error);
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(BufWriter::new(File::create(path).map_err(failed)?)),
        };
        serde_json::to_writer(&mut *file, line).map_err(|error| failed(error.into()))?;
        file.write_all(b"\n").map_err(failed)?;
        self.rows += 1;
        Ok(())
    }

    /// Ends the file; how many rows it has.
    pub fn finish(self) -> Result<u64, DriverError> {
        if let Some(mut file) = self.file {
            file.flush().map_err(|error| io_error("write", &self.output.path, &error))?;
        }
        Ok(self.rows)
    }
}

/// How values are shown.
enum Shown<'a> {
    Plain(Vec<ArrayFormatter<'a>>, &'a RecordBatch),
    Hashed(Vec<Vec<u64>>, &'a RecordBatch),
}

impl<'a> Shown<'a> {
    fn plain(batch: &'a RecordBatch) -> Result<Self, DriverError> {
        const OPTIONS: FormatOptions<'static> = FormatOptions::new();
        let formatters = batch.columns().iter().map(|array| ArrayFormatter::try_new(array, &OPTIONS));
        let formatters = formatters.collect::<Result<_, _>>().map_err(|error| crate::error::arrow(&error))?;
        Ok(Self::Plain(formatters, batch))
    }

    fn hashed(batch: &'a RecordBatch) -> Result<Self, DriverError> {
        let hash = |array: &arrow::array::ArrayRef| {
            let mut hashes = Vec::new();
            hash_column(array, &mut hashes).map(|()| hashes)
        };
        Ok(Self::Hashed(batch.columns().iter().map(hash).collect::<Result<_, _>>()?, batch))
    }

    fn row(&self, row: usize, schema: &Schema) -> serde_json::Map<String, serde_json::Value> {
        let text = |column: usize| match self {
            Self::Plain(_, batch) | Self::Hashed(_, batch) if batch.column(column).is_null(row) => {
                serde_json::Value::Null
            }
            Self::Plain(formatters, _) => formatters[column].value(row).to_string().into(),
            Self::Hashed(hashes, _) => format!("#{:016x}", hashes[column][row]).into(),
        };
        schema.columns.iter().enumerate().map(|(index, column)| (column.name.clone(), text(index))).collect()
    }
}
