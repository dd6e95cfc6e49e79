//! The closed set of functions and operators, one case each.

use serde::{Deserialize, Serialize};

/// A function or operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    /// `a || b`.
    Concat,
}
