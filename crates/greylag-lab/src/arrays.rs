//! Cells to Arrow arrays.

use crate::cell::Cell;
use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, ListArray, MapArray, PrimitiveArray, StringArray, StructArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{
    self as types, ArrowPrimitiveType, DataType as ArrowType, Field, Fields, TimeUnit as ArrowUnit,
};
use arrow::error::ArrowError;
use greylag_model::types::{DataType, TimeUnit};
use std::sync::Arc;

/// How Arrow spells a type.
pub(crate) fn arrow_type(data_type: &DataType) -> ArrowType {
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
        DataType::Decimal { precision, scale } => ArrowType::Decimal128(*precision, scale.cast_signed()),
        DataType::Date => ArrowType::Date32,
        DataType::Time(unit @ (TimeUnit::S | TimeUnit::Ms)) => ArrowType::Time32(arrow_unit(*unit)),
        DataType::Time(unit) => ArrowType::Time64(arrow_unit(*unit)),
        DataType::Timestamp { unit, zone } => ArrowType::Timestamp(arrow_unit(*unit), zone.as_deref().map(Arc::from)),
        DataType::String => ArrowType::Utf8,
        DataType::Binary => ArrowType::Binary,
        DataType::List(item) => ArrowType::List(item_field(item)),
        DataType::Struct(fields) => ArrowType::Struct(struct_fields(fields)),
        DataType::Map(key, value) => ArrowType::Map(entries_field(key, value), false),
    }
}

/// The logical type of an Arrow type, whatever its encoding; `None` for types that Greylag does not have.
pub(crate) fn logical_type(arrow: &ArrowType) -> Option<DataType> {
    Some(match arrow {
        ArrowType::Boolean => DataType::Boolean,
        ArrowType::Int8 => DataType::Int8,
        ArrowType::Int16 => DataType::Int16,
        ArrowType::Int32 => DataType::Int32,
        ArrowType::Int64 => DataType::Int64,
        ArrowType::UInt8 => DataType::UInt8,
        ArrowType::UInt16 => DataType::UInt16,
        ArrowType::UInt32 => DataType::UInt32,
        ArrowType::UInt64 => DataType::UInt64,
        ArrowType::Float32 => DataType::Float32,
        ArrowType::Float64 => DataType::Float64,
        ArrowType::Decimal32(precision, scale)
        | ArrowType::Decimal64(precision, scale)
        | ArrowType::Decimal128(precision, scale) => {
            DataType::Decimal { precision: *precision, scale: u8::try_from(*scale).ok()? }
        }
        ArrowType::Date32 => DataType::Date,
        ArrowType::Time32(unit) | ArrowType::Time64(unit) => DataType::Time(model_unit(*unit)),
        ArrowType::Timestamp(unit, zone) => {
            DataType::Timestamp { unit: model_unit(*unit), zone: zone.as_deref().map(str::to_owned) }
        }
        ArrowType::Utf8 | ArrowType::LargeUtf8 | ArrowType::Utf8View => DataType::String,
        ArrowType::Binary | ArrowType::LargeBinary | ArrowType::BinaryView => DataType::Binary,
        ArrowType::Dictionary(_, value) => logical_type(value)?,
        ArrowType::List(item) | ArrowType::LargeList(item) => DataType::List(Box::new(logical_type(item.data_type())?)),
        ArrowType::Struct(fields) => DataType::Struct(
            fields
                .iter()
                .map(|field| Some((field.name().clone(), logical_type(field.data_type())?)))
                .collect::<Option<_>>()?,
        ),
        ArrowType::Map(entries, _) => match entries.data_type() {
            ArrowType::Struct(fields) if fields.len() == 2 => DataType::Map(
                Box::new(logical_type(fields[0].data_type())?),
                Box::new(logical_type(fields[1].data_type())?),
            ),
            _ => return None,
        },
        _ => return None,
    })
}

