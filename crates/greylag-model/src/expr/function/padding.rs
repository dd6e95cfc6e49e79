//! What the pad functions share: they differ in the side that they fill.

use super::prelude::*;
use super::{Args, Site};
use crate::expr::ExprError;
use crate::expr::duckdb::Duck;

const FILL: RowError = RowError::new("there is nothing to fill with, or the length is above 1000000");
/// Longest result of filling, in characters.
const LONGEST: i64 = 1_000_000;

/// One of the two, with all that is the same of them.
pub(super) const fn spec(
    name: &'static str,
    signature: &'static str,
    semantics: &'static str,
    eval: fn(Site<'_>, &[Value]) -> Result<Value, RowError>,
    duckdb: fn(Site<'_>, &mut Duck, &[String]) -> String,
) -> Spec {
    Spec {
        name,
        form: Form::Call,
        arity: (2, 3),
        signature,
        semantics,
        check,
        nullable: Nullable::IfAny,
        nulls: Nulls::Strict,
        fails: Fails::Always,
        eval,
        duckdb,
    }
}

fn check(args: &mut Args) -> Result<DataType, ExprError> {
    args.expect(0, &DataType::String)?;
    args.integer(1)?;
    if args.list.len() == 2 {
        args.push(TypedExpr::text(" "));
    }
    args.expect(2, &DataType::String)?;
    Ok(DataType::String)
}

/// The text, cut if it is too long, else as `join` makes it of the padding and the text.
pub(super) fn padded(values: &[Value], join: fn(&str, &str) -> String) -> Result<Value, RowError> {
    let (value, target) = (text(values, 0)?, integer(values, 1)?);
    let length = value.chars().count();
    if target <= length as i128 {
        return Ok(Value::String(value.chars().take(index(target)).collect()));
    }
    let fill = text(values, 2)?;
    if fill.is_empty() || target > i128::from(LONGEST) {
        return Err(FILL);
    }
    let padding: String = fill.chars().cycle().take(index(target) - length).collect();
    Ok(Value::String(join(&padding, value)))
}

/// Text in DuckDB, whose function of that name neither fails nor agrees on what is out of range.
pub(super) fn duckdb(name: &str, site: Site<'_>, duck: &mut Duck, sql: &[String]) -> String {
    let plain = format!("{name}({}, CAST({} AS INTEGER), {})", sql[0], sql[1], sql[2]);
    if duck.at_most(&site.args[1], LONGEST) && duck.is_text(&site.args[2]) {
        return plain;
    }
    let error = duck.error(FILL.reason());
    format!(
        "(CASE WHEN {1} > length({0}) AND ({2} = '' OR {1} > {LONGEST}) AND {2} IS NOT NULL THEN {error} \
         WHEN {1} < 0 AND {2} IS NOT NULL THEN left({0}, 0) ELSE {plain} END)",
        sql[0], sql[1], sql[2]
    )
}
