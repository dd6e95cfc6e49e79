//! What was offered is merged, by its owners or by the policy of its repository; or taken back.

use super::propose::{Proposed, head, tell};
use super::prove::verdicts;
use super::{Job, Work, address, done};
use crate::git::ObjectId;
use crate::proposal;
use greylag_driver::error::DriverError;
use greylag_driver::executor::{Outcome, Rehearsal, StepReport};
use greylag_driver::forge::{self, ChangeRequest, Revert, Reverted, State, Which};
use greylag_model::code::repository as code;
use greylag_model::spec::MergeBy;
use serde::Serialize;

pub(super) struct Merge;

/// What became of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Merged {
    repository: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<u64>,
    /// The commit of the base branch.
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<String>,
}

impl Work for Merge {
    fn forward(&self, job: &Job<'_>) -> Result<Outcome, DriverError> {
        let proposed: Proposed = job.output("code/propose")?;
        let repository = proposed.repository;
        if proposed.number.is_none() {
            return done(&Merged { repository, number: None, commit: None });
        }
        let Some(request) = job.found(&job.name()?)? else {
            let message = format!("the forge does not know the change request of `{repository}` any more");
            return Err(DriverError::permanent(code::FORGE_UNKNOWN, message));
        };
        match request.state {
            State::Merged => {
                let (number, commit) = (Some(request.number), request.merge_commit);
                done(&Merged { repository, number, commit })
            }
            State::Closed if is_done(job)? => done(&Merged { repository, number: Some(request.number), commit: None }),
            State::Closed => Err(refused(&request)),
            State::Open if job.scope()?.policy.merge == MergeBy::Policy => match merge(job, &request)? {
                forge::Merge::Conflict { .. } => {
                    renew(job, &request)?;
                    Ok(job.later())
                }
                told => outcome(job, &request, told),
            },
            State::Open => Ok(job.later()),
        }
    }

    fn undo(&self, job: &Job<'_>) -> Result<Outcome, DriverError> {
        let merged = job.found(&job.name()?)?.filter(|request| request.state == State::Merged);
        match merged {
            // What is open is closed by the undo of the step that opened it.
            None => Ok(Outcome::Done(StepReport::default())),
            Some(request) => take_back(job, &request),
        }
    }

    fn rehearse(&self, job: &Job<'_>) -> Result<Rehearsal, DriverError> {
        let merged = job.found(&job.name()?)?.filter(|request| request.state == State::Merged);
        let by = match job.scope()?.policy.merge {
            MergeBy::Owner => "its owner merges",
            MergeBy::Policy => "is merged as the repository's policy says",
        };
        let does = |request: ChangeRequest| {
            Rehearsal::does(format!("open a change request that takes back `{}`, which {by}", address(&request)))
        };
        Ok(merged.map_or_else(Rehearsal::default, does))
    }
}

/// The error of a change request that its owner closed.
fn refused(request: &ChangeRequest) -> DriverError {
    let message = format!("`{}` was closed without being merged: its owner says no", address(request));
    DriverError::denied(code::OWNER_REFUSED, message)
        .hint("its comments may say why; the old dataset stays for its readers until it is retired")
}

/// Whether nothing is left to rewrite: one who closes it because he has done the work himself has not said no.
fn is_done(job: &Job<'_>) -> Result<bool, DriverError> {
    Ok(job.proposal(&job.base(&job.repository()?)?)?.edits().is_empty())
}

fn merge(job: &Job<'_>, request: &ChangeRequest) -> Result<forge::Merge, DriverError> {
    job.fault("in-effect")?;
    job.plane.forge.merge(&request.at(), &job.plane.signer.name)
}

/// What merging came to for the step; a conflict is the caller's matter.
fn outcome(job: &Job<'_>, request: &ChangeRequest, told: forge::Merge) -> Result<Outcome, DriverError> {
    match told {
        forge::Merge::Merged { commit } => {
            let (repository, number) = (request.repository.clone(), Some(request.number));
            done(&Merged { repository, number, commit: Some(commit) })
        }
        _ => Ok(job.later()),
    }
}

