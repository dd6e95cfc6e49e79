//! Expressions and types: whether they can be read, and where in the YAML text they cannot.

use super::Report;
use crate::code::{expr, spec as code};
use crate::diagnostic::Diagnostic;
use crate::expr::{ExprError, parse, parse_and_check};
use crate::schema::Schema;
use crate::types::DataType;
use crate::yaml::{Kind, Node};

/// An expression must be readable; whether its columns exist is for the plan to say.
pub(super) fn check(report: &mut Report<'_>, node: &Node) {
    let Some(text) = text(report, node) else { return };
    if report.readable.contains(&text) {
        return;
    }
    match parse(&text) {
        Ok(_) => {
            report.readable.insert(text);
        }
        Err(error) => push(report, node, error),
    }
}

/// A default must be readable and have no columns.
pub(super) fn check_default(report: &mut Report<'_>, node: &Node) {
    let Some(text) = text(report, node) else { return };
    for error in parse_and_check(&text, &Schema::default()).err().into_iter().flatten() {
        if error.code != expr::UNKNOWN_COLUMN {
            push(report, node, error);
            continue;
        }
        let word = error.span.and_then(|(start, end)| text.get(start..end)).unwrap_or(&text);
        let hint = format!(
            "text stands in quotes of its own: `\"'{}'\"`; what depends on columns goes into `expr`",
            word.trim_matches('"')
        );
        let message = format!("a default cannot read the column `{}`", word.escape_debug());
        let place = place(report, node, error.span);
        report.diagnostics.push(Diagnostic::error(code::DEFAULT, message).at(Some(place)).hint(hint));
    }
}

/// A type must be readable.
pub(super) fn check_type(report: &mut Report<'_>, node: &Node) {
    let Some(text) = node.as_str().filter(|text| !text.is_empty()) else { return };
    if let Err(message) = text.parse::<DataType>() {
        let hint = "`docs/reference/types.md` lists the types: `int64`, `decimal(15,2)`, `timestamp(us, UTC)` …";
        report.error(node, code::TYPE, message, hint);
    }
}

/// The text of an expression as written, if it is a scalar and not empty (which the schema has reported).
fn text(report: &Report<'_>, node: &Node) -> Option<String> {
    report.places.scalar_text(node).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn push(report: &mut Report<'_>, node: &Node, error: ExprError) {
    let place = place(report, node, error.span);
    let mut diagnostic = Diagnostic::error(error.code, error.message).at(Some(place));
    diagnostic.hints.extend(error.hint);
    report.diagnostics.push(diagnostic);
}

fn place(report: &Report<'_>, node: &Node, span: Option<(usize, usize)>) -> crate::diagnostic::Place {
    match span {
        Some((start, end)) if matches!(node.kind, Kind::String(..)) => report.places.within_node(node, start..end),
        _ => report.places.of(node),
    }
}
