//! Descriptor files: several YAML documents, each an entity.
//!
//! Every document is checked on its own and completely: all that is wrong with it is told, and one bad document neither
//! hides nor stops the others. Documents of Greylag's own (`greylag.dev/...`) may stand in the same file and are passed
//! over.

mod check;

use super::{Entity, EntityRef};
use crate::diagnostic::{Diagnostic, Place};
use crate::yaml::{self, Features, Limits};

/// Most bytes of a descriptor file.
pub const MAX_BYTES: usize = 1 << 20;

/// What a file holds.
#[derive(Clone, Debug, Default)]
pub struct Descriptors {
    /// The entities that could be read, in the order of the file.
    pub entities: Vec<Descriptor>,
    /// All that is wrong.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether every document could be read; if not, entities may be missing from `entities` that the file does define.
    pub complete: bool,
}

/// One entity and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Descriptor {
    /// It, as written.
    pub entity: Entity,
    /// What others call it.
    pub reference: EntityRef,
    /// Where its name stands.
    pub place: Place,
    /// Every reference to another entity.
    pub mentions: Vec<Mention>,
    /// Targets of a `Location`, each with its place.
    pub targets: Vec<(String, Place)>,
}

/// A reference to another entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// The field, e.g. `spec.owner`.
    pub field: String,
    /// To whom.
    pub to: EntityRef,
    /// Where it stands.
    pub place: Place,
}

/// Reads a file's bytes; `file` is its name in messages. Anchors and aliases are followed within the budget.
pub fn read(file: &str, bytes: &[u8]) -> Descriptors {
    let limits = Limits { bytes: MAX_BYTES, depth: 64, nodes: 200_000, features: Features::Full };
    let stream = yaml::read_bytes(file, bytes, &limits);
    let mut read = Descriptors { complete: stream.diagnostics.is_empty(), ..Descriptors::default() };
    for document in &stream.documents {
        let mut checker = check::Checker::new(&document.places);
        let descriptor = checker.document();
        let whole = document.sound && checker.sound();
        read.diagnostics.append(&mut checker.diagnostics);
        match descriptor {
            Some(descriptor) if whole => read.entities.push(descriptor),
            _ => read.complete &= whole,
        }
    }
    read.diagnostics.extend(stream.diagnostics);
    read.diagnostics.sort_by(|a, b| a.place.cmp(&b.place));
    read
}

#[cfg(test)]
mod tests;
