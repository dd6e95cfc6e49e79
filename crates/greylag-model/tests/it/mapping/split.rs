use super::check;
use serde_json::json;

#[test]
fn in_the_place_of_the_source() {
    let rules = json!({"split": [{"from": "name", "into": ["first", "middle", "last"], "separator": " "}]});
    insta::assert_snapshot!(check("a: date; name: string!; z: date", rules), @r#"
    a: date  keep "a"
    first: string!  split split_part("name", ' ', 1)
    middle: string  split CASE WHEN length("name") >= length(concat(split_part("name", ' ', 1), ' ')) THEN split_part("name", ' ', 2) END
    last: string  split CASE WHEN length("name") >= length(concat(split_part("name", ' ', 1), ' ', split_part("name", ' ', 2), ' ')) THEN substring("name", length(concat(split_part("name", ' ', 1), ' ', split_part("name", ' ', 2), ' ')) + 1) END
    z: date  keep "z"
    < a = a
    < name derived CASE WHEN "first" IS NOT NULL THEN concat_ws(' ', "first", "middle", "last") END
    < z = z
    ~ name → first, middle, last  split at ' '
    ! column `name` is split into `first`, `middle`, `last`
    "#);
}

#[test]
fn separators_are_quoted() {
    let rules = json!({"split": [{"from": "n\"", "into": ["a'", "b\""], "separator": "'"}]});
    insta::assert_snapshot!(check("n\": string", rules), @r#"
    a': string  split split_part("n""", '''', 1)
    b": string  split CASE WHEN length("n""") >= length(concat(split_part("n""", '''', 1), '''')) THEN substring("n""", length(concat(split_part("n""", '''', 1), '''')) + 1) END
    < n" derived CASE WHEN "a'" IS NOT NULL THEN concat_ws('''', "a'", "b""") END
    ~ n" → a', b"  split at ''''
    ! column `n"` is split into `a'`, `b"`
    "#);
}

#[test]
fn errors() {
    let rules = json!({"split": [
        {"from": "name", "into": ["first"], "separator": ""},
        {"from": "id", "into": ["a", "b"], "separator": ","},
        {"from": "nmae", "into": ["c", "d"], "separator": ","},
        {"from": "name", "into": ["e", "f"], "separator": ","}
    ]});
    insta::assert_snapshot!(check("name: string; id: int64", rules), @"
    GL0416 at /split/0/into: column `name` is split into fewer than two columns
    GL0416 at /split/0/separator: column `name` is split at an empty separator
    GL0409 at /split/1/from: column `id` is split and is of type `int64`, not `string`
    GL0401 at /split/2/from: the old dataset has no column `nmae`
        did you mean `name`?
    GL0403 at /split/3: column `name` is split and split
        keep one of the two rules
    ");
}
