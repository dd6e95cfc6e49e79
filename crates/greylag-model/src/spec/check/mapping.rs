//! Mapping: one rule for each target column, one fate for each source column, policies that have an effect.

use super::{Report, expression, items, text};
use crate::code::spec as code;
use crate::yaml::Node;
use std::collections::HashMap;

pub(super) fn check(report: &mut Report<'_>, mapping: &Node) {
    let columns = items(mapping, "columns");
    let splits = items(mapping, "split");
    let merges = items(mapping, "merge");
    let drops = items(mapping, "drop");
    let reverses = items(mapping, "reverse");

    let names = columns.iter().filter_map(|column| column.get("name"));
    let parts = splits.iter().flat_map(|split| items(split, "into"));
    let wholes = merges.iter().filter_map(|merge| merge.get("into"));
    report.once(names.chain(parts).chain(wholes), code::COLUMN_TWICE, "the target column", "keep one of them");
    let dropped = drops.iter().filter_map(|drop| drop.get("name"));
    report.once(dropped, code::COLUMN_TWICE, "the dropped column", "keep one of them");
    let reversed = reverses.iter().filter_map(|reverse| reverse.get("name"));
    report.once(reversed, code::COLUMN_TWICE, "the way back of", "keep one of them");

    sources(report, columns, splits, merges, drops);
    for column in columns {
        check_column(report, column);
    }
    for drop in drops {
        judgement(report, drop);
    }
    for merge in merges {
        report.once(items(merge, "from"), code::COLUMN_TWICE, "the merged column", "keep one of them");
    }
    for reverse in reverses {
        check_reverse(report, reverse);
    }
}

/// A source column is carried on by one target column at most, and not dropped as well.
fn sources(report: &mut Report<'_>, columns: &[Node], splits: &[Node], merges: &[Node], drops: &[Node]) {
    let mut used: HashMap<&str, (&Node, &str)> = HashMap::new();
    for (column, node) in columns.iter().filter_map(|column| Some((column, column.get("from")?))) {
        let Some(from) = node.as_str() else { continue };
        if let Some((first, _)) = used.get(from) {
            let name = text(column, "name").unwrap_or_default();
            let message = format!("`{from}` is carried on by two target columns");
            let hint = format!(
                "the other one is in {}; a copy is an expression: `{{name: {name}, expr: {from}}}`",
                report.line(first)
            );
            report.error(node, code::SOURCE_COLUMN, message, hint);
        } else {
            used.insert(from, (node, "carried on"));
        }
    }
    let split = splits.iter().filter_map(|split| Some((split.get("from")?, "split")));
    let merged = merges.iter().flat_map(|merge| items(merge, "from")).map(|node| (node, "merged"));
    for (node, fate) in split.chain(merged) {
        if let Some(from) = node.as_str() {
            used.entry(from).or_insert((node, fate));
        }
    }
    for node in drops.iter().filter_map(|drop| drop.get("name")) {
        if let Some((other, fate)) = node.as_str().and_then(|name| used.get(name)) {
            let message = format!("`{}` is dropped and {fate} as well", node.as_str().unwrap_or_default());
            let hint = match *fate {
                "carried on" => format!("see {}: keep one of the two", report.line(other)),
                _ => format!("see {}: a column that is {fate} ends without being dropped", report.line(other)),
            };
            report.error(node, code::SOURCE_COLUMN, message, hint);
        }
    }
}

fn check_column(report: &mut Report<'_>, column: &Node) {
    if let Some(node) = column.get("expr") {
        expression::check(report, node);
    }
    if let Some(node) = column.get("default") {
        expression::check_default(report, node);
    }
    if let Some(node) = column.get("type") {
        expression::check_type(report, node);
    }
    if let (Some(loss), None) = (column.entry("loss"), column.get("type")) {
        let message = "`loss` says what a cast does, but there is no `type`";
        report.error_at_key(loss, code::COMBINATION, message, "add the `type`, or remove `loss`");
    }
    if let Some(entry) = column.entry("tolerance") {
        report.tolerance(entry);
    }
    judgement(report, column);
}

fn judgement(report: &mut Report<'_>, node: &Node) {
    if let Some(guide) = node.get("judgement").and_then(|judgement| judgement.get("guide")) {
        report.link(guide);
    }
}

fn check_reverse(report: &mut Report<'_>, reverse: &Node) {
    match (reverse.get("expr"), reverse.entry("lost")) {
        (Some(expr), None) => expression::check(report, expr),
        (Some(_), Some(lost)) => {
            let message = "a column that has a way back is not lost";
            report.error_at_key(lost, code::ONE_KEY, message, "keep either `expr` or `lost`");
        }
        (None, Some(_)) => {}
        (None, None) => {
            let name = text(reverse, "name").unwrap_or("NAME");
            let message = format!("the way back of `{name}` says neither `expr` nor `lost`");
            report.error(reverse, code::ONE_KEY, message, "add `expr: …` over target columns, or `lost: WHY`");
        }
    }
}