fn arrow_unit(unit: TimeUnit) -> ArrowUnit {
    match unit {
        TimeUnit::S => ArrowUnit::Second,
        TimeUnit::Ms => ArrowUnit::Millisecond,
        TimeUnit::Us => ArrowUnit::Microsecond,
        TimeUnit::Ns => ArrowUnit::Nanosecond,
    }
}

fn model_unit(unit: ArrowUnit) -> TimeUnit {
    match unit {
        ArrowUnit::Second => TimeUnit::S,
        ArrowUnit::Millisecond => TimeUnit::Ms,
        ArrowUnit::Microsecond => TimeUnit::Us,
        ArrowUnit::Nanosecond => TimeUnit::Ns,
    }
}

fn item_field(item: &DataType) -> Arc<Field> {
    Arc::new(Field::new("item", arrow_type(item), true))
}

fn struct_fields(fields: &[(String, DataType)]) -> Fields {
    fields.iter().map(|(name, data_type)| Field::new(name, arrow_type(data_type), true)).collect()
}

fn entry_fields(key: &DataType, value: &DataType) -> Fields {
    Fields::from(vec![Field::new("key", arrow_type(key), false), Field::new("value", arrow_type(value), true)])
}

fn entries_field(key: &DataType, value: &DataType) -> Arc<Field> {
    Arc::new(Field::new("key_value", ArrowType::Struct(entry_fields(key, value)), false))
}

fn primitive<T: ArrowPrimitiveType>(cells: &[&Cell], value: impl Fn(&Cell) -> Option<T::Native>) -> PrimitiveArray<T> {
    cells.iter().map(|cell| value(cell)).collect()
}

/// An integer of the array's native type.
fn whole<N: TryFrom<i128>>(cell: &Cell) -> Option<N> {
    if let Cell::Int(value) = cell { N::try_from(*value).ok() } else { None }
}

fn ticks<N: TryFrom<i64>>(cell: &Cell) -> Option<N> {
    if let Cell::Ticks(value) = cell { N::try_from(*value).ok() } else { None }
}

/// The array of `data_type` with these cells. A cell of another kind counts as null.
pub(crate) fn array(data_type: &DataType, cells: &[&Cell]) -> Result<ArrayRef, ArrowError> {
    Ok(match data_type {
        DataType::Boolean => Arc::new(
            cells
                .iter()
                .map(|cell| if let Cell::Bool(value) = cell { Some(*value) } else { None })
                .collect::<BooleanArray>(),
        ),
        DataType::Int8 => Arc::new(primitive::<types::Int8Type>(cells, whole)),
        DataType::Int16 => Arc::new(primitive::<types::Int16Type>(cells, whole)),
        DataType::Int32 => Arc::new(primitive::<types::Int32Type>(cells, whole)),
        DataType::Int64 => Arc::new(primitive::<types::Int64Type>(cells, whole)),
        DataType::UInt8 => Arc::new(primitive::<types::UInt8Type>(cells, whole)),
        DataType::UInt16 => Arc::new(primitive::<types::UInt16Type>(cells, whole)),
        DataType::UInt32 => Arc::new(primitive::<types::UInt32Type>(cells, whole)),
        DataType::UInt64 => Arc::new(primitive::<types::UInt64Type>(cells, whole)),
        DataType::Float32 => Arc::new(primitive::<types::Float32Type>(cells, |cell| {
            if let Cell::Float32(value) = cell { Some(*value) } else { None }
        })),
        DataType::Float64 => Arc::new(primitive::<types::Float64Type>(cells, |cell| {
            if let Cell::Float64(value) = cell { Some(*value) } else { None }
        })),
        DataType::Decimal { precision, scale } => {
            let array = primitive::<types::Decimal128Type>(cells, |cell| {
                if let Cell::Decimal(value) = cell { Some(*value) } else { None }
            });
            Arc::new(array.with_precision_and_scale(*precision, scale.cast_signed())?)
        }
        DataType::Date => Arc::new(primitive::<types::Date32Type>(cells, |cell| {
            if let Cell::Date(value) = cell { Some(*value) } else { None }
        })),
        DataType::Time(unit) => match unit {
            TimeUnit::S => Arc::new(primitive::<types::Time32SecondType>(cells, ticks)),
            TimeUnit::Ms => Arc::new(primitive::<types::Time32MillisecondType>(cells, ticks)),
            TimeUnit::Us => Arc::new(primitive::<types::Time64MicrosecondType>(cells, ticks)),
            TimeUnit::Ns => Arc::new(primitive::<types::Time64NanosecondType>(cells, ticks)),
        },
        DataType::Timestamp { unit, zone } => {
            let zone = zone.as_deref().map(Arc::<str>::from);
            match unit {
                TimeUnit::S => Arc::new(primitive::<types::TimestampSecondType>(cells, ticks).with_timezone_opt(zone)),
                TimeUnit::Ms => {
                    Arc::new(primitive::<types::TimestampMillisecondType>(cells, ticks).with_timezone_opt(zone))
                }
                TimeUnit::Us => {
                    Arc::new(primitive::<types::TimestampMicrosecondType>(cells, ticks).with_timezone_opt(zone))
                }
                TimeUnit::Ns => {
                    Arc::new(primitive::<types::TimestampNanosecondType>(cells, ticks).with_timezone_opt(zone))
                }
            }
        }
        DataType::String => Arc::new(
            cells
                .iter()
                .map(|cell| if let Cell::Text(text) = cell { Some(text.as_str()) } else { None })
                .collect::<StringArray>(),
        ),
        DataType::Binary => Arc::new(
            cells
                .iter()
                .map(|cell| if let Cell::Bytes(bytes) = cell { Some(bytes.as_slice()) } else { None })
                .collect::<BinaryArray>(),
        ),
        DataType::List(item) => list(item, cells)?,
        DataType::Struct(fields) => structure(fields, cells)?,
        DataType::Map(key, value) => map(key, value, cells)?,
    })
}

