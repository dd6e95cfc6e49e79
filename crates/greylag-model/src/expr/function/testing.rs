//! Text in, text out: what the tests of functions speak.
#![expect(clippy::unwrap_used, reason = "tests")]

use crate::cast::convert;
use crate::expr::{Dialect, parse_and_check};
use crate::schema::{Column, Schema};
use crate::types::DataType;
use crate::value::Value;

fn column(name: &str, data_type: &str, value: Value) -> (Column, Value) {
    (Column { name: name.into(), data_type: data_type.parse().unwrap(), nullable: true }, value)
}

/// Evaluates an expression on one row with a struct `s`, a null struct `t`, a list `l` and a map `m`, and checks the
/// text of the result; and that its canonical text, and its JSON, read back to itself.
#[track_caller]
pub(crate) fn check(text: &str, expected: &str) {
    let shape = "struct<a: int32, \"b c\": string>";
    let row = [
        column("s", shape, Value::Struct(vec![Value::Int(1), Value::String("x".into())])),
        column("t", shape, Value::Null),
        column("l", "list<int64>", Value::List(vec![Value::Int(10), Value::Int(20)])),
        column("m", "map<string, int32>", Value::Map(vec![(Value::String("k".into()), Value::Int(1))])),
    ];
    let schema = Schema { columns: row.iter().map(|(column, _)| column.clone()).collect() };
    let values: Vec<Value> = row.into_iter().map(|(_, value)| value).collect();
    let typed = parse_and_check(text, &schema).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
    let canonical = typed.to_sql(Dialect::Canonical);
    let again = parse_and_check(&canonical, &schema).unwrap_or_else(|errors| panic!("{canonical}: {errors:?}"));
    assert_eq!(again, typed, "{canonical}");
    let json = serde_json::to_string(&typed).unwrap();
    assert_eq!(serde_json::from_str::<crate::expr::TypedExpr>(&json).unwrap(), typed, "{json}");
    let said = match typed.eval(&schema, &values) {
        Ok(Value::Null) => "null".to_owned(),
        Ok(value) => match convert(value, &typed.data_type, &DataType::String, None) {
            Ok(Value::String(text)) => text,
            other => panic!("{text}: {other:?}"),
        },
        Err(error) => format!("error: {error}"),
    };
    assert_eq!(said, expected, "{text}");
}
