//! Arrow arrays to values and back: for the reference evaluator, which knows no Arrow.

use crate::arrow_types::to_arrow;
use arrow::array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, ListArray, MapArray, PrimitiveArray, StringArray, StructArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType as ArrowType, Field};
use greylag_model::expr::Row;
use greylag_model::types::{DataType, TimeUnit};
use greylag_model::value::Value;
use std::sync::Arc;

/// One row of a batch of canonical arrays.
pub(crate) struct BatchRow<'a> {
    pub(crate) columns: &'a [ArrayRef],
    pub(crate) types: &'a [DataType],
    pub(crate) row: usize,
}

impl Row for BatchRow<'_> {
    fn value(&self, index: usize) -> Value {
        match (self.columns.get(index), self.types.get(index)) {
            (Some(array), Some(data_type)) => value_at(array, data_type, self.row),
            _ => Value::Null,
        }
    }
}

/// The value at an index of an array of the canonical Arrow type of `data_type`.
///
/// # Panics
/// If the array is of another type or shorter.
pub fn value_at(array: &ArrayRef, data_type: &DataType, at: usize) -> Value {
    if array.is_null(at) {
        return Value::Null;
    }
    let array = array.as_ref();
    match data_type {
        DataType::Boolean => Value::Boolean(array.as_boolean().value(at)),
        DataType::Int8 => Value::Int(array.as_primitive::<Int8Type>().value(at).into()),
        DataType::Int16 => Value::Int(array.as_primitive::<Int16Type>().value(at).into()),
        DataType::Int32 => Value::Int(array.as_primitive::<Int32Type>().value(at).into()),
        DataType::Int64 => Value::Int(array.as_primitive::<Int64Type>().value(at).into()),
        DataType::UInt8 => Value::Int(array.as_primitive::<UInt8Type>().value(at).into()),
        DataType::UInt16 => Value::Int(array.as_primitive::<UInt16Type>().value(at).into()),
        DataType::UInt32 => Value::Int(array.as_primitive::<UInt32Type>().value(at).into()),
        DataType::UInt64 => Value::Int(array.as_primitive::<UInt64Type>().value(at).into()),
        DataType::Float32 => Value::Float32(array.as_primitive::<Float32Type>().value(at)),
        DataType::Float64 => Value::Float64(array.as_primitive::<Float64Type>().value(at)),
        DataType::Decimal { scale, .. } => Value::Decimal(array.as_primitive::<Decimal128Type>().value(at), *scale),
        DataType::Date => Value::Date(array.as_primitive::<Date32Type>().value(at)),
        DataType::Time(TimeUnit::S) => Value::Time(array.as_primitive::<Time32SecondType>().value(at).into()),
        DataType::Time(TimeUnit::Ms) => Value::Time(array.as_primitive::<Time32MillisecondType>().value(at).into()),
        DataType::Time(TimeUnit::Us) => Value::Time(array.as_primitive::<Time64MicrosecondType>().value(at)),
        DataType::Time(TimeUnit::Ns) => Value::Time(array.as_primitive::<Time64NanosecondType>().value(at)),
        DataType::Timestamp { unit, .. } => Value::Timestamp(match unit {
            TimeUnit::S => array.as_primitive::<TimestampSecondType>().value(at),
            TimeUnit::Ms => array.as_primitive::<TimestampMillisecondType>().value(at),
            TimeUnit::Us => array.as_primitive::<TimestampMicrosecondType>().value(at),
            TimeUnit::Ns => array.as_primitive::<TimestampNanosecondType>().value(at),
        }),
        DataType::String => Value::String(array.as_string::<i32>().value(at).to_owned()),
        DataType::Binary => Value::Binary(array.as_binary::<i32>().value(at).to_vec()),
        DataType::List(item) => {
            let items = array.as_list::<i32>().value(at);
            Value::List((0..items.len()).map(|at| value_at(&items, item, at)).collect())
        }
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns().iter();
            Value::Struct(columns.zip(fields).map(|(column, (_, field))| value_at(column, field, at)).collect())
        }
        DataType::Map(key, value) => {
            let entries = array.as_map().value(at);
            let (keys, values) = (entries.column(0), entries.column(1));
            Value::Map((0..entries.len()).map(|at| (value_at(keys, key, at), value_at(values, value, at))).collect())
        }
    }
}

macro_rules! primitive {
    ($arrow:ty, $values:expr, $to:expr, $($pattern:pat => $value:expr),+) => {{
        let array: PrimitiveArray<$arrow> = $values
            .iter()
            .map(|value| match value {
                $($pattern => Some($value as <$arrow as ArrowPrimitiveType>::Native),)+
                _ => None,
            })
            .collect();
        Arc::new(array.with_data_type($to)) as ArrayRef
    }};
}

