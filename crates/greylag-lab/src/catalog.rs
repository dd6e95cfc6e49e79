//! Descriptors as Backstage has them, and what a catalog must make of them.

use crate::design::{Design, Estate, PER_SYSTEM, System, names};
use crate::draws::Draws;
use crate::hostile::Hostile;
use crate::layout::{Dialect, Format};
use crate::names::{ODD_COLUMNS, PEOPLE};
use crate::repository::table_name;
use crate::truth::{CatalogTruth, Flow};
use crate::yaml::{Node, document, text};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// A descriptor's document.
fn entity(kind: &str, metadata: Node, spec: Node) -> String {
    document(&Node::map([
        ("apiVersion", text("backstage.io/v1alpha1")),
        ("kind", text(kind)),
        ("metadata", metadata),
        ("spec", spec),
    ]))
}

/// Metadata with a name, in a namespace if it is not the default one.
fn named(name: &str, namespace: &str) -> Node {
    let metadata = Node::map([("name", text(name))]);
    if namespace == "default" { metadata } else { metadata.with("namespace", text(namespace)) }
}

/// The reference of the old dataset of this number, as the catalog prints it.
pub(crate) fn old_reference(estate: &Estate, index: usize) -> String {
    let namespace = estate.system(index / PER_SYSTEM).namespace;
    format!("resource:{namespace}/{}", names(index).0.to_lowercase())
}

/// The descriptor of an old dataset. Its location is relative to the descriptor's file, in `catalog/`. Where code reads
/// the estate, it says by which table.
pub(crate) fn resource(estate: &Estate, design: &Design) -> String {
    let below = design.old_path.strip_prefix(&format!("{}/", design.system.directory)).unwrap_or(&design.old_path);
    let mut annotations = match &design.system.connection {
        Some(connection) => {
            Node::map([("greylag.dev/connection", text(connection)), ("greylag.dev/path", text(below))])
        }
        None => Node::map([("greylag.dev/location", text(format!("../{}", design.old_path)))]),
    };
    match &design.old.format {
        Format::Parquet { .. } => {
            if design.index.is_multiple_of(4) {
                annotations = annotations.with("greylag.dev/format", text("parquet"));
            }
        }
        Format::Json => annotations = annotations.with("greylag.dev/format", text("json")),
        Format::Csv(dialect) => {
            annotations = csv_annotations(annotations, dialect);
            // A column called `true` makes the header look like a row.
            let odd = design.old_slots.iter().any(|slot| ODD_COLUMNS.contains(&slot.column.name.as_str()));
            if dialect.header && odd {
                annotations = annotations.with("greylag.dev/csv-header", text("true"));
            }
        }
    }
    if design.declares {
        annotations = annotations.with("greylag.dev/columns", text(declared_columns(design)));
    }
    if estate.repositories > 0 {
        let (schema, table) = table_name(&design.system.name, &design.from);
        annotations = annotations.with("greylag.dev/table", text(format!("{schema}.{table}")));
    }
    let metadata = named(&design.from, &design.system.namespace)
        .with("title", text(&design.title))
        .with("annotations", annotations)
        .with("tags", Node::texts([design.system.domain.as_str(), "estate"]));
    let spec = Node::map([
        ("type", text("dataset")),
        ("owner", text(format!("group:default/{}", design.system.team))),
        ("system", text(format!("default/{}", design.system.name))),
    ]);
    entity("Resource", metadata, spec)
}

/// What detection could not know, or not for certain.
fn csv_annotations(annotations: Node, dialect: &Dialect) -> Node {
    let usual = Dialect::default();
    let mut annotations = annotations.with("greylag.dev/format", text("csv"));
    let mut put = |key: &str, value: String, differs: bool| {
        if differs {
            let key = format!("greylag.dev/csv-{key}");
            annotations = std::mem::replace(&mut annotations, Node::Map(vec![])).with(&key, text(value));
        }
    };
    put("delimiter", dialect.delimiter.to_string(), dialect.delimiter != usual.delimiter);
    put("quote", dialect.quote.to_string(), dialect.quote != usual.quote);
    put("escape", dialect.escape.map(String::from).unwrap_or_default(), dialect.escape.is_some());
    put("header", "false".to_owned(), !dialect.header);
    put("null", dialect.null.clone(), dialect.null != usual.null);
    put("encoding", dialect.encoding.name().to_owned(), dialect.encoding != usual.encoding && !dialect.mark);
    annotations
}

