//! What `profiles.yml` says of a project of dbt.
//!
//! A profile in a repository is mostly that of a developer or of a test, and another one is used where the data is that a migration
//! changes. So its names of the target's schema and database are believed only where nothing is decided by them, for lineage; whoever
//! rewrites takes them for open unless somebody says them (see [`super::Stated`]). The kind of database is the same wherever a project
//! runs, and is believed, by these rules:
//!
//! 1. The file is `profiles.yml` beside `dbt_project.yml`, if it has the profile that the project names; else the only file
//!    `profiles.yml` of the repository that has it and lies beside no other project, which may call its own the same.
//! 2. Of the profile it is the output that `target` names (`default` if nothing does), or what all outputs agree on if a template
//!    names it or it is not there. A kind that is a template is not known.

use super::{Stated, document};
use crate::tree::Tree;
use greylag_model::yaml::{Kind, Node};
use std::io;

/// The name of the file.
pub(in crate::repository) const FILE: &str = "profiles.yml";

/// What a profile says.
#[derive(Debug, Default)]
pub(super) struct Profile {
    /// The kind of database.
    pub(super) adapter: Option<String>,
    /// Of the target that it takes: its name, schema and database, where they are plain words.
    pub(super) stated: Stated,
}

/// What the profile of a project says.
pub(super) fn of(tree: &dyn Tree, paths: &[String], root: &str) -> io::Result<Profile> {
    let at = |name: &str| if root.is_empty() { name.to_owned() } else { format!("{root}/{name}") };
    let named = document(tree, &at("dbt_project.yml"), |root| Some(root.get("profile")?.as_str()?.to_owned()))?;
    let Some(name) = named.filter(|name| is_plain(name)) else { return Ok(Profile::default()) };
    let read = |path: &str| document(tree, path, |root| Some(said(root.get(&name)?)));
    if let Some(own) = read(&at(FILE))? {
        return Ok(own);
    }
    let own = at(FILE);
    let (mut found, mut number) = (None, 0);
    for path in paths.iter().filter(|path| **path != own) {
        let folder = match path.strip_suffix(FILE) {
            Some(folder) if folder.is_empty() || folder.ends_with('/') => folder,
            _ => continue,
        };
        if let Some(profile) = read(path)? {
            number += 1;
            let is_of_other = paths.binary_search(&format!("{folder}dbt_project.yml")).is_ok();
            found = Some(profile).filter(|_| !is_of_other);
        }
    }
    // Of what lies elsewhere only the kind of database is taken.
    let adapter = found.filter(|_| number == 1).and_then(|profile| profile.adapter);
    Ok(Profile { adapter, stated: Stated::default() })
}

fn is_plain(word: &str) -> bool {
    !word.contains("{{") && !word.contains("{%")
}

fn said(profile: &Node) -> Profile {
    let text = |output: &Node, key: &str| output.get(key)?.as_str().filter(|word| is_plain(word)).map(str::to_owned);
    let target = profile.get("target").map_or(Some("default"), Node::as_str).filter(|name| is_plain(name));
    let outputs = profile.get("outputs");
    if let Some((target, output)) = target.and_then(|target| Some((target, outputs?.get(target)?))) {
        let keys = ["schema", "dataset", "database", "dbname", "project", "catalog"];
        let words = keys.into_iter().filter_map(|key| Some((key, text(output, key)?)));
        let mut stated = Stated::default();
        for (key, value) in words.chain([("name", target.to_owned())]) {
            // What is no word stays open.
            let _ = stated.say_target(key, &value);
        }
        return Profile { adapter: text(output, "type"), stated };
    }
    let Some(Kind::Map(all)) = outputs.map(|outputs| &outputs.kind) else { return Profile::default() };
    let mut adapters = all.iter().map(|entry| text(&entry.value, "type"));
    let first = adapters.next().flatten();
    Profile { adapter: first.filter(|first| adapters.all(|other| other.as_ref() == Some(first))), ..Profile::default() }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::of;
    use crate::tree::{MemoryTree, Tree as _};

    /// The kind of database, and what is known of the target, of the project in `shop/`.
    fn check(files: &[(&str, &str)], expected: &str) {
        let project = ("shop/dbt_project.yml", "{name: shop, profile: main}");
        let tree = MemoryTree::new(files.iter().copied().chain([project]));
        let found = of(&tree, &tree.paths().unwrap(), "shop").unwrap();
        let words = found.stated.given(None).0.into_iter().map(|(key, value)| format!("{key}={value}"));
        let all = found.adapter.into_iter().chain(words).collect::<Vec<_>>().join(" ");
        assert_eq!(all, expected, "{files:?}");
    }

    const DUCK: &str = "main: {outputs: {default: {type: duckdb}}}";

    #[test]
    fn an_output_is_read() {
        check(&[], "");
        check(&[("shop/profiles.yml", DUCK)], "duckdb name=default");
        let own = "main: {target: b, outputs: {a: {type: trino}, b: {type: redshift, dbname: d, schema: \"{{ x }}\"}}}";
        check(&[("shop/profiles.yml", own)], "redshift database=d dbname=d name=b");
        check(&[("shop/profiles.yml", "main: {target: 1, outputs: []}")], "");
        check(&[("shop/profiles.yml", "main: [")], "");
    }

    #[test]
    fn outputs_agree_where_none_is_chosen() {
        let target = "\"{{ env_var('T', 'a') }}\"";
        let said = |second: &str| format!("main: {{target: {target}, outputs: {{a: {{type: trino}}, b: {second}}}}}");
        check(&[("shop/profiles.yml", &said("{type: trino, schema: s}"))], "trino");
        check(&[("shop/profiles.yml", &said("{type: spark}"))], "");
        check(&[("shop/profiles.yml", &said("{}"))], "");
        check(&[("shop/profiles.yml", "main: {outputs: {dev: {type: spark}}}")], "spark");
    }

    #[test]
    fn the_only_file_that_has_the_profile_is_believed() {
        check(&[("profiles.yml", DUCK)], "duckdb");
        check(&[("ci/.dbt/profiles.yml", DUCK), ("other/profiles.yml", "theirs: {}")], "duckdb");
        check(&[("shop/profiles.yml", "theirs: {}"), ("ci/profiles.yml", DUCK)], "duckdb");
        check(&[("profiles.yml", DUCK), ("ci/profiles.yml", DUCK)], "");
        check(&[("ci/my_profiles.yml", DUCK)], "");
        // It may be another project's, which calls its own the same.
        check(&[("ci/profiles.yml", DUCK), ("ci/dbt_project.yml", "name: ci")], "");
    }
}
