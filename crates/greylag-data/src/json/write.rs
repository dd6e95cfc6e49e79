//! Writes JSON lines: every key in every line, in the order of the columns, without blanks. See [`super`] for the texts.

use super::cannot_carry;
use crate::arrow_types::from_arrow;
use crate::csv::{format, temporal};
use crate::io_error::io_error;
use crate::reader::{BatchWriter, Written};
use arrow::array::{Array, ArrowPrimitiveType, AsArray, RecordBatch};
use arrow::datatypes::{
    Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Schema, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use greylag_model::types::DataType;
use std::collections::HashSet;
use std::io::Write;
use std::path::Path;

/// Text is handed on when there is this much.
const BLOCK: usize = 256 << 10;

/// Writes one file into `W`.
pub struct JsonFileWriter<W: Write + Send> {
    out: W,
    name: String,
    types: Vec<(String, DataType)>,
    text: Vec<u8>,
    written: Written,
    /// Whether a file without rows gets a blank line: a file without bytes is left alone in directories.
    head: bool,
}

impl<W: Write + Send> JsonFileWriter<W> {
    /// A file of canonical batches of `schema`; `name` is for messages. `head` is whether the file, or the one that it is
    /// a piece of, begins here.
    pub fn new(out: W, name: &str, schema: &Schema, head: bool) -> Result<Self, DriverError> {
        let mut types = Vec::with_capacity(schema.fields().len());
        for field in schema.fields() {
            let refuse = |reason: &str| {
                let words = format!("column `{}` cannot be written as JSON: {reason}", field.name());
                DriverError::permanent(code::JSON_TYPE, words).hint("write Parquet, or make the keys text")
            };
            let data_type = from_arrow(field.data_type()).map_err(|reason| refuse(&reason))?;
            if let Some(reason) = cannot_carry(&data_type) {
                return Err(refuse(reason));
            }
            types.push((field.name().clone(), data_type));
        }
        let text = Vec::with_capacity(BLOCK * 2);
        Ok(Self { out, name: name.to_owned(), types, text, written: Written::default(), head })
    }

    /// Appends a batch.
    pub fn append(&mut self, batch: &RecordBatch) -> Result<(), DriverError> {
        let columns = batch.columns().iter().zip(&self.types);
        let root = Object { members: columns.map(|(array, (name, of))| member(name, array, of)).collect() };
        for row in 0..batch.num_rows() {
            root.put(&mut self.text, row).map_err(|words| {
                let words = format!("`{}`: row {}: {words}", self.name, self.written.rows + 1);
                DriverError::permanent(code::JSON_UNWRITABLE, words)
                    .hint("write Parquet, or clean the value with an expression")
            })?;
            self.text.push(b'\n');
            self.written.rows += 1;
            if self.text.len() >= BLOCK {
                flush(&mut self.out, &self.name, &mut self.text, &mut self.written)?;
            }
        }
        Ok(())
    }

    /// Ends the file and gives back what it was written to, flushed but not synced.
    pub fn finish_into(mut self) -> Result<(W, Written), DriverError> {
        if self.written.rows == 0 && self.head {
            self.text.push(b'\n');
        }
        flush(&mut self.out, &self.name, &mut self.text, &mut self.written)?;
        self.out.flush().map_err(|error| io_error("write", Path::new(&self.name), &error))?;
        Ok((self.out, self.written))
    }
}

fn flush<W: Write>(out: &mut W, name: &str, text: &mut Vec<u8>, written: &mut Written) -> Result<(), DriverError> {
    out.write_all(text).map_err(|error| io_error("write", Path::new(name), &error))?;
    written.bytes += text.len() as u64;
    text.clear();
    Ok(())
}

impl<W: Write + Send> BatchWriter for JsonFileWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), DriverError> {
        self.append(batch)
    }

    fn bytes_written(&self) -> u64 {
        self.written.bytes + self.text.len() as u64
    }

    fn finish(self: Box<Self>) -> Result<Written, DriverError> {
        self.finish_into().map(|(_, written)| written)
    }
}

