//! Expressions and types inside files: the place is that inside the YAML text.

use super::{mapping, show, spec};
use greylag_model::spec::parse;
use insta::assert_snapshot;

/// A mapping whose only column has these keys.
fn column(keys: &str) -> String {
    show(&mapping(&format!("    columns:\n      - name: x\n{keys}")))
}

#[test]
fn expressions_that_cannot_be_read() {
    assert_snapshot!(column("        expr: lower(a\n"), @"m.yaml:11:22: error[GL0201]: expected: ), found the end");
    assert_snapshot!(column("        expr: a + nosuch(b)\n"), @"
    m.yaml:11:19: error[GL0203]: there is no function `nosuch`
      hint: the reference page on expressions lists all
    ");
    assert_snapshot!(column("        expr: select 1\n"), @"m.yaml:11:22: error[GL0201]: expected the end of the expression, found `1`");
    assert_snapshot!(column("        expr: count(*)\n"), @"
    m.yaml:11:15: error[GL0204]: the aggregate `count` is not offered in expressions
      hint: an expression sees one row; `least` and `greatest` compare values of a row
    ");
    assert_snapshot!(column("        expr: cast(a as varchar2)\n"), @"m.yaml:11:25: error[GL0211]: `varchar2` is not a type; did you mean `varchar`?");
    assert_snapshot!(column("        expr: ''\n"), @"m.yaml:11:15: error[GL0117]: `spec.mapping.columns[0].expr` is empty");
}

#[test]
fn places_inside_quotes_and_blocks() {
    assert_snapshot!(column("        expr: 'concat(''é'', nosuch(a))'\n"), @"
    m.yaml:11:30: error[GL0203]: there is no function `nosuch`
      hint: the reference page on expressions lists all
    ");
    assert_snapshot!(column("        expr: \"'\\u00e9' || nosuch(a)\"\n"), @"
    m.yaml:11:28: error[GL0203]: there is no function `nosuch`
      hint: the reference page on expressions lists all
    ");
    assert_snapshot!(column("        expr: |\n          case\n            when nosuch(a) then 1\n          end\n"), @"
    m.yaml:13:18: error[GL0203]: there is no function `nosuch`
      hint: the reference page on expressions lists all
    ");
    assert_snapshot!(column("        expr: >-\n          a ||\n          nosuch(b)\n"), @"
    m.yaml:13:11: error[GL0203]: there is no function `nosuch`
      hint: the reference page on expressions lists all
    ");
}

#[test]
fn the_span_is_what_is_wrong() {
    let text =
        mapping("    columns:\n      - name: x\n        expr: >-\n          'é' ||\n          cast(b as varchar2)\n");
    let parsed = parse("m.yaml", &text);
    let (at, length) = parsed.diagnostics[0].place.as_ref().unwrap().span;
    assert_eq!(&text[at..at + length], "varchar2");
}

#[test]
fn defaults_have_no_columns() {
    assert_snapshot!(column("        default: unknown\n"), @r#"
    m.yaml:11:18: error[GL0135]: a default cannot read the column `unknown`
      hint: text stands in quotes of its own: `"'unknown'"`; what depends on columns goes into `expr`
    "#);
    assert_snapshot!(column("        default: coalesce(a, 'x')\n"), @r#"
    m.yaml:11:27: error[GL0135]: a default cannot read the column `a`
      hint: text stands in quotes of its own: `"'a'"`; what depends on columns goes into `expr`
    "#);
    assert_snapshot!(column("        default: 1 +\n"), @"m.yaml:11:21: error[GL0201]: expected: an expression, found the end");
    assert_snapshot!(column("        default: upper(1)\n"), @"
    m.yaml:11:24: error[GL0205]: expected `string`, found `int64`
      hint: it is `upper(string) → string`
    ");
    for good in ["0", "1.50", "true", "\"'unknown'\"", "date '2024-01-01'", "-1"] {
        assert_eq!(column(&format!("        default: {good}\n")), "Migration m", "{good}");
    }
}

#[test]
fn types_that_cannot_be_read() {
    assert_snapshot!(column("        type: float46\n"), @"
    m.yaml:11:15: error[GL0134]: `float46` is not a type; did you mean `float64`?
      hint: `docs/reference/types.md` lists the types: `int64`, `decimal(15,2)`, `timestamp(us, UTC)` …
    ");
    assert_snapshot!(column("        type: decimal(39,2)\n"), @"
    m.yaml:11:15: error[GL0134]: a decimal's precision is 1 to 38, not 39
      hint: `docs/reference/types.md` lists the types: `int64`, `decimal(15,2)`, `timestamp(us, UTC)` …
    ");
    assert_snapshot!(column("        type: timestamp(us, Mars/Olympus)\n"), @"
    m.yaml:11:15: error[GL0134]: `Mars/Olympus` is not a time zone; expected e.g. `UTC`, `Europe/Berlin` or `+02:00`
      hint: `docs/reference/types.md` lists the types: `int64`, `decimal(15,2)`, `timestamp(us, UTC)` …
    ");
    assert_snapshot!(column("        type: list<\n"), @"
    m.yaml:11:15: error[GL0134]: expected a type, expected e.g. `int64`, `decimal(15,2)`, `timestamp(us, UTC)`, `list<string>`, `struct<a: int32, b: string>` or `map<string, int64>`
      hint: `docs/reference/types.md` lists the types: `int64`, `decimal(15,2)`, `timestamp(us, UTC)` …
    ");
    assert_snapshot!(column("        type: ''\n"), @"m.yaml:11:15: error[GL0117]: `spec.mapping.columns[0].type` is empty");
}

#[test]
fn expressions_of_checks_and_ways_back() {
    assert_snapshot!(show(&spec("  datasets: [{from: a, to: b}]\n  checks: [{expr: a >}]\n  mapping: {reverse: [{name: x, expr: (y}]}\n")), @"
    m.yaml:7:22: error[GL0201]: expected: an expression, found the end
    m.yaml:8:41: error[GL0201]: expected: ), found the end
    ");
}
