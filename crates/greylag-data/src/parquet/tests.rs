#![expect(clippy::unwrap_used, reason = "tests")]

use super::footer::{Limits, ParquetFile};
use super::read::ReadOptions;
use super::source::Source;
use super::write::{ParquetFileWriter, ParquetOptions};
use crate::arrow_types::to_arrow_schema;
use arrow::array::RecordBatch;
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use greylag_model::dataset::Compression;
use greylag_model::schema::{Column, Schema};
use greylag_model::types::DataType;
use std::sync::Arc;

mod hostile;
mod join;
mod pack;
mod types;

fn schema(columns: &[(&str, DataType)]) -> Schema {
    let column = |(name, data_type): &(&str, DataType)| Column {
        name: (*name).to_owned(),
        data_type: data_type.clone(),
        nullable: true,
    };
    Schema { columns: columns.iter().map(column).collect() }
}

fn write_with(schema: &Schema, batches: &[RecordBatch], options: ParquetOptions) -> Vec<u8> {
    let mut writer = ParquetFileWriter::new(Vec::new(), "test", to_arrow_schema(schema), options);
    for batch in batches {
        writer.append(batch).unwrap();
    }
    writer.finish_into().unwrap().0
}

fn write(schema: &Schema, batches: &[RecordBatch]) -> Vec<u8> {
    write_with(schema, batches, ParquetOptions::default())
}

fn open(bytes: &[u8]) -> Result<ParquetFile, DriverError> {
    ParquetFile::from_source(Source::Memory(bytes.to_vec().into()), "test", &Limits::default())
}

fn read(file: &ParquetFile, schema: &Schema) -> Result<Vec<RecordBatch>, DriverError> {
    file.read(&ReadOptions { columns: schema, row_groups: None, batch_rows: 1024 })?.collect()
}
