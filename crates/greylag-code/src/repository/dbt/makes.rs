//! Which node of a project makes which dataset that changes, and which nodes of two versions of a project are the same.
//!
//! This is the one place where that is decided: rules ask it for who must move, verifiers and proofs for who has moved.
//!
//! # Who makes a dataset
//!
//! A node makes the dataset whose name in code is the node's relation, as its package, configuration and name declare it. Both versions
//! of a project are asked in the same way: the old one by the old names of a change, the new one by the new name.
//!
//! Where only the target knows the schema (a dataset is `analytics.customers`, and the model `customers` goes to the target's
//! schema, whatever that is), the relation has a stand-in there, by which its readers are found as well. A model that asks for a schema
//! of its own, which is the dataset's or the end of it, is taken for the maker. Where nothing but the name speaks for it, it may be one: then
//! it is unknown, which is never the same as unaffected. A project that declares the dataset as a source has it from elsewhere,
//! and its models are not asked.
//!
//! # Who is who
//!
//! A maker that takes another name is called otherwise in dbt, so it cannot be found by that. The node that makes the old dataset is,
//! in the new version, the node of the same package that makes the new one; failing that, the node that has the new name and
//! makes something else, so that what is wrong with it can be said. All others are found by what dbt calls them.
//!
//! **Invariants:** pairs follow from two projects and what changes, and from nothing that a rule has said; a node is in one pair
//! at most; a node that was there before under the same name is nobody's successor unless it has one itself.

use super::source;
use crate::dbt::{Node, NodeKind, Project};
use greylag_model::consumer::{ColumnChange, Fate, MadeColumn, TableChange};
use greylag_model::expr::{Node as Value, TypedExpr};
use greylag_model::table::{Meeting, TableName};
use greylag_model::types::DataType;
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet, VecDeque};

/// Which names of the changes are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    /// Those of the old datasets.
    Old,
    /// Those of the new ones.
    New,
}

/// What changes, as the code of a project calls it.
#[derive(Debug)]
pub(crate) struct Known {
    /// The changes, and behind them the same ones under the names that makers have by a stand-in.
    pub(crate) changes: Vec<TableChange>,
    /// Of each source: the change that it is concerned by.
    pub(crate) concerned: Vec<Option<usize>>,
}

/// A node before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    /// Its number in the old project.
    pub(crate) old: usize,
    /// Its number in the new one; none if it is gone.
    pub(crate) new: Option<usize>,
    /// The change of the dataset that it makes, if it makes the new one in place of the old one, or is called as if it did.
    pub(crate) makes: Option<usize>,
}

/// What speaks for a model whose schema is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Evidence {
    /// Its name and the schema that it asks for.
    Schema,
    /// Its name alone.
    Name,
}

/// The change of the dataset that a node makes.
pub(crate) fn made_by(node: &Node, changes: &[TableChange], names: Names) -> Option<usize> {
    if !has_relation(node) {
        return None;
    }
    let all = changes.iter().enumerate();
    let meets = all.filter_map(|(number, change)| Some((meeting(node, change, names)?, number)));
    meets.max_by_key(|(meeting, number)| (*meeting, Reverse(*number))).map(|(_, number)| number)
}

/// How far the name of a node's relation is a dataset's.
pub(crate) fn meeting(node: &Node, change: &TableChange, names: Names) -> Option<Meeting> {
    match names {
        Names::Old => change.old.iter().filter_map(|old| old.meets(&node.relation)).max(),
        Names::New => change.new.meets(&node.relation),
    }
}

/// The change of a dataset that a node may make, since only the target could tell. `concerned` says of sources what changes with
/// them.
pub(crate) fn may_be_made_by(node: &Node, changes: &[TableChange], concerned: &[Option<usize>]) -> Option<usize> {
    let free = changes.iter().enumerate().filter(|(number, _)| !concerned.contains(&Some(*number)));
    free.filter(|(_, change)| evidence(node, change) == Some(Evidence::Name)).map(|(number, _)| number).next()
}

/// What of some changes a project can be asked for.
pub(crate) fn known(project: &Project, changes: &[TableChange]) -> Known {
    let concerned: Vec<Option<usize>> =
        project.sources.iter().map(|source| source::change_of(source, changes)).collect();
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
    Known { changes: all, concerned }
}

/// Whether a node has a relation of its own.
pub(crate) fn has_relation(node: &Node) -> bool {
    let is_ephemeral = node.config.materialized.as_ref().is_some_and(|kind| kind.text() == "ephemeral");
    let is_made = !matches!(node.kind, NodeKind::Analysis | NodeKind::Test);
    is_made && !is_ephemeral && node.config.enabled != Some(false)
}

