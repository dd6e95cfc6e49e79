//! Makes [`MemoryForge`] for the suite.
#![expect(clippy::unwrap_used, reason = "a conformance suite is test code")]

use super::MemoryForge;
use crate::clock::ManualClock;
use crate::forge::conformance::{Make, World};
use crate::forge::{Forge, Head, Policy};
use greylag_model::id::Timestamp;
use std::path::PathBuf;
use std::sync::Arc;

/// Makes forges in memory.
#[derive(Clone, Copy, Debug, Default)]
pub struct MakeMemory;

const NAME: &str = "team/models";

impl Make for MakeMemory {
    fn world(&self, policy: Policy, files: &[(&str, &str)]) -> Box<dyn World> {
        let forge = MemoryForge::new(Arc::new(ManualClock::at(Timestamp(1_700_000_000_000))));
        forge.make(NAME, policy, files);
        Box::new(forge)
    }
}

impl World for MemoryForge {
    fn forge(&self) -> &dyn Forge {
        self
    }
    fn repository(&self) -> String {
        NAME.to_owned()
    }
    fn commit(&self, parent: &str, edits: &[(&str, Option<&str>)]) -> Head {
        Head { commit: MemoryForge::commit(self, NAME, parent, edits).unwrap(), folder: PathBuf::new() }
    }
    fn push(&self, branch: &str, head: Option<&Head>) {
        MemoryForge::push(self, NAME, branch, head.map(|head| head.commit.as_str())).unwrap();
    }
    fn branch(&self, branch: &str) -> Option<String> {
        MemoryForge::branch(self, NAME, branch).unwrap()
    }
    fn branches(&self) -> Vec<String> {
        self.with(NAME, |held| Ok(held.graph.branches.keys().cloned().collect())).unwrap()
    }
    fn read(&self, branch: &str, path: &str) -> Option<String> {
        MemoryForge::read(self, NAME, &World::branch(self, branch).unwrap(), path).unwrap()
    }
}
