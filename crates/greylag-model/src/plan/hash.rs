//! The plan's hash: what makes it frozen.
//!
//! The id is BLAKE3 over the header (with an empty id) and the digests of the tasks in order, each over the JSON of its
//! value as serde writes it: fields in declared order, maps sorted, absent values left out. A stored task can be checked
//! alone by its digest, and a plan without loading all tasks at once.

use super::{Plan, PlanHeader, PlanTask};
use crate::id::PlanId;
use serde::Serialize;

impl Plan {
    /// The id that the contents have.
    pub fn computed_id(&self) -> PlanId {
        computed_id(&self.header, self.tasks.iter().map(PlanTask::digest))
    }

    /// Whether the contents are those that were hashed, in the format that this build reads.
    pub fn verify_hash(&self) -> bool {
        self.header.version == super::PLAN_VERSION && self.header.id == self.computed_id()
    }
}

impl PlanTask {
    /// BLAKE3 over the task's canonical JSON.
    pub fn digest(&self) -> [u8; 32] {
        *digest(self).as_bytes()
    }
}

/// The id of a header and the digests of its tasks in order.
pub fn computed_id(header: &PlanHeader, tasks: impl IntoIterator<Item = [u8; 32]>) -> PlanId {
    let unnamed = PlanHeader { id: PlanId::new(""), ..header.clone() };
    let mut hasher = blake3::Hasher::new();
    hasher.update(digest(&unnamed).as_bytes());
    for task in tasks {
        hasher.update(&task);
    }
    PlanId::new(format!("p-{}", &hasher.finalize().to_hex()[..12]))
}

fn digest(value: &impl Serialize) -> blake3::Hash {
    // Plain structs always serialise; were one not to, its digest would be that of nothing and no hash would match.
    blake3::hash(&serde_json::to_vec(value).unwrap_or_default())
}
