#![expect(clippy::unwrap_used, reason = "tests")]

use super::dialect::detect;
use super::read::CsvFile;
use super::write::CsvFileWriter;
use crate::arrow_types::to_arrow_schema;
use crate::chunk::Extent;
use crate::declared::Declared;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::concat_batches;
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use greylag_model::dataset::{CsvDialect, LineEnding};
use greylag_model::schema::{Column, Schema};
use greylag_model::types::DataType;
use std::fs::File;
use std::io::Write;
use std::sync::Arc;

mod dialects;
mod mistakes;
mod round_trip;

fn schema(columns: &[(&str, DataType)]) -> Schema {
    let column = |(name, data_type): &(&str, DataType)| Column {
        name: (*name).to_owned(),
        data_type: data_type.clone(),
        nullable: true,
    };
    Schema { columns: columns.iter().map(column).collect() }
}

fn on_disk(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file
}

/// All columns as text.
fn read_text(bytes: &[u8], dialect: &CsvDialect) -> Result<Vec<Vec<Option<String>>>, DriverError> {
    let file = CsvFile::open(on_disk(bytes), "t.csv", dialect)?;
    let names: Vec<_> = file.names.iter().map(|name| (name.as_str(), DataType::String)).collect();
    let schema = schema(&names);
    let mut rows = Vec::new();
    for batch in file.read(&schema, &schema, &Extent::Whole, 1000)? {
        let batch = batch?;
        for row in 0..batch.num_rows() {
            let field = |array: &ArrayRef| {
                let array = array.as_string::<i32>();
                array.is_valid(row).then(|| array.value(row).to_owned())
            };
            rows.push(batch.columns().iter().map(field).collect());
        }
    }
    Ok(rows)
}

/// Rows as text: one line each, null as `∅`, everything else escaped.
fn show(bytes: &[u8], dialect: &CsvDialect) -> String {
    match read_text(bytes, dialect) {
        Ok(rows) => {
            let field = |field: &Option<String>| field.as_ref().map_or("∅".to_owned(), |text| format!("{text:?}"));
            let row = |row: &Vec<Option<String>>| row.iter().map(field).collect::<Vec<_>>().join(" ");
            rows.iter().map(row).collect::<Vec<_>>().join("\n")
        }
        Err(error) => format!("{} {}", error.code, error.message),
    }
}

fn read(bytes: &[u8], dialect: &CsvDialect, schema: &Schema) -> Result<RecordBatch, DriverError> {
    let file = CsvFile::open(on_disk(bytes), "t.csv", dialect)?;
    let batches: Vec<_> = file.read(schema, schema, &Extent::Whole, 3)?.collect::<Result<_, _>>()?;
    Ok(concat_batches(&to_arrow_schema(schema), &batches).unwrap())
}

fn write(batch: &RecordBatch, dialect: &CsvDialect) -> Result<Vec<u8>, DriverError> {
    let mut writer = CsvFileWriter::new(Vec::new(), "t.csv", &batch.schema(), dialect)?;
    writer.append(batch)?;
    Ok(writer.finish_into()?.0)
}
