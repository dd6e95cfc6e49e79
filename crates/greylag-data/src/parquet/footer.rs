//! Footers of Parquet files, read with distrust.
//!
//! A footer is data from elsewhere. Before the library decodes it, its length is held against the file's and its
//! element counts against its length; afterwards every offset, size and count is held against the file. What still gets
//! through (a page that claims two gigabytes, a panic of a decoder) is contained by the reader process and its limits.

use super::failure::{corrupt, hostile, read_failure};
use super::source::Source;
use super::thrift_guard;
use crate::arrow_types::{decode_hint, from_arrow_schema};
use crate::chunk::RowGroupFacts;
use arrow::datatypes::{Fields, Schema as ArrowSchema};
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use greylag_model::schema::Schema;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::file::metadata::{
    ParquetMetaData, ParquetMetaDataOptions, ParquetMetaDataReader, ParquetStatisticsPolicy,
};
use parquet::file::reader::Length;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// What a file may claim. The defaults are far beyond what tools write.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a footer.
    pub footer_bytes: u64,
    /// Leaf columns.
    pub columns: usize,
    /// Row groups.
    pub row_groups: usize,
    /// Rows per byte of the file.
    pub rows_per_byte: u64,
    /// Uncompressed bytes per compressed byte of a column chunk of more than [`Limits::ratio_from`] bytes.
    pub ratio: u64,
    /// See [`Limits::ratio`].
    pub ratio_from: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            footer_bytes: 256 << 20,
            columns: 20_000,
            row_groups: 100_000,
            rows_per_byte: 100_000,
            ratio: 10_000,
            ratio_from: 64 << 20,
        }
    }
}

/// The 8 bytes at both ends that are not the footer's content: length and magic behind it, magic before the data.
const TAIL: u64 = 8;
const MAGIC: &[u8; 4] = b"PAR1";
/// Read from the end in one call: most footers are inside.
const FIRST_READ: u64 = 16 << 10;

/// An open Parquet file whose footer has been checked.
#[derive(Clone, Debug)]
pub struct ParquetFile {
    pub(super) name: String,
    pub(super) source: Source,
    pub(super) metadata: ArrowReaderMetadata,
}

impl ParquetFile {
    /// Opens a file to read its rows; `name` is for messages.
    pub fn open(file: File, name: &str, limits: &Limits) -> Result<Self, DriverError> {
        Self::from_file(file, name, limits, true)
    }

    /// Opens a file for its footer only.
    pub fn open_footer(file: File, name: &str, limits: &Limits) -> Result<Self, DriverError> {
        Self::from_file(file, name, limits, false)
    }

    fn from_file(file: File, name: &str, limits: &Limits, whole: bool) -> Result<Self, DriverError> {
        let failed = |error: std::io::Error| crate::io_error::io_error("read", Path::new(name), &error);
        Self::from_source(Source::open(file, whole).map_err(failed)?, name, limits)
    }

    /// The same from bytes in hand.
    pub fn from_source(source: Source, name: &str, limits: &Limits) -> Result<Self, DriverError> {
        let bytes = footer_bytes(&source, name, limits)?;
        thrift_guard::check(&bytes).map_err(|words| hostile_or_corrupt(name, words))?;
        let lean = ParquetMetaDataOptions::new()
            .with_column_stats_policy(ParquetStatisticsPolicy::SkipAll)
            .with_size_stats_policy(ParquetStatisticsPolicy::SkipAll)
            .with_encoding_stats_policy(ParquetStatisticsPolicy::SkipAll);
        let metadata = ParquetMetaDataReader::decode_metadata_with_options(&bytes, Some(&lean))
            .map_err(|error| read_failure(name, &error))?;
        check_metadata(&metadata, source.len() - bytes.len() as u64 - TAIL, name, limits)?;
        let metadata = arrow_metadata(metadata).map_err(|error| read_failure(name, &error))?;
        Ok(Self { name: name.to_owned(), source, metadata })
    }

    /// The columns as model types.
    pub fn schema(&self) -> Result<Schema, DriverError> {
        let wrong = match from_arrow_schema(self.metadata.schema()) {
            Ok(schema) if schema.columns.is_empty() => {
                let words = format!("`{}` has no columns", self.name);
                return Err(DriverError::permanent(code::NO_COLUMNS, words));
            }
            Ok(schema) => return Ok(schema),
            Err(wrong) => wrong,
        };
        let words = format!("`{}`: {}", self.name, wrong.join("; "));
        Err(DriverError::permanent(code::UNSUPPORTED_TYPE, words)
            .hint("rewrite or drop the column where it is written"))
    }

    /// The columns as Arrow has them.
    pub fn arrow_schema(&self) -> &ArrowSchema {
        self.metadata.schema()
    }

    /// All rows.
    pub fn rows(&self) -> u64 {
        self.metadata.metadata().file_metadata().num_rows() as u64
    }

    /// Size of each row group.
    pub fn row_groups(&self) -> Vec<RowGroupFacts> {
        let facts = |group: &parquet::file::metadata::RowGroupMetaData| {
            let bytes = group.columns().iter().map(|column| column.compressed_size() as u64).sum();
            RowGroupFacts { rows: group.num_rows() as u64, bytes }
        };
        self.metadata.metadata().row_groups().iter().map(facts).collect()
    }
}

