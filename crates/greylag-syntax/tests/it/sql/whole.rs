//! Relations that are taken as a whole: pivots, patterns, columns by place.

use greylag_syntax::sql::Dialect::{self, BigQuery, DuckDb, Snowflake, Spark, Trino};
use greylag_syntax::sql::{NoSchemas, Origin, read};

use super::{check, check_outputs};

#[test]
fn a_pivot_keeps_what_it_does_not_name() {
    check_outputs(
        BigQuery,
        "t(id, q, v)",
        "select * from t pivot (sum(v) for q in ('Q1', 'Q2' as second, 3))",
        "
        id copy t.id
        Q1 copy t.q, t.v
        second copy t.q, t.v
        _3 copy t.q, t.v",
    );
    check(
        Snowflake,
        "",
        "with c as (select id, q, v from t) select p.id, p.\"'a'\", p.q from c pivot (max(v) for q in ('a')) as p",
        "
        id -> t.id select certain
        q -> t.q select certain
        v -> t.v select certain
        table t read
        p.id -> t.id select certain
        p.\"'a'\" -> t.q, t.v select certain
        p.q -> - select unknown
        v -> t.v from certain
        q -> t.q from certain",
    );
    // Whoever the relation is: what is no column of a value is one of its own.
    check(
        Snowflake,
        "",
        "select id from t pivot (max(v) for q in ('a')) as p where p.\"'a'\" > 1",
        "
        id -> t.id select certain
        table t read
        v -> t.v from certain
        q -> t.q from certain
        p.\"'a'\" -> t.q, t.v filter certain",
    );
}

#[test]
fn columns_of_values_are_called_as_each_engine_does() {
    let called = |dialect: Dialect, aggregates: &str| {
        let text = format!("select * from (select k, m, x from t) pivot ({aggregates} for m in ('a'))");
        let reading = read(&text, dialect, &NoSchemas);
        assert!(reading.unknown.is_empty(), "{:?}", reading.unknown);
        let outputs = &reading.queries[reading.statements[0].query.unwrap()].outputs;
        let names = outputs.iter().map(|output| output.name.as_deref().unwrap_or("?").to_owned());
        names.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(called(BigQuery, "sum(x) as s, max(x) as t"), "k s_a t_a");
    assert_eq!(called(Snowflake, "sum(x)"), "k 'a'");
    assert_eq!(called(Spark, "sum(x) as s"), "k a");
    assert_eq!(called(Spark, "sum(x) as s, max(x) as t"), "k a_s a_t");
    assert_eq!(called(DuckDb, "sum(x) as s"), "k a_s");
}

#[test]
fn a_pivot_over_unknown_values_may_give_any_column() {
    check(
        Snowflake,
        "",
        "select x from t pivot (max(v) for q in (any order by q)) as p",
        "
        x -> t.q, t.v, t.x select unknown
        table t read
        v -> t.v from certain
        q -> t.q from certain",
    );
}

#[test]
fn an_unpivot_gives_a_name_and_a_value() {
    check_outputs(
        Snowflake,
        "t(id, a, b)",
        "select * from t unpivot (v for n in (a, b))",
        "
        id copy t.id
        v copy t.a, t.b
        n copy",
    );
    let text = "select v, n from t unpivot (v for n in (a, b))";
    let reading = read(text, Snowflake, &NoSchemas);
    let names = |uses: &[usize]| uses.iter().map(|at| &*reading.columns[*at].name.text).collect::<Vec<_>>().join(" ");
    assert_eq!(names(&reading.wholes[0].spelled), "a b");
    assert_eq!(reading.wholes[0].from, [Origin::Relation(0)]);
    let reading = read("select v from t unpivot (v for n in (a as 'x', b as 'y'))", BigQuery, &NoSchemas);
    assert!(reading.wholes[0].spelled.is_empty() && reading.wholes[0].bare.len() == 2);
}

#[test]
fn a_pattern_is_searched_in_rows_under_symbols() {
    check(
        Trino,
        "",
        "select k, f, p from t match_recognize (partition by k order by ts measures first(a.x) as f, last(b.y) as p \
         one row per match pattern (a b+) define b as b.y < prev(b.y))",
        "
        k -> t.k select certain
        f -> t.x select certain
        p -> t.y select certain
        table t read
        k -> t.k from certain
        ts -> t.ts from certain
        a.x -> t.x from certain
        b.y -> t.y from certain
        b.y -> t.y from certain
        b.y -> t.y from certain",
    );
}

#[test]
fn columns_by_their_place_take_the_relation_as_a_whole() {
    let reading = read("select t.$1, $2 as b from t", Snowflake, &NoSchemas);
    assert!(reading.unknown.is_empty(), "{:?}", reading.unknown);
    assert_eq!(reading.wholes.len(), 2);
    assert_eq!(reading.wholes[0].from, [Origin::Relation(0)]);
    // In PostgreSQL it is a parameter.
    assert!(read("select $1 from t", Dialect::Postgres, &NoSchemas).wholes.is_empty());
}

#[test]
fn relations_are_given_to_functions() {
    check(
        BigQuery,
        "",
        "with c as (select 1) select x from ml.predict(model d.m, (select a from u)), f(table d.t, 3), f(table c)",
        "
        x -> - select unknown
        a -> u.a select certain
        table u read
        table d.t read",
    );
    check(
        Trino,
        "",
        "select topic from table(decode(abi => 'x', input => table(select l.topic from logs l where l.b = 1))) r",
        "
        topic -> logs.topic select certain
        l.topic -> logs.topic select certain
        table logs read
        l.b -> logs.b filter certain",
    );
}

#[test]
fn the_value_of_an_unpivot_may_stand_in_parentheses() {
    check_outputs(
        BigQuery,
        "t(id, a, b)",
        "select * from t unpivot ((v) for n in ((a) as 'A', (b) as 'B'))",
        "
        id copy t.id
        v copy t.a, t.b
        n copy",
    );
}
