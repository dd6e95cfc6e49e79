//! Arithmetic and rounding.

use super::super::operation::Kernel;
use super::failed;
use arrow::array::types::{Decimal128Type, Float64Type};
use arrow::array::{ArrayRef, AsArray, Datum};
use arrow::compute::kernels::{arity, numeric};
use arrow::error::ArrowError;
use greylag_model::expr::{Function, Literal, Node, TypedExpr};
use greylag_model::types::DataType;
use std::sync::Arc;

pub(super) fn kernel(function: Function, types: &[DataType], result: &DataType, args: &[TypedExpr]) -> Option<Kernel> {
    match (types, result) {
        ([DataType::Int64, DataType::Int64], DataType::Int64) => integers(function),
        ([DataType::Float64, DataType::Float64], DataType::Float64) => floats(function),
        (
            [DataType::Decimal { scale: left, .. }, DataType::Decimal { scale: right, .. }],
            DataType::Decimal { precision, scale },
        ) => decimals(function, (*left, *right), (*precision, *scale)),
        ([DataType::Float64], DataType::Float64) => float(function),
        ([DataType::Float64, DataType::Int64], DataType::Float64) if function == Function::Round => {
            Some(round_float(&args[1]))
        }
        ([DataType::Decimal { scale, .. }, ..], DataType::Decimal { precision, scale: to }) => {
            decimal(function, *scale, *precision, *to)
        }
        _ => None,
    }
}

/// Arrow's kernels are checked: overflow and division by zero are errors.
fn integers(function: Function) -> Option<Kernel> {
    let kernel: fn(&dyn Datum, &dyn Datum) -> Result<ArrayRef, ArrowError> = match function {
        Function::Add => numeric::add,
        Function::Subtract => numeric::sub,
        Function::Multiply => numeric::mul,
        Function::Divide => numeric::div,
        Function::Modulo => numeric::rem,
        _ => return None,
    };
    Some(Arc::new(move |args, _| kernel(&args[0], &args[1])))
}

fn floats(function: Function) -> Option<Kernel> {
    let kernel: fn(f64, f64) -> f64 = match function {
        Function::Add => |left, right| left + right,
        Function::Subtract => |left, right| left - right,
        Function::Multiply => |left, right| left * right,
        Function::Divide => |left, right| left / right,
        Function::Modulo => |left, right| left % right,
        Function::Power => f64::powf,
        _ => return None,
    };
    Some(Arc::new(move |args, _| {
        let (left, right) = (args[0].as_primitive::<Float64Type>(), args[1].as_primitive::<Float64Type>());
        Ok(Arc::new(arity::binary::<_, _, _, Float64Type>(left, right, kernel)?))
    }))
}

fn power(exponent: u8) -> i128 {
    10_i128.pow(u32::from(exponent))
}

/// Sums, differences, products and rests; more digits than the type has are an error.
fn decimals(function: Function, (left, right): (u8, u8), (precision, scale): (u8, u8)) -> Option<Kernel> {
    let kernel: fn(i128, i128) -> Option<i128> = match function {
        Function::Add => i128::checked_add,
        Function::Subtract => i128::checked_sub,
        Function::Multiply => i128::checked_mul,
        Function::Modulo => i128::checked_rem,
        _ => return None,
    };
    let aligned = function != Function::Multiply;
    let factors = if aligned { (power(scale - left), power(scale - right)) } else { (1, 1) };
    let limit = power(precision);
    let data_type = arrow::datatypes::DataType::Decimal128(precision, scale as i8);
    Some(Arc::new(move |args, _| {
        let (a, b) = (args[0].as_primitive::<Decimal128Type>(), args[1].as_primitive::<Decimal128Type>());
        let sum = arity::try_binary::<_, _, _, Decimal128Type>(a, b, |a, b| {
            let a = a.checked_mul(factors.0).ok_or_else(out_of_range)?;
            let b = b.checked_mul(factors.1).ok_or_else(out_of_range)?;
            let value = kernel(a, b).ok_or_else(out_of_range)?;
            if value.unsigned_abs() < limit.unsigned_abs() { Ok(value) } else { Err(out_of_range()) }
        })?;
        Ok(Arc::new(sum.with_data_type(data_type.clone())))
    }))
}

fn out_of_range() -> ArrowError {
    failed("number is out of range")
}

fn float(function: Function) -> Option<Kernel> {
    let kernel: fn(f64) -> f64 = match function {
        Function::Negate => |value| -value,
        Function::Abs => f64::abs,
        Function::Truncate => f64::trunc,
        Function::Floor => f64::floor,
        Function::Ceil => f64::ceil,
        Function::Round => f64::round,
        _ => return None,
    };
    Some(Arc::new(move |args, _| Ok(Arc::new(args[0].as_primitive::<Float64Type>().unary::<_, Float64Type>(kernel)))))
}

fn round_float(digits: &TypedExpr) -> Kernel {
    let digits = match &digits.node {
        Node::Literal(Literal::Integer(digits)) => digits.parse().unwrap_or(0),
        _ => 0,
    };
    let unit = 10_f64.powi(digits);
    Arc::new(move |args, _| {
        let rounded = args[0].as_primitive::<Float64Type>().unary::<_, Float64Type>(|value| {
            let rounded = (value * unit).round() / unit;
            if rounded.is_finite() { rounded } else { value }
        });
        Ok(Arc::new(rounded))
    })
}

/// To a smaller scale, or the sign changed. Digits before the point never become more than the type has, but by one
/// in rounding 99.9, which the smaller scale makes room for.
fn decimal(function: Function, from: u8, precision: u8, to: u8) -> Option<Kernel> {
    let unit = power(from.saturating_sub(to));
    let kernel: fn(i128, i128) -> i128 = match function {
        Function::Negate => |value, _| -value,
        Function::Abs => |value, _| value.abs(),
        Function::Truncate => |value, unit| value / unit,
        Function::Floor => |value, unit| value.div_euclid(unit),
        Function::Ceil => |value, unit| -(-value).div_euclid(unit),
        Function::Round => |value, unit| {
            let (quotient, rest) = (value / unit, value % unit);
            quotient + if rest.abs() >= unit - rest.abs() && rest != 0 { value.signum() } else { 0 }
        },
        _ => return None,
    };
    let data_type = arrow::datatypes::DataType::Decimal128(precision, to as i8);
    Some(Arc::new(move |args, _| {
        let result = args[0].as_primitive::<Decimal128Type>().unary::<_, Decimal128Type>(|value| kernel(value, unit));
        Ok(Arc::new(result.with_data_type(data_type.clone())))
    }))
}
