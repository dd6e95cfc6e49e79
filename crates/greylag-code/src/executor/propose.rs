//! The rewritten code is offered to its owners.

use super::prove::Proven;
use super::rewrite::Rewritten;
use super::{Job, Work, address, done};
use crate::git::{ObjectId, Repository};
use crate::proposal;
use greylag_driver::error::DriverError;
use greylag_driver::executor::{Outcome, Rehearsal, StepReport};
use greylag_driver::forge::{ChangeRequest, Check, Head, Open, State, Which};
use greylag_model::check::{CheckResult, Verdict};
use serde::{Deserialize, Serialize};

pub(super) struct Propose;

/// What was offered.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Proposed {
    /// The repository on the forge.
    pub(super) repository: String,
    /// The change request's number; none if there was nothing to offer.
    pub(super) number: Option<u64>,
    /// The commit that was offered.
    pub(super) head: Option<String>,
}

impl Work for Propose {
    fn forward(&self, job: &Job<'_>) -> Result<Outcome, DriverError> {
        let rewritten: Rewritten = job.output("code/rewrite")?;
        let name = job.name()?;
        let Some(commit) = &rewritten.commit else {
            return done(&Proposed { repository: name.repository, number: None, head: None });
        };
        let proven: Proven = job.output("code/prove")?;
        let repository = job.repository()?;
        let proposal = job.proposal_at(&repository, &ObjectId::parse(&rewritten.base)?)?;
        let commit = job.made(&repository, (&rewritten.base, commit), &proposal)?.commit().as_str().to_owned();
        job.fault("in-effect")?;
        let opened = job.plane.forge.open(&Open {
            repository: name.repository.clone(),
            key: job.key(&name),
            branch: job.branch("")?,
            base: job.scope()?.found.base.clone(),
            head: head(&repository, &commit),
            title: proposal::title(&proposal),
            description: proposal::description(&proposal, &proven.verdicts),
        })?;
        tell(job, &opened, &commit, proven.verdicts)?;
        done(&Proposed { repository: name.repository, number: Some(opened.number), head: Some(commit) })
    }

    fn undo(&self, job: &Job<'_>) -> Result<Outcome, DriverError> {
        let name = job.name()?;
        job.fault("in-effect")?;
        match job.found(&name)? {
            Some(request) if request.state == State::Merged => {}
            _ => job.plane.forge.close(&name.repository, &Which::Key(job.key(&name)))?,
        }
        Ok(Outcome::Done(StepReport::default()))
    }

    fn rehearse(&self, job: &Job<'_>) -> Result<Rehearsal, DriverError> {
        let found = job.found(&job.name()?)?.filter(|request| request.state == State::Open);
        Ok(found.map_or_else(Rehearsal::default, |request| Rehearsal::does(format!("close `{}`", address(&request)))))
    }
}

pub(super) fn head(repository: &Repository, commit: &str) -> Head {
    Head { commit: commit.to_owned(), folder: repository.folder().to_owned() }
}

/// Sets the checks of what was offered, if its branch is still where it was put. That files are left for people is no check
/// of those that were rewritten: the description lists them, and a policy that waits for all checks would wait for ever.
pub(super) fn tell(
    job: &Job<'_>,
    request: &ChangeRequest,
    commit: &str,
    verdicts: Vec<CheckResult>,
) -> Result<(), DriverError> {
    if request.state != State::Open || request.head != commit {
        return Ok(());
    }
    let known = verdicts.into_iter().filter(|check| check.verdict != Verdict::Unknown);
    let checks: Vec<Check> = known.map(Check::from).collect();
    job.plane.forge.check(&request.at(), &checks)
}
