//! Which relation a name means.

use greylag_syntax::sql::Dialect::{BigQuery, ClickHouse, Generic, Postgres, Snowflake, Spark};

use super::{check, check_outputs};

#[test]
fn one_relation_supplies_every_column() {
    check(
        Generic,
        "",
        "select a, t.b from s.t where c > 1",
        "
        a -> t.a select certain
        t.b -> t.b select certain
        table s.t read
        c -> t.c filter certain",
    );
}

#[test]
fn an_alias_hides_the_name_of_its_table() {
    check(
        Postgres,
        "",
        "select x.a, t.b from t as x",
        "
        x.a -> t.a select certain
        t.b -> - select unknown
        table t read",
    );
    check(
        Postgres,
        "",
        "select u.a from t u, u t",
        "
        u.a -> t.a select certain
        table t read
        table u read",
    );
}

#[test]
fn schemas_tell_whose_column_it_is() {
    check(
        Generic,
        "t(a, b) u(c)",
        "select a, c, z from t, u",
        "
        a -> t.a select certain
        c -> u.c select certain
        z -> - select unknown
        table t read
        table u read",
    );
    check(
        Generic,
        "t(a, b)",
        "select a, c from t, u",
        "
        a -> t.a select likely
        c -> u.c select certain
        table t read
        table u read",
    );
    check(
        Generic,
        "",
        "select a from t, u",
        "
        a -> t.a, u.a select unknown
        table t read
        table u read",
    );
    check(
        Generic,
        "t(a) u(a)",
        "select a from t join u on t.a = u.a",
        "
        a -> t.a, u.a select unknown
        table t read
        table u read
        t.a -> t.a join certain
        u.a -> u.a join certain",
    );
}

#[test]
fn a_schema_without_the_column_says_so() {
    check(
        Generic,
        "t(a)",
        "select t.b from t",
        "
        t.b -> t.b select unknown
        table t read",
    );
}

#[test]
fn common_table_expressions_are_no_relations() {
    check(
        Generic,
        "",
        "with c as (select a as b from t) select b, c.b, d from c",
        "
        a -> t.a select certain
        table t read
        b -> t.a select certain
        c.b -> t.a select certain
        d -> - select unknown",
    );
}

#[test]
fn a_common_table_expression_may_have_the_name_of_what_it_reads() {
    check(
        Snowflake,
        "",
        "with t as (select a from t) select a from t",
        "
        a -> t.a select certain
        table t read
        a -> t.a select certain",
    );
}

#[test]
fn common_table_expressions_nest_and_hide() {
    check(
        Generic,
        "",
        "with c as (select a from t), d as (with c as (select b from u) select b from c) select d.b, c.a from c, d",
        "
        a -> t.a select certain
        table t read
        b -> u.b select certain
        table u read
        b -> u.b select certain
        d.b -> u.b select certain
        c.a -> t.a select certain",
    );
    check(
        Generic,
        "",
        "select x.a from (with c as (select a from t) select a from c) x, c",
        "
        x.a -> t.a select certain
        a -> t.a select certain
        table t read
        a -> t.a select certain
        table c read",
    );
}

#[test]
fn a_list_names_the_columns_of_a_common_table_expression() {
    check(
        Postgres,
        "",
        "with c (x, y) as (select a, b from t) select x, c.y, a from c",
        "
        a -> t.a select certain
        b -> t.b select certain
        table t read
        x -> t.a select certain
        c.y -> t.b select certain
        a -> - select unknown",
    );
}

#[test]
fn a_recursive_one_sees_its_first_arm() {
    check(
        Postgres,
        "",
        "with recursive c as (select id, up from t union all select t.id, t.up from t join c on t.id = c.up) select up from c",
        "
        id -> t.id select certain
        up -> t.up select certain
        table t read
        t.id -> t.id select certain
        t.up -> t.up select certain
        table t read
        t.id -> t.id join certain
        c.up -> t.up, t.up join certain
        up -> t.up, t.up select certain",
    );
}

#[test]
fn a_star_of_an_unknown_relation_passes_any_name() {
    check(
        Generic,
        "",
        "with c as (select * from t) select uid from c",
        "
        table t read
        uid -> t.uid select certain",
    );
    check(
        Generic,
        "",
        "with c as (select * from t join u on t.id = u.id), d as (select * from c) select uid from d",
        "
        table t read
        table u read
        t.id -> t.id join certain
        u.id -> u.id join certain
        uid -> t.uid, u.uid select unknown",
    );
}

#[test]
fn a_star_of_known_relations_is_expanded() {
    check(
        Generic,
        "t(a, b) u(c)",
        "with c as (select *, 1 as one from t, u) select a, c, one, z from c",
        "
        table t read
        table u read
        a -> t.a select certain
        c -> u.c select certain
        one -> - select certain
        z -> - select unknown",
    );
}

#[test]
fn subqueries_see_what_is_around_them() {
    check(
        Generic,
        "",
        "select a from t where exists (select 1 from u where u.id = t.id and x = 1)",
        "
        a -> t.a select certain
        table t read
        table u read
        u.id -> u.id filter certain
        t.id -> t.id filter certain
        x -> u.x filter likely",
    );
    check(
        Generic,
        "u(id)",
        "select (select max(x) from u where u.id = o.id) as m from t as o",
        "
        x -> t.x select certain
        table u read
        u.id -> u.id filter certain
        o.id -> t.id filter certain
        table t read",
    );
    check(
        Generic,
        "",
        "select a from t where b in (select c from u)",
        "
        a -> t.a select certain
        table t read
        b -> t.b filter certain
        c -> u.c select likely
        table u read",
    );
}

