#![expect(clippy::unwrap_used, reason = "tests")]

use super::answer::answer;
use super::local::LocalFiles;
use super::*;
use crate::chunk::{Pieces, plan_chunks};
use crate::parquet::write::{ParquetFileWriter, ParquetOptions};
use crate::part::PartSource;
use crate::pool::ReaderPool;
use arrow::array::{Array, ArrayRef, Int64Array, NullArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType as ArrowType, Field, Schema as ArrowSchema};
use arrow::util::pretty::pretty_format_batches;
use greylag_driver::describe::Describe;
use greylag_model::code::data as code;
use greylag_model::dataset::{Dataset, Location};
use greylag_model::entity::EntityRef;
use greylag_model::schema::Column;
use greylag_model::snapshot::Observed;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;

mod avro;
mod datasets;
mod declared;
mod json;
mod scans;

/// An estate in a directory of its own, asked after through a pool in this process.
struct Estate {
    root: TempDir,
    files: LocalFiles,
}

impl Estate {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let pool = ReaderPool::in_process(|request: FileRequest| answer(&request));
        let roots = [("lake".to_owned(), root.path().to_owned())].into();
        Self { files: LocalFiles::new(Arc::new(pool), roots), root }
    }

    fn path(&self, path: &str) -> PathBuf {
        let path = self.root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    fn text(&self, path: &str, text: &str) -> &Self {
        fs::write(self.path(path), text).unwrap();
        self
    }

    /// A Parquet file with one column per pair.
    fn parquet(&self, path: &str, columns: &[(&str, ArrayRef)]) -> &Self {
        let fields = columns.iter().map(|(name, array)| {
            let nullable = array.logical_null_count() > 0;
            Field::new(*name, array.data_type().clone(), nullable)
        });
        let schema = Arc::new(ArrowSchema::new(fields.collect::<Vec<_>>()));
        let arrays = columns.iter().map(|(_, array)| Arc::clone(array)).collect();
        let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).unwrap();
        let file = fs::File::create(self.path(path)).unwrap();
        let mut writer = ParquetFileWriter::new(file, path, schema, ParquetOptions::default());
        writer.append(&batch).unwrap();
        writer.finish_into().unwrap();
        self
    }

    fn dataset(&self, path: &str, declared: &[(&str, &str)]) -> Dataset {
        let declared = declared.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let location = Location { connection: Some("lake".to_owned()), path: path.to_owned() };
        Dataset { entity: EntityRef::new("resource", "default", "d"), location, declared }
    }

    fn observe(&self, path: &str, declared: &[(&str, &str)]) -> Result<Observed, DriverError> {
        self.files.describe(&[self.dataset(path, declared)]).remove(0)
    }

    fn show(&self, path: &str, declared: &[(&str, &str)]) -> String {
        match self.observe(path, declared) {
            Ok(observed) => {
                let format = observed.layout.format.name();
                let Observed { files, rows, .. } = observed;
                let mut out = format!("{format} {:?} files {files} rows {rows:?}\n", observed.layout.shape);
                out.push_str(&columns(&observed.schema));
                if !observed.layout.partition_by.is_empty() {
                    let _ = writeln!(out, "by {}", observed.layout.partition_by.join(", "));
                }
                out
            }
            Err(error) => self.tidy(&format!("{} {}", error.code, error.message)),
        }
    }

    fn tidy(&self, text: &str) -> String {
        text.replace(self.root.path().to_str().unwrap(), "ROOT")
    }

    /// All rows of a dataset, chunk by chunk.
    fn rows(&self, path: &str, target_bytes: u64) -> String {
        let observed = self.observe(path, &[]).unwrap();
        let facts = self.files.facts(&observed.dataset, &observed.layout, target_bytes).unwrap();
        let anchor = self.files.anchor(&observed.dataset.location).unwrap();
        let source = PartSource {
            anchor: &anchor,
            layout: &observed.layout,
            schema: &observed.schema,
            columns: None,
            batch_rows: 100,
        };
        let mut out = String::new();
        for chunk in plan_chunks(&facts, target_bytes) {
            let open = |part| source.open(part, &chunk.partition).unwrap();
            let batches: Vec<_> = chunk.parts.iter().flat_map(open).map(Result::unwrap).collect();
            let _ = writeln!(out, "{}\n{}", chunk.key, pretty_format_batches(&batches).unwrap());
        }
        out
    }
}

fn columns(schema: &Schema) -> String {
    let line = |Column { name, data_type, nullable }: &Column| {
        let nulls = if *nullable { "" } else { " not null" };
        format!("{name:?} {data_type}{nulls}\n")
    };
    schema.columns.iter().map(line).collect()
}

fn ints(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}
