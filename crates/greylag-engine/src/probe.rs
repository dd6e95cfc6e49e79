//! The probe: what a migration needs to know of the world, asked once and kept as a value.
//!
//! Everything is asked in batches: the catalog for all references at once, the stores for all locations at once. One
//! dataset that cannot be had becomes the reason why its pair is blocked, and the others go on.

use greylag_driver::catalog::{Catalog, Summary};
use greylag_driver::describe::{Describe, Place};
use greylag_driver::error::DriverError;
use greylag_model::code;
use greylag_model::dataset::{Dataset, Location};
use greylag_model::diagnostic::Diagnostic;
use greylag_model::entity::{EntityRef, annotation};
use greylag_model::id::Timestamp;
use greylag_model::lineage::Direction;
use greylag_model::lineage::Graph;
use greylag_model::plan::{Places, default_location};
use greylag_model::snapshot::{Impact, LineageEdge, Observed, PairSnapshot, References, Snapshot, TargetPlace};
use greylag_model::spec::{LayoutSpec, Migration, Pair, With};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Kind that a dataset's reference has when it names none.
const DATASET_KIND: &str = "resource";

/// What a probe asks.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// Who owns what, where it lies, and what reads it.
    pub catalog: &'a dyn Catalog,
    /// What lies at a location.
    pub describe: &'a dyn Describe,
    /// Roots of the connections: name → absolute path.
    pub connections: &'a BTreeMap<String, String>,
}

/// Probes the world for a migration. Fails only if the catalog itself does.
pub fn probe(
    migration: &Migration,
    places: Places<'_>,
    world: World<'_>,
    now: Timestamp,
) -> Result<Snapshot, DriverError> {
    let pairs = &migration.spec.datasets;
    let sources: Vec<Option<EntityRef>> = pairs.iter().map(|pair| EntityRef::parse(&pair.from, DATASET_KIND)).collect();
    let known = known(world.catalog, sources.iter().flatten())?;
    let observed = observe(world, pairs, &sources, &known, places)?;
    let graph = Graph::of_relations(&world.catalog.relations(None)?);
    let mut impacts = graph.impacts();
    let owners = owners(world.catalog, known.values())?;
    let zones = zones(world.catalog, migration, &owners)?;
    let targets = targets(migration, &observed, world.describe);
    let lineage = lineage(&graph, sources.iter().flatten());
    let pairs = sources.iter().zip(observed).zip(targets).map(|((source, observed), target)| {
        let summary = source.as_ref().and_then(|source| known.get(source));
        let owner = summary.and_then(|summary| summary.owner.clone());
        PairSnapshot {
            tags: summary.map(|summary| summary.tags.clone()).unwrap_or_default(),
            zone: owner.as_ref().and_then(|owner| zones.get(owner).cloned()),
            dangling_owner: owner.as_ref().is_some_and(|owner| !owners.contains(owner)),
            owner,
            impact: source.as_ref().and_then(|source| impacts.remove(source)).unwrap_or_else(Impact::default),
            source: observed,
            target,
            published: None,
            sample: None,
        }
    });
    let connections = world.connections.clone();
    Ok(Snapshot {
        taken_at: now,
        connections,
        pairs: pairs.collect(),
        lineage,
        scripts: BTreeMap::new(),
        references: references(world, migration)?,
        sampling: None,
        code: None,
    })
}

fn known<'a>(
    catalog: &dyn Catalog,
    entities: impl Iterator<Item = &'a EntityRef>,
) -> Result<HashMap<EntityRef, Summary>, DriverError> {
    let asked: Vec<EntityRef> = entities.cloned().collect::<BTreeSet<_>>().into_iter().collect();
    let found = catalog.find(&asked)?;
    Ok(asked.into_iter().zip(found).filter_map(|(entity, summary)| Some((entity, summary?))).collect())
}

