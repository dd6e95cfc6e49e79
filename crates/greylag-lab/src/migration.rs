//! Migration files: one for each system.

use crate::design::{Design, System};
use crate::yaml::{Node, document, text};

/// The pair of one dataset, as lines of the file's `datasets`.
pub(crate) fn pair(design: &Design, rows: usize, rejected: usize) -> Node {
    let mut pair =
        Node::map([("from", text(reference(design, &design.from))), ("to", text(reference(design, &design.to)))]);
    if let Some(location) = &design.location {
        pair = pair.with("location", text(location));
    }
    let mapping = mapping(design);
    if mapping != Node::Map(vec![]) {
        pair = pair.with("mapping", mapping);
    }
    if let Some(layout) = &design.layout {
        pair = pair.with("layout", layout.clone());
    }
    let checks = checks(design, rows, rejected);
    if !checks.is_empty() {
        pair = pair.with("checks", Node::List(checks));
    }
    pair
}

/// References are written in each of the ways that are the same.
fn reference(design: &Design, name: &str) -> String {
    let namespace = &design.system.namespace;
    match (namespace.as_str(), design.index % 3) {
        ("default", 0) => format!("resource:default/{name}"),
        ("default", 1) => format!("resource:{name}"),
        ("default", _) => name.to_owned(),
        (_, 0) => format!("resource:{namespace}/{name}"),
        _ => format!("{namespace}/{name}"),
    }
}

fn mapping(design: &Design) -> Node {
    let mut mapping = Node::Map(vec![]);
    let strict = design.index % 19 == 2 && design.attributes.len() < 20;
    let rules = || design.attributes.iter().map(|attribute| &attribute.rules);
    let mut columns: Vec<Node> = rules().flat_map(|rules| rules.columns.clone()).collect();
    if strict {
        mapping = mapping.with("unmapped", text("fail"));
        let kept = design.attributes.iter().filter(|attribute| is_kept(attribute));
        columns.extend(kept.map(|attribute| Node::map([("name", text(&attribute.old[0].name))])));
        // Inputs of computed columns that go on besides must be named as well.
        let besides = design.attributes.iter().filter(|attribute| !is_kept(attribute)).flat_map(|attribute| {
            let named = |name: &str| attribute.rules.columns.iter().any(|rule| carries(rule, name));
            attribute.old.iter().filter(move |old| {
                let goes_on = attribute.new.iter().any(|new| new.column.name == old.name && new.column == **old);
                goes_on && !named(&old.name)
            })
        });
        columns.extend(besides.map(|old| Node::map([("name", text(&old.name))])));
    }
    let sections = [
        ("columns", columns),
        ("split", rules().flat_map(|rules| rules.split.clone()).collect()),
        ("merge", rules().flat_map(|rules| rules.merge.clone()).collect()),
        ("drop", rules().flat_map(|rules| rules.drop.clone()).collect()),
        ("reverse", rules().flat_map(|rules| rules.reverse.clone()).collect()),
    ];
    for (name, rules) in sections {
        if !rules.is_empty() {
            mapping = mapping.with(name, Node::List(rules));
        }
    }
    mapping
}

fn is_kept(attribute: &crate::attribute::Attribute) -> bool {
    let rules = &attribute.rules;
    attribute.old.len() == 1
        && rules.columns.is_empty()
        && rules.drop.is_empty()
        && rules.split.is_empty()
        && rules.merge.is_empty()
}

/// Whether a column rule is about the old column of this name.
fn carries(rule: &Node, name: &str) -> bool {
    let Node::Map(pairs) = rule else { return false };
    let value = |key: &str| pairs.iter().find(|(other, _)| other == key).map(|(_, value)| value);
    match (value("from"), value("expr")) {
        (Some(from), _) => *from == text(name),
        (None, None) => value("name") == Some(&text(name)),
        (None, Some(_)) => false,
    }
}

fn checks(design: &Design, rows: usize, rejected: usize) -> Vec<Node> {
    let count = |value: usize| Node::Plain(value.to_string());
    let mut checks: Vec<Node> =
        (design.attributes.iter()).flat_map(|attribute| attribute.rules.checks.clone()).collect();
    match design.index % 7 {
        1 => checks.push(Node::map([("name", text("row count")), ("minRows", count(rows))])),
        2 => checks.push(Node::map([("maxRows", count(rows))])),
        _ => {}
    }
    if rejected > 0 {
        checks.push(Node::map([("name", text("few rejects")), ("maxRejected", count(rejected))]));
    }
    checks
}

/// The name of a system's migration.
pub(crate) fn name(system: &System) -> String {
    format!("{}-v2", system.name)
}

/// The file of a system, with the pairs of its datasets.
pub(crate) fn file(system: &System, pairs: Vec<Node>) -> String {
    let metadata = Node::map([
        ("name", text(name(system))),
        ("title", text(format!("{} on the second data model", system.name))),
        ("owner", text(format!("group:{}", system.team))),
        ("guide", text(format!("https://guides.example.com/migrations/{}", system.name))),
    ]);
    let mut spec = Node::map([("datasets", Node::List(pairs))]);
    match system.index % 3 {
        0 => {
            let retry = Node::map([
                ("attempts", Node::Plain("4".to_owned())),
                ("backoff", text("200ms")),
                ("maxBackoff", text("5s")),
                ("on", Node::texts(["transient", "conflict"])),
            ]);
            spec = spec.with("retry", retry).with("timeout", text("10m"));
        }
        1 => spec = spec.with("through", text("cutover")),
        _ => {}
    }
    let connection = system.connection.as_ref().map(|name| {
        let root = text(format!("../{}", system.directory));
        resource("Connection", Node::map([("name", text(name))]), Node::map([("type", text("files")), ("root", root)]))
    });
    connection.unwrap_or_default() + &resource("Migration", metadata, spec)
}

fn resource(kind: &str, metadata: Node, spec: Node) -> String {
    document(&Node::map([
        ("apiVersion", text("greylag.dev/v1alpha1")),
        ("kind", text(kind)),
        ("metadata", metadata),
        ("spec", spec),
    ]))
}
