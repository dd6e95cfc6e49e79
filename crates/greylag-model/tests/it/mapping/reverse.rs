use super::check;
use serde_json::json;

#[test]
fn given_ones_win_and_are_converted_where_that_is_exact() {
    let rules = json!({
        "columns": [
            {"name": "cents", "from": "price", "expr": "price * 100", "type": "int64", "loss": "fail",
             "tolerance": {"absolute": 0.001}},
            {"name": "b", "from": "a"}
        ],
        "reverse": [
            {"name": "price", "expr": "CAST(cents AS decimal(18,0)) / 100", "lost": null},
            {"name": "a", "lost": "we do not want it back"}
        ]
    });
    insta::assert_snapshot!(check("price: float64; a: string", rules), @r#"
    cents: int64  expression "price" * CAST('100.0' AS float64) → int64 fail
    b: string  rename "a"
    < price given CAST("cents" AS decimal(18,0)) / CAST('100' AS decimal(3,0)) within Tolerance { absolute: Some(0.001), relative: None }
    < a lost: we do not want it back
    ~ price → cents  = price * 100 (int64)
    ~ a → b  rename
    ! column `price` is replaced by `cents`, which is computed
    ! column `cents` goes from `float64` to `int64`
    ! column `a` is renamed to `b`
    "#);
}

#[test]
fn errors_before_the_target_stands() {
    let rules = json!({"reverse": [
        {"name": "a"},
        {"name": "b", "expr": "b", "lost": "twice"},
        {"name": "c", "lost": ""},
        {"name": "d", "lost": "not there"},
        {"name": "b", "lost": "again"}
    ]});
    insta::assert_snapshot!(check("a: string; b: string; c: string", rules), @"
    GL0410 at /reverse/0: the reverse of `a` has neither `expr` nor `lost`
        give an expression over target columns, or say why there is none
    GL0410 at /reverse/1: the reverse of `b` has both `expr` and `lost`
    GL0410 at /reverse/2/lost: the reverse of `c` is lost without a reason
    GL0401 at /reverse/3/name: the old dataset has no column `d`
        its columns are `a`, `b`, `c`
    GL0403 at /reverse/4: column `b` has two reverses
        keep one of the two rules
    ");
}

#[test]
fn errors_against_the_target() {
    let rules = json!({
        "columns": [{"name": "user_id", "from": "uid"}],
        "reverse": [{"name": "uid", "expr": "uid"}, {"name": "a", "expr": "length(a)"}]
    });
    insta::assert_snapshot!(check("uid: int64; a: string", rules), @"
    GL0202 at /reverse/0/expr: there is no column `uid`
        text stands in single quotes, column names in double quotes
    GL0410 at /reverse/1/expr: the reverse of `a` is of type `int64`, and the column of type `string`
        write `CAST(… AS string)`
    ");
}
