#![expect(clippy::unwrap_used, reason = "tests")]

use super::lines::JsonFile;
use super::write::JsonFileWriter;
use crate::arrow_types::to_arrow_schema;
use crate::chunk::Extent;
use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::concat_batches;
use greylag_driver::error::DriverError;
use greylag_model::schema::{Column, Schema};
use std::fs::File;
use std::io::Write;

mod lines;
mod mistakes;
mod round_trip;

/// `a: int64; b: list<string>`.
fn schema(columns: &str) -> Schema {
    let column = |text: &str| {
        let (name, data_type) = text.split_once(": ").unwrap();
        Column { name: name.trim().to_owned(), data_type: data_type.parse().unwrap(), nullable: true }
    };
    Schema { columns: columns.split(';').map(column).collect() }
}

fn on_disk(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn read(bytes: &[u8], schema: &Schema) -> Result<RecordBatch, DriverError> {
    read_as(bytes, schema, schema)
}

fn read_as(bytes: &[u8], wanted: &Schema, all: &Schema) -> Result<RecordBatch, DriverError> {
    let file = JsonFile::open(on_disk(bytes), "t.jsonl")?;
    let batches: Vec<RecordBatch> = file.read("t.jsonl", wanted, all, &Extent::Whole, 7)?.collect::<Result<_, _>>()?;
    Ok(concat_batches(&to_arrow_schema(wanted), &batches).unwrap())
}

fn write(batch: &RecordBatch) -> Result<Vec<u8>, DriverError> {
    let mut writer = JsonFileWriter::new(Vec::new(), "t.jsonl", &batch.schema(), true)?;
    writer.append(batch)?;
    Ok(writer.finish_into()?.0)
}

fn batch(schema: &Schema, arrays: Vec<ArrayRef>) -> RecordBatch {
    RecordBatch::try_new(to_arrow_schema(schema), arrays).unwrap()
}

/// Rows as text, or the error.
fn show(bytes: &[u8], schema: &Schema) -> String {
    match read(bytes, schema).and_then(|batch| write(&batch)) {
        Ok(text) => String::from_utf8(text).unwrap(),
        Err(error) => format!("{} {}", error.code, error.message),
    }
}
