//! Where converted rows go: one file, or a file per Hive partition, with a bounded number of them open.

use super::request::{Limits, Output, WrittenFile};
use super::source::{Bounded, NewFile};
use crate::arrow_types::to_arrow_schema;
use crate::hive;
use crate::io_error::io_error;
use crate::reader::BatchWriter;
use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::SchemaRef;
use arrow::row::{RowConverter, SortField};
use greylag_driver::error::DriverError;
use greylag_model::dataset::Shape;
use greylag_model::schema::Schema;
use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Files open at the same time. A partition beyond that ends the file of the one that was written to longest ago, which
/// gets another file if more rows come for it.
const OPEN: usize = 32;

/// Takes batches of the target's schema.
pub(super) struct Sink<'a> {
    output: &'a Output,
    limits: &'a Limits,
    expected_rows: Option<u64>,
    /// The columns that go into files: all but the partition columns, which come last.
    file_schema: SchemaRef,
    file_columns: usize,
    rows_of: Option<RowConverter>,
    open: HashMap<Vec<u8>, Open>,
    /// How often a directory got a file: numbers the names.
    files_of: HashMap<String, usize>,
    done: Vec<WrittenFile>,
    tick: u64,
    room: Arc<AtomicU64>,
}

struct Open {
    relative: String,
    writer: Box<dyn BatchWriter>,
    used: u64,
}

impl<'a> Sink<'a> {
    /// A sink that touches nothing until the first batch.
    pub(super) fn new(output: &'a Output, target: &Schema, limits: &'a Limits) -> Self {
        let file_columns = target.columns.len() - output.layout.partition_by.len();
        let file_schema = Schema { columns: target.columns[..file_columns].to_vec() };
        Self {
            output,
            limits,
            expected_rows: None,
            file_schema: to_arrow_schema(&file_schema),
            file_columns,
            rows_of: None,
            open: HashMap::new(),
            files_of: HashMap::new(),
            done: Vec::new(),
            tick: 0,
            room: Arc::new(AtomicU64::new(limits.output_bytes)),
        }
    }

