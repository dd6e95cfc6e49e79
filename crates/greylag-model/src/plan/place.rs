//! Places that a later step would refuse: names that no file can have, and files that no compatibility view reads.
//!
//! What only a step would find out has cost all the work before it; so what the plan alone can tell, it tells.

use crate::code;
use crate::dataset::{Layout, Location};
use crate::diagnostic::Diagnostic;
use crate::mapping::Mapping;
use crate::snapshot::{Observed, TargetPlace};
use crate::task::Phase;
use crate::view::{ViewRequest, check};
use std::collections::BTreeMap;

/// Longest file name that the usual file systems take, in bytes.
const NAME_MAX: usize = 255;
/// What the view's file is called more than the old dataset.
const VIEW: &str = ".sql";

/// Why the target cannot stand where it is to stand, or its view beside the source.
pub(super) fn refusals(
    source: &Observed,
    target: &TargetPlace,
    layout: &Layout,
    mapping: &Mapping,
    connections: &BTreeMap<String, String>,
    through: Phase,
) -> Vec<Diagnostic> {
    let mut refusals = Vec::new();
    for name in target.location.path.split('/').filter(|name| name.len() > NAME_MAX) {
        let message = format!("`{}…` has {} bytes, and a file's name at most {NAME_MAX}", start(name), name.len());
        refusals.push(
            Diagnostic::error(code::plan::NAME_TOO_LONG, message).hint("give the new dataset a shorter `location`"),
        );
    }
    if through < Phase::Cutover {
        return refusals;
    }
    let old = source.dataset.location.path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    if old.len() + VIEW.len() > NAME_MAX {
        let message = format!(
            "the compatibility view of `{}…` would have a name of {} bytes, at most {NAME_MAX} are possible",
            start(old),
            old.len() + VIEW.len()
        );
        refusals.push(
            Diagnostic::error(code::plan::NAME_TOO_LONG, message)
                .hint("stop at `through: publish`, or rename the old dataset first"),
        );
    }
    let view = ViewRequest {
        name: &source.dataset.entity.name,
        mapping,
        source: &source.layout,
        layout,
        path: &absolute(&target.location, connections),
    };
    if let Err(refusal) = check(view) {
        refusals.push(refusal.hint("or stop at `through: publish`, which needs no view"));
    }
    refusals
}

/// As the data plane will give it to the view.
fn absolute(location: &Location, connections: &BTreeMap<String, String>) -> String {
    let root = location.connection.as_ref().and_then(|name| connections.get(name));
    let path = location.path.trim_end_matches('/');
    root.map_or_else(|| path.to_owned(), |root| format!("{}/{path}", root.trim_end_matches('/')))
}

fn start(name: &str) -> String {
    name.chars().take(40).collect()
}
