//! Writes CSV files in a dialect and encoding.

use super::dialect::validate;
use super::text::Encoding;
use super::{cannot_carry, format, temporal};
use crate::arrow_types::from_arrow;
use crate::io_error::io_error;
use crate::reader::{BatchWriter, Written};
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{
    ArrowPrimitiveType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Schema,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use encoding_rs::{EncoderResult, WINDOWS_1252};
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use greylag_model::dataset::{CsvDialect, LineEnding};
use greylag_model::types::DataType as ModelType;
use std::io::Write;
use std::path::Path;

/// Text is handed on when there is this much.
const BLOCK: usize = 256 << 10;

/// Writes one file into `W`.
pub struct CsvFileWriter<W: Write + Send> {
    out: W,
    name: String,
    encoding: Encoding,
    rules: Rules,
    types: Vec<(String, ModelType)>,
    /// UTF-8 that is not yet encoded and written.
    text: Vec<u8>,
    /// Encoded text, to reuse its memory.
    encoded: Vec<u8>,
    written: Written,
    /// The next field is the first thing in the file.
    bare: bool,
}

/// How fields are written.
struct Rules {
    delimiter: u8,
    quote: u8,
    escape: Option<u8>,
    null: Vec<u8>,
    end: &'static [u8],
    /// Bytes that make quotes necessary.
    special: [bool; 256],
}

impl<W: Write + Send> CsvFileWriter<W> {
    /// A file of canonical batches of `schema`; `name` is for messages. Mark and header are written at once.
    pub fn new(out: W, name: &str, schema: &Schema, dialect: &CsvDialect) -> Result<Self, DriverError> {
        let encoding = validate(dialect)?;
        let mut types = Vec::with_capacity(schema.fields().len());
        for field in schema.fields() {
            let data_type = from_arrow(field.data_type());
            let refuse = |reason: &str| {
                let words = format!("column `{}` cannot be written as CSV: {reason}", field.name());
                DriverError::permanent(code::CSV_TYPE, words).hint("write Parquet, or make the column text")
            };
            let data_type = data_type.map_err(|reason| refuse(&reason))?;
            if let Some(reason) = cannot_carry(&data_type) {
                return Err(refuse(reason));
            }
            types.push((field.name().clone(), data_type));
        }
        let rules = Rules::of(dialect);
        let (text, encoded) = (Vec::with_capacity(BLOCK * 2), Vec::new());
        let written = Written::default();
        let mut writer =
            Self { out, name: name.to_owned(), encoding, rules, types, text, encoded, written, bare: false };
        if dialect.byte_order_mark {
            writer.text.extend_from_slice("\u{feff}".as_bytes());
        }
        if dialect.header {
            for (index, (name, _)) in writer.types.iter().enumerate() {
                if index > 0 {
                    writer.text.push(writer.rules.delimiter);
                }
                let quoted = index == 0 && !dialect.byte_order_mark && looks_like_mark(encoding, name);
                writer.rules.string(&mut writer.text, name.as_bytes(), quoted);
            }
            writer.text.extend_from_slice(writer.rules.end);
        }
        writer.bare = !dialect.header && !dialect.byte_order_mark;
        Ok(writer)
    }

    /// Appends a batch.
    pub fn append(&mut self, batch: &RecordBatch) -> Result<(), DriverError> {
        let types = &self.types;
        let columns: Vec<Box<dyn Cell + '_>> =
            batch.columns().iter().zip(types).map(|(array, (_, data_type))| cell(array, data_type)).collect();
        for row in 0..batch.num_rows() {
            for (index, column) in columns.iter().enumerate() {
                if index > 0 {
                    self.text.push(self.rules.delimiter);
                }
                column.put(&self.rules, &mut self.text, row).map_err(|words| {
                    let column = &types[index].0;
                    let words = format!("`{}`: column `{column}`, row {}: {words}", self.name, self.written.rows + 1);
                    DriverError::permanent(code::CSV_UNWRITABLE, words).hint("clean the value with an expression")
                })?;
                if std::mem::take(&mut self.bare) && batch.column(0).is_valid(row) {
                    quote_what_looks_like_a_mark(&self.rules, self.encoding, &mut self.text);
                }
            }
            self.text.extend_from_slice(self.rules.end);
            self.written.rows += 1;
            if self.text.len() >= BLOCK {
                flush(&mut self.out, &self.name, self.encoding, &mut self.text, &mut self.encoded, &mut self.written)?;
            }
        }
        Ok(())
    }

    /// Ends the file and gives back what it was written to, flushed but not synced.
    pub fn finish_into(mut self) -> Result<(W, Written), DriverError> {
        flush(&mut self.out, &self.name, self.encoding, &mut self.text, &mut self.encoded, &mut self.written)?;
        self.out.flush().map_err(|error| io_error("write", Path::new(&self.name), &error))?;
        Ok((self.out, self.written))
    }
}

impl<W: Write + Send> BatchWriter for CsvFileWriter<W> {
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

fn flush<W: Write>(
    out: &mut W,
    name: &str,
    encoding: Encoding,
    text: &mut Vec<u8>,
    encoded: &mut Vec<u8>,
    written: &mut Written,
) -> Result<(), DriverError> {
    let bytes: &[u8] = if encoding == Encoding::Utf8 {
        text
    } else {
        encoded.clear();
        encode(encoding, text, encoded).map_err(|letter| {
            let words = format!("`{name}`: the character U+{:04X} is not in {}", letter as u32, encoding.name());
            DriverError::permanent(code::CSV_UNWRITABLE, words).hint("use the encoding `utf-8` in the target's layout")
        })?;
        encoded
    };
    out.write_all(bytes).map_err(|error| io_error("write", Path::new(name), &error))?;
    written.bytes += bytes.len() as u64;
    text.clear();
    Ok(())
}

/// Whether a reader would take the start of a file with this text for a byte-order mark.
fn looks_like_mark(encoding: Encoding, text: &str) -> bool {
    let start: String = text.chars().take(4).collect();
    let mut bytes = Vec::new();
    if encoding == Encoding::Utf8 {
        bytes.extend_from_slice(start.as_bytes());
    } else if encode(encoding, start.as_bytes(), &mut bytes).is_err() {
        return false;
    }
    Encoding::of_mark(&bytes).is_some()
}

/// Quotes keep the first field of a file without a mark from being taken for one.
fn quote_what_looks_like_a_mark(rules: &Rules, encoding: Encoding, text: &mut Vec<u8>) {
    if std::str::from_utf8(text).is_ok_and(|text| looks_like_mark(encoding, text)) {
        let field = std::mem::take(text);
        rules.string(text, &field, true);
    }
}

/// UTF-8 to another encoding; fails with the first character that it lacks.
fn encode(encoding: Encoding, text: &[u8], out: &mut Vec<u8>) -> Result<(), char> {
    let text = String::from_utf8_lossy(text);
    if encoding != Encoding::Latin1 {
        for unit in text.encode_utf16() {
            out.extend_from_slice(&if encoding == Encoding::Utf16Le { unit.to_le_bytes() } else { unit.to_be_bytes() });
        }
        return Ok(());
    }
    let mut encoder = WINDOWS_1252.new_encoder();
    let room = encoder.max_buffer_length_from_utf8_without_replacement(text.len()).unwrap_or(text.len());
    out.resize(room, 0);
    let (result, _, written) = encoder.encode_from_utf8_without_replacement(&text, out, true);
    out.truncate(written);
    match result {
        EncoderResult::Unmappable(letter) => Err(letter),
        _ => Ok(()),
    }
}

impl Rules {
    fn of(dialect: &CsvDialect) -> Self {
        let escape = dialect.escape.filter(|escape| *escape != dialect.quote).map(|escape| escape as u8);
        let mut special = [false; 256];
        for byte in [dialect.delimiter as u8, dialect.quote as u8, escape.unwrap_or(b'\n'), b'\n', b'\r'] {
            special[usize::from(byte)] = true;
        }
        Self {
            delimiter: dialect.delimiter as u8,
            quote: dialect.quote as u8,
            escape,
            null: dialect.null.clone().into_bytes(),
            end: if dialect.line_ending == LineEnding::Crlf { b"\r\n" } else { b"\n" },
            special,
        }
    }

    fn null(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.null);
    }

    /// A text field, in quotes if it needs them.
    fn string(&self, out: &mut Vec<u8>, text: &[u8], quoted: bool) {
        if !quoted && text != self.null && !text.iter().any(|byte| self.special[usize::from(*byte)]) {
            return out.extend_from_slice(text);
        }
        out.push(self.quote);
        for byte in text {
            if *byte == self.quote {
                out.push(self.escape.unwrap_or(self.quote));
            } else if Some(*byte) == self.escape {
                out.push(*byte);
            }
            out.push(*byte);
        }
        out.push(self.quote);
    }

    /// A field of another type: its text needs quotes only in odd dialects.
    fn plain(&self, out: &mut Vec<u8>, from: usize) {
        let text = &out[from..];
        if *text == *self.null || text.iter().any(|byte| self.special[usize::from(*byte)]) {
            let text = out.split_off(from);
            self.string(out, &text, true);
        }
    }
}

/// One column of a batch.
trait Cell {
    fn put(&self, rules: &Rules, out: &mut Vec<u8>, row: usize) -> Result<(), &'static str>;
}

/// A column with values of a type that is not text.
struct Plain<'a, F> {
    array: &'a dyn Array,
    put: F,
}

