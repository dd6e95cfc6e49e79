//! How nodes are configured.

use super::{node, project, texts};
use greylag_syntax::trace::Traced;

const PROJECT: &str = "name: shop\nmodels:\n  shop:\n    +materialized: view\n    marts:\n      +schema: marts\n      +materialized: \"{{ 'table' if var('big', true) else 'view' }}\"\n    off:\n      +enabled: \"{{ var('on', false) | as_bool }}\"\n";

#[test]
fn the_project_then_yaml_then_the_template() {
    let yaml = "models:\n  - name: b\n    config:\n      alias: bee\n      schema: other\n  - name: c\n    config: {materialized: view}\n";
    let found = project(&[
        ("dbt_project.yml", PROJECT),
        ("models/marts/a.sql", "select 1"),
        ("models/marts/b.sql", "select 1"),
        ("models/marts/b.yml", yaml),
        (
            "models/marts/c.sql",
            "{{ config(materialized='incremental', schema='mine') }}select '{{ config.get('materialized') }}'",
        ),
        ("models/off/d.sql", "select 1"),
        ("models/e.sql", "{{ ref('a') }} {{ ref('b') }} {{ ref('c') }} {{ ref('d') }}"),
    ]);
    let text = |text: &Option<Traced>| text.as_ref().map_or("-", |text| text.text()).to_owned();
    let shown = |name: &str| {
        let config = &node(&found, name).config;
        [text(&config.materialized), text(&config.schema), text(&config.alias)].join(" ")
    };
    assert_eq!(shown("a"), "table marts -");
    assert_eq!(shown("b"), "table other bee");
    assert_eq!(shown("c"), "incremental mine -");
    assert_eq!(shown("e"), "view - -");
    assert_eq!(node(&found, "d").config.enabled, Some(false));
    let relations = "target_schema_marts.a target_schema_other.bee target_schema_mine.c target_schema.d";
    assert_eq!(texts(&found, "e"), [relations]);
    assert_eq!(node(&found, "e").edges.len(), 3, "what is switched off is not referred to");
    assert_eq!(texts(&found, "c"), ["select 'incremental'"]);
}

#[test]
fn the_project_may_make_names_by_macros_of_its_own() {
    let macros = "{% macro generate_schema_name(custom, node) -%}{{ custom | trim if custom else target.schema }}_x{%- endmacro %}\n{% macro generate_alias_name(custom=none, node=none) %}{{ node.name | upper }}{% endmacro %}";
    let found = project(&[
        ("macros/m.sql", macros),
        ("models/a.sql", "{{ config(schema='mine') }}select 1"),
        ("models/b.sql", "{{ ref('a') }} {{ ref('b2') }}"),
        ("models/b2.sql", "select 1"),
    ]);
    assert_eq!(texts(&found, "b"), ["mine_x.A target_schema_x.B2"]);
}

#[test]
fn the_bytes_of_a_configured_name_are_known() {
    let found = project(&[("dbt_project.yml", PROJECT), ("models/marts/a.sql", "{{ config(alias='x_' ~ 'y') }}")]);
    let config = &node(&found, "a").config;
    let schema = config.schema.as_ref().unwrap().copy_of(0..5).unwrap();
    assert_eq!((found.files.path(schema.file), found.files.bytes(schema)), ("dbt_project.yml", "marts"));
    let alias: Vec<&str> =
        config.alias.as_ref().unwrap().sources().iter().map(|span| found.files.bytes(*span)).collect();
    assert_eq!(alias, ["x_", "y"]);
}

#[test]
fn what_switches_itself_off_by_a_variable_is_off() {
    let found = project(&[
        ("models/a.sql", "{{ config(enabled=var('x', false) | as_bool) }}select 1"),
        ("models/b.sql", "{{ config({'enabled': false}) }}select 1"),
        ("models/c.sql", "{{ ref('a') }}"),
    ]);
    assert_eq!(node(&found, "a").config.enabled, Some(false));
    assert_eq!(node(&found, "b").config.enabled, Some(false));
    assert!(node(&found, "c").edges.is_empty());
}

#[test]
fn a_variable_that_is_a_template_is_rendered_where_it_is_asked_for() {
    let settings = "name: shop\nvars:\n  unit: \"{{ env_var('UNIT', 'day') }}\"\n  begin: \"{{ '2020-01-01' if target.name == 'prod' else now() }}\"\n  twice: '{{ var(\"unit\") }}s'\n  escaped: \"{{ \\\"x\\\" }}\"\n";
    let files = |model| [("dbt_project.yml", settings), ("models/a.sql", model)];
    let check = |model, expected: &[&str]| assert_eq!(texts(&project(&files(model)), "a"), expected, "{model}");
    check("select interval '{{ var('unit') }}'", &["select interval 'day'"]);
    check("select '{{ var('twice') }}'", &["select 'days'"]);
    check("select {{ var('escaped') }}", &["select x"]);
    check("select '{{ var('begin') }}'", &["select '2020-01-01'", "select 'greylag_open_2'"]);
}

#[test]
fn a_schema_that_only_the_target_knows_is_left_out_of_a_name() {
    let sources = "sources:\n  - name: raw\n    database: lake\n    schema: \"{{ target.schema.replace(var('suffix', ''), '').rstrip('_') }}_raw\"\n    tables: [{name: orders}]\n";
    let model = "select * from {{ source('raw', 'orders') }} -- {{ source('raw', 'orders').schema }}";
    let found = project(&[("models/sources.yml", sources), ("models/a.sql", model)]);
    assert_eq!(texts(&found, "a"), ["select * from orders -- greylag_open_0"]);
    assert_eq!(found.sources[0].relation(), ["orders"]);
}

#[test]
fn an_identifier_that_has_its_quotes_is_not_quoted_again() {
    let sources = "sources:\n  - name: raw\n    tables: [{name: group, identifier: '\"GROUP\"'}, {name: lines, identifier: order lines}]\n";
    let model = "select * from {{ source('raw', 'group') }}, {{ source('raw', 'lines') }}";
    let found = project(&[("models/sources.yml", sources), ("models/a.sql", model)]);
    assert_eq!(texts(&found, "a"), ["select * from raw.\"GROUP\", raw.\"order lines\""]);
    assert_eq!(found.sources[0].relation(), ["raw", "GROUP"]);
}
