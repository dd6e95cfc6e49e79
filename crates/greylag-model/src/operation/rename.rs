//! Rename: another name, the same values. The way back is the very value; readers break on the name.

/// What readers meet.
pub(crate) fn breaks(from: &str, to: &str) -> String {
    format!("column `{from}` is renamed to `{to}`")
}

/// Subject of the plan's line: `uid → user_id`, or the name alone where it stays.
pub(crate) fn subject(from: &str, to: &str) -> String {
    if from == to { to.to_owned() } else { format!("{from} → {to}") }
}
