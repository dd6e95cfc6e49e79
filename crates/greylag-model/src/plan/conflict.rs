//! Conflicts between pairs: targets that exist, that two pairs claim, or that lie inside other datasets.
//!
//! Places are compared by their text, component by component, within one connection; `.`, `..` and doubled slashes are
//! resolved first. Links are not: whether two paths are one directory is the probe's to say, not the model's.

use crate::code;
use crate::dataset::Location;
use crate::diagnostic::{Diagnostic, Place};
use crate::snapshot::Snapshot;
use crate::spec::Pair;
use crate::task::Phase;
use std::collections::{BTreeMap, HashMap};

/// A place as it is compared.
type Key = (Option<String>, Vec<String>);

/// Who claims one place.
#[derive(Default)]
struct Claims {
    /// Pairs whose source it is.
    sources: Vec<usize>,
    /// Pairs whose target it is.
    targets: Vec<usize>,
}

/// Reasons to block, by pair.
pub(super) struct Conflicts<'a> {
    pairs: &'a [Pair],
    place: &'a dyn Fn(&str) -> Option<Place>,
    reasons: Vec<Vec<Diagnostic>>,
}

impl<'a> Conflicts<'a> {
    /// Finds all conflicts of a snapshot whose pairs are those of the spec.
    pub(super) fn find(
        pairs: &'a [Pair],
        snapshot: &Snapshot,
        through: Phase,
        place: &'a dyn Fn(&str) -> Option<Place>,
    ) -> Vec<Vec<Diagnostic>> {
        let mut conflicts = Self { pairs, place, reasons: vec![Vec::new(); pairs.len()] };
        conflicts.existing(snapshot);
        conflicts.same_target(snapshot);
        if through >= Phase::Cutover {
            conflicts.same_source(snapshot);
        }
        conflicts.overlaps(snapshot);
        conflicts.reasons
    }

    fn block(&mut self, pair: usize, diagnostic: Diagnostic, key: &str) {
        let key = if key == "location" && self.pairs[pair].location.is_none() { "to" } else { key };
        let place = (self.place)(&format!("/spec/datasets/{pair}/{key}"));
        self.reasons[pair].push(diagnostic.at(place));
    }

    fn existing(&mut self, snapshot: &Snapshot) {
        for (number, pair) in snapshot.pairs.iter().enumerate() {
            if pair.target.exists {
                let message = format!("something already lies at the target's place `{}`", pair.target.location.path);
                let diagnostic = Diagnostic::error(code::plan::TARGET_EXISTS, message)
                    .hint("choose another `to` or `location`, or move away what is there");
                self.block(number, diagnostic, "location");
            }
        }
    }

    fn same_target(&mut self, snapshot: &Snapshot) {
        // By task id and not by reference: two references that differ in kind alone would have one id.
        let mut claims: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (number, pair) in snapshot.pairs.iter().enumerate() {
            claims.entry(super::task_id(&pair.target.entity)).or_default().push(number);
        }
        for (id, pairs) in claims.into_iter().filter(|(_, pairs)| pairs.len() > 1) {
            for pair in &pairs {
                let message = format!("{} pairs have the target `{id}`", pairs.len());
                let diagnostic = Diagnostic::error(code::plan::SAME_TARGET, message)
                    .hint(format!("they are {}", self.listed(&pairs)));
                self.block(*pair, diagnostic, "to");
            }
        }
    }

    fn same_source(&mut self, snapshot: &Snapshot) {
        let mut claims: HashMap<&Location, Vec<usize>> = HashMap::new();
        for (number, pair) in snapshot.pairs.iter().enumerate() {
            if let Ok(source) = &pair.source {
                claims.entry(&source.dataset.location).or_default().push(number);
            }
        }
        for pairs in claims.into_values().filter(|pairs| pairs.len() > 1) {
            for pair in &pairs {
                let message = format!("{} pairs would replace `{}`", pairs.len(), self.pairs[*pair].from);
                let diagnostic = Diagnostic::error(code::plan::SAME_SOURCE, message)
                    .hint("stop at `through: publish`, or leave one of them to another migration");
                self.block(*pair, diagnostic, "from");
            }
        }
    }

