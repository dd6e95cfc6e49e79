//! A project that means ill ends with problems and errors that name a place.

use super::{node, project, texts};
use greylag_code::dbt::{Options, read};
use greylag_code::tree::MemoryTree;
use proptest::prelude::*;

#[test]
fn templates_are_bounded() {
    let many: Vec<String> = (0..100).map(|i| format!("{{% if run_query({i}) %}}{i}{{% endif %}}")).collect();
    let many = many.concat();
    let found = project(&[
        ("macros/m.sql", "{% macro m() %}{{ m() }}{% endmacro %}"),
        ("models/a.sql", "{{ m() }}"),
        ("models/b.sql", "{{ 'x' * 10 ** 9 }}"),
        ("models/c.sql", &many),
    ]);
    assert_eq!(texts(&found, "a"), ["✗ macros/m.sql:1:19: macros call each other more than 100 deep"]);
    assert_eq!(texts(&found, "b"), ["✗ models/b.sql:1:4: a text is longer than 16777216 bytes"]);
    assert!(node(&found, "c").truncated && node(&found, "c").renderings.len() <= 2 * 64);
}

#[test]
fn yaml_is_bounded() {
    let names = ["b", "c", "d", "e", "f", "g", "h", "i"];
    let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    let mut last = "a";
    for name in names {
        let aliases = vec![format!("*{last}"); 10].join(", ");
        bomb.push_str(&[name, ": &", name, " [", &aliases, "]\n"].concat());
        last = name;
    }
    let deep = format!("models: {}{}\n", "[".repeat(100), "]".repeat(100));
    let found = project(&[("models/bomb.yml", &bomb), ("models/deep.yml", &deep)]);
    let problems: Vec<&str> = found.problems.iter().map(|problem| &*problem.message).collect();
    assert_eq!(problems, ["7:1: the document has more than 2000000 nodes", "1:1: nested deeper than 64 levels"]);
}

#[test]
fn paths_that_lead_out_of_the_tree_have_no_files() {
    let settings = "name: shop\nmodel-paths: ['../../etc', '/etc', models]\nmacro-paths: ['../..']\n";
    let tree = MemoryTree::new([("a/dbt_project.yml", settings), ("etc/x.sql", "x"), ("a/models/m.sql", "select 1")]);
    let found = read(&tree, "a", &Options::default()).unwrap();
    let ids: Vec<&str> = found.nodes.iter().map(|node| &*node.id).collect();
    assert_eq!(ids, ["model.shop.m"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_file_makes_it_panic(
        yaml in "(models|sources|exposures|snapshots|seeds|name|[ :\\-\\[\\]{}\"'#\n&*|>a-c]|ref\\('a'\\)|tables|columns|tests){0,40}",
        template in "(\\{\\{|\\}\\}|\\{%|%\\}|set|if|endif|ref|source|config|this|var|\\(|\\)|'a'|,|=|\\.|\\||[ a-c\n-]){0,40}",
    ) {
        let found = project(&[("models/a.yml", &yaml), ("models/a.sql", &template), ("macros/a.sql", &template)]);
        prop_assert_eq!(&*node(&found, "a").id, "model.shop.a");
    }
}
