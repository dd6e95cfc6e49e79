//! Division: `7 / 2` is 3.5 in some dialects and 3 in DataFusion.

use datafusion::sql::sqlparser::ast::{BinaryOperator, CastKind, DataType, ExactNumberInfo, Expr};

/// Lets `/` divide as the dialect does. Whether it had to.
pub(super) fn rewrite(expr: &mut Expr, dialect: &str) -> bool {
    if !matches!(dialect, "duckdb" | "bigquery" | "spark" | "snowflake") {
        return false;
    }
    let Expr::BinaryOp { left, op, .. } = expr else { return false };
    match op {
        BinaryOperator::Divide => {
            let inner = std::mem::replace(left.as_mut(), Expr::Value(super::literal::null()));
            **left = Expr::Cast {
                kind: CastKind::Cast,
                expr: Box::new(inner),
                data_type: DataType::Double(ExactNumberInfo::None),
                array: false,
                format: None,
            };
            true
        }
        BinaryOperator::DuckIntegerDivide => {
            *op = BinaryOperator::Divide;
            false
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::check;

    #[test]
    fn division_is_the_dialects() {
        check("duckdb", "select a / 2, b // 2", "SELECT CAST(a AS DOUBLE) / 2, b / 2");
        check("postgres", "select a / 2", "SELECT a / 2");
    }
}
