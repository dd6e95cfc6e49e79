//! What a diff counts.

use serde::{Deserialize, Serialize};

/// All rows, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Rows on the left.
    pub left: u64,
    /// Rows on the right.
    pub right: u64,
    /// Rows that are equal on both sides.
    pub same: u64,
    /// Rows whose key is on both sides, with other values.
    pub changed: u64,
    /// Rows that only the left side has.
    pub removed: u64,
    /// Rows that only the right side has.
    pub added: u64,
    /// Keys (or whole rows) that `changed`, `removed` and `added` are about.
    pub keys_differing: u64,
    /// Rows on the left whose key an earlier one has.
    pub repeated_left: u64,
    /// Rows on the right whose key an earlier one has.
    pub repeated_right: u64,
    /// Rows on the left that the mapping rejected, which is not a difference.
    pub rejected: u64,
}

impl Counts {
    /// Rows that differ: changed, and on one side only.
    pub fn differing(&self) -> u64 {
        self.changed + self.removed + self.added
    }

    /// Adds those of other keys.
    pub fn add(&mut self, more: &Self) {
        self.left += more.left;
        self.right += more.right;
        self.same += more.same;
        self.changed += more.changed;
        self.removed += more.removed;
        self.added += more.added;
        self.keys_differing += more.keys_differing;
        self.repeated_left += more.repeated_left;
        self.repeated_right += more.repeated_right;
        self.rejected += more.rejected;
    }
}
