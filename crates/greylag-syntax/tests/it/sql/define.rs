//! Statements that define relations.

use greylag_syntax::sql::Dialect::{BigQuery, Generic, Postgres, Snowflake};

use super::check;

#[test]
fn create_table_and_view() {
    check(
        BigQuery,
        "",
        "create or replace table ds.t partition by day cluster by a as select day, a from u",
        "
        table ds.t create
        day -> t.day define certain
        a -> t.a define certain
        day -> u.day select certain
        a -> u.a select certain
        table u read",
    );
    check(
        Generic,
        "",
        "create view v (x) as select a from t",
        "
        table v create
        x -> v.x define certain
        a -> t.a select certain
        table t read",
    );
    check(
        Postgres,
        "",
        "create table t (id int primary key, u_id int references u (id), check (id > 0))",
        "
        table t create
        id -> t.id define certain
        u_id -> t.u_id define certain
        table u mention
        id -> u.id define certain
        id -> t.id define certain",
    );
}

#[test]
fn alter_drop_truncate() {
    check(
        Generic,
        "",
        "alter table t rename column a to b; drop table s.t; truncate table u; drop index i",
        "
        table t alter
        a -> t.a define certain
        b -> t.b define certain
        table s.t drop
        table u truncate",
    );
}

#[test]
fn functions_and_procedures() {
    check(
        BigQuery,
        "",
        "create temp function f(x int64) as (x + 1); select f(a) from t",
        "
        a -> t.a select certain
        table t read",
    );
    check(
        Postgres,
        "",
        "create function f() returns int language sql as $$ select a from t $$",
        "
        a -> t.a select certain
        table t read",
    );
    check(
        Snowflake,
        "",
        "create view v as select a from t; comment on table t is 'x'",
        "
        table v create
        a -> t.a select certain
        table t read
        table t mention",
    );
}

#[test]
fn parameters_of_a_function_may_be_meant_in_its_body() {
    check(
        Postgres,
        "",
        "create function f(x int) returns int language plpgsql as $$ begin return (select a from t where b = x); end $$",
        "
        a -> t.a select certain
        table t read
        b -> t.b filter certain
        x -> t.x filter likely",
    );
}
