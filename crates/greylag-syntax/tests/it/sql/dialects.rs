//! What each dialect has of its own.

use greylag_syntax::sql::Dialect::{self, BigQuery, ClickHouse, DuckDb, Generic, Postgres, Snowflake, Spark, Trino};

use super::check;

#[test]
fn dialects_have_names() {
    for dialect in [BigQuery, Postgres, DuckDb, Snowflake, Trino, Spark, ClickHouse, Generic] {
        assert_eq!(dialect.to_string().parse(), Ok(dialect));
    }
    let error = "oracle".parse::<Dialect>().unwrap_err().to_string();
    assert_eq!(
        error,
        "`oracle` is no known SQL dialect; known are bigquery, postgres, duckdb, snowflake, trino, spark, clickhouse and generic"
    );
}

#[test]
fn quotes_and_the_case_of_letters() {
    check(
        Postgres,
        "",
        r#"select x."A", X."a" from "T" as x"#,
        r#"
        x."A" -> T.A select certain
        X."a" -> T.a select certain
        table "T" read"#,
    );
    check(
        Postgres,
        "",
        r#"with "C" as (select 1 as a from t) select a from c"#,
        "
        table t read
        a -> c.a select certain
        table c read",
    );
    check(
        Snowflake,
        "",
        r#"with c as (select x from t) select "X", "x" from C"#,
        r#"
        x -> t.x select certain
        table t read
        "X" -> t.x select certain
        "x" -> - select unknown"#,
    );
    check(
        Trino,
        "",
        r#"with c as (select x from t) select "X" from "C""#,
        r#"
        x -> t.x select certain
        table t read
        "X" -> t.x select certain"#,
    );
    check(
        Postgres,
        "",
        r#"select "a""b" from t"#,
        r#"
        "a""b" -> t.a"b select certain
        table t read"#,
    );
}

#[test]
fn bigquery_names_of_many_parts() {
    check(
        BigQuery,
        "",
        "select events.a, b from `my-project.ds.events`",
        "
        events.a -> events.a select certain
        b -> events.b select certain
        table `my-project.ds.events` read",
    );
    check(
        BigQuery,
        "",
        "select t.a from my-project.ds.events as t",
        "
        t.a -> events.a select certain
        table my-project.ds.events read",
    );
    check(
        BigQuery,
        "",
        "select t.a from `p`.ds.`events_*` as t where _TABLE_SUFFIX > '1'",
        "
        t.a -> events_*.a select certain
        table `p`.ds.`events_*` read
        _TABLE_SUFFIX -> events_*._TABLE_SUFFIX filter certain",
    );
}

#[test]
fn bigquery_arrays() {
    check(
        BigQuery,
        "t(id, hits)",
        "select id, h.page, off from t, unnest(hits) as h with offset as off",
        "
        id -> t.id select likely
        h.page -> t.hits select certain
        off -> - select certain
        table t read
        hits -> t.hits from certain",
    );
    check(
        BigQuery,
        "",
        "select h from t, t.hits as h",
        "
        h -> t.hits select likely
        table t read
        t.hits -> t.hits from certain",
    );
    check(
        BigQuery,
        "",
        "select (select max(x.v) from unnest(t.hits) x) as m from t",
        "
        x.v -> t.hits select certain
        t.hits -> t.hits from certain
        table t read",
    );
    check(
        BigQuery,
        "",
        "select array(select as struct k, v from t) as s, hits[offset(0)].page from u",
        "
        k -> t.k select likely
        v -> t.v select likely
        table t read
        hits -> u.hits select certain
        table u read",
    );
}

#[test]
fn bigquery_lists_of_stars() {
    check(
        BigQuery,
        "t(a, b, c)",
        "select * except (a) replace (upper(b) as b) from t",
        "
        a -> t.a star certain
        b -> t.b select certain
        b -> t.b star certain
        table t read",
    );
}

