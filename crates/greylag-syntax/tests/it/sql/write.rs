//! Statements that change rows.

use greylag_syntax::sql::Dialect::{BigQuery, Generic, Postgres, Snowflake, Spark};
use greylag_syntax::sql::{NoSchemas, Origin, read};

use super::check;

#[test]
fn insert() {
    check(
        Generic,
        "",
        "insert into s.t (a, b) select x, u.y from u",
        "
        table s.t insert
        a -> t.a inserttarget certain
        b -> t.b inserttarget certain
        x -> u.x select certain
        u.y -> u.y select certain
        table u read",
    );
    check(
        Postgres,
        "",
        "insert into t (a) values (1) on conflict (a) do update set b = excluded.b + t.c where d > 1",
        "
        table t insert
        a -> t.a inserttarget certain
        a -> t.a mergekey certain
        b -> t.b updatetarget certain
        excluded.b -> t.b assign certain
        t.c -> t.c assign certain
        d -> t.d filter likely",
    );
    check(
        Spark,
        "",
        "insert overwrite table t partition (day = '1') select a from u",
        "
        table t insert
        day -> t.day inserttarget certain
        a -> u.a select certain
        table u read",
    );
}

#[test]
fn update() {
    check(
        Postgres,
        "",
        "update t set a = u.b, c = default from u where t.id = u.id",
        "
        table t update
        a -> t.a updatetarget certain
        u.b -> u.b assign certain
        c -> t.c updatetarget certain
        table u read
        t.id -> t.id filter certain
        u.id -> u.id filter certain",
    );
    check(
        BigQuery,
        "",
        "update ds.t x set x.a = 1, s.f = b where true",
        "
        table ds.t update
        x.a -> t.a updatetarget certain
        s.f -> t.s updatetarget certain
        b -> t.b assign certain",
    );
}

#[test]
fn delete() {
    check(
        Postgres,
        "",
        "delete from t using u where t.id = u.id",
        "
        table t delete
        table u read
        t.id -> t.id filter certain
        u.id -> u.id filter certain",
    );
}

#[test]
fn merge() {
    check(
        Snowflake,
        "",
        "merge into t using (select id, v from s) as n on t.id = n.id when matched and n.v > 0 then update set v = n.v, t.w = t.w + 1 when not matched then insert (id, v) values (n.id, v)",
        "
        table t merge
        id -> s.id select certain
        v -> s.v select certain
        table s read
        t.id -> t.id mergekey certain
        n.id -> s.id mergekey certain
        n.v -> s.v filter certain
        v -> t.v updatetarget certain
        n.v -> s.v assign certain
        t.w -> t.w updatetarget certain
        t.w -> t.w assign certain
        id -> t.id inserttarget certain
        v -> t.v inserttarget certain
        n.id -> s.id assign certain
        v -> s.v assign certain",
    );
}

#[test]
fn a_merge_may_take_all_columns_by_their_names() {
    for (dialect, update, insert) in
        [(Spark, "update set *", "insert *"), (Snowflake, "update all by name", "insert all by name")]
    {
        let text = format!(
            "merge into t using s on t.id = s.id when matched and s.d then delete when matched and t.v then {update} \
             when not matched by target and s.w then {insert}"
        );
        check(
            dialect,
            "",
            &text,
            "
            table t merge
            table s read
            t.id -> t.id mergekey certain
            s.id -> s.id mergekey certain
            s.d -> s.d filter certain
            t.v -> t.v filter certain
            s.w -> s.w filter certain",
        );
        let reading = read(&text, dialect, &NoSchemas);
        assert_eq!(reading.wholes.len(), 1);
        assert_eq!(reading.wholes[0].from, [Origin::Relation(0), Origin::Relation(1)]);
        assert_eq!(reading.statements[0].assignments.len(), 1);
    }
}
