//! The catalog's store: what sources state about entities, and the fold of it.
//!
//! The store keeps *statements* (see [`greylag_model::provenance`]): per source and entity, what the source says. It is
//! authoritative for them. The resolved entity, its relations, its schema versions, its history and the search index are
//! derived from them in the same transaction by [`settle()`], which every implementation shares, so that none can fold
//! differently. Whoever dies in [`Catalog::apply`] leaves all of the batch or nothing.
//!
//! Applying the same batch twice changes nothing the second time, not even a time: values that a source repeats keep the
//! time since when it has been saying them. That is what makes a step that publishes safe to start again.

mod conformance;
mod filter;
mod memory;
mod settle;

pub use conformance::{Make, conformance};
pub use filter::{Filter, matches, words};
pub use memory::MemoryCatalog;
pub use settle::{Action, Actions, Settled, actions, settle};

use crate::error::DriverError;
use greylag_model::dataset::{Dataset, Location};
use greylag_model::entity::relation::Relation;
use greylag_model::entity::{DATASET, Entity, EntityRef};
use greylag_model::id::Timestamp;
use greylag_model::provenance::{Fact, Overruled, Source, Values};
use greylag_model::schema::Schema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Keeps what sources state about entities.
pub trait Catalog: Send + Sync {
    /// Applies a batch in one transaction and says what became of it.
    fn apply(&self, batch: &Batch) -> Result<Applied, DriverError>;

    /// What is known of each entity in a few words, in the order asked; `None` where there is none.
    fn find(&self, entities: &[EntityRef]) -> Result<Vec<Option<Summary>>, DriverError>;

    /// Which entity lies at each location, in the order asked; of several the first by reference.
    fn located(&self, locations: &[Location]) -> Result<Vec<Option<EntityRef>>, DriverError>;

    /// Everything that is stated of an entity. An entity that is gone has a record without an entity as long as somebody
    /// still states something of it, else none.
    fn record(&self, entity: &EntityRef) -> Result<Option<Record>, DriverError>;

    /// A page of the entities that fit a filter, in the order of their references.
    fn list(&self, filter: &Filter, page: &Page) -> Result<Listing, DriverError>;

    /// The entities whose words fit a text best, at most `limit`: every word of the text must begin a word of the name,
    /// title, description, tags, columns, owner or path.
    fn search(&self, text: &str, limit: usize) -> Result<Vec<Summary>, DriverError>;

    /// Relations in order: all, or those that begin or end at an entity. The other end may be unknown to the catalog.
    fn relations(&self, entity: Option<&EntityRef>) -> Result<Vec<Relation>, DriverError>;

    /// The versions of an entity's schema, oldest first; also of one that is gone.
    fn schemas(&self, entity: &EntityRef) -> Result<Vec<SchemaVersion>, DriverError>;

    /// What became of an entity, oldest first; also of one that is gone.
    fn history(&self, entity: &EntityRef) -> Result<Vec<Change>, DriverError>;

    /// Who states anything, by source.
    fn sources(&self) -> Result<Vec<SourceRecord>, DriverError>;
}

/// Operations that hold together or not at all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// When they are applied.
    pub at: Timestamp,
    /// In order.
    pub operations: Vec<Operation>,
}

/// One operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// The source says this and nothing else.
    Replace {
        /// Who.
        source: Source,
        /// What a person named to have it read: the directory or file given to the import.
        via: String,
        /// The name that the source had before (a file that was moved): what it said of these entities counts as said
        /// before by the new name, and no longer by the old one.
        formerly: Option<Source>,
        /// What it says, by entity.
        entities: BTreeMap<EntityRef, Values>,
        /// What becomes of the entities of which it said something so far and that are not here.
        absent: Absent,
    },
    /// The source says nothing any more.
    Forget {
        /// Who.
        source: Source,
    },
    /// The source also says `set` of an entity and no longer `unset`; all else that it says stays.
    Amend {
        /// Who.
        source: Source,
        /// Of what.
        entity: EntityRef,
        /// New facts.
        set: Values,
        /// Keys of facts that it takes back.
        unset: Vec<String>,
    },
}