impl<F: Fn(&mut Vec<u8>, usize)> Cell for Plain<'_, F> {
    fn put(&self, rules: &Rules, out: &mut Vec<u8>, row: usize) -> Result<(), &'static str> {
        if self.array.is_null(row) {
            rules.null(out);
        } else {
            let from = out.len();
            (self.put)(out, row);
            rules.plain(out, from);
        }
        Ok(())
    }
}

struct Texts<'a>(&'a arrow::array::StringArray);

impl Cell for Texts<'_> {
    fn put(&self, rules: &Rules, out: &mut Vec<u8>, row: usize) -> Result<(), &'static str> {
        if self.0.is_null(row) {
            rules.null(out);
            return Ok(());
        }
        let text = self.0.value(row).as_bytes();
        if memchr::memchr(0, text).is_some() {
            return Err("a text value has a zero byte");
        }
        rules.string(out, text, false);
        Ok(())
    }
}

fn integers<'a, T: ArrowPrimitiveType>(array: &'a dyn Array) -> Box<dyn Cell + 'a>
where
    T::Native: itoa::Integer,
{
    let values = array.as_primitive::<T>();
    Box::new(Plain {
        array,
        put: move |out: &mut Vec<u8>, row| {
            out.extend_from_slice(itoa::Buffer::new().format(values.value(row)).as_bytes());
        },
    })
}

