//! Default: nulls are replaced by the value of an expression without columns.
//!
//! The way back cannot tell a null from a value that happens to equal the default, so it is lost unless the source
//! column has no nulls to replace (and no value becomes null on the way).

use super::{Resolution, quoted_text};
use crate::cast::{Conversion, conversion};
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::expr::{Node, TypedExpr};
use crate::schema::Schema;
use crate::spec::Loss;
use crate::types::DataType;

/// Types the expression, converts it to the column's type and makes sure that it is neither null nor out of range.
pub(crate) fn forward(text: &str, to: &DataType, resolution: &mut Resolution<'_>, pointer: &str) -> Option<TypedExpr> {
    let nothing = Schema::default();
    if text.trim().eq_ignore_ascii_case("null") {
        let message = "a default replaces nulls, and `NULL` replaces nothing";
        resolution.error(Diagnostic::error(code::plan::BAD_DEFAULT, message), pointer);
        return None;
    }
    let typed = match crate::expr::parse_and_check(text, &nothing) {
        Ok(typed) => typed,
        Err(errors) => {
            for error in errors {
                let mut diagnostic = Diagnostic::error(error.code, error.message);
                diagnostic.hints.extend(error.hint);
                let hint =
                    format!("a default is an expression without columns; text needs quotes: {}", quoted_text(text));
                resolution.error(diagnostic.hint(hint), pointer);
            }
            return None;
        }
    };
    let from = typed.data_type.clone();
    let converted = match conversion(&from, to) {
        _ if from == *to => typed,
        Conversion::Unsupported { reason } => {
            let message = format!("the default `{text}` is of type `{from}` and the column of type `{to}`: {reason}");
            let diagnostic = Diagnostic::error(code::plan::BAD_DEFAULT, message);
            resolution.error(diagnostic.hint(format!("give a value of type `{to}`")), pointer);
            return None;
        }
        Conversion::Exact => converted(typed, to, None),
        Conversion::Lossy { needs_loss, .. } => converted(typed, to, needs_loss.then_some(Loss::Fail)),
    };
    let wrong = match converted.eval(&nothing, &Vec::new()) {
        Ok(value) if value.is_null() => "is null, which replaces nothing".to_owned(),
        Ok(_) => return Some(TypedExpr { nullable: false, ..converted }),
        Err(error) => format!("does not fit `{to}`: {error}"),
    };
    resolution.error(Diagnostic::error(code::plan::BAD_DEFAULT, format!("the default `{text}` {wrong}")), pointer);
    None
}

fn converted(input: TypedExpr, to: &DataType, loss: Option<Loss>) -> TypedExpr {
    let nullable = input.nullable;
    TypedExpr { data_type: to.clone(), nullable, node: Node::Cast { input: Box::new(input), loss, safe: false } }
}

/// Words of the plan's line.
pub(crate) fn words(text: &str) -> String {
    format!("nulls become {text}")
}
