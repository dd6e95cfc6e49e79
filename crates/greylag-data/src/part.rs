//! Reads a part of a chunk, whatever its format, with its partition columns: what a backfill calls.

use crate::arrow_types::{to_arrow, to_arrow_schema};
use crate::avro::container::AvroFile;
use crate::chunk::{Extent, Part};
use crate::csv::read::CsvFile;
use crate::hive;
use crate::json::lines::JsonFile;
use crate::listing::Anchor;
use crate::parquet::footer::{Limits, ParquetFile};
use crate::parquet::read::ReadOptions;
use crate::reader::BatchReader;
use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use greylag_model::dataset::{Format, Layout};
use greylag_model::schema::{Column, Schema};
use std::sync::Arc;

/// A dataset whose files are read.
#[derive(Clone, Copy, Debug)]
pub struct PartSource<'a> {
    /// Where it lies.
    pub anchor: &'a Anchor,
    /// Its layout as described.
    pub layout: &'a Layout,
    /// Its columns as described, partition columns last.
    pub schema: &'a Schema,
    /// Columns wanted, by their places in `schema`, in any order; `None` is all.
    pub columns: Option<&'a [usize]>,
    /// Most rows of a batch.
    pub batch_rows: usize,
}

impl PartSource<'_> {
    /// Opens a part. `partition` has the values of its partition columns, in the layout's order.
    pub fn open(&self, part: &Part, partition: &[Option<String>]) -> Result<Box<dyn BatchReader>, DriverError> {
        let data = self.schema.columns.len().saturating_sub(self.layout.partition_by.len());
        let every: Vec<usize> = (0..self.schema.columns.len()).collect();
        let wanted = self.columns.unwrap_or(&every);
        let column = |place: &usize| self.schema.columns[*place].clone();
        let from_file: Vec<Column> = wanted.iter().filter(|place| **place < data).map(column).collect();
        let from_file = Schema { columns: from_file };
        let inner = self.open_file(part, &from_file, data)?;
        if from_file.columns.len() == wanted.len() {
            return Ok(inner);
        }
        let mut origins = Vec::with_capacity(wanted.len());
        let mut next = 0;
        for place in wanted {
            if *place < data {
                origins.push(Origin::File(next));
                next += 1;
            } else {
                let Column { name, data_type, .. } = &self.schema.columns[*place];
                let value = partition.get(*place - data).and_then(Option::as_deref);
                origins.push(Origin::Directory(hive::value_array(name, value, &to_arrow(data_type))?));
            }
        }
        let schema = to_arrow_schema(&Schema { columns: wanted.iter().map(column).collect() });
        Ok(Box::new(WithPartitions { inner, origins, schema }))
    }

    fn open_file(&self, part: &Part, columns: &Schema, data: usize) -> Result<Box<dyn BatchReader>, DriverError> {
        let path = self.anchor.absolute_of(&part.relative);
        let name = path.to_string_lossy();
        let file = self.anchor.open(&part.relative)?;
        match &self.layout.format {
            Format::Parquet { .. } => {
                let row_groups = match &part.extent {
                    Extent::RowGroups(range) => Some(range.clone()),
                    _ => None,
                };
                let file = ParquetFile::open(file, &name, &Limits::default())?;
                Ok(Box::new(file.read(&ReadOptions { columns, row_groups, batch_rows: self.batch_rows })?))
            }
            Format::Csv(dialect) => {
                let all = Schema { columns: self.schema.columns[..data].to_vec() };
                let file = CsvFile::open(file, &name, dialect)?;
                Ok(Box::new(file.read(columns, &all, &part.extent, self.batch_rows)?))
            }
            Format::Avro { .. } => {
                Ok(Box::new(AvroFile::open(file, &name)?.read(columns, &part.extent, self.batch_rows)?))
            }
            Format::Json => {
                let all = Schema { columns: self.schema.columns[..data].to_vec() };
                let read = JsonFile::open(file, &name)?.read(&name, columns, &all, &part.extent, self.batch_rows)?;
                Ok(Box::new(read))
            }
        }
    }
}

/// Where a column comes from.
enum Origin {
    /// The file's batch, at this place.
    File(usize),
    /// The directory: one value.
    Directory(ArrayRef),
}

struct WithPartitions {
    inner: Box<dyn BatchReader>,
    origins: Vec<Origin>,
    schema: SchemaRef,
}

impl WithPartitions {
    fn widen(&self, batch: &RecordBatch) -> Result<RecordBatch, DriverError> {
        let failed = |error: arrow::error::ArrowError| DriverError::permanent(code::PARTITION_VALUE, error.to_string());
        let column = |origin: &Origin| match origin {
            Origin::File(place) => Ok(Arc::clone(batch.column(*place))),
            Origin::Directory(value) => hive::repeat(value, batch.num_rows()),
        };
        let columns = self.origins.iter().map(column).collect::<Result<_, _>>().map_err(failed)?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options).map_err(failed)
    }
}

impl Iterator for WithPartitions {
    type Item = Result<RecordBatch, DriverError>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.inner.next()?.and_then(|batch| self.widen(&batch)))
    }
}

impl BatchReader for WithPartitions {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn rows(&self) -> Option<u64> {
        self.inner.rows()
    }
}