/// Fields of moments.
struct Fields;

impl<'a> temporal::Cells<'a> for Fields {
    type Cell = Box<dyn Cell + 'a>;

    fn cell(&self, array: &'a dyn Array, put: impl Fn(&mut Vec<u8>, usize) + 'a) -> Self::Cell {
        Box::new(Plain { array, put })
    }
}

fn cell<'a>(array: &'a dyn Array, data_type: &'a ModelType) -> Box<dyn Cell + 'a> {
    match data_type {
        ModelType::Boolean => {
            let values = array.as_boolean();
            let put =
                move |out: &mut Vec<u8>, row| out.extend_from_slice(if values.value(row) { b"true" } else { b"false" });
            Box::new(Plain { array, put })
        }
        ModelType::Int8 => integers::<Int8Type>(array),
        ModelType::Int16 => integers::<Int16Type>(array),
        ModelType::Int32 => integers::<Int32Type>(array),
        ModelType::Int64 => integers::<Int64Type>(array),
        ModelType::UInt8 => integers::<UInt8Type>(array),
        ModelType::UInt16 => integers::<UInt16Type>(array),
        ModelType::UInt32 => integers::<UInt32Type>(array),
        ModelType::UInt64 => integers::<UInt64Type>(array),
        ModelType::Float32 => {
            let values = array.as_primitive::<Float32Type>();
            Box::new(Plain { array, put: move |out: &mut Vec<u8>, row| format::float(out, values.value(row)) })
        }
        ModelType::Float64 => {
            let values = array.as_primitive::<Float64Type>();
            Box::new(Plain { array, put: move |out: &mut Vec<u8>, row| format::float(out, values.value(row)) })
        }
        ModelType::Decimal { scale, .. } => {
            let values = array.as_primitive::<Decimal128Type>();
            Box::new(Plain {
                array,
                put: move |out: &mut Vec<u8>, row| format::decimal(out, values.value(row), *scale),
            })
        }
        ModelType::Date => temporal::dates(&Fields, array),
        ModelType::Time(unit) => temporal::times(&Fields, array, *unit),
        ModelType::Timestamp { unit, zone } => temporal::timestamps(&Fields, array, *unit, zone.is_some()),
        _ => Box::new(Texts(array.as_string::<i32>())),
    }
}
