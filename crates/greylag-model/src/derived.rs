//! Derived datasets: what is made from others by a writer, and goes on being made.
//!
//! **Terms.** The *writer* is a command that stands for the program which will make the new dataset. The *watermark* W is the
//! largest value that a column of the mapped old dataset has; the writer owns what is not below W. The *overlap* is a
//! stretch [W − o, W) that both have made.
//!
//! | `history` | rows below W | rows from W on | what is compared |
//! |---|---|---|---|
//! | `rerun` | the writer's | the writer's | all of it with mapping(old) |
//! | `backfill` | mapping(old) | the writer's | in the overlap, the writer's rows with mapping(old) |
//! | `none` | none | the writer's | nothing |
//!
//! **Invariant.** No row of the new dataset comes from two makers, and none of either is left out: W is found once, before the
//! writer runs, and kept with the run.

use crate::dataset::{Layout, Location};
use crate::entity::EntityRef;
use crate::mapping::Mapping;
use crate::schema::Schema;
pub use crate::spec::History;
use serde::{Deserialize, Serialize};

/// Step that finds the watermark.
pub const SURVEY: &str = "data/survey";

/// How a dataset is made from others, as a plan freezes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Derived {
    /// Name of the step that runs the writer.
    pub writer: String,
    /// Where the past comes from.
    pub history: History,
    /// Which column of the new dataset says where the past ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watermark: Option<String>,
    /// How far below the watermark both make rows, in the column's own unit.
    #[serde(default)]
    pub overlap: i64,
    /// What the writer reads.
    pub reads: Vec<Read>,
    /// The new dataset onto itself: what is done to the writer's files.
    pub copy: Mapping,
}

/// A dataset that a writer reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Read {
    /// As the file calls it, which is where the writer finds it: `/data/reads/NAME`.
    pub name: String,
    /// Which dataset: the new one, if this migration makes it.
    #[serde(rename = "ref")]
    pub entity: EntityRef,
    /// Where it lies.
    pub location: Location,
    /// How it is laid out.
    pub layout: Layout,
    /// Its columns, those of the partition last.
    pub schema: Schema,
}

/// What the survey wrote down, in the watermark column's own unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Survey {
    /// The largest value of the mapped old dataset; none if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watermark: Option<i64>,
    /// From where on the writer is to make rows; none: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<i64>,
}