/// The datasets that `diff` checks name, described together.
fn references(world: World<'_>, migration: &Migration) -> Result<References, DriverError> {
    let spec = &migration.spec;
    let checks = spec.checks.iter().chain(spec.datasets.iter().flat_map(|pair| &pair.checks));
    let mut named: BTreeSet<&str> = checks.filter_map(|check| check.diff.as_ref()?.with().other()).collect();
    // What writers read, besides what this migration makes.
    let ours: BTreeSet<&str> = spec.datasets.iter().flat_map(|pair| [pair.from.as_str(), pair.to.as_str()]).collect();
    let reads = spec.datasets.iter().filter_map(|pair| pair.derived.as_ref()).flat_map(|derived| &derived.reads);
    named.extend(reads.map(String::as_str).filter(|name| !ours.contains(name)));
    let mut found: Vec<(&str, Result<Dataset, Diagnostic>)> = Vec::with_capacity(named.len());
    for text in named {
        found.push((text, reference(world.catalog, text)?));
    }
    let asked: Vec<Dataset> = found.iter().filter_map(|(_, dataset)| dataset.as_ref().ok()).cloned().collect();
    let mut answers = world.describe.describe(&asked).into_iter();
    let observed = found.into_iter().map(|(text, dataset)| {
        let observed = match dataset {
            Err(why) => Err(vec![why]),
            Ok(_) => answers.next().unwrap_or_else(|| Err(unanswered(text))).map_err(|error| vec![diagnostic(error)]),
        };
        (text.to_owned(), observed)
    });
    Ok(observed.collect())
}

/// A dataset of the catalog, or what lies at a path.
fn reference(catalog: &dyn Catalog, text: &str) -> Result<Result<Dataset, Diagnostic>, DriverError> {
    if let With::Path(path) = With::of(Some(text)) {
        let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let name = name.split_once('.').map_or(name, |(stem, _)| stem);
        let entity = EntityRef::new(DATASET_KIND, "default", name);
        let location = Location { connection: None, path: path.to_owned() };
        return Ok(Ok(Dataset { entity, location, declared: BTreeMap::new() }));
    }
    let entity = EntityRef::parse(text, DATASET_KIND);
    let known = known(catalog, entity.iter())?;
    let found = dataset(catalog, text, entity.as_ref(), &known)?;
    Ok(found.map_err(|why| why.hint("a path begins with `/`, `./` or `../`")))
}

fn unanswered(name: &str) -> DriverError {
    DriverError::permanent(code::cli::INTERNAL, format!("nothing was answered for `{name}`"))
}

/// Which of the owners the catalog has.
fn owners<'a>(
    catalog: &dyn Catalog,
    summaries: impl Iterator<Item = &'a Summary>,
) -> Result<HashSet<EntityRef>, DriverError> {
    let owners = summaries.filter_map(|summary| summary.owner.as_ref());
    Ok(known(catalog, owners)?.into_keys().collect())
}

/// The time zones of the owners, asked for only where a window has none of its own.
fn zones(
    catalog: &dyn Catalog,
    migration: &Migration,
    owners: &HashSet<EntityRef>,
) -> Result<HashMap<EntityRef, String>, DriverError> {
    let window = migration.spec.rollout.as_ref().and_then(|rollout| rollout.window.as_ref());
    let mut zones = HashMap::new();
    for owner in owners.iter().filter(|_| window.is_some_and(|window| window.zone.is_none())) {
        let found = catalog.record(owner)?.and_then(|record| record.entity);
        let zone =
            found.as_ref().and_then(|entity| entity.metadata.get("annotations")?.get(annotation::TIME_ZONE)?.as_str());
        if let Some(zone) = zone {
            zones.insert(owner.clone(), zone.to_owned());
        }
    }
    Ok(zones)
}

fn observe(
    world: World<'_>,
    pairs: &[Pair],
    sources: &[Option<EntityRef>],
    known: &HashMap<EntityRef, Summary>,
    places: Places<'_>,
) -> Result<Vec<Result<Observed, Vec<Diagnostic>>>, DriverError> {
    let datasets: Vec<Result<Dataset, Diagnostic>> = pairs
        .iter()
        .zip(sources)
        .enumerate()
        .map(|(number, (pair, source))| {
            let place = || places(&format!("/spec/datasets/{number}/from"));
            match dataset(world.catalog, &pair.from, source.as_ref(), known) {
                Ok(found) => Ok(found.map_err(|diagnostic| diagnostic.at(place()))),
                Err(error) => Err(error),
            }
        })
        .collect::<Result<_, DriverError>>()?;
    let asked: Vec<Dataset> = datasets.iter().filter_map(|dataset| dataset.as_ref().ok()).cloned().collect();
    let mut answers = world.describe.describe(&asked).into_iter();
    let observed = datasets.into_iter().map(|dataset| match dataset {
        Err(diagnostic) => Err(vec![diagnostic]),
        Ok(dataset) => match answers.next() {
            Some(Ok(observed)) => Ok(observed),
            Some(Err(error)) => Err(vec![diagnostic(error)]),
            None => Err(vec![diagnostic(unanswered(&dataset.entity.to_string()))]),
        },
    });
    Ok(observed.collect())
}

