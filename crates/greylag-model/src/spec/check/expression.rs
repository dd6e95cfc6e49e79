//! Expressions and types: whether they can be read, and where in the YAML text they cannot.

use super::Report;
use crate::yaml::Node;

/// An expression must be readable; whether its columns exist is for the plan to say.
pub(super) fn check(report: &mut Report<'_>, node: &Node) {
    let _ = (report, node);
}

/// A default must have no columns.
pub(super) fn check_constant(report: &mut Report<'_>, node: &Node) {
    let _ = (report, node);
}

/// A type must be readable.
pub(super) fn check_type(report: &mut Report<'_>, node: &Node) {
    let _ = (report, node);
}
