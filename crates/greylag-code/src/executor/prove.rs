//! The rewritten code is shown to be right, as far as that can be done without running it.

use super::rewrite::Rewritten;
use super::{Job, Work};
use crate::git::{CommitTree, ObjectId};
use crate::proposal::Proposal;
use crate::verify;
use greylag_driver::error::DriverError;
use greylag_driver::executor::{Outcome, StepReport};
use greylag_model::check::CheckResult;
use greylag_model::code::cli as code;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub(super) struct Prove;

/// What was found.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Proven {
    /// Verdicts, as the change request shows them.
    pub(super) verdicts: Vec<CheckResult>,
}

impl Work for Prove {
    fn forward(&self, job: &Job<'_>) -> Result<Outcome, DriverError> {
        let rewritten: Rewritten = job.output("code/rewrite")?;
        if rewritten.commit.is_none() {
            return Ok(Outcome::Done(StepReport::default()));
        }
        let repository = job.repository()?;
        let base = repository.tree(&ObjectId::parse(&rewritten.base)?)?;
        let proposal = job.proposal(&base)?;
        // Nothing refers to the commit, so it may have been swept away; made again it is the same.
        let new = repository.tree(&job.commit(&repository, &base, &proposal)?)?;
        let checks = verdicts(job, &proposal, &base, &new)?;
        let output = json!(Proven { verdicts: checks.clone() });
        Ok(Outcome::Done(StepReport { checks, output, ..StepReport::default() }))
    }
}

/// What can be said of a proposal for a base: by the rules that made it, by verifiers that do not ask how it was made, and
/// by the repository's own command.
pub(super) fn verdicts(
    job: &Job<'_>,
    proposal: &Proposal<'_>,
    base: &CommitTree,
    new: &CommitTree,
) -> Result<Vec<CheckResult>, DriverError> {
    let name = &job.scope()?.found.repository;
    let mut checks = proposal.checks(base, name, job.options())?;
    let options = verify::Options { dialect: job.options().dialect, report: Some(&proposal.report), scope: &[] };
    let verified = verify::verify(base, new, proposal.changes, options).map_err(|error| {
        DriverError::transient(code::FILE_UNREADABLE, format!("the repository `{name}` cannot be read: {error}"))
    })?;
    checks.extend(verified);
    checks.extend((job.plane.command)(name, base, new, &|| job.context.cancelled())?);
    Ok(checks)
}
