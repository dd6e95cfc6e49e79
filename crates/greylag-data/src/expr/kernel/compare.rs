//! Comparisons, and what chooses by comparing.

use super::super::operation::Kernel;
use arrow::array::types::{Float32Type, Float64Type};
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Datum};
use arrow::compute::kernels::cmp;
use arrow::compute::kernels::zip::zip;
use arrow::compute::{is_not_null, is_null, nullif, or, or_kleene};
use arrow::error::ArrowError;
use greylag_model::expr::Function;
use greylag_model::types::DataType;
use std::sync::Arc;

type Comparison = fn(&dyn Datum, &dyn Datum) -> Result<BooleanArray, ArrowError>;

pub(super) fn kernel(function: Function, types: &[DataType]) -> Option<Kernel> {
    if types.first().is_some_and(DataType::is_nested) {
        return None;
    }
    let comparison: Comparison = match function {
        Function::Equal => cmp::eq,
        Function::NotEqual => cmp::neq,
        Function::Less => cmp::lt,
        Function::LessEqual => cmp::lt_eq,
        Function::Greater => cmp::gt,
        Function::GreaterEqual => cmp::gt_eq,
        Function::IsDistinct => cmp::distinct,
        Function::IsNotDistinct => cmp::not_distinct,
        Function::In => return Some(Arc::new(|args, _| in_list(args))),
        Function::NullIf => return Some(Arc::new(|args, _| null_if(args))),
        Function::Greatest => return Some(Arc::new(|args, _| best(args, cmp::gt))),
        Function::Least => return Some(Arc::new(|args, _| best(args, cmp::lt))),
        _ => return None,
    };
    Some(Arc::new(move |args, _| {
        let (left, right) = (ordered(&args[0]), ordered(&args[1]));
        Ok(Arc::new(comparison(&left, &right)?))
    }))
}

/// Floats such that Arrow's total order is ours: one NaN, one zero.
fn ordered(array: &ArrayRef) -> ArrayRef {
    if let Some(floats) = array.as_primitive_opt::<Float64Type>() {
        let one = |value: f64| if value.is_nan() { f64::NAN.abs() } else { value + 0.0 };
        return Arc::new(floats.unary::<_, Float64Type>(one));
    }
    if let Some(floats) = array.as_primitive_opt::<Float32Type>() {
        let one = |value: f32| if value.is_nan() { f32::NAN.abs() } else { value + 0.0 };
        return Arc::new(floats.unary::<_, Float32Type>(one));
    }
    Arc::clone(array)
}

fn in_list(args: &[ArrayRef]) -> Result<ArrayRef, ArrowError> {
    let value = ordered(&args[0]);
    let mut found: Option<BooleanArray> = None;
    for item in &args[1..] {
        let equal = cmp::eq(&value, &ordered(item))?;
        found = Some(match found {
            None => equal,
            Some(found) => or_kleene(&found, &equal)?,
        });
    }
    Ok(Arc::new(found.unwrap_or_else(|| BooleanArray::from(vec![false; value.len()]))))
}

fn null_if(args: &[ArrayRef]) -> Result<ArrayRef, ArrowError> {
    let equal = cmp::eq(&ordered(&args[0]), &ordered(&args[1]))?;
    nullif(&args[0], &equal)
}

/// The first of the best; nulls never are.
fn best(args: &[ArrayRef], better: Comparison) -> Result<ArrayRef, ArrowError> {
    let mut best = Arc::clone(&args[0]);
    for next in &args[1..] {
        let wins = better(&ordered(next), &ordered(&best))?;
        let wins = if wins.null_count() > 0 { arrow::compute::prep_null_mask_filter(&wins) } else { wins };
        let take = or(&wins, &arrow::compute::and(&is_null(&best)?, &is_not_null(next)?)?)?;
        best = zip(&take, next, &best)?;
    }
    Ok(best)
}
