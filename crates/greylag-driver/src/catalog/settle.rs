//! Settling: what follows from a change of statements about one entity. Pure; every implementation calls it.

use super::{Absent, Batch, Change, FactChange, Kept, Operation, Outcome, Summary};
use crate::error::DriverError;
use greylag_model::entity::EntityRef;
use greylag_model::entity::relation::{self, Relation};
use greylag_model::id::Timestamp;
use greylag_model::provenance::{Resolved, Source, Statement, Values, amend, facts, resolve, restate};
use greylag_model::schema::Schema;
use std::collections::{BTreeMap, BTreeSet};

/// What one source now says of an entity.
#[derive(Clone, Debug)]
pub enum Action<'a> {
    /// This and nothing else. `formerly` as in [`super::Operation::Replace`].
    Restate {
        /// The source's name before.
        formerly: Option<&'a Source>,
        /// What it says; nothing at all if empty.
        values: Option<&'a Values>,
    },
    /// Some more, some less.
    Amend {
        /// More.
        set: &'a Values,
        /// Less.
        unset: &'a [String],
    },
}

/// Actions by entity, each with its source.
pub type Actions<'a> = BTreeMap<EntityRef, Vec<(&'a Source, Action<'a>)>>;

/// What the batch's sources do to each entity, in the order of its operations; `stated` tells of which entities a source
/// says something so far.
pub fn actions(
    batch: &Batch,
    mut stated: impl FnMut(&Source) -> Result<Vec<EntityRef>, DriverError>,
) -> Result<Actions<'_>, DriverError> {
    let mut actions: Actions<'_> = BTreeMap::new();
    for operation in &batch.operations {
        match operation {
            Operation::Replace { source, formerly, entities, absent, .. } => {
                let mut all: BTreeSet<EntityRef> = stated(source)?.into_iter().collect();
                match absent {
                    Absent::Vanish => {}
                    Absent::Stay => all.clear(),
                    Absent::StayThese(these) => all.retain(|entity| !these.contains(entity)),
                }
                all.extend(entities.keys().cloned());
                for entity in all {
                    let action = Action::Restate { formerly: formerly.as_ref(), values: entities.get(&entity) };
                    actions.entry(entity).or_default().push((source, action));
                }
            }
            Operation::Forget { source } => {
                for entity in stated(source)? {
                    let action = Action::Restate { formerly: None, values: None };
                    actions.entry(entity).or_default().push((source, action));
                }
            }
            Operation::Amend { source, entity, set, unset } => {
                actions.entry(entity.clone()).or_default().push((source, Action::Amend { set, unset }));
            }
        }
    }
    Ok(actions)
}

/// What follows.
#[derive(Clone, Debug)]
pub struct Settled {
    /// What it did to the entity as people see it.
    pub outcome: Outcome,
    /// The statements as they are now; those that are empty are gone.
    pub statements: BTreeMap<Source, Statement>,
    /// The fold.
    pub resolved: Resolved,
    /// In a few words, if it exists.
    pub summary: Option<Summary>,
    /// The relations that it states, if it exists.
    pub relations: Vec<Relation>,
    /// What to put into its history; `None` if nothing that stands is another.
    pub change: Option<Change>,
    /// The schema that stands now and did not before, and whose word it is.
    pub schema: Option<(Source, Schema)>,
    /// What sources say in vain.
    pub kept: Vec<Kept>,
}

