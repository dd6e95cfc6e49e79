#![expect(clippy::unwrap_used, reason = "tests")]

use super::container::AvroFile;
use super::write::AvroFileWriter;
use crate::arrow_types::to_arrow_schema;
use crate::chunk::Extent;
use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::concat_batches;
use greylag_driver::error::DriverError;
use greylag_model::dataset::Compression;
use greylag_model::schema::{Column, Schema};
use std::fs::File;
use std::io::Write;

mod hostile;
mod peers;
mod round_trip;
mod schemas;

const CODECS: [Compression; 4] = [Compression::Uncompressed, Compression::Gzip, Compression::Snappy, Compression::Zstd];

/// `a: int64; b: list<string>`; with `!` never null.
fn schema(columns: &str) -> Schema {
    let column = |text: &str| {
        let (name, data_type) = text.split_once(": ").unwrap();
        let (data_type, nullable) = data_type.strip_suffix('!').map_or((data_type, true), |of| (of, false));
        Column { name: name.trim().to_owned(), data_type: data_type.parse().unwrap(), nullable }
    };
    Schema { columns: columns.split(';').map(column).collect() }
}

fn open(bytes: &[u8]) -> Result<AvroFile, DriverError> {
    let mut file: File = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    AvroFile::open(file, "t.avro")
}

fn read(bytes: &[u8], schema: &Schema) -> Result<RecordBatch, DriverError> {
    let batches: Vec<RecordBatch> = open(bytes)?.read(schema, &Extent::Whole, 7)?.collect::<Result<_, _>>()?;
    Ok(concat_batches(&to_arrow_schema(schema), &batches).unwrap())
}

fn write(batch: &RecordBatch, compression: Compression) -> Result<Vec<u8>, DriverError> {
    let mut writer = AvroFileWriter::new(Vec::new(), "t.avro", &batch.schema(), compression, true)?;
    writer.append(batch)?;
    Ok(writer.finish_into()?.0)
}

fn batch(schema: &Schema, arrays: Vec<ArrayRef>) -> RecordBatch {
    RecordBatch::try_new(to_arrow_schema(schema), arrays).unwrap()
}
