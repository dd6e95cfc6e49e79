//! Words in expressions that are no columns.

use greylag_syntax::sql::Dialect::{BigQuery, DuckDb, Generic, Postgres, Snowflake, Spark};

use super::check;

#[test]
fn parts_of_dates() {
    check(
        BigQuery,
        "",
        "select date_trunc(day, month), date_diff(a, b, week), timestamp_trunc(c, day, 'UTC'), last_day(e, week(monday)) from t",
        "
        day -> t.day select certain
        a -> t.a select certain
        b -> t.b select certain
        c -> t.c select certain
        e -> t.e select certain
        table t read",
    );
    check(
        Snowflake,
        "",
        "select datediff(day, a, b), dateadd(\"month\", 1, date), date_trunc('day', date), last_day(c, month) from t",
        "
        a -> t.a select certain
        b -> t.b select certain
        date -> t.date select certain
        date -> t.date select certain
        c -> t.c select certain
        table t read",
    );
    check(
        Generic,
        "",
        "select extract(year from a), interval 1 day, b + interval '1' month, date '2020-01-01' from t",
        "
        a -> t.a select certain
        b -> t.b select certain
        table t read",
    );
}

#[test]
fn types_comments_and_strings() {
    check(
        Generic,
        "",
        "select cast(a as date), /* b */ 'c', d::text -- e\n from t",
        "
        a -> t.a select certain
        d -> t.d select certain
        table t read",
    );
    check(
        BigQuery,
        "",
        "select \"a\", '''b''', r'c\\d' from t # d",
        "
        table t read",
    );
}

#[test]
fn named_arguments_and_lambdas() {
    check(
        Postgres,
        "",
        "select f(a => b) from t",
        "
        b -> t.b select certain
        table t read",
    );
    check(
        Spark,
        "",
        "select transform(xs, x -> x + y), filter(xs, (v, i) -> v > i) from t",
        "
        xs -> t.xs select certain
        y -> t.y select certain
        xs -> t.xs select certain
        table t read",
    );
    check(
        DuckDb,
        "",
        "select list_transform(xs, x -> x + 1) from t",
        "
        xs -> t.xs select certain
        table t read",
    );
}

#[test]
fn types_of_parameters_are_no_paths() {
    check(
        DuckDb,
        "",
        "select list_reduce(xs, (a integer, b decimal(9, 2)) -> a + b + c) from t",
        "
        xs -> t.xs select certain
        c -> t.c select certain
        table t read",
    );
    // What a call gives is read as JSON, and so is what stands in parentheses.
    check(
        DuckDb,
        "",
        "select to_json(t.a) -> 'k', coalesce((t.b || t.c) -> 'k', (t.d) -> 'k', (case when t.e then t.f end) -> 'k') from t",
        "
        t.a -> t.a select certain
        t.b -> t.b select certain
        t.c -> t.c select certain
        t.d -> t.d select certain
        t.e -> t.e select certain
        t.f -> t.f select certain
        table t read",
    );
}

#[test]
fn calls_without_parentheses_and_parameters() {
    check(
        Postgres,
        "",
        "select current_date, current_timestamp from t where a = $1 and b = :x",
        "
        table t read
        a -> t.a filter certain
        b -> t.b filter certain",
    );
}

#[test]
fn clauses_of_aggregates() {
    check(
        Postgres,
        "",
        "select count(*), count(t), sum(a) filter (where b), string_agg(c, ',' order by d), percentile_cont(0.5) within group (order by e) from t",
        "
        t -> t.t select likely
        a -> t.a select certain
        b -> t.b filter certain
        c -> t.c select certain
        d -> t.d select certain
        e -> t.e select certain
        table t read",
    );
}

#[test]
fn table_functions_make_rows() {
    check(
        Postgres,
        "",
        "select t.a, g, s.x from t, generate_series(1, t.n) as g, f(t.b) as s (x)",
        "
        t.a -> t.a select certain
        g -> t.n select likely
        s.x -> t.b select certain
        table t read
        t.n -> t.n from certain
        t.b -> t.b from certain",
    );
}
