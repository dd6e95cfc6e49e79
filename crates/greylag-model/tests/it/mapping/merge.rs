use super::check;
use serde_json::json;

#[test]
fn follows_the_others() {
    let rules = json!({"merge": [{"from": ["first", "last"], "into": "name", "separator": " "}]});
    insta::assert_snapshot!(check("first: string; last: string!; z: date", rules), @r#"
    z: date  keep "z"
    name: string!  merge CASE WHEN coalesce("first", "last") IS NOT NULL THEN concat_ws(' ', "first", "last") END
    < first lost: merged into `name`
    < last lost: merged into `name`
    < z = z
    ~ first, last → name  merged with ' '
    ! column `first` is merged into `name`
    ! column `last` is merged into `name`
    "#);
}

#[test]
fn with_ways_back() {
    let rules = json!({
        "merge": [{"from": ["area", "number"], "into": "phone", "separator": "-"}],
        "reverse": [
            {"name": "area", "expr": "split_part(phone, '-', 1)"},
            {"name": "number", "expr": "split_part(phone, '-', 2)"}
        ]
    });
    insta::assert_snapshot!(check("area: string!; number: string!", rules), @r#"
    phone: string!  merge CASE WHEN coalesce("area", "number") IS NOT NULL THEN concat_ws('-', "area", "number") END
    < area given split_part("phone", '-', 1)
    < number given split_part("phone", '-', 2)
    ~ area, number → phone  merged with '-'
    ! column `area` is merged into `phone`
    ! column `number` is merged into `phone`
    "#);
}

#[test]
fn errors() {
    let rules = json!({"merge": [
        {"from": ["first"], "into": "a", "separator": " "},
        {"from": ["id", "lsat"], "into": "b", "separator": " "}
    ]});
    insta::assert_snapshot!(check("first: string; last: string; id: int64", rules), @"
    GL0416 at /merge/0/from: column `a` is merged from fewer than two columns
    GL0409 at /merge/1/from/0: column `id` is merged and is of type `int64`, not `string`
    GL0401 at /merge/1/from/1: the old dataset has no column `lsat`
        did you mean `last`?
    ");
}
