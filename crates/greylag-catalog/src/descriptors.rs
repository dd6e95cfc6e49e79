//! Descriptor files.
//!
//! # What is read
//!
//! Paths given to an import are files or directories. Of a directory, every file below it whose name ends in `.yaml` or
//! `.yml` is read, unless it or a directory above it is hidden, or it does not hold the text `backstage.io/` at all
//! (directories of code are full of other YAML). Targets of `Location` entities are read too. A path given directly and a
//! target must be a descriptor file.
//!
//! The **root** is the directory that was given, or the one that holds the file that was given. Nothing outside it is
//! read, whatever a target or a symbolic link says: paths are resolved before they are compared.
//!
//! # What an import takes away
//!
//! An import replaces all that each file said. A file that an earlier import of the same path or of a path below it has
//! read and this one has not is forgotten. What could not be read is not taken for gone: of a file with a bad document,
//! what the file said of entities that are not among the good documents stays; and if any path, `Location` or file could
//! not be read at all, no file is forgotten by this import.
//!
//! A file whose entities were, so far, defined by another file that is no longer there was moved, and keeps the weight of
//! what it said under its old name. If the other file is still there, the entity is defined twice: an error that names
//! both places, and the catalog stays with the first.

mod files;
mod location;

use crate::report::Report;
use files::Gathered;
use greylag_driver::catalog::{Absent, Batch, Catalog, Operation, Summary};
use greylag_driver::error::DriverError;
use greylag_model::code::catalog as code;
use greylag_model::diagnostic::{Diagnostic, Place};
use greylag_model::entity::descriptor::{self, Descriptor};
use greylag_model::entity::{EntityRef, annotation};
use greylag_model::id::Timestamp;
use greylag_model::lineage::Graph;
use greylag_model::provenance::{Source, facts};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// Imports descriptor files and directories of them; `directory` is where relative paths start. What is wrong with the
/// files is in the report; an error means that the store failed and nothing was imported.
pub fn import(
    catalog: &dyn Catalog,
    paths: &[PathBuf],
    directory: &Path,
    now: Timestamp,
) -> Result<Report, DriverError> {
    let mut gathered = files::gather(paths, directory);
    let mut report = Report {
        read: gathered.files.len(),
        passed_over: gathered.passed_over,
        diagnostics: std::mem::take(&mut gathered.diagnostics),
        ..Report::default()
    };
    let earlier = catalog.sources()?;
    let moved = settle_duplicates(catalog, &mut gathered, &mut report)?;
    let batch = Batch { at: now, operations: operations(&gathered, &earlier, &moved) };
    report.take(catalog.apply(&batch)?);
    dangling(catalog, &gathered, &mut report)?;
    cycles(catalog, &gathered, &mut report)?;
    report.diagnostics.sort_by(|a, b| (a.place.is_none(), &a.place).cmp(&(b.place.is_none(), &b.place)));
    Ok(report)
}

/// Leaves out entities that are defined twice, in this import or by a file that is not part of it. Answers the files that
/// are gone and whose entities are defined elsewhere now.
fn settle_duplicates(
    catalog: &dyn Catalog,
    gathered: &mut Gathered,
    report: &mut Report,
) -> Result<BTreeMap<String, String>, DriverError> {
    let known = known(catalog, gathered.descriptors().map(|descriptor| descriptor.reference.clone()))?;
    let read: BTreeSet<String> = gathered.files.iter().map(|file| file.path.clone()).collect();
    let mut first: HashMap<EntityRef, Place> = HashMap::new();
    let mut moved = BTreeMap::new();
    for file in &mut gathered.files {
        let mut whole = true;
        let own = &file.path;
        file.descriptors.retain(|descriptor| {
            let other = match first.get(&descriptor.reference) {
                Some(other) => Some(other.clone()),
                None => elsewhere(known.get(&descriptor.reference), own, &read, &descriptor.reference, &mut moved),
            };
            if let Some(other) = other {
                whole = false;
                report.diagnostics.push(twice(descriptor, &other));
                return false;
            }
            first.insert(descriptor.reference.clone(), descriptor.place.clone());
            true
        });
        file.complete &= whole;
    }
    Ok(moved)
}

fn twice(descriptor: &Descriptor, other: &Place) -> Diagnostic {
    let message = format!(
        "`{}` is defined twice: here and at `{}:{}:{}`",
        descriptor.reference, other.file, other.line, other.column
    );
    Diagnostic::error(code::DUPLICATE_ENTITY, message)
        .at(Some(descriptor.place.clone()))
        .hint("rename or remove one of them; until then, the other one counts")
}

