//! Random well-typed expressions: the compiled program agrees with the reference, and texts read back.

use super::cases::{rows, schema};
use super::{check_program, used};
use greylag_model::expr::{Dialect, parse_and_check};
use proptest::prelude::*;

/// What expressions are made of: text forms by the kind of their result.
fn number() -> BoxedStrategy<String> {
    let leaf = prop::sample::select(vec!["i", "j", "n", "k", "t", "d", "e", "f", "g", "1", "-2", "0", "1.25", "2.5e0"]);
    leaf.prop_map(str::to_owned)
        .prop_recursive(3, 12, 3, |inner| {
            let operator = prop::sample::select(vec!["+", "-", "*", "/", "%"]);
            let function = prop::sample::select(vec!["abs", "sign", "round", "trunc", "floor", "ceil", "- "]);
            prop_oneof![
                3 => (inner.clone(), operator, inner.clone()).prop_map(|(a, operator, b)| format!("({a} {operator} {b})")),
                2 => (function, inner.clone()).prop_map(|(function, a)| format!("{function}({a})")),
                1 => (condition(2), inner.clone(), inner.clone()).prop_map(|(when, a, b)| format!("CASE WHEN {when} THEN {a} ELSE {b} END")),
                1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("coalesce({a}, {b})")),
                1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("greatest({a}, {b})")),
                1 => text(1).prop_map(|text| format!("length({text})")),
            ]
        })
        .boxed()
}

fn text(depth: u32) -> BoxedStrategy<String> {
    let leaf = prop::sample::select(vec!["s", "r", "p", "''", "'aä%'", "'日'"]);
    leaf.prop_map(str::to_owned)
        .prop_recursive(depth, 8, 3, |inner| {
            let function = prop::sample::select(vec!["lower", "upper", "trim", "reverse", "md5"]);
            let cut = prop::sample::select(vec!["left", "right", "substring"]);
            prop_oneof![
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} || {b})")),
                (function, inner.clone()).prop_map(|(function, a)| format!("{function}({a})")),
                (cut, inner.clone()).prop_map(|(function, a)| format!("{function}({a}, n)")),
                (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("replace({a}, {b}, {c})")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("split_part({a}, {b}, n)")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("nullif({a}, {b})")),
                (inner.clone(), inner).prop_map(|(a, b)| format!("concat_ws({a}, {b}, 'x')")),
            ]
        })
        .boxed()
}

fn condition(depth: u32) -> BoxedStrategy<String> {
    let comparison =
        prop::sample::select(vec!["=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM"]);
    let operand = prop::sample::select(vec!["i", "n", "d", "f", "g", "1", "0.5", "k"]);
    let texts = prop::sample::select(vec!["s", "r", "'a'"]);
    let leaf = prop_oneof![
        Just("b".to_owned()),
        Just("c".to_owned()),
        Just("s IS NULL".to_owned()),
        Just("n IN (1, 2, NULL)".to_owned()),
        Just("s LIKE '%a%'".to_owned()),
        (operand.clone(), comparison.clone(), operand).prop_map(|(a, comparison, b)| format!("({a} {comparison} {b})")),
        (texts.clone(), comparison, texts).prop_map(|(a, comparison, b)| format!("({a} {comparison} {b})")),
    ];
    leaf.prop_recursive(depth, 6, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} AND {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} OR {b})")),
            inner.prop_map(|a| format!("(NOT {a})")),
        ]
    })
    .boxed()
}

fn agrees(text: &str) {
    let schema = schema();
    // Decimals may grow beyond what there is, literals fold to what does not fit.
    let Ok(expr) = parse_and_check(text, &schema) else { return };
    let canonical = expr.to_sql(Dialect::Canonical);
    let again = parse_and_check(&canonical, &schema).unwrap_or_else(|errors| panic!("{canonical}: {errors:?}"));
    assert_eq!(again, expr, "{text} prints as {canonical}");
    let json = serde_json::to_string(&expr).unwrap();
    assert_eq!(serde_json::from_str::<greylag_model::expr::TypedExpr>(&json).unwrap(), expr);
    let columns = used(&expr, &schema);
    check_program(text, &expr, &columns, &rows(&columns, 200));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn random_numbers_agree(text in number()) {
        agrees(&text);
    }

    #[test]
    fn random_texts_agree(text in text(3)) {
        agrees(&text);
    }

    #[test]
    fn random_conditions_agree(text in condition(3)) {
        agrees(&text);
    }
}
