//! Conflicts between pairs: targets that exist, that two pairs claim, or that lie inside other datasets.
//!
//! Places are compared by their text, component by component, below the roots of their connections; `.`, `..` and
//! doubled slashes are resolved first. Links are not: whether two paths are one directory is the probe's to say, not the
//! model's. A pair whose source was not found has no place yet, only a guess; it is compared by name alone.

use crate::code;
use crate::dataset::Location;
use crate::diagnostic::{Diagnostic, Place};
use crate::snapshot::Snapshot;
use crate::spec::Pair;
use crate::task::Phase;
use std::collections::{BTreeMap, HashMap};

/// A place as it is compared: the connection, if its root is not known, and resolved components.
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
            // What a base of increments is in the way of, `increment` says.
            if pair.target.exists && pair.published.is_none() {
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
            let Ok(source) = &pair.source else { continue };
            let key = |location| key(location, &snapshot.connections);
            places.entry(key(&pair.target.location)).or_default().targets.push(number);
            places.entry(key(&source.dataset.location)).or_default().sources.push(number);
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
                // Equal targets have equal places; that was said already.
                if self.reasons[*pair].iter().any(|reason| reason.code == code::plan::SAME_TARGET) {
                    continue;
                }
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

/// A location as it is compared.
fn key(location: &Location, roots: &BTreeMap<String, String>) -> Key {
    let connection = location.connection.as_ref();
    let root = connection.and_then(|name| roots.get(name));
    let mut components = Vec::new();
    for path in root.into_iter().chain([&location.path]) {
        // Below a root, and only there, a leading slash means nothing.
        if path.starts_with('/') && components.is_empty() {
            components.push("/".to_owned());
        }
        descend(&mut components, path);
    }
    (if root.is_some() { None } else { connection.cloned() }, components)
}

fn descend(components: &mut Vec<String>, path: &str) {
    for component in path.split('/') {
        match component {
            "" | "." => {}
            ".." => match components.last().map(String::as_str) {
                Some("/") => {}
                None | Some("..") => components.push("..".to_owned()),
                Some(_) => drop(components.pop()),
            },
            other => components.push(other.to_owned()),
        }
    }
}
