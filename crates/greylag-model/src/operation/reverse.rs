//! Reverse: the way back of a source column that the file gives, or declares lost. It wins over a derived one.
//!
//! Its expression has the source column's type; a number is widened to it where that is exact, nothing else is.

use super::cast::is_number;
use super::{Resolution, unknown_column};
use crate::cast::{Conversion, conversion};
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::expr::{Node, TypedExpr};
use crate::mapping::ReverseWay;
use crate::schema::Schema;
use crate::spec::{ReverseSpec, Tolerance};

/// Validates what can be told without the target: the column, and that the rule says exactly one thing.
pub(crate) fn validate(spec: &ReverseSpec, resolution: &mut Resolution<'_>, pointer: &str) -> Option<usize> {
    let bad = |message: String| Diagnostic::error(code::plan::BAD_REVERSE, message);
    match (&spec.expr, &spec.lost) {
        (Some(_), Some(_)) => {
            let message = format!("the reverse of `{}` has both `expr` and `lost`", spec.name);
            resolution.error(bad(message), pointer);
        }
        (None, None) => {
            let message = format!("the reverse of `{}` has neither `expr` nor `lost`", spec.name);
            resolution
                .error(bad(message).hint("give an expression over target columns, or say why there is none"), pointer);
        }
        (None, Some(why)) if why.trim().is_empty() => {
            let message = format!("the reverse of `{}` is lost without a reason", spec.name);
            resolution.error(bad(message), &format!("{pointer}/lost"));
        }
        _ => {}
    }
    resolution.column(&spec.name, &format!("{pointer}/name"))
}

/// Types a validated rule against the target; `tolerance` is that of the column that carries the source column on.
pub(crate) fn given(
    spec: &ReverseSpec,
    at: usize,
    target: &Schema,
    tolerance: Option<Tolerance>,
    resolution: &mut Resolution<'_>,
    pointer: &str,
) -> Option<ReverseWay> {
    let Some(text) = &spec.expr else {
        return spec.lost.as_ref().map(|why| ReverseWay::Lost(why.trim().to_owned()));
    };
    let pointer = format!("{pointer}/expr");
    let mut expr = resolution.typed(text, target, &pointer)?;
    let wanted = &resolution.source.columns[at].data_type;
    if &expr.data_type != wanted {
        let numbers = is_number(&expr.data_type) && is_number(wanted);
        if numbers && conversion(&expr.data_type, wanted) == Conversion::Exact {
            let nullable = expr.nullable;
            let node = Node::Cast { input: Box::new(expr), loss: None, safe: false };
            expr = TypedExpr { data_type: wanted.clone(), nullable, node };
        } else {
            let message = format!(
                "the reverse of `{}` is of type `{}`, and the column of type `{wanted}`",
                spec.name, expr.data_type
            );
            let diagnostic =
                Diagnostic::error(code::plan::BAD_REVERSE, message).hint(format!("write `CAST(… AS {wanted})`"));
            resolution.error(diagnostic, &pointer);
            return None;
        }
    }
    Some(ReverseWay::Expr { expr, derived: false, tolerance })
}

/// The error for a partition or check column that the new dataset does not have.
pub(crate) fn unknown_target(name: &str, target: &Schema) -> Diagnostic {
    unknown_column(name, target, "the new dataset")
}
