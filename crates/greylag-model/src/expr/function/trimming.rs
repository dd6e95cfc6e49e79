//! What the trim functions share: they differ in the end that they look at.

use super::prelude::*;
use super::{Args, Site};
use crate::expr::ExprError;
use crate::expr::duckdb::Duck;

/// One of the three, with all that is the same of them.
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
        arity: (1, 2),
        signature,
        semantics,
        check,
        nullable: Nullable::IfAny,
        nulls: Nulls::Strict,
        fails: Fails::Never,
        eval,
        duckdb,
    }
}

fn check(args: &mut Args) -> Result<DataType, ExprError> {
    args.all(&DataType::String)?;
    if args.list.len() == 1 {
        args.push(TypedExpr::text(" "));
    }
    Ok(DataType::String)
}

/// The text without the characters, which `cut` takes off it.
pub(super) fn trimmed(values: &[Value], cut: for<'a> fn(&'a str, &[char]) -> &'a str) -> Result<Value, RowError> {
    let letters: Vec<char> = text(values, 1)?.chars().collect();
    Ok(Value::String(cut(text(values, 0)?, &letters).to_owned()))
}