fn evidence(node: &Node, change: &TableChange) -> Option<Evidence> {
    let last = node.relation.last().filter(|_| node.is_open && has_relation(node))?;
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

/// The nodes of a project before and after, by the old one's order; `known` is what the old one can be asked for.
pub(crate) fn pairs(old: &Project, new: &Project, known: &Known) -> Vec<Pair> {
    let mut namesakes: HashMap<&str, Vec<usize>> = HashMap::new();
    for (number, node) in old.nodes.iter().enumerate() {
        namesakes.entry(&node.id).or_default().push(number);
    }
    let changes = known.changes.as_slice();
    let makes = |node: &Node| made_by(node, changes, Names::Old);
    let may_make = |node: &Node| may_be_made_by(node, changes, &known.concerned);
    let makes_new = |_: &Node, node: &Node, change: usize| made_by(node, changes, Names::New) == Some(change);
    let is_called_new = |before: &Node, after: &Node, change: usize| {
        let new = changes[change].new.last();
        let has = |node: &Node| node.relation.last().is_some_and(|last| last.eq_ignore_ascii_case(new));
        has(after) && !has(before)
    };
    let all = (0..old.nodes.len()).map(|old| Pair { old, new: None, makes: None }).collect();
    let mut pairing = Pairing { old, new, namesakes, all, taken: vec![false; new.nodes.len()] };
    // Who takes the name of one that takes another name comes behind that one.
    while pairing.successors(makes, makes_new) {}
    while pairing.successors(makes, is_called_new) {}
    while pairing.successors(may_make, is_called_new) {}
    pairing.same();
    pairing.all
}

/// Nodes while they are paired.
struct Pairing<'a> {
    old: &'a Project,
    new: &'a Project,
    /// The old nodes that dbt calls by a name.
    namesakes: HashMap<&'a str, Vec<usize>>,
    all: Vec<Pair>,
    /// Of each new node: whether it is in a pair.
    taken: Vec<bool>,
}

impl Pairing<'_> {
    /// Pairs old nodes that make a changed dataset, as `change` says, with the new ones that `fits` finds right; whether there were any.
    fn successors(
        &mut self,
        change: impl Fn(&Node) -> Option<usize>,
        fits: impl Fn(&Node, &Node, usize) -> bool,
    ) -> bool {
        let mut found = false;
        for (one, before) in self.old.nodes.iter().enumerate() {
            if self.all[one].new.is_some() {
                continue;
            }
            let Some(change) = change(before) else { continue };
            let all = self.new.nodes.iter().enumerate();
            let fit: Vec<usize> = all
                .filter(|(number, after)| fits(before, after, change) && self.is_free(one, *number))
                .map(|(number, _)| number)
                .collect();
            let same = fit.iter().find(|number| self.new.nodes[**number].id == before.id);
            if let Some(other) = same.or(fit.first()).copied() {
                self.all[one] = Pair { old: one, new: Some(other), makes: Some(change) };
                self.taken[other] = true;
                found = true;
            }
        }
        found
    }

    /// Whether a new node may be the successor of an old one.
    fn is_free(&self, one: usize, other: usize) -> bool {
        let (before, after) = (&self.old.nodes[one], &self.new.nodes[other]);
        let namesakes = self.namesakes.get(after.id.as_str()).map(Vec::as_slice).unwrap_or_default();
        !self.taken[other]
            && before.package == after.package
            && before.kind.prefix() == after.kind.prefix()
            && namesakes.iter().all(|namesake| *namesake == one || self.all[*namesake].new.is_some())
    }

    /// Pairs those that are left by what dbt calls them.
    fn same(&mut self) {
        let mut there: HashMap<&str, VecDeque<usize>> = HashMap::new();
        for (number, node) in self.new.nodes.iter().enumerate().filter(|(number, _)| !self.taken[*number]) {
            there.entry(&node.id).or_default().push_back(number);
        }
        for (one, before) in self.old.nodes.iter().enumerate() {
            if self.all[one].new.is_none() {
                self.all[one].new = there.get_mut(before.id.as_str()).and_then(VecDeque::pop_front);
            }
        }
    }
}

/// The numbers of new nodes that are in no pair.
pub(crate) fn added(new: &Project, pairs: &[Pair]) -> Vec<usize> {
    let known: HashSet<usize> = pairs.iter().filter_map(|pair| pair.new).collect();
    (0..new.nodes.len()).filter(|number| !known.contains(number)).collect()
}

/// The change of what a node makes that nothing but names is in: its columns, each with the name that it had and the one that it has.
pub(crate) fn renaming(node: &Node, about: &TableChange, all: &[(String, String)]) -> Option<TableChange> {
    let name = TableName::of(&node.relation)?;
    let columns =
        all.iter().map(|(old, new)| ColumnChange { name: old.clone(), fate: Fate::Same(new.clone()), judgement: None });
    let made = all.iter().map(|(old, new)| MadeColumn {
        name: new.clone(),
        data_type: DataType::String,
        value: TypedExpr { data_type: DataType::String, nullable: true, node: Value::Column(old.clone()) },
        why: None,
    });
    Some(TableChange {
        dataset: about.dataset.clone(),
        old: vec![name.clone()],
        new: name,
        columns: columns.collect(),
        target: all.iter().map(|(_, new)| new.clone()).collect(),
        made: made.collect(),
        undoes: None,
        ..about.clone()
    })
}
