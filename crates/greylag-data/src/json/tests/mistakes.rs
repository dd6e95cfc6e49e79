//! What is wrong is named with file, line and byte; nothing is skipped or guessed.

use super::*;

fn wrong(bytes: &[u8]) -> String {
    let error = match read(bytes, &schema("a: int64; s: struct<b: string>; l: list<int64>; m: map<int8, string>")) {
        Ok(batch) => return format!("{} rows", batch.num_rows()),
        Err(error) => error,
    };
    assert!(!error.hints.is_empty(), "{error:?}");
    format!("{} {}", error.code, error.message)
}

#[test]
fn grammar() {
    let cases: &[(&[u8], &str)] = &[
        (b"{\"a\":1}\n{\"a\":2", "GL0630 `t.jsonl`, line 2, byte 6: this is not JSON: EOF while parsing an object"),
        (b"{\"a\":1}\n\n{\"a\" 2}\n", "GL0630 `t.jsonl`, line 3, byte 6: this is not JSON: expected `:`"),
        (b"{\"a\":1} {\"a\":2}", "GL0630 `t.jsonl`, line 1, byte 9: this is not JSON: trailing characters"),
        (b"{\"a\":1,}", "GL0630 `t.jsonl`, line 1, byte 8: this is not JSON: trailing comma"),
        (b"{'a':1}", "GL0630 `t.jsonl`, line 1, byte 2: this is not JSON: key must be a string"),
        (b"{\"a\":NaN}", "GL0630 `t.jsonl`, line 1, byte 6: this is not JSON: expected value"),
        (b"{\"a\":01}", "GL0630 `t.jsonl`, line 1, byte 7: this is not JSON: invalid number"),
        (
            b"{\"s\":{\"b\":\"\\ud800\"}}",
            "GL0630 `t.jsonl`, line 1, byte 18: this is not JSON: unexpected end of hex escape",
        ),
        (
            b"{\"s\":{\"b\":\"\t\"}}",
            "GL0630 `t.jsonl`, line 1, byte 11: this is not JSON: control character (\\u0000-\\u001F) found while parsing a string",
        ),
        (b"[{\"a\":1}]", "GL0630 `t.jsonl`, line 1, byte 1: an array stands where an object should"),
        (b"{\n\"a\":1\n}", "GL0630 `t.jsonl`, line 1, byte 1: this is not JSON: EOF while parsing an object"),
        (b"id,name\n1,x\n", "GL0630 `t.jsonl`, line 1, byte 1: something else stands where an object should"),
        (b"\0{}", "GL0630 `t.jsonl`, line 1, byte 1: something else stands where an object should"),
        (b"{\"a\":1}\n{\"s\":{\"b\":\"\xff\"}}", "GL0630 `t.jsonl`, line 2, byte 12: this is not UTF-8"),
        (b"\xff\xfe{\0}\0", "GL0630 `t.jsonl`, line 1, byte 1: this is not UTF-8"),
    ];
    for (bytes, expected) in cases {
        assert_eq!(wrong(bytes), *expected, "{}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn keys_and_values() {
    let cases: &[(&str, &str)] = &[
        (r#"{"a":1,"a":2}"#, "GL0633 `t.jsonl`, line 1, byte 12: the key `a` is there twice"),
        (r#"{"a":1,"\u0061":2}"#, "GL0633 `t.jsonl`, line 1, byte 17: the key `a` is there twice"),
        (r#"{"a":1,"z":2}"#, "GL0633 `t.jsonl`, line 1, byte 12: the key `z` is not among the columns"),
        (r#"{"s":{"z":null}}"#, "GL0633 `t.jsonl`, line 1, byte 11: the key `z` is not among the columns"),
        (r#"{"s":{"b":"x","b":"x"}}"#, "GL0633 `t.jsonl`, line 1, byte 19: the key `b` is there twice"),
        (r#"{"m":{"1":"x","1":"y"}}"#, "GL0633 `t.jsonl`, line 1, byte 19: the key `1` is there twice"),
        (r#"{"m":{"1.5":"x"}}"#, "GL0632 `t.jsonl`, line 1, byte 13: this is not a value of type `int8`"),
        (r#"{"l":[1,[2]]}"#, "GL0632 `t.jsonl`, line 1, byte 9: an array is not a value of type `int64`"),
        (r#"{"s":"x"}"#, "GL0632 `t.jsonl`, line 1, byte 6: a string is not a value of type `struct<b: string>`"),
        (r#"{"A":1}"#, "GL0633 `t.jsonl`, line 1, byte 6: the key `A` is not among the columns"),
    ];
    for (text, expected) in cases {
        assert_eq!(wrong(text.as_bytes()), *expected, "{text}");
    }
}

#[test]
fn what_is_no_mistake() {
    assert_eq!(wrong(b""), "0 rows");
    assert_eq!(wrong(b"\xef\xbb\xbf{\"a\":1}\r\n\r\n \t\n{\"a\":2}"), "2 rows");
    assert_eq!(wrong(b" { \"a\" : 1 , \"l\" : [ ] } \n"), "1 rows");
    // A line separator of Unicode is a letter.
    assert_eq!(wrong("{\"s\":{\"b\":\"\u{2028}\u{85}\"}}".as_bytes()), "1 rows");
}

#[test]
fn a_column_that_is_never_null_must_be_there() {
    let mut of = schema("a: int64; b: int64");
    of.columns[0].nullable = false;
    assert!(
        show(b"{\"a\":1}\n{\"a\":null}", &of).starts_with("GL0632 `t.jsonl`, line 2, byte 6: `a`, which is never null")
    );
    assert!(
        show(b"{\"a\":1}\n{\"b\":2}", &of).starts_with("GL0632 `t.jsonl`, line 2, byte 1: `a`, which is never null")
    );
}

#[test]
fn hostile_lines_end_in_an_error_and_not_in_a_death() {
    // Deep nesting, where a value of a type is expected and where nobody wants one.
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    assert_eq!(wrong(deep.as_bytes()), "GL0632 `t.jsonl`, line 1, byte 6: an array is not a value of type `int64`");
    let unwanted = read_as(deep.as_bytes(), &schema("b: int64"), &schema("a: int64; b: int64")).unwrap();
    assert_eq!(unwanted.num_rows(), 1);
    let open = "{\"a\":".repeat(500_000);
    assert!(wrong(open.as_bytes()).starts_with("GL0630 "));
    // A line without an end.
    let long = vec![b' '; (33 << 20) + 5];
    assert_eq!(wrong(&long), "GL0617 `t.jsonl`, line 1: a line of more than 32 MiB");
    let digits = format!("{{\"a\":{}}}", "9".repeat(1_000_000));
    assert_eq!(wrong(digits.as_bytes()), "GL0632 `t.jsonl`, line 1, byte 6: this is not a value of type `int64`");
}