/// Where a file that is not part of this import and still there defines the entity. If it is gone, `moved` learns its new
/// name.
fn elsewhere(
    known: Option<&Summary>,
    own: &str,
    read: &BTreeSet<String>,
    entity: &EntityRef,
    moved: &mut BTreeMap<String, String>,
) -> Option<Place> {
    for source in known.iter().flat_map(|summary| &summary.registered_by) {
        let Source::Descriptor(other) = source else { continue };
        if other == own || read.contains(other) {
            continue;
        }
        if !Path::new(other).exists() {
            moved.insert(own.to_owned(), other.clone());
            continue;
        }
        let bytes = std::fs::read(other).unwrap_or_default();
        let found = descriptor::read(other, &bytes).entities.into_iter().find(|found| found.reference == *entity);
        if let Some(found) = found {
            return Some(found.place);
        }
    }
    None
}

fn known(
    catalog: &dyn Catalog,
    entities: impl Iterator<Item = EntityRef>,
) -> Result<HashMap<EntityRef, Summary>, DriverError> {
    let asked: Vec<EntityRef> = entities.collect::<BTreeSet<_>>().into_iter().collect();
    let found = catalog.find(&asked)?;
    Ok(asked.into_iter().zip(found).filter_map(|(entity, found)| Some((entity, found?))).collect())
}

fn operations(
    gathered: &Gathered,
    earlier: &[greylag_driver::catalog::SourceRecord],
    moved: &BTreeMap<String, String>,
) -> Vec<Operation> {
    let mut operations = Vec::new();
    for file in &gathered.files {
        let folder = Path::new(&file.path).parent().and_then(Path::to_str).unwrap_or("/");
        let values = |descriptor: &Descriptor| {
            let mut entity = descriptor.entity.clone();
            annotation::anchor(&mut entity, folder);
            (descriptor.reference.clone(), facts::of_entity(&entity))
        };
        operations.push(Operation::Replace {
            source: Source::Descriptor(file.path.clone()),
            via: file.via.clone(),
            formerly: moved.get(&file.path).cloned().map(Source::Descriptor),
            entities: file.descriptors.iter().map(values).collect(),
            absent: if file.complete { Absent::Vanish } else { Absent::Stay },
        });
    }
    let read: BTreeSet<&str> = gathered.files.iter().map(|file| file.path.as_str()).collect();
    let gone: BTreeSet<&str> = moved.values().map(String::as_str).collect();
    for record in earlier {
        let Source::Descriptor(path) = &record.source else { continue };
        let unseen = gathered.complete && !read.contains(path.as_str()) && gathered.covers(path, &record.via);
        if unseen || gone.contains(path.as_str()) {
            operations.push(Operation::Forget { source: record.source.clone() });
        }
    }
    operations
}

/// Warns of every reference to an entity that the catalog does not know.
fn dangling(catalog: &dyn Catalog, gathered: &Gathered, report: &mut Report) -> Result<(), DriverError> {
    let mentions = || gathered.descriptors().flat_map(|descriptor| &descriptor.mentions);
    let known = known(catalog, mentions().map(|mention| mention.to.clone()))?;
    for mention in mentions().filter(|mention| !known.contains_key(&mention.to)) {
        let message = format!("`{}` names `{}`, which the catalog does not know", mention.field, mention.to);
        let warning = Diagnostic::warning(code::DANGLING_REFERENCE, message).at(Some(mention.place.clone()));
        report.diagnostics.push(warning.hint("import its descriptor, or correct the reference"));
    }
    Ok(())
}

/// Warns of every cycle of the lineage, at the place of the first of its entities that this import has read.
fn cycles(catalog: &dyn Catalog, gathered: &Gathered, report: &mut Report) -> Result<(), DriverError> {
    let cycles = Graph::of_relations(&catalog.relations(None)?).cycles();
    if cycles.is_empty() {
        return Ok(());
    }
    let places: HashMap<&EntityRef, &Place> =
        gathered.descriptors().map(|descriptor| (&descriptor.reference, &descriptor.place)).collect();
    for cycle in cycles {
        let place = cycle.iter().find_map(|entity| places.get(entity)).map(|place| (*place).clone());
        report.diagnostics.push(cyclic(&cycle).at(place));
    }
    Ok(())
}

/// The warning that names a cycle.
pub(crate) fn cyclic(cycle: &[EntityRef]) -> Diagnostic {
    let names: Vec<String> = cycle.iter().chain(cycle.first()).map(|entity| format!("`{entity}`")).collect();
    Diagnostic::warning(code::LINEAGE_CYCLE, format!("lineage runs in a circle: {}", names.join(" → ")))
        .hint("correct the `dependsOn`, `dependencyOf`, `greylag.dev/reads` or `greylag.dev/writes` that is wrong")
}
