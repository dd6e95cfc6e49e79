//! Functions that are a `CASE`: `if`, `iff`, `safe_divide`, `countif`.

use datafusion::sql::sqlparser::ast::helpers::attached_token::AttachedToken;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CaseWhen, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Value,
};
use datafusion::sql::sqlparser::tokenizer::Span;

/// Spells such a call out.
pub(super) fn rewrite(expr: &mut Expr) {
    let Expr::Function(function) = expr else { return };
    let name = function.name.to_string().to_lowercase();
    let Some(args) = plain_arguments(function) else { return };
    let made = match (name.as_str(), args.as_slice()) {
        ("if" | "iff", [condition, then, otherwise]) => case(condition, then, otherwise),
        ("safe_divide", [left, right]) => {
            let zero = binary(right, BinaryOperator::Eq, &number("0"));
            let double = super::spelling::as_double(left.clone());
            case(&zero, &Expr::Value(super::literal::null()), &binary(&double, BinaryOperator::Divide, right))
        }
        ("countif" | "count_if", [condition]) if function.over.is_none() => {
            let counted = case(condition, &number("1"), &number("0"));
            let sum = super::spelling::call("sum", vec![counted]);
            super::spelling::call("coalesce", vec![sum, number("0")])
        }
        _ => return,
    };
    *expr = made;
}

fn case(condition: &Expr, then: &Expr, otherwise: &Expr) -> Expr {
    Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions: vec![CaseWhen { condition: condition.clone(), result: then.clone() }],
        else_result: Some(Box::new(otherwise.clone())),
    }
}

fn binary(left: &Expr, op: BinaryOperator, right: &Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left.clone()), op, right: Box::new(right.clone()) }
}

fn number(text: &str) -> Expr {
    Expr::Value(Value::Number(text.to_owned(), false).with_span(Span::empty()))
}

/// The arguments of a call that has nothing else.
pub(super) fn plain_arguments(function: &Function) -> Option<Vec<Expr>> {
    let FunctionArguments::List(list) = &function.args else { return None };
    if list.duplicate_treatment.is_some() || !list.clauses.is_empty() || function.filter.is_some() {
        return None;
    }
    let plain = |arg: &FunctionArg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
        _ => None,
    };
    list.args.iter().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::super::check;

    #[test]
    fn conditions_are_spelled_out() {
        check(
            "bigquery",
            "select if(a > 1, 2, 3), safe_divide(a, b)",
            "SELECT CASE WHEN a > 1 THEN 2 ELSE 3 END, CASE WHEN b = 0 THEN NULL ELSE CAST(a AS DOUBLE) / b END",
        );
        check("bigquery", "select countif(a)", "SELECT coalesce(sum(CASE WHEN a THEN 1 ELSE 0 END), 0)");
    }
}
