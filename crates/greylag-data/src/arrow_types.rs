//! Model types and Arrow types.
//!
//! Files come with many Arrow spellings of one logical type (dictionaries, views, large offsets, wider decimals). Each
//! model type has one *canonical* Arrow type, and everything behind the readers sees only canonical batches:
//!
//! | model | canonical Arrow | also read |
//! |---|---|---|
//! | `string` | `Utf8` | `LargeUtf8`, `Utf8View`, dictionaries, a column of nulls without a type |
//! | `binary` | `Binary` | `LargeBinary`, `BinaryView`, `FixedSizeBinary`, dictionaries |
//! | `decimal(p,s)` | `Decimal128(p,s)` | `Decimal32`, `Decimal64`, `Decimal256` of up to 38 digits |
//! | `date` | `Date32` | `Date64` of whole days |
//! | `float32` | `Float32` | `Float16` |
//! | `time(s|ms)`, `time(us|ns)` | `Time32`, `Time64` | |
//! | `timestamp(u)`, `timestamp(u, z)` | `Timestamp(u, z)` | zone `+00:00` and `Z` as `UTC` |
//! | `list<t>` | `List` of `item` | `LargeList`, `FixedSizeList`, any element name |
//! | `struct<…>`, `map<k, v>` | `Struct`, `Map` of `entries(key, value)` | any entry names |
//!
//! Nested fields are nullable in canonical types, except keys of maps.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType as ArrowType, Date64Type, Field, FieldRef, Fields, Schema as ArrowSchema};
use arrow::datatypes::{SchemaRef, TimeUnit as ArrowUnit};
use arrow::error::ArrowError;
use greylag_model::schema::{Column, Schema};
use greylag_model::types::{DataType, TimeUnit};
use std::sync::Arc;

/// Milliseconds of a day.
const DAY_MILLIS: i64 = 86_400_000;

/// The model type of an Arrow type, or why there is none. A type-less column of nulls counts as `string`.
pub fn from_arrow(arrow: &ArrowType) -> Result<DataType, String> {
    Ok(match arrow {
        ArrowType::Boolean => DataType::Boolean,
        ArrowType::Int8 => DataType::Int8,
        ArrowType::Int16 => DataType::Int16,
        ArrowType::Int32 => DataType::Int32,
        ArrowType::Int64 => DataType::Int64,
        ArrowType::UInt8 => DataType::UInt8,
        ArrowType::UInt16 => DataType::UInt16,
        ArrowType::UInt32 => DataType::UInt32,
        ArrowType::UInt64 => DataType::UInt64,
        ArrowType::Float16 | ArrowType::Float32 => DataType::Float32,
        ArrowType::Float64 => DataType::Float64,
        ArrowType::Decimal32(precision, scale)
        | ArrowType::Decimal64(precision, scale)
        | ArrowType::Decimal128(precision, scale)
        | ArrowType::Decimal256(precision, scale) => decimal(*precision, *scale)?,
        ArrowType::Date32 | ArrowType::Date64 => DataType::Date,
        ArrowType::Time32(unit) | ArrowType::Time64(unit) => DataType::Time(from_unit(*unit)),
        ArrowType::Timestamp(unit, zone) => DataType::Timestamp {
            unit: from_unit(*unit),
            zone: zone.as_deref().map(|zone| plain_zone(zone).to_owned()),
        },
        ArrowType::Null | ArrowType::Utf8 | ArrowType::LargeUtf8 | ArrowType::Utf8View => DataType::String,
        ArrowType::Binary | ArrowType::LargeBinary | ArrowType::BinaryView | ArrowType::FixedSizeBinary(_) => {
            DataType::Binary
        }
        ArrowType::Dictionary(_, value) => from_arrow(value)?,
        ArrowType::List(item) | ArrowType::LargeList(item) | ArrowType::FixedSizeList(item, _) => {
            DataType::List(Box::new(from_arrow(item.data_type())?))
        }
        ArrowType::Struct(fields) => DataType::Struct(struct_fields(fields)?),
        ArrowType::Map(entries, _) => match entries.data_type() {
            ArrowType::Struct(fields) if fields.len() == 2 => DataType::Map(
                Box::new(from_arrow(fields[0].data_type())?),
                Box::new(from_arrow(fields[1].data_type())?),
            ),
            _ => return Err("a map without key and value".to_owned()),
        },
        ArrowType::Duration(_) => return Err("a duration has no equal".to_owned()),
        ArrowType::Interval(_) => return Err("an interval has no equal".to_owned()),
        ArrowType::Union(..) => return Err("a union has no equal".to_owned()),
        other => return Err(format!("`{other}` has no equal")),
    })
}

