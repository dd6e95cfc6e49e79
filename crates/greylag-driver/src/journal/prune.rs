//! Letting go of plans and journals that nobody needs any more.
//!
//! **Who decides** what is needed is the caller: it knows the retention and whether an undo is still wanted. The store
//! only refuses what would break it: a plan that a run executes, a run that has not ended or that somebody drives.
//!
//! **When it dies half-way.** Each removal is one transaction, so a plan or run is there whole or not at all. Shrinking
//! changes no content.
//!
//! **Names are used once.** Effects in the world have names made of run, task and step, and executors know their own
//! effects by them. So the name of a run that was removed stays taken for ever; that is all that stays of it.

use super::Journal;
use crate::error::DriverError;
use greylag_model::id::{PlanId, RunId, Timestamp};
use serde::{Deserialize, Serialize};

/// A journal that can let go of things.
pub trait Prune: Journal {
    /// About how many bytes a plan takes in the store. 0 if there is none.
    fn plan_bytes(&self, plan: &PlanId) -> Result<u64, DriverError>;
    /// About how many bytes a run and its journal take in the store. 0 if there is none.
    fn run_bytes(&self, run: &RunId) -> Result<u64, DriverError>;
    /// Removes a plan; false if there is none. Refused with class conflict if a run executes it.
    fn remove_plan(&self, plan: &PlanId) -> Result<bool, DriverError>;
    /// Removes a run with its journal, all or nothing; false if there is none. Refused with class conflict if it has not
    /// ended or a living process drives it. Its name stays taken.
    fn remove_run(&self, run: &RunId, now: Timestamp) -> Result<bool, DriverError>;
    /// When the run of this name was removed, if it was.
    fn removed_at(&self, run: &RunId) -> Result<Option<Timestamp>, DriverError>;
    /// Gives the space of what was removed back to the file system, and clears away what dead workers left. Class
    /// transient while another process is in the way; nothing is lost then.
    fn shrink(&self) -> Result<Shrunk, DriverError>;
}

/// What the store took on disk, bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shrunk {
    /// Before.
    pub before: u64,
    /// Now.
    pub after: u64,
}
