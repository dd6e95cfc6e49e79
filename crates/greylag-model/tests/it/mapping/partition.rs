use super::{partitioned, show};
use serde_json::json;

#[test]
fn columns_are_carried_through_the_mapping_and_come_last() {
    let rules = json!({"columns": [
        {"name": "jahr", "from": "year", "type": "int64"},
        {"name": "extra", "expr": "v + 1"}
    ]});
    insta::assert_snapshot!(show(partitioned("v: int64; year: int32; month: int32", &["year", "month"], None, rules)), @r#"
    v: int64  keep "v"
    extra: int64  expression "v" + 1
    jahr: int64  cast "year" → int64
    month: int32  keep "month"
    < v = v
    < year derived CAST("jahr" AS int32)
    < month = month
    partitions jahr/month
    + extra  = v + 1 (int64)
    ~ year → jahr  int32 → int64, exact
    ! column `year` is renamed to `jahr`
    ! column `jahr` goes from `int32` to `int64`
    "#);
}

#[test]
fn dropped_ones_are_partitions_no_more() {
    let rules = json!({"drop": [{"name": "month", "reason": "too fine"}]});
    insta::assert_snapshot!(show(partitioned("v: int64; year: int32; month: int32", &["year", "month"], None, rules)), @r#"
    v: int64  keep "v"
    year: int32  keep "year"
    < v = v
    < year = year
    < month lost: dropped: too fine
    partitions year
    - month  dropped: too fine
    ! column `month` is dropped
    "#);
}

#[test]
fn asked_for() {
    let outcome = partitioned("a: int64; b: date; c: string; year: int32", &["year"], Some(&["c", "a"]), json!({}));
    insta::assert_snapshot!(show(outcome), @r#"
    b: date  keep "b"
    year: int32  keep "year"
    c: string  keep "c"
    a: int64  keep "a"
    < a = a
    < b = b
    < c = c
    < year = year
    partitions c/a
    "#);
}

#[test]
fn errors() {
    let asked: &[&str] = &["b", "b", "nested", "yaer"];
    let outcome = partitioned("b: date; nested: list<int32>; year: int32", &[], Some(asked), json!({}));
    insta::assert_snapshot!(show(outcome), @"
    GL0414 at layout /partitionBy/1: partition column `b` is named twice
    GL0414 at layout /partitionBy/2: partition column `nested` is of type `list<int32>`, which cannot be part of a path
        partition by a scalar column, or give it another `type`
    GL0401 at layout /partitionBy/3: the new dataset has no column `yaer`
        did you mean `year`?
    ");
    let outcome = partitioned("b: date; year: int32", &[], Some(&["yaer"]), json!({}));
    insta::assert_snapshot!(show(outcome), @"
    GL0401 at layout /partitionBy/0: the new dataset has no column `yaer`
        did you mean `year`?
    ");
    let outcome = partitioned("b: date; year: int32", &[], Some(&["year", "b"]), json!({}));
    insta::assert_snapshot!(show(outcome), @"GL0411 at : every column left is a partition column in the new dataset");
}