fn struct_fields(fields: &Fields) -> Result<Vec<(String, DataType)>, String> {
    if fields.is_empty() {
        return Err("a struct without fields has no equal".to_owned());
    }
    for (index, field) in fields.iter().enumerate() {
        if fields.iter().take(index).any(|earlier| earlier.name() == field.name()) {
            return Err(format!("a struct names its field `{}` twice", field.name()));
        }
    }
    fields.iter().map(|field| Ok((field.name().clone(), from_arrow(field.data_type())?))).collect()
}

fn decimal(precision: u8, scale: i8) -> Result<DataType, String> {
    let Ok(scale) = u8::try_from(scale) else {
        return Err(format!("a decimal with the negative scale {scale} has no equal"));
    };
    if precision > 38 {
        return Err(format!("a decimal of {precision} digits has no equal: at most 38"));
    }
    if scale > precision || precision == 0 {
        return Err(format!("a decimal of {precision} digits with {scale} after the point has no equal"));
    }
    Ok(DataType::Decimal { precision, scale })
}

fn from_unit(unit: ArrowUnit) -> TimeUnit {
    match unit {
        ArrowUnit::Second => TimeUnit::S,
        ArrowUnit::Millisecond => TimeUnit::Ms,
        ArrowUnit::Microsecond => TimeUnit::Us,
        ArrowUnit::Nanosecond => TimeUnit::Ns,
    }
}

fn to_unit(unit: TimeUnit) -> ArrowUnit {
    match unit {
        TimeUnit::S => ArrowUnit::Second,
        TimeUnit::Ms => ArrowUnit::Millisecond,
        TimeUnit::Us => ArrowUnit::Microsecond,
        TimeUnit::Ns => ArrowUnit::Nanosecond,
    }
}

/// One spelling for UTC.
fn plain_zone(zone: &str) -> &str {
    if matches!(zone, "UTC" | "Z" | "+00:00" | "-00:00" | "+0000" | "Etc/UTC" | "utc") { "UTC" } else { zone }
}

/// The canonical Arrow type of a model type.
pub fn to_arrow(data_type: &DataType) -> ArrowType {
    match data_type {
        DataType::Boolean => ArrowType::Boolean,
        DataType::Int8 => ArrowType::Int8,
        DataType::Int16 => ArrowType::Int16,
        DataType::Int32 => ArrowType::Int32,
        DataType::Int64 => ArrowType::Int64,
        DataType::UInt8 => ArrowType::UInt8,
        DataType::UInt16 => ArrowType::UInt16,
        DataType::UInt32 => ArrowType::UInt32,
        DataType::UInt64 => ArrowType::UInt64,
        DataType::Float32 => ArrowType::Float32,
        DataType::Float64 => ArrowType::Float64,
        DataType::Decimal { precision, scale } => ArrowType::Decimal128(*precision, *scale as i8),
        DataType::Date => ArrowType::Date32,
        DataType::Time(unit @ (TimeUnit::S | TimeUnit::Ms)) => ArrowType::Time32(to_unit(*unit)),
        DataType::Time(unit) => ArrowType::Time64(to_unit(*unit)),
        DataType::Timestamp { unit, zone } => ArrowType::Timestamp(to_unit(*unit), zone.as_deref().map(Arc::from)),
        DataType::String => ArrowType::Utf8,
        DataType::Binary => ArrowType::Binary,
        DataType::List(item) => ArrowType::List(Arc::new(Field::new_list_field(to_arrow(item), true))),
        DataType::Struct(fields) => ArrowType::Struct(
            fields.iter().map(|(name, data_type)| Field::new(name, to_arrow(data_type), true)).collect(),
        ),
        DataType::Map(key, value) => {
            let entries =
                [Field::new("key", to_arrow(key), false), Field::new("value", to_arrow(value), true)].into_iter();
            let entries = Field::new("entries", ArrowType::Struct(entries.collect()), false);
            ArrowType::Map(Arc::new(entries), false)
        }
    }
}

