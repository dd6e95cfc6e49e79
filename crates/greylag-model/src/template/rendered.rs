//! What becomes of a template.

use crate::diagnostic::{Diagnostic, Place};
use crate::entity::EntityRef;
use crate::spec::Migration;
use crate::yaml::Places;
use serde::Serialize;

/// What became of a template.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// The migration; a template that takes no dataset has no pairs in it.
    pub migration: Migration,
    /// Of each pair, in its order, where it comes from.
    pub pairs: Vec<Pair>,
    /// Datasets that `select` takes and nothing would change.
    pub unchanged: Vec<EntityRef>,
    /// Datasets that `select` takes and whose successors are there already.
    pub done: Vec<EntityRef>,
    /// Datasets that could not be looked at.
    pub unread: Vec<Left>,
    /// Worth a word: rules that matched nothing.
    pub warnings: Vec<Diagnostic>,
    /// Where the template stands.
    pub(super) places: Places,
}

/// A dataset that was left out, and why.
#[derive(Clone, Debug, Serialize)]
pub struct Left {
    /// Which.
    #[serde(rename = "ref")]
    pub entity: EntityRef,
    /// Why.
    pub why: String,
}

/// Where a pair comes from.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The old dataset.
    pub source: EntityRef,
    /// What rules did, in the order of the columns.
    pub applied: Vec<Applied>,
    /// Why the pair cannot be migrated; empty if it can.
    pub problems: Vec<Diagnostic>,
    /// Rules of the mapping's columns and drops.
    pub(super) columns: Vec<usize>,
    pub(super) drops: Vec<usize>,
}

/// What a rule did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Applied {
    /// The source column.
    pub column: String,
    /// The rules, by name or number.
    pub rules: Vec<String>,
}

impl Rendered {
    /// Where what a pointer into the migration names stands in the template.
    pub fn place(&self, pointer: &str) -> Place {
        let Some(rest) = pointer.strip_prefix("/spec/datasets/") else { return self.places.value(pointer) };
        let mut parts = rest.split('/');
        let pair = parts.next().and_then(|number| number.parse::<usize>().ok()).and_then(|at| self.pairs.get(at));
        let rule_of = |rules: fn(&Pair) -> &Vec<usize>, number: Option<&str>| {
            number.and_then(|number| number.parse::<usize>().ok()).and_then(|at| rules(pair?).get(at).copied())
        };
        let (what, list, number) = (parts.next(), parts.next(), parts.next());
        let key = parts.next();
        match (what, list) {
            (Some("from") | None, _) => self.places.value("/spec/select"),
            (Some("to"), _) => self.places.value("/spec/to"),
            (Some("location"), _) => self.places.value("/spec/location"),
            (Some("mapping"), Some("columns")) => match (rule_of(|pair| &pair.columns, number), key) {
                (Some(rule), Some(key)) => self.places.value(&format!("/spec/rules/{rule}/set/{key}")),
                (Some(rule), None) => self.places.value(&format!("/spec/rules/{rule}/set")),
                (None, _) => self.places.value("/spec/rules"),
            },
            (Some("mapping"), Some("drop")) => match rule_of(|pair| &pair.drops, number) {
                Some(rule) => self.places.value(&format!("/spec/rules/{rule}/drop")),
                None => self.places.value("/spec/rules"),
            },
            _ => self.places.value("/spec/rules"),
        }
    }
}
