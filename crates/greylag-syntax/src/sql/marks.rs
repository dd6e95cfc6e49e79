//! What is remembered of a text that was changed before it was parsed.

use std::ops::Range;

use super::given::Given;

/// Where the tree means something else than it says. Every number is where a token begins in the whole text.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks {
    /// Relations that are given to functions and are not in the tree.
    pub(super) tables: Vec<u32>,
    /// Columns of the relation that is made, which are named by attributes and are not in the tree.
    pub(super) columns: Vec<u32>,
    /// Arrays that stand in the place of relations.
    pub(super) arrays: Vec<u32>,
    /// Whether a merge takes all columns of its source by their names.
    pub(super) all: bool,
    /// Names that are spelled otherwise in the tree.
    pub(super) respelled: Vec<u32>,
    /// Where a word is no column, since an expression binds it.
    pub(super) locals: Vec<(Range<u32>, Box<str>)>,
    /// Expressions that `with` names.
    pub(super) given: Vec<Given>,
    /// Before which tokens the parser is given an `as`.
    pub(super) named: Vec<u32>,
    /// Names of an item that has several: the first, which is in the tree, and those after it.
    pub(super) several: Vec<(u32, Vec<u32>)>,
}

impl Marks {
    /// What is remembered of a part of the text besides.
    pub(super) fn join(&mut self, other: Self) {
        self.tables.extend(other.tables);
        self.columns.extend(other.columns);
        self.arrays.extend(other.arrays);
        self.all |= other.all;
        self.respelled.extend(other.respelled);
        self.locals.extend(other.locals);
        self.given.extend(other.given);
        self.named.extend(other.named);
        self.several.extend(other.several);
    }
}