/// One column a line: `name: type`, names that are no plain words in quotes.
pub(crate) fn declared_columns(design: &Design) -> String {
    let mut out = String::new();
    for slot in &design.old_slots {
        let name = &slot.column.name;
        let plain = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
            && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
        let name = if plain { name.clone() } else { format!("\"{}\"", name.replace('"', "\"\"").replace('\n', "\\n")) };
        let _ = writeln!(out, "{name}: {}", slot.column.data_type);
    }
    out
}

/// Who reads what and writes what: pipelines several levels deep (each reads datasets of lower numbers), and consumers
/// that only read.
pub(crate) fn consumers(estate: &Estate) -> BTreeMap<String, (usize, Flow)> {
    let known = |index: &usize| estate.hostile.get(index) != Some(&Hostile::UnknownEntity);
    // A pair that is refused may hold up those downstream of it; here each stops only itself.
    let sound = |index: &usize| !estate.hostile.contains_key(index);
    let mut consumers = BTreeMap::new();
    for index in (0..estate.datasets).filter(known) {
        let mut draws = Draws::new(estate.seed, "consumers", index as u64);
        let (from, _) = names(index);
        let stem = from.to_lowercase().replace(['_', '.'], "-");
        if index > 2 && draws.chance(60) {
            let nearest = index.saturating_sub(30);
            let reads: BTreeSet<usize> =
                (0..=draws.below(3)).map(|_| nearest + draws.below(index - nearest)).filter(sound).collect();
            if reads.is_empty() {
                continue;
            }
            let reads = reads.into_iter().map(|read| old_reference(estate, read)).collect();
            let flow = Flow { reads, writes: vec![old_reference(estate, index)] };
            consumers.insert(format!("{stem}-pipeline"), (index, flow));
        }
        if draws.chance(20) {
            let flow = Flow { reads: vec![old_reference(estate, index)], writes: vec![] };
            consumers.insert(format!("{stem}-report"), (index, flow));
        }
    }
    consumers
}

/// The descriptors of the consumers in a system.
pub(crate) fn components(estate: &Estate, system: &System, consumers: &BTreeMap<String, (usize, Flow)>) -> String {
    let mut out = String::new();
    for (name, (index, flow)) in consumers {
        if index / PER_SYSTEM != system.index {
            continue;
        }
        let kind = if flow.writes.is_empty() { "report" } else { "data-pipeline" };
        let owner = format!("group:{}", estate.system(system.index).team);
        let spec = component_spec(kind, &owner).with("system", text(&system.name));
        out.push_str(&component(name, spec, Node::Map(vec![]), &flow.reads, &flow.writes));
    }
    out
}

/// What a consumer's descriptor begins with.
pub(crate) fn component_spec(kind: &str, owner: &str) -> Node {
    Node::map([("type", text(kind)), ("lifecycle", text("production")), ("owner", text(owner))])
}

/// The descriptor of a consumer that reads and writes these datasets.
pub(crate) fn component(name: &str, spec: Node, mut annotations: Node, reads: &[String], writes: &[String]) -> String {
    for (key, references) in [("greylag.dev/reads", reads), ("greylag.dev/writes", writes)] {
        if !references.is_empty() {
            annotations = annotations.with(key, text(references.join(", ")));
        }
    }
    let spec = spec.with("dependsOn", Node::texts(reads.iter().chain(writes)));
    entity("Component", named(name, "default").with("annotations", annotations), spec)
}

/// The descriptor of a system.
pub(crate) fn system(system: &System) -> String {
    let spec = Node::map([("owner", text(format!("group:{}", system.team))), ("domain", text(&system.domain))]);
    entity("System", named(&system.name, "default").with("title", text(&system.name)), spec)
}