/// The dataset that a text names, or why there is none.
fn dataset(
    catalog: &dyn Catalog,
    text: &str,
    source: Option<&EntityRef>,
    known: &HashMap<EntityRef, Summary>,
) -> Result<Result<Dataset, Diagnostic>, DriverError> {
    let Some(source) = source else {
        return Ok(Err(Diagnostic::error(
            code::plan::UNKNOWN_DATASET,
            format!("`{text}` is not a reference to a dataset"),
        )
        .hint("write `name`, `namespace/name` or `resource:namespace/name`")));
    };
    let Some(summary) = known.get(source) else {
        let mut diagnostic =
            Diagnostic::error(code::plan::UNKNOWN_DATASET, format!("the catalog has no dataset `{}`", source.short()));
        let near: Vec<String> =
            catalog.search(&source.name, 3)?.iter().map(|summary| format!("`{}`", summary.entity.short())).collect();
        if !near.is_empty() {
            diagnostic = diagnostic.hint(format!("did you mean {}?", near.join(", ")));
        }
        return Ok(
            Err(diagnostic.hint("`greylag catalog import PATH` registers descriptors and directories of files")),
        );
    };
    Ok(summary.dataset().ok_or_else(|| {
        Diagnostic::error(code::plan::NO_LOCATION, format!("the catalog does not say where `{}` lies", source.short()))
            .hint("add the annotation `greylag.dev/location` to its descriptor, or import its directory")
    }))
}

fn diagnostic(error: DriverError) -> Diagnostic {
    error.hints.into_iter().fold(Diagnostic::error(error.code, error.message), Diagnostic::hint)
}

/// Where each pair's target will stand, and what is there.
fn targets(
    migration: &Migration,
    observed: &[Result<Observed, Vec<Diagnostic>>],
    describe: &dyn Describe,
) -> Vec<TargetPlace> {
    let spec = &migration.spec;
    let wanted: Vec<(EntityRef, Location)> = spec
        .datasets
        .iter()
        .zip(observed)
        .map(|(pair, observed)| {
            let entity = EntityRef::parse(&pair.to, DATASET_KIND)
                .unwrap_or_else(|| EntityRef::new(DATASET_KIND, "default", &pair.to));
            let location = location(pair, spec.layout.as_ref(), observed.as_ref().ok(), &entity);
            (entity, location)
        })
        .collect();
    let asked: Vec<Location> = wanted.iter().map(|(_, location)| location.clone()).collect();
    let places = describe.places(&asked);
    wanted
        .into_iter()
        .zip(places)
        .map(|((entity, location), place)| {
            // A place that cannot be looked at is met again, with its reason, when room is made there.
            let place = place.unwrap_or_else(|_| Place { exists: false, free_bytes: 0, device: "unknown".to_owned() });
            TargetPlace { entity, location, exists: place.exists, free_bytes: place.free_bytes, device: place.device }
        })
        .collect()
}

fn location(pair: &Pair, shared: Option<&LayoutSpec>, observed: Option<&Observed>, to: &EntityRef) -> Location {
    let layout = pair.layout.as_ref().or(shared);
    match (&pair.location, observed) {
        (Some(path), observed) => {
            let connection = observed.and_then(|observed| observed.dataset.location.connection.clone());
            let path = match observed {
                // Without a connection a relative path starts at the old dataset's directory.
                Some(observed) if connection.is_none() && !path.starts_with('/') => {
                    let parent = observed.dataset.location.path.rsplit_once('/').map_or("", |(parent, _)| parent);
                    format!("{parent}/{path}")
                }
                _ => path.clone(),
            };
            Location { connection, path }
        }
        (None, Some(observed)) => default_location(&observed.dataset.location, &observed.layout, to, layout),
        (None, None) => Location { connection: None, path: to.name.clone() },
    }
}

/// Lineage among the sources, consumers in between left out.
fn lineage<'a>(graph: &Graph, sources: impl Iterator<Item = &'a EntityRef>) -> Vec<LineageEdge> {
    let sources: BTreeSet<&EntityRef> = sources.collect();
    let mut edges = BTreeSet::new();
    for source in &sources {
        for consumer in graph.next(source, Direction::Down) {
            for written in graph.next(consumer, Direction::Down).chain([consumer]) {
                if sources.contains(written) {
                    edges.insert(LineageEdge { upstream: (*source).clone(), downstream: written.clone() });
                }
            }
        }
    }
    edges.into_iter().collect()
}
