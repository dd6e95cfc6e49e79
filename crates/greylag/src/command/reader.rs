//! `greylag reader`: the long-lived child that opens untrusted files under limits. Not for people.

use crate::exit::Exit;
use crate::failure::Outcome;
use crate::wire;
use clap::Args;

/// Read files for a parent process (internal).
#[derive(Debug, Args)]
pub(crate) struct Reader {
    /// Most bytes of memory.
    #[arg(long)]
    memory_bytes: u64,
}

impl Reader {
    pub(crate) fn run(&self) -> Outcome {
        wire::read_for_parent(self.memory_bytes)?;
        Ok(Exit::Done)
    }
}
