//! What is remembered of a text that was changed before it was parsed.

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
    /// Names of an item that has several: the first, which is in the tree, and those after it.
    pub(super) several: Vec<(u32, Vec<u32>)>,
}
