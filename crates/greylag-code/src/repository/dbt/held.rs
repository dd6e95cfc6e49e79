//! Who is held, until nothing more has to be.

use super::{Held, Look, Placed};
use crate::dbt::{Idle, Target};
use greylag_model::consumer::Class;
use greylag_syntax::edit::Edit;
use greylag_syntax::trace::FileId;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

/// How often edits are tried before everything that is left is held.
const TRIALS: usize = 12;

impl Look<'_> {
    /// Holds whatever must be held, so that what is left is right everywhere.
    pub(super) fn settle(&mut self) -> io::Result<()> {
        for _ in 0..TRIALS {
            self.spread();
            let edits = self.edits();
            if self.heed(&edits) {
                continue;
            }
            let overlapping = Self::overlapping(&edits);
            if !overlapping.is_empty() {
                self.hold_owners(&overlapping, "two places want different changes of the same bytes");
                continue;
            }
            if edits.is_empty() && self.moves().is_empty() || self.tried(&edits)? {
                return Ok(());
            }
        }
        for ask in self.asks.values_mut() {
            ask.hold(Class::Agentic, "its changes and those of others do not go together");
        }
        self.spread();
        Ok(())
    }

    /// A held reader holds its sources and the makers that it reads, these hold their readers.
    fn spread(&mut self) {
        loop {
            let mut newly = Vec::new();
            for target in self.moving() {
                let held = self.readers(target).find_map(|node| Some((node, self.asks.get(&node)?.held.clone()?)));
                if let (Some(_), Target::Source(source)) = (&held, target)
                    && self.may_part(source)
                {
                    self.split.insert(source);
                    newly.extend(self.moved_target(target).err().map(|held| (target, held)));
                    continue;
                }
                match held {
                    Some((node, held)) if target == Target::Node(node) => newly.push((target, held)),
                    Some((node, _)) => {
                        let path = self.project.files.path(self.project.nodes[node].file);
                        let why = format!("`{path}` reads it, too, and needs somebody");
                        newly.push((target, Held { class: Class::Agentic, why }));
                    }
                    None => newly.extend(self.moved_target(target).err().map(|held| (target, held))),
                }
            }
            if newly.is_empty() {
                return;
            }
            for (target, held) in newly {
                let why = format!("`{}` stays: {}", self.id(target), held.why);
                // Who reads what needs a person is the person's matter only if it says so itself.
                let class = if matches!(target, Target::Node(_)) { Class::Agentic } else { held.class };
                let readers: Vec<usize> = self.readers(target).collect();
                for node in readers {
                    if let Some(ask) = self.asks.get_mut(&node).filter(|ask| ask.held.is_none()) {
                        ask.hold(class, why.clone());
                    }
                }
                self.held.insert(target, held);
            }
        }
    }

    /// The edits of all that is not held.
    pub(super) fn edits(&self) -> BTreeSet<Placed> {
        let asked = self.asks.values().filter(|ask| ask.held.is_none()).flat_map(|ask| ask.edits.iter().cloned());
        let noted = self
            .asks
            .values()
            .filter(|ask| !ask.unnoted && ask.held.as_ref().is_some_and(|held| held.class == Class::Judgement));
        let noted = noted.flat_map(|ask| ask.notes.iter().cloned());
        let moved = self.moving().into_iter().filter_map(|target| self.moved_target(target).ok()).flatten();
        asked.chain(noted).chain(moved).collect()
    }

    /// Edits of the same bytes that are not the same.
    pub(super) fn overlapping(edits: &BTreeSet<Placed>) -> BTreeSet<Placed> {
        let mut overlapping = BTreeSet::new();
        let mut last: Option<&Placed> = None;
        for edit in edits {
            if let Some(last) = last.filter(|last| {
                last.file == edit.file && (edit.start < last.end || (edit.start, edit.end) == (last.start, last.end))
            }) {
                overlapping.extend([last.clone(), edit.clone()]);
            }
            if last.is_none_or(|last| last.file != edit.file || last.end <= edit.end) {
                last = Some(edit);
            }
        }
        overlapping
    }

    /// Holds everybody who asked for one of some edits, and the sources and makers that did.
    pub(super) fn hold_owners(&mut self, edits: &BTreeSet<Placed>, why: &str) {
        for ask in self.asks.values_mut() {
            if ask.held.is_none() && !ask.edits.is_disjoint(edits) {
                ask.hold(Class::Agentic, why);
            }
            ask.unnoted |= !ask.notes.is_disjoint(edits);
        }
        let held = Held { class: Class::Agentic, why: why.to_owned() };
        for edit in edits {
            self.refused.entry(edit.file).or_insert_with(|| held.clone());
        }
        for target in self.moving() {
            if self.moved_target(target).is_ok_and(|moved| !moved.is_disjoint(edits)) {
                self.hold_target(target, &held);
            }
        }
    }

    /// Holds the sources that macros name which nothing renders: what they do with them is not known, and they would name what is not there.
    pub(super) fn hold_idle(&mut self) {
        for Idle { name, at, source } in self.project.idle.clone() {
            let Some(change) = self.concerned.get(source).copied().flatten() else { continue };
            let dataset = &self.changes[change].dataset;
            let why = format!("the macro `{name}` reads `{dataset}`, and nothing that is read here runs it");
            let held = Held { class: Class::Unknown, why };
            if self.may_part(source) {
                self.split.insert(source);
            } else {
                self.hold_target(Target::Source(source), &held);
            }
            self.idle.push((at, change, held));
        }
    }

    /// Holds a source or a maker with all that read it.
    pub(super) fn hold_target(&mut self, target: Target, held: &Held) {
        self.held.insert(target, held.clone());
        let readers: Vec<usize> = self.readers(target).collect();
        for node in readers {
            if let Some(ask) = self.asks.get_mut(&node) {
                ask.hold(held.class, &*held.why);
            }
        }
    }

    /// Edits by file.
    pub(super) fn by_file(edits: &BTreeSet<Placed>) -> BTreeMap<FileId, Vec<Edit>> {
        let mut files: BTreeMap<FileId, Vec<Edit>> = BTreeMap::new();
        for edit in edits {
            files.entry(edit.file).or_default().push(edit.edit());
        }
        files
    }
}
