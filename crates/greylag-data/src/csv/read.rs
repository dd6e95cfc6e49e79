//! Streams the rows of a CSV file as canonical batches.

use super::dialect::validate;
use super::records::{Marks, Records};
use super::text::{Encoding, Text};
use super::{At, cannot_carry, parse};
use crate::arrow_types::{to_arrow, to_arrow_schema};
use crate::chunk::Extent;
use crate::io_error::io_error;
use crate::parquet::source::Positioned;
use crate::reader::BatchReader;
use arrow::array::{
    Array, ArrayRef, BooleanArray, BooleanBuilder, PrimitiveArray, PrimitiveBuilder, RecordBatch, StringArray,
};
use arrow::array::{ArrowPrimitiveType, NullBufferBuilder, RecordBatchOptions};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, SchemaRef,
    Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use greylag_model::dataset::CsvDialect;
use greylag_model::schema::{Column, Schema as ModelSchema};
use greylag_model::types::{DataType as ModelType, TimeUnit as ModelUnit};
use std::fs::File;
use std::io::{Read, Take};
use std::path::Path;
use std::sync::Arc;

/// An open CSV file: its columns are known, its rows not yet read.
pub struct CsvFile {
    name: String,
    file: Arc<File>,
    dialect: CsvDialect,
    encoding: Encoding,
    /// Bytes of the byte-order mark.
    mark: u64,
    /// Offset and line of the first record (only UTF-8 offsets are ever used).
    first: (u64, u64),
    /// Names of the columns, in order; empty for an empty file.
    pub names: Vec<String>,
}

type Source = Records<Take<Positioned>>;

impl CsvFile {
    /// Opens a file; `name` is for messages.
    pub fn open(file: File, name: &str, dialect: &CsvDialect) -> Result<Self, DriverError> {
        let declared = validate(dialect)?;
        let mut start = [0; 4];
        let file = Arc::new(file);
        let mut reader = Positioned::new(Arc::clone(&file), 0).take(4);
        let mut length = 0;
        while length < start.len() {
            match reader.read(&mut start[length..]).map_err(|error| io_error("read", Path::new(name), &error))? {
                0 => break,
                read => length += read,
            }
        }
        let mark = Encoding::of_mark(&start[..length]);
        let (encoding, mark) = mark.map_or((declared, 0), |(encoding, length)| (encoding, length as u64));
        let dialect = dialect.clone();
        let mut csv =
            Self { name: name.to_owned(), file, dialect, encoding, mark, first: (mark, 1), names: Vec::new() };
        let mut records = csv.records(&Extent::Whole, 0);
        if records.advance(1)? {
            let title = |column: usize| {
                let text = String::from_utf8_lossy(records.field(0, column).0).into_owned();
                if csv.dialect.header && !text.is_empty() { text } else { format!("column{}", column + 1) }
            };
            csv.names = (0..records.width()).map(title).collect();
            if csv.dialect.header {
                let (offset, line) = records.position();
                csv.first = (csv.mark + offset, line);
            }
        }
        csv.refuse_duplicates()?;
        Ok(csv)
    }

    fn refuse_duplicates(&self) -> Result<(), DriverError> {
        for (index, name) in self.names.iter().enumerate() {
            if self.names[..index].contains(name) {
                let words = format!("the header names column `{name}` twice");
                let error = At { name: &self.name, line: 1 }.error(code::UNSUPPORTED_TYPE, &words);
                return Err(
                    error.hint("rename one; if the first line is no header, declare `greylag.dev/csv-header: false`")
                );
            }
        }
        Ok(())
    }

    /// Where records can be cut by offset: in UTF-8 only.
    pub(super) fn first_record(&self) -> Option<(u64, u64)> {
        (self.encoding == Encoding::Utf8).then_some(self.first)
    }

    /// Reads records of a piece; a whole file from its very start, header included.
    pub(super) fn records(&self, extent: &Extent, width: usize) -> Source {
        let (start, end, line) = match extent {
            Extent::Bytes { start, end, line } => (*start, *end, *line),
            _ => (self.mark, u64::MAX, 1),
        };
        let input = Positioned::new(Arc::clone(&self.file), start).take(end - start);
        let text = Text::new(input, &self.name, self.encoding, line);
        Records::new(text, &self.name, Marks::from(&self.dialect), line, width).with_null(self.null())
    }

    /// Reads the records behind the header.
    pub(crate) fn rows(&self, extent: &Extent) -> Result<Source, DriverError> {
        let mut records = self.records(extent, self.names.len());
        if self.dialect.header && !matches!(extent, Extent::Bytes { .. }) && !self.names.is_empty() {
            records.advance(1)?;
        }
        Ok(records)
    }

    /// The dialect's null text.
    pub(crate) fn null(&self) -> &[u8] {
        self.dialect.null.as_bytes()
    }

