//! Phrases that the parser does not know, and names that expressions bind.

use greylag_syntax::sql::Dialect::{BigQuery, ClickHouse, DuckDb, Generic, Postgres, Snowflake, Spark};
use greylag_syntax::sql::{Dialect, NoSchemas, read};

use super::{check, check_outputs};

#[track_caller]
fn is_unknown(dialect: Dialect, text: &str) {
    assert_eq!(read(text, dialect, &NoSchemas).unknown.len(), 1, "of {text}");
}

#[test]
fn a_list_made_of_a_list_binds_its_elements() {
    check(
        DuckDb,
        "",
        "select [x + n for x in items if x > m] as y, x, [a || i for a, i in [b, c]] as z from t",
        "
        n -> t.n select certain
        items -> t.items select certain
        m -> t.m select certain
        x -> t.x select certain
        b -> t.b select certain
        c -> t.c select certain
        table t read",
    );
    is_unknown(DuckDb, "select [x for (a) in items] from t");
}

#[test]
fn values_with_names_are_no_columns() {
    check(
        BigQuery,
        "",
        "select with(a as f(b), c as a + d, a * c) as x, a from t",
        "
        b -> t.b select certain
        d -> t.d select certain
        a -> t.a select certain
        table t read",
    );
    // Without names it is a call like any other.
    check(
        BigQuery,
        "",
        "select with(f(b), a) from t",
        "
        b -> t.b select certain
        a -> t.a select certain
        table t read",
    );
}

#[test]
fn one_of_two_values() {
    check(
        ClickHouse,
        "",
        "select a = 1 ? b : c ? d::Int8 : e as x from t",
        "
        a -> t.a select certain
        b -> t.b select certain
        c -> t.c select certain
        d -> t.d select certain
        e -> t.e select certain
        table t read",
    );
    is_unknown(ClickHouse, "select a ? b from t");
}

#[test]
fn expressions_that_with_names_are_seen_before_columns() {
    check_outputs(
        ClickHouse,
        "",
        "with a + 1 as x, (select max(m) from u) as y, c as (select z from v) select x, y * 2 as w, t.x as own, z \
         from t, c where x > 0",
        "
        x copy t.a
        w transformation u.m
        own copy t.x
        z copy v.z",
    );
    check(
        ClickHouse,
        "",
        "with today() as d select s.n from (with 2 as k select k * n as n, d from t where day < d) as s",
        "
        s.n -> t.n select certain
        k -> - select likely
        n -> t.n select certain
        d -> - select likely
        table t read
        day -> t.day filter certain
        d -> - filter likely",
    );
    // Behind the end of its group a name is none.
    check(
        ClickHouse,
        "",
        "select k from (with 2 as k select n from t) as s, u",
        "
        k -> u.k select certain
        n -> t.n select certain
        table t read
        table u read",
    );
    is_unknown(ClickHouse, "with a + as x select x from t");
}

#[test]
fn a_table_expression_may_have_no_as() {
    check_outputs(
        Spark,
        "",
        "with a (select x, y from t), b (k) (select x from a), c as (select k from b) select k from c",
        "k copy t.x",
    );
    is_unknown(Spark, "with a (x) select x from a");
    is_unknown(Postgres, "with a (select x from t) select x from a");
}

#[test]
fn columns_by_a_pattern_may_be_any() {
    check(
        DuckDb,
        "",
        "select id, max(columns(* exclude (id, day))), columns('n_.*') from t group by id",
        "
        id -> t.id select certain
        id -> t.id select certain
        day -> t.day select certain
        table t read
        id -> t.id group likely",
    );
    let text = "with c as (select columns('n_.*') from t) select n_a from c";
    check(
        DuckDb,
        "",
        text,
        "
        table t read
        n_a -> t.n_a select certain",
    );
    assert_eq!(read(text, DuckDb, &NoSchemas).wholes.len(), 1);
}

