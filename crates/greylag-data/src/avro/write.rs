//! Writes Avro files. The same batches give the same bytes: the sync marker follows from the schema and the codec.
//!
//! So pieces of one file have one marker, and are put together by appending: only the first has the header.

use super::codec::Codec;
use super::container::MAGIC;
use super::encode::{Cell, bytes, cell, long, nullable};
use super::schema;
use crate::arrow_types::from_arrow_schema;
use crate::io_error::io_error;
use crate::reader::{BatchWriter, Written};
use arrow::array::RecordBatch;
use arrow::datatypes::Schema as ArrowSchema;
use greylag_driver::error::DriverError;
use greylag_model::carry::avro_refuses;
use greylag_model::code::data as code;
use greylag_model::dataset::Compression;
use greylag_model::schema::Schema;
use std::io::Write;
use std::path::Path;
use xxhash_rust::xxh3::xxh3_128;

/// A block is packed when it has so many bytes.
const BLOCK: usize = 256 << 10;

/// Writes one file into `W`.
pub struct AvroFileWriter<W: Write + Send> {
    out: W,
    name: String,
    schema: Schema,
    codec: Codec,
    sync: [u8; 16],
    /// Rows that are not yet packed.
    block: Vec<u8>,
    block_rows: i64,
    written: Written,
}

impl<W: Write + Send> AvroFileWriter<W> {
    /// A file of canonical batches of `schema`; `name` is for messages. The header is written at once, if `head`.
    pub fn new(
        out: W,
        name: &str,
        schema: &ArrowSchema,
        compression: Compression,
        head: bool,
    ) -> Result<Self, DriverError> {
        let refuse = |words: String| DriverError::permanent(code::AVRO_TYPE, words);
        let schema = from_arrow_schema(schema).map_err(|wrong| refuse(wrong.join("; ")))?;
        for column in &schema.columns {
            if let Some((reason, hint)) = avro_refuses(&column.name, &column.data_type) {
                return Err(refuse(format!("column `{}` cannot be written as Avro: {reason}", column.name)).hint(hint));
            }
        }
        let (codec, text) = (Codec::of(compression), schema::write(&schema));
        let sync = xxh3_128(format!("{}\0{text}", codec.name()).as_bytes()).to_be_bytes();
        let block = Vec::with_capacity(BLOCK * 2);
        let written = Written::default();
        let mut writer = Self { out, name: name.to_owned(), schema, codec, sync, block, block_rows: 0, written };
        if head {
            let mut header = MAGIC.to_vec();
            long(&mut header, 2);
            bytes(&mut header, b"avro.schema");
            bytes(&mut header, text.as_bytes());
            bytes(&mut header, b"avro.codec");
            bytes(&mut header, codec.name().as_bytes());
            long(&mut header, 0);
            header.extend_from_slice(&sync);
            writer.put(&header)?;
        }
        Ok(writer)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), DriverError> {
        self.out.write_all(bytes).map_err(|error| io_error("write", Path::new(&self.name), &error))?;
        self.written.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Appends a batch.
    pub fn append(&mut self, batch: &RecordBatch) -> Result<(), DriverError> {
        let schema = self.schema.clone();
        let mut cells: Vec<Cell<'_>> = Vec::with_capacity(schema.columns.len());
        for (array, column) in batch.columns().iter().zip(&schema.columns) {
            let array: &dyn arrow::array::Array = array;
            cells.push(if column.nullable {
                nullable(array, &column.data_type)
            } else {
                cell(array, &column.data_type)
            });
        }
        for row in 0..batch.num_rows() {
            for put in &cells {
                put(&mut self.block, row);
            }
            self.block_rows += 1;
            self.written.rows += 1;
            if self.block.len() >= BLOCK {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), DriverError> {
        if self.block_rows == 0 {
            return Ok(());
        }
        let packed = self.codec.pack(&self.block);
        let packed = packed.map_err(|error| io_error("pack", Path::new(&self.name), &error))?;
        let mut framed = Vec::with_capacity(packed.len() + 36);
        long(&mut framed, self.block_rows);
        bytes(&mut framed, &packed);
        framed.extend_from_slice(&self.sync);
        self.block.clear();
        self.block_rows = 0;
        self.put(&framed)
    }

    /// Ends the file and gives back what it was written to, flushed but not synced.
    pub fn finish_into(mut self) -> Result<(W, Written), DriverError> {
        self.flush()?;
        self.out.flush().map_err(|error| io_error("write", Path::new(&self.name), &error))?;
        Ok((self.out, self.written))
    }
}

impl<W: Write + Send> BatchWriter for AvroFileWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), DriverError> {
        self.append(batch)
    }

    fn bytes_written(&self) -> u64 {
        self.written.bytes + self.block.len() as u64
    }

    fn finish(self: Box<Self>) -> Result<Written, DriverError> {
        self.finish_into().map(|(_, written)| written)
    }
}
