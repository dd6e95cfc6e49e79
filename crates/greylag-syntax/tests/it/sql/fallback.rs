//! What is not understood is said, and nothing of it is lost.

use greylag_syntax::sql::Dialect::{self, Generic};
use greylag_syntax::sql::{NoSchemas, Parsed, read};

use super::check;

#[test]
fn a_broken_statement_does_not_spoil_the_others() {
    check(
        Generic,
        "",
        "select a from t; select from where from u.x join v on b; select c from w",
        "
        a -> t.a select certain
        table t read
        unknown expected: end of statement, found: from, at line 1 column 36
        table u.x read likely
        table v read likely
        b -> x.b, v.b unknown unknown
        c -> w.c select certain
        table w read",
    );
}

#[test]
fn what_is_too_deep_or_too_long_is_unknown() {
    for text in ["(".repeat(10_000), format!("select {}1{}", "(".repeat(10_000), ")".repeat(10_000))] {
        let reading = read(&text, Generic, &NoSchemas);
        assert_eq!(reading.unknown.len(), 1);
        assert_eq!(reading.unknown[0].reason, "parentheses are nested deeper than 120");
        assert_eq!(reading.statements[0].parsed, Parsed::Unknown);
    }
    let reading = read(&"select 1;\n".repeat(5_000_000), Generic, &NoSchemas);
    assert_eq!(reading.unknown.len(), 1);
    assert_eq!(reading.unknown[0].range, 0..50_000_000);
}

#[test]
fn long_chains_do_not_overflow() {
    for text in [
        format!("select a{} from t", " + a".repeat(50_000)),
        format!("select a{} from t", "::int".repeat(20_000)),
        format!("select a from t{}", " union all select a from t".repeat(10_000)),
        format!("select a from t where {} a", "not ".repeat(5_000)),
        format!("select a{} from t", " is null".repeat(20_000)),
        format!("select {}1{}", "case when a then ".repeat(3_000), " end".repeat(3_000)),
    ] {
        let reading = read(&text, Generic, &NoSchemas);
        assert!(!reading.relations.is_empty() || !reading.unknown.is_empty(), "of {}", &text[..40]);
    }
}

#[test]
fn deep_subqueries_and_calls_end_soon() {
    let text = format!("select a from {}t{}", "(select * from ".repeat(50), ") z".repeat(50));
    let reading = read(&text, Generic, &NoSchemas);
    assert_eq!(reading.unknown[0].reason, "subqueries in `from` are nested deeper than 14");
    let text = format!("select {}a{} from t", "f(".repeat(50), ")".repeat(50));
    let reading = read(&text, Dialect::Postgres, &NoSchemas);
    assert_eq!(reading.unknown, []);
    assert_eq!(reading.columns.len(), 1);
}

#[test]
fn nested_parentheses_do_not_explode() {
    for depth in [20, 60, 100] {
        for text in [
            format!("select a from {}t{}", "(".repeat(depth), ")".repeat(depth)),
            format!("select {}a{} from t", "(".repeat(depth), ")".repeat(depth)),
            format!("{}select a from t{}", "(".repeat(depth), ")".repeat(depth)),
        ] {
            for dialect in [Dialect::BigQuery, Dialect::Snowflake, Generic] {
                let reading = read(&text, dialect, &NoSchemas);
                assert_eq!(reading.relations.len(), 1, "of {text}");
            }
        }
    }
}

#[test]
fn what_names_nothing_is_blanked() {
    for (text, expected) in [
        ("select a << b, c ** 2 from t", "a b c"),
        ("select assert.true(a), array<struct<x int64, y array<int64>>>[(b, c)] from t", "a b c"),
        ("select cast(a as array(varchar)), b >= 100_000 from t", "a b"),
        ("select a from t join @{method=hash} u on t.b << 1 = u.c", "a b c"),
        ("create snapshot table t options (x = 'y') as select a from u where b << 1 = 2", "a b"),
        ("select cast(a as struct<x array<int64>>) >> b, assert.true(c) from t", "a b c"),
    ] {
        let reading = read(text, Dialect::BigQuery, &NoSchemas);
        let mut names: Vec<&str> = reading.columns.iter().map(|column| &text[column.name.range.clone()]).collect();
        names.sort_unstable();
        assert_eq!(names.join(" "), expected, "of {text}: {:?}", reading.unknown);
        assert_eq!(reading.statements[0].parsed, Parsed::Blanked, "of {text}");
    }
}

#[test]
fn what_functions_of_json_and_versions_say_besides_is_blanked() {
    for (dialect, text, expected) in [
        (Dialect::Trino, "select json_value(a, 'lax $.x' returning varchar(10) default b on empty) as v from t", "a b"),
        (Dialect::Trino, "select json_value(a, 'lax $.x' returning bigint null on error), b from t", "a b"),
        (Dialect::Trino, "select json_query(f(a, b), 'lax $.x' with wrapper empty array on error) from t", "a b"),
        (Dialect::Trino, "select json_query(f(a, b), 'lax $.x' empty array on error error on empty) from t", "a b"),
        (
            Dialect::Trino,
            "select a from t for timestamp as of timestamp '2020-01-01 00:00:00 UTC' as u where u.b",
            "a b",
        ),
    ] {
        let reading = read(text, dialect, &NoSchemas);
        let mut names: Vec<&str> = reading.columns.iter().map(|column| &text[column.name.range.clone()]).collect();
        names.sort_unstable();
        assert_eq!((names.join(" ").as_str(), &reading.unknown[..]), (expected, &[][..]), "of {text}");
    }
}

#[test]
fn a_reason_is_a_line_that_a_person_reads_through() {
    let text = format!("select a from t where 1 '{}'", "long\n".repeat(200));
    let reading = read(&text, Dialect::Trino, &NoSchemas);
    let reason = &reading.unknown[0].reason;
    assert!(reason.chars().count() < 210 && !reason.contains('\n') && reason.contains('…'), "{reason}");
}
