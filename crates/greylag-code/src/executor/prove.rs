//! The rewritten code is shown to be right, as far as that can be done without running it.

use super::rewrite::Rewritten;
use super::{Job, Work};
use crate::git::ObjectId;
use greylag_driver::error::DriverError;
use greylag_driver::executor::{Outcome, StepReport};
use greylag_model::check::CheckResult;
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
        let checks = verdicts(job, &base)?;
        let output = json!(Proven { verdicts: checks.clone() });
        Ok(Outcome::Done(StepReport { checks, output, ..StepReport::default() }))
    }
}

/// What can be said of the proposal for a base.
pub(super) fn verdicts(job: &Job<'_>, base: &crate::git::CommitTree) -> Result<Vec<CheckResult>, DriverError> {
    let scope = job.scope()?;
    job.proposal(base)?.checks(base, &scope.found.repository, job.options())
}
