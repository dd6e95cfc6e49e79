//! Three-valued logic, null tests and choice.

use super::super::operation::Kernel;
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::compute::kernels::zip::zip;
use arrow::compute::{and_kleene, is_not_null, is_null, not, or_kleene};
use arrow::error::ArrowError;
use greylag_model::expr::Function;
use std::sync::Arc;

pub(super) fn kernel(function: Function) -> Option<Kernel> {
    Some(match function {
        Function::And => Arc::new(|args, _| fold(args, and_kleene)),
        Function::Or => Arc::new(|args, _| fold(args, or_kleene)),
        Function::Not => Arc::new(|args, _| Ok(Arc::new(not(args[0].as_boolean())?))),
        Function::IsNull => Arc::new(|args, _| Ok(Arc::new(is_null(&args[0])?))),
        Function::IsNotNull => Arc::new(|args, _| Ok(Arc::new(is_not_null(&args[0])?))),
        // Arguments behind the first that is not null are evaluated all the same: an error in one sends the batch to
        // the reference evaluator, which does not look at them.
        Function::Coalesce => Arc::new(|args, _| coalesce(args)),
        _ => return None,
    })
}

fn fold(
    args: &[ArrayRef],
    operator: fn(&BooleanArray, &BooleanArray) -> Result<BooleanArray, ArrowError>,
) -> Result<ArrayRef, ArrowError> {
    let mut result = args[0].as_boolean().clone();
    for arg in &args[1..] {
        result = operator(&result, arg.as_boolean())?;
    }
    Ok(Arc::new(result))
}

fn coalesce(args: &[ArrayRef]) -> Result<ArrayRef, ArrowError> {
    let mut result = Arc::clone(&args[0]);
    for next in &args[1..] {
        if result.null_count() == 0 {
            break;
        }
        result = zip(&is_not_null(&result)?, &result, next)?;
    }
    Ok(result)
}
