//! What dbt knows of other nodes, `graph.nodes` says here, too.

use super::{edges, node, project, project_with, texts};
use greylag_code::dbt::Options;

/// The texts of a model beside others.
fn texts_of(model: &str) -> Vec<String> {
    let other = "{{ config(schema='mart', alias='bee') }}select 1 as x";
    let files = [
        ("models/a.sql", model),
        ("models/b.sql", other),
        ("models/deep/c.sql", "select 1"),
        ("models/off.sql", "{{ config(enabled=false) }}select 1"),
        ("models/maybe.sql", "{{ config(enabled=target.name) }}select 1"),
        ("models/some.sql", "{% if target.name == 'x' %}{{ config(schema='y') }}{% endif %}select 1"),
        ("seeds/d.csv", "x\n1\n"),
    ];
    texts(&project_with(&files, &Options { adapter: Some("snowflake".to_owned()), ..Options::default() }), "a")
}

#[test]
fn whether_there_is_a_node_is_known() {
    let is = |id: &str| texts_of(&format!("{{{{ 'no' if graph.nodes.get('{id}') is none else 'yes' }}}}"));
    assert_eq!(is("model.shop.b"), ["yes"]);
    assert_eq!(is("model.shop.deep"), ["no"]);
    assert_eq!(is("model.shop.d"), ["no"]);
    assert_eq!(is("seed.shop.d"), ["yes"]);
    assert_eq!(is("model.other.b"), ["no"]);
    assert_eq!(is("model.shop.off"), ["no"]);
    // Only the target knows whether it is switched on, and dbt makes up ids of tests.
    assert_eq!(is("model.shop.maybe").len(), 2);
    assert_eq!(is("test.shop.b").len(), 2);
    assert_eq!(texts_of("{{ graph.nodes.get('model.shop.x', 'else') }} {{ graph.nodes['model.shop.x'] }}"), ["else "]);
    assert_eq!(texts_of("{% if graph.nodes.get(run_query('x')) %}a{% endif %}"), ["a", ""]);
}

#[test]
fn a_node_says_what_is_known_of_it() {
    let says = |what: &str| texts_of(&format!("{{% set n = graph.nodes['model.shop.b'] %}}{{{{ {what} }}}}"));
    assert_eq!(says("n.name ~ ' ' ~ n.alias ~ ' ' ~ n.package_name ~ ' ' ~ n.resource_type"), ["b bee shop model"]);
    assert_eq!(says("n.config.schema ~ ' ' ~ n.config.get('alias') ~ ' ' ~ n.config.database"), ["mart bee None"]);
    assert_eq!(texts_of("{{ graph.nodes['model.shop.c'].config.schema }}"), ["None"]);
    // What a template may configure in a branch is not known before it is rendered.
    assert_eq!(texts_of("{{ graph.nodes['model.shop.some'].config.schema }}"), ["greylag_open_1"]);
    assert_eq!(says("n.config.tags"), ["greylag_open_1"]);
}

#[test]
fn a_name_that_hangs_on_the_target_is_open_and_never_empty() {
    let model = "{{ graph.nodes.get('model.shop.b').schema or 'none' }} {{ graph.nodes.get('model.shop.b').database or 'none' }}";
    assert_eq!(texts_of(model), ["greylag_open_1 greylag_open_2"]);
    let without = project(&[("models/a.sql", model), ("models/b.sql", "select 1")]);
    assert_eq!(texts(&without, "a").len(), 2);
}

#[test]
fn the_nodes_as_a_whole_are_open() {
    assert_eq!(texts_of("{% for n in graph.nodes.values() %}{{ n.name }}{% endfor %}"), ["greylag_open_5", ""]);
    assert_eq!(texts_of("{% if 'x' in graph.nodes %}a{% endif %}"), ["a", ""]);
}

#[test]
fn a_ref_of_the_projects_own_has_a_way_for_what_is_there_and_one_for_what_is_not() {
    let own = "{% macro ref(name) %}{% set node = graph.nodes.get('model.' ~ project_name ~ '.' ~ name) %}{% if node is none %}{{ return(builtins.ref(name)) }}{% endif %}{% set there = adapter.get_relation(database=node.database or 'db', schema=node.schema or 'main', identifier=node.alias or node.name) %}{% if there is not none %}{{ return(builtins.ref(name)) }}{% endif %}{{ return(api.Relation.create(database='prod', schema='main', identifier=node.config.alias or name)) }}{% endmacro %}";
    let files: Vec<(String, String)> =
        (0..12).map(|n| (format!("models/m{n}.sql"), "select 1 as x".to_owned())).collect();
    let model = (0..12).map(|n| format!("select * from {{{{ ref('m{n}') }}}}")).collect::<Vec<_>>().join(" union all ");
    let mut all: Vec<(&str, &str)> = files.iter().map(|(path, text)| (&**path, &**text)).collect();
    all.extend([("macros/ref.sql", own), ("models/a.sql", &model), ("seeds/s.csv", "x\n1\n")]);
    all.push(("models/b.sql", "select * from {{ ref('s') }}"));
    let options = Options { adapter: Some("snowflake".to_owned()), ..Options::default() };
    let found = project_with(&all, &options);
    assert!(!node(&found, "a").truncated);
    let ways = texts(&found, "a");
    let counts = |text: &String| text.matches("prod.main.").count();
    assert!(
        (0..12).all(|n| ways.iter().any(|text| counts(text) == 11 && text.contains(&format!("target_schema.m{n}"))))
    );
    assert!(ways.iter().any(|text| counts(text) == 0) && ways.iter().any(|text| counts(text) == 12));
    assert_eq!(edges(&found, "a").len(), 12);
    assert_eq!(texts(&found, "b"), ["select * from target_schema.s"]);
}