    /// Starts reading. `columns` are wanted, in this order and with these types. A file without a header has its
    /// columns in the order of `all`, the dataset's columns.
    pub fn read(
        &self,
        columns: &ModelSchema,
        all: &ModelSchema,
        extent: &Extent,
        batch_rows: usize,
    ) -> Result<CsvChunkReader, DriverError> {
        let place = |column: &Column| {
            if let Some(reason) = cannot_carry(&column.data_type) {
                let words = format!("column `{}` cannot be `{}`: {reason}", column.name, column.data_type);
                return Err(DriverError::permanent(code::CSV_TYPE, words));
            }
            let place = if self.dialect.header {
                self.names.iter().position(|name| *name == column.name)
            } else {
                all.find(&column.name).map(|(place, _)| place).filter(|place| *place < self.names.len())
            };
            if self.names.is_empty() {
                return Ok(0);
            }
            place.ok_or_else(|| {
                let words = format!("`{}`: the column `{}` is not there", self.name, column.name);
                DriverError::permanent(code::SCHEMA_DIFFERS, words)
                    .hint("all files of a dataset must have the same columns")
            })
        };
        let places = columns.columns.iter().map(place).collect::<Result<_, _>>()?;
        // Nothing but empty lines: the records of a dataset of one column, if there is no header to be missing.
        let blank = self.names.is_empty() && !self.dialect.header && all.columns.len() == 1;
        Ok(CsvChunkReader {
            name: self.name.clone(),
            records: if blank { self.records(extent, 1) } else { self.rows(extent)? },
            places,
            columns: columns.clone(),
            schema: to_arrow_schema(columns),
            null: self.null().to_vec(),
            batch_rows: batch_rows.max(1),
            done: self.names.is_empty() && !blank,
        })
    }
}

/// Reads batches of one file or piece.
pub struct CsvChunkReader {
    name: String,
    records: Source,
    /// For each wanted column its place in the file.
    places: Vec<usize>,
    columns: ModelSchema,
    schema: SchemaRef,
    null: Vec<u8>,
    batch_rows: usize,
    done: bool,
}

impl Iterator for CsvChunkReader {
    type Item = Result<RecordBatch, DriverError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let batch = match self.records.advance(self.batch_rows) {
            Ok(true) => self.batch(),
            Ok(false) => {
                self.done = true;
                return None;
            }
            Err(error) => Err(error),
        };
        self.done = batch.is_err();
        Some(batch)
    }
}

impl BatchReader for CsvChunkReader {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

impl CsvChunkReader {
    fn batch(&self) -> Result<RecordBatch, DriverError> {
        let column = |(place, column): (&usize, &Column)| -> Result<ArrayRef, DriverError> {
            let array = self.array(*place, column)?;
            if !column.nullable
                && let Some(row) = (array.null_count() > 0).then(|| (0..array.len()).find(|row| array.is_null(*row)))
            {
                return Err(self.unfit(row.unwrap_or(0), column));
            }
            Ok(array)
        };
        let arrays = self.places.iter().zip(&self.columns.columns).map(column).collect::<Result<_, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(self.records.rows()));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
            .map_err(|error| DriverError::permanent(code::CSV_VALUE, format!("`{}`: {error}", self.name)))
    }

    fn unfit(&self, row: usize, column: &Column) -> DriverError {
        let nulls = if column.nullable { "" } else { " that is never null" };
        let words =
            format!("the field of column `{}` is not a value of type `{}`{nulls}", column.name, column.data_type);
        At { name: &self.name, line: self.records.line(row) }
            .error(code::CSV_VALUE, &words)
            .hint("mend the line, or declare the column's type with `greylag.dev/columns`")
    }

    /// The field's text, or `None` for null, for types other than text.
    fn text(&self, row: usize, place: usize) -> Option<&[u8]> {
        let (text, quoted) = self.records.field(row, place);
        (!text.is_empty() && (quoted || text != self.null)).then_some(text)
    }

