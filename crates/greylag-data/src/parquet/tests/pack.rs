//! A file packed page by page is the file that the library writes at once.

use super::types::{every_type, sample};
use super::*;
use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::take;

/// `rows` rows of every type, drawn from its sample so that some columns are worth a dictionary and some are not.
fn batch(rows: u32) -> (Schema, RecordBatch) {
    let types = every_type();
    let names: Vec<String> = (0..types.len()).map(|number| format!("column {number}")).collect();
    let columns: Vec<(&str, DataType)> = names.iter().map(String::as_str).zip(types.clone()).collect();
    let schema = schema(&columns);
    let draw = |data_type: &DataType| -> ArrayRef {
        let indices: UInt32Array = (0..rows).map(|row| row.wrapping_mul(row + 7) % 3).collect();
        take(&sample(data_type), &indices, None).unwrap()
    };
    let arrays = types.iter().map(draw).collect();
    let batch = RecordBatch::try_new(to_arrow_schema(&schema), arrays).unwrap();
    (schema, batch)
}

#[test]
fn a_small_file_is_the_one_that_the_library_writes() {
    for rows in [1, 2, 15, 16, 1000, 4000] {
        let (schema, batch) = batch(rows);
        let write = |expected_rows| {
            let options = ParquetOptions { compression: Compression::Zstd, expected_rows, ..ParquetOptions::default() };
            write_with(&schema, std::slice::from_ref(&batch), options)
        };
        let (small, at_once) = (write(Some(rows.into())), write(None));
        assert!(small == at_once, "{rows} rows: {} and {} bytes", small.len(), at_once.len());
        let back = read(&open(&small).unwrap(), &schema).unwrap();
        let back = arrow::compute::concat_batches(&batch.schema(), &back).unwrap();
        assert_eq!(back, batch);
    }
}

#[test]
fn more_batches_than_expected_are_kept_all_the_same() {
    let (schema, batch) = batch(10);
    let options =
        ParquetOptions { compression: Compression::Zstd, expected_rows: Some(10), ..ParquetOptions::default() };
    let bytes = write_with(&schema, &[batch.clone(), batch.clone()], options);
    let rows: usize = read(&open(&bytes).unwrap(), &schema).unwrap().iter().map(RecordBatch::num_rows).sum();
    assert_eq!(rows, 20);
}

/// Row groups by rows alone, so that they are the same whoever packs them.
#[test]
fn a_wide_file_of_many_row_groups_is_the_one_that_the_library_writes() {
    let (schema, batch) = batch(1000);
    let write = |row_group_bytes| {
        let options = ParquetOptions {
            compression: Compression::Zstd,
            row_group_rows: 700,
            row_group_bytes,
            expected_rows: Some(5000),
        };
        write_with(&schema, &vec![batch.clone(); 5], options)
    };
    let columns = to_arrow_schema(&schema).flattened_fields().len();
    let (wide, narrow) = (write(columns << 20), write(1 << 30));
    assert!(wide == narrow, "{} and {} bytes", wide.len(), narrow.len());
    assert_eq!(open(&wide).unwrap().metadata.metadata().num_row_groups(), 8);
}
