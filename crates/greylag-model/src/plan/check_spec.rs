//! Checks of the file against the new dataset's schema.

use super::diff_check;
use crate::code;
use crate::diagnostic::{Diagnostic, Place};
use crate::operation::reverse::unknown_target;
use crate::schema::Schema;
use crate::snapshot::Observed;
use crate::spec::CheckSpec;
use crate::types::DataType;

/// What a plan knows of a dataset that a check compares with, by what the check calls it; `None` knows nothing, and then
/// what depends on it is not looked at.
pub(super) type Reference<'a> = &'a dyn Fn(&str) -> Option<&'a Result<Observed, Vec<Diagnostic>>>;

/// What is wrong with one check; pointers are below it.
pub(super) fn validate(
    check: &CheckSpec,
    target: &Schema,
    reference: Reference<'_>,
    place: &dyn Fn(&str) -> Option<Place>,
) -> Vec<Diagnostic> {
    let bad = |message: String| Diagnostic::error(code::plan::BAD_CHECK, message);
    let CheckSpec { name: _, not_null, expr, min_rows, max_rows, max_rejected, diff } = check;
    let given = [
        not_null.is_some(),
        expr.is_some(),
        min_rows.is_some(),
        max_rows.is_some(),
        max_rejected.is_some(),
        diff.is_some(),
    ];
    let mut errors = Vec::new();
    if given.iter().filter(|given| **given).count() != 1 {
        let message = "a check has exactly one of `notNull`, `expr`, `minRows`, `maxRows`, `maxRejected` and `diff`";
        errors.push(bad(message.to_owned()).hint("several expectations are several checks").at(place("")));
    }
    for (number, column) in not_null.iter().flatten().enumerate() {
        if target.find(column).is_none() {
            errors.push(unknown_target(column, target).at(place(&format!("/notNull/{number}"))));
        }
    }
    if not_null.as_ref().is_some_and(Vec::is_empty) {
        errors.push(bad("`notNull` names no columns".to_owned()).at(place("/notNull")));
    }
    if let Some(text) = expr {
        errors.extend(validate_expr(text, target).into_iter().map(|error| error.at(place("/expr"))));
    }
    if let Some(diff) = diff {
        errors.extend(diff_check::validate(diff, target, reference, &|pointer| place(&format!("/diff{pointer}"))));
    }
    errors
}

fn validate_expr(text: &str, target: &Schema) -> Vec<Diagnostic> {
    match crate::expr::parse_and_check(text, target) {
        Ok(expr) if expr.data_type == DataType::Boolean => Vec::new(),
        Ok(expr) => {
            let message = format!("the check `{text}` is of type `{}`, not `boolean`", expr.data_type);
            vec![
                Diagnostic::error(code::plan::BAD_CHECK, message).hint("compare it with something, e.g. `amount >= 0`"),
            ]
        }
        Err(errors) => errors
            .into_iter()
            .map(|error| {
                let mut diagnostic = Diagnostic::error(error.code, error.message);
                diagnostic.hints.extend(error.hint);
                diagnostic
            })
            .collect(),
    }
}
