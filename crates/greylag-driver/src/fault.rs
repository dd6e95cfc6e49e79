//! Fault points: named places where a test rig can make the real code stop or fail.
//!
//! Production passes [`NoFaults`]. The binary can be told to kill itself at the n-th hit of a point, or to answer "no
//! space left" there, so that crash and disk-full tests run the very binary that users run.
//!
//! Every step passes five points, named `<uses>:<point>`, or `undo:<uses>:<point>` when it is taken back:
//! `before-intent`, `after-intent`, `in-effect` (hit by the executor, through its context), `after-effect` and
//! `after-commit` (the outcome is on disk).

use std::io;

/// Decides what happens at a named place.
pub trait Faults: Send + Sync {
    /// Called at `point`, e.g. `data/publish:in-effect`. May not return at all (a crash), or fail the operation.
    fn hit(&self, point: &str) -> io::Result<()>;

    /// Whether any point does anything; asked before the name of a point is put together.
    fn armed(&self) -> bool {
        true
    }
}

/// Nothing ever happens.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFaults;

impl Faults for NoFaults {
    fn hit(&self, _point: &str) -> io::Result<()> {
        Ok(())
    }

    fn armed(&self) -> bool {
        false
    }
}
