//! Errors and the shapes of expressions, as text.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::{Dialect, TypedExpr, parse_and_check};
use crate::schema::{Column, Schema};
use crate::spec::Loss;
use std::fmt::Write as _;

fn schema() -> Schema {
    let column = |(name, data_type): (&str, &str)| Column {
        name: name.into(),
        data_type: data_type.parse().unwrap(),
        nullable: name != "id",
    };
    let columns = [
        ("id", "int64"),
        ("small", "int8"),
        ("big", "uint64"),
        ("price", "decimal(15,2)"),
        ("rate", "float64"),
        ("name", "string"),
        ("Order \"Id\"", "string"),
        ("größe", "int32"),
        ("day", "date"),
        ("at", "timestamp(us)"),
        ("seen", "timestamp(ms, Europe/Berlin)"),
        ("who", "struct<a: int32, b: list<string>>"),
    ];
    Schema { columns: columns.into_iter().map(column).collect() }
}

/// Canonical text and type, or every error with the text that it stands at.
#[track_caller]
fn check(text: &str, expected: &str) {
    let said = match parse_and_check(text, &schema()) {
        Ok(typed) => {
            let null = if typed.nullable { "" } else { " not null" };
            format!("{} : {}{null}", typed.to_sql(Dialect::Canonical), typed.data_type)
        }
        Err(errors) => errors.iter().fold(String::new(), |mut all, error| {
            let place = error.span.map_or(String::new(), |(start, end)| format!(" at `{}`", &text[start..end]));
            let _ = write!(all, "{}: {}{place}", error.code, error.message);
            if let Some(hint) = &error.hint {
                let _ = write!(all, "; {hint}");
            }
            all + "\n"
        }),
    };
    assert_eq!(said.trim_end(), expected);
}

#[test]
fn types_follow_the_written_rules() {
    check("small + 1", "CAST(\"small\" AS int64) + 1 : int64");
    check("big + 1", "CAST(\"big\" AS decimal(20,0)) + CAST('1' AS decimal(1,0)) : decimal(21,0)");
    check("price * 2", "\"price\" * CAST('2' AS decimal(1,0)) : decimal(16,2)");
    check("price * 1.19", "\"price\" * 1.19 : decimal(18,4)");
    check("price + small", "\"price\" + CAST(\"small\" AS decimal(3,0)) : decimal(16,2)");
    check("price * rate", "CAST(\"price\" AS float64) * \"rate\" : float64");
    check("id * rate", "CAST(\"id\" AS float64 ROUND) * \"rate\" : float64");
    check("small = 1", "\"small\" = CAST(1 AS int8) : boolean");
    check("small = 1000", "CAST(\"small\" AS int64) = 1000 : boolean");
    check("coalesce(price, 0)", "coalesce(\"price\", CAST('0.00' AS decimal(15,2))) : decimal(15,2) not null");
    check("\"Order \"\"Id\"\"\" || name", "\"Order \"\"Id\"\"\" || \"name\" : string");
    check("größe", "\"größe\" : int32");
    check("day >= '2024-01-31'", "\"day\" >= CAST('2024-01-31' AS date) : boolean");
    check(
        "date_trunc('day', seen)",
        "date_trunc('day', \"seen\" AT TIME ZONE 'Europe/Berlin') AT TIME ZONE 'Europe/Berlin' \
         : timestamp(ms, Europe/Berlin)",
    );
    check("who.b[1]", "((\"who\").\"b\")[1] : string");
    check("CASE id WHEN 1 THEN 'a' END", "CASE WHEN \"id\" = 1 THEN 'a' END : string");
    check("TRY_CAST(name AS decimal(5,2))", "TRY_CAST(\"name\" AS decimal(5,2)) : decimal(5,2)");
    check("CAST(price AS int64 ROUND)", "CAST(\"price\" AS int64 ROUND) : int64");
    check("CAST(name AS timestamp(ns, UTC))", "CAST(\"name\" AS timestamp(ns, UTC)) : timestamp(ns, UTC)");
    check(
        "id IS NOT NULL AND NOT small IN (1, NULL)",
        "(\"id\" IS NOT NULL) AND (NOT (\"small\" IN (CAST(1 AS int8), CAST(NULL AS int8)))) : boolean",
    );
}

