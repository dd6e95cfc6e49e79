//! Models whose schema only the target knows.
//!
//! A dataset is `analytics.customers`, and the model `customers` goes to the target's schema, whatever that is. Its relation has a stand-in
//! there, by which its readers are found as well. Where the model asks for a schema of its own, which is the dataset's or
//! the end of it, it is taken for the maker of the dataset. Where nothing but the name speaks for it, it may be: then it is unknown, which is never
//! the same as unaffected. A project that declares the dataset as a source has it from elsewhere, and its models are not asked.

use super::Look;
use crate::dbt::{Node, NodeKind, Project};
use greylag_model::consumer::TableChange;
use greylag_model::table::TableName;

/// What speaks for a model whose schema is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Evidence {
    /// Its name and the schema that it asks for.
    Schema,
    /// Its name alone.
    Name,
}

/// The changes, and behind them the same ones under the names that makers have by a stand-in.
pub(super) fn with_targets(
    project: &Project,
    changes: &[TableChange],
    concerned: &[Option<usize>],
) -> Vec<TableChange> {
    let mut all = changes.to_vec();
    for (number, change) in changes.iter().enumerate().filter(|(number, _)| !concerned.contains(&Some(*number))) {
        for node in &project.nodes {
            let name = TableName::of(&node.relation).filter(|_| evidence(node, change) == Some(Evidence::Schema));
            let is_new = |name: &TableName| all[number..].iter().all(|change| !change.old.contains(name));
            if let Some(name) = name.filter(is_new) {
                let new = name.beside(change.new.last());
                all.push(TableChange { old: vec![name], new, ..change.clone() });
            }
        }
    }
    all
}

fn evidence(node: &Node, change: &TableChange) -> Option<Evidence> {
    let is_made = !matches!(node.kind, NodeKind::Analysis | NodeKind::Test) && node.config.enabled != Some(false);
    let last = node.relation.last().filter(|_| node.is_open && is_made)?;
    let named = change.old.iter().filter(|old| old.parts().len() > 1 && old.last().eq_ignore_ascii_case(last));
    let schemas: Vec<String> = named.filter_map(|old| Some(old.parts().iter().rev().nth(1)?.to_lowercase())).collect();
    if schemas.is_empty() {
        return None;
    }
    let asked = node.config.schema.as_ref().map(|schema| schema.text().to_lowercase());
    let is_it =
        |schema: &String| asked.as_ref().is_some_and(|asked| schema == asked || schema.ends_with(&format!("_{asked}")));
    match asked {
        Some(_) if schemas.iter().any(is_it) => Some(Evidence::Schema),
        Some(_) => None,
        None => Some(Evidence::Name),
    }
}

impl Look<'_> {
    /// The change of a dataset that a node may make, since only the target could tell.
    pub(super) fn may_make(&self, node: &Node) -> Option<usize> {
        let own = self.changes.iter().enumerate().take(self.own);
        let free = own.filter(|(number, _)| !self.concerned.contains(&Some(*number)));
        free.filter(|(_, change)| evidence(node, change) == Some(Evidence::Name)).map(|(number, _)| number).next()
    }
}
