//! Keep: a column goes on as it is. It breaks nobody and a plan shows no line for it.

use super::Draft;
use crate::expr::TypedExpr;
use crate::mapping::{ColumnMapping, OperationKind, ReverseWay};
use crate::schema::Column;
use crate::spec::Misfit;

/// Forward: the same column in the same place. Reverse: the very value.
pub(crate) fn forward(at: usize, column: &Column) -> Draft {
    Draft {
        column: column.clone(),
        mapping: ColumnMapping {
            target: column.name.clone(),
            operation: OperationKind::Keep,
            expr: TypedExpr::column(column),
            cast: None,
            misfit: Misfit::Fail,
            default: None,
            tolerance: None,
            judgement: None,
        },
        origin: Some(at),
        reverse: vec![(at, ReverseWay::Same(column.name.clone()))],
        changes: Vec::new(),
        breaks: Vec::new(),
        pointer: String::new(),
    }
}
