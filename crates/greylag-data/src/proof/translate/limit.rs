//! Limits that no made-up table reaches.
//!
//! `limit 1000000` takes all of a hundred rows, whatever they are ordered by. So a large limit becomes a small one, in both texts alike;
//! limits that differ mostly stay different.

use datafusion::sql::sqlparser::ast::{Expr, Fetch, LimitClause, Query, Value};

/// Limits up to this are tried as they are.
const SMALL: u64 = 12;

/// Lowers the limit of a query. Whether it had to.
pub(super) fn lower(query: &mut Query) -> bool {
    let limit = match (&mut query.limit_clause, &mut query.fetch) {
        (Some(LimitClause::LimitOffset { limit: Some(limit), .. }), _) => limit,
        (_, Some(Fetch { quantity: Some(limit), percent: false, .. })) => limit,
        _ => return false,
    };
    let Expr::Value(value) = limit else { return false };
    let Value::Number(number, _) = &mut value.value else { return false };
    match number.parse::<u64>() {
        Ok(rows) if rows > SMALL => {
            *number = (5 + rows % 7).to_string();
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::check;

    #[test]
    fn large_limits_become_small() {
        check("duckdb", "select a from t order by a limit 1000000", "SELECT a FROM t ORDER BY a LIMIT 6");
        check("duckdb", "select a from t limit 3 offset 100", "SELECT a FROM t LIMIT 3 OFFSET 100");
    }
}
