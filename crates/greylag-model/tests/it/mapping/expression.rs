use super::check;
use serde_json::json;

#[test]
fn an_addition_leaves_its_inputs() {
    let rules = json!({"columns": [{"name": "total", "expr": "price * amount"}]});
    insta::assert_snapshot!(check("price: decimal(15,2)!; amount: int32!; z: string", rules), @r#"
    price: decimal(15,2)!  keep "price"
    amount: int32!  keep "amount"
    z: string  keep "z"
    total: decimal(25,2)!  expression "price" * CAST("amount" AS decimal(10,0))
    < price = price
    < amount = amount
    < z = z
    + total  = price * amount (decimal(25,2))
    "#);
}

#[test]
fn a_computed_column_that_carries_one_on() {
    let rules = json!({"columns": [{"name": "email", "from": "mail", "expr": "lower(mail)"}]});
    insta::assert_snapshot!(check("mail: string; z: string", rules), @r#"
    email: string  expression lower("mail")
    z: string  keep "z"
    < mail lost: computed into `email`
    < z = z
    ~ mail → email  = lower(mail) (string)
    ! column `mail` is replaced by `email`, which is computed
    "#);
}

#[test]
fn in_place_needs_from() {
    let rules = json!({"columns": [{"name": "mail", "expr": "lower(mail)"}]});
    insta::assert_snapshot!(check("mail: string", rules), @"
    GL0402 at /columns/0/name: two target columns are called `mail`
        the source column `mail` is not mentioned and so carried over as it is
        if the new column carries it on, say `from: mail`; if it ends, drop it with a reason
    ");
}

#[test]
fn converted_to_a_type() {
    let rules = json!({"columns": [
        {"name": "total", "expr": "price * 2", "type": "int32", "loss": "round", "misfit": "null"}
    ]});
    insta::assert_snapshot!(check("price: decimal(9,2)!", rules), @r#"
    price: decimal(9,2)!  keep "price"
    total: int32  expression "price" * CAST('2' AS decimal(1,0)) → int32 round
    < price = price
    + total  = price * 2 (int32)
    "#);
}

#[test]
fn errors_keep_their_codes() {
    let rules = json!({"columns": [{"name": "x", "expr": "lower(mial)"}, {"name": "y", "expr": "1 +"}]});
    insta::assert_snapshot!(check("mail: string", rules), @"
    GL0202 at /columns/0/expr: there is no column `mial`
        did you mean `mail`?
    GL0201 at /columns/1/expr: expected: an expression, found the end
    ");
}
