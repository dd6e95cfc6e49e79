//! dbt projects in memory, evaluated.

mod config;
mod edge;
mod graph;
mod hostile;
mod macros;
mod modules;
mod package;
mod place;
mod way;
mod yaml;

use greylag_code::dbt::{Node, Options, Project, Target, read};
use greylag_code::tree::MemoryTree;
use greylag_syntax::trace::{Origin, Traced};
use std::sync::Arc;

const PROJECT: &str =
    "name: shop\nprofile: shop\nvars:\n  days: 3\n  tables: [orders, users]\n  shop:\n    own: yes_own\n";
const SOURCES: &str = "sources:\n  - name: raw\n    schema: raw_data\n    tables:\n      - name: orders\n      - name: users\n        identifier: users_v1\n";

/// A project of these files, with a `dbt_project.yml` and sources unless they are given.
pub(crate) fn project_with(files: &[(&str, &str)], options: &Options) -> Arc<Project> {
    let mut all = vec![("dbt_project.yml", PROJECT), ("models/sources.yml", SOURCES)];
    all.retain(|(path, _)| !files.iter().any(|(given, _)| given == path));
    all.extend_from_slice(files);
    read(&MemoryTree::new(all), "", options).unwrap()
}

pub(crate) fn project(files: &[(&str, &str)]) -> Arc<Project> {
    project_with(files, &Options::default())
}

pub(crate) fn node<'a>(project: &'a Project, name: &str) -> &'a Node {
    project.nodes.iter().find(|node| node.name == name).unwrap()
}

pub(crate) fn id(project: &Project, target: Target) -> &str {
    match target {
        Target::Node(node) => &project.nodes[node].id,
        Target::Source(source) => &project.sources[source].id,
    }
}

/// What a node refers to, each with the literals that it hangs on as `path:text`, by commas.
pub(crate) fn edges(project: &Project, name: &str) -> Vec<String> {
    let files = &project.files;
    let edges = node(project, name).edges.iter().map(|edge| {
        let places = edge.places.iter().map(|(_, literals)| {
            let literals = literals.iter().map(|span| format!("{}:{}", files.path(span.file), files.bytes(*span)));
            literals.collect::<Vec<_>>().join(",")
        });
        format!("{} from {}", id(project, edge.target), places.collect::<Vec<_>>().join(" and "))
    });
    edges.collect()
}

/// The texts of all ways in which a node renders.
pub(crate) fn texts(project: &Project, name: &str) -> Vec<String> {
    let show = |text: &Traced| {
        check_copies(project, text);
        text.text().to_owned()
    };
    node(project, name)
        .renderings
        .iter()
        .map(|way| way.text.as_ref().map_or_else(|error| format!("✗ {}", error.with_place(&project.files)), show))
        .collect()
}

/// Every stretch that is copied is what stands at its place.
fn check_copies(project: &Project, text: &Traced) {
    for (range, origin) in text.stretches() {
        if let Origin::Copied(span) = origin {
            assert_eq!(&text.text()[range], project.files.bytes(*span));
        }
    }
}
