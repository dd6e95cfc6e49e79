//! Split: one text column cut into several at a separator; the last part takes the rest.
//!
//! **Forward.** Let `p(k)` be the first `k` parts, each followed by the separator. A value has at least `k` separators
//! exactly if it is at least as long as `p(k)`: with fewer, `split_part` gives empty text for the missing parts and
//! `p(k)` outgrows the value by a separator for each. So part `k` is null where the value is shorter than `p(k-1)`, and
//! the last part is what follows `p(n-1)`.
//!
//! **Reverse, derived and exact for every value.** The parts that are not null, with the separator between them; null
//! where the first is. A null value has a null first part, and only it has: the first part of any text is text.

use super::{Draft, Resolution, Taken, quoted_name, quoted_text};
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::mapping::{ColumnMapping, OperationKind, ReverseWay};
use crate::plan::{Change, ChangeSymbol};
use crate::schema::{Column, Schema};
use crate::spec::{Misfit, SplitSpec};
use crate::types::DataType;

/// Validates one rule and drafts its columns, in the place of the source column.
pub(crate) fn forward(spec: &SplitSpec, resolution: &mut Resolution<'_>, pointer: &str) -> Vec<Draft> {
    let mut sound = true;
    let mut complain = |resolution: &mut Resolution<'_>, message: String, key: &str| {
        resolution.error(Diagnostic::error(code::plan::BAD_COLUMN, message), &format!("{pointer}/{key}"));
        sound = false;
    };
    if spec.into.len() < 2 {
        complain(resolution, format!("column `{}` is split into fewer than two columns", spec.from), "into");
    }
    if spec.separator.is_empty() {
        complain(resolution, format!("column `{}` is split at an empty separator", spec.from), "separator");
    }
    let Some(at) = resolution.column(&spec.from, &format!("{pointer}/from")) else { return Vec::new() };
    resolution.take(at, Taken::Split, pointer);
    let source = &resolution.source.columns[at];
    if source.data_type != DataType::String {
        let message = format!("column `{}` is split and is of type `{}`, not `string`", spec.from, source.data_type);
        resolution.error(Diagnostic::error(code::plan::NOT_TEXT, message), &format!("{pointer}/from"));
        sound = false;
    }
    if !sound {
        return Vec::new();
    }
    let nullable = source.nullable;
    let mut drafts: Vec<Draft> =
        (0..spec.into.len()).filter_map(|part| draft(spec, part, nullable, at, resolution, pointer)).collect();
    if let Some(first) = drafts.first_mut() {
        first.changes.push(change(spec));
        first.breaks.push(format!("column `{}` is split into {}", spec.from, names(&spec.into)));
    }
    drafts
}

fn draft(
    spec: &SplitSpec,
    part: usize,
    nullable: bool,
    at: usize,
    resolution: &mut Resolution<'_>,
    pointer: &str,
) -> Option<Draft> {
    let source = resolution.source;
    let mut expr = resolution.typed(&part_text(spec, part), source, pointer)?;
    let nullable = nullable || part > 0;
    expr.nullable = nullable;
    let name = spec.into[part].clone();
    Some(Draft {
        column: Column { name: name.clone(), data_type: DataType::String, nullable },
        mapping: ColumnMapping {
            target: name,
            operation: OperationKind::Split,
            expr,
            cast: None,
            misfit: Misfit::Fail,
            default: None,
            tolerance: None,
            judgement: None,
        },
        origin: Some(at),
        reverse: Vec::new(),
        changes: Vec::new(),
        breaks: Vec::new(),
        pointer: format!("{pointer}/into/{part}"),
    })
}

/// The expression of one part, counted from 0.
fn part_text(spec: &SplitSpec, part: usize) -> String {
    let column = quoted_name(&spec.from);
    let separator = quoted_text(&spec.separator);
    let piece = |number: usize| format!("split_part({column}, {separator}, {number})");
    if part == 0 {
        return piece(1);
    }
    let before: Vec<String> = (1..=part).flat_map(|number| [piece(number), separator.clone()]).collect();
    let before = format!("length(concat({}))", before.join(", "));
    let value =
        if part + 1 == spec.into.len() { format!("substring({column}, {before} + 1)") } else { piece(part + 1) };
    format!("CASE WHEN length({column}) >= {before} THEN {value} END")
}

/// The way back, over the target.
pub(crate) fn reverse(
    spec: &SplitSpec,
    target: &Schema,
    resolution: &mut Resolution<'_>,
    pointer: &str,
) -> Option<ReverseWay> {
    let separator = quoted_text(&spec.separator);
    let parts: Vec<String> = spec.into.iter().map(|name| quoted_name(name)).collect();
    let first = parts.first()?;
    let text = format!("CASE WHEN {first} IS NOT NULL THEN concat_ws({separator}, {}) END", parts.join(", "));
    let expr = resolution.typed(&text, target, pointer)?;
    Some(ReverseWay::Expr { expr, derived: true, tolerance: None })
}

fn change(spec: &SplitSpec) -> Change {
    Change {
        symbol: ChangeSymbol::Change,
        subject: format!("{} → {}", spec.from, spec.into.join(", ")),
        detail: format!("split at {}", quoted_text(&spec.separator)),
    }
}

fn names(columns: &[String]) -> String {
    columns.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
