//! What an entry of YAML says of a node or a source's table besides its name and those of its columns.

use super::project::{Said, SaidKind};
use super::yaml::{Scalar, Yaml};

/// Keys of a configuration whose values are names of columns.
const KEYS: [&str; 4] = ["unique_key", "cluster_by", "partition_by", "merge_update_columns"];

/// Descriptions, and the names of columns that stand in keys and constraints.
pub(super) fn said_of(entry: &Yaml) -> Vec<Said> {
    let columns = || entry.get("columns").map(Yaml::items).unwrap_or_default().iter();
    let words = [entry].into_iter().chain(columns()).filter_map(|at| at.text("description"));
    let constraints = entry.get("constraints").map(Yaml::items).unwrap_or_default().iter();
    let constrained = constraints.filter_map(|constraint| constraint.get("columns"));
    let configured = entry.get("config").into_iter().flat_map(|config| KEYS.iter().filter_map(|key| config.get(key)));
    // Where a partition is more than a name, its column is its `field`.
    let named = constrained.chain(configured).flat_map(|value| value.get("field").unwrap_or(value).texts());
    let said = |kind: SaidKind| move |scalar: &Scalar| Said { kind, text: scalar.text.clone() };
    words.map(said(SaidKind::Words)).chain(named.map(said(SaidKind::Column))).collect()
}
