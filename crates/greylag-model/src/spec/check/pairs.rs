//! Pairs: references, and what two pairs must not share.

use super::{Report, layout, text};
use crate::code::spec as code;
use crate::entity::EntityRef;
use crate::yaml::Node;
use std::collections::HashMap;

/// A reference and where it stands.
type Named<'a> = (EntityRef, &'a Node);

pub(super) fn check(report: &mut Report<'_>, spec: &Node, pairs: &[Node]) {
    let mut sources: Vec<Named<'_>> = Vec::with_capacity(pairs.len());
    let mut targets: Vec<Named<'_>> = Vec::with_capacity(pairs.len());
    for pair in pairs {
        let source = dataset(report, pair, "from");
        let target = dataset(report, pair, "to");
        if let (Some((source, _)), Some((target, node))) = (&source, &target)
            && source == target
        {
            let message = format!("`{}` is both the old and the new dataset", target.short());
            report.error(
                node,
                code::SAME_DATASET,
                message,
                "give the new one another name, e.g. with `_v2` at its end",
            );
            continue;
        }
        sources.extend(source);
        targets.extend(target);
        if let Some(location) = pair.get("location") {
            layout::path(report, location);
        }
    }
    targets_once(report, &targets);
    chains(report, &sources, &targets);
    if !matches!(text(spec, "through"), Some("publish")) {
        sources_once(report, &sources);
    }
    locations_apart(report, pairs);
}

fn dataset<'a>(report: &mut Report<'_>, pair: &'a Node, key: &str) -> Option<Named<'a>> {
    let node = pair.get(key)?;
    let text = node.as_str().filter(|text| !text.is_empty())?;
    report.dataset(node, text).map(|reference| (reference, node))
}

fn targets_once(report: &mut Report<'_>, targets: &[Named<'_>]) {
    let mut seen: HashMap<&EntityRef, &Node> = HashMap::with_capacity(targets.len());
    for (target, node) in targets {
        if let Some(first) = seen.get(target) {
            let message = format!("`{}` is the new dataset of two pairs", target.short());
            let hint = format!("the other one is in {}: give each pair a target of its own", report.line(first));
            report.error(node, code::TARGET_TWICE, message, hint);
        } else {
            seen.insert(target, node);
        }
    }
}

/// After cutover the old name can stand for one new dataset only.
fn sources_once(report: &mut Report<'_>, sources: &[Named<'_>]) {
    let mut seen: HashMap<&EntityRef, &Node> = HashMap::with_capacity(sources.len());
    for (source, node) in sources {
        if let Some(first) = seen.get(source) {
            let message =
                format!("`{}` is the old dataset of two pairs, and its name can pass to one only", source.short());
            let hint =
                format!("the other one is in {}: remove one, or end with `through: publish`", report.line(first));
            report.error(node, code::SOURCE_TWICE, message, hint);
        } else {
            seen.insert(source, node);
        }
    }
}

fn chains(report: &mut Report<'_>, sources: &[Named<'_>], targets: &[Named<'_>]) {
    let made: HashMap<&EntityRef, &Node> = targets.iter().map(|(target, node)| (target, *node)).collect();
    for (source, node) in sources {
        if let Some(target) = made.get(source) {
            let message = format!("`{}` is made by this migration and cannot be migrated by it too", source.short());
            let hint =
                format!("it is the target in {}: put this pair into a migration of its own", report.line(target));
            report.error(node, code::CHAIN, message, hint);
        }
    }
}

/// Two targets must not lie at one place, nor one inside the other.
fn locations_apart(report: &mut Report<'_>, pairs: &[Node]) {
    let located = pairs.iter().filter_map(|pair| pair.get("location"));
    let mut paths: Vec<(Vec<&str>, &Node)> = located.filter_map(|node| Some((parts(node.as_str()?), node))).collect();
    // Stable: of two equal ones the first in the file comes first. A folder comes right before what it holds.
    paths.sort_by(|left, right| left.0.cmp(&right.0));
    let mut outer: Option<(&[&str], &Node)> = None;
    for (path, node) in &paths {
        match outer {
            Some((folder, holder)) if path.starts_with(folder) && !folder.is_empty() => {
                let relation =
                    if path.len() == folder.len() { "is that of another pair" } else { "lies inside another pair's" };
                let message = format!("the location `{}` {relation}", node.as_str().unwrap_or_default());
                let hint = format!("the other one is in {}: keep them apart", report.line(holder));
                report.error(node, code::LOCATION, message, hint);
            }
            _ => outer = Some((path, node)),
        }
    }
}

fn parts(path: &str) -> Vec<&str> {
    let parts = path.split('/').enumerate();
    // The empty part before a leading slash tells absolute paths from relative ones.
    parts.filter(|(index, part)| *part != "." && (!part.is_empty() || *index == 0)).map(|(_, part)| part).collect()
}
