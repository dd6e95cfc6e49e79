//! The expression language of mappings: a closed, typed subset of SQL.
//!
//! [`parse()`] reads text into [`Expr`] (untyped, with names and places), [`Expr::check`] types it against a schema into
//! [`TypedExpr`], which is what mappings and plans hold, what `greylag-data` compiles to DataFusion, what the SQL
//! printers ([`TypedExpr::to_sql`]) print, and what [`TypedExpr::eval`] evaluates row by row: the written semantics,
//! and the independent second evaluation of verification.
//!
//! **What a value is.** Every function has one file under `function/` that says its types, its meaning, its text in
//! DuckDB, and tests it. Rules that hold for all:
//! - Null in, null out, unless a function says otherwise; conditions are three-valued.
//! - A *row error* (division by zero, overflow, a value that does not fit) concerns its row only; the column's
//!   `misfit` says what then. Operands are all evaluated, so that an error in any of them is the row's, except the
//!   branches of `CASE` that are not taken and the arguments of `coalesce` behind the first that is not null.
//! - Integer arithmetic is done in `int64` (with a `uint64` operand in `decimal(20,0)`), float arithmetic in
//!   `float64` by IEEE 754, decimals by the rules of each operator.
//! - NaN equals itself and is greater than every other number; `-0.0` equals `0.0`.
//! - Text is compared by its UTF-8 bytes; positions and lengths count characters (code points).
//! - Nothing is converted unasked but where every value is kept, and numbers to float64 beside a float.

use crate::cast::{Conversion, conversion};
use crate::code::Code;
use crate::schema::{Column, Schema};
use crate::spec::Loss;
use crate::types::DataType;
use serde::{Deserialize, Serialize};

mod check;
mod duckdb;
mod eval;
mod function;
mod literal;
mod parse;
mod print;
mod serial;
#[cfg(test)]
mod tests;

pub(crate) use duckdb::data_type_name;
pub use eval::{Bound, Row, RowError};
pub use function::{Form, Function, Site, function_markdown};
pub use parse::{LARGEST, parse};
pub use print::Dialect;

/// An error in an expression. `span` is a byte range in the expression's text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExprError {
    /// `GL02xx`.
    pub code: Code,
    /// What is wrong, lower case.
    pub message: String,
    /// Where in the text, if known.
    pub span: Option<(usize, usize)>,
    /// What to do.
    pub hint: Option<String>,
}

impl ExprError {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), span: None, hint: None }
    }

    pub(crate) fn at(mut self, span: (usize, usize)) -> Self {
        self.span = self.span.or(Some(span));
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// An expression as written: names not yet looked up, types not yet known.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// Byte range in the text.
    pub span: (usize, usize),
    /// What it is.
    pub kind: ExprKind,
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A column by name.
    Column(String),
    /// A literal.
    Literal(Literal),
    /// A function or operator.
    Call {
        /// Which.
        function: Function,
        /// Arguments.
        args: Vec<Expr>,
    },
    /// `CAST(input AS data_type LOSS)` or `TRY_CAST`.
    Cast {
        /// What is cast.
        input: Box<Expr>,
        /// To which type.
        data_type: DataType,
        /// `TRUNCATE`, `ROUND` or `FAIL` behind the type.
        loss: Option<Loss>,
        /// `TRY_CAST`: null instead of a row error.
        safe: bool,
    },
    /// `CASE`, the form with an operand already spelled out.
    Case {
        /// Condition and result.
        branches: Vec<(Expr, Expr)>,
        /// Result of no match.
        otherwise: Option<Box<Expr>>,
    },
}

/// A typed expression node. Serialises into plans as a flat list of nodes, so that no reader's depth limit is met.
#[derive(Clone, Debug, PartialEq)]
pub struct TypedExpr {
    /// Type of the result.
    pub data_type: DataType,
    /// Whether the result may be null.
    pub nullable: bool,
    /// What it is.
    pub node: Node,
}

/// What a typed expression is.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// A column of the input, by name.
    Column(String),
    /// A literal.
    Literal(Literal),
    /// A function or operator of the closed set, with arguments already cast to what it takes.
    Call {
        /// Which.
        function: Function,
        /// Arguments.
        args: Vec<TypedExpr>,
    },
    /// A cast. A value that does not fit is an error of the row (see `misfit` of the column).
    Cast {
        /// What is cast.
        input: Box<TypedExpr>,
        /// What happens to what the type cannot carry exactly; `None` where nothing can be lost, or it is a misfit.
        loss: Option<Loss>,
        /// `TRY_CAST`: what does not fit is null.
        safe: bool,
    },
    /// `CASE WHEN … THEN … ELSE … END`; an absent `else` is null.
    Case {
        /// Condition and result.
        branches: Vec<(TypedExpr, TypedExpr)>,
        /// Result of no match.
        otherwise: Option<Box<TypedExpr>>,
    },
}

