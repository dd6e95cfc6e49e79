//! Where a derived reverse is claimed exact, mapping and then reversing any row gives the row back.

use super::{resolved, schema};
use greylag_model::expr::TypedExpr;
use greylag_model::mapping::{Mapping, ReverseWay};
use greylag_model::schema::Schema;
use greylag_model::value::Value;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use serde_json::{Value as Json, json};

/// The target's row: expression, then cast, then default; `None` if a value does not fit.
fn forward(mapping: &Mapping, row: &[Value]) -> Option<Vec<Value>> {
    let cell = |column: &greylag_model::mapping::ColumnMapping| {
        let expr = match &column.cast {
            Some(cast) => column.expr.clone().cast_to(&cast.to, cast.loss).unwrap(),
            None => column.expr.clone(),
        };
        let value = expr.eval(&mapping.source, &row.to_vec()).ok()?;
        match (&column.default, value.is_null()) {
            (Some(default), true) => default.eval(&Schema::default(), &Vec::new()).ok(),
            _ => Some(value),
        }
    };
    mapping.columns.iter().map(cell).collect()
}

/// The source's row from the target's.
fn back(mapping: &Mapping, row: &[Value]) -> Vec<Value> {
    let row = row.to_vec();
    let cell = |way: &ReverseWay| match way {
        ReverseWay::Same(name) => row[mapping.target.find(name).unwrap().0].clone(),
        ReverseWay::Expr { expr, .. } => expr.eval(&mapping.target, &row).unwrap(),
        ReverseWay::Lost(why) => panic!("lost: {why}"),
    };
    mapping.reverse.iter().map(|reverse| cell(&reverse.way)).collect()
}

/// The one column's value there and back, if it fits.
fn round_trip(source: &str, rule: &Json, value: Value) -> Result<(), TestCaseError> {
    let mapping = resolved(source, rule.clone()).unwrap().mapping;
    assert!(mapping.is_total_reverse(), "{rule}");
    let row = vec![value];
    if let Some(target) = forward(&mapping, &row) {
        prop_assert_eq!(back(&mapping, &target), row, "through {:?}", target);
    }
    Ok(())
}

fn cast(to: &str, loss: Option<&str>) -> Json {
    json!({"columns": [{"name": "b", "from": "a", "type": to, "loss": loss}]})
}

fn decimal(precision: u8, scale: u8) -> impl Strategy<Value = Value> {
    let limit = 10_i128.pow(u32::from(precision)) - 1;
    prop_oneof![-limit..=limit, Just(limit), Just(-limit), -9_i128..=9]
        .prop_map(move |value| Value::Decimal(value, scale))
}

