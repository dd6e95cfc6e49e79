//! `diff` of a check: what it is compared with, and columns that are named for two purposes.

use super::{Report, entries, items};
use crate::code::spec as code;
use crate::spec::With;
use crate::yaml::Node;

pub(super) fn check(report: &mut Report<'_>, diff: &Node) {
    if let Some(node) = diff.get("with") {
        with(report, node);
    }
    report.once(items(diff, "key"), code::COLUMN_TWICE, "the column", "keep one of them");
    report.once(items(diff, "ignore"), code::COLUMN_TWICE, "the column", "keep one of them");
    for column in items(diff, "ignore") {
        let first = items(diff, "key").iter().find(|key| key.as_str().is_some() && key.as_str() == column.as_str());
        if let (Some(first), Some(name)) = (first, column.as_str()) {
            let message = format!("`{name}` is both part of the key and to be left out");
            let hint = format!("it is part of the key in {}: keep one of the two", report.line(first));
            report.error(column, code::COMBINATION, message, hint);
        }
    }
    tolerances(report, diff);
}

fn with(report: &mut Report<'_>, node: &Node) {
    let Some(text) = node.as_str() else { return };
    if let With::Dataset(name) = With::of(Some(text)) {
        report.dataset(node, name);
    }
}

fn tolerances(report: &mut Report<'_>, diff: &Node) {
    let single = diff.get("tolerances").map(entries).unwrap_or_default();
    let all = diff.entry("tolerance");
    for entry in all.into_iter().chain(single) {
        report.tolerance(entry);
    }
    let keyed = diff.get("key").is_some_and(|_| !items(diff, "key").is_empty());
    if let Some(entry) = all.or(single.first()).filter(|_| !keyed) {
        let message = "a tolerance needs a key: without one, rows are told apart by their values";
        report.error_at_key(entry, code::COMBINATION, message, "add the `key`, e.g. `key: [id]`");
    }
}
