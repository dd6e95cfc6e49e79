//! Bytes of rows → Arrow arrays, one column at a time.

use super::input::{Bad, Input};
use super::schema::Avro;
use crate::arrow_types::to_arrow;
use arrow::array::{
    ArrayRef, ArrowPrimitiveType, BinaryBuilder, BooleanBuilder, ListArray, MapArray, NullBufferBuilder,
    PrimitiveBuilder, StringBuilder, StructArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{
    DataType as ArrowType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int32Type, Int64Type,
    Time32MillisecondType, Time64MicrosecondType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType,
};
use arrow::error::ArrowError;
use greylag_model::types::{DataType, TimeUnit};
use std::sync::Arc;

/// Collects the values of one column.
pub(crate) trait Column: Send {
    /// Takes the next value.
    fn read(&mut self, input: &mut Input<'_>) -> Result<(), Bad>;
    /// Takes a null.
    fn null(&mut self);
    /// All values since the last time.
    fn finish(&mut self) -> Result<ArrayRef, ArrowError>;
}

/// A collector of values that lie in the file as `avro`, which is of type `data_type`.
pub(crate) fn column(avro: &Avro) -> Result<Box<dyn Column>, String> {
    let data_type = avro.data_type()?;
    Ok(match avro {
        Avro::Null => Box::new(Strings { builder: StringBuilder::new(), read: |_| Ok(None) }),
        Avro::Boolean => Box::new(Booleans(BooleanBuilder::new())),
        Avro::Int => scalars::<Int32Type>(&data_type, |input| input.int()),
        Avro::Long => scalars::<Int64Type>(&data_type, |input| input.long()),
        Avro::Float => scalars::<Float32Type>(&data_type, |input| Ok(f32::from_le_bytes(array(input.take(4)?)))),
        Avro::Double => scalars::<Float64Type>(&data_type, |input| Ok(f64::from_le_bytes(array(input.take(8)?)))),
        Avro::Date => scalars::<Date32Type>(&data_type, |input| input.int()),
        Avro::Time(TimeUnit::Ms) => {
            scalars::<Time32MillisecondType>(&data_type, |input| of_day(input.int()?, 86_400_000))
        }
        Avro::Time(_) => scalars::<Time64MicrosecondType>(&data_type, |input| of_day(input.long()?, 86_400_000_000)),
        Avro::Timestamp { unit, .. } => match unit {
            TimeUnit::Us => scalars::<TimestampMicrosecondType>(&data_type, |input| input.long()),
            TimeUnit::Ns => scalars::<TimestampNanosecondType>(&data_type, |input| input.long()),
            _ => scalars::<TimestampMillisecondType>(&data_type, |input| input.long()),
        },
        Avro::Decimal { precision, fixed, .. } => {
            let (precision, fixed) = (*precision, *fixed);
            scalars::<Decimal128Type>(&data_type, move |input| {
                let bytes = input.sized(fixed)?;
                let value = unscaled(bytes).filter(|value| value.unsigned_abs() < 10_u128.pow(precision.into()));
                value.ok_or_else(|| Bad::corrupt("a decimal has more digits than its type"))
            })
        }
        Avro::String => Box::new(Strings { builder: StringBuilder::new(), read: |input| input.text().map(Some) }),
        Avro::Enum(symbols) => Box::new(Symbols { builder: StringBuilder::new(), symbols: symbols.clone() }),
        Avro::Bytes => Box::new(Bytes { builder: BinaryBuilder::new(), fixed: None }),
        Avro::Fixed(size) => Box::new(Bytes { builder: BinaryBuilder::new(), fixed: Some(*size) }),
        Avro::Array(item) => {
            Box::new(Lists { data_type, items: column(item)?, lengths: Vec::new(), nulls: NullBufferBuilder::new(0) })
        }
        Avro::Map(item) => Box::new(Maps {
            data_type,
            keys: StringBuilder::new(),
            items: column(item)?,
            lengths: Vec::new(),
            nulls: NullBufferBuilder::new(0),
        }),
        Avro::Record(fields) => {
            let fields = fields.iter().map(|(_, avro)| column(avro)).collect::<Result<_, _>>()?;
            Box::new(Structs { data_type, fields, nulls: NullBufferBuilder::new(0) })
        }
        Avro::Nullable(inner, null_first) => Box::new(Nullable { inner: column(inner)?, null: i64::from(!null_first) }),
        Avro::Unsupported(reason) => return Err(reason.clone()),
    })
}

/// Goes over a value that nobody wants.
pub(crate) fn skip(avro: &Avro, input: &mut Input<'_>) -> Result<(), Bad> {
    match avro {
        Avro::Null => Ok(()),
        Avro::Boolean => input.take(1).map(drop),
        Avro::Int | Avro::Date | Avro::Time(TimeUnit::Ms) | Avro::Enum(_) => input.int().map(drop),
        Avro::Long | Avro::Time(_) | Avro::Timestamp { .. } => input.long().map(drop),
        Avro::Float => input.take(4).map(drop),
        Avro::Double => input.take(8).map(drop),
        Avro::Decimal { fixed: Some(size), .. } | Avro::Fixed(size) => input.take(*size).map(drop),
        Avro::Decimal { fixed: None, .. } | Avro::Bytes | Avro::String => input.bytes().map(drop),
        Avro::Array(item) => input.items(|input| skip(item, input)).map(drop),
        Avro::Map(item) => input.items(|input| input.bytes().and_then(|_| skip(item, input))).map(drop),
        Avro::Record(fields) => fields.iter().try_for_each(|(_, avro)| skip(avro, input)),
        Avro::Nullable(inner, null_first) => match branch(input)? {
            found if found == i64::from(!null_first) => Ok(()),
            _ => skip(inner, input),
        },
        Avro::Unsupported(reason) => Err(Bad::corrupt(reason)),
    }
}

/// Which branch of a union with null.
fn branch(input: &mut Input<'_>) -> Result<i64, Bad> {
    input.long().and_then(|branch| match branch {
        0 | 1 => Ok(branch),
        _ => Err(Bad::corrupt("a union has no such branch")),
    })
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(bytes);
    array
}

fn of_day<T: Copy + PartialOrd + From<u8>>(value: T, day: T) -> Result<T, Bad> {
    if value >= T::from(0) && value < day { Ok(value) } else { Err(Bad::corrupt("a time of day is none")) }
}

/// A two's complement number, its highest byte first.
fn unscaled(bytes: &[u8]) -> Option<i128> {
    let sign = if bytes.first().is_some_and(|byte| byte & 0x80 != 0) { 0xFF } else { 0 };
    let (more, last) = bytes.split_at(bytes.len().saturating_sub(16));
    let mut number = [sign; 16];
    number[16 - last.len()..].copy_from_slice(last);
    let number = i128::from_be_bytes(number);
    let kept = more.iter().all(|byte| *byte == sign) && (more.is_empty() || (number < 0) == (sign != 0));
    (!bytes.is_empty() && kept).then_some(number)
}

struct Scalars<T: ArrowPrimitiveType, F> {
    builder: PrimitiveBuilder<T>,
    read: F,
}

fn scalars<T: ArrowPrimitiveType>(
    data_type: &DataType,
    read: impl Fn(&mut Input<'_>) -> Result<T::Native, Bad> + Send + 'static,
) -> Box<dyn Column> {
    Box::new(Scalars { builder: PrimitiveBuilder::<T>::new().with_data_type(to_arrow(data_type)), read })
}

impl<T: ArrowPrimitiveType, F: Fn(&mut Input<'_>) -> Result<T::Native, Bad> + Send> Column for Scalars<T, F> {
    fn read(&mut self, input: &mut Input<'_>) -> Result<(), Bad> {
        self.builder.append_value((self.read)(input)?);
        Ok(())
    }

    fn null(&mut self) {
        self.builder.append_null();
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        Ok(Arc::new(self.builder.finish()))
    }
}

struct Booleans(BooleanBuilder);

impl Column for Booleans {
    fn read(&mut self, input: &mut Input<'_>) -> Result<(), Bad> {
        match input.take(1)? {
            [byte @ (0 | 1)] => self.0.append_value(*byte == 1),
            _ => return Err(Bad::corrupt("a boolean is neither true nor false")),
        }
        Ok(())
    }

    fn null(&mut self) {
        self.0.append_null();
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        Ok(Arc::new(self.0.finish()))
    }
}

struct Strings {
    builder: StringBuilder,
    read: for<'a> fn(&mut Input<'a>) -> Result<Option<&'a str>, Bad>,
}

impl Column for Strings {
    fn read(&mut self, input: &mut Input<'_>) -> Result<(), Bad> {
        self.builder.append_option((self.read)(input)?);
        Ok(())
    }

    fn null(&mut self) {
        self.builder.append_null();
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        Ok(Arc::new(self.builder.finish()))
    }
}

struct Symbols {
    builder: StringBuilder,
    symbols: Vec<String>,
}

impl Column for Symbols {
    fn read(&mut self, input: &mut Input<'_>) -> Result<(), Bad> {
        let symbol = usize::try_from(input.int()?).ok().and_then(|place| self.symbols.get(place));
        self.builder.append_value(symbol.ok_or_else(|| Bad::corrupt("an enum has no such symbol"))?);
        Ok(())
    }

    fn null(&mut self) {
        self.builder.append_null();
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        Ok(Arc::new(self.builder.finish()))
    }
}

struct Bytes {
    builder: BinaryBuilder,
    fixed: Option<usize>,
}

impl Column for Bytes {
    fn read(&mut self, input: &mut Input<'_>) -> Result<(), Bad> {
        let bytes = input.sized(self.fixed)?;
        self.builder.append_value(bytes);
        Ok(())
    }

    fn null(&mut self) {
        self.builder.append_null();
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        Ok(Arc::new(self.builder.finish()))
    }
}

struct Lists {
    data_type: DataType,
    items: Box<dyn Column>,
    lengths: Vec<usize>,
    nulls: NullBufferBuilder,
}

impl Column for Lists {
    fn read(&mut self, input: &mut Input<'_>) -> Result<(), Bad> {
        let length = input.items(|input| self.items.read(input))?;
        self.lengths.push(length);
        self.nulls.append(true);
        Ok(())
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

struct Maps {
    data_type: DataType,
    keys: StringBuilder,
    items: Box<dyn Column>,
    lengths: Vec<usize>,
    nulls: NullBufferBuilder,
}

impl Column for Maps {
    fn read(&mut self, input: &mut Input<'_>) -> Result<(), Bad> {
        let length = input.items(|input| {
            self.keys.append_value(input.text()?);
            self.items.read(input)
        })?;
        self.lengths.push(length);
        self.nulls.append(true);
        Ok(())
    }

    fn null(&mut self) {
        self.lengths.push(0);
        self.nulls.append(false);
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let offsets = OffsetBuffer::from_lengths(self.lengths.drain(..));
        let ArrowType::Map(entries, _) = to_arrow(&self.data_type) else { return Err(odd()) };
        let ArrowType::Struct(fields) = entries.data_type() else { return Err(odd()) };
        let arrays = vec![Arc::new(self.keys.finish()) as ArrayRef, self.items.finish()?];
        let values = StructArray::try_new(fields.clone(), arrays, None)?;
        Ok(Arc::new(MapArray::try_new(entries, offsets, values, self.nulls.finish(), false)?))
    }
}

struct Structs {
    data_type: DataType,
    fields: Vec<Box<dyn Column>>,
    nulls: NullBufferBuilder,
}

impl Column for Structs {
    fn read(&mut self, input: &mut Input<'_>) -> Result<(), Bad> {
        self.nulls.append(true);
        self.fields.iter_mut().try_for_each(|field| field.read(input))
    }

    fn null(&mut self) {
        self.nulls.append(false);
        self.fields.iter_mut().for_each(|field| field.null());
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let ArrowType::Struct(fields) = to_arrow(&self.data_type) else { return Err(odd()) };
        let arrays = self.fields.iter_mut().map(|field| field.finish()).collect::<Result<_, _>>()?;
        Ok(Arc::new(StructArray::try_new(fields, arrays, self.nulls.finish())?))
    }
}

struct Nullable {
    inner: Box<dyn Column>,
    /// The branch of null.
    null: i64,
}

impl Column for Nullable {
    fn read(&mut self, input: &mut Input<'_>) -> Result<(), Bad> {
        if branch(input)? == self.null {
            self.inner.null();
            return Ok(());
        }
        self.inner.read(input)
    }

    fn null(&mut self) {
        self.inner.null();
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        self.inner.finish()
    }
}

fn odd() -> ArrowError {
    ArrowError::SchemaError("a column of another type".to_owned())
}
