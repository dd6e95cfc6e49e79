//! Datasets of JSON lines: what is inferred of them.

use super::*;
use crate::chunk::Extent;

fn types(lines: &[&str]) -> String {
    let estate = Estate::new();
    estate.text("t.jsonl", &lines.iter().flat_map(|line| [line, "\n"]).collect::<String>());
    let shown = estate.show("t.jsonl", &[]);
    match shown.split_once('\n') {
        Some((head, columns)) if head.starts_with("json") => {
            columns.trim_end().lines().map(|line| line.replace('"', "")).collect::<Vec<_>>().join("; ")
        }
        _ => shown,
    }
}

#[test]
fn types_that_nobody_declared() {
    let numbers = |texts: &[&str]| {
        let lines: Vec<String> = texts.iter().map(|text| format!("{{\"a\":{text}}}")).collect();
        types(&lines.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let cases: &[(&[&str], &str)] = &[
        (&["1", "-2", "null"], "a int64"),
        (&["1", "2.5"], "a float64"),
        (&["1.0"], "a float64"),
        (&["1e5"], "a float64"),
        (&["-0"], "a float64"),
        (&["9223372036854775807", "-9223372036854775808"], "a int64"),
        (&["18446744073709551615", "0"], "a uint64"),
        (&["18446744073709551615", "-1"], "a decimal(38,0)"),
        (&["12345678901234567890123456789012345678"], "a decimal(38,0)"),
        (&["0.12345678901234567891", "1"], "a decimal(38,20)"),
        (&["9007199254740993", "0.5"], "a decimal(38,1)"),
        (&["true", "null"], "a boolean"),
        (&["null"], "a string"),
        (&["\"2024-02-29\""], "a string"),
        (&["[]"], "a list<string>"),
        (&["[]", "[[1],null]", "[[2.5]]"], "a list<list<float64>>"),
        (&["{\"x\":1}", "{\"y\":{\"z\":true}}", "null"], "a struct<x: int64, y: struct<z: boolean>>"),
        (&["[{\"x\":1},{\"y\":\"\"}]"], "a list<struct<x: int64, y: string>>"),
    ];
    for (texts, expected) in cases {
        assert_eq!(numbers(texts), *expected, "{texts:?}");
    }
    for texts in [&["123456789012345678901234567890123456789"][..], &["0.12345678901234567891", "1e5"], &["1e400"]] {
        insta::allow_duplicates! {
            insta::assert_snapshot!(numbers(texts), @"GL0615 the key `a` of `ROOT/t.jsonl` has no type: its numbers have more digits than a type carries exactly, or too unequal ones");
        }
    }
    insta::assert_snapshot!(numbers(&["{}"]), @"GL0615 the key `a` of `ROOT/t.jsonl` has no type: all its objects are empty, and a struct has a field at least");
}

#[test]
fn columns_are_the_keys_of_all_lines() {
    insta::assert_snapshot!(types(&[r#"{"b":1}"#, "", r#"{"a":"x","b":2,"é\n":[1]}"#]), @r#"b int64; a string; é\n list<int64>"#);
    insta::assert_snapshot!(types(&[]), @"GL0613 `ROOT/t.jsonl` has no keys");
}

#[test]
fn a_key_of_two_types_names_both_lines() {
    insta::assert_snapshot!(types(&[r#"{"a":null}"#, r#"{"a":1}"#, r#"{"b":2,"a":"x"}"#]), @"GL0631 `ROOT/t.jsonl`, line 3, byte 12: `a` is a string here and a number in line 2 of `ROOT/t.jsonl`");
    insta::assert_snapshot!(types(&[r#"{"a":[1,{"b":2}]}"#]), @"GL0631 `ROOT/t.jsonl`, line 1, byte 9: `a` is an object here and a number in line 1 of `ROOT/t.jsonl`");
    insta::assert_snapshot!(types(&[r#"{"a":1,"a":1}"#]), @"GL0633 `ROOT/t.jsonl`, line 1, byte 12: the key `a` is there twice");
}

#[test]
fn hostile_files() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(types(&[&deep]), "GL0617 `ROOT/t.jsonl`, line 1, byte 70: values are nested deeper than 64");
    let keys: Vec<String> = (0..30_000).map(|key| format!("\"k{key}\":1")).collect();
    let shown = types(&[&format!("{{{}}}", keys.join(","))]);
    assert!(shown.ends_with("the objects have more than 20000 different keys"), "{shown}");
}

#[test]
fn what_is_declared_is_not_inferred() {
    let estate = Estate::new();
    estate.text(
        "t.json",
        "{\"id\":1,\"at\":\"2024-01-01T00:00:00Z\",\"m\":{\"x\":1,\"y\":2}}\n{\"id\":2,\"m\":{\"z\":\"\"}}\n",
    );
    let columns = [("greylag.dev/columns", "at: timestamp(s, UTC), m: map<string, string>, more: date")];
    insta::assert_snapshot!(estate.show("t.json", &columns), @r#"
    json File files 1 rows Some(2)
    "id" int64
    "at" timestamp(s, UTC)
    "m" map<string, string>
    "more" date
    "#);
    let whole = [("greylag.dev/columns", "m: map<string, string>, at: timestamp(s, UTC), id: int16")];
    insta::assert_snapshot!(estate.show("t.json", &whole), @r#"
    json File files 1 rows Some(2)
    "m" map<string, string>
    "at" timestamp(s, UTC)
    "id" int16
    "#);
    let nested = [("greylag.dev/columns", "m: map<list<int8>, string>")];
    insta::assert_snapshot!(estate.show("t.json", &nested), @"GL0626 column `m` is declared as `map<list<int8>, string>`: a key of JSON is text, and this map's keys are nested");
}

#[test]
fn partitions_and_directories() {
    let estate = Estate::new();
    estate
        .text("t/day=2024-01-01/a.jsonl", "{\"id\":1,\"x\":true}\n")
        .text("t/day=2024-01-02/a.ndjson", "{\"id\":2}\n{\"id\":3,\"x\":false}\n")
        .text("t/day=2024-01-02/_notes.json", "[]");
    insta::assert_snapshot!(estate.show("t", &[]), @r#"
    json Directory files 2 rows Some(3)
    "id" int64
    "x" boolean
    "day" date
    by day
    "#);
    insta::assert_snapshot!(estate.rows("t", 10), @r"
    chunk-00000
    +----+------+------------+
    | id | x    | day        |
    +----+------+------------+
    | 1  | true | 2024-01-01 |
    +----+------+------------+
    chunk-00001
    +----+-------+------------+
    | id | x     | day        |
    +----+-------+------------+
    | 2  |       | 2024-01-02 |
    | 3  | false | 2024-01-02 |
    +----+-------+------------+
    ");
    estate
        .text("two/users.jsonl", "{\"id\":1,\"name\":\"x\",\"mail\":\"y\"}\n")
        .text("two/orders.jsonl", "{\"id\":1,\"uid\":2,\"sum\":3}\n");
    insta::assert_snapshot!(estate.show("two", &[]), @"GL0614 `ROOT/two/users.jsonl` has 1 of its 3 keys in common with other files");
    estate.text("odd/a.jsonl", "{\"id\":1}\n").text("odd/b.jsonl", "{\"id\":\"1\"}\n");
    insta::assert_snapshot!(estate.show("odd", &[]), @"GL0614 `ROOT/odd/b.jsonl`, line 1, byte 7: `id` is a string here and a number in line 1 of `ROOT/odd/a.jsonl`");
}

#[test]
fn a_large_file_is_cut_between_lines() {
    let estate = Estate::new();
    let lines: Vec<String> = (0..1000).map(|row| format!("{{\"id\":{row},\"s\":\"\\n\"}}")).collect();
    estate.text("t.jsonl", &lines.join("\n"));
    let observed = estate.observe("t.jsonl", &[]).unwrap();
    let facts = estate.files.facts(&observed.dataset, &observed.layout, 2_000).unwrap();
    let chunks = plan_chunks(&facts, 2_000);
    assert!(chunks.len() > 5);
    assert!(chunks.iter().all(|chunk| matches!(chunk.parts[0].extent, Extent::Bytes { .. })));
    assert_eq!(chunks, plan_chunks(&estate.files.facts(&observed.dataset, &observed.layout, 2_000).unwrap(), 2_000));
    let shown = estate.rows("t.jsonl", 2_000);
    for row in 0..1000 {
        assert_eq!(shown.matches(&format!("| {row:<4}")).count(), 1, "{row}\n{shown}");
    }
}
