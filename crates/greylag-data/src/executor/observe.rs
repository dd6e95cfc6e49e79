//! A look at a dataset of the plan as it is now.

use super::Job;
use super::dataset::Place;
use greylag_driver::error::DriverError;
use greylag_model::dataset::{Dataset, Location};
use greylag_model::snapshot::{Observed, fingerprint};

impl Job<'_> {
    /// What a dataset that the plan has observed is now.
    pub(super) fn observe(&self, planned: &Observed) -> Result<Observed, DriverError> {
        // The roots of connections are the plan's, which no driver knows: the dataset is asked after by its absolute path.
        let path = Place::of(&planned.dataset.location, &self.request.header.connections)?.path.display().to_string();
        let located = Dataset { location: Location { connection: None, path }, ..planned.dataset.clone() };
        let now = self.plane.describe.describe(&[located]).into_iter().next();
        let now = now.ok_or_else(|| crate::error::lost("the old dataset"))??;
        let found = fingerprint(&planned.dataset, &now.layout, &now.schema);
        Ok(Observed { dataset: planned.dataset.clone(), fingerprint: found, ..now })
    }
}
