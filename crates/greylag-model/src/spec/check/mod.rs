//! What a schema cannot say and what needs no look at the world.
//!
//! Reads the tree: each rule looks at the keys it needs and keeps quiet if they are absent or of a wrong kind, which the
//! schema has reported.

mod diff;
mod expectations;
mod expression;
mod increments;
mod layout;
mod limits;
mod mapping;
mod pairs;
mod policy;

use super::duration;
use crate::code::{Code, spec as code};
use crate::diagnostic::Diagnostic;
use crate::entity::EntityRef;
use crate::table::TableName;
use crate::yaml::{Entry, Kind, Node, Places};
use std::collections::{HashMap, HashSet};

/// Rules of `kind: Migration`.
pub(super) fn migration(places: &Places, diagnostics: &mut Vec<Diagnostic>) {
    let mut report = Report { places, diagnostics, readable: HashSet::new() };
    metadata(&mut report);
    let Some(spec) = places.root().get("spec") else { return };
    policy::check(&mut report, spec);
    increments::check(&mut report, spec);
    shared(&mut report, spec);
    let pairs = items(spec, "datasets");
    pairs::check(&mut report, spec, pairs);
    for pair in pairs {
        shared(&mut report, pair);
        if let Some(table) = pair.get("table")
            && let Some(Err(why)) = table.as_str().map(str::parse::<TableName>)
        {
            report.error(
                table,
                code::MALFORMED,
                why.to_string(),
                "write `schema.table`, parts in double quotes where needed",
            );
        }
        if let Some(mark) = pair.get("watermark") {
            increments::watermark(&mut report, mark);
        }
    }
}

/// Rules of `kind: MigrationTemplate`, besides those of its conditions and texts.
pub(super) fn template(places: &Places, diagnostics: &mut Vec<Diagnostic>) {
    let mut report = Report { places, diagnostics, readable: HashSet::new() };
    metadata(&mut report);
    let Some(spec) = places.root().get("spec") else { return };
    policy::check(&mut report, spec);
    increments::check(&mut report, spec);
    shared(&mut report, spec);
}

/// Rules of `kind: Connection`.
pub(super) fn connection(places: &Places, diagnostics: &mut Vec<Diagnostic>) {
    let mut report = Report { places, diagnostics, readable: HashSet::new() };
    metadata(&mut report);
    if let Some(root) = places.root().get("spec").and_then(|spec| spec.get("root")) {
        layout::path(&mut report, root);
    }
}

/// Rules of `kind: Limits`.
pub(super) fn limits(places: &Places, diagnostics: &mut Vec<Diagnostic>) {
    let mut report = Report { places, diagnostics, readable: HashSet::new() };
    metadata(&mut report);
    if let Some(spec) = places.root().get("spec") {
        limits::check(&mut report, spec);
    }
}

/// What a migration and a pair may both have.
fn shared(report: &mut Report<'_>, node: &Node) {
    if let Some(mapping) = node.get("mapping") {
        mapping::check(report, mapping);
    }
    if let Some(layout) = node.get("layout") {
        layout::check(report, layout);
    }
    expectations::check(report, items(node, "checks"));
}

fn metadata(report: &mut Report<'_>) {
    let Some(metadata) = report.places.root().get("metadata") else { return };
    if let Some(owner) = metadata.get("owner") {
        report.owner(owner);
    }
    if let Some(guide) = metadata.get("guide") {
        report.link(guide);
    }
}

/// Where findings go.
struct Report<'a> {
    places: &'a Places,
    diagnostics: &'a mut Vec<Diagnostic>,
    /// Expressions that were read already: thousands of pairs repeat a few.
    readable: HashSet<String>,
}