/// `org.yaml`: domains, groups and users; with the numbers of each.
pub(crate) fn organisation(estate: &Estate) -> (String, BTreeMap<String, u64>) {
    let systems: Vec<System> = (0..estate.systems()).map(|index| estate.system(index)).collect();
    let domains: BTreeSet<&str> = systems.iter().map(|system| system.domain.as_str()).collect();
    let teams: BTreeSet<&str> = systems.iter().map(|system| system.team.as_str()).collect();
    let mut out = String::new();
    for domain in &domains {
        let owner = teams.iter().find(|team| team.starts_with(domain)).copied().unwrap_or_default();
        out.push_str(&entity(
            "Domain",
            named(domain, "default"),
            Node::map([("owner", text(format!("group:{owner}")))]),
        ));
    }
    let company = Node::map([("type", text("organization")), ("children", Node::texts(&teams))]);
    out.push_str(&entity("Group", named("company", "default"), company));
    for team in &teams {
        let spec = Node::map([("type", text("team")), ("parent", text("company")), ("children", Node::List(vec![]))]);
        out.push_str(&entity("Group", named(team, "default"), spec));
    }
    let mut users = 0;
    for (number, team) in teams.iter().enumerate() {
        for turn in 0..2 {
            let at = number * 2 + turn;
            let round = at / PEOPLE.len();
            let person = PEOPLE[at % PEOPLE.len()];
            let name = if round == 0 { person.to_owned() } else { format!("{person}{round}") };
            let profile = Node::map([("displayName", text(&name)), ("email", text(format!("{name}@example.com")))]);
            let spec = Node::map([("profile", profile), ("memberOf", Node::texts([team]))]);
            out.push_str(&entity("User", named(&name, "default"), spec));
            users += 1;
        }
    }
    let counts = [("Domain", domains.len()), ("Group", teams.len() + 1), ("User", users), ("System", systems.len())];
    (out, counts.into_iter().map(|(kind, count)| (kind.to_owned(), count as u64)).collect())
}

/// `all.yaml`: a location with all the files.
pub(crate) fn location(files: &[String]) -> String {
    let targets = files.iter().map(|file| format!("./{file}"));
    let spec = Node::map([("type", text("file")), ("targets", Node::texts(targets))]);
    entity("Location", named("estate", "default"), spec)
}

/// What the catalog must say. `idle` components read and write nothing.
pub(crate) fn truth(
    estate: &Estate,
    mut entities: BTreeMap<String, u64>,
    consumers: &BTreeMap<String, (usize, Flow)>,
    idle: usize,
) -> CatalogTruth {
    let known: Vec<usize> =
        (0..estate.datasets).filter(|index| estate.hostile.get(index) != Some(&Hostile::UnknownEntity)).collect();
    entities.insert("Resource".to_owned(), known.len() as u64);
    entities.insert("Component".to_owned(), (consumers.len() + idle) as u64);
    entities.insert("Location".to_owned(), 1);
    let owner = |index: &usize| format!("group:default/{}", estate.system(index / PER_SYSTEM).team);
    let consumers: BTreeMap<String, Flow> =
        (consumers.iter()).map(|(name, (_, flow))| (format!("component:default/{name}"), flow.clone())).collect();
    let mut readers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, flow) in &consumers {
        for read in &flow.reads {
            readers.entry(read).or_default().push(name);
        }
    }
    let some = known.iter().step_by((known.len() / 20).max(1));
    CatalogTruth {
        entities,
        owners: known.iter().map(|index| (old_reference(estate, *index), owner(index))).collect(),
        downstream: some
            .map(|index| old_reference(estate, *index))
            .map(|reference| (reference.clone(), downstream(&reference, &consumers, &readers)))
            .collect(),
        consumers: consumers.clone(),
    }
}

/// Everything that is fed by a dataset, over any number of consumers. `readers` has the consumers of each dataset.
fn downstream(start: &str, consumers: &BTreeMap<String, Flow>, readers: &BTreeMap<&str, Vec<&str>>) -> Vec<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![start];
    while let Some(dataset) = open.pop() {
        for consumer in readers.get(dataset).into_iter().flatten() {
            found.insert((*consumer).to_owned());
            let written = consumers.get(*consumer).map(|flow| flow.writes.as_slice()).unwrap_or_default();
            open.extend(written.iter().filter(|written| found.insert((*written).clone())).map(String::as_str));
        }
    }
    found.remove(start);
    found.into_iter().collect()
}
