//! Limits that all runs of a state folder share, and what each run has of them.

use super::{Loaded, RunLease};
use crate::error::DriverError;
use greylag_model::id::{RunId, Timestamp};
use greylag_model::limit::{Allotted, Ask, Limits, Share};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What runs have of one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyUse {
    /// The key.
    pub key: String,
    /// Run and share, those of runs that are driven alone.
    pub shares: Vec<(RunId, Share)>,
}

/// Limits and what is taken of them. See [`greylag_model::limit`].
pub trait Quotas: Send + Sync {
    /// The limits as they are.
    fn limits(&self) -> Result<Limits, DriverError>;
    /// Puts these limits in place of those before; changes what [`super::Watch::version`] answers. What is under way goes on.
    fn set_limits(&self, limits: &Limits) -> Result<(), DriverError>;
    /// What runs that are being driven have under way, by key.
    fn limit_use(&self, now: Timestamp) -> Result<Vec<KeyUse>, DriverError>;
    /// Decides what a run may begin, and remembers it, in one transaction. Class conflict: the lease was lost. A run's shares
    /// end with its lease, and those of a process that is known to have died with it.
    fn allot(&self, lease: &RunLease, ask: &Ask, now: Timestamp) -> Result<Allotted, DriverError>;
    /// Ready tasks whose wake time has come, lane by lane, of each lane at most `ready` by wake time and ordinal; those of the
    /// lanes in `closed` are left out, and cost nothing however many they are.
    fn due_beside(
        &self,
        run: &RunId,
        now: Timestamp,
        ready: usize,
        closed: &BTreeSet<u32>,
    ) -> Result<Vec<Loaded>, DriverError>;
}
