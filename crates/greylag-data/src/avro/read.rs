//! Streams the rows of an Avro file as canonical batches.

use super::container::{AvroFile, Block};
use super::decode::{Column, column, skip};
use super::input::{Bad, Input};
use super::schema::{Avro, carries};
use crate::arrow_types::{canonical_array, to_arrow_schema};
use crate::chunk::Extent;
use crate::reader::{Batches, Stream};
use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use greylag_model::schema::Schema;
use std::sync::Arc;

/// A batch ends when so many bytes of rows were read.
const BATCH_BYTES: usize = 16 << 20;

impl AvroFile {
    /// Starts reading. `columns` are wanted, in this order and with these types.
    pub(crate) fn read(
        self,
        columns: &Schema,
        extent: &Extent,
        batch_rows: usize,
    ) -> Result<Stream<AvroRows>, DriverError> {
        let differs = |words: &str| {
            DriverError::permanent(code::SCHEMA_DIFFERS, format!("`{}`: {words}", self.name))
                .hint("all files of a dataset must have the same columns; plan again if the file was replaced")
        };
        let mut fields: Vec<Field> = self.fields.iter().map(|(_, avro)| Field::Skipped(avro.clone())).collect();
        let mut places = Vec::with_capacity(columns.columns.len());
        for wanted in &columns.columns {
            let place = self.fields.iter().position(|(name, _)| *name == wanted.name);
            let place = place.ok_or_else(|| differs(&format!("the column `{}` is not there", wanted.name)))?;
            let avro = &self.fields[place].1;
            let found = avro.data_type().ok().filter(|found| carries(found, &wanted.data_type) || *avro == Avro::Null);
            if found.is_none() {
                let found = avro.data_type().map_or_else(|reason| reason, |found| format!("it is `{found}`"));
                return Err(differs(&format!("column `{}` is not `{}`: {found}", wanted.name, wanted.data_type)));
            }
            fields[place] = Field::Wanted(column(avro).map_err(|reason| differs(&reason))?);
            places.push(place);
        }
        let (next, end) = self.range(extent);
        Ok(Stream::new(AvroRows {
            file: self,
            fields,
            places,
            schema: to_arrow_schema(columns),
            batch_rows: batch_rows.max(1),
            next,
            end,
            block: None,
            data: Vec::new(),
            at: 0,
            left: 0,
        }))
    }
}

enum Field {
    Skipped(Avro),
    Wanted(Box<dyn Column>),
}

/// Reads batches of one file or piece.
pub(crate) struct AvroRows {
    file: AvroFile,
    fields: Vec<Field>,
    /// For each wanted column its place in the file.
    places: Vec<usize>,
    schema: SchemaRef,
    batch_rows: usize,
    next: u64,
    end: u64,
    /// The block that is being read, its bytes, how far they are read, and how many rows are left in it.
    block: Option<Block>,
    data: Vec<u8>,
    at: usize,
    left: u64,
}

impl Batches for AvroRows {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn batch(&mut self) -> Result<Option<RecordBatch>, DriverError> {
        let (mut rows, mut bytes) = (0, 0);
        while rows < self.batch_rows && bytes < BATCH_BYTES {
            if self.left == 0 {
                if !self.next_block()? {
                    break;
                }
                continue;
            }
            let mut input = Input { left: &self.data[self.at..] };
            let before = input.left.len();
            let read = self.fields.iter_mut().try_for_each(|field| match field {
                Field::Skipped(avro) => skip(avro, &mut input),
                Field::Wanted(column) => column.read(&mut input),
            });
            let read = read.map(|()| before - input.left.len());
            let length = read.map_err(|bad| self.bad(&bad))?;
            (self.at, self.left) = (self.at + length, self.left - 1);
            (rows, bytes) = (rows + 1, bytes + length);
        }
        if rows == 0 {
            return Ok(None);
        }
        let failed = |error: arrow::error::ArrowError| super::corrupt(&self.file.name, &error.to_string());
        let mut arrays = Vec::with_capacity(self.places.len());
        for (place, field) in self.places.iter().zip(self.schema.fields()) {
            let Field::Wanted(column) = &mut self.fields[*place] else { continue };
            let array = column.finish().and_then(|array| canonical_array(&array, field.data_type())).map_err(failed)?;
            if !field.is_nullable() && array.null_count() > 0 {
                let words = format!("`{}`: column `{}` has nulls", self.file.name, field.name());
                return Err(DriverError::permanent(code::SCHEMA_DIFFERS, words).hint("plan again"));
            }
            arrays.push(array);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options).map(Some).map_err(failed)
    }
}

impl AvroRows {
    fn bad(&self, bad: &Bad) -> DriverError {
        match self.block {
            Some(block) => self.file.bad(block, bad),
            None => super::corrupt(&self.file.name, "a row is nowhere"),
        }
    }

    /// Unpacks the next block; `false` at the end.
    fn next_block(&mut self) -> Result<bool, DriverError> {
        if self.at < self.data.len() {
            return Err(self.bad(&Bad::corrupt("it has bytes behind its last row")));
        }
        let Some(block) = self.file.next_block(&mut self.next, self.end) else { return Ok(false) };
        let block = block?;
        self.file.unpack(block, &mut self.data)?;
        (self.block, self.at, self.left) = (Some(block), 0, block.rows);
        Ok(true)
    }
}
