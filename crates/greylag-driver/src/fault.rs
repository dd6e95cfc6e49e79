//! Fault points: named places where a test rig can make the real code stop or fail.
//!
//! Production passes [`NoFaults`]. The binary can be told to kill itself at the n-th hit of a point, or to answer "no
//! space left" there, so that crash and disk-full tests run the very binary that users run.

use std::io;

/// Decides what happens at a named place.
pub trait Faults: Send + Sync {
    /// Called at `point`, e.g. `data/publish:in-effect`. May not return at all (a crash), or fail the operation.
    fn hit(&self, point: &str) -> io::Result<()>;
}

/// Nothing ever happens.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFaults;

impl Faults for NoFaults {
    fn hit(&self, _point: &str) -> io::Result<()> {
        Ok(())
    }
}
