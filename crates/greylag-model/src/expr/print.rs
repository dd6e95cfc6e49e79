//! Typed expressions back to text.

use super::duckdb::Duck;
use super::function::Form;
use super::{Function, Literal, Node, TypedExpr};
use crate::spec::Loss;
use crate::types::DataType;
use std::fmt::Write as _;

/// Which SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// The language itself: reads back to the same typed expression.
    Canonical,
    /// DuckDB, with the same meaning; row errors are errors of the query.
    DuckDb,
}

impl TypedExpr {
    /// Its text in a dialect.
    pub fn to_sql(&self, dialect: Dialect) -> String {
        match dialect {
            Dialect::Canonical => canonical(self),
            Dialect::DuckDb => Duck::default().expr(self),
        }
    }
}

/// A name in double quotes.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Text in single quotes.
pub(super) fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

fn loss_word(loss: Option<Loss>) -> &'static str {
    match loss {
        None => "",
        Some(Loss::Round) => " ROUND",
        Some(Loss::Truncate) => " TRUNCATE",
        Some(Loss::Fail) => " FAIL",
    }
}

fn canonical(expr: &TypedExpr) -> String {
    match &expr.node {
        Node::Column(name) => quoted(name),
        Node::Literal(value) => literal(value, &expr.data_type),
        Node::Cast { input, loss, safe } => {
            let word = if *safe { "TRY_CAST" } else { "CAST" };
            format!("{word}({} AS {}{})", canonical(input), expr.data_type, loss_word(*loss))
        }
        Node::Case { branches, otherwise } => {
            let mut text = String::from("CASE");
            for (when, then) in branches {
                let _ = write!(text, " WHEN {} THEN {}", canonical(when), canonical(then));
            }
            if let Some(other) = otherwise {
                let _ = write!(text, " ELSE {}", canonical(other));
            }
            text + " END"
        }
        Node::Call { function, args } => call(*function, args),
    }
}

/// In parentheses unless it reads as one whatever stands beside it.
fn operand(expr: &TypedExpr) -> String {
    let text = canonical(expr);
    let whole = match &expr.node {
        Node::Column(_) | Node::Cast { .. } => true,
        Node::Literal(_) => !text.starts_with('-'),
        Node::Call { function, .. } => function.spec().form == Form::Call,
        Node::Case { .. } => false,
    };
    if whole { text } else { format!("({text})") }
}

fn call(function: Function, args: &[TypedExpr]) -> String {
    let spec = function.spec();
    let all = |separator: &str| args.iter().map(operand).collect::<Vec<_>>().join(separator);
    match (function, args) {
        (Function::In, [first, rest @ ..]) => {
            let list: Vec<String> = rest.iter().map(canonical).collect();
            format!("{} IN ({})", operand(first), list.join(", "))
        }
        (Function::Like, [value, pattern, escape]) => {
            format!("{} LIKE {} ESCAPE {}", operand(value), operand(pattern), operand(escape))
        }
        (Function::Field, [value, TypedExpr { node: Node::Literal(Literal::String(name)), .. }]) => {
            format!("({}).{}", canonical(value), quoted(name))
        }
        (Function::Element, [list, index]) => format!("({})[{}]", canonical(list), canonical(index)),
        _ => match spec.form {
            Form::Call => {
                let list: Vec<String> = args.iter().map(canonical).collect();
                format!("{}({})", spec.name, list.join(", "))
            }
            Form::Infix => all(&format!(" {} ", spec.name)),
            // A sign before a bare literal would be read as the literal's.
            Form::Prefix if matches!(args, [TypedExpr { node: Node::Literal(_), .. }]) => {
                format!("{} ({})", spec.name, all(""))
            }
            Form::Prefix => format!("{} {}", spec.name, all("")),
            Form::Postfix => format!("{} {}", all(""), spec.name),
        },
    }
}

fn literal(value: &Literal, data_type: &DataType) -> String {
    match value {
        Literal::Null => format!("CAST(NULL AS {data_type})"),
        Literal::Boolean(value) => value.to_string(),
        Literal::Integer(digits) if *data_type == DataType::Int64 => digits.clone(),
        Literal::Integer(digits) => format!("CAST({digits} AS {data_type})"),
        Literal::Decimal(digits) => {
            let natural = digits.trim_start_matches(['-', '0', '.']).chars().filter(char::is_ascii_digit).count();
            let scale = digits.split_once('.').map_or(0, |(_, fraction)| fraction.len());
            let precision = natural.max(scale).max(1);
            let as_written = *data_type == DataType::Decimal { precision: precision as u8, scale: scale as u8 };
            if scale > 0 && as_written { digits.clone() } else { format!("CAST('{digits}' AS {data_type})") }
        }
        Literal::Float(digits) => format!("CAST('{digits}' AS {data_type})"),
        Literal::String(value) => text(value),
        Literal::Temporal(value) => format!("CAST('{value}' AS {data_type})"),
        Literal::Binary(hex) => format!("X'{hex}'"),
    }
}
