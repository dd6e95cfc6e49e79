use super::check;
use serde_json::json;

#[test]
fn a_renamed_column_stays_in_its_place() {
    let rules = json!({"columns": [{"name": "user_id", "from": "uid"}]});
    insta::assert_snapshot!(check("a: string; uid: int64!; z: string", rules), @r#"
    a: string  keep "a"
    user_id: int64!  rename "uid"
    z: string  keep "z"
    < a = a
    < uid = user_id
    < z = z
    ~ uid → user_id  rename
    ! column `uid` is renamed to `user_id`
    "#);
}

#[test]
fn two_names_can_be_swapped() {
    let rules = json!({"columns": [{"name": "a", "from": "b"}, {"name": "b", "from": "a"}]});
    insta::assert_snapshot!(check("a: string; b: int64", rules), @r#"
    b: string  rename "a"
    a: int64  rename "b"
    < a = b
    < b = a
    ~ a → b  rename
    ~ b → a  rename
    ! column `a` is renamed to `b`
    ! column `b` is renamed to `a`
    "#);
}

#[test]
fn one_column_can_be_carried_twice() {
    let rules = json!({"columns": [{"name": "text", "from": "a", "type": "string"}, {"name": "b", "from": "a"}]});
    insta::assert_snapshot!(check("z: date; a: int32", rules), @r#"
    z: date  keep "z"
    text: string  cast "a" → string
    b: int32  rename "a"
    < z = z
    < a = b
    ~ a → text  int32 → string, exact
    ~ a → b  rename
    ! column `a` is renamed to `text`
    ! column `text` goes from `int32` to `string`
    ! column `a` is renamed to `b`
    "#);
}

#[test]
fn odd_names_are_quoted() {
    let rules = json!({"columns": [{"name": "x\" FROM y; --", "from": "a\"b\nc"}]});
    insta::assert_snapshot!(check("a\"b\nc: int32", rules), @r#"
    x" FROM y; --: int32  rename "a""b
    c"
    < a"b
    c = x" FROM y; --
    ~ a"b
    c → x" FROM y; --  rename
    ! column `a"b
    c` is renamed to `x" FROM y; --`
    "#);
}

#[test]
fn a_copy_beside_the_column_breaks_nobody() {
    let rules = json!({"columns": [{"name": "a"}, {"name": "b", "from": "a", "type": "string"}]});
    insta::assert_snapshot!(check("a: int32", rules), @r#"
    a: int32  keep "a"
    b: string  cast "a" → string
    < a = a
    + a → b  int32 → string, exact
    "#);
}