/// One column of a batch. `put` writes a value that is not null, as JSON.
trait Cell {
    fn put(&self, out: &mut Vec<u8>, row: usize) -> Result<(), String>;
}

/// A cell with its nulls.
struct Nullable<'a> {
    array: &'a dyn Array,
    cell: Box<dyn Cell + 'a>,
}

impl Cell for Nullable<'_> {
    fn put(&self, out: &mut Vec<u8>, row: usize) -> Result<(), String> {
        if self.array.is_null(row) {
            out.extend_from_slice(b"null");
            return Ok(());
        }
        self.cell.put(out, row)
    }
}

/// What is written by a function alone, in quotes or not.
struct Plain<F> {
    put: F,
    quoted: bool,
}

impl<F: Fn(&mut Vec<u8>, usize)> Cell for Plain<F> {
    fn put(&self, out: &mut Vec<u8>, row: usize) -> Result<(), String> {
        if self.quoted {
            out.push(b'"');
        }
        (self.put)(out, row);
        if self.quoted {
            out.push(b'"');
        }
        Ok(())
    }
}

fn plain<'a>(put: impl Fn(&mut Vec<u8>, usize) + 'a) -> Box<dyn Cell + 'a> {
    Box::new(Plain { put, quoted: false })
}

fn quoted<'a>(put: impl Fn(&mut Vec<u8>, usize) + 'a) -> Box<dyn Cell + 'a> {
    Box::new(Plain { put, quoted: true })
}

/// A string of JSON.
fn string(out: &mut Vec<u8>, text: &str) {
    // Into memory, and of a text: neither can fail.
    let _ = serde_json::to_writer(out, text);
}

struct Object<'a> {
    /// With `"key":` each.
    members: Vec<(Vec<u8>, Nullable<'a>)>,
}

fn member<'a>(name: &str, array: &'a dyn Array, data_type: &'a DataType) -> (Vec<u8>, Nullable<'a>) {
    let mut key = Vec::new();
    string(&mut key, name);
    key.push(b':');
    (key, nullable(array, data_type))
}

impl Cell for Object<'_> {
    fn put(&self, out: &mut Vec<u8>, row: usize) -> Result<(), String> {
        out.push(b'{');
        for (index, (key, cell)) in self.members.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            out.extend_from_slice(key);
            cell.put(out, row)?;
        }
        out.push(b'}');
        Ok(())
    }
}

struct Lists<'a> {
    offsets: &'a [i32],
    items: Nullable<'a>,
}

impl Cell for Lists<'_> {
    fn put(&self, out: &mut Vec<u8>, row: usize) -> Result<(), String> {
        out.push(b'[');
        let (start, end) = (self.offsets[row] as usize, self.offsets[row + 1] as usize);
        for item in start..end {
            if item > start {
                out.push(b',');
            }
            self.items.put(out, item)?;
        }
        out.push(b']');
        Ok(())
    }
}

struct Maps<'a> {
    offsets: &'a [i32],
    keys: Box<dyn Cell + 'a>,
    items: Nullable<'a>,
}

impl Cell for Maps<'_> {
    fn put(&self, out: &mut Vec<u8>, row: usize) -> Result<(), String> {
        out.push(b'{');
        let (start, end) = (self.offsets[row] as usize, self.offsets[row + 1] as usize);
        let mut seen = HashSet::with_capacity(end - start);
        for entry in start..end {
            if entry > start {
                out.push(b',');
            }
            let mut key = Vec::new();
            self.keys.put(&mut key, entry)?;
            if key.first() != Some(&b'"') {
                key.insert(0, b'"');
                key.push(b'"');
            }
            out.extend_from_slice(&key);
            if !seen.insert(key) {
                return Err("a map has one key twice, which an object of JSON cannot".to_owned());
            }
            out.push(b':');
            self.items.put(out, entry)?;
        }
        out.push(b'}');
        Ok(())
    }
}

