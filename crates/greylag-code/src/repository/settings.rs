//! What a repository says of itself.
//!
//! `.greylag.yaml` in its root may name the `dialect` of its SQL; `profiles.yml` beside a dbt project names the kind of
//! database. Both are words of a list, so a repository cannot make anything of it.

use crate::tree::Tree;
use greylag_model::spec::LIMITS;
use greylag_model::yaml::{self, Node};
use greylag_syntax::sql::Dialect;
use std::io;

/// The dialect that `.greylag.yaml` names.
pub(super) fn of_repository(tree: &dyn Tree) -> io::Result<Option<Dialect>> {
    document(tree, ".greylag.yaml", |root| root.get("dialect")?.as_str()?.parse().ok())
}

/// The kind of database of a project of dbt: that of the target that its profile takes, or of the only one there is.
pub(super) fn of_project(tree: &dyn Tree, root: &str) -> io::Result<Option<Dialect>> {
    let at = |name: &str| if root.is_empty() { name.to_owned() } else { format!("{root}/{name}") };
    let profile = document(tree, &at("dbt_project.yml"), |root| root.get("profile")?.as_str().map(str::to_owned))?;
    document(tree, &at("profiles.yml"), |root| {
        let profile = root.get(&profile?)?;
        let outputs = profile.get("outputs")?;
        let target = profile.get("target").and_then(Node::as_str).unwrap_or("default");
        outputs.get(target)?.get("type")?.as_str()?.parse().ok()
    })
}

/// What a function finds in a file of YAML; nothing if there is none, or none that can be read.
fn document<T>(tree: &dyn Tree, path: &str, find: impl FnOnce(&Node) -> Option<T>) -> io::Result<Option<T>> {
    let Some(bytes) = tree.read(path)? else { return Ok(None) };
    let stream = yaml::read_bytes(path, &bytes, &LIMITS);
    Ok(stream.documents.first().and_then(|document| find(document.root())))
}
