//! Models that hang on what only a database or a run knows render in several ways.

use super::{edges, node, project, project_with, texts};
use greylag_code::dbt::{Columns, Options, taken};
use std::sync::Arc;

#[test]
fn an_incremental_model_has_two_ways() {
    let model =
        "select * from {{ ref('b') }}{% if is_incremental() %} where d > (select max(d) from {{ this }}){% endif %}";
    let found = project(&[("models/a.sql", model), ("models/b.sql", "select 1 as d")]);
    let incremental = "select * from target_schema.b where d > (select max(d) from target_schema.a)";
    assert_eq!(texts(&found, "a"), [incremental, "select * from target_schema.b"]);
    let decision = &node(&found, "a").renderings[0].decisions[0];
    assert_eq!((&*decision.what, decision.answer), ("is_incremental()", true));
    assert_eq!(found.files.bytes(decision.at), "is_incremental()");
}

#[test]
fn a_variable_that_is_nothing_until_somebody_says_it_has_two_ways() {
    let model = "{% set begin = var('begin', none) %}select 1{% if begin %} where d > '{{ begin }}'{% else %} where d > 0{% endif %}";
    let found = project(&[("models/a.sql", model)]);
    let mut ways = texts(&found, "a");
    ways.sort_unstable();
    assert_eq!(ways, ["select 1 where d > 'greylag_open_0'", "select 1 where d > 0"]);
    let said = Options { variables: [("begin".to_owned(), serde_json::Value::from("x"))].into(), ..Options::default() };
    assert_eq!(texts(&project_with(&[("models/a.sql", model)], &said), "a"), ["select 1 where d > 'x'"]);
}

#[test]
fn an_edge_of_some_ways_says_so() {
    let model = "{% if target.name == 'prod' %}{{ ref('b') }}{% endif %}{{ ref('c') }}";
    let files = [("models/a.sql", model), ("models/b.sql", "select 1"), ("models/c.sql", "select 1")];
    let found = project(&files);
    let always: Vec<bool> = node(&found, "a").edges.iter().map(|edge| edge.always).collect();
    assert_eq!(always, [false, true]);
    let options = Options { target: [("name".to_owned(), "dev".to_owned())].into(), ..Options::default() };
    assert_eq!(edges(&project_with(&files, &options), "a"), ["model.shop.c from models/a.sql:c"]);
}

#[test]
fn the_result_of_a_query_is_open() {
    let model = "{% set rows = run_query('select x from ' ~ ref('b')) %}{% if execute %}{% for row in rows %}{{ row[0] }},{% endfor %}{% endif %}";
    let found = project(&[("models/a.sql", model), ("models/b.sql", "select 1")]);
    assert_eq!(texts(&found, "a"), ["greylag_open_3,", ""]);
    let holes = &node(&found, "a").renderings[0].holes;
    assert_eq!(&*holes[0].what, "an item of run_query('select x from target_schema.b')[0]");
    assert_eq!(edges(&found, "a"), ["model.shop.b from models/b.sql:b".replace("models/b.sql", "models/a.sql")]);
}

#[test]
fn a_statement_refers_though_it_prints_nothing() {
    let model = "{% call statement('q', fetch_result=true) %}select 1 from {{ ref('b') }}{% endcall %}{% set r = load_result('q') %}{{ r['data'][0][0] }}";
    let found = project(&[("models/a.sql", model), ("models/b.sql", "select 1")]);
    assert_eq!(texts(&found, "a"), ["greylag_open_3"]);
    assert_eq!(edges(&found, "a").len(), 1);
}

#[derive(Debug)]
struct Known;

impl Columns for Known {
    fn columns(&self, id: &str) -> Option<Vec<(String, String)>> {
        (id == "model.shop.b")
            .then(|| vec![("x".to_owned(), "integer".to_owned()), ("y".to_owned(), "text".to_owned())])
    }
}

