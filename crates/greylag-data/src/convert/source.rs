//! Opening parts of datasets and files of targets, whatever the format.

use crate::avro::write::AvroFileWriter;
use crate::chunk::{Chunk, Part};
use crate::csv::write::CsvFileWriter;
use crate::durable::Identity;
use crate::json::write::JsonFileWriter;
use crate::listing::Anchor;
use crate::parquet::footer::{Limits, ParquetFile};
use crate::parquet::write::{ParquetFileWriter, ParquetOptions};
use crate::part::PartSource;
use crate::reader::{BatchReader, BatchWriter};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use greylag_driver::error::DriverError;
use greylag_model::dataset::{CsvDialect, Format, Layout};
use greylag_model::schema::{Column, Schema};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A dataset to read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    pub(crate) anchor: &'a Anchor,
    pub(crate) layout: &'a Layout,
    /// Columns, those of the partition last.
    pub(crate) schema: &'a Schema,
    pub(crate) batch_rows: usize,
}

impl Source<'_> {
    /// The whole path of a file, for messages.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        let base = self.anchor.absolute();
        if relative.is_empty() { base } else { base.join(relative) }
    }

    /// What the files of chunks are now, by name.
    pub(crate) fn identities(&self, chunks: &[Chunk]) -> Result<Vec<(String, Identity)>, DriverError> {
        let names: BTreeSet<&String> =
            chunks.iter().flat_map(|chunk| &chunk.parts).map(|part| &part.relative).collect();
        let identity = |name: &String| Ok((name.clone(), Identity::of(&self.anchor.metadata(name)?)));
        names.into_iter().map(identity).collect()
    }

    /// How the columns in a file differ from the schema's, if they do. Only for files that this program wrote.
    pub(crate) fn schema_differs(&self, part: &Part) -> Result<Option<String>, DriverError> {
        let Format::Parquet { .. } = self.layout.format else { return Ok(None) };
        let name = self.path(&part.relative).display().to_string();
        let file = ParquetFile::open_footer(self.anchor.open(&part.relative)?, &name, &Limits::default())?;
        let found = file.schema()?;
        let in_files = self.schema.columns.len() - self.layout.partition_by.len();
        let same =
            |(found, wanted): (&Column, &Column)| found.name == wanted.name && found.data_type == wanted.data_type;
        let wanted = &self.schema.columns[..in_files];
        let equal = found.columns.len() == wanted.len() && found.columns.iter().zip(wanted).all(same);
        Ok((!equal).then(|| format!("the columns of `{}` are not those of the target", part.relative)))
    }

    /// The rows of a part; `partition` holds the values of the partition columns.
    pub(crate) fn open(&self, part: &Part, partition: &[Option<String>]) -> Result<Box<dyn BatchReader>, DriverError> {
        let Self { anchor, layout, schema, batch_rows } = *self;
        PartSource { anchor, layout, schema, columns: None, batch_rows }.open(part, partition)
    }
}

/// How many rows a request still wants: all, or the first ones.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FirstRows {
    left: Option<u64>,
}

impl FirstRows {
    pub(crate) fn new(rows: Option<u64>) -> Self {
        Self { left: rows }
    }

    /// Whether no more rows are wanted.
    pub(crate) fn is_done(self) -> bool {
        self.left == Some(0)
    }

    /// What is wanted of a batch.
    pub(crate) fn of(&mut self, batch: RecordBatch) -> RecordBatch {
        let Some(left) = &mut self.left else { return batch };
        let rows = batch.num_rows().min(usize::try_from(*left).unwrap_or(usize::MAX));
        *left -= rows as u64;
        if rows == batch.num_rows() { batch } else { batch.slice(0, rows) }
    }
}

/// What a file is to be.
pub(crate) struct NewFile<'a> {
    pub(crate) path: &'a Path,
    pub(crate) schema: SchemaRef,
    pub(crate) format: &'a Format,
    /// Whether CSV's header and byte-order mark belong here.
    pub(crate) head: bool,
    pub(crate) memory_bytes: u64,
    /// Rows that are to come, if known.
    pub(crate) rows: Option<u64>,
}

impl NewFile<'_> {
    pub(crate) fn writer(self, out: Bounded) -> Result<Box<dyn BatchWriter>, DriverError> {
        let name = self.path.display().to_string();
        match self.format {
            Format::Parquet { compression } => {
                let options = ParquetOptions {
                    compression: *compression,
                    row_group_bytes: self.memory_bytes.clamp(1 << 20, 64 << 20) as usize,
                    expected_rows: self.rows,
                    ..ParquetOptions::default()
                };
                Ok(Box::new(ParquetFileWriter::new(out, &name, self.schema, options)))
            }
            Format::Csv(dialect) => {
                let rest = CsvDialect { header: false, byte_order_mark: false, ..dialect.clone() };
                let dialect = if self.head { dialect } else { &rest };
                Ok(Box::new(CsvFileWriter::new(out, &name, &self.schema, dialect)?))
            }
            Format::Avro { compression } => {
                Ok(Box::new(AvroFileWriter::new(out, &name, &self.schema, *compression, self.head)?))
            }
            Format::Json => Ok(Box::new(JsonFileWriter::new(out, &name, &self.schema, self.head)?)),
        }
    }
}

/// A file that takes no more than there is room for, and buffers small writes.
pub(crate) struct Bounded {
    file: io::BufWriter<Metered>,
}

struct Metered {
    file: File,
    room: Arc<AtomicU64>,
}

impl Bounded {
    /// `room` is shared by all files of one request.
    pub(crate) fn new(file: File, room: Arc<AtomicU64>) -> Self {
        Self { file: io::BufWriter::with_capacity(1 << 16, Metered { file, room }) }
    }
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Write for Metered {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = self.room.load(Ordering::Relaxed);
        if left < bytes.len() as u64 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let written = self.file.write(bytes)?;
        self.room.fetch_sub(written as u64, Ordering::Relaxed);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
