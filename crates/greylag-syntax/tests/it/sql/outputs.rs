//! Outputs of queries, stars, lineage, and what a rewriter must know.

use greylag_syntax::sql::Dialect::{BigQuery, Generic, Snowflake};
use greylag_syntax::sql::{NoSchemas, read};

use super::{Known, check_outputs, honest, word};

#[test]
fn kinds_of_outputs() {
    check_outputs(
        Generic,
        "",
        "select a, t.b as c, d + 1, sum(e) as s, count(*) n, (select max(x) from u) m, cast(f as int) as g from t",
        "
        a copy t.a
        c copy t.b
        ? transformation t.d
        s aggregation t.e
        n aggregation
        m transformation u.x
        g transformation t.f",
    );
}

#[test]
fn stars_expand_where_schemas_are_known() {
    check_outputs(
        BigQuery,
        "t(a, b, c) u(d)",
        "select * except (a) replace (b + 1 as b), 1 as x from t, u",
        "
        b transformation t.b
        c copy t.c
        d copy u.d
        x transformation",
    );
    check_outputs(
        Snowflake,
        "t(a, b, c)",
        "select t.* exclude a rename (b as z) from t",
        "
        z copy t.b
        c copy t.c",
    );
    check_outputs(
        Generic,
        "a(id, x) b(id, y)",
        "select * from a join b using (id)",
        "
        id copy a.id, b.id
        x copy a.x
        y copy b.y",
    );
    check_outputs(
        Generic,
        "",
        "with c as (select a from t) select c.*, u.* from c, u",
        "
        a copy t.a
        ? star u.",
    );
}

#[test]
fn outputs_go_through_blocks() {
    check_outputs(
        Generic,
        "",
        "with c as (select sum(a) as s, b from t group by b), d as (select s + 1 as p, b from c) select p, d.b as q from d",
        "
        p copy t.a
        q copy t.b",
    );
}

#[test]
fn a_bare_item_says_where_an_alias_goes() {
    let text = "select a, t.b , c as d, s.f, (e) from t";
    let reading = read(text, Generic, &NoSchemas);
    let found: Vec<_> = reading
        .columns
        .iter()
        .map(|column| (&text[column.range.clone()], column.place.bare.map(|at| &text[at..=at])))
        .collect();
    assert_eq!(found, [("a", Some(",")), ("t.b", Some(" ")), ("c", None), ("s.f", None), ("e", None)]);
}

#[test]
fn items_have_ranges() {
    let text = "select distinct a, f(b, c) as d, case when x then 1 end e, y is distinct from z, array<struct<p int, q int>>[(1, 2)] from t";
    let reading = read(text, BigQuery, &NoSchemas);
    honest(text, &reading);
    let query = reading.statements[0].query.unwrap();
    let items: Vec<&str> = reading.queries[query].outputs.iter().map(|output| &text[output.range.clone()]).collect();
    assert_eq!(
        items,
        [
            "a",
            "f(b, c) as d",
            "case when x then 1 end e",
            "y is distinct from z",
            "array<struct<p int, q int>>[(1, 2)]"
        ]
    );
}

#[test]
fn stars_and_using_have_ranges() {
    let text = "select x.* exclude (a), * from t as x join u using (id, k)";
    let reading = read(text, Snowflake, &NoSchemas);
    let stars: Vec<_> =
        reading.stars.iter().map(|star| (&text[star.range.clone()], &text[star.item.clone()])).collect();
    assert_eq!(stars, [("x.*", "x.* exclude (a)"), ("*", "*")]);
    let using: Vec<_> =
        reading.columns.iter().filter_map(|column| column.using.clone()).map(|range| &text[range]).collect();
    assert_eq!(using, ["(id, k)", "(id, k)"]);
}

#[test]
fn lineage_of_a_statement() {
    let text = "insert into o (p, q) with c as (select a, sum(b) as s from t where d > 1 group by a) select c.a, coalesce(s, u.z) from c join u on u.id = c.a";
    let reading = read(text, Generic, &Known::new(""));
    let name = |relation: usize| reading.relations[relation].parts[0].text.clone();
    let edges: Vec<String> = reading
        .lineage(0)
        .iter()
        .map(|edge| {
            let to = edge.output.as_deref().unwrap_or("*");
            let how = edge.indirect.map_or_else(|| word(&edge.base.way), |role| word(&role));
            format!("{}.{} -> {to} {how}", name(edge.base.relation), edge.base.column)
        })
        .collect();
    assert_eq!(
        edges,
        [
            "t.a -> p identity",
            "t.b -> q aggregation",
            "u.z -> q transformation",
            "t.d -> * filter",
            "t.a -> * group",
            "u.id -> * join",
            "t.a -> * join"
        ]
    );
}

#[test]
fn blocks_have_names_and_ranges() {
    let text = "with c as (select a from t) select (select max(b) from u) from c";
    let reading = read(text, Generic, &NoSchemas);
    let blocks: Vec<_> = reading
        .queries
        .iter()
        .map(|block| (block.name.as_ref().map(|name| &*name.text), &text[block.range.clone()], block.parent))
        .collect();
    let expected = [
        (None, "select (select max(b) from u) from c", None),
        (Some("c"), "select a from t", Some(0)),
        (None, "select max(b) from u", Some(0)),
    ];
    assert_eq!(blocks, expected);
}

#[test]
fn numbers_name_outputs() {
    let text = "select a, b from t group by 1, 2 order by 2";
    let reading = read(text, Generic, &NoSchemas);
    let found: Vec<_> = reading.queries[0]
        .positional
        .iter()
        .map(|(range, role, output)| (&text[range.clone()], word(role), *output))
        .collect();
    assert_eq!(found, [("1", "group".to_owned(), 0), ("2", "group".to_owned(), 1), ("2", "order".to_owned(), 1)]);
}

#[test]
fn places_tell_casts_conditions_and_aggregates() {
    let text = "select cast(a as int), case when b then c end, sum(d + 1), e.f from t";
    let reading = read(text, BigQuery, &NoSchemas);
    let flags = |place: greylag_syntax::sql::Place| {
        let all = [
            ("cast", place.cast),
            ("condition", place.condition),
            ("aggregate", place.aggregate),
            ("field", place.field),
            ("computed", place.computed),
        ];
        all.into_iter().filter(|(_, set)| *set).map(|(name, _)| name).collect::<Vec<_>>().join(" ")
    };
    let found: Vec<String> =
        reading.columns.iter().map(|column| format!("{}: {}", column.name.text, flags(column.place))).collect();
    assert_eq!(
        found,
        ["a: cast computed", "b: condition computed", "c: computed", "d: aggregate computed", "e: field"]
    );
}
