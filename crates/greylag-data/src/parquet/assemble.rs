//! Joins Parquet files of one schema into one file, copying encoded row groups byte for byte.

use super::failure::{corrupt, read_failure, write_failure};
use super::source::Source;
use super::write::base_properties;
use crate::reader::{Counted, Written};
use greylag_driver::error::DriverError;
use parquet::column::writer::ColumnCloseResult;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use parquet::file::writer::SerializedFileWriter;
use std::fs::File;
use std::io::Write;
use std::sync::Arc;

/// Writes the row groups of `inputs` (name for messages, file), in order, into `out`. The inputs are files that
/// [`super::write::ParquetFileWriter`] made; all must have the same schema. Gives back `out`, flushed but not synced.
pub fn assemble<W: Write + Send>(inputs: Vec<(String, File)>, out: W, name: &str) -> Result<(W, Written), DriverError> {
    let failed = |error| write_failure(name, &error);
    let mut out = Some(Counted::new(out));
    let mut writer: Option<SerializedFileWriter<Counted<W>>> = None;
    let mut rows = 0;
    for (input, file) in inputs {
        let (source, metadata) = open(&input, file)?;
        let schema = metadata.file_metadata().schema_descr().root_schema_ptr();
        if writer.is_none()
            && let Some(out) = out.take()
        {
            let keys = metadata.file_metadata().key_value_metadata().cloned();
            let properties = Arc::new(base_properties().set_key_value_metadata(keys).build());
            writer = Some(SerializedFileWriter::new(out, Arc::clone(&schema), properties).map_err(failed)?);
        }
        let Some(writer) = writer.as_mut() else { break };
        if writer.schema_descr().root_schema() != schema.as_ref() {
            return Err(corrupt(&input, "its columns are not those of the chunks before it"));
        }
        for group in metadata.row_groups() {
            let mut target = writer.next_row_group().map_err(failed)?;
            for column in group.columns() {
                let close = ColumnCloseResult {
                    bytes_written: column.compressed_size() as u64,
                    rows_written: group.num_rows() as u64,
                    metadata: column.clone(),
                    bloom_filter: None,
                    column_index: None,
                    offset_index: None,
                };
                target.append_column(&source, close).map_err(failed)?;
            }
            target.close().map_err(failed)?;
            rows += group.num_rows() as u64;
        }
    }
    let Some(writer) = writer else { return Err(corrupt(name, "there is nothing to join")) };
    let mut out = writer.into_inner().map_err(failed)?;
    out.flush().map_err(|error| crate::io_error::io_error("write", std::path::Path::new(name), &error))?;
    Ok((out.inner, Written { rows, bytes: out.bytes }))
}

fn open(name: &str, file: File) -> Result<(Source, ParquetMetaData), DriverError> {
    let failed = |error: std::io::Error| crate::io_error::io_error("read", std::path::Path::new(name), &error);
    let source = Source::open(file, true).map_err(failed)?;
    let metadata =
        ParquetMetaDataReader::new().parse_and_finish(&source).map_err(|error| read_failure(name, &error))?;
    Ok((source, metadata))
}
