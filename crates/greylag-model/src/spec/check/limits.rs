//! Limits: names that are given twice, times that are none.

use super::{Report, entries, items, text};
use crate::code::spec as code;
use crate::limit::EACH;
use crate::yaml::Node;

pub(super) fn check(report: &mut Report<'_>, spec: &Node) {
    let (stores, owners) = (items(spec, "stores"), items(spec, "owners"));
    let names = |nodes: &'_ [Node], key: &'static str| {
        nodes.iter().filter_map(|node| node.get(key)).cloned().collect::<Vec<_>>()
    };
    let (connections, references) = (names(stores, "connection"), names(owners, "owner"));
    report.once(&connections, code::NAME_TWICE, "the connection", "write all that bounds it in one entry");
    report.once(&references, code::NAME_TWICE, "the owner", "write all that bounds it in one entry");
    for owner in owners {
        if let Some(node) = owner.get("owner").filter(|_| text(owner, "owner") != Some(EACH)) {
            report.owner(node);
        }
    }
    for limit in spec.get("all").into_iter().chain(stores).chain(owners) {
        if let Some(per) = limit.get("starts").and_then(|starts| starts.get("per")) {
            report.duration(per, false);
        }
        let bounds = entries(limit).iter().any(|entry| ["concurrency", "starts"].contains(&&*entry.key));
        if !bounds && !entries(limit).is_empty() {
            report.error(limit, code::BAD_LIMIT, "it limits nothing", "give it `concurrency` or `starts`");
        }
    }
}
