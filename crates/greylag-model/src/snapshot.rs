//! Snapshots: what was probed of the world for one spec, as a value.

use crate::custom::Script;
use crate::dataset::{Dataset, Layout, Location};
use crate::diagnostic::Diagnostic;
use crate::entity::EntityRef;
use crate::id::Timestamp;
use crate::increment::Published;
use crate::plan::CodeObserved;
use crate::sample::{Sample, Sampling};
use crate::schema::Schema;
use crate::task::Failure;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What was probed, one entry per pair of the spec and in its order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// When the probe began.
    pub taken_at: Timestamp,
    /// Roots of the connections: name → absolute path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub connections: BTreeMap<String, String>,
    /// Per pair.
    pub pairs: Vec<PairSnapshot>,
    /// The catalog's lineage among the sources of the pairs, consumers in between left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lineage: Vec<LineageEdge>,
    /// Files and folders beside the migration file that its commands name, or why they cannot be had.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub scripts: BTreeMap<String, Result<Script, String>>,
    /// Datasets that `diff` checks name, by what the file calls them, or why they cannot be had.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub references: References,
    /// How samples were taken, if they were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampling: Option<Sampling>,
    /// What was found in the repositories whose code is to move along, if the migration speaks of code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<CodeObserved>,
}

/// Datasets that checks compare with, by what the file calls them, or why they cannot be had.
pub type References = BTreeMap<String, Result<Observed, Vec<Diagnostic>>>;

/// Some consumer reads one dataset and writes another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LineageEdge {
    /// What is read.
    pub upstream: EntityRef,
    /// What is written from it.
    pub downstream: EntityRef,
}

/// What was probed for one pair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PairSnapshot {
    /// The old dataset, or why it cannot be had (unknown entity, unreadable, corrupt …).
    pub source: Result<Observed, Vec<Diagnostic>>,
    /// The place of the new one.
    pub target: TargetPlace,
    /// Who answers for the old one, if the catalog knows.
    pub owner: Option<EntityRef>,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The owner's time zone, if the owner's entity names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Whether `owner` names an entity that the catalog does not have.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dangling_owner: bool,
    /// What lies downstream.
    pub impact: Impact,
    /// What an earlier run of the migration has made of the target, if one has and the migration goes on from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Published>,
    /// What a sample showed, or why none could be had; absent if none was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<Result<Sample, Failure>>,
}

/// What a probe saw of a dataset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    /// Which dataset.
    pub dataset: Dataset,
    /// Its layout as found.
    pub layout: Layout,
    /// Its columns, partition columns last.
    pub schema: Schema,
    /// Data files, in path order of their relative paths (hidden and half-written ones are left alone).
    pub files: u64,
    /// Rows, where metadata tells (Parquet); an estimate is not given here.
    pub rows: Option<u64>,
    /// Bytes of the data files.
    pub bytes: u64,
    /// Hash of identity and schema (not of content): what `apply` compares.
    pub fingerprint: String,
}

/// Hash of a dataset's identity, layout and schema, and of nothing else: new rows and files leave it alone.
///
/// It is what [`Observed::fingerprint`] holds; `apply` compares it with the plan's. 32 hex digits.
pub fn fingerprint(dataset: &Dataset, layout: &Layout, schema: &Schema) -> String {
    #[derive(Serialize)]
    struct Identity<'a> {
        entity: &'a EntityRef,
        location: &'a Location,
        layout: &'a Layout,
        schema: &'a Schema,
    }
    let identity = Identity { entity: &dataset.entity, location: &dataset.location, layout, schema };
    // Writing plain structs into memory cannot fail; an empty text would only make every plan stale.
    let text = serde_json::to_vec(&identity).unwrap_or_default();
    let mut hex = blake3::hash(&text).to_hex().to_string();
    hex.truncate(32);
    hex
}

/// The place where a new dataset will stand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetPlace {
    /// The new dataset's reference.
    pub entity: EntityRef,
    /// Where.
    pub location: Location,
    /// Whether something is there already.
    pub exists: bool,
    /// Free bytes on its file system.
    pub free_bytes: u64,
    /// Names the file system, so that free space is counted once for many targets.
    pub device: String,
}

/// What lies downstream of a dataset in the catalog's lineage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Impact {
    /// Direct consumers.
    pub direct: Vec<EntityRef>,
    /// How many more beyond them.
    pub indirect: u64,
}