/// What becomes of what a source said of entities that it no longer speaks of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Absent {
    /// It is gone.
    #[default]
    Vanish,
    /// It stays: the source could be read only in part.
    Stay,
    /// It stays of these, which could not be read; the rest is gone.
    StayThese(BTreeSet<EntityRef>),
}

/// What became of a batch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Applied {
    /// Each entity that the batch spoke of, by reference.
    pub entities: Vec<Touched>,
    /// What the batch's sources say in vain, and whose word stands.
    pub kept: Vec<Kept>,
}

impl Applied {
    /// How many entities had an outcome.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.entities.iter().filter(|touched| touched.outcome == outcome).count()
    }
}

/// What became of an entity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touched {
    /// Which.
    pub entity: EntityRef,
    /// What.
    pub outcome: Outcome,
}

/// What a batch did to an entity as people see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It is new, or back.
    Added,
    /// Some fact of it is another.
    Changed,
    /// It is as it was.
    Unchanged,
    /// It is gone.
    Removed,
}

/// A fact that was kept against what a source says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// Of which entity.
    pub entity: EntityRef,
    /// What is said and what stands.
    #[serde(flatten)]
    pub fact: Overruled,
}

/// An entity in a few words: a row of a list, and what a probe needs to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// What others call it.
    #[serde(rename = "ref")]
    pub entity: EntityRef,
    /// `spec.type`.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub entity_type: Option<String>,
    /// A line for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<EntityRef>,
    /// Where it is in its life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<String>,
    /// Tags, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Where it lies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// Declared layout: annotation → text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub declared: BTreeMap<String, String>,
    /// Hive partition columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partition_by: Vec<String>,
    /// Who says that it exists, weightiest first.
    pub registered_by: Vec<Source>,
}

impl Summary {
    /// The dataset, if it is one that has a location.
    pub fn dataset(&self) -> Option<Dataset> {
        let is = self.entity.kind == "resource" && self.entity_type.as_deref() == Some(DATASET);
        let location = self.location.clone().filter(|_| is)?;
        Some(Dataset { entity: self.entity.clone(), location, declared: self.declared.clone() })
    }
}

/// Everything that is stated of an entity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// As it stands; `None` while nobody identifies it.
    pub entity: Option<Entity>,
    /// Every stated fact, by key; of each key the first one stands.
    pub facts: Vec<Fact>,
}

/// Which part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Begins behind this reference.
    pub after: Option<EntityRef>,
    /// Most entities.
    pub limit: usize,
}

impl Default for Page {
    /// The first hundred.
    fn default() -> Self {
        Self { after: None, limit: 100 }
    }
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Listing {
    /// In the order of their references.
    pub items: Vec<Summary>,
    /// How many fit the filter in all.
    pub total: u64,
    /// Behind what the next page begins, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<EntityRef>,
}

/// A version of a dataset's schema.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SchemaVersion {
    /// 1 for the first.
    pub version: u32,
    /// Since when it stood.
    pub at: Timestamp,
    /// Whose word it was.
    pub source: Source,
    /// The columns.
    pub schema: Schema,
}

/// What a batch changed of an entity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// What it did to the entity as a whole.
    pub outcome: Outcome,
    /// The facts that stand otherwise than before, by key.
    pub facts: Vec<FactChange>,
}

/// A fact that stands otherwise than before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FactChange {
    /// Which field.
    pub key: String,
    /// What stood, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What stands now, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
    /// Whose word stands now; if nobody's, whose word stood.
    pub source: Source,
}

/// A source that states something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRecord {
    /// Who.
    pub source: Source,
    /// What a person named to have it read; empty for migrations.
    pub via: String,
    /// Of how many entities it says something.
    pub entities: u64,
}