#[test]
fn fields_and_sizes_and_lists_in_other_words() {
    check(
        Spark,
        "",
        "select data:['user']['mail'] as mail, f(a):['b']:['c'] as c from t",
        "
        data -> t.data select certain
        a -> t.a select certain
        table t read",
    );
    check(
        Snowflake,
        "",
        "select cast(a as text(9)) as a, b::text(9) as b from t where c in xs and d not in (1) limit n",
        "
        a -> t.a select certain
        b -> t.b select certain
        table t read
        c -> t.c filter certain
        xs -> t.xs filter certain
        d -> t.d filter certain",
    );
    check(
        Snowflake,
        "",
        "select nth_value(a, 2) from first ignore nulls over (partition by b order by c) as d from t",
        "
        a -> t.a select certain
        b -> t.b window certain
        c -> t.c window certain
        table t read",
    );
    check(
        Snowflake,
        "",
        "select a from t where b not in () and c in ()",
        "
        a -> t.a select certain
        table t read
        b -> t.b filter certain
        c -> t.c filter certain",
    );
    is_unknown(Snowflake, "select a from t pivot (sum(b) for c in ())");
    is_unknown(Snowflake, "select cast(a as text(b)) from t");
}

#[test]
fn joins_in_other_words() {
    check(
        Spark,
        "",
        "select u.a, all.b from t cross join u as all on t.id = all.id",
        "
        u.a -> t.u, u.u select unknown
        all.b -> u.b select certain
        table t read
        table u read
        t.id -> t.id join certain
        all.id -> u.id join certain",
    );
}

#[test]
fn rows_paired_by_name_have_the_columns_of_all() {
    check_outputs(
        BigQuery,
        "",
        "select a, b from t full outer union all by name select c, a from u",
        "
        a copy t.a, u.a
        b copy t.b
        c copy u.c",
    );
    check_outputs(
        DuckDb,
        "",
        "select a, b from t union all by name select b, a from u union by name select d from v",
        "
        a copy t.a, u.a
        b copy t.b, u.b
        d copy v.d",
    );
    is_unknown(BigQuery, "select a from t left outer union all by name select a, b from u");
}

#[test]
fn a_column_may_be_called_by_a_number() {
    check_outputs(
        BigQuery,
        "",
        "select p.1118 as a, p.12_days from t as p where p.1118 > 1.5",
        "a copy t.1118\n12_days copy t.12_days",
    );
}

#[test]
fn a_star_before_one_of_the_same_is_of_it_alone() {
    check_outputs(
        Generic,
        "",
        "with c as (select a, b from t) select x.*, y.a as other from c as x join c as y on x.b = y.a",
        "
        a copy t.a
        b copy t.b
        other copy t.a",
    );
}

#[test]
fn functions_of_all_columns_may_give_any() {
    for (dialect, text) in [
        (ClickHouse, "with c as (select * apply(sum) apply(f) from t) select a from c"),
        (ClickHouse, "with c as (select columns('x') apply(f) from t) select a from c"),
        (DuckDb, "with c as (select * like 'a%' from t) select a from c"),
    ] {
        check(dialect, "", text, "table t read\na -> t.a select certain");
    }
    is_unknown(ClickHouse, "select t.* apply(f) from t");
}

#[test]
fn words_that_name_nothing() {
    check(
        Postgres,
        "",
        "select approximate count(distinct a), b is not json object, xmlelement(name x, c), xmlelement(name y) from t",
        "
        a -> t.a select certain
        b -> t.b select certain
        c -> t.c select certain
        table t read",
    );
    check(Postgres, "", "create index i on t (a) tablespace x", "table t mention\na -> t.a define certain");
    check(
        Snowflake,
        "",
        "select filter(a, x int -> x > b) from t",
        "
        a -> t.a select certain
        b -> t.b select certain
        table t read",
    );
    check(
        Spark,
        "",
        "select r'\\d', regexp_extract(a, r'(\\d)'), cast(b as struct<x: int, y: array<map<string, int>>>) from t",
        "
        a -> t.a select certain
        b -> t.b select certain
        table t read",
    );
    check(
        BigQuery,
        "",
        "select safe.substr(a, 1), safe.left(b, c) from t",
        "
        a -> t.a select certain
        b -> t.b select certain
        c -> t.c select certain
        table t read",
    );
}

#[test]
fn parameters_of_lambdas_of_snowflake_are_no_columns() {
    check(
        Snowflake,
        "",
        "select transform(a, x -> x + b), reduce(c, 0, (s, x int) -> s + f(x, d)), x, filter(e, x int -> x:k > g) from t",
        "
        a -> t.a select certain
        b -> t.b select certain
        c -> t.c select certain
        d -> t.d select certain
        x -> t.x select certain
        e -> t.e select certain
        g -> t.g select certain
        table t read",
    );
}