/// A literal. Text forms are canonical.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Literal {
    /// Null of the expression's type.
    Null,
    /// Boolean.
    Boolean(bool),
    /// Integer in its decimal text (so that 64-bit values survive JSON).
    Integer(String),
    /// Fixed-point number in its decimal text.
    Decimal(String),
    /// Float in the shortest text that reads back equal, or `nan`, `inf`, `-inf`.
    Float(String),
    /// Text.
    String(String),
    /// ISO date, time or timestamp in the type's unit and zone.
    Temporal(String),
    /// Bytes in hex.
    Binary(String),
}

/// Parses and types an expression in one go.
pub fn parse_and_check(text: &str, schema: &Schema) -> Result<TypedExpr, Vec<ExprError>> {
    parse(text).map_err(|error| vec![error])?.check(schema)
}

impl TypedExpr {
    /// The column itself.
    pub fn column(column: &Column) -> Self {
        Self { data_type: column.data_type.clone(), nullable: column.nullable, node: Node::Column(column.name.clone()) }
    }

    /// A null of a type.
    pub fn null(data_type: DataType) -> Self {
        Self { data_type, nullable: true, node: Node::Literal(Literal::Null) }
    }

    /// A text literal.
    pub fn text(text: impl Into<String>) -> Self {
        Self { data_type: DataType::String, nullable: false, node: Node::Literal(Literal::String(text.into())) }
    }

    /// A call, typed as if it had been written: arguments are checked and converted as the function asks.
    pub fn call(function: Function, args: Vec<Self>) -> Result<Self, ExprError> {
        check::call(function, args)
    }

    /// Children in evaluation order.
    pub fn children(&self) -> Vec<&Self> {
        match &self.node {
            Node::Column(_) | Node::Literal(_) => Vec::new(),
            Node::Call { args, .. } => args.iter().collect(),
            Node::Cast { input, .. } => vec![input],
            Node::Case { branches, otherwise } => branches
                .iter()
                .flat_map(|(condition, result)| [condition, result])
                .chain(otherwise.as_deref())
                .collect(),
        }
    }

    /// Columns that it reads, each once, in the order of first use.
    pub fn columns(&self) -> Vec<&str> {
        fn walk<'a>(expr: &'a TypedExpr, found: &mut Vec<&'a str>) {
            if let Node::Column(name) = &expr.node
                && !found.contains(&name.as_str())
            {
                found.push(name);
            }
            expr.children().into_iter().for_each(|child| walk(child, found));
        }
        let mut found = Vec::new();
        walk(self, &mut found);
        found
    }

    /// The column that it is, if it is nothing but a column.
    pub fn as_column(&self) -> Option<&str> {
        match &self.node {
            Node::Column(name) => Some(name),
            _ => None,
        }
    }

    /// Converts it to another type; itself if it has that type. `loss` must be given where the matrix asks for it,
    /// else it is optional: what would be lost is then a misfit.
    pub fn cast_to(self, to: &DataType, loss: Option<Loss>) -> Result<Self, ExprError> {
        check::cast(self, to, loss, false)
    }

    /// Whether evaluating it can fail on a row: a cast that may not fit, arithmetic, and the like. `false` is certain.
    pub fn may_fail(&self) -> bool {
        let here = match &self.node {
            Node::Column(_) | Node::Literal(_) | Node::Case { .. } => false,
            Node::Cast { input, safe, loss } => {
                !safe
                    && match conversion(&input.data_type, &self.data_type) {
                        Conversion::Exact => false,
                        Conversion::Lossy { may_misfit, needs_loss } => {
                            may_misfit || (needs_loss && *loss == Some(Loss::Fail))
                        }
                        Conversion::Unsupported { .. } => true,
                    }
            }
            Node::Call { function, .. } => function.may_fail(&self.data_type),
        };
        here || self.children().into_iter().any(Self::may_fail)
    }
}

/// What is not offered in expressions, and why: a page for people.
pub fn left_out_markdown() -> String {
    let lines: Vec<String> = LEFT_OUT.iter().map(|(what, why)| format!("- {what}: {why}")).collect();
    lines.join("\n") + "\n"
}

/// Parts of SQL that are left out because no one meaning can be had everywhere.
const LEFT_OUT: &[(&str, &str)] = &[
    (
        "regular expressions",
        "engines differ in syntax and in what `\\d`, `\\w` and case-insensitivity mean beyond ASCII",
    ),
    ("`ILIKE`", "case folding differs; write `lower(a) LIKE 'b%'`"),
    (
        "intervals and `timestamp + interval`",
        "engines differ on months and on days across clock changes; `date + integer` adds days",
    ),
    ("`to_timestamp` with a format", "format languages differ; `CAST` reads ISO text"),
    ("comparison of lists, structs and maps", "engines differ on nulls inside them"),
    ("subscripts of maps", "engines differ on what a missing key gives"),
    ("aggregates, windows and sub-queries", "an expression sees one row"),
    ("`random`, `now` and the like", "a migration that is run again must give the same rows"),
];
