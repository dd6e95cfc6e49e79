//! The clock stands still; chance is refused.

use datafusion::sql::sqlparser::ast::{DataType, Expr, TimezoneInfo, TypedString, Value};
use datafusion::sql::sqlparser::tokenizer::Span;

/// Functions of chance, or of who asks.
const CHANCE: &[&str] = &[
    "random",
    "rand",
    "uuid",
    "gen_random_uuid",
    "generate_uuid",
    "uuid_string",
    "newid",
    "randn",
    "uniform",
    "setseed",
    "nextval",
    "pg_backend_pid",
    "txid_current",
    "session_user",
];

const INSTANTS: &[&str] = &[
    "now",
    "current_timestamp",
    "localtimestamp",
    "getdate",
    "sysdate",
    "current_datetime",
    "transaction_timestamp",
    "statement_timestamp",
    "clock_timestamp",
    "get_current_timestamp",
];

/// The function of chance that an expression calls.
pub(super) fn chance(expr: &Expr) -> Option<String> {
    let name = called(expr)?;
    CHANCE.contains(&name.as_str()).then_some(name)
}

/// Puts a fixed time in the place of the clock. Whether there was one.
pub(super) fn freeze(expr: &mut Expr) -> bool {
    let Some(name) = called(expr) else { return false };
    let (data_type, text) = match name.as_str() {
        "current_date" | "today" | "curdate" => (DataType::Date, "2024-01-02"),
        name if INSTANTS.contains(&name) => (DataType::Timestamp(Some(6), TimezoneInfo::None), "2024-01-02 12:30:00"),
        _ => return false,
    };
    let value = Value::SingleQuotedString(text.to_owned()).with_span(Span::empty());
    *expr = Expr::TypedString(TypedString { data_type, value, uses_odbc_syntax: false });
    true
}

fn called(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Function(function) => Some(function.name.to_string().to_lowercase()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Names, Obstacle, check, translate};
    use crate::proof::parse::statements;

    #[test]
    fn the_clock_stands_still() {
        check("duckdb", "select now(), current_date", "SELECT TIMESTAMP(6) '2024-01-02 12:30:00', DATE '2024-01-02'");
    }

    #[test]
    fn chance_is_refused() {
        let Ok(mut parsed) = statements("select a from t where random() < 0.5", "duckdb") else { panic!() };
        let found = translate(&mut parsed[0], "duckdb", &mut Names::default(), &mut Vec::new());
        assert_eq!(found, Err(Obstacle::Random("random".to_owned())));
    }
}
