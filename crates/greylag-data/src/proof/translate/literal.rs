//! Literals that DataFusion spells otherwise.

use datafusion::sql::sqlparser::ast::{Value, ValueWithSpan};
use datafusion::sql::sqlparser::tokenizer::Span;

/// Strings of all kinds of quotes become plain ones.
pub(super) fn rewrite(value: &mut Value) {
    let text = match value {
        Value::DoubleQuotedString(text)
        | Value::TripleDoubleQuotedString(text)
        | Value::TripleSingleQuotedString(text)
        | Value::SingleQuotedRawStringLiteral(text)
        | Value::DoubleQuotedRawStringLiteral(text)
        | Value::EscapedStringLiteral(text) => std::mem::take(text),
        Value::DollarQuotedString(text) => std::mem::take(&mut text.value),
        _ => return,
    };
    *value = Value::SingleQuotedString(text);
}

/// `NULL`.
pub(super) fn null() -> ValueWithSpan {
    Value::Null.with_span(Span::empty())
}

#[cfg(test)]
mod tests {
    use super::super::check;

    #[test]
    fn strings_are_plain() {
        check("bigquery", "select \"a\", r'b'", "SELECT 'a', 'b'");
        check("duckdb", "select $$a$$", "SELECT 'a'");
    }
}