    fn array(&self, place: usize, column: &Column) -> Result<ArrayRef, DriverError> {
        let integer = |text: &[u8]| parse::integer(text).and_then(|value| i64::try_from(value).ok());
        Ok(match &column.data_type {
            ModelType::Boolean => self.booleans(place, column)?,
            ModelType::Int8 => self.numbers::<Int8Type>(place, column, |text| i8::try_from(integer(text)?).ok())?,
            ModelType::Int16 => self.numbers::<Int16Type>(place, column, |text| i16::try_from(integer(text)?).ok())?,
            ModelType::Int32 => self.numbers::<Int32Type>(place, column, |text| i32::try_from(integer(text)?).ok())?,
            ModelType::Int64 => self.numbers::<Int64Type>(place, column, integer)?,
            ModelType::UInt8 => self.numbers::<UInt8Type>(place, column, |text| u8::try_from(integer(text)?).ok())?,
            ModelType::UInt16 => {
                self.numbers::<UInt16Type>(place, column, |text| u16::try_from(integer(text)?).ok())?
            }
            ModelType::UInt32 => {
                self.numbers::<UInt32Type>(place, column, |text| u32::try_from(integer(text)?).ok())?
            }
            ModelType::UInt64 => {
                self.numbers::<UInt64Type>(place, column, |text| u64::try_from(parse::integer(text)?).ok())?
            }
            ModelType::Float32 => {
                self.numbers::<Float32Type>(place, column, |text| std::str::from_utf8(text).ok()?.parse().ok())?
            }
            ModelType::Float64 => {
                self.numbers::<Float64Type>(place, column, |text| std::str::from_utf8(text).ok()?.parse().ok())?
            }
            ModelType::Decimal { precision, scale } => {
                self.numbers::<Decimal128Type>(place, column, |text| parse::decimal(text, *precision, *scale))?
            }
            ModelType::Date => {
                self.numbers::<Date32Type>(place, column, |text| i32::try_from(parse::date(text)?).ok())?
            }
            ModelType::Time(unit) => self.times(place, column, *unit)?,
            ModelType::Timestamp { unit, zone } => self.timestamps(place, column, *unit, zone.as_deref())?,
            _ => self.strings(place, column)?,
        })
    }

    fn numbers<T: ArrowPrimitiveType>(
        &self,
        place: usize,
        column: &Column,
        parse: impl Fn(&[u8]) -> Option<T::Native>,
    ) -> Result<ArrayRef, DriverError> {
        let rows = self.records.rows();
        let mut builder = PrimitiveBuilder::<T>::with_capacity(rows);
        for row in 0..rows {
            match self.text(row, place) {
                None => builder.append_null(),
                Some(text) => builder.append_value(parse(text).ok_or_else(|| self.unfit(row, column))?),
            }
        }
        let array: PrimitiveArray<T> = builder.finish();
        Ok(Arc::new(array.with_data_type(to_arrow(&column.data_type))))
    }

    fn booleans(&self, place: usize, column: &Column) -> Result<ArrayRef, DriverError> {
        let rows = self.records.rows();
        let mut builder = BooleanBuilder::with_capacity(rows);
        for row in 0..rows {
            match self.text(row, place) {
                None => builder.append_null(),
                Some(text) => builder.append_value(parse::boolean(text).ok_or_else(|| self.unfit(row, column))?),
            }
        }
        let array: BooleanArray = builder.finish();
        Ok(Arc::new(array))
    }

    fn times(&self, place: usize, column: &Column, unit: ModelUnit) -> Result<ArrayRef, DriverError> {
        let small = |text: &[u8]| i32::try_from(parse::time(text, unit)?).ok();
        let large = |text: &[u8]| parse::time(text, unit);
        match unit {
            ModelUnit::S => self.numbers::<Time32SecondType>(place, column, small),
            ModelUnit::Ms => self.numbers::<Time32MillisecondType>(place, column, small),
            ModelUnit::Us => self.numbers::<Time64MicrosecondType>(place, column, large),
            ModelUnit::Ns => self.numbers::<Time64NanosecondType>(place, column, large),
        }
    }

    /// A type with a zone needs an offset in the text, or the zone UTC; a type without a zone must have none.
    fn timestamps(
        &self,
        place: usize,
        column: &Column,
        unit: ModelUnit,
        zone: Option<&str>,
    ) -> Result<ArrayRef, DriverError> {
        let read = |text: &[u8]| {
            let (units, offset) = parse::timestamp(text, unit)?;
            let fits = if offset { zone.is_some() } else { matches!(zone, None | Some("UTC")) };
            fits.then_some(units)
        };
        match unit {
            ModelUnit::S => self.numbers::<TimestampSecondType>(place, column, read),
            ModelUnit::Ms => self.numbers::<TimestampMillisecondType>(place, column, read),
            ModelUnit::Us => self.numbers::<TimestampMicrosecondType>(place, column, read),
            ModelUnit::Ns => self.numbers::<TimestampNanosecondType>(place, column, read),
        }
    }

    fn strings(&self, place: usize, column: &Column) -> Result<ArrayRef, DriverError> {
        let rows = self.records.rows();
        let mut values: Vec<u8> = Vec::new();
        let mut offsets: Vec<i32> = Vec::with_capacity(rows + 1);
        let mut nulls = NullBufferBuilder::new(rows);
        offsets.push(0);
        for row in 0..rows {
            let (text, quoted) = self.records.field(row, place);
            let null = !quoted && text == self.null;
            if !null {
                values.extend_from_slice(text);
            }
            nulls.append(!null);
            offsets.push(i32::try_from(values.len()).map_err(|_| self.unfit(row, column))?);
        }
        // Checks that all is UTF-8 and cut between characters.
        StringArray::try_new(OffsetBuffer::new(offsets.into()), values.into(), nulls.finish())
            .map(|array| Arc::new(array) as ArrayRef)
            .map_err(|_| self.unfit(0, column))
    }
}