impl Report<'_> {
    /// A finding at a node.
    fn error(&mut self, node: &Node, code: Code, message: impl Into<String>, hint: impl Into<String>) {
        let place = self.places.of(node);
        self.diagnostics.push(Diagnostic::error(code, message).at(Some(place)).hint(hint));
    }

    /// A finding at a key.
    fn error_at_key(&mut self, entry: &Entry, code: Code, message: impl Into<String>, hint: impl Into<String>) {
        let place = self.places.source().place(entry.range.clone());
        self.diagnostics.push(Diagnostic::error(code, message).at(Some(place)).hint(hint));
    }

    /// `line N` of a node.
    fn line(&self, node: &Node) -> String {
        format!("line {}", self.places.of(node).line)
    }

    /// A link that people can follow.
    fn link(&mut self, node: &Node) {
        let Some(text) = node.as_str() else { return };
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let host = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
        let printable = !text.contains(|letter: char| letter.is_whitespace() || letter.is_control());
        if !printable || host.is_none_or(|host| host.is_empty() || host.contains('@')) {
            let message = format!("`{}` is not a link", text.escape_debug());
            self.error(node, code::LINK, message, "write the whole address, beginning with `https://`");
        }
    }

    /// Who answers for something.
    fn owner(&mut self, node: &Node) {
        let Some(text) = node.as_str() else { return };
        if let Some(reference) = self.reference(node, text, "group")
            && !matches!(reference.kind.as_str(), "group" | "user")
        {
            let message = format!("the owner `{text}` is a {}", reference.kind);
            self.error(node, code::REFERENCE, message, "owners are groups and users: `group:NAME` or `user:NAME`");
        }
    }

    /// A tolerance that says how much.
    fn tolerance(&mut self, entry: &Entry) {
        if matches!(entry.value.kind, Kind::Map(_)) && entries(&entry.value).is_empty() {
            let message = "the tolerance says neither `absolute` nor `relative`";
            self.error_at_key(entry, code::ONE_KEY, message, "write e.g. `{absolute: 0.01}`");
        }
    }

    /// A reference by the catalog's rules.
    fn reference(&mut self, node: &Node, text: &str, kind: &str) -> Option<EntityRef> {
        match EntityRef::parse_in(text, Some(kind), "default") {
            Ok(reference) => Some(reference),
            Err(error) => {
                let message = format!("the reference `{}` {error}", text.escape_debug());
                let hint = format!(
                    "write the name of the catalog's entity, perhaps with its namespace: `{kind}:default/NAME` or `NAME`"
                );
                self.error(node, code::REFERENCE, message, hint);
                None
            }
        }
    }

    /// A reference to a dataset.
    fn dataset(&mut self, node: &Node, text: &str) -> Option<EntityRef> {
        let reference = self.reference(node, text, "resource")?;
        if reference.kind == "resource" {
            return Some(reference);
        }
        let message = format!("`{text}` is a {}, not a dataset", reference.kind);
        self.error(node, code::REFERENCE, message, "datasets are resources: write the name alone, or `resource:NAME`");
        None
    }

    /// A duration above zero, if it is one.
    fn duration(&mut self, node: &Node, zero_allowed: bool) -> Option<i64> {
        let text = node.as_str()?;
        match duration::parse(text) {
            Ok(0) if !zero_allowed => {
                self.error(node, code::DURATION, format!("`{text}` leaves no time at all"), "write e.g. `30m`");
                None
            }
            Ok(millis) => Some(millis),
            // What is no duration at all the schema has reported.
            Err(words) if words.starts_with("is longer") => {
                self.error(node, code::DURATION, format!("`{text}` {words}"), "write a shorter one");
                None
            }
            Err(_) => None,
        }
    }

    /// Reports every text that was seen before, and where.
    fn once<'n>(&mut self, nodes: impl IntoIterator<Item = &'n Node>, code: Code, what: &str, hint: &str) {
        let mut seen: HashMap<&str, &Node> = HashMap::new();
        for (node, text) in nodes.into_iter().filter_map(|node| Some((node, node.as_str()?))) {
            match seen.get(text) {
                Some(first) => {
                    let message = format!("{what} `{text}` is given twice");
                    let hint = format!("it was given in {}: {hint}", self.line(first));
                    self.error(node, code, message, hint);
                }
                None => {
                    seen.insert(text, node);
                }
            }
        }
    }
}

/// The items of a list under a key; none if there is no list.
fn items<'a>(node: &'a Node, key: &str) -> &'a [Node] {
    match node.get(key).map(|value| &value.kind) {
        Some(Kind::List(items)) => items,
        _ => &[],
    }
}

/// The text under a key.
fn text<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
    node.get(key).and_then(Node::as_str)
}

/// The entries of a mapping.
fn entries(node: &Node) -> &[Entry] {
    match &node.kind {
        Kind::Map(entries) => entries,
        _ => &[],
    }
}