fn hostile_or_corrupt(name: &str, words: &'static str) -> DriverError {
    if words.contains("claims") || words.contains("deeply") { hostile(name, words) } else { corrupt(name, words) }
}

/// The bytes of the footer, its length checked.
fn footer_bytes(source: &Source, name: &str, limits: &Limits) -> Result<bytes::Bytes, DriverError> {
    let length = source.len();
    if length < TAIL + 4 {
        return Err(corrupt(name, &format!("{length} bytes are too few for a Parquet file")));
    }
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => corrupt(name, "it became shorter while it was read"),
        _ => crate::io_error::io_error("read", Path::new(name), &error),
    };
    let first = length.min(FIRST_READ);
    let end = source.at(length - first, first as usize).map_err(failed)?;
    let tail = &end[end.len() - TAIL as usize..];
    match &tail[4..] {
        b"PARE" => {
            let words = format!("`{name}` is encrypted");
            return Err(DriverError::permanent(code::UNSUPPORTED_FEATURE, words).hint("decrypt it first"));
        }
        magic if magic != MAGIC => {
            return Err(corrupt(name, "it does not end as a Parquet file does; is it complete?"));
        }
        _ => {}
    }
    let footer = u64::from(u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]));
    if footer > length - TAIL - 4 {
        return Err(corrupt(name, &format!("its footer of {footer} bytes is longer than the file")));
    }
    if footer > limits.footer_bytes {
        return Err(hostile(name, &format!("its footer has {footer} bytes, the limit is {}", limits.footer_bytes)));
    }
    if footer + TAIL <= first {
        let start = (first - TAIL - footer) as usize;
        return Ok(end.slice(start..start + footer as usize));
    }
    source.at(length - TAIL - footer, footer as usize).map_err(failed)
}

/// Holds what the footer says against the `data_end` bytes before it.
fn check_metadata(metadata: &ParquetMetaData, data_end: u64, name: &str, limits: &Limits) -> Result<(), DriverError> {
    let columns = metadata.file_metadata().schema_descr().num_columns();
    if columns > limits.columns {
        return Err(hostile(name, &format!("it has {columns} columns, the limit is {}", limits.columns)));
    }
    let groups = metadata.row_groups();
    if groups.len() > limits.row_groups {
        return Err(hostile(name, &format!("it has {} row groups, the limit is {}", groups.len(), limits.row_groups)));
    }
    let mut rows = 0_u64;
    for group in groups {
        let own = u64::try_from(group.num_rows()).map_err(|_| corrupt(name, "a row group has fewer than no rows"))?;
        rows = rows.checked_add(own).ok_or_else(|| hostile(name, "it claims more rows than can be counted"))?;
        for column in group.columns() {
            check_column(column, data_end, name, limits)?;
        }
    }
    if u64::try_from(metadata.file_metadata().num_rows()) != Ok(rows) {
        return Err(corrupt(name, "its row groups do not add up to its rows"));
    }
    if rows / limits.rows_per_byte > data_end {
        return Err(hostile(name, &format!("it claims {rows} rows in {data_end} bytes")));
    }
    Ok(())
}

fn check_column(
    column: &parquet::file::metadata::ColumnChunkMetaData,
    data_end: u64,
    name: &str,
    limits: &Limits,
) -> Result<(), DriverError> {
    if column.file_path().is_some_and(|path| !path.is_empty()) {
        return Err(corrupt(name, "it refers to another file for its data"));
    }
    let outside = || corrupt(name, "a column lies outside the file");
    let negative = |_| outside();
    let first = column.dictionary_page_offset().map_or(column.data_page_offset(), |offset| {
        // Some writers put 0 where there is no dictionary.
        if offset > 0 { offset.min(column.data_page_offset()) } else { column.data_page_offset() }
    });
    let start = u64::try_from(first).map_err(negative)?;
    let compressed = u64::try_from(column.compressed_size()).map_err(negative)?;
    let uncompressed = u64::try_from(column.uncompressed_size()).map_err(negative)?;
    u64::try_from(column.num_values()).map_err(negative)?;
    if start.checked_add(compressed).is_none_or(|end| end > data_end) {
        return Err(outside());
    }
    if uncompressed > limits.ratio_from && uncompressed / compressed.max(1) > limits.ratio {
        let words = format!("a column of {compressed} bytes claims to unpack to {uncompressed}");
        return Err(hostile(name, &words));
    }
    Ok(())
}

/// Asks for canonical types where the decoder can give them at once.
fn arrow_metadata(metadata: ParquetMetaData) -> parquet::errors::Result<ArrowReaderMetadata> {
    let metadata = Arc::new(metadata);
    let plain = ArrowReaderMetadata::try_new(Arc::clone(&metadata), ArrowReaderOptions::new())?;
    let fields: Fields = plain.schema().fields().iter().map(decode_hint).collect();
    if &fields == plain.schema().fields() {
        return Ok(plain);
    }
    let options = ArrowReaderOptions::new().with_schema(Arc::new(ArrowSchema::new(fields)));
    // A hint that the library refuses costs a cast later, nothing more.
    Ok(ArrowReaderMetadata::try_new(metadata, options).unwrap_or(plain))
}
