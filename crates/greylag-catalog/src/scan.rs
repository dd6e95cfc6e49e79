//! Directories of data files.
//!
//! Every dataset that a scan finds becomes a `Resource` of type `dataset`, with the columns and partitions that were
//! seen. One that the catalog has at the very location already, by whatever name, keeps that name: a scan adds what it
//! sees to it, with less weight than what descriptors and migrations say. Others are named by their path below the root:
//! `sales/orders.parquet` is `sales.orders` if that is a legal name that nobody has, else what is legal of it and a hash
//! of the full path. The full path is in the title and in an annotation. So a name, once given, stays as long as the
//! dataset stays where it is.

use crate::report::Report;
use greylag_driver::catalog::{Absent, Batch, Catalog, Operation};
use greylag_driver::describe::{Describe, Found};
use greylag_driver::error::DriverError;
use greylag_model::code::catalog as code;
use greylag_model::dataset::Location;
use greylag_model::diagnostic::Diagnostic;
use greylag_model::entity::{DATASET, EntityRef, annotation, name};
use greylag_model::id::Timestamp;
use greylag_model::provenance::{Source, Values, facts};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Registers the datasets below a directory in a namespace. What cannot be read is in the report; an error means that
/// the directory or the store failed and nothing was registered.
pub fn scan(
    catalog: &dyn Catalog,
    describe: &dyn Describe,
    root: &Location,
    namespace: &str,
    now: Timestamp,
) -> Result<Report, DriverError> {
    let mut found = describe.scan(root)?;
    found.sort_by(|a, b| a.location.cmp(&b.location));
    let locations: Vec<Location> = found.iter().map(|found| found.location.clone()).collect();
    let located = catalog.located(&locations)?;
    let source = Source::Scan(text(root));
    let described = described(catalog, &located, &source)?;
    let mut report = Report { read: found.len(), ..Report::default() };
    let mut entities: BTreeMap<EntityRef, Values> = BTreeMap::new();
    let mut unread: BTreeSet<EntityRef> = BTreeSet::new();
    let mut names = Names::new(catalog, &found, &located, root, namespace)?;
    for (found, located) in found.iter().zip(located) {
        let schema = match &found.schema {
            Ok(schema) => schema,
            Err(error) => {
                unread.extend(located);
                report.diagnostics.push(unreadable(found, error));
                continue;
            }
        };
        let entity = located.unwrap_or_else(|| names.give(found));
        let mut values = values(&entity, found, described.contains(&entity));
        values.insert(facts::SCHEMA.to_owned(), json!(schema));
        entities.insert(entity, values);
    }
    let operation =
        Operation::Replace { source, via: text(root), formerly: None, entities, absent: Absent::StayThese(unread) };
    report.take(catalog.apply(&Batch { at: now, operations: vec![operation] })?);
    Ok(report)
}

/// The location in one line.
fn text(location: &Location) -> String {
    match &location.connection {
        Some(connection) => format!("{connection}:{}", location.path),
        None => location.path.clone(),
    }
}

fn unreadable(found: &Found, error: &DriverError) -> Diagnostic {
    let message = format!("`{}` cannot be read: {} ({})", text(&found.location), error.message, error.code);
    let diagnostic = Diagnostic::error(code::SCAN_UNREADABLE, message);
    error.hints.iter().fold(diagnostic, |diagnostic, hint| diagnostic.hint(hint))
}

/// The located entities that others register too.
fn described(
    catalog: &dyn Catalog,
    located: &[Option<EntityRef>],
    source: &Source,
) -> Result<BTreeSet<EntityRef>, DriverError> {
    let asked: Vec<EntityRef> = located.iter().flatten().cloned().collect();
    let found = catalog.find(&asked)?.into_iter().flatten();
    let others = found.filter(|summary| summary.registered_by.iter().any(|other| other != source));
    Ok(others.map(|summary| summary.entity).collect())
}

fn values(entity: &EntityRef, found: &Found, described: bool) -> Values {
    let mut values = Values::from([
        (
            facts::IDENTITY.to_owned(),
            facts::identity("backstage.io/v1alpha1", "Resource", &entity.namespace, &entity.name),
        ),
        (facts::TYPE.to_owned(), json!(DATASET)),
        (facts::LOCATION.to_owned(), json!(found.location)),
    ]);
    if !described {
        // Whoever describes the dataset has a better title, and says what is not to be detected.
        values.insert(facts::LAYOUT.to_owned(), json!({ annotation::FORMAT: found.format }));
        values.insert(facts::TITLE.to_owned(), json!(found.location.path));
        let path = format!("{}{}", facts::ANNOTATION, annotation::PATH_IN_STORE);
        values.insert(path, json!(text(&found.location)));
    }
    if !found.partition_by.is_empty() {
        values.insert(facts::PARTITIONS.to_owned(), json!(found.partition_by));
    }
    values
}

/// Gives names to datasets that have none.
struct Names<'a> {
    root: &'a str,
    namespace: &'a str,
    taken: BTreeSet<EntityRef>,
}

impl<'a> Names<'a> {
    fn new(
        catalog: &dyn Catalog,
        found: &[Found],
        located: &[Option<EntityRef>],
        root: &'a Location,
        namespace: &'a str,
    ) -> Result<Self, DriverError> {
        let mut names = Self { root: &root.path, namespace, taken: BTreeSet::new() };
        let unnamed = found.iter().zip(located).filter(|(_, located)| located.is_none());
        let wanted: Vec<EntityRef> = unnamed.filter_map(|(found, _)| names.plain(found)).collect();
        let known = catalog.find(&wanted)?;
        names.taken =
            wanted.into_iter().zip(known).filter(|(_, known)| known.is_some()).map(|(name, _)| name).collect();
        names.taken.extend(located.iter().flatten().cloned());
        Ok(names)
    }

    /// The path below the root, without the extension.
    fn stem<'f>(&self, found: &'f Found) -> &'f str {
        let path = found.location.path.as_str();
        let below = path.strip_prefix(self.root).unwrap_or(path).trim_matches('/');
        // The root itself may be the dataset.
        let below = if below.is_empty() { path.rsplit('/').next().unwrap_or(path) } else { below };
        let file = below.rsplit_once('.').filter(|(_, extension)| {
            ["parquet", "csv", "tsv", "txt", "psv", "parq", "pq", "json", "jsonl", "ndjson", "avro"]
                .contains(&extension.to_ascii_lowercase().as_str())
        });
        file.map_or(below, |(stem, _)| stem)
    }

    /// The name without a hash, if it is legal.
    fn plain(&self, found: &Found) -> Option<EntityRef> {
        let name = self.stem(found).replace('/', ".");
        name::is_name(&name).then(|| EntityRef::new("resource", self.namespace, &name))
    }

    fn give(&mut self, found: &Found) -> EntityRef {
        let plain = self.plain(found).filter(|plain| !self.taken.contains(plain));
        let entity = plain.unwrap_or_else(|| {
            let mut unique = text(&found.location);
            loop {
                // Not a name as it stands, so that it gets its hash.
                let stem = format!("{}/", self.stem(found));
                let entity = EntityRef::new("resource", self.namespace, &name::legal(&stem, &unique));
                if !self.taken.contains(&entity) {
                    return entity;
                }
                unique.push('\0');
            }
        });
        self.taken.insert(entity.clone());
        entity
    }
}
