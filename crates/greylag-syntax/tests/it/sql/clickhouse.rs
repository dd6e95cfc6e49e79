//! What ClickHouse has that no other has.

use greylag_syntax::sql::Dialect::ClickHouse;

use super::{check, check_outputs};

#[test]
fn relations_after_merging_and_strict_joins_keep_their_aliases() {
    check(
        ClickHouse,
        "",
        "select a.id, b.n from t as a final left any join u b final on a.id = b.id global any left join w on w.id = a.id",
        "
        a.id -> t.id select certain
        b.n -> u.n select certain
        table t read
        table u read
        a.id -> t.id join certain
        b.id -> u.id join certain
        table w read
        w.id -> w.id join certain
        a.id -> t.id join certain",
    );
    check(
        ClickHouse,
        "",
        "select final, any(x) as final_2 from t final prewhere y global in (select z from u final)",
        "
        final -> t.final select certain
        x -> t.x select certain
        table t read
        y -> t.y filter certain
        z -> u.z select likely
        table u read",
    );
}

#[test]
fn arrays_are_joined() {
    check(
        ClickHouse,
        "t(id, tags, n)",
        "select id, tag, k.x from t left array join tags as tag, arrayMap(e -> e + n, tags) as k where tag = 'a'",
        "
        id -> t.id select likely
        tag -> t.tags select likely
        k.x -> t.n, t.tags select likely
        table t read
        tags -> t.tags from certain
        n -> t.n from likely
        tags -> t.tags from likely
        tag -> t.tags filter likely",
    );
    check(
        ClickHouse,
        "",
        "select x from t array join [1, 2] as x",
        "
        unknown the array of an `array join` is neither a column nor a call
        x -> t.x unknown unknown
        table t read likely
        x -> t.x unknown unknown",
    );
}

#[test]
fn names_of_the_list_hide_columns_everywhere() {
    check(
        ClickHouse,
        "t(d, x)",
        "select toDate(d) as day, x + 1 as x, x * 2 as y from t where x > 1 and day > 2 group by day",
        "
        d -> t.d select certain
        x -> t.x select certain
        x -> t.x select likely
        table t read
        x -> t.x filter likely
        day -> t.d filter certain
        day -> t.d group certain",
    );
    // A name that is given later may be meant before it.
    check(
        ClickHouse,
        "",
        "select x + 1 as y, z as x from t",
        "
        x -> t.x select unknown
        z -> t.z select certain
        table t read",
    );
}

#[test]
fn letters_are_kept_and_aggregates_have_combinators() {
    check(
        ClickHouse,
        "",
        "select A, a from (select a from t)",
        "
        A -> - select unknown
        a -> t.a select certain
        a -> t.a select certain
        table t read",
    );
    check_outputs(
        ClickHouse,
        "",
        "select sumIf(a, b) as s, quantile(0.5)(c) as q, groupArrayMerge(d) as g, lower(e) as l from t limit 1 by f settings x = 1",
        "
        s aggregation t.a, t.b
        q aggregation t.c
        g aggregation t.d
        l transformation t.e",
    );
}

#[test]
fn parts_of_tuples_have_numbers() {
    check_outputs(
        ClickHouse,
        "t(id, pair)",
        "select id, pair.2, arrayMap(e -> e.1 + id, pair) as m, f(pair).1 as n from t",
        "
        id copy t.id
        ? transformation t.pair
        m transformation t.id, t.pair
        n transformation t.pair",
    );
}

#[test]
fn a_mark_of_the_order_of_bytes_is_no_word() {
    check(
        ClickHouse,
        "",
        "\u{feff}select a from t",
        "
        a -> t.a select certain
        table t read",
    );
}
