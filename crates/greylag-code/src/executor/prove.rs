//! The rewritten code is shown to be right, as far as that can be done without running it.

use super::rewrite::Rewritten;
use super::{Job, Work};
use crate::git::{CommitTree, ObjectId};
use crate::proposal::{self, Judged, Judges, Proposal};
use crate::prove::Moved;
use greylag_driver::error::DriverError;
use greylag_driver::executor::{Outcome, StepReport};
use greylag_model::check::CheckResult;
use greylag_model::proof::Sample;
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
        let Some(commit) = &rewritten.commit else { return Ok(Outcome::Done(StepReport::default())) };
        let repository = job.repository()?;
        let base = repository.tree(&ObjectId::parse(&rewritten.base)?)?;
        let proposal = job.proposal(&base)?;
        let new = job.made_on(&repository, &base, commit, &proposal)?;
        let checks = verdicts(job, &proposal, &base, &new)?;
        let output = json!(Proven { verdicts: checks.clone() });
        Ok(Outcome::Done(StepReport { checks, output, ..StepReport::default() }))
    }
}

/// What can be said of a proposal for a base.
pub(super) fn verdicts(
    job: &Job<'_>,
    proposal: &Proposal<'_>,
    base: &CommitTree,
    new: &CommitTree,
) -> Result<Vec<CheckResult>, DriverError> {
    let scope = job.scope()?;
    let samples: Vec<Option<Sample>> = scope.changes.iter().map(|change| sample(job, &change.dataset)).collect();
    let moved = scope.changes.iter().zip(&scope.mappings).zip(&samples);
    let moved: Vec<Moved<'_>> =
        moved.map(|((change, mapping), sample)| Moved { change, mapping, sample: sample.as_ref() }).collect();
    let judged = Judged { name: &scope.found.repository, base, new, moved: &moved, options: job.options() };
    let plane = job.plane;
    let cancelled = || job.context.cancelled();
    let (prover, command, build) = (Some(plane.prover.as_ref()), &plane.command, &plane.build);
    let judges = Judges { prover, build, command, cancelled: &cancelled };
    proposal::verdicts(proposal, &judged, &judges)
}

/// Where the first rows of an old dataset are, as the plan says.
fn sample(job: &Job<'_>, dataset: &str) -> Option<Sample> {
    let source = job.scope().ok()?.sources.get(dataset)?;
    let root = match &source.location.connection {
        Some(connection) => Some(job.request.header.connections.get(connection)?.clone()),
        None => None,
    };
    Some(Sample { root, path: source.location.path.clone(), layout: source.layout.clone(), rows: Sample::ROWS })
}
