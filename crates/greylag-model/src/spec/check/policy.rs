//! Policies of the whole migration: durations, retry, how far it goes.

use super::{Report, text};
use crate::code::spec as code;
use crate::yaml::Node;

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
    if let Some(retry) = spec.get("retry") {
        check_retry(report, retry);
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
