use super::check;
use serde_json::json;

#[test]
fn replaces_nulls() {
    let rules = json!({"columns": [{"name": "status", "default": "'unknown'"}]});
    insta::assert_snapshot!(check("status: string", rules), @r#"
    status: string!  default "status", null → 'unknown'
    < status lost: nulls became the default in `status`
    ~ status  nulls become 'unknown'
    "#);
}

#[test]
fn without_nulls_the_way_back_stays() {
    let rules = json!({"columns": [{"name": "status", "default": "'unknown'"}]});
    insta::assert_snapshot!(check("status: string!", rules), @r#"
    status: string!  default "status", null → 'unknown'
    < status = status
    ~ status  nulls become 'unknown'
    "#);
}

#[test]
fn is_converted_to_the_columns_type() {
    let rules = json!({"columns": [{"name": "amount", "type": "decimal(12,2)", "default": "0", "misfit": "null"}]});
    insta::assert_snapshot!(check("amount: int64!", rules), @r#"
    amount: decimal(12,2)!  cast "amount" → decimal(12,2), null → CAST(0 AS decimal(12,2))
    < amount lost: nulls became the default in `amount`
    ~ amount  int64 → decimal(12,2), values may not fit, misfits become null, nulls become 0
    ! column `amount` goes from `int64` to `decimal(12,2)`
    "#);
}

#[test]
fn that_do_not_fit() {
    let rules = json!({"columns": [
        {"name": "a", "default": "300"},
        {"name": "b", "default": "a"},
        {"name": "c", "default": "NULL"},
        {"name": "d", "default": "5"},
        {"name": "e", "default": "'soon'"}
    ]});
    insta::assert_snapshot!(check("a: int8; b: string; c: string; d: list<int32>; e: date", rules), @"
    GL0408 at /columns/0/default: the default `300` does not fit `int8`: value is out of the type's range
    GL0202 at /columns/1/default: there is no column `a`
        text stands in single quotes, column names in double quotes
        a default is an expression without columns; text needs quotes: 'a'
    GL0408 at /columns/2/default: a default replaces nulls, and `NULL` replaces nothing
    GL0408 at /columns/3/default: the default `5` is of type `int64` and the column of type `list<int32>`: a list, struct or map converts only to one of its own kind
        give a value of type `list<int32>`
    GL0408 at /columns/4/default: the default `'soon'` does not fit `date`: text is not of the form that the type has
    ");
}
