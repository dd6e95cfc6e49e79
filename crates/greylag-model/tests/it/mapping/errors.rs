use super::check;
use serde_json::json;

#[test]
fn all_are_collected() {
    let rules = json!({
        "columns": [
            {"name": "", "from": "id"},
            {"name": "x", "from": "nmae"},
            {"name": "y", "from": "name", "type": "int65"},
            {"name": "z", "from": "amount", "type": "int32"},
            {"name": "z", "expr": "1"}
        ],
        "drop": [{"name": "id", "reason": "also carried"}],
        "reverse": [{"name": "amount"}]
    });
    insta::assert_snapshot!(check("id: int64; name: string; amount: float64", rules), @"
    GL0416 at /columns/0/name: a target column has an empty name
    GL0401 at /columns/1/from: the old dataset has no column `nmae`
        did you mean `name`?
    GL0406 at /columns/2/type: `int65` is not a type; did you mean `int64`?
    GL0404 at /columns/3/type: column `z`: `float64` → `int32` can lose something and needs a policy
        `loss: truncate` cuts off towards zero (timestamps: towards the past)
        `loss: round` takes the nearest, halves away from zero
        `loss: fail` lets nothing be lost: such a value does not fit, and `misfit` says what then
    GL0403 at /drop/0: column `id` is carried over and dropped
        keep one of the two rules
    GL0410 at /reverse/0: the reverse of `amount` has neither `expr` nor `lost`
        give an expression over target columns, or say why there is none
    ");
}

#[test]
fn a_source_without_columns() {
    insta::assert_snapshot!(check("", json!({})), @"GL0411 at : the old dataset has no columns");
}

#[test]
fn a_source_with_a_column_twice() {
    insta::assert_snapshot!(check("a: int64; a: string", json!({})), @"GL0402 at : the old dataset has two columns `a`");
}

#[test]
fn contradictions() {
    let rules = json!({
        "drop": [{"name": "a", "reason": "one"}, {"name": "a", "reason": "two"}],
        "split": [{"from": "b", "into": ["c", "d"], "separator": ","}],
        "merge": [{"from": ["b", "a"], "into": "e", "separator": ","}]
    });
    insta::assert_snapshot!(check("a: string; b: string", rules), @"
    GL0403 at /merge/0/from/0: column `b` is split and merged
        keep one of the two rules
    GL0403 at /drop/0: column `a` is merged and dropped
        keep one of the two rules
    GL0403 at /drop/1: column `a` is merged and dropped
        keep one of the two rules
    ");
}

#[test]
fn an_unknown_name_that_is_like_none_lists_the_columns() {
    let rules = json!({"columns": [{"name": "x", "from": "qqqq"}]});
    insta::assert_snapshot!(check("id: int64; name: string", rules), @"
    GL0401 at /columns/0/from: the old dataset has no column `qqqq`
        its columns are `id`, `name`
    ");
}
