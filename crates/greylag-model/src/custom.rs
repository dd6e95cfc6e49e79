//! Commands of custom steps, as plans freeze them.

use serde::{Deserialize, Serialize};

/// How much one run of a command may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Memory of all its processes together.
    pub memory_bytes: u64,
    /// Processor time of all its processes together, milliseconds.
    pub cpu_millis: u64,
    /// Processes and threads at the same time.
    pub processes: u64,
    /// Its scratch folder, and what it adds to folders that it may write to.
    pub disk_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory_bytes: 512 << 20, cpu_millis: 600_000, processes: 64, disk_bytes: 256 << 20 }
    }
}