#[test]
fn bigquery_stars_of_fields() {
    check(
        BigQuery,
        "",
        "select s.* except (x) replace (a as y), p.f(b, c).* replace (d as z), p.g(e).h from t",
        "
        s -> t.s select certain
        a -> t.a select certain
        b -> t.b select certain
        c -> t.c select certain
        d -> t.d select certain
        e -> t.e select certain
        table t read",
    );
}

#[test]
fn bigquery_scripts() {
    check(
        BigQuery,
        "",
        "declare x int64 default 1; set x = (select max(a) from t); if x > 1 then insert into u (b) select c from v where c > x; end if;",
        "
        a -> t.a select certain
        table t read
        table u insert
        b -> u.b inserttarget certain
        c -> v.c select certain
        table v read
        c -> v.c filter certain
        x -> v.x filter likely",
    );
    check(
        BigQuery,
        "",
        "select a from t where d = @day and e = @@session",
        "
        a -> t.a select certain
        table t read
        d -> t.d filter certain
        e -> t.e filter certain",
    );
}

#[test]
fn snowflake_flatten_and_paths() {
    check(
        Snowflake,
        "t(id, doc)",
        "select t.id, f.value:name::string, doc:a.b from t, lateral flatten(input => t.doc:items) f",
        "
        t.id -> t.id select certain
        f.value -> t.doc select certain
        doc -> t.doc select likely
        table t read
        t.doc -> t.doc from certain",
    );
}

#[test]
fn spark_views_of_arrays() {
    check(
        Spark,
        "t(id, xs)",
        "select id, x, e.x from t lateral view explode(xs) e as x",
        "
        id -> t.id select certain
        x -> t.xs select certain
        e.x -> t.xs select certain
        table t read
        xs -> t.xs from certain",
    );
}

#[test]
fn trino_and_duckdb_unnest() {
    check(
        Trino,
        "t(id, xs)",
        "select id, x from t cross join unnest(xs) as u (x)",
        "
        id -> t.id select certain
        x -> t.xs select certain
        table t read
        xs -> t.xs from certain",
    );
    check(
        DuckDb,
        "",
        "from t select a where b = 1",
        "
        table t read
        a -> t.a select certain
        b -> t.b filter certain",
    );
}

#[test]
fn aliases_may_be_strings() {
    check(
        Spark,
        "",
        "with c as (select a as \"my name\", b 'x' from t) select `my name`, x from c",
        "
        a -> t.a select certain
        b -> t.b select certain
        table t read
        `my name` -> t.a select certain
        x -> t.b select certain",
    );
}

#[test]
fn statements_that_name_nothing() {
    check(
        DuckDb,
        "",
        "export database 'x' (format csv); force checkpoint; select a from t",
        "
        a -> t.a select certain
        table t read",
    );
    check(
        Postgres,
        "",
        "do $$ begin delete from t where a = 1; end $$",
        "
        table t delete
        a -> t.a filter certain",
    );
}

#[test]
fn duckdb_macros_and_values_in_braces() {
    check(
        DuckDb,
        "",
        "create macro f(x, y) as x + y; select {'a': t.b, 'c': d} from t",
        "
        t.b -> t.b select certain
        d -> t.d select certain
        table t read",
    );
}

#[test]
fn statements_inside_queries() {
    check(
        Postgres,
        "",
        "with c as (select a from t) update u set b = c.a from c where u.id = c.a",
        "
        a -> t.a select certain
        table t read
        table u update
        b -> u.b updatetarget certain
        c.a -> t.a assign certain
        u.id -> u.id filter certain
        c.a -> t.a filter certain",
    );
}

#[test]
fn words_that_are_functions() {
    check(
        Snowflake,
        "",
        "select current_user, current_role, a from t",
        "
        a -> t.a select certain
        table t read",
    );
    check(
        BigQuery,
        "",
        "select current_role from t",
        "
        current_role -> t.current_role select certain
        table t read",
    );
}