    fn overlaps(&mut self, snapshot: &Snapshot) {
        let mut places: BTreeMap<Key, Claims> = BTreeMap::new();
        for (number, pair) in snapshot.pairs.iter().enumerate() {
            places.entry(key(&pair.target.location)).or_default().targets.push(number);
            if let Ok(source) = &pair.source {
                places.entry(key(&source.dataset.location)).or_default().sources.push(number);
            }
        }
        // In this order everything inside a place follows it directly, so the places around the current one are a stack.
        let mut around: Vec<(&Key, &Claims)> = Vec::new();
        for (key, claims) in &places {
            around.retain(|(outer, _)| outer.0 == key.0 && key.1.starts_with(&outer.1));
            self.same_place(claims);
            for (_, outer) in &around {
                self.nested(outer, claims);
            }
            around.push((key, claims));
        }
    }

    fn same_place(&mut self, claims: &Claims) {
        if claims.targets.len() > 1 {
            for pair in &claims.targets {
                let diagnostic = Diagnostic::error(code::plan::SAME_TARGET, "two targets have the same place")
                    .hint(format!("the pairs are {}", self.listed(&claims.targets)));
                self.block(*pair, diagnostic, "location");
            }
        }
        if let Some(source) = claims.sources.first() {
            for pair in &claims.targets {
                let message = format!("the target's place is that of `{}`", self.pairs[*source].from);
                self.overlap(*pair, message);
            }
        }
    }

    fn nested(&mut self, outer: &Claims, inner: &Claims) {
        if let Some(source) = outer.sources.first() {
            for pair in &inner.targets {
                let message = format!("the target lies inside `{}`", self.pairs[*source].from);
                self.overlap(*pair, message);
            }
        }
        if let (Some(first), false) = (outer.targets.first(), inner.targets.is_empty()) {
            for pair in &inner.targets {
                let message = format!("the target lies inside the target `{}`", self.pairs[*first].to);
                self.overlap(*pair, message);
            }
        }
        let inside = inner.sources.first().map(|at| &self.pairs[*at].from);
        let inside = inside.or_else(|| inner.targets.first().map(|at| &self.pairs[*at].to)).cloned();
        if let Some(name) = inside {
            for pair in &outer.targets {
                self.overlap(*pair, format!("the target lies around `{name}`"));
            }
        }
    }

    fn overlap(&mut self, pair: usize, message: String) {
        let known = self.reasons[pair].iter().any(|reason| reason.code == code::plan::LOCATIONS_OVERLAP);
        if !known {
            let diagnostic = Diagnostic::error(code::plan::LOCATIONS_OVERLAP, message)
                .hint("choose a `location` beside the other dataset, not inside or around it");
            self.block(pair, diagnostic, "location");
        }
    }

    /// `a → b` of the first pairs, for a hint.
    fn listed(&self, pairs: &[usize]) -> String {
        const SHOWN: usize = 5;
        let name = |at: &usize| format!("`{} → {}`", self.pairs[*at].from, self.pairs[*at].to);
        let names: Vec<String> = pairs.iter().take(SHOWN).map(name).collect();
        match pairs.len().saturating_sub(SHOWN) {
            0 => names.join(", "),
            more => format!("{} and {more} more", names.join(", ")),
        }
    }
}

/// A location as it is compared: connection and resolved components.
fn key(location: &Location) -> Key {
    let mut components: Vec<String> = Vec::new();
    for component in location.path.split('/') {
        match component {
            "" | "." => {}
            ".." if components.last().is_some_and(|last| last != "..") => {
                components.pop();
            }
            other => components.push(other.to_owned()),
        }
    }
    (location.connection.clone(), components)
}
