//! Snapshots: what was probed of the world for one spec, as a value.

use crate::dataset::{Dataset, Layout, Location};
use crate::diagnostic::Diagnostic;
use crate::entity::EntityRef;
use crate::id::Timestamp;
use crate::schema::Schema;
use serde::{Deserialize, Serialize};

/// What was probed, one entry per pair of the spec and in its order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// When the probe began.
    pub taken_at: Timestamp,
    /// Per pair.
    pub pairs: Vec<PairSnapshot>,
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
    /// What lies downstream.
    pub impact: Impact,
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
