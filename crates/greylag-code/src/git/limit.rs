//! How much a repository may cost.

use std::time::Duration;

/// What a process of git may use, and how large a repository may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long one command may take.
    pub time: Duration,
    /// Address space of each process.
    pub memory_bytes: u64,
    /// Largest file that git may write, so also the largest pack.
    pub disk_bytes: u64,
    /// Largest file of a repository that is read.
    pub file_bytes: usize,
    /// Most bytes of a listing, a patch or another answer.
    pub output_bytes: usize,
    /// Most entries of a tree with all its folders.
    pub entries: usize,
    /// Deepest folder.
    pub depth: usize,
}

impl Default for Limits {
    /// Room for the largest repositories that are known, and not for more.
    fn default() -> Self {
        Self {
            time: Duration::from_mins(10),
            memory_bytes: 4 << 30,
            disk_bytes: 5 << 30,
            file_bytes: 64 << 20,
            output_bytes: 256 << 20,
            entries: 2_000_000,
            depth: 256,
        }
    }
}
