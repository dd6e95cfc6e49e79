//! How tables are stored: the columns that attributes name are those of the table.

use greylag_syntax::sql::Dialect::{ClickHouse, Postgres, Spark};
use greylag_syntax::sql::{NoSchemas, read};

use super::check;

#[test]
fn attributes_of_redshift() {
    check(
        Postgres,
        "",
        "create table t (a int encode zstd distkey, b int not null encode az64) diststyle key distkey (a) compound sortkey (a, b)",
        "
        table t create
        a -> t.a define certain
        b -> t.b define certain
        a -> t.a define certain
        a -> t.a define certain
        b -> t.b define certain",
    );
    check(
        Postgres,
        "",
        "create table t diststyle even sortkey (a) as select sortkey, a from u, v where u.b = v.c (+)",
        "
        table t create
        a -> t.a define certain
        sortkey -> u.sortkey, v.sortkey select unknown
        a -> u.a, v.a select unknown
        table u read
        table v read
        u.b -> u.b filter certain
        v.c -> v.c filter certain",
    );
    check(
        Postgres,
        "",
        "copy s.t (a) from 's3://x/y' iam_role 'z' delimiter '|' csv",
        "
        table s.t insert
        a -> t.a inserttarget certain",
    );
}

#[test]
fn attributes_of_clickhouse() {
    check(
        ClickHouse,
        "",
        "create table t on cluster '{c}' (`a` UInt32 comment 'x' codec(Delta, ZSTD(1)), b DateTime) \
         engine = ReplicatedReplacingMergeTree('/x', '{r}', b) partition by toStartOfMonth(b) order by (a, b) \
         ttl b + interval 3 day settings x = 1",
        "
        table t create
        `a` -> t.a define certain
        b -> t.b define certain
        b -> t.b define certain
        b -> t.b define certain
        a -> t.a define certain
        b -> t.b define certain
        b -> t.b define certain",
    );
    check(
        ClickHouse,
        "",
        "create table t on cluster '{c}' as u engine = Distributed('{c}', currentDatabase(), u, cityHash64(a, `b`))",
        "
        table t create
        table u read
        table u mention
        a -> t.a define certain
        `b` -> t.b define certain",
    );
    let reading = read("create table t (a Int8) engine = Merge(x, y)", ClickHouse, &NoSchemas);
    assert_eq!(reading.unknown.len(), 1);
}

#[test]
fn attributes_of_spark() {
    check(
        Spark,
        "",
        "create table t using delta partitioned by (d, days(`e`)) location '/x' as select a, d from u",
        "
        table t create
        d -> t.d define certain
        `e` -> t.e define certain
        a -> u.a select certain
        d -> u.d select certain
        table u read",
    );
    check(
        Spark,
        "",
        "create table t (a int) using parquet partitioned by (d date) clustered by (a) into 4 buckets tblproperties ('x' = 'y')",
        "
        table t create
        a -> t.a define certain
        d -> t.d define certain
        a -> t.a define certain",
    );
}