/// The canonical Arrow schema of a model schema.
pub fn to_arrow_schema(schema: &Schema) -> SchemaRef {
    let field = |column: &Column| Field::new(&column.name, to_arrow(&column.data_type), column.nullable);
    Arc::new(ArrowSchema::new(schema.columns.iter().map(field).collect::<Fields>()))
}

/// The model schema of an Arrow schema, or what is wrong with each column that has none.
pub fn from_arrow_schema(schema: &ArrowSchema) -> Result<Schema, Vec<String>> {
    let mut columns = Vec::with_capacity(schema.fields().len());
    let mut wrong = Vec::new();
    let mut names = std::collections::HashSet::new();
    for field in schema.fields() {
        if !names.insert(field.name().as_str()) {
            wrong.push(format!("column `{}` is there twice", field.name()));
            continue;
        }
        match from_arrow(field.data_type()) {
            Ok(data_type) => {
                let nullable = field.is_nullable() || field.data_type() == &ArrowType::Null;
                columns.push(Column { name: field.name().clone(), data_type, nullable });
            }
            Err(reason) => wrong.push(format!("column `{}`: {reason}", field.name())),
        }
    }
    if wrong.is_empty() { Ok(Schema { columns }) } else { Err(wrong) }
}

/// One array as the canonical type `to`; free of cost where it is that already. A value that does not survive is an
/// error, never a null.
pub fn canonical_array(array: &ArrayRef, to: &ArrowType) -> Result<ArrayRef, ArrowError> {
    if array.data_type() == to {
        return Ok(Arc::clone(array));
    }
    if array.data_type() == &ArrowType::Null {
        return Ok(new_null_array(to, array.len()));
    }
    if let Some(days) = array.as_primitive_opt::<Date64Type>()
        && days.iter().flatten().any(|millis| millis % DAY_MILLIS != 0)
    {
        return Err(ArrowError::CastError("a date with a time of day".to_owned()));
    }
    cast_with_options(array, to, &CastOptions { safe: false, ..CastOptions::default() })
}

/// A batch as `schema` (canonical, see [`to_arrow_schema`]), columns by position.
pub fn canonical_batch(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let columns = batch.columns().iter().zip(schema.fields());
    let columns = columns.map(|(array, field)| canonical_array(array, field.data_type()));
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns.collect::<Result<_, _>>()?, &options)
}

/// The type to ask a Parquet reader for, so that it decodes straight into the canonical type where it can.
pub fn decode_hint(field: &FieldRef) -> FieldRef {
    let hinted = match field.data_type() {
        ArrowType::LargeUtf8 | ArrowType::Utf8View => ArrowType::Utf8,
        ArrowType::LargeBinary | ArrowType::BinaryView => ArrowType::Binary,
        ArrowType::Dictionary(_, value) if matches!(**value, ArrowType::Utf8 | ArrowType::LargeUtf8) => ArrowType::Utf8,
        ArrowType::Dictionary(_, value) if matches!(**value, ArrowType::Binary | ArrowType::LargeBinary) => {
            ArrowType::Binary
        }
        _ => return Arc::clone(field),
    };
    Arc::new(Field::clone(field).with_data_type(hinted))
}