/// Values of one type as an array of its canonical Arrow type. A value of another type becomes null.
pub fn array_of(values: &[Value], data_type: &DataType) -> ArrayRef {
    let to = to_arrow(data_type);
    match data_type {
        DataType::Boolean => Arc::new(values.iter().map(boolean).collect::<BooleanArray>()),
        DataType::Int8 => primitive!(Int8Type, values, to, Value::Int(value) => *value),
        DataType::Int16 => primitive!(Int16Type, values, to, Value::Int(value) => *value),
        DataType::Int32 => primitive!(Int32Type, values, to, Value::Int(value) => *value),
        DataType::Int64 => primitive!(Int64Type, values, to, Value::Int(value) => *value),
        DataType::UInt8 => primitive!(UInt8Type, values, to, Value::Int(value) => *value),
        DataType::UInt16 => primitive!(UInt16Type, values, to, Value::Int(value) => *value),
        DataType::UInt32 => primitive!(UInt32Type, values, to, Value::Int(value) => *value),
        DataType::UInt64 => primitive!(UInt64Type, values, to, Value::Int(value) => *value),
        DataType::Float32 => primitive!(Float32Type, values, to, Value::Float32(value) => *value),
        DataType::Float64 => primitive!(Float64Type, values, to, Value::Float64(value) => *value),
        DataType::Decimal { .. } => primitive!(Decimal128Type, values, to, Value::Decimal(value, _) => *value),
        DataType::Date => primitive!(Date32Type, values, to, Value::Date(value) => *value),
        DataType::Time(TimeUnit::S) => primitive!(Time32SecondType, values, to, Value::Time(value) => *value),
        DataType::Time(TimeUnit::Ms) => primitive!(Time32MillisecondType, values, to, Value::Time(value) => *value),
        DataType::Time(TimeUnit::Us) => primitive!(Time64MicrosecondType, values, to, Value::Time(value) => *value),
        DataType::Time(TimeUnit::Ns) => primitive!(Time64NanosecondType, values, to, Value::Time(value) => *value),
        DataType::Timestamp { unit, .. } => match unit {
            TimeUnit::S => primitive!(TimestampSecondType, values, to, Value::Timestamp(value) => *value),
            TimeUnit::Ms => primitive!(TimestampMillisecondType, values, to, Value::Timestamp(value) => *value),
            TimeUnit::Us => primitive!(TimestampMicrosecondType, values, to, Value::Timestamp(value) => *value),
            TimeUnit::Ns => primitive!(TimestampNanosecondType, values, to, Value::Timestamp(value) => *value),
        },
        DataType::String => Arc::new(values.iter().map(text).collect::<StringArray>()),
        DataType::Binary => Arc::new(values.iter().map(bytes).collect::<BinaryArray>()),
        DataType::List(item) => list_of(values, item),
        DataType::Struct(fields) => struct_of(values, fields),
        DataType::Map(key, value) => map_of(values, key, value, &to),
    }
}

fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Boolean(value) => Some(*value),
        _ => None,
    }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn bytes(value: &Value) -> Option<&[u8]> {
    match value {
        Value::Binary(bytes) => Some(bytes),
        _ => None,
    }
}

fn nulls_of(values: &[Value]) -> Option<NullBuffer> {
    values.iter().any(Value::is_null).then(|| values.iter().map(|value| !value.is_null()).collect())
}

fn list_of(values: &[Value], item: &DataType) -> ArrayRef {
    let items = |value: &Value| match value {
        Value::List(items) => items.clone(),
        _ => Vec::new(),
    };
    let lists: Vec<Vec<Value>> = values.iter().map(items).collect();
    let offsets = OffsetBuffer::from_lengths(lists.iter().map(Vec::len));
    let flat: Vec<Value> = lists.into_iter().flatten().collect();
    let field = Arc::new(Field::new_list_field(to_arrow(item), true));
    Arc::new(ListArray::new(field, offsets, array_of(&flat, item), nulls_of(values)))
}

fn struct_of(values: &[Value], fields: &[(String, DataType)]) -> ArrayRef {
    let columns = fields.iter().enumerate().map(|(at, (name, data_type))| {
        let column: Vec<Value> = values
            .iter()
            .map(|value| match value {
                Value::Struct(fields) => fields.get(at).cloned().unwrap_or(Value::Null),
                _ => Value::Null,
            })
            .collect();
        (Arc::new(Field::new(name, to_arrow(data_type), true)), array_of(&column, data_type))
    });
    let (fields, columns): (Vec<_>, Vec<_>) = columns.unzip();
    Arc::new(StructArray::new(fields.into(), columns, nulls_of(values)))
}

fn map_of(values: &[Value], key: &DataType, value: &DataType, to: &ArrowType) -> ArrayRef {
    let entries = |value: &Value| match value {
        Value::Map(entries) => entries.clone(),
        _ => Vec::new(),
    };
    let maps: Vec<Vec<(Value, Value)>> = values.iter().map(entries).collect();
    let offsets = OffsetBuffer::from_lengths(maps.iter().map(Vec::len));
    let (keys, items): (Vec<Value>, Vec<Value>) = maps.into_iter().flatten().unzip();
    let entries = StructArray::new(
        vec![Field::new("key", to_arrow(key), false), Field::new("value", to_arrow(value), true)].into(),
        vec![array_of(&keys, key), array_of(&items, value)],
        None,
    );
    let field = match to {
        ArrowType::Map(field, _) => Arc::clone(field),
        _ => Arc::new(Field::new("entries", entries.data_type().clone(), false)),
    };
    Arc::new(MapArray::new(field, offsets, entries, nulls_of(values), false))
}