#[test]
fn columns_are_known_if_the_caller_knows_them() {
    let model = "{% for c in adapter.get_columns_in_relation(ref('b')) %}{{ c.name }}:{{ c.is_string() }} {% endfor %}";
    let files = [("models/a.sql", model), ("models/b.sql", "select 1")];
    let options = Options { columns: Some(Arc::new(Known)), ..Options::default() };
    assert_eq!(texts(&project_with(&files, &options), "a"), ["x:False y:True "]);
    assert_eq!(texts(&project(&files), "a").len(), 2);
}

#[test]
fn an_error_ends_its_way_and_no_other() {
    let model = "{% if not target.schema %}{{ exceptions.raise_compiler_error('no schema') }}{% endif %}select 1";
    let found = project(&[("models/a.sql", model)]);
    assert_eq!(texts(&found, "a"), ["select 1", "✗ models/a.sql:1:30: no schema"]);
}

#[test]
fn an_environment_variable_is_open_without_a_default() {
    let model = "{{ env_var('SCHEMA', 'x') }} {{ env_var('OTHER') }}";
    let found = project(&[("models/a.sql", model)]);
    assert_eq!(texts(&found, "a"), ["x greylag_open_0"]);
}

#[test]
fn how_long_a_series_is_makes_no_ways() {
    let package = "{% macro get_intervals_between(a, b, part) %}{{ return(adapter.dispatch('get_intervals_between', 'dates')(a, b, part)) }}{% endmacro %}{% macro default__get_intervals_between(a, b, part) %}{% call statement('n', fetch_result=True) %}select {{ a }}{% endcall %}{{ return(load_result('n')['data'][0][0]) }}{% endmacro %}{% macro series(a, b) %}{% set n = dates.get_intervals_between(a, b, 'day') %}{% for _ in range(1, 100) %}{% if n <= 2 ** loop.index %}{{ return(loop.index) }}{% endif %}{% endfor %}{% endmacro %}";
    let found = project(&[
        ("dbt_packages/dates/dbt_project.yml", "name: dates\n"),
        ("dbt_packages/dates/macros/series.sql", package),
        ("models/a.sql", "select {{ dates.series('x', 'y') }} as n"),
    ]);
    assert_eq!(texts(&found, "a"), ["select 12 as n"]);
    assert!(!node(&found, "a").truncated);
}

/// Of each way of a model, whether a run can take it, where ways with `???` in them could not be read.
fn ways_taken(model: &str) -> Vec<(String, bool)> {
    let found = project(&[("models/a.sql", model)]);
    let ways = &node(&found, "a").renderings;
    let whole: Vec<bool> =
        ways.iter().map(|way| way.text.as_ref().is_ok_and(|text| !text.text().contains("???"))).collect();
    texts(&found, "a").into_iter().zip(taken(ways, &whole)).collect()
}

#[test]
fn a_way_without_sql_is_none_where_the_database_decides() {
    let model = "{% set rows = run_query('q') %}select {% for row in rows %}1{% else %}???{% endfor %}";
    assert_eq!(ways_taken(model), [("select 1".to_owned(), true), ("select ???".to_owned(), false)]);
}

#[test]
fn a_way_that_whoever_runs_decides_is_one_though_it_was_not_read() {
    let model = "select 1{% if is_incremental() %} where ???{% endif %}";
    assert_eq!(ways_taken(model), [("select 1 where ???".to_owned(), true), ("select 1".to_owned(), true)]);
    let model = "select 1{% if is_incremental() %} where x{% if run_query('q') %}???{% endif %}{% endif %}";
    let taken: Vec<bool> = ways_taken(model).into_iter().map(|(_, taken)| taken).collect();
    assert_eq!(taken, [false, true, true]);
}

#[test]
fn a_way_that_ends_with_an_error_is_none_where_another_gives_sql() {
    let model = "{% if run_query('q') %}{% set rows = [1] %}{% else %}{% set rows = none %}{% endif %}select {% for row in rows %}{{ row }}{% endfor %}";
    let ways = ways_taken(model);
    assert_eq!(ways[0], ("select 1".to_owned(), true));
    assert!(ways[1].0.starts_with('✗') && !ways[1].1, "{ways:?}");
    let alone = ways_taken("select {% for row in none %}{{ row }}{% endfor %}");
    assert!(alone[0].1, "{alone:?}");
}