proptest! {
    #[test]
    fn decimals_through_doubles(value in decimal(15, 2)) {
        round_trip("a: decimal(15,2)", &cast("float64", None), value)?;
    }

    #[test]
    fn decimals_through_doubles_all_digits_behind_the_point(value in decimal(15, 15)) {
        round_trip("a: decimal(15,15)", &cast("float64", Some("truncate")), value)?;
    }

    #[test]
    fn decimals_through_floats(value in decimal(6, 3)) {
        round_trip("a: decimal(6,3)", &cast("float32", None), value)?;
    }

    #[test]
    fn integers_through_smaller_ones(value in any::<i64>()) {
        round_trip("a: int64", &cast("int16", None), Value::Int(value.into()))?;
        round_trip("a: int64", &cast("decimal(18,3)", None), Value::Int(value.into()))?;
        round_trip("a: int64", &cast("float64", Some("fail")), Value::Int(value.into()))?;
        round_trip("a: int64", &cast("string", None), Value::Int(value.into()))?;
    }

    #[test]
    fn decimals_through_smaller_ones(value in decimal(15, 3)) {
        round_trip("a: decimal(15,3)", &cast("decimal(9,1)", Some("fail")), value)?;
    }

    #[test]
    fn days_through_instants(value in any::<i32>()) {
        round_trip("a: date", &cast("timestamp(us)", None), Value::Date(value))?;
        round_trip("a: date", &cast("timestamp(ns, UTC)", None), Value::Date(value))?;
        round_trip("a: date", &cast("string", None), Value::Date(value))?;
    }

    #[test]
    fn instants_through_other_units(value in any::<i64>()) {
        round_trip("a: timestamp(ms)", &cast("timestamp(ns)", None), Value::Timestamp(value))?;
        round_trip("a: timestamp(us)", &cast("timestamp(s)", Some("fail")), Value::Timestamp(value))?;
        round_trip("a: timestamp(us)", &cast("string", None), Value::Timestamp(value))?;
        round_trip("a: timestamp(us)", &cast("date", Some("fail")), Value::Timestamp(value / 86_400_000_000 * 86_400_000_000))?;
        round_trip("a: timestamp(us, UTC)", &cast("timestamp(us, Europe/Berlin)", None), Value::Timestamp(value))?;
    }

    #[test]
    fn texts_that_are_split(value in "[ab,]{0,12}", parts in 2_usize..5, separator in "[,a]{1,2}") {
        let into: Vec<String> = (0..parts).map(|number| format!("p{number}")).collect();
        let rules = json!({"split": [{"from": "a", "into": into, "separator": separator}]});
        round_trip("a: string", &rules, Value::String(value))?;
        round_trip("a: string", &rules, Value::Null)?;
    }

    /// Each part of a split is what cutting the text at most so often gives.
    #[test]
    fn splits_cut_from_the_left(value in "[ab,ä]{0,12}", parts in 2_usize..5) {
        let into: Vec<String> = (0..parts).map(|number| format!("p{number}")).collect();
        let rules = json!({"split": [{"from": "a", "into": into, "separator": ","}]});
        let mapping = resolved("a: string", rules).unwrap().mapping;
        let mut expected: Vec<Value> = value.splitn(parts, ',').map(|part| Value::String(part.to_owned())).collect();
        expected.resize(parts, Value::Null);
        prop_assert_eq!(forward(&mapping, &[Value::String(value)]), Some(expected));
    }

    #[test]
    fn merges_leave_nulls_out(values in proptest::collection::vec(proptest::option::of("[ab]{0,2}"), 3)) {
        let rules = json!({"merge": [{"from": ["a", "b", "c"], "into": "m", "separator": "-"}]});
        let mapping = resolved("a: string; b: string; c: string", rules).unwrap().mapping;
        let present: Vec<&str> = values.iter().flatten().map(String::as_str).collect();
        let expected = if present.is_empty() { Value::Null } else { Value::String(present.join("-")) };
        let row: Vec<Value> =
            values.iter().map(|value| value.clone().map_or(Value::Null, Value::String)).collect();
        prop_assert_eq!(forward(&mapping, &row), Some(vec![expected]));
    }

    /// Nothing that a value can be makes a target column null that is said to have no nulls.
    #[test]
    fn nullability_is_kept(value in proptest::option::of(any::<i64>())) {
        let rules = json!({"columns": [
            {"name": "small", "from": "a", "type": "int8", "misfit": "null", "default": "7"},
            {"name": "text", "from": "a", "type": "string", "default": "''"}
        ]});
        let mapping = resolved("a: int64", rules).unwrap().mapping;
        prop_assert!(mapping.target.columns.iter().all(|column| !column.nullable));
        let row = vec![value.map_or(Value::Null, |value| Value::Int(value.into()))];
        if let Some(target) = forward(&mapping, &row) {
            prop_assert!(target.iter().all(|value| !value.is_null()));
        }
    }
}

/// Every reverse that is derived has the source column's type.
#[test]
fn reverses_have_the_type_of_their_column() {
    let rules = json!({
        "columns": [{"name": "b", "from": "a", "type": "int64"}, {"name": "x", "from": "d", "type": "float64"}],
        "split": [{"from": "n", "into": ["f", "l"], "separator": " "}]
    });
    let source = "a: int8; d: decimal(9,2); n: string; k: list<int32>";
    let mapping = resolved(source, rules).unwrap().mapping;
    for (column, reverse) in schema(source).columns.iter().zip(&mapping.reverse) {
        let expr = match &reverse.way {
            ReverseWay::Same(name) => TypedExpr::column(mapping.target.find(name).unwrap().1),
            ReverseWay::Expr { expr, .. } => expr.clone(),
            ReverseWay::Lost(why) => panic!("{why}"),
        };
        assert_eq!(expr.data_type, column.data_type);
    }
}
