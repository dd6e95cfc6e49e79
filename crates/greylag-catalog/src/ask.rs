//! Questions that people ask: which entity a name means, what is known of it, what lies up or down from it.

use crate::descriptors::cyclic;
use greylag_driver::catalog::{Catalog, Change, Record, SchemaVersion};
use greylag_driver::error::DriverError;
use greylag_model::code::catalog as code;
use greylag_model::diagnostic::Diagnostic;
use greylag_model::entity::relation::{self, Relation};
use greylag_model::entity::{Entity, EntityRef};
use greylag_model::lineage::{Direction, Graph, Hop, Tree};
use greylag_model::provenance::Fact;
use greylag_model::snapshot::Impact;
use serde::{Deserialize, Serialize};

/// Kinds that a name without one is looked for in, in this order.
const ORDER: &[&str] = &["resource", "component", "group", "user", "system", "domain", "api", "location"];

/// The entity that a text means: a reference, or a name of a dataset, else of a component, and so on.
pub fn resolve(catalog: &dyn Catalog, text: &str) -> Result<EntityRef, DriverError> {
    let kinds = if text.contains(':') { &ORDER[..1] } else { ORDER };
    let candidates: Vec<EntityRef> = kinds.iter().filter_map(|kind| EntityRef::parse(text, kind)).collect();
    let found = catalog.find(&candidates)?;
    let known = candidates.into_iter().zip(found).find_map(|(entity, summary)| summary.map(|_| entity));
    match known {
        Some(entity) => Ok(entity),
        None => Err(unknown(catalog, text)?),
    }
}

fn unknown(catalog: &dyn Catalog, text: &str) -> Result<DriverError, DriverError> {
    let error = DriverError::permanent(code::UNKNOWN_ENTITY, format!("the catalog knows no entity `{text}`"));
    let name = text.rsplit([':', '/']).next().unwrap_or(text);
    let mut near = catalog.search(name, 10)?;
    let mut shorter = name;
    while near.is_empty() && shorter.len() > 2 {
        let end = shorter.char_indices().next_back().map_or(0, |(end, _)| end);
        shorter = &shorter[..end];
        near = catalog.search(shorter, 10)?;
    }
    near.sort_by_key(|summary| strsim::levenshtein(name, &summary.entity.name));
    near.truncate(3);
    Ok(match near.as_slice() {
        [] => error.hint("import its descriptor, or scan the directory that holds it"),
        near => {
            let names: Vec<String> = near.iter().map(|summary| format!("`{}`", summary.entity)).collect();
            error.hint(format!("did you mean {}", names.join(", ")))
        }
    })
}

/// Everything that the catalog knows of an entity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shown {
    /// What others call it.
    #[serde(rename = "ref")]
    pub reference: EntityRef,
    /// As it stands.
    pub entity: Option<Entity>,
    /// Every stated fact with its source, by key; of each key the first one stands.
    pub facts: Vec<Fact>,
    /// Its relations, seen from it.
    pub relations: Vec<Tie>,
    /// Versions of its schema, oldest first.
    pub schemas: Vec<SchemaVersion>,
    /// What lies downstream.
    pub impact: Impact,
}

/// A relation seen from one end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tie {
    /// E.g. `ownedBy`, `dependencyOf`.
    #[serde(rename = "type")]
    pub kind: String,
    /// To whom.
    pub target: EntityRef,
}

/// Shows an entity.
pub fn show(catalog: &dyn Catalog, entity: &EntityRef) -> Result<Shown, DriverError> {
    let Some(Record { entity: resolved, facts }) = catalog.record(entity)? else {
        return Err(unknown(catalog, &entity.to_string())?);
    };
    let ties = |relation: Relation| {
        if relation.from == *entity {
            Tie { kind: relation.kind, target: relation.to }
        } else {
            Tie { kind: relation::backward(&relation.kind).to_owned(), target: relation.from }
        }
    };
    let mut relations: Vec<Tie> = catalog.relations(Some(entity))?.into_iter().map(ties).collect();
    relations.sort();
    relations.dedup();
    Ok(Shown {
        reference: entity.clone(),
        entity: resolved,
        facts,
        relations,
        schemas: catalog.schemas(entity)?,
        impact: graph(catalog)?.impact(entity),
    })
}

/// What became of an entity, oldest first. Unknown entities have no history, and that is an error.
pub fn history(catalog: &dyn Catalog, entity: &EntityRef) -> Result<Vec<Change>, DriverError> {
    let history = catalog.history(entity)?;
    if history.is_empty() { Err(unknown(catalog, &entity.to_string())?) } else { Ok(history) }
}

/// The graph of all lineage.
pub fn graph(catalog: &dyn Catalog) -> Result<Graph, DriverError> {
    Ok(Graph::of_relations(&catalog.relations(None)?))
}

/// What lies up or down from an entity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lineage {
    /// Which way.
    pub direction: Direction,
    /// For people.
    pub tree: Tree,
    /// For programs: the same edges, nearest first.
    pub edges: Vec<Hop>,
    /// What lies downstream, whichever way was asked.
    pub impact: Impact,
    /// The cycles that the entity, or an entity of `edges`, is part of.
    pub cycles: Vec<Diagnostic>,
}

/// Follows lineage from an entity to a depth.
pub fn lineage(
    catalog: &dyn Catalog,
    entity: &EntityRef,
    direction: Direction,
    depth: usize,
) -> Result<Lineage, DriverError> {
    let graph = graph(catalog)?;
    let edges = graph.walk(entity, direction, depth);
    let concerned = |cycle: &[EntityRef]| {
        cycle.contains(entity) || edges.iter().any(|hop| cycle.contains(&hop.from) || cycle.contains(&hop.to))
    };
    let cycles = graph.cycles().into_iter().filter(|cycle| concerned(cycle)).map(|cycle| cyclic(&cycle)).collect();
    Ok(Lineage { direction, tree: graph.tree(entity, direction, depth), impact: graph.impact(entity), cycles, edges })
}