    /// Says before the first batch how many rows are to come in all, if that is known.
    pub(super) fn expect(&mut self, rows: Option<u64>) {
        self.expected_rows = rows.filter(|_| self.output.layout.partition_by.is_empty());
    }

    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<(), DriverError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        if self.output.layout.partition_by.is_empty() {
            let plain = self.in_files(batch)?;
            return self.append(Vec::new(), &plain, || Ok(String::new()));
        }
        let keys = &batch.columns()[self.file_columns..];
        let groups = group(&mut self.rows_of, keys)?;
        let whole = groups.len() == 1;
        for (key, rows) in groups {
            let first = rows[0] as usize;
            let directory = || directory(&self.output.layout.partition_by, keys, first);
            let directory = if self.open.contains_key(&key) { String::new() } else { directory()? };
            let part = if whole {
                batch.clone()
            } else {
                take_record_batch(batch, &UInt32Array::from(rows)).map_err(|error| crate::error::arrow(&error))?
            };
            let part = self.in_files(&part)?;
            self.append(key, &part, || Ok(directory))?;
        }
        Ok(())
    }

    /// The columns that go into files, with the file's schema.
    fn in_files(&self, batch: &RecordBatch) -> Result<RecordBatch, DriverError> {
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let columns = batch.columns()[..self.file_columns].to_vec();
        RecordBatch::try_new_with_options(Arc::clone(&self.file_schema), columns, &options)
            .map_err(|error| crate::error::arrow(&error))
    }

    fn append(
        &mut self,
        key: Vec<u8>,
        batch: &RecordBatch,
        directory: impl FnOnce() -> Result<String, DriverError>,
    ) -> Result<(), DriverError> {
        self.tick += 1;
        if !self.open.contains_key(&key) {
            if self.open.len() >= OPEN {
                self.end_oldest()?;
            }
            let open = self.create(&directory()?)?;
            self.open.insert(key.clone(), open);
        }
        let Some(open) = self.open.get_mut(&key) else { return Ok(()) };
        open.used = self.tick;
        open.writer.write(batch)
    }

    fn create(&mut self, directory: &str) -> Result<Open, DriverError> {
        let relative = match self.output.layout.shape {
            Shape::File => String::new(),
            Shape::Directory => {
                let number = self.files_of.entry(directory.to_owned()).or_default();
                let suffix = if *number == 0 { String::new() } else { format!("-{number}") };
                *number += 1;
                let separator = if directory.is_empty() { "" } else { "/" };
                let extension = self.output.layout.format.extension();
                format!("{directory}{separator}{}{suffix}.{extension}", self.output.stem)
            }
        };
        let path = self.path(&relative);
        self.make_directories(directory)?;
        let file = OpenOptions::new().write(true).create(!self.output.is_there).truncate(true).open(&path);
        let file = file.map_err(|error| io_error("create", &path, &error))?;
        let out = Bounded::new(file, Arc::clone(&self.room));
        let rows = self.expected_rows;
        let open_share = if self.output.layout.partition_by.is_empty() { 1 } else { OPEN as u64 };
        let memory = self.limits.memory_bytes / 2 / open_share;
        let schema = Arc::clone(&self.file_schema);
        let (format, head) = (&self.output.layout.format, self.output.head);
        let writer = NewFile { path: &path, schema, format, head, memory_bytes: memory, rows }.writer(out)?;
        Ok(Open { relative, writer, used: self.tick })
    }

    /// Makes the directories of a partition, one by one below the output's. That one must be there: a reader whose parent
    /// was killed may live for a moment longer, and must find nowhere to write once its place was claimed by another attempt.
    fn make_directories(&self, directory: &str) -> Result<(), DriverError> {
        let mut path = self.output.path.clone();
        for name in directory.split('/').filter(|name| !name.is_empty()) {
            path.push(name);
            match std::fs::create_dir(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                made => made.map_err(|error| io_error("create", &path, &error))?,
            }
        }
        Ok(())
    }

    fn path(&self, relative: &str) -> PathBuf {
        if relative.is_empty() { self.output.path.clone() } else { self.output.path.join(relative) }
    }

    fn end_oldest(&mut self) -> Result<(), DriverError> {
        let oldest = self.open.iter().min_by_key(|(_, open)| open.used).map(|(key, _)| key.clone());
        match oldest.and_then(|key| self.open.remove(&key)) {
            Some(open) => self.end(open),
            None => Ok(()),
        }
    }

    fn end(&mut self, open: Open) -> Result<(), DriverError> {
        let written = open.writer.finish()?;
        self.done.push(WrittenFile { relative: open.relative, rows: written.rows, bytes: written.bytes });
        Ok(())
    }

    /// Ends all files; which were written, in the order of their names.
    pub(super) fn finish(mut self) -> Result<Vec<WrittenFile>, DriverError> {
        if self.done.is_empty() && self.open.is_empty() && self.output.even_if_empty {
            // A partitioned dataset without rows keeps its columns in a file of the null partition.
            let null = |key: &String| hive::directory_name(key, None);
            let names: Vec<String> = self.output.layout.partition_by.iter().map(null).collect::<Result<_, _>>()?;
            let open = self.create(&names.join("/"))?;
            self.open.insert(Vec::new(), open);
        }
        for (_, open) in std::mem::take(&mut self.open) {
            self.end(open)?;
        }
        self.done.sort_by(|left, right| left.relative.cmp(&right.relative));
        Ok(self.done)
    }
}

/// `key=value/key=value` of one row.
fn directory(names: &[String], keys: &[ArrayRef], row: usize) -> Result<String, DriverError> {
    let name = |(name, array): (&String, &ArrayRef)| {
        let value = if array.is_null(row) { None } else { hive::value_text(array, row)? };
        hive::directory_name(name, value.as_deref())
    };
    Ok(names.iter().zip(keys).map(name).collect::<Result<Vec<_>, _>>()?.join("/"))
}

/// A partition's key, and the rows of a batch that are its.
type Group = (Vec<u8>, Vec<u32>);

/// Rows by their partition, partitions in the order of their first row.
fn group(converter: &mut Option<RowConverter>, keys: &[ArrayRef]) -> Result<Vec<Group>, DriverError> {
    let converter = match converter {
        Some(converter) => converter,
        none => {
            let fields = keys.iter().map(|array| SortField::new(array.data_type().clone())).collect();
            none.insert(RowConverter::new(fields).map_err(|error| crate::error::arrow(&error))?)
        }
    };
    let rows = converter.convert_columns(keys).map_err(|error| crate::error::arrow(&error))?;
    let mut groups: Vec<Group> = Vec::new();
    let mut places: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut last = 0;
    for (index, row) in rows.iter().enumerate() {
        // Neighbours mostly share their partition.
        if groups.get(last).is_none_or(|(key, _)| key.as_slice() != row.as_ref()) {
            last = match places.get(row.as_ref()) {
                Some(place) => *place,
                None => {
                    groups.push((row.as_ref().to_vec(), Vec::new()));
                    places.insert(row.as_ref().to_vec(), groups.len() - 1);
                    groups.len() - 1
                }
            };
        }
        groups[last].1.push(index as u32);
    }
    Ok(groups)
}
