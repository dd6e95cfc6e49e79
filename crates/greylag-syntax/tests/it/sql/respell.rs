//! Names that the parser takes for something else.

use greylag_syntax::sql::Dialect::{BigQuery, Generic, Spark};
use greylag_syntax::sql::{NoSchemas, read};

use super::{check, check_outputs};

#[test]
fn a_column_may_be_called_from() {
    check(
        Spark,
        "t(from, a, b)",
        "select from, a as to from t where from = 'x' and a is distinct from b order by from desc",
        "
        from -> t.from select certain
        a -> t.a select certain
        table t read
        from -> t.from filter certain
        a -> t.a filter certain
        b -> t.b filter certain
        from -> t.from order certain",
    );
    check_outputs(
        Spark,
        "t(a, b)",
        "with c as (select a as from, b from t) select from, c.from || b as x from c",
        "
        from copy t.a
        x transformation t.a, t.b",
    );
}

#[test]
fn a_name_may_begin_with_digits() {
    check_outputs(
        Spark,
        "t(7_days, n)",
        "select 7_days, n * 10L as 1688_price, t.7_days + 1e3 as y from t",
        "
        7_days copy t.7_days
        1688_price transformation t.n
        y transformation t.7_days",
    );
}

#[test]
fn an_item_may_give_several_columns() {
    check_outputs(
        Spark,
        "t(id, a)",
        "with c as (select id, posexplode(a) as (pos, val) from t) select val, pos, id from c",
        "
        val copy t.a
        pos copy t.a
        id copy t.id",
    );
    // A list of what a table expression is called is none.
    let reading = read("with c (a, b) as (select x, y from t) select f(a) as (b) from c", Generic, &NoSchemas);
    assert_eq!(reading.unknown.len(), 1);
}

#[test]
fn numbers_may_stand_in_the_place_of_names() {
    let text = "select v, n from t unpivot ((v, w) for n in ((a, b) as 1, (c, d) as 12))";
    let reading = read(text, BigQuery, &NoSchemas);
    assert!(reading.unknown.is_empty(), "{:?}", reading.unknown);
    assert!(reading.wholes[0].spelled.is_empty());
}

#[test]
fn strings_after_each_other_are_one() {
    for dialect in [BigQuery, Spark] {
        check(
            dialect,
            "",
            "select a from t where b in ('x', 'y' 'z' \"w\", 'v')",
            "
            a -> t.a select certain
            table t read
            b -> t.b filter certain",
        );
    }
}

#[test]
fn a_field_may_begin_with_an_underscore() {
    check_outputs(
        Spark,
        "t(a, b)",
        "select a[0]._id, f(b)._x as y from t",
        "
        _id transformation t.a
        y transformation t.b",
    );
}

#[test]
fn a_table_expression_may_be_called_table() {
    check(
        BigQuery,
        "",
        "with table as (select a from t), u as (select x from table as x join table on x.a = table.a) select x from u",
        "
        a -> t.a select certain
        table t read
        x -> t.a select likely
        x.a -> t.a join certain
        table.a -> t.a join certain
        x -> t.a select likely",
    );
}
