//! Files that tests write and read back, and the interpreter that tests ask for a second opinion.

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array, RecordBatch,
    StringArray,
};
use greylag_data::parquet::write::{ParquetFileWriter, ParquetOptions};
use greylag_model::dataset::Layout;
use greylag_model::schema::Schema;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Rows with a bit of everything; `range` are the ids.
pub(crate) fn rows(range: std::ops::Range<i64>) -> RecordBatch {
    let ids: Vec<i64> = range.collect();
    let some = |id: &i64, every: i64| id % every != 0;
    let price: Decimal128Array = ids.iter().map(|id| some(id, 7).then_some(i128::from(*id) * 101)).collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int64Array::from(ids.clone()))),
        ("name", Arc::new(ids.iter().map(|id| some(id, 5).then(|| format!("näme {id}"))).collect::<StringArray>())),
        ("price", Arc::new(price.with_precision_and_scale(12, 2).unwrap())),
        ("share", Arc::new(ids.iter().map(|id| some(id, 11).then_some(*id as f64 / 3.0)).collect::<Float64Array>())),
        ("day", Arc::new(ids.iter().map(|id| some(id, 13).then_some(*id as i32)).collect::<Date32Array>())),
        ("flag", Arc::new(ids.iter().map(|id| Some(id % 2 == 0)).collect::<BooleanArray>())),
        ("small", Arc::new(ids.iter().map(|id| Some((id % 100) as i32)).collect::<Int32Array>())),
        ("city", Arc::new(ids.iter().map(|id| Some(format!("city{}", id % 3))).collect::<StringArray>())),
        ("code", Arc::new(ids.iter().map(|id| some(id, 4).then(|| format!("c{id}"))).collect::<StringArray>())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
}

/// Writes a Parquet file with row groups of at most `group` rows.
pub(crate) fn write_parquet(path: &Path, batch: &RecordBatch, group: usize) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let options = ParquetOptions { row_group_rows: group, ..ParquetOptions::default() };
    let mut writer = ParquetFileWriter::new(fs::File::create(path).unwrap(), "test", batch.schema(), options);
    if batch.num_rows() > 0 {
        writer.append(batch).unwrap();
    }
    writer.finish_into().unwrap();
}

/// A file of `count` rows in row groups of 100.
pub(crate) fn old_file(count: i64) -> impl FnOnce(&Path) {
    move |home| write_parquet(&home.join("old.parquet"), &rows(0..count), 100)
}

pub(crate) fn rows_of(path: &Path, schema: &Schema, layout: &Layout) -> Vec<String> {
    use greylag_data::listing::{Anchor, FileFormat, list};
    let anchor = Anchor { root: None, path: path.display().to_string() };
    let listing = list(&anchor, Some(FileFormat::of(&layout.format))).unwrap();
    let mut lines = Vec::new();
    for file in listing.files {
        let batches = greylag_data::request::read_rows(&anchor, layout, schema, &file).unwrap();
        for batch in batches {
            let options = arrow::util::display::FormatOptions::default().with_null("∅");
            let formatters: Vec<_> = batch
                .columns()
                .iter()
                .map(|array| arrow::util::display::ArrayFormatter::try_new(array, &options).unwrap())
                .collect();
            for row in 0..batch.num_rows() {
                let values: Vec<String> = formatters.iter().map(|column| column.value(row).to_string()).collect();
                lines.push(values.join("|"));
            }
        }
    }
    lines.sort();
    lines
}

/// The interpreter that has DuckDB, or the line that cures its absence.
pub(crate) fn python() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = std::env::var_os("GREYLAG_TEST_PYTHON").map_or(root.join("target/venv/bin/python"), PathBuf::from);
    assert!(
        path.exists(),
        "no Python with DuckDB at {}: run `python3 -m venv target/venv && target/venv/bin/pip install duckdb`",
        path.display()
    );
    path
}
