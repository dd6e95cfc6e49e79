//! Merge: several text columns joined into one with a separator; nulls are left out with their separator, and the
//! result is null only where all of them are.
//!
//! The way back is lost unless the file gives one: nothing tells a separator between two values from one inside a value.

use super::{Draft, Resolution, Taken, quoted_name, quoted_text};
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::mapping::{ColumnMapping, OperationKind, ReverseWay};
use crate::plan::{Change, ChangeSymbol};
use crate::schema::Column;
use crate::spec::{MergeSpec, Misfit};
use crate::types::DataType;

/// Validates one rule and drafts its column, which follows the others.
pub(crate) fn forward(spec: &MergeSpec, resolution: &mut Resolution<'_>, pointer: &str) -> Option<Draft> {
    let mut sources = Vec::new();
    for (number, name) in spec.from.iter().enumerate() {
        let here = format!("{pointer}/from/{number}");
        let Some(at) = resolution.column(name, &here) else { continue };
        resolution.take(at, Taken::Merged, &here);
        let column = &resolution.source.columns[at];
        if column.data_type == DataType::String {
            sources.push(at);
        } else {
            let message = format!("column `{name}` is merged and is of type `{}`, not `string`", column.data_type);
            resolution.error(Diagnostic::error(code::plan::NOT_TEXT, message), &here);
        }
    }
    if spec.from.len() < 2 {
        let message = format!("column `{}` is merged from fewer than two columns", spec.into);
        resolution.error(Diagnostic::error(code::plan::BAD_COLUMN, message), &format!("{pointer}/from"));
        return None;
    }
    if sources.len() < spec.from.len() {
        return None;
    }
    let source = resolution.source;
    let nullable = sources.iter().all(|at| source.columns[*at].nullable);
    let mut expr = resolution.typed(&text(spec), source, pointer)?;
    expr.nullable = nullable;
    let lost = |at: &usize| (*at, ReverseWay::Lost(format!("merged into `{}`", spec.into)));
    Some(Draft {
        column: Column { name: spec.into.clone(), data_type: DataType::String, nullable },
        mapping: ColumnMapping {
            target: spec.into.clone(),
            operation: OperationKind::Merge,
            expr,
            cast: None,
            misfit: Misfit::Fail,
            default: None,
            tolerance: None,
            judgement: None,
        },
        origin: None,
        reverse: sources.iter().map(lost).collect(),
        changes: vec![change(spec)],
        breaks: spec.from.iter().map(|name| format!("column `{name}` is merged into `{}`", spec.into)).collect(),
        pointer: format!("{pointer}/into"),
    })
}

/// `concat_ws` leaves nulls out with their separator, and gives empty text where all of them are null.
fn text(spec: &MergeSpec) -> String {
    let columns: Vec<String> = spec.from.iter().map(|name| quoted_name(name)).collect();
    let columns = columns.join(", ");
    let separator = quoted_text(&spec.separator);
    format!("CASE WHEN coalesce({columns}) IS NOT NULL THEN concat_ws({separator}, {columns}) END")
}

fn change(spec: &MergeSpec) -> Change {
    Change {
        symbol: ChangeSymbol::Change,
        subject: format!("{} → {}", spec.from.join(", "), spec.into),
        detail: format!("merged with {}", quoted_text(&spec.separator)),
    }
}
