use super::check;
use serde_json::json;

#[test]
fn from_a_constant() {
    let rules = json!({"columns": [
        {"name": "origin", "expr": "'v1'"},
        {"name": "version", "type": "int16", "default": "2"},
        {"name": "later", "type": "timestamp(us, UTC)", "expr": "NULL"}
    ]});
    insta::assert_snapshot!(check("id: int64!", rules), @r#"
    id: int64!  keep "id"
    origin: string!  new 'v1'
    version: int16!  new CAST(2 AS int16)
    later: timestamp(us, UTC)  new CAST(NULL AS timestamp(us, UTC))
    < id = id
    + origin  new string = 'v1'
    + version  new int16 = 2
    + later  new timestamp(us, UTC) = NULL
    "#);
}

#[test]
fn needs_a_value() {
    let rules = json!({"columns": [{"name": "user_nmae", "type": "string"}]});
    insta::assert_snapshot!(check("user_name: string", rules), @"
    GL0401 at /columns/0/name: the old dataset has no column `user_nmae`
        did you mean `user_name`?
        a renamed column has `from`, a computed one `expr`, a new one `expr` or `default`
    ");
}