fn list(item: &DataType, cells: &[&Cell]) -> Result<ArrayRef, ArrowError> {
    let items = |cell: &&Cell| -> usize { if let Cell::Items(items) = cell { items.len() } else { 0 } };
    let offsets = OffsetBuffer::from_lengths(cells.iter().map(items));
    let flat: Vec<&Cell> = cells
        .iter()
        .filter_map(|cell| if let Cell::Items(items) = cell { Some(items) } else { None })
        .flatten()
        .collect();
    Ok(Arc::new(ListArray::try_new(item_field(item), offsets, array(item, &flat)?, Some(presence(cells)))?))
}

fn structure(fields: &[(String, DataType)], cells: &[&Cell]) -> Result<ArrayRef, ArrowError> {
    let columns = fields.iter().enumerate().map(|(index, (_, data_type))| {
        let column: Vec<&Cell> =
            cells.iter().map(|cell| if let Cell::Items(items) = cell { &items[index] } else { &Cell::Null }).collect();
        array(data_type, &column)
    });
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    Ok(Arc::new(StructArray::try_new_with_length(struct_fields(fields), columns, Some(presence(cells)), cells.len())?))
}

fn map(key: &DataType, value: &DataType, cells: &[&Cell]) -> Result<ArrayRef, ArrowError> {
    let entries = |cell: &&Cell| -> usize { if let Cell::Entries(entries) = cell { entries.len() } else { 0 } };
    let offsets = OffsetBuffer::from_lengths(cells.iter().map(entries));
    let flat = || {
        cells.iter().filter_map(|cell| if let Cell::Entries(entries) = cell { Some(entries) } else { None }).flatten()
    };
    let keys: Vec<&Cell> = flat().map(|(key, _)| key).collect();
    let values: Vec<&Cell> = flat().map(|(_, value)| value).collect();
    let pairs = StructArray::try_new(entry_fields(key, value), vec![array(key, &keys)?, array(value, &values)?], None)?;
    Ok(Arc::new(MapArray::try_new(entries_field(key, value), offsets, pairs, Some(presence(cells)), false)?))
}

fn presence(cells: &[&Cell]) -> NullBuffer {
    cells.iter().map(|cell| **cell != Cell::Null).collect()
}
