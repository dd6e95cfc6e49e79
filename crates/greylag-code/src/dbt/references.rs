//! What is referred to outside of templates: exposures, tests at columns, snapshots in YAML, and hooks.

use super::evaluate::{Shared, edges_of};
use super::host::{DbtHost, Notes};
use super::load::Entry;
use super::naming::{columns_of, rendered, truth};
use super::project::{ColumnTest, Edge, Exposure, Reference, Target};
use super::yaml::{Scalar, Yaml};
use greylag_syntax::jinja::ast::Node;
use greylag_syntax::jinja::{parse, parse_expression, render};
use std::sync::Arc;

/// Whether dbt takes a text for an expression: a call of one of five functions.
fn is_call(text: &str) -> bool {
    let text = text.trim();
    let callee = text.split('(').next().unwrap_or_default().trim();
    matches!(callee, "ref" | "source" | "var" | "env_var" | "doc") && text.ends_with(')')
}

/// The references of a scalar that is an expression or a template.
pub(super) fn references_in(
    shared: &Arc<Shared>,
    node: Option<usize>,
    package: usize,
    scalar: &Scalar,
) -> Vec<Reference> {
    let text = scalar.as_str();
    let Some(at) = scalar.inner() else { return Vec::new() };
    let file = shared.loaded.files.text(at.file);
    let body = if is_call(text) {
        let Ok(expr) = parse_expression(at.file, file, at.range()) else { return Vec::new() };
        vec![Node::Print(expr)]
    } else if text.contains("{{") || text.contains("{%") {
        let Ok(template) = parse(at.file, file, at.range()) else { return Vec::new() };
        template.body
    } else {
        return Vec::new();
    };
    gathered(shared, node, package, &body)
}

/// The references of nodes in all ways that they render.
pub(super) fn gathered(shared: &Arc<Shared>, node: Option<usize>, package: usize, body: &[Node]) -> Vec<Reference> {
    let ways = render(body, &shared.few, || DbtHost::new(shared, node, package));
    let notes = ways.all.into_iter().map(|way| std::mem::take::<Notes>(&mut way.host.0.notes.borrow_mut()));
    notes.flat_map(|notes| notes.references).collect()
}

/// An exposure.
pub(super) fn exposure(shared: &Arc<Shared>, entry: &Entry) -> Option<Exposure> {
    let name = entry.yaml.text("name")?.text.clone();
    let own = entry.yaml.get("config").and_then(|config| config.text("enabled")).or_else(|| entry.yaml.text("enabled"));
    let enabled = own.and_then(|own| rendered(shared, entry.package, own));
    if enabled.is_some_and(|enabled| truth(enabled.text()) == Some(false)) {
        return None;
    }
    let depends = entry.yaml.get("depends_on").map(Yaml::texts).unwrap_or_default();
    let references: Vec<Reference> =
        depends.into_iter().flat_map(|scalar| references_in(shared, None, entry.package, scalar)).collect();
    Some(Exposure { name, edges: edges_of(references.iter()) })
}

/// The tests at a subject and its columns.
pub(super) fn tests_of(shared: &Arc<Shared>, package: usize, subject: Target, entry: &Yaml) -> Vec<ColumnTest> {
    let mut tests = Vec::new();
    let mut collect = |at: &Yaml, column: Option<&Scalar>| {
        for key in ["tests", "data_tests"] {
            for test in at.get(key).map(Yaml::items).unwrap_or_default() {
                tests.extend(test_of(shared, package, subject, column, test));
            }
        }
    };
    collect(entry, None);
    for column in entry.get("columns").map(Yaml::items).unwrap_or_default() {
        collect(column, column.text("name"));
    }
    debug_assert!(columns_of(entry).len() <= entry.get("columns").map_or(0, |columns| columns.items().len()));
    tests
}

/// A test: its name, or a map of its name to its arguments.
fn test_of(
    shared: &Arc<Shared>,
    package: usize,
    subject: Target,
    column: Option<&Scalar>,
    test: &Yaml,
) -> Option<ColumnTest> {
    let (name, arguments) = match test {
        Yaml::Scalar(name) => (name.clone(), None),
        other => match (other.text("test_name"), other.entries().first()) {
            (Some(name), _) => (name.clone(), Some(other)),
            (None, first) => first.map(|(name, arguments)| (name.clone(), Some(arguments)))?,
        },
    };
    let mut scalars = Vec::new();
    let mut named = Vec::new();
    if let Some(arguments) = arguments {
        arguments.all_scalars(&mut scalars);
        let nested = arguments.get("arguments").map(Yaml::entries).unwrap_or_default();
        let settings = arguments.get("config").map(Yaml::entries).unwrap_or_default();
        for (key, value) in arguments.entries().iter().chain(nested).chain(settings) {
            named.extend(value.texts().into_iter().map(|value| (key.as_str().to_owned(), value.text.clone())));
        }
    }
    let references: Vec<Reference> =
        scalars.into_iter().flat_map(|scalar| references_in(shared, None, package, scalar)).collect();
    Some(ColumnTest {
        test: name.text,
        subject,
        column: column.map(|column| column.text.clone()),
        arguments: named,
        edges: edges_of(references.iter()),
    })
}

/// Edges that two lists have together.
pub(super) fn joined(mut edges: Vec<Edge>, more: Vec<Edge>) -> Vec<Edge> {
    for edge in more {
        match edges.iter_mut().find(|found| found.target == edge.target) {
            Some(found) => {
                for place in edge.places {
                    if !found.places.contains(&place) {
                        found.places.push(place);
                    }
                }
            }
            None => edges.push(edge),
        }
    }
    edges
}