/// Applies actions to the statements about one entity.
pub fn settle(
    entity: &EntityRef,
    before: BTreeMap<Source, Statement>,
    actions: &[(&Source, Action<'_>)],
    at: Timestamp,
) -> Settled {
    let old = resolve(entity, &before);
    let mut statements = before;
    for (source, action) in actions {
        let own = statements.remove(*source);
        let after = match action {
            Action::Restate { formerly, values } => {
                let former = formerly.filter(|_| values.is_some()).and_then(|formerly| statements.remove(formerly));
                let own = own.or(former).unwrap_or_default();
                restate(source, &own, values.cloned().unwrap_or_default(), at)
            }
            Action::Amend { set, unset } => amend(source, &own.unwrap_or_default(), (*set).clone(), unset, at),
        };
        if !after.is_empty() {
            statements.insert((*source).clone(), after);
        }
    }
    let resolved = resolve(entity, &statements);
    let change = compare(&old, &resolved, at);
    let schema = match (resolved.standing(facts::SCHEMA), old.standing(facts::SCHEMA)) {
        (Some(new), old) if old.is_none_or(|old| old.value != new.value) => {
            resolved.schema().map(|schema| (new.source.clone(), schema))
        }
        _ => None,
    };
    let kept = resolved.overruled().map(|fact| Kept { entity: entity.clone(), fact }).collect();
    Settled {
        outcome: change.as_ref().map_or(Outcome::Unchanged, |change| change.outcome),
        statements,
        summary: summary(entity, &resolved),
        relations: resolved.entity.as_ref().map(relation::of_entity).unwrap_or_default(),
        change,
        schema: schema.filter(|_| resolved.entity.is_some()),
        kept,
        resolved,
    }
}

fn compare(old: &Resolved, new: &Resolved, at: Timestamp) -> Option<Change> {
    let outcome = match (&old.entity, &new.entity) {
        (None, None) => return None,
        (None, Some(_)) => Outcome::Added,
        (Some(_), None) => Outcome::Removed,
        (Some(_), Some(_)) => Outcome::Changed,
    };
    let standing = |resolved: &Resolved| -> BTreeMap<String, greylag_model::provenance::Fact> {
        let visible = resolved.entity.is_some();
        resolved.all_standing().filter(|_| visible).map(|fact| (fact.key.clone(), fact.clone())).collect()
    };
    let (mut before, after) = (standing(old), standing(new));
    let mut changes = Vec::new();
    for (key, fact) in after {
        let was = before.remove(&key).map(|was| was.value);
        if was.as_ref() != Some(&fact.value) {
            changes.push(FactChange { key, before: was, after: Some(fact.value), source: fact.source });
        }
    }
    changes.extend(before.into_iter().map(|(key, fact)| FactChange {
        key,
        before: Some(fact.value),
        after: None,
        source: fact.source,
    }));
    changes.sort_by(|a, b| a.key.cmp(&b.key));
    (!changes.is_empty()).then_some(Change { at, outcome, facts: changes })
}

fn summary(entity: &EntityRef, resolved: &Resolved) -> Option<Summary> {
    resolved.entity.as_ref()?;
    let text = |key: &str| resolved.text(key).map(str::to_owned);
    Some(Summary {
        entity: entity.clone(),
        entity_type: text(facts::TYPE),
        title: text(facts::TITLE),
        owner: resolved.owner(entity),
        lifecycle: text(facts::LIFECYCLE),
        tags: resolved.tags(),
        location: resolved.location(),
        declared: resolved.layout(),
        partition_by: resolved.partitions(),
        registered_by: (resolved.facts.iter())
            .filter(|fact| fact.key == facts::IDENTITY)
            .map(|fact| fact.source.clone())
            .collect(),
    })
}

impl Settled {
    /// The text that a search goes by, in the order of weight: name, title, tags and owner, columns, the rest.
    pub fn search_text(&self) -> [String; 5] {
        let Some(summary) = &self.summary else { return Default::default() };
        let columns = self.resolved.schema().unwrap_or_default();
        let names: Vec<&str> = columns.columns.iter().map(|column| column.name.as_str()).collect();
        let owner = summary.owner.as_ref().map(|owner| owner.name.as_str()).unwrap_or_default();
        let path = summary.location.as_ref().map(|location| location.path.as_str()).unwrap_or_default();
        [
            format!("{} {}", summary.entity.namespace, summary.entity.name),
            summary.title.clone().unwrap_or_default(),
            format!("{} {owner}", summary.tags.join(" ")),
            names.join(" "),
            format!("{} {path}", self.resolved.text(facts::DESCRIPTION).unwrap_or_default()),
        ]
    }
}
