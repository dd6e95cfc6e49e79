//! Columns of a mapping that hang together.
//!
//! Rows are drawn part by part: a part is a set of old columns that no new column and no way back mixes with others. So a value
//! that one part's conversion does not carry costs a draw of that part and not of the whole row, and a
//! row made of parts that each survive the round trip survives it.

use greylag_model::consumer::{Fate, TableChange};
use greylag_model::mapping::Mapping;

/// A set of columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::proof) struct Part {
    /// Old columns.
    pub(in crate::proof) old: Vec<usize>,
    /// The new columns that are made of them.
    pub(in crate::proof) new: Vec<usize>,
}

/// The parts of a mapping, in the order of their first old columns; new columns that are made of none are a part of their own.
pub(in crate::proof) fn parts(mapping: &Mapping, change: &TableChange) -> Vec<Part> {
    let mut groups = Groups { parent: (0..mapping.source.columns.len()).collect() };
    let old_of = |names: &[&str]| -> Vec<usize> {
        names.iter().filter_map(|name| mapping.source.find(name).map(|(at, _)| at)).collect()
    };
    let made: Vec<Vec<usize>> = mapping.columns.iter().map(|column| old_of(&column.expr.columns())).collect();
    for columns in &made {
        groups.join(columns);
    }
    for (at, column) in change.columns.iter().enumerate() {
        let read: Vec<&str> = match &column.fate {
            Fate::Same(name) => vec![name],
            Fate::Computed(expr) | Fate::Replaced { value: expr, .. } => expr.columns(),
            Fate::Lost(_) => Vec::new(),
        };
        for name in read {
            let sources = mapping.columns.iter().position(|column| column.target == name).map(|new| &made[new]);
            groups.join(&sources.into_iter().flatten().copied().chain([at]).collect::<Vec<_>>());
        }
    }
    let mut parts: Vec<(usize, Part)> = Vec::new();
    for old in 0..mapping.source.columns.len() {
        let root = groups.root(old);
        match parts.iter_mut().find(|(known, _)| *known == root) {
            Some((_, part)) => part.old.push(old),
            None => parts.push((root, Part { old: vec![old], new: Vec::new() })),
        }
    }
    let mut alone = Part::default();
    for (new, sources) in made.iter().enumerate() {
        let root = sources.first().map(|old| groups.root(*old));
        match parts.iter_mut().find(|(known, _)| Some(*known) == root) {
            Some((_, part)) => part.new.push(new),
            None => alone.new.push(new),
        }
    }
    let parts = parts.into_iter().map(|(_, part)| part);
    parts.chain((!alone.new.is_empty()).then_some(alone)).collect()
}

struct Groups {
    parent: Vec<usize>,
}

impl Groups {
    fn root(&self, mut of: usize) -> usize {
        while self.parent[of] != of {
            of = self.parent[of];
        }
        of
    }

    fn join(&mut self, all: &[usize]) {
        let Some(first) = all.first().map(|first| self.root(*first)) else { return };
        for other in all {
            let root = self.root(*other);
            self.parent[root] = first;
        }
    }
}
