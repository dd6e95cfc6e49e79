//! Counting what a store does, so that tests can show that a step costs the same in a run of a hundred tasks and in one
//! of ten thousand.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What a store has done since counting began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Transactions committed.
    pub commits: u64,
    /// Statements run, `BEGIN` and `COMMIT` left out.
    pub statements: u64,
    /// Rows written.
    pub rows_written: u64,
    /// Rows read into the program.
    pub rows_read: u64,
    /// Bytes bound to writing statements; an integer counts 8.
    pub bytes: u64,
    /// Instructions of SQLite's virtual machine: what a scan would show in.
    pub instructions: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counter {
    armed: AtomicBool,
    commits: AtomicU64,
    statements: AtomicU64,
    rows_written: AtomicU64,
    rows_read: AtomicU64,
    bytes: AtomicU64,
    instructions: AtomicU64,
}

impl Counter {
    pub(crate) fn arm(&self) {
        self.armed.store(true, Ordering::Release);
    }
    pub(crate) fn is_armed(&self) -> bool {
        self.armed.load(Ordering::Acquire)
    }
    pub(crate) fn add(&self, counts: Counts) {
        self.commits.fetch_add(counts.commits, Ordering::Relaxed);
        self.statements.fetch_add(counts.statements, Ordering::Relaxed);
        self.rows_written.fetch_add(counts.rows_written, Ordering::Relaxed);
        self.rows_read.fetch_add(counts.rows_read, Ordering::Relaxed);
        self.bytes.fetch_add(counts.bytes, Ordering::Relaxed);
        self.instructions.fetch_add(counts.instructions, Ordering::Relaxed);
    }
    pub(crate) fn read(&self) -> Counts {
        Counts {
            commits: self.commits.load(Ordering::Relaxed),
            statements: self.statements.load(Ordering::Relaxed),
            rows_written: self.rows_written.load(Ordering::Relaxed),
            rows_read: self.rows_read.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            instructions: self.instructions.load(Ordering::Relaxed),
        }
    }
}
