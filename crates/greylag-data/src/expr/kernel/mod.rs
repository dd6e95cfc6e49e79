//! Kernels of functions. What has none of its own here runs the reference meaning over its argument arrays.

use super::operation::Kernel;
use super::values::{array_of, value_at};
use arrow::error::ArrowError;
use datafusion_expr::ScalarUDF;
use greylag_model::expr::{Function, Literal, Node, Site, TypedExpr};
use greylag_model::types::DataType;
use greylag_model::value::Value;
use std::sync::Arc;

mod compare;
mod logic;
mod number;
mod text;
mod time;

/// DataFusion's own function, where its meaning is ours for these arguments.
pub(super) fn builtin(function: Function, args: &[TypedExpr]) -> Option<Arc<ScalarUDF>> {
    use datafusion_functions::{math, string};
    let text = |at: usize| match args.get(at).map(|arg| &arg.node) {
        Some(Node::Literal(Literal::String(text))) => !text.is_empty(),
        _ => false,
    };
    let positive = |at: usize| match args.get(at).map(|arg| &arg.node) {
        Some(Node::Literal(Literal::Integer(digits))) => digits.parse::<i64>().is_ok_and(|value| value > 0),
        _ => false,
    };
    Some(match function {
        Function::StartsWith => string::starts_with(),
        Function::EndsWith => string::ends_with(),
        Function::Contains => string::contains(),
        Function::Trim => string::btrim(),
        Function::TrimLeft => string::ltrim(),
        Function::TrimRight => string::rtrim(),
        // An empty text to look for, an empty separator and part 0 mean something else there.
        Function::Replace if text(1) => string::replace(),
        Function::SplitPart if text(1) && positive(2) => string::split_part(),
        Function::Sqrt => math::sqrt(),
        Function::Exp => math::exp(),
        Function::Ln => math::ln(),
        _ => return None,
    })
}

/// The kernel of a call.
pub(super) fn of(function: Function, expr: &TypedExpr, args: &[TypedExpr]) -> Kernel {
    let types: Vec<DataType> = args.iter().map(|arg| arg.data_type.clone()).collect();
    number::kernel(function, &types, &expr.data_type, args)
        .or_else(|| compare::kernel(function, &types))
        .or_else(|| logic::kernel(function))
        .or_else(|| text::kernel(function, args))
        .or_else(|| time::kernel(function, args, &expr.data_type))
        .unwrap_or_else(|| by_row(function, args.to_vec(), expr.data_type.clone()))
}

/// The reference meaning over the rows of the argument arrays.
fn by_row(function: Function, exprs: Vec<TypedExpr>, data_type: DataType) -> Kernel {
    Arc::new(move |args, rows| {
        let mut values = vec![Value::Null; args.len()];
        let mut results = Vec::with_capacity(rows);
        for row in 0..rows {
            for ((value, array), expr) in values.iter_mut().zip(args).zip(&exprs) {
                *value = value_at(array, &expr.data_type, row);
            }
            let site = Site { args: &exprs, data_type: &data_type };
            results.push(function.apply(site, &values).map_err(|error| failed(&error.0))?);
        }
        Ok(array_of(&results, &data_type))
    })
}

/// A row fails.
pub(super) fn failed(reason: &str) -> ArrowError {
    ArrowError::ComputeError(reason.to_owned())
}