/// The base has changed the same places: the rules are asked again. A branch that its owner has pushed to is left alone.
fn renew(job: &Job<'_>, request: &ChangeRequest) -> Result<(), DriverError> {
    let repository = job.repository()?;
    let written = repository.written(&ObjectId::parse(&request.head)?)?;
    if written.committer != job.plane.signer {
        return Ok(());
    }
    let tree = job.base(&repository)?;
    let proposal = job.proposal(&tree)?;
    if proposal.edits().is_empty() {
        // The owner has done it all: nothing is left to merge, which the next look at it tells.
        return job.plane.forge.close(&request.repository, &Which::Number(request.number));
    }
    let commit = job.commit(&repository, &tree, &proposal)?;
    let verdicts = verdicts(job, &proposal, &tree, &tree.beside(&commit)?)?;
    let updated = job.plane.forge.update(&request.at(), &head(&repository, commit.as_str()))?;
    let (title, description) = (proposal::title(&proposal), proposal::description(&proposal, &verdicts));
    let updated = job.plane.forge.edit(&updated.repository, updated.number, &title, &description)?;
    tell(job, &updated, commit.as_str(), verdicts)
}

/// Takes back what was merged, by a change request of its own that goes by the same policy.
fn take_back(job: &Job<'_>, merged: &ChangeRequest) -> Result<Outcome, DriverError> {
    let scope = job.scope()?;
    job.fault("in-effect")?;
    let revert = Revert {
        repository: merged.repository.clone(),
        number: merged.number,
        key: format!("{}/undo", job.key(&job.name()?)),
        branch: job.branch("undo-")?,
        title: format!("Read the old datasets again: take back !{}", merged.number),
        description: format!(
            "The migration `{}` is taken back, so its datasets get their old names and shapes again. This takes back !{}, \
             which moved this code to the new ones.\n",
            scope.about.name, merged.number
        ),
    };
    // One that was closed is not opened again: somebody said no.
    let request = match job.plane.forge.find(&merged.repository, &Which::Key(revert.key.clone()))? {
        Some(known) => known,
        None => match job.plane.forge.revert(&revert)? {
            Reverted::Already => return Ok(Outcome::Done(StepReport::default())),
            Reverted::Conflict { paths } => return Ok(left(merged, &paths)),
            Reverted::Opened(request) => *request,
        },
    };
    match request.state {
        State::Merged => Ok(Outcome::Done(StepReport::default())),
        State::Closed => {
            let note = format!(
                "`{}` is not taken back: `{}`, which would have done it, was closed",
                address(merged),
                address(&request)
            );
            Ok(Outcome::Done(StepReport { notes: vec![note], ..StepReport::default() }))
        }
        State::Open if scope.policy.merge == MergeBy::Policy => {
            let checks = [forge::Check {
                name: "revert".to_owned(),
                verdict: greylag_model::check::Verdict::Pass,
                detail: format!("takes back what !{} did and nothing else", merged.number),
                link: None,
            }];
            job.plane.forge.check(&request.at(), &checks)?;
            match merge(job, &request)? {
                forge::Merge::Conflict { paths } => {
                    job.plane.forge.close(&request.repository, &Which::Number(request.number))?;
                    Ok(left(merged, &paths))
                }
                told => outcome(job, &request, told),
            }
        }
        State::Open => Ok(job.later()),
    }
}

/// Others have changed the same places since, which is theirs to keep.
fn left(merged: &ChangeRequest, paths: &[String]) -> Outcome {
    let note = format!(
        "`{}` is not taken back: others have changed the same places since, in {}",
        address(merged),
        paths.join(", ")
    );
    Outcome::Done(StepReport { notes: vec![note], ..StepReport::default() })
}