#[test]
fn errors_say_what_where_and_how_to_cure_it() {
    check("pricee + 1", "GL0202: there is no column `pricee` at `pricee`; did you mean `price`?");
    check("ID", "GL0202: there is no column `ID` at `ID`; did you mean `id`?");
    check("lowr(name)", "GL0203: there is no function `lowr` at `lowr(name`; did you mean `lower`?");
    check(
        "name + 1",
        "GL0205: expected a number, found `string` at `name`; it is `number + number → number; date + integer → date`",
    );
    check("id +", "GL0201: expected: an expression, found the end at ``");
    check("id id", "GL0201: expected the end of the expression, found `id` at `id`");
    check("'abc", "GL0201: unterminated string literal at `'abc`");
    check(
        "left(name)",
        "GL0206: `left` is given 1 arguments at `left(name`; it is `left(string, count int64) → string`",
    );
    check(
        "CAST(rate AS int64)",
        "GL0208: converting `float64` to `int64` can lose something, and no policy says what then at `rate`; \
         give `loss:` to the column, or write e.g. `CAST(x AS int64 ROUND)`",
    );
    check("CAST(id AS strin)", "GL0211: `strin` is not a type; did you mean `string`? at `strin`");
    check(
        "CAST(id AS date)",
        "GL0207: `int64` does not convert to `date` at `id`; numbers and dates have no common meaning; use functions \
         such as `from_unix_seconds`, `to_unix_seconds` or `make_date`",
    );
    check(
        "CAST(300 AS int8)",
        "GL0209: the literal does not convert to `int8`: value is out of the type's range at `300`",
    );
    check(
        "sum(id)",
        "GL0204: the aggregate `sum` is not offered in expressions at `sum(id`; an expression sees one row; `least` and `greatest` compare values of a row",
    );
    check("id::int32", "GL0204: `::` is not offered in expressions at `id`; write `CAST(x AS type)`");
    check(
        "name ILIKE 'a'",
        "GL0204: `ILIKE` is not offered in expressions at `name ILIKE 'a'`; write `lower(a) LIKE 'pattern'`",
    );
    check("(SELECT 1)", "GL0204: a sub-query is not offered in expressions at `SELECT 1`; an expression sees one row");
    check(
        "`id`",
        "GL0201: names are quoted with double quotes at `` `id` ``; write `\"id\"`"
            .replace("`` `id` ``", "``id``")
            .as_str(),
    );
    check("NULL", "GL0205: a null alone has no type at `NULL`; write `CAST(NULL AS type)`");
    check("who = who", "GL0205: lists, structs and maps are not compared at `who`; it is `any = same → boolean`");
    check(
        "a + b",
        "GL0202: there is no column `a` at `a`; text stands in single quotes, column names in double quotes\nGL0202: there is no column `b` at `b`; text stands in single quotes, column names in double quotes",
    );
    check("CASE WHEN id THEN 1 END", "GL0205: a condition is boolean, not `int64` at `id`");
    check(
        "name\n  = 5",
        "GL0205: `string` and `int64` have no common type at `5`; convert one of them: `CAST(x AS type)`",
    );
}

#[test]
fn nothing_is_too_deep_or_too_long() {
    let code = |text: &str| parse_and_check(text, &schema()).map_err(|errors| errors[0].code.to_string());
    assert_eq!(code(&format!("{}id{}", "(".repeat(3_000), ")".repeat(3_000))), Err("GL0210".into()));
    assert_eq!(code(&format!("{}id{}", "abs(".repeat(1_000), ")".repeat(1_000))), Err("GL0210".into()));
    assert_eq!(code(&vec!["id"; 1_900].join(" + ")), Err("GL0210".into()));
    assert_eq!(code(&"x".repeat(70_000)), Err("GL0210".into()));
    assert_eq!(code(&vec!["1"; 40_000].join("+")), Err("GL0210".into()));
    assert!(code(&vec!["id = 1"; 900].join(" OR ")).is_ok());
    assert!(code(&vec!["-"; 3_000].join("")).is_err());
    assert_eq!(code(&format!("{} id", "- ".repeat(3_000))), Err("GL0210".into()));
    assert!(code(&format!("{} true", "NOT ".repeat(3_000))).is_err());
}

#[test]
fn plans_carry_deep_expressions() {
    let deep = (0..40).fold("name".to_owned(), |inner, _| format!("lower({inner})"));
    let typed = parse_and_check(&deep, &schema()).unwrap();
    let json = serde_json::to_string(&typed).unwrap();
    assert_eq!(serde_json::from_str::<TypedExpr>(&json).unwrap(), typed);
    assert!(serde_json::from_str::<TypedExpr>("[]").is_err());
    assert!(serde_json::from_str::<TypedExpr>(r#"[{"type":"int8","call":{"function":"not","args":[0]}}]"#).is_err());
}

#[test]
fn columns_and_conversions() {
    let typed = parse_and_check("CASE WHEN small > 1 THEN price ELSE price * 2 END + small", &schema()).unwrap();
    assert_eq!(typed.columns(), ["small", "price"]);
    assert!(typed.may_fail());
    let to = "int64".parse().unwrap();
    assert!(typed.clone().cast_to(&to, None).is_err());
    assert_eq!(typed.cast_to(&to, Some(Loss::Round)).unwrap().data_type, to);
    let name = parse_and_check("lower(name)", &schema()).unwrap();
    assert!(!name.may_fail());
}
