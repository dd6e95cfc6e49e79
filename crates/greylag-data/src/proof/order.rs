//! Orders made total where something hangs on them.
//!
//! `order by a limit 3` over rows that share an `a` gives any of them, and what an order does not decide may come in any order. So each
//! sort that decides about a number of rows, or about the result as a whole, sorts further by all columns that it has, and where a
//! number of rows is taken without any order, all columns give one. Both texts are then held to one of the results that each might give; that
//! it is the same one is what the rest of the comparison says.

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, Result};
use datafusion::logical_expr::{Expr, LogicalPlan, Sort, SortExpr};
use std::sync::Arc;

/// A plan whose orders are total where it matters.
pub(super) struct Settled {
    pub(super) plan: LogicalPlan,
    /// Whether its rows have an order.
    pub(super) ordered: bool,
    /// Whether a number of rows hung on one.
    pub(super) settled: bool,
}

/// Makes orders total.
pub(super) fn settle(plan: LogicalPlan) -> Result<Settled> {
    let mut settled = false;
    let plan = plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Limit(mut limit) => {
            settled = true;
            limit.input = Arc::new(total(Arc::unwrap_or_clone(limit.input), true)?);
            Ok(Transformed::yes(LogicalPlan::Limit(limit)))
        }
        other => Ok(Transformed::no(other)),
    })?;
    let plan = plan.data;
    let ordered = is_ordered(&plan);
    let plan = if ordered { total(plan, false)? } else { plan };
    Ok(Settled { plan, ordered, settled })
}

/// The same rows in a total order. Where there is no sort, one is put on top if that is wanted.
fn total(plan: LogicalPlan, put: bool) -> Result<LogicalPlan> {
    match plan {
        LogicalPlan::Sort(mut sort) => {
            sort.expr.extend(all_columns(&sort.input));
            Ok(LogicalPlan::Sort(sort))
        }
        LogicalPlan::Projection(mut projection) if is_ordered(&projection.input) => {
            projection.input = Arc::new(total(Arc::unwrap_or_clone(projection.input), false)?);
            Ok(LogicalPlan::Projection(projection))
        }
        other if put => {
            let expr = all_columns(&other);
            let sort = Sort { expr, input: Arc::new(other), fetch: None };
            Ok(if sort.expr.is_empty() { Arc::unwrap_or_clone(sort.input) } else { LogicalPlan::Sort(sort) })
        }
        other => Ok(other),
    }
}

fn is_ordered(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Sort(_) => true,
        LogicalPlan::Limit(limit) => is_ordered(&limit.input),
        LogicalPlan::Projection(projection) => is_ordered(&projection.input),
        _ => false,
    }
}

fn all_columns(plan: &LogicalPlan) -> Vec<SortExpr> {
    let columns = plan.schema().iter().filter(|(_, field)| !field.data_type().is_nested());
    columns.map(|column| SortExpr::new(Expr::Column(Column::from(column)), true, false)).collect()
}
