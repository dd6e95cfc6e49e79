//! New names that go on from readers to their own readers.
//!
//! Where a migration says `outputs: propagate`, a model that shows a column of the dataset as it is shows it under the new name. Then the
//! model is a dataset that changes, too, by a change that nothing but names is in, and its readers follow it, and theirs. Each
//! such model moves with all of its readers in the project, as any maker does; if one of them cannot follow, or if
//! something outside may read it, its outputs keep their names, and the reason is listed.

use super::Look;
use super::makes::renaming;
use crate::dbt::{Node, NodeKind, Target};
use crate::rewrite::{Input, shown};
use greylag_model::consumer::TableChange;
use greylag_model::spec::Outputs;
use std::collections::BTreeMap;

/// How many models in a row are followed.
const DEPTH: usize = 64;

impl Look<'_> {
    /// Adds the changes of models whose outputs take new names, but for those that keep them.
    pub(super) fn propagate(&mut self, kept: &BTreeMap<usize, String>) {
        let own = self.changes.len();
        if self.changes.iter().all(|change| change.outputs != Outputs::Propagate) {
            return;
        }
        for _ in 0..DEPTH {
            let derived = self.derived(kept);
            let changes: Vec<TableChange> = derived.values().cloned().collect();
            if self.changes[own..] == changes[..] {
                break;
            }
            self.changes.truncate(own);
            self.makers.retain(|_, change| *change < own);
            for (number, node) in derived.keys().enumerate() {
                self.makers.entry(*node).or_insert(own + number);
            }
            self.changes.extend(changes);
        }
    }

    /// The change of each model that shows columns that have other names now.
    fn derived(&self, kept: &BTreeMap<usize, String>) -> BTreeMap<usize, TableChange> {
        let nodes = self.project.nodes.iter().enumerate().filter(|(_, node)| node.kind == NodeKind::Model);
        let free = nodes.filter(|(number, _)| !kept.contains_key(number) && !self.makes_own(*number));
        free.filter_map(|(number, node)| Some((number, self.derived_change(node)?))).collect()
    }

    /// Whether a node makes a dataset of the migration itself.
    fn makes_own(&self, node: usize) -> bool {
        self.makers.get(&node).is_some_and(|change| !self.is_derived(*change))
    }

    /// Whether a change is that of a model, and not the migration's own.
    pub(super) fn is_derived(&self, change: usize) -> bool {
        change >= self.own
    }

    fn derived_change(&self, node: &Node) -> Option<TableChange> {
        if !self.may_read(node) {
            return None;
        }
        let mut all: Option<Vec<(String, String)>> = None;
        let mut about = None;
        for text in node.renderings.iter().filter_map(|way| way.text.as_ref().ok()) {
            let reading = self.reading(text);
            let input = Input { text: text.text(), dialect: self.dialect, reading: &reading, changes: &self.changes };
            let names = shown(input)?;
            about = about.or_else(|| {
                let mut relations = reading.relations.iter();
                relations.find_map(|relation| {
                    let parts: Vec<&str> = relation.parts.iter().map(|part| &*part.text).collect();
                    self.changes.iter().find(|change| change.old.iter().any(|old| old.meets(&parts).is_some()))
                })
            });
            match &all {
                None => all = Some(names),
                Some(first) if *first == names => {}
                Some(_) => return None,
            }
        }
        let all = all.filter(|all| all.iter().any(|(old, new)| old != new))?;
        change_of(node, about?, &all)
    }

    /// Models whose outputs had new names and are held, with the reason.
    pub(super) fn cannot_propagate(&self) -> BTreeMap<usize, String> {
        let held = self.held.iter().filter_map(|(target, held)| match target {
            Target::Node(node) if self.makers.get(node).is_some_and(|change| self.is_derived(*change)) => {
                Some((*node, held.why.clone()))
            }
            _ => None,
        });
        held.collect()
    }

    /// Models that something outside of the project reads, as exposures say.
    pub(super) fn exposed(&self) -> BTreeMap<usize, String> {
        let mut found = BTreeMap::new();
        for exposure in &self.project.exposures {
            for edge in &exposure.edges {
                if let Target::Node(node) = edge.target {
                    found.insert(node, format!("the exposure `{}` reads it", exposure.name));
                }
            }
        }
        found
    }
}

/// A change that nothing but names is in; on the way back one that knows what it undoes.
fn change_of(node: &Node, about: &TableChange, all: &[(String, String)]) -> Option<TableChange> {
    let back: Vec<(String, String)> = all.iter().map(|(old, new)| (new.clone(), old.clone())).collect();
    let undoes = about.undoes.as_ref().and_then(|undone| renaming(node, undone, &back));
    Some(TableChange { undoes: undoes.map(Box::new), ..renaming(node, about, all)? })
}
