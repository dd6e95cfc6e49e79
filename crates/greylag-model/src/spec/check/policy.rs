//! Policies of the whole migration: durations, retry, how far it goes.

use super::{Report, text};
use crate::cast::calendar;
use crate::code::spec as code;
use crate::spec::consumers::{DAY_HINT, folder};
use crate::yaml::Node;
use std::collections::HashSet;

pub(super) fn check(report: &mut Report<'_>, spec: &Node) {
    if let Some(timeout) = spec.get("timeout") {
        report.duration(timeout, false);
    }
    if let Some(entry) = spec.entry("retention") {
        report.duration(&entry.value, true);
        if text(spec, "through") != Some("drop") {
            let last = text(spec, "through").unwrap_or("cutover");
            let message = format!("`retention` is given, but the migration ends with `{last}` and drops nothing");
            report.error_at_key(entry, code::COMBINATION, message, "write `through: drop`, or remove `retention`");
        }
    }
    if let Some(until) = spec.get("consumers").and_then(|consumers| consumers.get("until")) {
        check_day(report, until);
    }
    if let Some(retry) = spec.get("retry") {
        check_retry(report, retry);
    }
    if let Some(scopes) = spec.get("consumers").and_then(|consumers| consumers.get("scopes")) {
        check_scopes(report, scopes);
    }
}

/// Folders are there where a repository is cut by them, and nowhere else.
fn check_scopes(report: &mut Report<'_>, scopes: &Node) {
    let by = text(scopes, "by").unwrap_or("repository");
    let paths = super::items(scopes, "paths");
    match scopes.entry("paths") {
        Some(entry) if by != "path" => {
            let message = format!("`paths` is given, but repositories are cut by `{by}`");
            report.error_at_key(entry, code::COMBINATION, message, "write `by: path`, or remove `paths`");
        }
        _ if by == "path" && paths.is_empty() => {
            let message = "repositories are cut by path, and no folder is named";
            report.error(scopes, code::COMBINATION, message, "list folders: `paths: [models/finance, jobs]`");
        }
        _ => {}
    }
    let mut seen = HashSet::new();
    for node in paths {
        let Some(path) = node.as_str() else { continue };
        let folder = folder(path);
        let odd = |part: &str| matches!(part, "" | "." | "..") || part.contains(|letter: char| letter.is_control());
        if folder.split('/').any(odd) {
            let message = format!("`{}` is no folder of a repository", path.escape_debug());
            report.error(node, code::LOCATION, message, "write it from the root of the repository: `models/finance`");
        } else if !seen.insert(folder) {
            let message = format!("the folder `{folder}` is given twice");
            report.error(node, code::NAME_TWICE, message, "keep one of them");
        }
    }
}

/// A day that the calendar has; the form is the schema's matter.
fn check_day(report: &mut Report<'_>, node: &Node) {
    let Some(text) = node.as_str() else { return };
    let parts: Option<Vec<i64>> = text.split('-').map(|part| part.parse().ok()).collect();
    let Some([year, month, day]) = parts.as_deref() else { return };
    let is_there = (1..=12).contains(month) && (1..=calendar::days_in_month(*year, *month)).contains(day);
    if !is_there {
        let message = format!("there is no day `{text}`");
        report.error(node, code::MALFORMED, message, DAY_HINT);
    }
}

fn check_retry(report: &mut Report<'_>, retry: &Node) {
    let first = retry.get("backoff").and_then(|node| report.duration(node, true));
    let longest = retry.get("maxBackoff").and_then(|node| Some((node, report.duration(node, true)?)));
    let first = first.unwrap_or(1_000);
    if let Some((node, longest)) = longest
        && longest < first
    {
        let message = format!("the longest wait is shorter than the first, {}", crate::spec::duration::text(first));
        report.error(node, code::COMBINATION, message, "raise `maxBackoff`, or lower `backoff`");
    }
    report.once(super::items(retry, "on"), code::NAME_TWICE, "the error class", "keep one of them");
}
