//! What earlier steps of a task have put out, kept in memory for as long as one flight follows another.
//!
//! The journal has all of it, and a step may always ask it. But most steps want what the step before them put out a moment
//! ago, so it is handed from flight to flight. A chain of flights that began with the very first attempt of its task knows
//! all outputs; any other chain only those that it has seen, and asks the journal for the rest.

use greylag_driver::error::DriverError;
use greylag_model::task::TaskRow;
use serde_json::Value;
use std::sync::Arc;

/// Outputs by the names of their steps.
#[derive(Clone, Debug, Default)]
pub(super) struct Outputs {
    seen: Vec<(String, Arc<Value>)>,
    /// Whether there are no others.
    complete: bool,
}

impl Outputs {
    /// For a flight that follows no other: nothing is seen, and there is nothing if this is the first attempt.
    pub(super) fn unseen(row: &TaskRow) -> Self {
        Self { seen: Vec::new(), complete: row.epoch <= 1 }
    }

    /// With one more, which replaces an earlier one of the same step.
    pub(super) fn with(mut self, uses: &str, value: &Arc<Value>) -> Self {
        self.seen.retain(|(seen, _)| seen != uses);
        self.seen.push((uses.to_owned(), Arc::clone(value)));
        self
    }

    /// One of them, from the journal if it is not known here.
    pub(super) fn get(
        &self,
        uses: &str,
        journal: impl FnOnce() -> Result<Option<Value>, DriverError>,
    ) -> Result<Option<Arc<Value>>, DriverError> {
        match self.seen.iter().find(|(seen, _)| seen == uses) {
            Some((_, value)) => Ok(Some(Arc::clone(value))),
            None if self.complete => Ok(None),
            None => journal().map(|found| found.map(Arc::new)),
        }
    }
}
