//! `graph.nodes`: what dbt knows of the other nodes when a template is rendered for a run.
//!
//! dbt has read the whole project by then, and so have we: whether there is a node of an id is known, and so are its name, its package,
//! its place, and what it is configured with. What hangs on the target stays open. The collection as a whole stays open, too: it has tests in it
//! whose ids dbt makes up, and an order.

use super::Site;
use super::target::{Partly, about};
use crate::dbt::project::NodeKind;
use greylag_syntax::jinja::Value;
use greylag_syntax::jinja::value::Function;
use std::rc::Rc;

/// The words of the open value that has the nodes.
pub(super) const NODES: &str = "graph.nodes";

/// What every node has, and is never empty; and a database, where databases have them.
const ALWAYS: [&str; 3] = [".schema", ".alias", ".database"];
const WITH_DATABASES: [&str; 4] = ["bigquery", "postgres", "redshift", "snowflake"];

/// What is known of a part of `graph.nodes`: the method `get`, or the node of an id.
pub(super) fn part(site: &Rc<Site>, key: &str) -> Option<Value> {
    if key != "get" {
        return match find(site, key) {
            Found::Node(node) => Some(value(site, key, node)),
            Found::Nothing => Some(Value::undefined(key)),
            Found::Unknown => None,
        };
    }
    let site = site.clone();
    Some(Function::value("graph.nodes.get", move |evaluator, mut arguments| {
        let at = arguments.at;
        let key = arguments.take("key").unwrap_or(Value::None);
        let words = || format!("{NODES}.get({})", greylag_syntax::jinja::words(&key));
        let Some(id) = key.as_text().filter(|_| key.open_words().is_none()) else {
            return Ok(evaluator.open(&words(), at));
        };
        Ok(match find(&site, id) {
            Found::Node(node) => value(&site, id, node),
            Found::Nothing => arguments.take("default").unwrap_or(Value::None),
            Found::Unknown => evaluator.open(&words(), at),
        })
    }))
}

/// Whether something open of a node counts as true.
pub(super) fn truth(site: &Site, what: &str) -> Option<bool> {
    let part = what.strip_prefix(NODES)?.strip_prefix('[')?;
    let (_, key) = part.rsplit_once(']')?;
    let has = key != ".database"
        || site.shared.options.adapter.as_deref().is_some_and(|adapter| WITH_DATABASES.contains(&adapter));
    (ALWAYS.contains(&key) && has).then_some(true)
}

/// What an id is of.
enum Found {
    Node(usize),
    /// Surely of no node.
    Nothing,
    Unknown,
}

/// The node of an id.
fn find(site: &Site, id: &str) -> Found {
    let shared = &site.shared;
    let mut parts = id.split('.');
    let (Some(kind), Some(package), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
        return Found::Unknown;
    };
    let kinds = [NodeKind::Model, NodeKind::Seed, NodeKind::Snapshot];
    // What is given to a node is known when all are.
    if !kinds.iter().any(|found| found.prefix() == kind) || !shared.is_named() {
        return Found::Unknown;
    }
    let packages = &shared.loaded.packages;
    if !shared.loaded.missing.is_empty() && !packages.iter().any(|found| found.public.name == package) {
        return Found::Unknown;
    }
    let mut candidates = shared.named(name).iter().copied();
    let mut found = None;
    let all_known = candidates.all(|node| {
        let is_it = shared.loaded.drafts.get(node).is_some_and(|draft| draft.id(packages) == id);
        let enabled = if is_it { shared.enabled(node) } else { Some(false) };
        found = found.or_else(|| (enabled == Some(true)).then_some(node));
        enabled.is_some()
    });
    match found {
        _ if !all_known => Found::Unknown,
        Some(node) => Found::Node(node),
        None => Found::Nothing,
    }
}

/// A node as `graph.nodes` has it.
fn value(site: &Rc<Site>, id: &str, node: usize) -> Value {
    let words = format!("{NODES}[{id}]");
    let config = Partly::value(&format!("{words}.config"), configured(site, node));
    Partly::value(&words, about(site, node, config))
}

/// What a node is configured with, of what makes its name. What a template may give in a way that is not seen before it is rendered is open.
fn configured(site: &Rc<Site>, node: usize) -> Vec<(String, Value)> {
    let keys = ["database", "schema", "alias"].into_iter();
    let known = keys.filter_map(|key| {
        let value = match site.shared.configured(node, key) {
            Some(text) => Value::text(text),
            None if site.shared.may_configure(node, key) => return None,
            None => Value::None,
        };
        Some((key.to_owned(), value))
    });
    known.collect()
}
