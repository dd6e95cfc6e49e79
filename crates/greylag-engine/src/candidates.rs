//! The datasets that a template may take: what the catalog knows of all of them, and what is found where they lie.

use crate::probe::World;
use greylag_driver::catalog::{Filter, Page, Summary};
use greylag_driver::error::DriverError;
use greylag_model::dataset::Dataset;
use greylag_model::diagnostic::Diagnostic;
use greylag_model::entity::EntityRef;
use greylag_model::template::Candidate;
use serde_json::Value;
use std::collections::BTreeMap;

/// Datasets that are asked for at once.
const PAGE: usize = 1_000;

/// Every dataset of the catalog that has a location, in the order of their references. With `annotations`, those of the
/// descriptors are looked up, too. A dataset that cannot be looked at is a candidate with the reason.
pub fn candidates(world: World<'_>, annotations: bool) -> Result<Vec<Candidate>, DriverError> {
    let mut candidates = Vec::new();
    let mut after = None;
    loop {
        let page = world.catalog.list(&Filter::datasets(), &Page { after, limit: PAGE })?;
        let found: Vec<(Summary, Dataset)> =
            page.items.into_iter().filter_map(|one| one.dataset().map(|dataset| (one, dataset))).collect();
        let datasets: Vec<Dataset> = found.iter().map(|(_, dataset)| dataset.clone()).collect();
        for ((summary, dataset), observed) in found.into_iter().zip(world.describe.describe(&datasets)) {
            let observed = observed.map_err(|error| {
                let DriverError { code, message, hints, .. } = error;
                vec![hints.into_iter().fold(Diagnostic::error(code, message), Diagnostic::hint)]
            });
            let mut texts = summary.declared;
            if annotations {
                texts.extend(written(world, &summary.entity)?);
            }
            candidates.push(Candidate {
                entity: summary.entity,
                entity_type: summary.entity_type,
                owner: summary.owner,
                lifecycle: summary.lifecycle,
                tags: summary.tags,
                annotations: texts,
                location: dataset.location,
                observed,
            });
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(candidates),
        }
    }
}

/// The annotations of an entity.
fn written(world: World<'_>, entity: &EntityRef) -> Result<BTreeMap<String, String>, DriverError> {
    let found = world.catalog.record(entity)?.and_then(|record| record.entity);
    let annotations = found.and_then(|mut entity| entity.metadata.remove("annotations"));
    let Some(Value::Object(annotations)) = annotations else { return Ok(BTreeMap::new()) };
    Ok(annotations.into_iter().filter_map(|(key, value)| Some((key, value.as_str()?.to_owned()))).collect())
}
