use super::check;
use serde_json::json;

/// Renamed, retyped, defaulted and judged at once: one line, one operation, and a judgement.
#[test]
fn one_column_with_everything() {
    let rules = json!({"columns": [{
        "name": "user_id", "from": "uid", "type": "int32", "misfit": "null", "default": "0",
        "judgement": {"guide": "https://example.org", "text": "0 means unknown"}
    }]});
    insta::assert_snapshot!(check("uid: int64", rules), @r#"
    user_id: int32!  cast "uid" → int32, null → CAST(0 AS int32)
    < uid lost: nulls became the default in `user_id`
    ~ uid → user_id  int64 → int32, values may not fit, misfits become null, nulls become 0
    ? user_id  0 means unknown (guide: https://example.org)
    ! column `uid` is renamed to `user_id`
    ! column `user_id` goes from `int64` to `int32`
    "#);
}

/// As the bench on TPC-H does it: renames, decimals to doubles, dates to timestamps, one derived, one dropped.
#[test]
fn lineitem() {
    let source = "l_orderkey: int64!; l_extendedprice: decimal(15,2)!; l_discount: decimal(15,2)!; \
                  l_shipdate: date!; l_comment: string!";
    let rules = json!({
        "columns": [
            {"name": "order_key", "from": "l_orderkey"},
            {"name": "l_extendedprice", "type": "float64", "loss": "round"},
            {"name": "l_discount", "type": "float64", "loss": "round"},
            {"name": "l_shipdate", "type": "timestamp(us)"},
            {"name": "revenue", "expr": "l_extendedprice * (1 - l_discount)"}
        ],
        "drop": [{"name": "l_comment", "reason": "free text that nobody reads"}]
    });
    insta::assert_snapshot!(check(source, rules), @r#"
    order_key: int64!  rename "l_orderkey"
    l_extendedprice: float64!  cast "l_extendedprice" → float64
    l_discount: float64!  cast "l_discount" → float64
    l_shipdate: timestamp(us)!  cast "l_shipdate" → timestamp(us)
    revenue: decimal(31,4)!  expression "l_extendedprice" * (CAST('1' AS decimal(1,0)) - "l_discount")
    < l_orderkey = order_key
    < l_extendedprice derived CAST("l_extendedprice" AS decimal(15,2) ROUND)
    < l_discount derived CAST("l_discount" AS decimal(15,2) ROUND)
    < l_shipdate derived CAST("l_shipdate" AS date FAIL)
    < l_comment lost: dropped: free text that nobody reads
    ~ l_orderkey → order_key  rename
    ~ l_extendedprice  decimal(15,2) → float64, exact
    ~ l_discount  decimal(15,2) → float64, exact
    ~ l_shipdate  date → timestamp(us), values may not fit
    + revenue  = l_extendedprice * (1 - l_discount) (decimal(31,4))
    - l_comment  dropped: free text that nobody reads
    ! column `l_orderkey` is renamed to `order_key`
    ! column `l_extendedprice` goes from `decimal(15,2)` to `float64`
    ! column `l_discount` goes from `decimal(15,2)` to `float64`
    ! column `l_shipdate` goes from `date` to `timestamp(us)`
    ! column `l_comment` is dropped
    "#);
}
