//! Any text is read: no panic, and every range holds what is said of it.

use greylag_syntax::sql::Dialect::{self, BigQuery, ClickHouse, DuckDb, Generic, Postgres, Snowflake, Spark, Trino};
use greylag_syntax::sql::{Reading, read};
use proptest::prelude::*;

use super::{Known, honest};

const SEEDS: &[&str] = &[
    "with recursive c (x, y) as (select a, b from t union all select x + 1, y from c) select * except (x), c.y as z from c join u using (id) where x in (select v from w)",
    "merge into t using (select id, v from s) as n on t.id = n.id when matched then update set v = n.v when not matched then insert (id, v) values (n.id, v)",
    "insert into p.d.t (a, b) select x.y.z, sum(b) over (partition by c order by d) from `p.d.u` x, unnest(x.hits) h qualify row_number() over w = 1 window w as (order by a)",
    "update t set a = (select max(b) from u where u.id = t.id) from v where t.k = v.k returning *, a as b",
    "create table t as select date_trunc(a, month), case when b > 1 then c end, cast(d as array<struct<x int64>>) from u pivot (sum(v) for m in ('a', 'b')) order by 1, 2 limit 3",
    "declare x int64 default 1; begin if x > (select count(*) from t) then delete from u where true; end if; exception when error then select 1; end;",
    "select a[0].b, x -> y, doc:a.b::int, \"q\"\"uoted\".c, 'it''s' -- comment\n /* b */ from s.t as \"T\" lateral view explode(xs) e as f cluster by g",
    "from t |> where a > 1 |> select b, c |> aggregate sum(b) as s group by c |> order by s",
    "create function f(x int) returns int language sql as $$ select a from t where b = x; $$; call f(1)",
];

const PIECES: &[&str] = &[
    "(",
    ")",
    ",",
    ";",
    ".",
    "*",
    "'",
    "\"",
    "`",
    "$$",
    "--",
    "/*",
    "*/",
    "<",
    ">>",
    "[",
    "]",
    "@{",
    "}",
    "::",
    ":",
    "é",
    "select ",
    " from ",
    " join ",
    " using (",
    " as ",
    " with ",
    " case ",
    " end ",
    " begin ",
    " if ",
    " then ",
    "\n",
    "\r\n",
    "0x",
    "1e",
    "my-x.",
    " except ",
    " values ",
    "\u{1f980}",
    "\0",
];

fn dialect() -> impl Strategy<Value = Dialect> {
    prop::sample::select(vec![BigQuery, Postgres, DuckDb, Snowflake, Trino, Spark, ClickHouse, Generic])
}

/// A seed in which some pieces are put in, taken out or doubled.
fn mutated() -> impl Strategy<Value = String> {
    let edit = (any::<prop::sample::Index>(), 0..12_usize, prop::sample::select(PIECES), any::<bool>());
    (prop::sample::select(SEEDS), prop::collection::vec(edit, 0..6)).prop_map(|(seed, edits)| {
        let mut text: Vec<char> = seed.chars().collect();
        for (at, length, piece, doubles) in edits {
            let at = at.index(text.len() + 1);
            let end = (at + length).min(text.len());
            let removed: Vec<char> = if doubles { text[at..end].to_vec() } else { text.drain(at..end).collect() };
            let put = if doubles { removed } else { Vec::new() };
            text.splice(at..at, piece.chars().chain(put));
        }
        text.into_iter().collect()
    })
}

fn links_hold(text: &str, reading: &Reading) {
    for (at, column) in reading.columns.iter().enumerate() {
        assert!(column.statement < reading.statements.len(), "of {text}");
        for base in reading.bases(at) {
            assert!(base.relation < reading.relations.len(), "of {text}");
        }
    }
    for statement in 0..reading.statements.len() {
        reading.lineage(statement);
    }
    for item in reading.queries.iter().flat_map(|query| &query.outputs) {
        assert!(text.get(item.range.clone()).is_some(), "of {text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_statements_are_read(dialect in dialect(), text in mutated()) {
        let reading = read(&text, dialect, &Known::new("t(a, b, id) u(id, v)"));
        honest(&text, &reading);
        links_hold(&text, &reading);
    }

    #[test]
    fn any_text_is_read(dialect in dialect(), text in "\\PC{0,60}") {
        let reading = read(&text, dialect, &Known::new(""));
        honest(&text, &reading);
        links_hold(&text, &reading);
    }
}

#[test]
fn seeds_are_read_without_an_unknown_region() {
    for (seed, dialect) in [
        (SEEDS[0], BigQuery),
        (SEEDS[1], Snowflake),
        (SEEDS[3], Postgres),
        (SEEDS[5], BigQuery),
        (SEEDS[7], BigQuery),
        (SEEDS[8], Postgres),
    ] {
        let reading = read(seed, dialect, &Known::new(""));
        assert_eq!(reading.unknown, [], "of {seed}");
    }
}
