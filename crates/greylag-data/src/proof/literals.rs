//! The literals of texts, from which rows are made.

use super::rows::pool::Literals;
use datafusion::sql::sqlparser::ast::{Expr, UnaryOperator, Value, Visit, Visitor};
use std::ops::ControlFlow;

/// Adds the literals of something to others.
pub(super) fn collect(of: &impl Visit, literals: &mut Literals) {
    let _ = of.visit(&mut Collect(literals));
}

struct Collect<'a>(&'a mut Literals);

impl Visitor for Collect<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Expr::UnaryOp { op: UnaryOperator::Minus, expr } = expr
            && let Expr::Value(value) = expr.as_ref()
            && let Value::Number(number, _) = &value.value
        {
            self.0.number(&format!("-{number}"));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_value(&mut self, value: &Value) -> ControlFlow<()> {
        match value {
            Value::Number(number, _) => self.0.number(number),
            Value::SingleQuotedString(text) => self.0.text(text),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}
