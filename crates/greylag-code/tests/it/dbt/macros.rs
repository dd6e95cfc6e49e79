//! Macros of the project, of packages and of dbt.

use super::{project, project_with, texts};
use greylag_code::dbt::Options;

fn adapter(name: &str) -> Options {
    Options { adapter: Some(name.to_owned()), ..Options::default() }
}

#[test]
fn dispatch_takes_the_adapter_before_the_default() {
    let macros = "{% macro f() %}{{ return(adapter.dispatch('f')()) }}{% endmacro %}{% macro default__f() %}any{% endmacro %}{% macro duckdb__f() %}duck{% endmacro %}{% macro postgres__f() %}pg{% endmacro %}";
    let files = [("macros/m.sql", macros), ("models/a.sql", "{{ f() }}")];
    assert_eq!(texts(&project_with(&files, &adapter("duckdb")), "a"), ["duck"]);
    assert_eq!(texts(&project_with(&files, &adapter("redshift")), "a"), ["pg"]);
    assert_eq!(texts(&project_with(&files, &adapter("snowflake")), "a"), ["any"]);
    assert_eq!(texts(&project(&files), "a"), ["any"]);
}

#[test]
fn the_project_may_replace_what_dbt_gives() {
    let macros = "{% macro ref(name) %}{{ return(builtins.ref('stg_' ~ name)) }}{% endmacro %}{% macro default__type_string() %}words{% endmacro %}";
    let found = project(&[
        ("macros/m.sql", macros),
        ("models/stg_a.sql", "select 1"),
        ("models/b.sql", "select {{ dbt.type_string() }} from {{ ref('a') }}"),
    ]);
    assert_eq!(texts(&found, "b"), ["select words from target_schema.stg_a"]);
}

#[test]
fn macros_of_dbt_make_sql_that_can_be_read() {
    let check = |adapter_name: &str, template: &str, expected: &str| {
        let files = [("models/a.sql", template)];
        assert_eq!(texts(&project_with(&files, &adapter(adapter_name)), "a"), [expected], "{template}");
    };
    check("duckdb", "{{ dbt.dateadd('day', 1, 'd') }}", "date_add(d, interval (1) day)");
    check("snowflake", "{{ dateadd('day', 1, 'd') }}", "dateadd(day, 1, d)");
    check("trino", "{{ dbt.datediff('a', 'b', 'day') }}", "date_diff('day', a, b)");
    check("postgres", "{{ dbt.concat(['a', \"'x'\"]) }}", "a || 'x'");
    check("bigquery", "{{ dbt.safe_cast('a', api.Column.create('x', 'int64').data_type) }}", "safe_cast(a as int64)");
    check("duckdb", "{{ dbt.hash('a') }}", "md5(cast(a as varchar))");
}

#[test]
fn return_gives_values_and_log_nothing() {
    let macros = "{% macro pairs() %}{% do log('x', info=true) %}{{ return({'a': [1, 2]}) }}never{% endmacro %}";
    let found = project(&[
        ("macros/m.sql", macros),
        ("models/a.sql", "{% for k, v in pairs().items() %}{{ k }}{{ v[1] }}{% endfor %}"),
    ]);
    assert_eq!(texts(&found, "a"), ["a2"]);
}

#[test]
fn helpers_of_the_context() {
    let check = |template: &str, expected: &str| {
        assert_eq!(texts(&project(&[("models/a.sql", template)]), "a"), [expected], "{template}");
    };
    check("{{ fromjson('{\"a\": [1, true]}').a }}", "[1, True]");
    check("{{ fromyaml('a: [1, x]')['a'][1] }}", "x");
    check(
        "{{ tojson({'b': 1, 'a': 2}) }} {{ tojson({'b': 1, 'a': 2}, sort_keys=true) }}",
        "{\"b\": 1, \"a\": 2} {\"a\": 2, \"b\": 1}",
    );
    check("{{ set([1, 2, 1]) | list }} {{ zip([1, 2], ['a', 'b']) | list }}", "[1, 2] [(1, 'a'), (2, 'b')]");
    check("{{ var('days') }} {{ var('own') }} {{ var('none', 'd') }}", "3 yes_own d");
    check("{{ model.name }} {{ model.unique_id }} {{ project_name }}", "a model.shop.a shop");
}

#[test]
fn what_is_nowhere_is_open_and_named() {
    let found =
        project(&[("models/a.sql", "{{ dbt_utils.star(ref('b')) }} {{ nowhere(1) }}"), ("models/b.sql", "select 1")]);
    assert_eq!(texts(&found, "a"), ["greylag_open_0 greylag_open_1"]);
    let names: Vec<&str> = found.unknown.keys().map(String::as_str).collect();
    assert_eq!(names, ["dbt_utils.star", "nowhere"]);
}

#[test]
fn a_relation_is_a_word_of_its_own_where_the_adapter_quotes_it() {
    let text = "select 1 from{{ ref('b') }}where{{ this }}.x = '{{ this.identifier }}_y'";
    let files = [("models/a.sql", text), ("models/b.sql", "select 1")];
    let of = |name: &str| texts(&project_with(&files, &adapter(name)), "a").join("");
    assert_eq!(of("postgres"), "select 1 from target_schema.b where target_schema.a.x = 'a_y'");
    assert_eq!(of("snowflake"), "select 1 fromtarget_schema.bwheretarget_schema.a.x = 'a_y'");
}
