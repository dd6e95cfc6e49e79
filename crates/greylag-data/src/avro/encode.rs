//! Arrow arrays → bytes of rows. What is nullable is a union whose first branch is null.

use arrow::array::{Array, ArrowPrimitiveType, AsArray};
use arrow::datatypes::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time32MillisecondType, Time64MicrosecondType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, UInt8Type, UInt16Type, UInt32Type,
};
use greylag_model::types::{DataType, TimeUnit};

/// Writes a number as Avro writes `int` and `long`.
pub(super) fn long(out: &mut Vec<u8>, value: i64) {
    let mut left = ((value << 1) ^ (value >> 63)) as u64;
    while left >= 0x80 {
        out.push((left as u8 & 0x7F) | 0x80);
        left >>= 7;
    }
    out.push(left as u8);
}

/// Writes a length, and the bytes.
pub(super) fn bytes(out: &mut Vec<u8>, value: &[u8]) {
    long(out, value.len() as i64);
    out.extend_from_slice(value);
}

/// One column of a batch: writes the value of a row.
pub(super) type Cell<'a> = Box<dyn Fn(&mut Vec<u8>, usize) + 'a>;

/// With the branch before each value.
pub(super) fn nullable<'a>(array: &'a dyn Array, data_type: &'a DataType) -> Cell<'a> {
    let put = cell(array, data_type);
    Box::new(move |out, row| {
        if array.is_null(row) {
            out.push(0);
        } else {
            // The second branch.
            out.push(2);
            put(out, row);
        }
    })
}

fn numbers<T: ArrowPrimitiveType>(array: &dyn Array) -> Cell<'_>
where
    T::Native: Into<i64>,
{
    let values = array.as_primitive::<T>();
    Box::new(move |out, row| long(out, values.value(row).into()))
}

/// A column whose type Avro can carry, without its nulls.
pub(super) fn cell<'a>(array: &'a dyn Array, data_type: &'a DataType) -> Cell<'a> {
    match data_type {
        DataType::Boolean => {
            let values = array.as_boolean();
            Box::new(move |out, row| out.push(values.value(row).into()))
        }
        DataType::Int8 => numbers::<Int8Type>(array),
        DataType::Int16 => numbers::<Int16Type>(array),
        DataType::Int32 => numbers::<Int32Type>(array),
        DataType::UInt8 => numbers::<UInt8Type>(array),
        DataType::UInt16 => numbers::<UInt16Type>(array),
        DataType::UInt32 => numbers::<UInt32Type>(array),
        DataType::Date => numbers::<Date32Type>(array),
        DataType::Time(TimeUnit::S | TimeUnit::Ms) => numbers::<Time32MillisecondType>(array),
        DataType::Time(_) => numbers::<Time64MicrosecondType>(array),
        DataType::Timestamp { unit: TimeUnit::Us, .. } => numbers::<TimestampMicrosecondType>(array),
        DataType::Timestamp { unit: TimeUnit::Ns, .. } => numbers::<TimestampNanosecondType>(array),
        DataType::Timestamp { .. } => numbers::<TimestampMillisecondType>(array),
        DataType::Int64 | DataType::UInt64 => numbers::<Int64Type>(array),
        DataType::Float32 => {
            let values = array.as_primitive::<Float32Type>();
            Box::new(move |out, row| out.extend_from_slice(&values.value(row).to_le_bytes()))
        }
        DataType::Float64 => {
            let values = array.as_primitive::<Float64Type>();
            Box::new(move |out, row| out.extend_from_slice(&values.value(row).to_le_bytes()))
        }
        DataType::Decimal { .. } => {
            let values = array.as_primitive::<Decimal128Type>();
            Box::new(move |out, row| decimal(out, values.value(row)))
        }
        DataType::String => {
            let values = array.as_string::<i32>();
            Box::new(move |out, row| bytes(out, values.value(row).as_bytes()))
        }
        DataType::Binary => {
            let values = array.as_binary::<i32>();
            Box::new(move |out, row| bytes(out, values.value(row)))
        }
        DataType::List(item) => {
            let lists = array.as_list::<i32>();
            let (offsets, items) = (lists.value_offsets(), nullable(lists.values(), item));
            Box::new(move |out, row| block(out, offsets, row, |out, item| items(out, item)))
        }
        DataType::Map(_, item) => {
            let maps = array.as_map();
            let (offsets, keys) = (maps.value_offsets(), maps.keys().as_string::<i32>());
            let items = nullable(maps.values(), item);
            Box::new(move |out, row| {
                block(out, offsets, row, |out, entry| {
                    bytes(out, keys.value(entry).as_bytes());
                    items(out, entry);
                });
            })
        }
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns().iter().zip(fields);
            let cells: Vec<Cell<'a>> = columns.map(|(array, (_, of))| nullable(array, of)).collect();
            Box::new(move |out, row| cells.iter().for_each(|put| put(out, row)))
        }
    }
}

/// All items in one block, and the block of none that ends them.
fn block(out: &mut Vec<u8>, offsets: &[i32], row: usize, put: impl Fn(&mut Vec<u8>, usize)) {
    let (start, end) = (offsets[row] as usize, offsets[row + 1] as usize);
    if end > start {
        long(out, (end - start) as i64);
        (start..end).for_each(|item| put(out, item));
    }
    out.push(0);
}

/// Two's complement in as few bytes as it takes, the highest first.
fn decimal(out: &mut Vec<u8>, value: i128) {
    let all = value.to_be_bytes();
    let sign: u8 = if value < 0 { 0xFF } else { 0 };
    let spare = |pair: &&[u8]| pair[0] == sign && (pair[1] ^ sign) & 0x80 == 0;
    let from = all.windows(2).take_while(spare).count();
    bytes(out, &all[from..]);
}
