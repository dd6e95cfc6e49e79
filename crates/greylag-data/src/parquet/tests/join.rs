//! Files joined without decoding.

use super::*;
use crate::parquet::assemble::assemble;
use arrow::array::{ArrayRef, Int64Array, StringArray};
use std::fs::File;
use std::io::Write;

fn chunk(schema: &Schema, from: i64, rows: i64) -> Vec<u8> {
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(from..from + rows)),
        Arc::new(StringArray::from_iter_values((from..from + rows).map(|row| format!("text {}", row % 5)))),
    ];
    write(schema, &[RecordBatch::try_new(to_arrow_schema(schema), arrays).unwrap()])
}

fn on_disk(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file
}

#[test]
fn joined_files_hold_all_rows_in_order() {
    let schema = schema(&[("a", DataType::Int64), ("b", DataType::String)]);
    let inputs = || {
        [(0, 3000), (3000, 1), (3001, 500)].map(|(from, rows)| ("in".to_owned(), on_disk(&chunk(&schema, from, rows))))
    };
    let (bytes, written) = assemble(inputs().into(), Vec::new(), "out").unwrap();
    assert_eq!((written.rows, written.bytes), (3501, bytes.len() as u64));
    assert_eq!(assemble(inputs().into(), Vec::new(), "out").unwrap().0, bytes);
    let file = open(&bytes).unwrap();
    assert_eq!(file.row_groups().len(), 3);
    let back = read(&file, &schema).unwrap();
    let back = arrow::compute::concat_batches(&back[0].schema(), &back).unwrap();
    let whole = read(&open(&chunk(&schema, 0, 3501)).unwrap(), &schema).unwrap();
    assert_eq!(back, arrow::compute::concat_batches(&back.schema(), &whole).unwrap());
}

#[test]
fn other_columns_are_refused() {
    let inputs = [schema(&[("a", DataType::Int64)]), schema(&[("b", DataType::Int64)])]
        .map(|schema| ("in".to_owned(), on_disk(&write(&schema, &[]))));
    let error = assemble(inputs.into(), Vec::new(), "out").unwrap_err();
    assert_eq!(error.to_string(), "`in` is corrupt: its columns are not those of the chunks before it");
}
