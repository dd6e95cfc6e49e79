//! Forges, and the repositories that they have.

pub mod embedded;

use crate::git::Repository;
use embedded::EmbeddedForge;
use greylag_driver::error::DriverError;

/// Where the repositories of a forge can be read and written as bare repositories of this machine: those of the embedded
/// forge are, of another one there are clones.
pub trait Hosts: Send + Sync {
    /// Their names, in order.
    fn names(&self) -> Result<Vec<String>, DriverError>;

    /// One of them, with its branches as they are on the forge.
    fn repository(&self, name: &str) -> Result<Repository, DriverError>;
}

impl Hosts for EmbeddedForge {
    fn names(&self) -> Result<Vec<String>, DriverError> {
        self.hosted()
    }

    fn repository(&self, name: &str) -> Result<Repository, DriverError> {
        EmbeddedForge::repository(self, name)
    }
}
