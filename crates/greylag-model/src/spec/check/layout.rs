//! Layout: formats and their options, partitions, paths.

use super::{Report, items, text};
use crate::code::spec as code;
use crate::yaml::{Kind, Node};

pub(super) fn check(report: &mut Report<'_>, layout: &Node) {
    let format = text(layout, "format");
    if let (Some(format @ ("parquet" | "json" | "avro")), Some(csv)) = (format, layout.entry("csv")) {
        let message = format!("`csv` is given, but the format is `{format}`");
        report.error_at_key(csv, code::COMBINATION, message, "remove `csv`, or write `format: csv`");
    }
    if let (Some(format @ ("csv" | "json")), Some(compression)) = (format, layout.entry("compression")) {
        let message = format!("`compression` is given, but the format is `{format}`, which has none");
        report.error_at_key(
            compression,
            code::COMBINATION,
            message,
            "remove `compression`, or write `format: parquet`",
        );
    }
    let partitions = items(layout, "partitionBy");
    if let (Some("file"), Some(entry), false) =
        (text(layout, "shape"), layout.entry("partitionBy"), partitions.is_empty())
    {
        let message = "one file cannot have partitions";
        report.error_at_key(entry, code::COMBINATION, message, "write `shape: directory`, or remove `partitionBy`");
    }
    report.once(partitions, code::COLUMN_TWICE, "the partition column", "keep one of them");
    if let Some(csv) = layout.get("csv") {
        dialect(report, csv);
    }
}

fn dialect(report: &mut Report<'_>, csv: &Node) {
    for key in ["delimiter", "quote", "escape"] {
        let Some((node, value)) = csv.get(key).and_then(|node| Some((node, node.as_str()?))) else { continue };
        let bad = |letter: char| !letter.is_ascii() || matches!(letter, '\n' | '\r' | '\0');
        if value.chars().any(bad) {
            let message = format!("`{key}` cannot be `{}`", value.escape_debug());
            report.error(
                node,
                code::CSV_DIALECT,
                message,
                "use one ASCII character that is not a line break: `\",\"`, `\"\\t\"`",
            );
        }
    }
    let delimiter = text(csv, "delimiter").unwrap_or(",");
    let quote = text(csv, "quote").unwrap_or("\"");
    if let (true, Some(node)) = (delimiter == quote, csv.get("quote").or_else(|| csv.get("delimiter"))) {
        let message = format!("`{quote}` cannot be both the delimiter and the quote");
        report.error(node, code::CSV_DIALECT, message, "choose another character for one of them");
    }
    if let Some(node) = csv.get("null").filter(|node| !matches!(node.kind, Kind::List(_) | Kind::Map(_))) {
        let value = report.places.scalar_text(node).unwrap_or_default();
        if value.contains(delimiter) || value.contains(['\n', '\r']) || (!quote.is_empty() && value.contains(quote)) {
            let message =
                format!("the null text `{}` holds a delimiter, a quote or a line break", value.escape_debug());
            report.error(node, code::CSV_DIALECT, message, "choose a text that can stand in a field without quotes");
        }
    }
}

/// A path as files give them: it says where, and stays below where it begins.
pub(super) fn path(report: &mut Report<'_>, node: &Node) {
    let Some(path) = node.as_str().filter(|path| !path.is_empty()) else { return };
    if path.contains(|letter: char| letter.is_control()) {
        let message = format!("the path `{}` holds a control character", path.escape_debug());
        report.error(node, code::LOCATION, message, "write a plain path with `/` between its parts");
    } else if path.starts_with("~/") || path.contains("://") {
        let message = format!("the path `{path}` is not one on a local file system");
        report.error(node, code::LOCATION, message, "write it out: `/home/me/lake`, or relative as `./lake`");
    } else if path.split('/').any(|part| part == "..") && !is_root(report, node) {
        let message = format!("the location `{path}` leaves the root of its connection");
        report.error(node, code::LOCATION, message, "remove the `..`");
    }
}

/// The root of a connection may lie beside the file; a location may not leave its root.
fn is_root(report: &Report<'_>, node: &Node) -> bool {
    report.places.node("/spec/root").is_some_and(|root| std::ptr::eq(root, node))
}