fn nullable<'a>(array: &'a dyn Array, data_type: &'a DataType) -> Nullable<'a> {
    Nullable { array, cell: cell(array, data_type) }
}

fn integers<'a, T: ArrowPrimitiveType>(array: &'a dyn Array) -> Box<dyn Cell + 'a>
where
    T::Native: itoa::Integer,
{
    let values = array.as_primitive::<T>();
    plain(move |out, row| out.extend_from_slice(itoa::Buffer::new().format(values.value(row)).as_bytes()))
}

/// A number where it is one.
fn float<F: std::fmt::Debug + Into<f64> + Copy>(out: &mut Vec<u8>, value: F) {
    let wide: f64 = value.into();
    if wide.is_finite() {
        format::float(out, value);
    } else {
        let text: &[u8] = match wide {
            f64::INFINITY => b"\"Infinity\"",
            f64::NEG_INFINITY => b"\"-Infinity\"",
            _ => b"\"NaN\"",
        };
        out.extend_from_slice(text);
    }
}

/// Moments as strings.
struct Strings;

impl<'a> temporal::Cells<'a> for Strings {
    type Cell = Box<dyn Cell + 'a>;

    fn cell(&self, _: &'a dyn Array, put: impl Fn(&mut Vec<u8>, usize) + 'a) -> Self::Cell {
        quoted(put)
    }
}

fn cell<'a>(array: &'a dyn Array, data_type: &'a DataType) -> Box<dyn Cell + 'a> {
    match data_type {
        DataType::Boolean => {
            let values = array.as_boolean();
            plain(move |out, row| out.extend_from_slice(if values.value(row) { b"true" } else { b"false" }))
        }
        DataType::Int8 => integers::<Int8Type>(array),
        DataType::Int16 => integers::<Int16Type>(array),
        DataType::Int32 => integers::<Int32Type>(array),
        DataType::Int64 => integers::<Int64Type>(array),
        DataType::UInt8 => integers::<UInt8Type>(array),
        DataType::UInt16 => integers::<UInt16Type>(array),
        DataType::UInt32 => integers::<UInt32Type>(array),
        DataType::UInt64 => integers::<UInt64Type>(array),
        DataType::Float32 => {
            let values = array.as_primitive::<Float32Type>();
            plain(move |out, row| float(out, values.value(row)))
        }
        DataType::Float64 => {
            let values = array.as_primitive::<Float64Type>();
            plain(move |out, row| float(out, values.value(row)))
        }
        DataType::Decimal { scale, .. } => {
            let values = array.as_primitive::<Decimal128Type>();
            quoted(move |out, row| format::decimal(out, values.value(row), *scale))
        }
        DataType::Date => temporal::dates(&Strings, array),
        DataType::Time(unit) => temporal::times(&Strings, array, *unit),
        DataType::Timestamp { unit, zone } => temporal::timestamps(&Strings, array, *unit, zone.is_some()),
        DataType::String => {
            let values = array.as_string::<i32>();
            plain(move |out, row| string(out, values.value(row)))
        }
        DataType::Binary => {
            let values = array.as_binary::<i32>();
            quoted(move |out, row| out.extend_from_slice(STANDARD.encode(values.value(row)).as_bytes()))
        }
        DataType::List(item) => {
            let lists = array.as_list::<i32>();
            Box::new(Lists { offsets: lists.value_offsets(), items: nullable(lists.values(), item) })
        }
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns().iter().zip(fields);
            Box::new(Object { members: columns.map(|(array, (name, of))| member(name, array, of)).collect() })
        }
        DataType::Map(key, item) => {
            let maps = array.as_map();
            let (keys, items) = (cell(maps.keys(), key), nullable(maps.values(), item));
            Box::new(Maps { offsets: maps.value_offsets(), keys, items })
        }
    }
}
