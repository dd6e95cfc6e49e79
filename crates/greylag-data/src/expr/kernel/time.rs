//! Days and instants, and fields of structs.

use super::super::operation::Kernel;
use super::failed;
use arrow::array::types::{Date32Type, Int64Type, TimestampSecondType};
use arrow::array::{Array, ArrayRef, AsArray, TimestampSecondArray, make_array};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType as ArrowType, TimeUnit as ArrowUnit};
use arrow::error::ArrowError;
use greylag_model::cast::calendar::civil_from_days;
use greylag_model::cast::zone::Zone;
use greylag_model::expr::{Function, Literal, Node, TypedExpr};
use greylag_model::types::DataType;
use std::sync::Arc;

pub(super) fn kernel(function: Function, args: &[TypedExpr], result: &DataType) -> Option<Kernel> {
    let types: Vec<&DataType> = args.iter().map(|arg| &arg.data_type).collect();
    match (function, types.as_slice()) {
        (Function::Add, [DataType::Date, DataType::Int64]) => Some(shift_days(1)),
        (Function::Subtract, [DataType::Date, DataType::Int64]) => Some(shift_days(-1)),
        (Function::Subtract, [DataType::Date, DataType::Date]) => Some(Arc::new(|args, _| {
            let days = |at: usize| args[at].as_primitive::<Date32Type>();
            let between = arrow::compute::binary::<_, _, _, Int64Type>(days(0), days(1), |later, earlier| {
                i64::from(later) - i64::from(earlier)
            })?;
            Ok(Arc::new(between))
        })),
        (Function::DatePart, [_, DataType::Date]) => date_part(literal(&args[0])?),
        (Function::DatePart, [_, DataType::Timestamp { unit, .. }]) => {
            let part = date_part(literal(&args[0])?)?;
            let day = unit.per_second() * 86_400;
            Some(Arc::new(move |args, rows| {
                let days = instants(&args[1])?.unary::<_, Date32Type>(|value| value.div_euclid(day) as i32);
                part(&[Arc::clone(&args[0]), Arc::new(days)], rows)
            }))
        }
        (Function::AtTimeZone, [DataType::Timestamp { unit, zone }, _]) => {
            let to = Zone::find(literal(&args[1])?)?;
            let per_second = unit.per_second();
            let back = zone.is_some();
            let target = crate::arrow_types::to_arrow(result);
            Some(Arc::new(move |args, _| {
                let moved = instants(&args[0])?.try_unary::<_, TimestampSecondType, ArrowError>(|value| {
                    let moved = if back { to.to_wall(value, per_second) } else { to.to_instant(value, per_second) };
                    moved.ok_or_else(|| failed("number is out of range"))
                })?;
                Ok(make_array(moved.to_data().into_builder().data_type(target.clone()).build()?))
            }))
        }
        (Function::Field, [DataType::Struct(fields), _]) => {
            let name = literal(&args[1])?;
            let at = fields.iter().position(|(known, _)| known == name)?;
            Some(Arc::new(move |args, _| {
                let values = args[0].as_struct();
                let column = values.column(at);
                let nulls = NullBuffer::union(values.nulls(), column.nulls());
                Ok(make_array(column.to_data().into_builder().nulls(nulls).build()?))
            }))
        }
        _ => None,
    }
}

fn literal(arg: &TypedExpr) -> Option<&str> {
    match &arg.node {
        Node::Literal(Literal::String(text)) => Some(text),
        _ => None,
    }
}

/// Timestamps of any unit share their layout: what they count is known from the plan.
fn instants(array: &ArrayRef) -> Result<TimestampSecondArray, ArrowError> {
    let plain = ArrowType::Timestamp(ArrowUnit::Second, None);
    Ok(TimestampSecondArray::from(array.to_data().into_builder().data_type(plain).build()?))
}

fn shift_days(sign: i64) -> Kernel {
    Arc::new(move |args, _| {
        let (days, more) = (args[0].as_primitive::<Date32Type>(), args[1].as_primitive::<Int64Type>());
        let shifted = arrow::compute::try_binary::<_, _, _, Date32Type>(days, more, |days, more| {
            let sum = i128::from(days) + i128::from(more) * i128::from(sign);
            i32::try_from(sum).map_err(|_| failed("number is out of range"))
        })?;
        Ok(Arc::new(shifted))
    })
}

/// The parts that people partition by; the others run the reference.
fn date_part(part: &str) -> Option<Kernel> {
    let of: fn((i64, i64, i64)) -> i64 = match part {
        "year" => |(year, ..)| year,
        "quarter" => |(_, month, _)| (month - 1) / 3 + 1,
        "month" => |(_, month, _)| month,
        "day" => |(.., day)| day,
        _ => return None,
    };
    Some(Arc::new(move |args, _| {
        let days = args[1].as_primitive::<Date32Type>();
        Ok(Arc::new(days.unary::<_, Int64Type>(|days| of(civil_from_days(i64::from(days))))))
    }))
}
