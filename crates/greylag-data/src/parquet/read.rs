//! Streams the rows of a Parquet file as canonical batches.

use super::failure::batch_failure;
use super::footer::ParquetFile;
use super::pages::RowGroups;
use crate::arrow_types::{canonical_array, from_arrow, to_arrow_schema};
use crate::reader::BatchReader;
use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType as ArrowType, SchemaRef};
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use greylag_model::schema::{Column, Schema};
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use parquet::arrow::{ProjectionMask, parquet_to_arrow_field_levels};
use std::ops::Range;
use std::sync::Arc;

/// A batch of wide rows is cut so that it takes about this much memory.
const BATCH_BYTES: u64 = 32 << 20;

/// What to read.
#[derive(Clone, Debug)]
pub struct ReadOptions<'a> {
    /// Columns to deliver, in this order and with these types (a projection of the file's; partition columns are not
    /// the file's). A column that the file lacks, or has with another type, is an error.
    pub columns: &'a Schema,
    /// Row groups; `None` reads all.
    pub row_groups: Option<Range<usize>>,
    /// Most rows of a batch; fewer where rows are wide.
    pub batch_rows: usize,
}

/// Reads batches from row groups of one file.
pub struct ParquetChunkReader {
    name: String,
    inner: ParquetRecordBatchReader,
    schema: SchemaRef,
    /// For each delivered column its place among the columns read.
    places: Vec<usize>,
    rows: u64,
    done: bool,
}

impl ParquetFile {
    /// Starts reading.
    pub fn read(&self, options: &ReadOptions<'_>) -> Result<ParquetChunkReader, DriverError> {
        let roots = options.columns.columns.iter().map(|column| self.root_of(column));
        let roots: Vec<usize> = roots.collect::<Result<_, _>>()?;
        let mut sorted = roots.clone();
        sorted.sort_unstable();
        let place = |root: &usize| sorted.partition_point(|other| other < root);
        let places = roots.iter().map(place).collect();
        let metadata = self.metadata.metadata();
        let all = metadata.row_groups().len();
        let groups = options.row_groups.clone().unwrap_or(0..all);
        if groups.end > all {
            return Err(differs(&self.name, &format!("row group {} is not there", groups.end - 1)));
        }
        let bytes: i64 = metadata.row_groups()[groups.clone()].iter().map(|group| group.total_byte_size()).sum();
        let rows: i64 = metadata.row_groups()[groups.clone()].iter().map(|group| group.num_rows()).sum();
        let row_bytes = (bytes.max(0) as u64 / (rows.max(1) as u64)).max(1);
        let batch_rows = options.batch_rows.min((BATCH_BYTES / row_bytes) as usize).max(1);
        let failed = |error| super::failure::read_failure(&self.name, &error);
        let descriptor = metadata.file_metadata().schema_descr();
        let mask = ProjectionMask::roots(descriptor, roots.iter().copied());
        let fields = self.metadata.schema().fields();
        let levels = parquet_to_arrow_field_levels(descriptor, mask, Some(fields)).map_err(failed)?;
        let source = Arc::new(self.source.clone());
        let row_groups = RowGroups { source, metadata: Arc::clone(metadata), groups };
        // No more room for a batch than it can have rows.
        let batch_rows = batch_rows.min(rows.max(1) as usize);
        let inner = ParquetRecordBatchReader::try_new_with_row_groups(&levels, &row_groups, batch_rows, None);
        let inner = inner.map_err(failed)?;
        let schema = to_arrow_schema(options.columns);
        Ok(ParquetChunkReader { name: self.name.clone(), inner, schema, places, rows: rows.max(0) as u64, done: false })
    }

    /// Where a wanted column stands in the file.
    fn root_of(&self, wanted: &Column) -> Result<usize, DriverError> {
        let fields = self.metadata.schema().fields();
        let (root, field) = fields
            .find(&wanted.name)
            .ok_or_else(|| differs(&self.name, &format!("the column `{}` is not there", wanted.name)))?;
        let fits = field.data_type() == &ArrowType::Null
            || from_arrow(field.data_type()).is_ok_and(|found| found == wanted.data_type);
        if fits {
            return Ok(root);
        }
        let found =
            from_arrow(field.data_type()).map_or_else(|_| field.data_type().to_string(), |found| found.to_string());
        Err(differs(&self.name, &format!("column `{}` is `{found}`, not `{}`", wanted.name, wanted.data_type)))
    }
}

fn differs(name: &str, words: &str) -> DriverError {
    DriverError::permanent(code::SCHEMA_DIFFERS, format!("`{name}`: {words}"))
        .hint("all files of a dataset must have the same columns; plan again if the file was replaced")
}

impl ParquetChunkReader {
    fn canonical(&self, batch: &RecordBatch) -> Result<RecordBatch, DriverError> {
        let column = |(place, field): (&usize, &arrow::datatypes::FieldRef)| -> Result<ArrayRef, DriverError> {
            let array = canonical_array(batch.column(*place), field.data_type())
                .map_err(|error| batch_failure(&self.name, &error))?;
            if !field.is_nullable() && array.null_count() > 0 {
                return Err(differs(&self.name, &format!("column `{}` has nulls", field.name())));
            }
            Ok(array)
        };
        let columns = self.places.iter().zip(self.schema.fields()).map(column).collect::<Result<_, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map_err(|error| batch_failure(&self.name, &error))
    }
}

impl Iterator for ParquetChunkReader {
    type Item = Result<RecordBatch, DriverError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let batch = match self.inner.next() {
            Some(Ok(batch)) => self.canonical(&batch),
            Some(Err(error)) => Err(batch_failure(&self.name, &error)),
            None => {
                self.done = true;
                return None;
            }
        };
        self.done = batch.is_err();
        Some(batch)
    }
}

impl BatchReader for ParquetChunkReader {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn rows(&self) -> Option<u64> {
        Some(self.rows)
    }
}
