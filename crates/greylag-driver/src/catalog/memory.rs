//! The catalog in memory: a real implementation that forgets when it is dropped.

use super::{
    Applied, Batch, Catalog, Change, Filter, Listing, Operation, Page, Record, SchemaVersion, Settled, SourceRecord,
    Summary, Touched, actions, matches, settle, words,
};
use crate::error::DriverError;
use greylag_model::dataset::Location;
use greylag_model::entity::EntityRef;
use greylag_model::entity::relation::Relation;
use greylag_model::provenance::{Source, Statement, resolve};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A catalog in memory.
#[derive(Debug, Default)]
pub struct MemoryCatalog(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    entities: BTreeMap<EntityRef, Entry>,
    via: BTreeMap<Source, String>,
}

#[derive(Debug, Default)]
struct Entry {
    statements: BTreeMap<Source, Statement>,
    summary: Option<Summary>,
    relations: Vec<Relation>,
    schemas: Vec<SchemaVersion>,
    history: Vec<Change>,
    text: [String; 5],
}

impl MemoryCatalog {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn stated(&self, source: &Source) -> Vec<EntityRef> {
        (self.entities.iter())
            .filter(|(_, entry)| entry.statements.contains_key(source))
            .map(|(entity, _)| entity.clone())
            .collect()
    }

    fn put(&mut self, entity: &EntityRef, settled: Settled) {
        let text = settled.search_text();
        let entry = self.entities.entry(entity.clone()).or_default();
        if let Some((source, schema)) = settled.schema
            && entry.schemas.last().is_none_or(|last| last.schema != schema)
        {
            let at = settled.change.as_ref().map(|change| change.at).unwrap_or_default();
            entry.schemas.push(SchemaVersion { version: entry.schemas.len() as u32 + 1, at, source, schema });
        }
        entry.history.extend(settled.change);
        entry.statements = settled.statements;
        entry.summary = settled.summary;
        entry.relations = settled.relations;
        entry.text = text;
    }

    fn fitting<'a>(&'a self, text: &str) -> impl Iterator<Item = (usize, &'a Summary)> + 'a {
        let wanted: Vec<String> = words(text).collect();
        self.entities.values().filter_map(move |entry| {
            let weights: Option<Vec<usize>> = wanted
                .iter()
                .map(|wanted| entry.text.iter().position(|text| words(text).any(|word| word.starts_with(wanted))))
                .collect();
            Some((weights?.into_iter().sum(), entry.summary.as_ref()?))
        })
    }
}

impl Catalog for MemoryCatalog {
    fn apply(&self, batch: &Batch) -> Result<Applied, DriverError> {
        let mut state = self.state();
        let mut applied = Applied::default();
        for (entity, actions) in actions(batch, |source| Ok(state.stated(source)))? {
            let before = state.entities.get(&entity).map(|entry| entry.statements.clone()).unwrap_or_default();
            let mut settled = settle(&entity, before, &actions, batch.at);
            let kept = std::mem::take(&mut settled.kept);
            let own = |source: &Source| actions.iter().any(|(own, _)| *own == source);
            applied.kept.extend(kept.into_iter().filter(|kept| own(&kept.fact.said.source)));
            applied.entities.push(Touched { entity: entity.clone(), outcome: settled.outcome });
            state.put(&entity, settled);
        }
        for operation in &batch.operations {
            match operation {
                Operation::Replace { source, via, .. } => {
                    state.via.insert(source.clone(), via.clone());
                }
                Operation::Forget { source } => {
                    state.via.remove(source);
                }
                Operation::Amend { .. } => {}
            }
        }
        Ok(applied)
    }

    fn find(&self, entities: &[EntityRef]) -> Result<Vec<Option<Summary>>, DriverError> {
        let state = self.state();
        Ok(entities.iter().map(|entity| state.entities.get(entity)?.summary.clone()).collect())
    }

    fn located(&self, locations: &[Location]) -> Result<Vec<Option<EntityRef>>, DriverError> {
        let state = self.state();
        let mut at: BTreeMap<&Location, &EntityRef> = BTreeMap::new();
        for (entity, entry) in &state.entities {
            if let Some(location) = entry.summary.as_ref().and_then(|summary| summary.location.as_ref()) {
                at.entry(location).or_insert(entity);
            }
        }
        Ok(locations.iter().map(|location| at.get(location).map(|entity| (*entity).clone())).collect())
    }

    fn record(&self, entity: &EntityRef) -> Result<Option<Record>, DriverError> {
        let state = self.state();
        let Some(entry) = state.entities.get(entity).filter(|entry| !entry.statements.is_empty()) else {
            return Ok(None);
        };
        let resolved = resolve(entity, &entry.statements);
        Ok(Some(Record { entity: resolved.entity, facts: resolved.facts }))
    }

    fn list(&self, filter: &Filter, page: &Page) -> Result<Listing, DriverError> {
        let state = self.state();
        let fitting: Vec<&Summary> = state
            .fitting(filter.text.as_deref().unwrap_or_default())
            .map(|(_, summary)| summary)
            .filter(|summary| matches(filter, summary))
            .collect();
        let start = page.after.as_ref().map_or(0, |after| fitting.partition_point(|summary| summary.entity <= *after));
        let end = fitting.len().min(start.saturating_add(page.limit));
        let items: Vec<Summary> = fitting[start..end].iter().map(|summary| (*summary).clone()).collect();
        let next = if end < fitting.len() { items.last().map(|last| last.entity.clone()) } else { None };
        Ok(Listing { items, total: fitting.len() as u64, next })
    }

    fn search(&self, text: &str, limit: usize) -> Result<Vec<Summary>, DriverError> {
        if words(text).next().is_none() {
            return Ok(Vec::new());
        }
        let state = self.state();
        let mut found: Vec<(usize, &Summary)> = state.fitting(text).collect();
        found.sort_by_key(|(weight, _)| *weight);
        Ok(found.into_iter().take(limit).map(|(_, summary)| summary.clone()).collect())
    }

    fn relations(&self, entity: Option<&EntityRef>) -> Result<Vec<Relation>, DriverError> {
        let state = self.state();
        let all = state.entities.values().flat_map(|entry| &entry.relations);
        let wanted = |relation: &&Relation| entity.is_none_or(|one| relation.from == *one || relation.to == *one);
        Ok(all.filter(wanted).cloned().collect())
    }

    fn schemas(&self, entity: &EntityRef) -> Result<Vec<SchemaVersion>, DriverError> {
        Ok(self.state().entities.get(entity).map(|entry| entry.schemas.clone()).unwrap_or_default())
    }

    fn history(&self, entity: &EntityRef) -> Result<Vec<Change>, DriverError> {
        Ok(self.state().entities.get(entity).map(|entry| entry.history.clone()).unwrap_or_default())
    }

    fn sources(&self) -> Result<Vec<SourceRecord>, DriverError> {
        let state = self.state();
        let mut counts: BTreeMap<Source, u64> = state.via.keys().map(|source| (source.clone(), 0)).collect();
        for source in state.entities.values().flat_map(|entry| entry.statements.keys()) {
            *counts.entry(source.clone()).or_default() += 1;
        }
        let record = |(source, entities): (Source, u64)| SourceRecord {
            via: state.via.get(&source).cloned().unwrap_or_default(),
            source,
            entities,
        };
        Ok(counts.into_iter().map(record).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::MemoryCatalog;

    #[test]
    fn conformance() {
        crate::catalog::conformance(&|| Box::new(MemoryCatalog::default()));
    }
}
