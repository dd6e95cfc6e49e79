//! Smallest and largest values and sums, a column at a time.

use super::float_sum::FloatSum;
use super::state::ColumnState;
use arrow::array::{
    Array, ArrowNativeTypeOp, ArrowPrimitiveType, AsArray, GenericByteArray, GenericByteViewArray, PrimitiveArray,
};
use arrow::datatypes::{
    BinaryViewType, ByteArrayType, ByteViewType, DataType, Date32Type, Decimal32Type, Decimal64Type, Decimal128Type,
    Float32Type, Float64Type, GenericBinaryType, GenericStringType, Int8Type, Int16Type, Int32Type, Int64Type,
    StringViewType, Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type, i256,
};

/// Adds a column's figures to `state`.
pub(super) fn observe(array: &dyn Array, state: &mut ColumnState) {
    state.nulls += array.logical_null_count() as u64;
    match array.data_type() {
        DataType::Boolean => {
            let trues = array.as_boolean().true_count();
            state.add_sum(i256::from_i128(trues as i128));
        }
        DataType::Int8 => integers::<Int8Type>(array, state),
        DataType::Int16 => integers::<Int16Type>(array, state),
        DataType::Int32 => integers::<Int32Type>(array, state),
        DataType::Int64 => integers::<Int64Type>(array, state),
        DataType::UInt8 => integers::<UInt8Type>(array, state),
        DataType::UInt16 => integers::<UInt16Type>(array, state),
        DataType::UInt32 => integers::<UInt32Type>(array, state),
        DataType::UInt64 => integers::<UInt64Type>(array, state),
        DataType::Decimal32(..) => integers::<Decimal32Type>(array, state),
        DataType::Decimal64(..) => integers::<Decimal64Type>(array, state),
        DataType::Decimal128(..) => decimals(array, state),
        DataType::Float32 => floats::<Float32Type>(array, state),
        DataType::Float64 => floats::<Float64Type>(array, state),
        DataType::Date32 => ordered::<Date32Type>(array, state),
        DataType::Time32(TimeUnit::Second) => ordered::<Time32SecondType>(array, state),
        DataType::Time32(_) => ordered::<Time32MillisecondType>(array, state),
        DataType::Time64(TimeUnit::Microsecond) => ordered::<Time64MicrosecondType>(array, state),
        DataType::Time64(_) => ordered::<Time64NanosecondType>(array, state),
        DataType::Timestamp(unit, _) => match unit {
            TimeUnit::Second => ordered::<TimestampSecondType>(array, state),
            TimeUnit::Millisecond => ordered::<TimestampMillisecondType>(array, state),
            TimeUnit::Microsecond => ordered::<TimestampMicrosecondType>(array, state),
            TimeUnit::Nanosecond => ordered::<TimestampNanosecondType>(array, state),
        },
        DataType::Utf8 => strings::<GenericStringType<i32>>(array.as_string(), state),
        DataType::LargeUtf8 => strings::<GenericStringType<i64>>(array.as_string(), state),
        DataType::Binary => strings::<GenericBinaryType<i32>>(array.as_binary(), state),
        DataType::LargeBinary => strings::<GenericBinaryType<i64>>(array.as_binary(), state),
        DataType::Utf8View => views::<StringViewType>(array.as_string_view(), state),
        DataType::BinaryView => views::<BinaryViewType>(array.as_binary_view(), state),
        // Nested columns have a count of nulls and the hash. Encoded ones are hashed by value; the readers give none.
        _ => {}
    }
}

/// A number of up to 64 bits.
trait Integer: Copy + Ord + Into<i128> {
    /// Low and high halves: the number is `high * 2^32 + low`.
    fn halves(self) -> (u64, i64);
}

macro_rules! integer {
    ($($native:ty)*) => {$(
        impl Integer for $native {
            #[inline]
            fn halves(self) -> (u64, i64) {
                let wide = i64::from(self);
                (u64::from(wide as u32), wide >> 32)
            }
        }
    )*};
}
integer!(i8 i16 i32 i64 u8 u16 u32);

impl Integer for u64 {
    #[inline]
    fn halves(self) -> (u64, i64) {
        (self & 0xffff_ffff, (self >> 32) as i64)
    }
}

