//! Types of columns that nobody knows, from what a text does with them.
//!
//! A column that is compared with a number is a number, one that is joined with a column of a known dataset has that one's type. Columns
//! are told apart by their names alone; a wrong guess is met by trying others.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, DataType as SqlType, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Statement, Value,
    Visit, Visitor,
};
use greylag_model::proof::{Content, ProofRequest};
use greylag_model::types::{DataType, TimeUnit};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// What a text says of columns, by their names in lower case.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    types: BTreeMap<String, DataType>,
    /// Columns that are compared with each other.
    pairs: Vec<(String, String)>,
}

/// Gives guessed columns the types that their use asks for.
pub(super) fn types(request: &mut ProofRequest, asked: &Asked) {
    let mut known: BTreeMap<String, DataType> = BTreeMap::new();
    for relation in &request.relations {
        let schemas = match &relation.content {
            Content::Changed(mapping) => vec![&mapping.target, &mapping.source],
            Content::Same { schema, guessed: false } => vec![schema],
            Content::Same { .. } => Vec::new(),
        };
        let columns = schemas.into_iter().flat_map(|schema| &schema.columns);
        known.extend(columns.map(|column| (column.name.to_lowercase(), column.data_type.clone())));
    }
    let mut found = asked.types.clone();
    // Twice, as what is compared with a guess is a guess, too.
    for _ in 0..2 {
        for (one, other) in &asked.pairs {
            for (column, like) in [(one, other), (other, one)] {
                let data_type = known.get(like).or_else(|| found.get(like)).cloned();
                if let Some(data_type) = data_type {
                    found.insert(column.clone(), data_type);
                }
            }
        }
    }
    for relation in &mut request.relations {
        let Content::Same { schema, guessed: true } = &mut relation.content else { continue };
        for column in &mut schema.columns {
            let name = column.name.to_lowercase();
            if let Some(data_type) = found.get(&name).or_else(|| known.get(&name)) {
                column.data_type.clone_from(data_type);
            }
        }
    }
}

impl Asked {
    /// Adds what a statement says.
    pub(super) fn add(&mut self, statement: &Statement) {
        let _ = statement.visit(self);
    }

    fn pair(&mut self, one: &Expr, other: &Expr) {
        match (column(one), column(other)) {
            (Some(one), Some(other)) => self.pairs.push((one, other)),
            (Some(name), None) => self.is(name, literal(other)),
            (None, Some(name)) => self.is(name, literal(one)),
            (None, None) => {}
        }
    }

    fn is(&mut self, name: String, data_type: Option<DataType>) {
        if let Some(data_type) = data_type {
            self.types.entry(name).or_insert(data_type);
        }
    }
}

impl Visitor for Asked {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::BinaryOp { left, op, right } if is_comparison(op) => self.pair(left, right),
            Expr::BinaryOp { left, op: BinaryOperator::StringConcat, right } => {
                for side in [left, right] {
                    if let Some(name) = column(side) {
                        self.is(name, Some(DataType::String));
                    }
                }
            }
            Expr::BinaryOp { left, right, .. } => {
                for (side, other) in [(left, right), (right, left)] {
                    let number = literal(other).filter(DataType::is_number);
                    if let Some(name) = column(side) {
                        self.is(name, number);
                    }
                }
            }
            Expr::InList { expr, list, .. } => list.iter().for_each(|item| self.pair(expr, item)),
            Expr::Between { expr, low, high, .. } => [low, high].iter().for_each(|end| self.pair(expr, end)),
            Expr::Like { expr, .. } | Expr::ILike { expr, .. } => {
                if let Some(name) = column(expr) {
                    self.is(name, Some(DataType::String));
                }
            }
            Expr::Function(function) => {
                let FunctionArguments::List(list) = &function.args else { return ControlFlow::Continue(()) };
                let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(arg))) = list.args.first() else {
                    return ControlFlow::Continue(());
                };
                let taken = taken(&function.name.to_string().to_lowercase());
                if let Some(name) = column(arg) {
                    self.is(name, taken);
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

fn is_comparison(op: &BinaryOperator) -> bool {
    use BinaryOperator::{Eq, Gt, GtEq, Lt, LtEq, NotEq, Spaceship};
    matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq | Spaceship)
}

fn column(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Identifier(name) => Some(name.value.clone()),
        Expr::CompoundIdentifier(parts) => parts.last().map(|name| name.value.clone()),
        Expr::Nested(inner) => column(inner),
        _ => None,
    }
}

fn literal(expr: &Expr) -> Option<DataType> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(number, _) if number.contains(['.', 'e']) => Some(DataType::Float64),
            Value::Number(..) => Some(DataType::Int64),
            Value::Boolean(_) => Some(DataType::Boolean),
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => Some(text_type(text)),
            _ => None,
        },
        Expr::UnaryOp { expr, .. } | Expr::Nested(expr) => literal(expr),
        Expr::TypedString(typed) => sql_type(&typed.data_type),
        Expr::Cast { data_type, .. } => sql_type(data_type),
        _ => None,
    }
}

/// A day is compared with days.
fn text_type(text: &str) -> DataType {
    let digits = |range: std::ops::Range<usize>| {
        text.get(range).is_some_and(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let is_day = text.len() == 10 && digits(0..4) && digits(5..7) && digits(8..10) && text.as_bytes()[4] == b'-';
    if is_day { DataType::Date } else { DataType::String }
}

fn sql_type(data_type: &SqlType) -> Option<DataType> {
    Some(match data_type {
        SqlType::Date => DataType::Date,
        SqlType::Timestamp(..) | SqlType::Datetime(_) => DataType::Timestamp { unit: TimeUnit::Us, zone: None },
        _ => return None,
    })
}

/// What a function takes first.
fn taken(name: &str) -> Option<DataType> {
    match name {
        "sum" | "avg" | "abs" | "round" | "floor" | "ceil" | "mod" | "sqrt" => Some(DataType::Int64),
        "lower" | "upper" | "trim" | "ltrim" | "rtrim" | "substr" | "substring" | "replace" | "split_part"
        | "length" => Some(DataType::String),
        _ => None,
    }
}
