//! `greylag changes patch`.

use super::address::Address;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::{output, wire};
use clap::Args;
use greylag_code::git::{ObjectId, Repository};
use greylag_driver::forge::{ChangeRequest, State};

/// Print what a change request changes, as a patch that `git apply` takes.
#[derive(Debug, Args)]
pub(super) struct Patch {
    /// The change request.
    #[arg(value_name = "REPOSITORY#NUMBER")]
    change: Address,
}

impl Patch {
    pub(super) fn run(&self, context: &Context) -> Outcome {
        let forge = wire::forge(context)?;
        let request = self.change.find(&forge)?;
        let repository = forge.repository(&request.repository)?;
        let (from, to) = ends(&repository, &request)?;
        output::raw(&repository.patch(&from, &to)?)?;
        Ok(Exit::Done)
    }
}

/// Between which commits its change lies: what it has on top of its base, or what its merge brought to that.
fn ends(repository: &Repository, request: &ChangeRequest) -> Result<(ObjectId, ObjectId), Failure> {
    let head = ObjectId::parse(&request.head)?;
    if let (State::Merged, Some(merge)) = (request.state, &request.merge_commit) {
        let merge = ObjectId::parse(merge)?;
        if let [before, _] = repository.written(&merge)?.parents.as_slice() {
            return Ok((before.clone(), merge));
        }
    } else if let Some(base) = repository.branch(&request.base)?
        && let Some(common) = repository.merge_base(&base, &head)?
    {
        return Ok((common, head));
    }
    // Its base has it, or is gone: what its last commit changed.
    let before = repository.written(&head)?.parents.into_iter().next();
    Ok((before.unwrap_or_else(|| head.clone()), head))
}
