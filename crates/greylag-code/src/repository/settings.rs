//! What a repository says of itself.
//!
//! `.greylag.yaml` in its root may name the `dialect` of its SQL; `profiles.yml` beside a dbt project names the kind of
//! database. Both are words of a list, so a repository cannot make anything of it.

use crate::tree::Tree;
use greylag_model::spec::LIMITS;
use greylag_model::yaml::{self, Node};
use greylag_syntax::sql::Dialect;
use std::collections::BTreeMap;
use std::io;

/// The dialect that `.greylag.yaml` names.
pub(crate) fn of_repository(tree: &dyn Tree) -> io::Result<Option<Dialect>> {
    document(tree, ".greylag.yaml", |root| root.get("dialect")?.as_str()?.parse().ok())
}

/// The kind of database of a project of dbt: that of the target that its profile takes, or of the only one there is.
pub(crate) fn of_project(tree: &dyn Tree, root: &str) -> io::Result<Option<Dialect>> {
    output(tree, root, |_, output| output.get("type")?.as_str()?.parse().ok())
}

/// What the profile beside a project says of the target that it takes: its name, schema and database, where they are plain words.
pub(crate) fn target_of(tree: &dyn Tree, root: &str) -> io::Result<BTreeMap<String, String>> {
    let known = output(tree, root, |target, output| {
        let text = |key: &str| Some((key.to_owned(), output.get(key)?.as_str()?.to_owned()));
        let stated = ["schema", "database", "dbname"].into_iter().filter_map(text);
        let known = stated.chain([("name".to_owned(), target.to_owned())]);
        Some(known.filter(|(_, value)| !value.contains("{{")).collect())
    });
    Ok(known?.unwrap_or_default())
}

/// What a function finds in the output that the profile of a project takes, by its name.
fn output<T>(tree: &dyn Tree, root: &str, find: impl FnOnce(&str, &Node) -> Option<T>) -> io::Result<Option<T>> {
    let at = |name: &str| if root.is_empty() { name.to_owned() } else { format!("{root}/{name}") };
    let profile = document(tree, &at("dbt_project.yml"), |root| root.get("profile")?.as_str().map(str::to_owned))?;
    document(tree, &at("profiles.yml"), |root| {
        let profile = root.get(&profile?)?;
        let target = profile.get("target").and_then(Node::as_str).unwrap_or("default");
        find(target, profile.get("outputs")?.get(target)?)
    })
}

/// What a function finds in a file of YAML; nothing if there is none, or none that can be read.
fn document<T>(tree: &dyn Tree, path: &str, find: impl FnOnce(&Node) -> Option<T>) -> io::Result<Option<T>> {
    let Some(bytes) = tree.read(path)? else { return Ok(None) };
    let stream = yaml::read_bytes(path, &bytes, &LIMITS);
    Ok(stream.documents.first().and_then(|document| find(document.root())))
}
