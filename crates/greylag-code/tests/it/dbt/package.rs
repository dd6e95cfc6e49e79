//! Packages: installed, local, and missing.

use super::{edges, node, project, texts};

#[test]
fn an_installed_package_gives_macros_models_and_variables() {
    let found = project(&[
        ("dbt_packages/pkg/dbt_project.yml", "name: pkg\nvars: {size: 1, mine: p}\n"),
        (
            "dbt_packages/pkg/macros/m.sql",
            "{% macro twice(x) %}{{ x }}{{ pkg.once(x) }}{% endmacro %}{% macro once(x) %}{{ x }}{% endmacro %}",
        ),
        ("dbt_packages/pkg/models/p.sql", "{{ var('size') }}{{ var('mine') }}"),
        ("dbt_project.yml", "name: shop\nvars:\n  pkg: {size: 7}\n"),
        ("models/a.sql", "{{ pkg.twice('x') }} {{ ref('p') }} {{ ref('pkg', 'p') }}"),
        (
            "packages.yml",
            "packages:\n  - package: org/pkg\n    version: 1\n  - package: dbt-labs/dbt_utils\n    version: 1\n",
        ),
    ]);
    assert_eq!(texts(&found, "a"), ["xx target_schema.p target_schema.p"]);
    assert_eq!(texts(&found, "p"), ["7p"]);
    assert_eq!(node(&found, "p").id, "model.pkg.p");
    assert_eq!(found.missing_packages, ["dbt_utils"]);
}

#[test]
fn a_package_from_a_repository_may_have_another_name() {
    let wanted =
        "packages:\n  - git: https://git.example.com/org/one.git\n  - git: https://git.example.com/org/two.git\n";
    let missing = |installed: &[(&'static str, &'static str)]| {
        let own = [("dbt_project.yml", "name: shop\n"), ("packages.yml", wanted), ("models/a.sql", "select 1")];
        project(&own.into_iter().chain(installed.iter().copied()).collect::<Vec<_>>()).missing_packages.clone()
    };
    assert_eq!(missing(&[]), ["one", "two"]);
    let (two, other) =
        (("dbt_packages/two/dbt_project.yml", "name: two\n"), ("dbt_packages/x/dbt_project.yml", "name: x\n"));
    assert_eq!(missing(&[two]), ["one"]);
    assert_eq!(missing(&[two, other]), Vec::<String>::new());
}

#[test]
fn a_local_package_may_lie_anywhere_in_the_tree() {
    let files = [
        ("teams/shop/dbt_project.yml", "name: shop\nmacro-paths: [macros, ../../shared]\n"),
        ("teams/shop/packages.yml", "packages:\n  - local: ../../packages/pkg\n"),
        ("teams/shop/models/a.sql", "{{ m() }} {{ ref('p') }}"),
        ("shared/m.sql", "{% macro m() %}shared{% endmacro %}"),
        ("packages/pkg/dbt_project.yml", "name: pkg\n"),
        ("packages/pkg/models/p.sql", "select 1"),
    ];
    let tree = greylag_code::tree::MemoryTree::new(files);
    let found = greylag_code::dbt::read(&tree, "teams/shop", &greylag_code::dbt::Options::default()).unwrap();
    assert_eq!(texts(&found, "a"), ["shared target_schema.p"]);
    assert_eq!(edges(&found, "a"), ["model.pkg.p from teams/shop/models/a.sql:p"]);
}

#[test]
fn the_project_says_where_macros_of_a_package_are_looked_for() {
    let found = project(&[
        ("dbt_project.yml", "name: shop\ndispatch:\n  - macro_namespace: pkg\n    search_order: [other, pkg]\n"),
        ("dbt_packages/pkg/dbt_project.yml", "name: pkg\n"),
        (
            "dbt_packages/pkg/macros/m.sql",
            "{% macro f() %}{{ return(adapter.dispatch('f', 'pkg')()) }}{% endmacro %}{% macro default__f() %}pkg{% endmacro %}",
        ),
        ("dbt_packages/other/dbt_project.yml", "name: other\n"),
        ("dbt_packages/other/macros/m.sql", "{% macro default__f() %}other{% endmacro %}"),
        ("models/a.sql", "{{ pkg.f() }}"),
    ]);
    assert_eq!(texts(&found, "a"), ["other"]);
}

#[test]
fn without_a_project_there_is_an_error() {
    let tree = greylag_code::tree::MemoryTree::new([("models/a.sql", "select 1")]);
    let error = greylag_code::dbt::read(&tree, "", &greylag_code::dbt::Options::default()).unwrap_err();
    assert_eq!(error.to_string(), "there is no `dbt_project.yml` of a project in ``");
}

#[test]
fn where_packages_lie_may_be_said_by_the_environment() {
    for path in ["env_var('AT', 'lib/pkgs')", "env_var(\"A\" ~ 'T', \"lib/pkgs\")"] {
        let found = project(&[
            (
                "dbt_project.yml",
                &format!("name: shop\npackages-install-path: \"{{{{ {} }}}}\"\n", path.replace('"', "\\\"")),
            ),
            ("lib/pkgs/pkg/dbt_project.yml", "name: pkg\n"),
            ("lib/pkgs/pkg/macros/m.sql", "{% macro m() %}x{% endmacro %}"),
            ("models/a.sql", "{{ pkg.m() }}"),
        ]);
        assert_eq!(texts(&found, "a"), ["x"], "{path}");
    }
}

#[test]
fn what_a_package_ignores_is_no_part_of_it() {
    let found = project(&[
        (".dbtignore", "**.py\n# a note\nmodels/old/**\n!models/old/kept.sql\n"),
        ("dbt_project.yml", "name: shop\n"),
        ("models/a.sql", "select 1"),
        ("models/code/load.py", "print(1)"),
        ("models/old/b.sql", "select 2"),
        ("models/old/kept.sql", "select 3"),
    ]);
    let names: Vec<&str> = found.nodes.iter().map(|node| &*node.id).collect();
    assert_eq!(names, ["model.shop.a", "model.shop.kept"]);
}
