//! Streams the rows of a file of JSON lines as canonical batches.

use super::cannot_carry;
use super::column::{Field, Fields};
use super::lines::{JsonFile, Lines};
use super::object::must_be_object;
use crate::arrow_types::to_arrow_schema;
use crate::chunk::Extent;
use crate::parquet::source::Positioned;
use crate::reader::{Batches, Stream};
use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use greylag_model::schema::Schema;
use std::io::Take;
use std::sync::Arc;

impl JsonFile {
    /// Starts reading. `columns` are wanted, in this order and with these types; `all` are the dataset's, and a key that
    /// is not among them is an error.
    pub(crate) fn read(
        &self,
        name: &str,
        columns: &Schema,
        all: &Schema,
        extent: &Extent,
        batch_rows: usize,
    ) -> Result<Stream<JsonRows>, DriverError> {
        for column in &columns.columns {
            if let Some(reason) = cannot_carry(&column.data_type) {
                let words = format!("column `{}` cannot be `{}`: {reason}", column.name, column.data_type);
                return Err(DriverError::permanent(code::JSON_TYPE, words));
            }
        }
        let wanted = columns.columns.iter();
        let wanted = wanted.map(|column| Field::new(&column.name, Some(&column.data_type), column.nullable));
        let others = all.columns.iter().filter(|column| columns.find(&column.name).is_none());
        let others = others.map(|column| Field::new(&column.name, None, true));
        Ok(Stream::new(JsonRows {
            name: name.to_owned(),
            lines: self.lines(extent),
            fields: Fields::new(wanted.chain(others)),
            schema: to_arrow_schema(columns),
            batch_rows: batch_rows.max(1),
        }))
    }
}

/// Reads batches of one file or piece.
pub(crate) struct JsonRows {
    name: String,
    lines: Lines<Take<Positioned>>,
    fields: Fields,
    schema: SchemaRef,
    batch_rows: usize,
}

impl Batches for JsonRows {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn batch(&mut self) -> Result<Option<RecordBatch>, DriverError> {
        let mut rows = 0;
        while rows == 0 {
            let Some(block) = self.lines.take(self.batch_rows)? else { return Ok(None) };
            for (number, line) in block.lines() {
                must_be_object(line)
                    .and_then(|()| self.fields.take(line))
                    .map_err(|wrong| wrong.of(&self.name, number, line))?;
                rows += 1;
            }
        }
        let failed = |error: arrow::error::ArrowError| {
            DriverError::permanent(code::JSON_VALUE, format!("`{}`: {error}", self.name))
        };
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let arrays = self.fields.finish().map_err(failed)?;
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options).map(Some).map_err(failed)
    }
}