#[test]
fn subqueries_in_from_do_not_see_their_neighbours() {
    check(
        Postgres,
        "",
        "select d.x from t, (select t.x from u) d",
        "
        d.x -> - select certain
        table t read
        t.x -> - select unknown
        table u read",
    );
    check(
        Postgres,
        "",
        "select d.x from t, lateral (select t.x from u) d",
        "
        d.x -> t.x select certain
        table t read
        t.x -> t.x select certain
        table u read",
    );
}

#[test]
fn using_names_the_columns_of_both_sides() {
    check(
        Generic,
        "",
        "select id, a.x from a join b using (id)",
        "
        id -> a.id, b.id select certain
        a.x -> a.x select certain
        table a read
        table b read
        id -> a.id, b.id using certain",
    );
    check(
        Generic,
        "a(id, x) b(id) c(id, y)",
        "select id, y from a join b using (id) left join c using (id)",
        "
        id -> a.id, b.id, c.id select certain
        y -> c.y select certain
        table a read
        table b read
        id -> a.id, b.id using certain
        table c read
        id -> a.id, b.id, c.id using certain",
    );
}

#[test]
fn natural_joins_merge_what_both_have() {
    check(
        Generic,
        "a(id, x) b(id)",
        "select id from a natural join b",
        "
        id -> a.id, b.id select certain
        table a read
        table b read",
    );
}

#[test]
fn set_operations_pair_by_position() {
    check(
        Generic,
        "",
        "with c as (select a from t union all select b from u) select a from c order by a",
        "
        a -> t.a select certain
        table t read
        b -> u.b select certain
        table u read
        a -> t.a, u.b select certain
        a -> t.a, u.b order certain",
    );
    check(
        Generic,
        "",
        "select a as x from t union all select b from u order by x",
        "
        a -> t.a select certain
        table t read
        b -> u.b select certain
        table u read
        x -> t.a, u.b order certain",
    );
}

#[test]
fn aliases_may_rename_columns() {
    check(
        Postgres,
        "t(a, b)",
        "select x.p, b from t as x (p)",
        "
        x.p -> t.a select certain
        b -> t.b select certain
        table t read",
    );
    check(
        Postgres,
        "",
        "select d.p from (select a from t) d (p)",
        "
        d.p -> t.a select certain
        a -> t.a select certain
        table t read",
    );
    check(
        Postgres,
        "",
        "select v.x from (values (1, 'a')) as v (x, y)",
        "
        v.x -> - select certain",
    );
}

#[test]
fn fields_are_no_qualifiers() {
    check(
        BigQuery,
        "",
        "select s.f, t.s.f, t.s.f.g from t",
        "
        s.f -> t.s select certain
        t.s.f -> t.s select certain
        t.s.f.g -> t.s select certain
        table t read",
    );
    check(
        BigQuery,
        "t(s)",
        "select s.f from t",
        "
        s.f -> t.s select certain
        table t read",
    );
}

#[test]
fn a_column_may_be_called_like_its_relation() {
    check(
        BigQuery,
        "",
        "with source as (select * from d.year) select source, cast(year as int64), to_json_string(source) from source, d.year",
        "
        table d.year read
        source -> year.source, year.source select unknown
        year -> year.year, year.year select unknown
        source -> year.source select likely
        table d.year read",
    );
    // Another name is given for the rows.
    check(
        BigQuery,
        "",
        "select t from d.year as t",
        "
        t -> year.t select likely
        table d.year read",
    );
}

#[test]
fn a_qualifier_may_say_more_than_where_the_relation_stands() {
    check(
        Postgres,
        "",
        "select s.t.a, s.u.b from t join u as x on s.t.id = x.id",
        "
        s.t.a -> t.a select certain
        s.u.b -> - select unknown
        table t read
        table u read
        s.t.id -> t.id join certain
        x.id -> u.id join certain",
    );
}

#[test]
fn strings_in_double_quotes_are_no_columns_whoever_parses_them() {
    check(
        Spark,
        "",
        "select a:['b'] as c from t where d = \"e\" and f in (\"g\")",
        "
        a -> t.a select certain
        table t read
        d -> t.d filter certain
        f -> t.f filter certain",
    );
}

#[test]
fn the_type_of_an_empty_array_is_no_comparison() {
    check(
        BigQuery,
        "",
        "select array<string>[] as a, b < c as d from t",
        "
        b -> t.b select certain
        c -> t.c select certain
        table t read",
    );
}

#[test]
fn a_cast_column_of_spark_keeps_its_name() {
    check_outputs(
        Spark,
        "",
        "with c as (select a::date, cast(x.b as int), f(d)::int from t as x) select a, b, d from c",
        "
        a copy t.a
        b copy t.b
        d copy",
    );
}

#[test]
fn a_table_expression_may_be_called_like_a_column_whose_field_is_read() {
    check(
        Spark,
        "",
        "with info as (select id, f(x) as info from t) select info.first, info.id from info",
        "
        id -> t.id select certain
        x -> t.x select certain
        table t read
        info.first -> t.x select certain
        info.id -> t.id select certain",
    );
}

#[test]
fn clickhouse_knows_a_relation_by_its_own_name_too() {
    let text = "with c as (select a from t) select x.a, c.a, d.u.b from c as x, d.u as y";
    check(
        ClickHouse,
        "",
        text,
        "
        a -> t.a select certain
        table t read
        x.a -> t.a select certain
        c.a -> t.a select certain
        d.u.b -> u.b select certain
        table d.u read",
    );
    check(Postgres, "", "select t.a from t as x", "t.a -> - select unknown\ntable t read");
}
