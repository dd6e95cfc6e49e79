//! Texts of JSON values → Arrow arrays, one column at a time. Strict: what does not fit a type exactly is an error.

use super::object::{Kind, Wrong, items, members, unescaped};
use crate::arrow_types::to_arrow;
use crate::csv::parse;
use arrow::array::{
    ArrayRef, ArrowPrimitiveType, BinaryBuilder, BooleanBuilder, ListArray, MapArray, NullBufferBuilder,
    PrimitiveBuilder, StringBuilder, StructArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{
    DataType as ArrowType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow::error::ArrowError;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use greylag_model::code::data as code;
use greylag_model::types::{DataType, TimeUnit};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// A text that is no value of the type.
struct Unfit;

/// Collects the values of one column.
pub(crate) trait Column: Send {
    /// Takes a value that is not null.
    fn value(&mut self, raw: &str) -> Result<(), Wrong>;
    /// Takes a map's key; `at` is in the line.
    fn key(&mut self, text: &str, at: &str) -> Result<(), Wrong>;
    /// Takes a null.
    fn null(&mut self);
    /// All values since the last time.
    fn finish(&mut self) -> Result<ArrayRef, ArrowError>;
}

/// Takes any value.
fn take(column: &mut dyn Column, raw: &str) -> Result<(), Wrong> {
    if Kind::of(raw) == Kind::Null {
        column.null();
        return Ok(());
    }
    column.value(raw)
}

fn unfit(at: &str, data_type: &DataType, found: Kind) -> Wrong {
    let words = match (found, data_type.is_nested()) {
        (Kind::Object | Kind::Array, _) | (_, true) => format!("{} is not a value of type `{data_type}`", found.word()),
        _ => format!("this is not a value of type `{data_type}`"),
    };
    Wrong::new(at, code::JSON_VALUE, words, "mend the value, or declare the column's type with `greylag.dev/columns`")
}

/// A collector of values of a type that JSON can carry.
pub(crate) fn column(data_type: &DataType) -> Box<dyn Column> {
    let integer = |text: &str| parse::integer(text.as_bytes());
    match data_type {
        DataType::Boolean => Box::new(Booleans(BooleanBuilder::new())),
        DataType::Int8 => integers::<Int8Type>(data_type, move |text| integer(text)?.try_into().ok()),
        DataType::Int16 => integers::<Int16Type>(data_type, move |text| integer(text)?.try_into().ok()),
        DataType::Int32 => integers::<Int32Type>(data_type, move |text| integer(text)?.try_into().ok()),
        DataType::Int64 => integers::<Int64Type>(data_type, move |text| integer(text)?.try_into().ok()),
        DataType::UInt8 => integers::<UInt8Type>(data_type, move |text| integer(text)?.try_into().ok()),
        DataType::UInt16 => integers::<UInt16Type>(data_type, move |text| integer(text)?.try_into().ok()),
        DataType::UInt32 => integers::<UInt32Type>(data_type, move |text| integer(text)?.try_into().ok()),
        DataType::UInt64 => integers::<UInt64Type>(data_type, move |text| integer(text)?.try_into().ok()),
        DataType::Float32 => scalars::<Float32Type>(data_type, |text, kind| match (kind, text) {
            (Kind::Number, text) => text.parse().ok().filter(|value: &f32| value.is_finite()),
            (_, text) => special(text).map(|value| value as f32),
        }),
        DataType::Float64 => scalars::<Float64Type>(data_type, |text, kind| match (kind, text) {
            (Kind::Number, text) => text.parse().ok().filter(|value: &f64| value.is_finite()),
            (_, text) => special(text),
        }),
        DataType::Decimal { precision, scale } => {
            let (precision, scale) = (*precision, *scale);
            scalars::<Decimal128Type>(data_type, move |text, _| parse::decimal(text.as_bytes(), precision, scale))
        }
        DataType::Date => texts::<Date32Type>(data_type, |text| parse::date(text.as_bytes())?.try_into().ok()),
        DataType::Time(unit) => times(data_type, *unit),
        DataType::Timestamp { unit, zone } => timestamps(data_type, *unit, zone.as_deref()),
        DataType::String => Box::new(Strings(StringBuilder::new())),
        DataType::Binary => Box::new(Bytes(BinaryBuilder::new())),
        DataType::List(item) => Box::new(Lists {
            data_type: data_type.clone(),
            items: column(item),
            lengths: Vec::new(),
            nulls: NullBufferBuilder::new(0),
        }),
        DataType::Struct(fields) => Box::new(Structs {
            data_type: data_type.clone(),
            fields: Fields::new(fields.iter().map(|(name, data_type)| Field::new(name, Some(data_type), true))),
            nulls: NullBufferBuilder::new(0),
            rows: 0,
        }),
        DataType::Map(key, item) => Box::new(Maps {
            data_type: data_type.clone(),
            keys: column(key),
            items: column(item),
            lengths: Vec::new(),
            nulls: NullBufferBuilder::new(0),
        }),
    }
}

/// The doubles that are no numbers of JSON.
fn special(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

/// Numbers and times: anything of a fixed width.
struct Scalars<T: ArrowPrimitiveType, F> {
    data_type: DataType,
    builder: PrimitiveBuilder<T>,
    /// Of a number's or a string's text.
    parse: F,
}

fn scalars<T: ArrowPrimitiveType>(
    data_type: &DataType,
    parse: impl Fn(&str, Kind) -> Option<T::Native> + Send + 'static,
) -> Box<dyn Column> {
    let builder = PrimitiveBuilder::<T>::new().with_data_type(to_arrow(data_type));
    Box::new(Scalars { data_type: data_type.clone(), builder, parse })
}

fn integers<T: ArrowPrimitiveType>(
    data_type: &DataType,
    parse: impl Fn(&str) -> Option<T::Native> + Send + 'static,
) -> Box<dyn Column> {
    scalars::<T>(data_type, move |text, kind| if kind == Kind::Number { parse(text) } else { None })
}

fn texts<T: ArrowPrimitiveType>(
    data_type: &DataType,
    parse: impl Fn(&str) -> Option<T::Native> + Send + 'static,
) -> Box<dyn Column> {
    scalars::<T>(data_type, move |text, kind| if kind == Kind::Text { parse(text) } else { None })
}

impl<T: ArrowPrimitiveType, F: Fn(&str, Kind) -> Option<T::Native> + Send> Column for Scalars<T, F> {
    fn value(&mut self, raw: &str) -> Result<(), Wrong> {
        let kind = Kind::of(raw);
        let text = match kind {
            Kind::Number => Cow::Borrowed(raw),
            Kind::Text => unescaped(raw)?,
            _ => return Err(unfit(raw, &self.data_type, kind)),
        };
        let value = (self.parse)(&text, kind).ok_or_else(|| unfit(raw, &self.data_type, kind))?;
        self.builder.append_value(value);
        Ok(())
    }

    fn key(&mut self, text: &str, at: &str) -> Result<(), Wrong> {
        let value = (self.parse)(text, Kind::Text).or_else(|| (self.parse)(text, Kind::Number));
        self.builder.append_value(value.ok_or_else(|| unfit(at, &self.data_type, Kind::Text))?);
        Ok(())
    }

    fn null(&mut self) {
        self.builder.append_null();
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        Ok(Arc::new(self.builder.finish()))
    }
}

fn times(data_type: &DataType, unit: TimeUnit) -> Box<dyn Column> {
    let long = move |text: &str| parse::time(text.as_bytes(), unit);
    let short = move |text: &str| i32::try_from(long(text)?).ok();
    match unit {
        TimeUnit::S => texts::<Time32SecondType>(data_type, short),
        TimeUnit::Ms => texts::<Time32MillisecondType>(data_type, short),
        TimeUnit::Us => texts::<Time64MicrosecondType>(data_type, long),
        TimeUnit::Ns => texts::<Time64NanosecondType>(data_type, long),
    }
}

/// A type with a zone needs an offset in the text, or the zone UTC; a type without a zone must have none.
fn timestamps(data_type: &DataType, unit: TimeUnit, zone: Option<&str>) -> Box<dyn Column> {
    let (is_instant, is_utc) = (zone.is_some(), zone == Some("UTC"));
    let read = move |text: &str| {
        let (units, offset) = parse::timestamp(text.as_bytes(), unit)?;
        (if offset { is_instant } else { !is_instant || is_utc }).then_some(units)
    };
    match unit {
        TimeUnit::S => texts::<TimestampSecondType>(data_type, read),
        TimeUnit::Ms => texts::<TimestampMillisecondType>(data_type, read),
        TimeUnit::Us => texts::<TimestampMicrosecondType>(data_type, read),
        TimeUnit::Ns => texts::<TimestampNanosecondType>(data_type, read),
    }
}

struct Booleans(BooleanBuilder);

impl Column for Booleans {
    fn value(&mut self, raw: &str) -> Result<(), Wrong> {
        match Kind::of(raw) {
            Kind::Boolean => self.0.append_value(raw == "true"),
            kind => return Err(unfit(raw, &DataType::Boolean, kind)),
        }
        Ok(())
    }

    fn key(&mut self, text: &str, at: &str) -> Result<(), Wrong> {
        self.0.append_value(text.parse().map_err(|_| unfit(at, &DataType::Boolean, Kind::Text))?);
        Ok(())
    }

    fn null(&mut self) {
        self.0.append_null();
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        Ok(Arc::new(self.0.finish()))
    }
}

struct Strings(StringBuilder);

impl Column for Strings {
    fn value(&mut self, raw: &str) -> Result<(), Wrong> {
        match Kind::of(raw) {
            Kind::Text => self.0.append_value(unescaped(raw)?),
            kind => return Err(unfit(raw, &DataType::String, kind)),
        }
        Ok(())
    }

    fn key(&mut self, text: &str, _: &str) -> Result<(), Wrong> {
        self.0.append_value(text);
        Ok(())
    }

    fn null(&mut self) {
        self.0.append_null();
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        Ok(Arc::new(self.0.finish()))
    }
}

struct Bytes(BinaryBuilder);

impl Bytes {
    fn decode(&mut self, text: &str) -> Result<(), Unfit> {
        self.0.append_value(STANDARD.decode(text).map_err(|_| Unfit)?);
        Ok(())
    }
}

impl Column for Bytes {
    fn value(&mut self, raw: &str) -> Result<(), Wrong> {
        match Kind::of(raw) {
            Kind::Text => {
                let text = unescaped(raw)?;
                let bad = |Unfit| {
                    let words = "this is not a value of type `binary`: it is not base64 with padding";
                    Wrong::new(raw, code::JSON_VALUE, words, "write base64, or declare the column as `string`")
                };
                self.decode(&text).map_err(bad)
            }
            kind => Err(unfit(raw, &DataType::Binary, kind)),
        }
    }

    fn key(&mut self, text: &str, at: &str) -> Result<(), Wrong> {
        self.decode(text).map_err(|Unfit| unfit(at, &DataType::Binary, Kind::Text))
    }

    fn null(&mut self) {
        self.0.append_null();
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        Ok(Arc::new(self.0.finish()))
    }
}

struct Lists {
    data_type: DataType,
    items: Box<dyn Column>,
    lengths: Vec<usize>,
    nulls: NullBufferBuilder,
}

impl Column for Lists {
    fn value(&mut self, raw: &str) -> Result<(), Wrong> {
        let kind = Kind::of(raw);
        if kind != Kind::Array {
            return Err(unfit(raw, &self.data_type, kind));
        }
        let mut length = 0;
        items(raw, &mut |item| {
            length += 1;
            take(self.items.as_mut(), item)
        })?;
        self.lengths.push(length);
        self.nulls.append(true);
        Ok(())
    }

    fn key(&mut self, _: &str, at: &str) -> Result<(), Wrong> {
        Err(unfit(at, &self.data_type, Kind::Text))
    }

    fn null(&mut self) {
        self.lengths.push(0);
        self.nulls.append(false);
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let offsets = OffsetBuffer::from_lengths(self.lengths.drain(..));
        let ArrowType::List(item) = to_arrow(&self.data_type) else { return Err(odd()) };
        Ok(Arc::new(ListArray::try_new(item, offsets, self.items.finish()?, self.nulls.finish())?))
    }
}

struct Structs {
    data_type: DataType,
    fields: Fields,
    nulls: NullBufferBuilder,
    rows: usize,
}

impl Column for Structs {
    fn value(&mut self, raw: &str) -> Result<(), Wrong> {
        let kind = Kind::of(raw);
        if kind != Kind::Object {
            return Err(unfit(raw, &self.data_type, kind));
        }
        self.fields.take(raw)?;
        self.nulls.append(true);
        self.rows += 1;
        Ok(())
    }

    fn key(&mut self, _: &str, at: &str) -> Result<(), Wrong> {
        Err(unfit(at, &self.data_type, Kind::Text))
    }

    fn null(&mut self) {
        self.fields.null();
        self.nulls.append(false);
        self.rows += 1;
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let ArrowType::Struct(fields) = to_arrow(&self.data_type) else { return Err(odd()) };
        let (arrays, rows) = (self.fields.finish()?, std::mem::take(&mut self.rows));
        Ok(Arc::new(StructArray::try_new_with_length(fields, arrays, self.nulls.finish(), rows)?))
    }
}

struct Maps {
    data_type: DataType,
    keys: Box<dyn Column>,
    items: Box<dyn Column>,
    lengths: Vec<usize>,
    nulls: NullBufferBuilder,
}

impl Column for Maps {
    fn value(&mut self, raw: &str) -> Result<(), Wrong> {
        let kind = Kind::of(raw);
        if kind != Kind::Object {
            return Err(unfit(raw, &self.data_type, kind));
        }
        let mut seen = HashSet::new();
        members(raw, &mut |key, value| {
            self.keys.key(&key, value)?;
            take(self.items.as_mut(), value)?;
            let text = key.to_string();
            if seen.insert(key) { Ok(()) } else { Err(twice(value, &text)) }
        })?;
        self.lengths.push(seen.len());
        self.nulls.append(true);
        Ok(())
    }

    fn key(&mut self, _: &str, at: &str) -> Result<(), Wrong> {
        Err(unfit(at, &self.data_type, Kind::Text))
    }

    fn null(&mut self) {
        self.lengths.push(0);
        self.nulls.append(false);
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let offsets = OffsetBuffer::from_lengths(self.lengths.drain(..));
        let ArrowType::Map(entries, _) = to_arrow(&self.data_type) else { return Err(odd()) };
        let ArrowType::Struct(fields) = entries.data_type() else { return Err(odd()) };
        let arrays = vec![self.keys.finish()?, self.items.finish()?];
        let values = StructArray::try_new(fields.clone(), arrays, None)?;
        Ok(Arc::new(MapArray::try_new(entries, offsets, values, self.nulls.finish(), false)?))
    }
}

fn odd() -> ArrowError {
    ArrowError::SchemaError("a column of another type".to_owned())
}

fn twice(at: &str, key: &str) -> Wrong {
    let words = format!("the key `{}` is there twice", key.escape_debug());
    Wrong::new(at, code::JSON_KEY, words, "leave one of them, where the file is written")
}

/// One key of an object.
pub(crate) struct Field {
    name: String,
    /// `None`: nobody wants its values.
    column: Option<Box<dyn Column>>,
    nullable: bool,
    /// The object in which it was seen last.
    seen: u64,
}

impl Field {
    pub(crate) fn new(name: &str, data_type: Option<&DataType>, nullable: bool) -> Self {
        Self { name: name.to_owned(), column: data_type.map(column), nullable, seen: 0 }
    }
}

/// The keys of an object, known beforehand.
pub(crate) struct Fields {
    fields: Vec<Field>,
    places: HashMap<String, usize>,
    /// Objects taken.
    objects: u64,
}

impl Fields {
    pub(crate) fn new(fields: impl Iterator<Item = Field>) -> Self {
        let fields: Vec<Field> = fields.collect();
        let places = fields.iter().enumerate().map(|(place, field)| (field.name.clone(), place)).collect();
        Self { fields, places, objects: 0 }
    }

    /// Takes an object.
    pub(crate) fn take(&mut self, raw: &str) -> Result<(), Wrong> {
        self.objects += 1;
        let Self { fields, places, objects } = self;
        // Objects mostly have their keys in the order of the one before.
        let mut next = 0;
        members(raw, &mut |key, value| {
            let place = match fields.get(next) {
                Some(field) if field.name == key => next,
                _ => *places.get(key.as_ref()).ok_or_else(|| unknown(value, &key))?,
            };
            next = place + 1;
            let field = &mut fields[place];
            if std::mem::replace(&mut field.seen, *objects) == *objects {
                return Err(twice(value, &field.name));
            }
            if Kind::of(value) == Kind::Null && !field.nullable {
                return Err(missing(value, &field.name));
            }
            field.column.as_mut().map_or(Ok(()), |column| take(column.as_mut(), value))
        })?;
        for field in fields.iter_mut().filter(|field| field.seen != *objects) {
            if !field.nullable {
                return Err(missing(raw, &field.name));
            }
            if let Some(column) = &mut field.column {
                column.null();
            }
        }
        Ok(())
    }

    /// Takes a null in place of an object.
    fn null(&mut self) {
        self.fields.iter_mut().filter_map(|field| field.column.as_mut()).for_each(|column| column.null());
    }

    /// The arrays of the wanted keys, in order.
    pub(crate) fn finish(&mut self) -> Result<Vec<ArrayRef>, ArrowError> {
        self.fields.iter_mut().filter_map(|field| field.column.as_mut()).map(|column| column.finish()).collect()
    }
}

fn unknown(at: &str, key: &str) -> Wrong {
    let words = format!("the key `{}` is not among the columns", key.escape_debug());
    let hint = "it was not in the part of the dataset from which columns are inferred: declare it with \
                `greylag.dev/columns`, or plan again if the file was replaced";
    Wrong::new(at, code::JSON_KEY, words, hint)
}

fn missing(at: &str, name: &str) -> Wrong {
    let words = format!("`{}`, which is never null, is null or missing", name.escape_debug());
    Wrong::new(at, code::JSON_VALUE, words, "mend the line")
}
