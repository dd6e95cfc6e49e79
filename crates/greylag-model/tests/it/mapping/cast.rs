use super::check;
use serde_json::{Value, json};

/// One column `a` of a type, retyped by a rule; the rest of the rule is merged in.
fn cast(from: &str, to: &str, rest: Value) -> String {
    let mut rule = json!({"name": "a", "type": to});
    rule.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    check(&format!("a: {from}"), json!({"columns": [rule]}))
}

/// The line of the way back alone.
fn back(from: &str, to: &str, rest: Value) -> String {
    cast(from, to, rest).lines().filter(|line| line.starts_with('<')).collect()
}

#[test]
fn exact() {
    insta::assert_snapshot!(cast("int32!", "int64", json!({})), @r#"
    a: int64!  cast "a" → int64
    < a derived CAST("a" AS int32)
    ~ a  int32 → int64, exact
    ! column `a` goes from `int32` to `int64`
    "#);
}

#[test]
fn the_same_type_is_no_cast() {
    insta::assert_snapshot!(cast("int32!", "int32", json!({})), @r#"
    a: int32!  keep "a"
    < a = a
    "#);
}

#[test]
fn lossy_needs_a_policy() {
    insta::assert_snapshot!(cast("decimal(15,2)", "int64", json!({})), @"
    GL0404 at /columns/0/type: column `a`: `decimal(15,2)` → `int64` can lose something and needs a policy
        `loss: truncate` cuts off towards zero (timestamps: towards the past)
        `loss: round` takes the nearest, halves away from zero
        `loss: fail` lets nothing be lost: such a value does not fit, and `misfit` says what then
    ");
}

#[test]
fn lossy_with_a_policy() {
    insta::assert_snapshot!(cast("decimal(15,2)", "int64", json!({"loss": "round"})), @r#"
    a: int64  cast "a" → int64 round
    < a lost: rounded from `decimal(15,2)` to `int64`
    ~ a  decimal(15,2) → int64, round
    ! column `a` goes from `decimal(15,2)` to `int64`
    "#);
}

#[test]
fn misfits_become_null() {
    insta::assert_snapshot!(cast("int64!", "int32", json!({"misfit": "null"})), @r#"
    a: int32  cast "a" → int32
    < a lost: values that do not fit become null in `a`
    ~ a  int64 → int32, values may not fit, misfits become null
    ! column `a` goes from `int64` to `int32`
    ! column `a` may be null now
    "#);
}

#[test]
fn misfits_are_rejected() {
    insta::assert_snapshot!(cast("int64!", "int32", json!({"misfit": "reject"})), @r#"
    a: int32!  cast "a" → int32
    < a derived CAST("a" AS int64)
    ~ a  int64 → int32, values may not fit, misfits are rejected
    ! column `a` goes from `int64` to `int32`
    "#);
}

#[test]
fn without_meaning() {
    insta::assert_snapshot!(cast("list<int32>", "string", json!({})), @"
    GL0405 at /columns/0/type: column `a`: there is no conversion `list<int32>` → `string`: a list, struct or map converts only to one of its own kind
        say with `expr` what is meant, or choose another type
    ");
}

#[test]
fn of_a_type_that_does_not_exist() {
    insta::assert_snapshot!(cast("int32", "int63", json!({})), @"GL0406 at /columns/0/type: `int63` is not a type; did you mean `int64`?");
}

#[test]
fn written_as_an_expression() {
    let rules = json!({"columns": [{"name": "b", "from": "a", "expr": "CAST(a AS int64)"}]});
    insta::assert_snapshot!(check("a: int32!", rules), @r#"
    b: int64!  cast CAST("a" AS int64)
    < a derived CAST("b" AS int32)
    ~ a → b  int32 → int64, exact
    ! column `a` is renamed to `b`
    ! column `b` goes from `int32` to `int64`
    "#);
}

#[test]
fn ways_back() {
    let table = [
        ("int32", "int64", json!({})),
        ("int64", "int32", json!({})),
        ("int64", "int32", json!({"misfit": "reject"})),
        ("int64", "int32", json!({"misfit": "null"})),
        ("decimal(15,2)", "float64", json!({})),
        ("decimal(18,2)", "float64", json!({"loss": "round"})),
        ("decimal(18,2)", "float64", json!({"loss": "round", "tolerance": {"relative": 1e-15}})),
        ("list<decimal(6,2)>", "list<float32>", json!({})),
        ("decimal(15,3)", "decimal(15,2)", json!({"loss": "truncate"})),
        ("decimal(15,3)", "decimal(15,2)", json!({"loss": "fail"})),
        ("decimal(15,3)", "decimal(15,2)", json!({"loss": "round", "tolerance": {"absolute": 0.005}})),
        ("float64", "int64", json!({"loss": "fail"})),
        ("float64", "float32", json!({"loss": "round"})),
        ("date", "timestamp(us)", json!({})),
        ("date", "timestamp(us, UTC)", json!({})),
        ("date", "timestamp(us, Europe/Berlin)", json!({"loss": "round"})),
        ("timestamp(us)", "date", json!({"loss": "truncate"})),
        ("timestamp(us)", "timestamp(us, UTC)", json!({})),
        ("timestamp(ms)", "timestamp(ns)", json!({})),
        ("timestamp(us, Europe/Berlin)", "timestamp(us, UTC)", json!({})),
        ("timestamp(us, Europe/Berlin)", "timestamp(us)", json!({"loss": "truncate"})),
        ("int64", "string", json!({})),
        ("date", "string", json!({})),
        ("string", "int64", json!({})),
        ("string", "date", json!({})),
        ("binary", "string", json!({})),
        ("boolean", "int8", json!({})),
        ("int8", "boolean", json!({})),
    ];
    let line =
        |(from, to, rest): (&str, &str, Value)| format!("{from} → {to} {rest}\n    {}\n", back(from, to, rest.clone()));
    insta::assert_snapshot!(table.map(line).concat(), @r#"
    int32 → int64 {}
        < a derived CAST("a" AS int32)
    int64 → int32 {}
        < a derived CAST("a" AS int64)
    int64 → int32 {"misfit":"reject"}
        < a derived CAST("a" AS int64)
    int64 → int32 {"misfit":"null"}
        < a lost: values that do not fit become null in `a`
    decimal(15,2) → float64 {}
        < a derived CAST("a" AS decimal(15,2) ROUND)
    decimal(18,2) → float64 {"loss":"round"}
        < a lost: rounded from `decimal(18,2)` to `float64`
    decimal(18,2) → float64 {"loss":"round","tolerance":{"relative":1e-15}}
        < a derived CAST("a" AS decimal(18,2) ROUND) within Tolerance { absolute: None, relative: Some(1e-15) }
    list<decimal(6,2)> → list<float32> {}
        < a derived CAST("a" AS list<decimal(6,2)> ROUND)
    decimal(15,3) → decimal(15,2) {"loss":"truncate"}
        < a lost: truncated from `decimal(15,3)` to `decimal(15,2)`
    decimal(15,3) → decimal(15,2) {"loss":"fail"}
        < a derived CAST("a" AS decimal(15,3))
    decimal(15,3) → decimal(15,2) {"loss":"round","tolerance":{"absolute":0.005}}
        < a derived CAST("a" AS decimal(15,3)) within Tolerance { absolute: Some(0.005), relative: None }
    float64 → int64 {"loss":"fail"}
        < a derived CAST("a" AS float64 FAIL) within Tolerance { absolute: Some(0.0), relative: None }
    float64 → float32 {"loss":"round"}
        < a lost: rounded from `float64` to `float32`
    date → timestamp(us) {}
        < a derived CAST("a" AS date FAIL)
    date → timestamp(us, UTC) {}
        < a derived CAST("a" AS date FAIL)
    date → timestamp(us, Europe/Berlin) {"loss":"round"}
        < a lost: rounded from `date` to `timestamp(us, Europe/Berlin)`
    timestamp(us) → date {"loss":"truncate"}
        < a lost: truncated from `timestamp(us)` to `date`
    timestamp(us) → timestamp(us, UTC) {}
        < a derived CAST("a" AS timestamp(us))
    timestamp(ms) → timestamp(ns) {}
        < a derived CAST("a" AS timestamp(ms) FAIL)
    timestamp(us, Europe/Berlin) → timestamp(us, UTC) {}
        < a derived CAST("a" AS timestamp(us, Europe/Berlin))
    timestamp(us, Europe/Berlin) → timestamp(us) {"loss":"truncate"}
        < a lost: truncated from `timestamp(us, Europe/Berlin)` to `timestamp(us)`
    int64 → string {}
        < a derived CAST("a" AS int64)
    date → string {}
        < a derived CAST("a" AS date)
    string → int64 {}
        < a lost: text can spell one `int64` in several ways
    string → date {}
        < a lost: text can spell one `date` in several ways
    binary → string {}
        < a derived CAST("a" AS binary)
    boolean → int8 {}
        < a derived CAST("a" AS boolean)
    int8 → boolean {}
        < a lost: `int8` → `boolean` cannot be taken back exactly
    "#);
}
