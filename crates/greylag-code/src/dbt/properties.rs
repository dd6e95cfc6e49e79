//! What YAML says of nodes: their entries are found by name, versions make several nodes of one entry, and snapshots can be
//! written in YAML alone.

use super::load::{Draft, Entry, Loaded};
use super::project::NodeKind;
use super::yaml::{Scalar, Yaml};
use greylag_syntax::jinja::ast::{Node, Template};
use greylag_syntax::jinja::parse_expression;
use greylag_syntax::trace::Traced;
use std::collections::HashMap;
use std::sync::Arc;

/// Gives drafts their entries.
pub(super) fn attach(loaded: &mut Loaded) {
    let mut by_name: HashMap<(usize, NodeKind, String), Vec<usize>> = HashMap::new();
    for (index, draft) in loaded.drafts.iter().enumerate() {
        by_name.entry((draft.package, kind_of(draft.kind), draft.name.clone())).or_default().push(index);
    }
    let entries = std::mem::take(&mut loaded.entries);
    for entry in &entries {
        let kind = match &*entry.section {
            "models" => NodeKind::Model,
            "seeds" => NodeKind::Seed,
            "snapshots" => NodeKind::Snapshot,
            "analyses" => NodeKind::Analysis,
            "data_tests" | "tests" => NodeKind::Test,
            _ => continue,
        };
        let Some(name) = entry.yaml.text("name") else { continue };
        let versions = entry.yaml.get("versions").map(Yaml::items).unwrap_or_default();
        let all = |name: &str| by_name.get(&(entry.package, kind, name.to_owned())).map_or(&[][..], Vec::as_slice);
        let find = |name: &str| all(name).last().copied();
        if versions.is_empty() {
            // Of several nodes of one name all but one are switched off, and the entry is that of whichever is not.
            for index in all(name.as_str()) {
                if let Some(draft) = loaded.drafts.get_mut(*index) {
                    draft.name_at.extend(name.inner());
                    draft.properties.push(entry.yaml.clone());
                }
            }
            if !all(name.as_str()).is_empty() {
                continue;
            }
            if let Some(draft) = snapshot_of(loaded, entry, name) {
                loaded.drafts.push(draft);
            }
            continue;
        }
        let latest = latest(&entry.yaml, versions);
        for version in versions {
            let Some(number) = version.text("v") else { continue };
            let defined = version.text("defined_in").map(|file| file.as_str().to_owned());
            let file = defined.unwrap_or_else(|| format!("{}_v{}", name.as_str(), number.as_str()));
            let is_latest = latest.as_deref() == Some(number.as_str());
            let found = find(&file).or_else(|| find(name.as_str()).filter(|_| is_latest));
            if let Some(draft) = found.and_then(|index| loaded.drafts.get_mut(index)) {
                version_of(draft, name.as_str(), number.as_str(), is_latest);
                draft.name_at.extend(name.inner());
                draft.properties.extend([version.clone(), entry.yaml.clone()]);
            }
        }
    }
    loaded.entries = entries;
}

/// A snapshot that stands in YAML alone: all of the relation that it names.
fn snapshot_of(loaded: &Loaded, entry: &Entry, name: &Scalar) -> Option<Draft> {
    let relation = entry.yaml.text("relation").filter(|_| entry.section == "snapshots")?;
    let at = relation.inner()?;
    let select = Node::Data(Arc::new(Traced::generated("select * from ")));
    let template = parse_expression(at.file, loaded.files.text(at.file), at.range())
        .map(|expr| Arc::new(Template { at, body: vec![select, Node::Print(expr)] }));
    let package = loaded.packages.get(entry.package)?.public.name.clone();
    Some(Draft {
        kind: NodeKind::Snapshot,
        package: entry.package,
        name: name.as_str().to_owned(),
        name_at: name.inner().into_iter().collect(),
        version: None,
        latest: true,
        file: at.file,
        at,
        fqn: vec![package, name.as_str().to_owned()],
        template: Some(template),
        block: None,
        properties: vec![entry.yaml.clone()],
    })
}

fn kind_of(kind: NodeKind) -> NodeKind {
    if kind == NodeKind::PythonModel { NodeKind::Model } else { kind }
}

fn version_of(draft: &mut Draft, name: &str, version: &str, latest: bool) {
    name.clone_into(&mut draft.name);
    if let Some(last) = draft.fqn.last_mut() {
        name.clone_into(last);
    }
    draft.fqn.push(format!("v{version}"));
    draft.version = Some(version.to_owned());
    draft.latest = latest;
}

/// The version that is said to be the latest, else the greatest.
fn latest(entry: &Yaml, versions: &[Yaml]) -> Option<String> {
    if let Some(latest) = entry.text("latest_version") {
        return Some(latest.as_str().to_owned());
    }
    let numbers = versions.iter().filter_map(|version| version.text("v")).map(|number| number.as_str().to_owned());
    numbers.max_by(|one, two| match (one.parse::<f64>(), two.parse::<f64>()) {
        (Ok(one), Ok(two)) => one.total_cmp(&two),
        _ => one.cmp(two),
    })
}
