//! Expression: a target column computed from source columns.
//!
//! The way back is derived only where the expression does nothing but hand a column on (or cast one); everything else
//! is lost unless the file gives it. Without `from` the column is an addition and its inputs are carried over besides.

use crate::expr::{Node, TypedExpr};
use crate::mapping::ReverseWay;
use crate::plan::{Change, ChangeSymbol};
use crate::types::DataType;

/// Whether an expression reads any column at all.
pub(crate) fn reads_columns(expr: &TypedExpr) -> bool {
    match &expr.node {
        Node::Column(_) => true,
        Node::Literal(_) => false,
        Node::Call { args, .. } => args.iter().any(reads_columns),
        Node::Cast { input, .. } => reads_columns(input),
        Node::Case { branches, otherwise } => {
            branches.iter().any(|(condition, result)| reads_columns(condition) || reads_columns(result))
                || otherwise.as_deref().is_some_and(reads_columns)
        }
    }
}

/// Calls `seen` with the name of every column that an expression reads, repeats included.
pub fn each_column<'e>(expr: &'e TypedExpr, seen: &mut impl FnMut(&'e str)) {
    match &expr.node {
        Node::Column(name) => seen(name),
        Node::Literal(_) => {}
        Node::Call { args, .. } => args.iter().for_each(|argument| each_column(argument, seen)),
        Node::Cast { input, .. } => each_column(input, seen),
        Node::Case { branches, otherwise } => {
            for (condition, result) in branches {
                each_column(condition, seen);
                each_column(result, seen);
            }
            if let Some(otherwise) = otherwise {
                each_column(otherwise, seen);
            }
        }
    }
}

/// The way back of the column that it carries on, unless the file gives one.
pub(crate) fn reverse(target: &str) -> ReverseWay {
    ReverseWay::Lost(format!("computed into `{target}`"))
}

/// What readers of the carried column meet.
pub(crate) fn breaks(from: &str, to: &str) -> String {
    if from == to {
        format!("column `{from}` has computed values")
    } else {
        format!("column `{from}` is replaced by `{to}`, which is computed")
    }
}

/// The plan's line: `~ price → price_eur  = price * 0.92 (decimal(15,4))` or, for an addition, `+ total  = …`.
pub(crate) fn change(from: Option<&str>, to: &str, text: &str, data_type: &DataType) -> Change {
    let detail = format!("= {} ({data_type})", text.trim());
    match from {
        Some(from) => Change { symbol: ChangeSymbol::Change, subject: super::rename::subject(from, to), detail },
        None => Change { symbol: ChangeSymbol::Add, subject: to.to_owned(), detail },
    }
}
