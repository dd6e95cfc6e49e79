//! A job's units of work.

use super::Job;
use crate::listing::{Anchor, DataFile};
pub(super) use crate::units::Unit;
use crate::units::{in_parallel, units};
use greylag_driver::error::DriverError;
use greylag_model::dataset::Layout;

impl Job<'_> {
    /// The units of a dataset.
    pub(super) fn units(&self, anchor: &Anchor, layout: &Layout, files: &[DataFile]) -> Result<Vec<Unit>, DriverError> {
        units(&|request| self.call(request), anchor, layout, files, self.plane.options.chunk_bytes)
    }

    /// Does `work` for every item with as many threads as there are readers, until one fails.
    pub(super) fn in_parallel<T: Sync>(
        &self,
        items: &[T],
        work: impl Fn(usize, &T) -> Result<(), DriverError> + Sync,
    ) -> Result<(), DriverError> {
        in_parallel(self.plane.readers.at_once(), items, &|| self.go_on(), work)
    }
}
