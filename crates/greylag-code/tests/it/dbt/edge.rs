//! Edges, however a name gets to `ref` or `source`.

use super::{edges, node, project, texts};

#[test]
fn plain_calls() {
    let found = project(&[
        ("models/a.sql", "select * from {{ source('raw', 'orders') }} join {{ source(\"raw\", 'users') }}"),
        ("models/b.sql", "select * from {{ ref('a') }}\n"),
        ("models/c.sql", "select * from {{ ref('shop', 'a') }} -- {{ ref('a') }}"),
    ]);
    let path = "models/a.sql";
    assert_eq!(
        edges(&found, "a"),
        [
            format!("source.shop.raw.orders from {path}:raw,{path}:orders"),
            format!("source.shop.raw.users from {path}:raw,{path}:users")
        ]
    );
    assert_eq!(edges(&found, "b"), ["model.shop.a from models/b.sql:a"]);
    assert_eq!(edges(&found, "c"), ["model.shop.a from models/c.sql:shop,models/c.sql:a and models/c.sql:a"]);
    assert_eq!(texts(&found, "a"), ["select * from raw_data.orders join raw_data.users_v1"]);
    assert_eq!(texts(&found, "b"), ["select * from target_schema.a"]);
}

#[test]
fn through_a_loop_over_a_variable_of_the_project() {
    let found = project(&[(
        "models/a.sql",
        "{% for table in var('tables') %}select * from {{ source('raw', table) }}{{ ' union all ' if not loop.last }}{% endfor %}",
    )]);
    assert_eq!(
        edges(&found, "a"),
        [
            "source.shop.raw.orders from models/a.sql:raw,dbt_project.yml:orders",
            "source.shop.raw.users from models/a.sql:raw,dbt_project.yml:users"
        ]
    );
}

#[test]
fn through_a_macro_and_its_default_argument() {
    let found = project(&[
        (
            "macros/m.sql",
            "{% macro all_of(table, source_name='raw') %}select * from {{ source(source_name, table) }}{% endmacro %}",
        ),
        ("models/a.sql", "{{ all_of('orders') }}"),
        ("models/b.sql", "{{ all_of(ref('a').identifier ~ 's' if false else 'us' ~ 'ers') }}"),
    ]);
    assert_eq!(edges(&found, "a"), ["source.shop.raw.orders from macros/m.sql:raw,models/a.sql:orders"]);
    assert_eq!(edges(&found, "b"), ["source.shop.raw.users from macros/m.sql:raw,models/b.sql:us,models/b.sql:ers"]);
}

#[test]
fn a_relation_as_an_argument_and_in_a_list() {
    let found = project(&[
        (
            "macros/m.sql",
            "{% macro union(relations) %}{% for r in relations %}select '{{ r.identifier }}' from {{ r }}{{ ';' if not loop.last }}{% endfor %}{% endmacro %}",
        ),
        ("models/a.sql", "select 1 as x"),
        ("models/b.sql", "{% set all = [ref('a'), source('raw', 'users')] %}{{ union(relations=all) }}"),
    ]);
    assert_eq!(texts(&found, "b"), ["select 'a' from target_schema.a;select 'users_v1' from raw_data.users_v1"]);
    assert_eq!(edges(&found, "b").len(), 2);
}

#[test]
fn versions() {
    let yaml = "models:\n  - name: a\n    latest_version: 1\n    versions:\n      - v: 1\n      - v: 2\n";
    let found = project(&[
        ("models/a.yml", yaml),
        ("models/a_v1.sql", "select 1"),
        ("models/a_v2.sql", "select 2"),
        ("models/b.sql", "{{ ref('a') }} {{ ref('a', v=2) }} {{ ref('a', version='1') }}"),
    ]);
    assert_eq!(texts(&found, "b"), ["target_schema.a_v1 target_schema.a_v2 target_schema.a_v1"]);
    let ids: Vec<&str> = found.nodes.iter().map(|node| &*node.id).collect();
    assert_eq!(ids, ["model.shop.a.v1", "model.shop.a.v2", "model.shop.b"]);
}

#[test]
fn hooks_and_exposures_and_tests_at_columns_have_edges() {
    let yaml = "models:\n  - name: b\n    columns:\n      - name: id\n        tests:\n          - unique\n          - relationships: {to: ref('a'), field: id}\nexposures:\n  - name: board\n    depends_on: [ref('a'), \"source('raw', 'users')\"]\n";
    let found = project(&[
        ("models/a.sql", "select 1"),
        ("models/b.sql", "{{ config(post_hook=\"insert into log select * from {{ ref('a') }}\") }}select 2"),
        ("models/b.yml", yaml),
    ]);
    assert_eq!(edges(&found, "b"), ["model.shop.a from models/b.sql:a"]);
    assert_eq!(found.exposures[0].edges.len(), 2);
    let tests: Vec<_> = found.tests.iter().map(|test| (test.test.text(), test.edges.len())).collect();
    assert_eq!(tests, [("unique", 0), ("relationships", 1)]);
    let column = found.tests[0].column.as_ref().unwrap();
    let span = column.copy_of(0..2).unwrap();
    assert_eq!((found.files.path(span.file), found.files.bytes(span)), ("models/b.yml", "id"));
}

#[test]
fn exposures_and_tests_may_be_switched_off() {
    let yaml = "exposures:\n  - name: board\n    depends_on: [ref('a')]\n    config: {enabled: false}\n  - name: sheet\n    depends_on: [ref('a')]\ndata_tests:\n  - name: t\n    config: {enabled: false}\n";
    let found = project(&[
        ("models/a.sql", "select 1"),
        ("models/a.yml", yaml),
        ("tests/t.sql", "select * from {{ ref('a') }}"),
        ("tests/u.sql", "select * from {{ ref('a') }}"),
    ]);
    let names: Vec<&str> = found.exposures.iter().map(|exposure| exposure.name.text()).collect();
    assert_eq!(names, ["sheet"]);
    assert_eq!(node(&found, "t").config.enabled, Some(false));
    assert_eq!(node(&found, "u").config.enabled, Some(true));
}

#[test]
fn an_entry_is_that_of_whichever_node_of_its_name_is_on() {
    let settings = "name: shop\nmodels:\n  shop:\n    old:\n      +enabled: false\n";
    let yaml = "models:\n  - name: b\n    config: {alias: bee}\n";
    for (on, off) in [("models/a/b.sql", "models/old/b.sql"), ("models/z/b.sql", "models/old/b.sql")] {
        let found = project(&[
            ("dbt_project.yml", settings),
            (on, "select 1"),
            (off, "select 2"),
            ("models/b.yml", yaml),
            ("models/c.sql", "{{ ref('b') }}"),
        ]);
        assert_eq!(texts(&found, "c"), ["target_schema.bee"], "{on}");
    }
}

#[test]
fn what_renders_in_no_way_still_has_the_edges_of_its_literals() {
    let found = project(&[
        ("models/a.sql", "select 1"),
        ("models/b.sql", "{{ 1 + 'a' }} {{ ref('a') }} {% if x %}{{ source('raw', 'users') }}{% endif %}"),
    ]);
    assert_eq!(texts(&found, "b"), ["✗ models/b.sql:1:4: `+` is not for `int` and `str`"]);
    assert_eq!(edges(&found, "b").len(), 2);
}
