//! YAML with places: text in, a tree in which every key and value knows its bytes, and all that is wrong.
//!
//! Read by migration files, connections and catalog descriptors, so it trusts nothing. [`Limits`] bound the text, the
//! depth and the number of nodes, *including* what aliases expand to, so that neither a bomb nor a mistake can hang or
//! exhaust the process: work and memory are linear in the limits. Scalars are those of YAML 1.2's core schema; keys are
//! unique text.
//!
//! One malformed document does not hide the others: after an error the reader goes on at the next line that begins
//! with `---`, which ends a document wherever it stands. A document with an error is left out of [`Stream::documents`]
//! if its structure is lost (syntax, limits) and kept if only a part of it is (a duplicate key, a number that cannot be
//! kept): later checks then still report on the rest of it, and callers go by [`Document::sound`].

mod build;
mod node;
mod place;
mod scalar;
mod source;
mod syntax;

pub use node::{Entry, Kind, Node, Style};
pub use place::Places;
pub use source::Source;

use crate::diagnostic::Diagnostic;
use std::sync::Arc;

/// How much a text may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of text; also of the text that aliases repeat.
    pub bytes: usize,
    /// Collections inside each other; at most 128 whatever is asked for, so that recursion over the tree is safe.
    pub depth: usize,
    /// Keys and values, those that aliases repeat included.
    pub nodes: usize,
    /// Whether anchors, aliases, tags and merge keys are read or refused.
    pub features: Features,
}

/// Parts of YAML that make a file mean something else than it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Features {
    /// Anchors, aliases, tags and merge keys are errors.
    Plain,
    /// Aliases and merge keys are expanded and core tags followed, within the limits.
    Full,
}

impl Default for Limits {
    /// 1 MiB, 64 levels, 100,000 nodes, plain.
    fn default() -> Self {
        Self { bytes: 1 << 20, depth: 64, nodes: 100_000, features: Features::Plain }
    }
}

/// All documents of a text and all that is wrong with it.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Documents whose structure could be read, in order; empty ones are left out.
    pub documents: Vec<Document>,
    /// Everything that is wrong, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
}

/// One document.
#[derive(Clone, Debug)]
pub struct Document {
    /// The tree with its places.
    pub places: Places,
    /// Whether nothing in it was wrong.
    pub sound: bool,
}

impl Document {
    /// The root of the tree.
    pub fn root(&self) -> &Node {
        self.places.root()
    }
}

/// Reads a text.
pub fn read(file: &str, text: &str, limits: &Limits) -> Stream {
    build::stream(&Arc::new(Source::new(file, text)), limits)
}

/// Reads bytes, which must be UTF-8.
pub fn read_bytes(file: &str, bytes: &[u8], limits: &Limits) -> Stream {
    match Source::decode(file, bytes) {
        Ok(source) => build::stream(&Arc::new(source), limits),
        Err(diagnostic) => Stream { documents: Vec::new(), diagnostics: vec![diagnostic] },
    }
}
