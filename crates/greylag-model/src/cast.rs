//! The type matrix: which type converts to which, and what it may lose.

use crate::types::DataType;

/// What a conversion may do to values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conversion {
    /// Every value of the source type has an equal in the target type, and the way back is exact.
    Exact,
    /// Some values lose something (fractions, sub-units, digits) or do not fit.
    Lossy {
        /// Whether `loss: truncate|round|fail` must be given (precision can be lost on values that are in range).
        needs_loss: bool,
        /// Whether values can be out of range or malformed (`misfit` applies).
        may_misfit: bool,
    },
    /// There is no meaning to it.
    Unsupported {
        /// Why, for people.
        reason: &'static str,
    },
}

/// What converting `from` to `to` may do.
pub fn conversion(from: &DataType, to: &DataType) -> Conversion {
    if from == to {
        return Conversion::Exact;
    }
    Conversion::Unsupported { reason: "not in the matrix" }
}
