use super::check;
use serde_json::json;

#[test]
fn everything_is_kept_by_default() {
    insta::assert_snapshot!(check("id: int64!; Name: string", json!({})), @r#"
    id: int64!  keep "id"
    Name: string  keep "Name"
    < id = id
    < Name = Name
    "#);
}

#[test]
fn unmentioned_columns_can_be_errors() {
    let rules = json!({"unmapped": "fail", "columns": [{"name": "id"}]});
    insta::assert_snapshot!(check("id: int64; Name: string; x: date", rules), @"
    GL0407 at /unmapped: column `Name` is not mentioned, and the mapping says `unmapped: fail`
        keep it with `- name: Name` under `columns`, or drop it with a reason
    GL0407 at /unmapped: column `x` is not mentioned, and the mapping says `unmapped: fail`
        keep it with `- name: x` under `columns`, or drop it with a reason
    ");
}

#[test]
fn mentioned_columns_are_kept_too() {
    let rules = json!({"unmapped": "fail", "columns": [{"name": "id"}]});
    insta::assert_snapshot!(check("id: int64", rules), @r#"
    id: int64  keep "id"
    < id = id
    "#);
}
