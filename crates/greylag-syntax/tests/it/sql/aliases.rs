//! Which clauses see the names of the select list.

use greylag_syntax::sql::Dialect::{BigQuery, DuckDb, Generic, Postgres, Snowflake, Spark, Trino};

use super::check;

#[test]
fn names_of_the_select_list_in_order_by() {
    check(
        Generic,
        "",
        "select a as b from t order by b, a, lower(b), 1",
        "
        a -> t.a select certain
        table t read
        b -> t.a order certain
        a -> t.a order certain
        b -> t.a order certain",
    );
    // PostgreSQL sees them only alone.
    check(
        Postgres,
        "t(a, b)",
        "select a as b from t order by b, lower(b)",
        "
        a -> t.a select certain
        table t read
        b -> t.a order certain
        b -> t.b order certain",
    );
}

#[test]
fn names_of_the_select_list_in_group_by() {
    check(
        Postgres,
        "t(a, b)",
        "select lower(a) as b, count(*) from t group by b",
        "
        a -> t.a select certain
        table t read
        b -> t.b group certain",
    );
    check(
        BigQuery,
        "t(a, b)",
        "select lower(a) as b, count(*) from t group by b having b > 'x'",
        "
        a -> t.a select certain
        table t read
        b -> t.a group certain
        b -> t.a having certain",
    );
    check(
        Trino,
        "",
        "select a as b from t group by b",
        "
        a -> t.a select certain
        table t read
        b -> t.b group certain",
    );
    check(
        Postgres,
        "",
        "select lower(a) as b from t group by b",
        "
        a -> t.a select certain
        table t read
        b -> t.a group likely",
    );
    check(
        Postgres,
        "",
        "select upper(a) as a from t group by a",
        "
        a -> t.a select certain
        table t read
        a -> t.a group likely",
    );
}

#[test]
fn later_items_see_earlier_names_in_some_dialects() {
    for dialect in [Snowflake, DuckDb, Spark] {
        check(
            dialect,
            "t(a)",
            "select a + 1 as b, b * 2 as c from t",
            "
            a -> t.a select certain
            b -> t.a select certain
            table t read",
        );
    }
    check(
        BigQuery,
        "t(a)",
        "select a + 1 as b, b * 2 as c from t",
        "
        a -> t.a select certain
        b -> - select unknown
        table t read",
    );
    check(
        Snowflake,
        "",
        "select a + 1 as b from t where b > 1",
        "
        a -> t.a select certain
        table t read
        b -> t.a filter likely",
    );
}

#[test]
fn windows_and_what_filters_by_them() {
    check(
        Snowflake,
        "",
        "select a, row_number() over (partition by b order by c desc) as n from t qualify n = 1",
        "
        a -> t.a select certain
        b -> t.b window certain
        c -> t.c window certain
        table t read
        n -> t.b, t.c qualify likely",
    );
    check(
        Generic,
        "",
        "select sum(a) over w from t window w as (partition by b order by c)",
        "
        a -> t.a select certain
        table t read
        b -> t.b window certain
        c -> t.c window certain",
    );
}