/// Calls `each` with every value that is not null; the loop over a column without nulls is free of tests.
#[inline]
fn for_each<T: ArrowPrimitiveType>(array: &PrimitiveArray<T>, mut each: impl FnMut(T::Native)) {
    let values = array.values();
    match array.nulls().filter(|nulls| nulls.null_count() > 0) {
        None => values.iter().for_each(|value| each(*value)),
        Some(nulls) => {
            for (start, end) in nulls.valid_slices() {
                values[start..end].iter().for_each(|value| each(*value));
            }
        }
    }
}

fn ordered<T: ArrowPrimitiveType>(array: &dyn Array, state: &mut ColumnState)
where
    T::Native: Integer,
{
    let (mut min, mut max) = (T::Native::MAX_TOTAL_ORDER, T::Native::MIN_TOTAL_ORDER);
    for_each(array.as_primitive::<T>(), |value| {
        min = min.min(value);
        max = max.max(value);
    });
    if min <= max {
        state.add_range(min.into(), max.into());
    }
}

fn integers<T: ArrowPrimitiveType>(array: &dyn Array, state: &mut ColumnState)
where
    T::Native: Integer,
{
    ordered::<T>(array, state);
    let (mut low, mut high) = (0_u64, 0_i64);
    for_each(array.as_primitive::<T>(), |value| {
        let halves = value.halves();
        low += halves.0;
        high += halves.1;
    });
    state.add_sum(i256::from_i128((i128::from(high) << 32) + i128::from(low)));
}

fn decimals(array: &dyn Array, state: &mut ColumnState) {
    let (mut min, mut max) = (i128::MAX, i128::MIN);
    let (mut low, mut high) = (0_u128, 0_i128);
    for_each(array.as_primitive::<Decimal128Type>(), |value| {
        min = min.min(value);
        max = max.max(value);
        low += u128::from(value as u64);
        high += value >> 64;
    });
    if min <= max {
        state.add_range(min, max);
    }
    let high = i256::from_i128(high) << 64;
    state.add_sum(high.wrapping_add(i256::from_parts(low, 0)));
}

fn floats<T: ArrowPrimitiveType>(array: &dyn Array, state: &mut ColumnState)
where
    T::Native: Into<f64>,
{
    let sum = state.floats.get_or_insert_with(|| Box::new(FloatSum::default()));
    let (mut min, mut max) = (i64::MAX, i64::MIN);
    for_each(array.as_primitive::<T>(), |value| {
        let value: f64 = value.into();
        sum.add(value);
        let rank = rank(value);
        let (low, high) = if value.is_nan() { (i64::MAX, i64::MIN) } else { (rank, rank) };
        min = min.min(low);
        max = max.max(high);
    });
    if min <= max {
        state.add_range(min.into(), max.into());
    }
}

/// A number that is ordered as the floats are, `-0.0` before `0.0`.
#[inline]
pub(super) fn rank(value: f64) -> i64 {
    let bits = value.to_bits() as i64;
    bits ^ ((bits >> 63) as u64 >> 1) as i64
}

/// The float of a [`rank`].
pub(super) fn unrank(rank: i64) -> f64 {
    f64::from_bits((rank ^ ((rank >> 63) as u64 >> 1) as i64) as u64)
}

fn strings<T: ByteArrayType>(array: &GenericByteArray<T>, state: &mut ColumnState) {
    use arrow::datatypes::ArrowNativeType as _;
    let lengths = array.offsets().windows(2).map(|window| (window[1].as_usize() - window[0].as_usize()) as u64);
    match array.nulls().filter(|nulls| nulls.null_count() > 0) {
        None => add_lengths(lengths, state),
        Some(nulls) => add_lengths(lengths.zip(nulls).filter(|(_, valid)| *valid).map(|(length, _)| length), state),
    }
}

fn views<T: ByteViewType>(array: &GenericByteViewArray<T>, state: &mut ColumnState) {
    // The low 32 bits of a view are the length of its value.
    let lengths = array.views().iter().map(|view| u64::from(*view as u32));
    match array.nulls().filter(|nulls| nulls.null_count() > 0) {
        None => add_lengths(lengths, state),
        Some(nulls) => add_lengths(lengths.zip(nulls).filter(|(_, valid)| *valid).map(|(length, _)| length), state),
    }
}

fn add_lengths(lengths: impl Iterator<Item = u64>, state: &mut ColumnState) {
    let (mut min, mut max, mut sum) = (u64::MAX, 0, 0_u64);
    for length in lengths {
        min = min.min(length);
        max = max.max(length);
        sum += length;
    }
    if min <= max {
        state.add_range(min.into(), max.into());
    }
    state.add_sum(i256::from_i128(sum.into()));
}
