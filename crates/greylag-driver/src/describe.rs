//! Describe: location → what is there.

use crate::error::DriverError;
use greylag_model::dataset::{Dataset, Location};
use greylag_model::schema::Schema;
use greylag_model::snapshot::Observed;
use serde::{Deserialize, Serialize};

/// Looks at datasets where they lie, without changing anything.
pub trait Describe: Send + Sync {
    /// What is at each dataset's location, in the order asked. One bad dataset fails alone.
    fn describe(&self, datasets: &[Dataset]) -> Vec<Result<Observed, DriverError>>;

    /// Whether something is at each location, and the free space there; works for places that do not exist yet.
    fn places(&self, locations: &[Location]) -> Vec<Result<Place, DriverError>>;

    /// Candidate datasets below a directory: files and (partitioned) directories of data files, hidden and half-written
    /// ones left alone. Names are not made here.
    fn scan(&self, root: &Location) -> Result<Vec<Found>, DriverError>;
}

/// A place for a dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// Whether something is there.
    pub exists: bool,
    /// Free bytes on its file system.
    pub free_bytes: u64,
    /// Names the file system.
    pub device: String,
}

/// A dataset that a scan found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    /// Where.
    pub location: Location,
    /// Its columns, or why they cannot be had.
    pub schema: Result<Schema, DriverError>,
    /// Hive partition columns.
    pub partition_by: Vec<String>,
    /// `parquet`, `csv`, `json` or `avro`.
    pub format: String,
}
