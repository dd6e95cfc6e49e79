//! Texts to statements, with all names in lower case.
//!
//! Engines differ in what the case of a name means. Tables are registered with lower-case names, and every word of a text is put
//! into lower case before it is parsed, quoted ones too, strings not. So two names that differ by case alone are one; a relation
//! whose columns do so is refused.

use datafusion::sql::sqlparser::ast::Statement;
use datafusion::sql::sqlparser::dialect::{
    BigQueryDialect, DatabricksDialect, Dialect, DuckDbDialect, GenericDialect, PostgreSqlDialect, SnowflakeDialect,
};
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

/// How deep expressions and queries may be nested.
const DEPTH: usize = 64;

/// The parser's dialect of a name; Trino has none of its own there.
fn dialect(name: &str) -> Box<dyn Dialect> {
    match name {
        "bigquery" => Box::new(BigQueryDialect {}),
        "postgres" => Box::new(PostgreSqlDialect {}),
        "duckdb" => Box::new(DuckDbDialect {}),
        "snowflake" => Box::new(SnowflakeDialect {}),
        "spark" => Box::new(DatabricksDialect {}),
        _ => Box::new(GenericDialect {}),
    }
}

/// The statements of a text in its dialect or, failing that, in the generic one; else the parser's reason for its own.
pub(super) fn statements(text: &str, named: &str) -> Result<Vec<Statement>, String> {
    let own = parsed(text, dialect(named).as_ref());
    own.or_else(|why| parsed(text, &GenericDialect {}).map_err(|_| why))
}

/// The statements of a text that was made here of parts of a statement, with names between `"`: where a dialect has strings there, it is
/// read in the generic one.
pub(super) fn made(text: &str, named: &str) -> Result<Vec<Statement>, String> {
    let read_as = if dialect(named).is_delimited_identifier_start('"') { named } else { "generic" };
    statements(text, read_as)
}

fn parsed(text: &str, dialect: &dyn Dialect) -> Result<Vec<Statement>, String> {
    let mut tokens = Tokenizer::new(dialect, text).tokenize_with_location().map_err(|error| error.to_string())?;
    tokens.iter_mut().for_each(lower);
    let mut parser = Parser::new(dialect).with_recursion_limit(DEPTH).with_tokens_with_locations(tokens);
    parser.parse_statements().map_err(|error| error.to_string())
}

fn lower(token: &mut TokenWithSpan) {
    if let Token::Word(word) = &mut token.token {
        word.value = word.value.to_lowercase();
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::{made, statements};

    fn check(dialect: &str, text: &str, expected: &str) {
        let parsed = statements(text, dialect).unwrap();
        assert_eq!(parsed.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "), expected);
    }

    #[test]
    fn names_are_in_lower_case_and_strings_as_they_are() {
        check("duckdb", "select \"A b\", X as Y, 'Zz' from T;", "SELECT \"a b\", x AS y, 'Zz' FROM t");
        check("bigquery", "select `A` from `P.D.T`", "SELECT `a` FROM `p`.`d`.`t`");
    }

    #[test]
    fn quotes_of_what_is_made_here_are_of_names() {
        for dialect in ["bigquery", "spark", "duckdb"] {
            let made = made("select \"t\".`b`, 'c' from \"a.t\" as \"t\"", dialect);
            let shown = made.map(|made| made.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "));
            let expected = "SELECT \"t\".`b`, 'c' FROM \"a.t\" AS \"t\"";
            assert_eq!(shown.as_deref(), Ok(expected), "{dialect}");
        }
    }

    #[test]
    fn what_is_no_sql_is_refused() {
        assert!(statements("select from where (((", "duckdb").is_err());
        assert!(statements(&"(".repeat(10_000), "duckdb").is_err());
    }
}
