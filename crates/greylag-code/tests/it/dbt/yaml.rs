//! What YAML gives, with its bytes; and files that cannot be read.

use super::{edges, node, project, texts};
use greylag_code::dbt::NodeKind;

#[test]
fn names_know_their_bytes() {
    let yaml = "# über\nmodels:\n  - name: 'a'\n    columns: [{name: id}, {name: \"user_id\"}]\n";
    let found = project(&[("models/a.sql", "select 1"), ("models/a.yml", yaml)]);
    let model = node(&found, "a");
    let names: Vec<&str> = model.name_at.iter().map(|span| found.files.bytes(*span)).collect();
    assert_eq!(names, ["a"]);
    let columns: Vec<&str> = model
        .columns
        .iter()
        .map(|column| found.files.bytes(column.name.copy_of(0..column.name.text().len()).unwrap()))
        .collect();
    assert_eq!(columns, ["id", "user_id"]);
}

#[test]
fn sources_may_be_templates_and_aliases() {
    let yaml = "x: &tables\n  - {name: t, identifier: \"t_{{ var('days') }}\"}\nsources:\n  - name: s\n    schema: \"{{ var('own') }}\"\n    database: db\n    tables: *tables\n  - name: off\n    config: {enabled: false}\n    tables: [{name: t}]\n";
    let found = project(&[("models/s.yml", yaml), ("models/a.sql", "{{ source('s', 't') }} {{ source('off', 't') }}")]);
    assert_eq!(texts(&found, "a"), ["db.yes_own.t_3 off.t"]);
    assert_eq!(node(&found, "a").edges.len(), 1);
}

#[test]
fn nodes_of_every_kind() {
    let found = project(&[
        ("models/p.py", "def model(dbt, session): ..."),
        (
            "snapshots/s.sql",
            "{% snapshot snap %}{{ config(unique_key='id') }}select * from {{ source('raw', 'users') }}{% endsnapshot %}",
        ),
        ("analyses/x.sql", "{{ ref('snap') }}"),
        ("tests/t.sql", "select * from {{ ref('seed') }}"),
        ("tests/generic/g.sql", "{% test positive(model, column_name) %}select 1{% endtest %}"),
        ("seeds/seed.csv", "id\n1\n"),
    ]);
    let mut kinds: Vec<(NodeKind, &str)> = found.nodes.iter().map(|node| (node.kind, &*node.id)).collect();
    kinds.sort();
    assert_eq!(
        kinds,
        [
            (NodeKind::PythonModel, "model.shop.p"),
            (NodeKind::Snapshot, "snapshot.shop.snap"),
            (NodeKind::Analysis, "analysis.shop.x"),
            (NodeKind::Test, "test.shop.t"),
            (NodeKind::Seed, "seed.shop.seed"),
        ]
    );
    let snap = node(&found, "snap");
    assert_eq!(found.files.bytes(snap.name_at[0]), "snap");
    assert_eq!(texts(&found, "snap"), ["select * from raw_data.users_v1"]);
    assert_eq!(texts(&found, "x"), ["target_schema.snap"]);
    assert!(node(&found, "p").renderings.is_empty());
}

#[test]
fn a_snapshot_may_stand_in_yaml_alone() {
    let yaml = "snapshots:\n  - name: snap\n    relation: source('raw', 'users')\n    config: {schema: old}\n";
    let found = project(&[("snapshots/s.yml", yaml), ("models/a.sql", "{{ ref('snap') }}")]);
    assert_eq!(texts(&found, "snap"), ["select * from raw_data.users_v1"]);
    assert_eq!(edges(&found, "snap"), ["source.shop.raw.users from snapshots/s.yml:raw,snapshots/s.yml:users"]);
    assert_eq!(texts(&found, "a"), ["target_schema_old.snap"]);
}

#[test]
fn what_cannot_be_read_is_a_problem_with_a_place() {
    let found = project(&[
        ("models/a.sql", "select 1\nfrom {{ ref('x' }}"),
        ("models/bad.yml", "models:\n  - name: [\n"),
        ("macros/m.sql", "{% macro m() %}"),
    ]);
    let mut problems: Vec<String> =
        found.problems.iter().map(|found| format!("{}:{}", found.path, found.message)).collect();
    problems.sort();
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert_eq!(problems[0], "macros/m.sql:1:16: `endmacro` is missing");
    assert_eq!(problems[1], "models/a.sql:2:17: `}` instead of `)`");
    assert!(problems[2].starts_with("models/bad.yml:"), "{}", problems[2]);
    assert_eq!(texts(&found, "a"), ["✗ models/a.sql:2:17: `}` instead of `)`"]);
}

#[test]
fn a_list_in_brackets_may_end_where_yaml_forbids_it() {
    let yaml = "models:\n  - name: a\n    columns:\n    - name: c\n      data_tests:\n      - accepted_values:\n          values: [\n            1,\n        ]\n      - unique\n";
    let found = project(&[("models/a.sql", "select 1"), ("models/a.yml", yaml)]);
    assert_eq!(found.problems, []);
    assert_eq!(found.tests.len(), 2);
}

#[test]
fn a_text_in_quotes_may_go_on_where_yaml_forbids_it() {
    let yaml = "models:\n  - name: a\n    description: \"über\nalles\"\n    meta:\n      x: 'it''s\n  so'\n    columns: [{name: id}]\n";
    let found = project(&[("models/a.sql", "select 1"), ("models/a.yml", yaml)]);
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    assert_eq!(found.files.bytes(node(&found, "a").name_at[0]), "a");
    assert_eq!(node(&found, "a").columns.len(), 1);
    let broken = project(&[("models/a.sql", "select 1"), ("models/a.yml", "models:\n  - name: \"a\nb: c\n")]);
    assert_eq!(broken.problems.len(), 1);
}
