//! The steps of the code plane: rewrite, prove, propose, merge, their undo, and the two that guard a dataset's last phases.
//!
//! # Authorities
//!
//! The *repository* says what its code is, at the commit of its base branch when the step runs; the *plan* what changes for
//! code, and by which policy the repository is cut into scopes; the *forge* what became of a change request. What a step did is
//! found again there and not believed from the journal: change requests by a key made of run and task, commits by being the
//! same commit when they are made again (the same edits of the same base, signed at the plan's time).
//!
//! | step | effect | an earlier attempt is known by | undo |
//! |---|---|---|---|
//! | rewrite | a commit that nothing refers to | being the same commit | nothing |
//! | prove | none | - | nothing |
//! | propose | a change request and its branch | its key | close it, unless it is merged |
//! | merge | the commit in the base branch, where Greylag merges | the change request's state | a change request that takes it back |
//! | await | none; before a dataset is cut over | - | nothing |
//! | readers | none; before a dataset is retired | - | nothing |
//!
//! # Waiting
//!
//! Owners take days. A step that waits for them answers *pending* and holds nothing; the longer it has waited, the less
//! often it asks: after a twentieth of the time, every ten minutes at most.
//!
//! # Dying half-way
//!
//! Each effect is one call of the forge, which keeps its own intents ([`crate::forge::embedded`]): a step that is done
//! again makes the same call with the same key, and is answered what there is.
//!
//! # Undo
//!
//! A change request that is open is closed, and its branch removed. One that was merged is taken back by another, which
//! goes by the same policy. What others have changed since in the same places is left as it is and named.

mod merge;
mod propose;
mod prove;
mod readers;
mod recent;
mod rewrite;

pub use recent::Recent;

use crate::forge::Hosts;
use crate::git::{CommitTree, ObjectId, Person, Repository, Signed};
use crate::proposal::{self, OwnBuild, OwnCommand, Proposal};
use crate::repository::Options;
use crate::scope::{self, Looked};
use greylag_driver::error::DriverError;
use greylag_driver::executor::{Context, Executor, Outcome, Rehearsal, StepReport, StepRequest};
use greylag_driver::forge::{ChangeRequest, Forge, Which};
use greylag_driver::proof::Prover;
use greylag_model::code::{cli, repository as code};
use greylag_model::id::{RunId, TaskId};
use greylag_model::plan::{ScopeName, ScopeWork, scope_id};
use greylag_model::task::Direction;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// Asks whether a task of a run has ended, well or not.
pub type HasEnded = Arc<dyn Fn(&RunId, &TaskId) -> Result<bool, DriverError> + Send + Sync>;

/// What the executors work with.
pub struct CodePlane {
    /// Where changes are offered.
    pub forge: Arc<dyn Forge>,
    /// Where code is read.
    pub hosts: Arc<dyn Hosts>,
    /// Who commits.
    pub signer: Person,
    /// Runs old and new texts and compares what they give.
    pub prover: Arc<dyn Prover>,
    /// What a repository's own command says of a change.
    pub command: OwnCommand,
    /// What the build of a repository's project says of it.
    pub build: OwnBuild,
    /// Whether other tasks of a run have ended.
    pub has_ended: HasEnded,
    /// What was just found.
    pub recent: Recent,
}

/// All executors of the code plane.
pub fn executors(plane: &Arc<CodePlane>) -> Vec<Arc<dyn Executor>> {
    let step = |uses: &'static [&'static str], work: &'static dyn Work| -> Arc<dyn Executor> {
        Arc::new(CodeStep { plane: Arc::clone(plane), uses, work })
    };
    vec![
        step(&["code/rewrite"], &rewrite::Rewrite),
        step(&["code/prove"], &prove::Prove),
        step(&["code/propose"], &propose::Propose),
        step(&["code/merge"], &merge::Merge),
        step(&["code/await"], &readers::Await),
        step(&["code/readers"], &readers::Readers),
    ]
}

/// One kind of step.
trait Work: Send + Sync {
    /// Does it, or asks after what it waits for.
    fn forward(&self, job: &Job<'_>) -> Result<Outcome, DriverError>;
    /// Takes it back.
    fn undo(&self, job: &Job<'_>) -> Result<Outcome, DriverError> {
        let _ = job;
        Ok(Outcome::Done(StepReport::default()))
    }
    /// What taking it back would do.
    fn rehearse(&self, job: &Job<'_>) -> Result<Rehearsal, DriverError> {
        let _ = job;
        Ok(Rehearsal::default())
    }
}

struct CodeStep {
    plane: Arc<CodePlane>,
    uses: &'static [&'static str],
    work: &'static dyn Work,
}

impl CodeStep {
    fn go(&self, request: &StepRequest<'_>, context: &dyn Context, since: i64) -> Result<Outcome, DriverError> {
        let job = Job { plane: &self.plane, request, context, since };
        match request.direction {
            Direction::Forward => self.work.forward(&job),
            Direction::Undo => self.work.undo(&job),
        }
    }
}

impl Executor for CodeStep {
    fn serves(&self) -> &'static [&'static str] {
        self.uses
    }

    fn start(&self, request: &StepRequest<'_>, context: &dyn Context) -> Result<Outcome, DriverError> {
        self.go(request, context, context.now().0)
    }

    fn poll(&self, request: &StepRequest<'_>, handle: &str, context: &dyn Context) -> Result<Outcome, DriverError> {
        self.go(request, context, handle.parse().unwrap_or_else(|_| context.now().0))
    }

    /// Nothing runs that could be ended: what was offered is taken back by the undo of the step that did it.
    fn cancel(&self, _: &StepRequest<'_>, _: &str, _: &dyn Context) -> Result<(), DriverError> {
        Ok(())
    }

    fn rehearse(&self, request: &StepRequest<'_>, context: &dyn Context) -> Result<Rehearsal, DriverError> {
        self.work.rehearse(&Job { plane: &self.plane, request, context, since: context.now().0 })
    }
}

/// Least and longest time before it is asked again, milliseconds.
const ASK: (i64, i64) = (1_000, 600_000);

/// Most letters of a part's name in the name of a branch.
const READABLE: usize = 40;

/// One attempt.
struct Job<'a> {
    plane: &'a CodePlane,
    request: &'a StepRequest<'a>,
    context: &'a dyn Context,
    /// When it began to wait, milliseconds since 1970; now, if it did not.
    since: i64,
}

impl<'a> Job<'a> {
    fn scope(&self) -> Result<&'a ScopeWork, DriverError> {
        self.request.plan.scope().ok_or_else(|| {
            let message = format!("the task `{}` is about no code", self.request.task);
            DriverError::permanent(cli::INTERNAL, message)
        })
    }

    /// What the change request of a scope is found by.
    fn key(&self, scope: &ScopeName) -> String {
        format!("run/{}/{}", self.request.run, scope_id(scope))
    }

    /// The change request of a scope, if it is there.
    fn found(&self, scope: &ScopeName) -> Result<Option<ChangeRequest>, DriverError> {
        self.plane.forge.find(&scope.repository, &Which::Key(self.key(scope)))
    }

    /// What tells the task's scope from others.
    fn name(&self) -> Result<ScopeName, DriverError> {
        Ok(self.scope()?.found.name())
    }

    /// A branch of this run in the scope's repository, one for each scope.
    fn branch(&self, kind: &str) -> Result<String, DriverError> {
        let scope = self.scope()?;
        let part = scope.found.part.as_deref().map(branch_part).unwrap_or_default();
        Ok(format!("greylag/{kind}{}-{}{part}", scope.about.name, self.request.run))
    }

    fn repository(&self) -> Result<Repository, DriverError> {
        self.plane.hosts.repository(&self.scope()?.found.repository)
    }

    /// The base branch as it is.
    fn base(&self, repository: &Repository) -> Result<CommitTree, DriverError> {
        let found = &self.scope()?.found;
        repository.branch_tree(&found.base)?.ok_or_else(|| {
            let message = format!("the repository `{}` has no branch `{}` any more", found.repository, found.base);
            DriverError::conflict(code::FORGE_UNKNOWN, message).hint("plan the migration anew")
        })
    }

    /// What the migration asks of a tree.
    fn proposal(&self, tree: &CommitTree) -> Result<Proposal<'a>, DriverError> {
        self.proposal_by(tree.commit(), |look| look(tree))
    }

    /// What the migration asks of a commit, whose files are read only if that was not asked a moment ago.
    fn proposal_at(&self, repository: &Repository, commit: &ObjectId) -> Result<Proposal<'a>, DriverError> {
        self.proposal_by(commit, |look| look(&repository.tree(commit)?))
    }

    fn proposal_by(
        &self,
        commit: &ObjectId,
        made: impl FnOnce(&dyn Fn(&CommitTree) -> Result<Looked, DriverError>) -> Result<Looked, DriverError>,
    ) -> Result<Proposal<'a>, DriverError> {
        let scope = self.scope()?;
        let look =
            |tree: &CommitTree| scope::look(tree, &scope.found, &scope.changes, &scope.policy.scopes, self.options());
        let (plan, task) = (self.request.header.id.clone(), self.request.task.clone());
        let of = recent::Of { plan, task, commit: commit.clone() };
        let looked = self.plane.recent.looked(of, || made(&look))?;
        let (part, report, elsewhere) = (scope.found.part.as_deref(), looked.report, looked.elsewhere);
        let until = scope.policy.until.as_deref();
        Ok(Proposal { about: &scope.about, changes: &scope.changes, until, report, part, elsewhere })
    }

    fn options(&self) -> Options<'static> {
        Options::default()
    }

    /// A proposal as one commit on top of its base, the same whenever it is made of the same base.
    fn commit(
        &self,
        repository: &Repository,
        tree: &CommitTree,
        proposal: &Proposal<'_>,
    ) -> Result<ObjectId, DriverError> {
        let about = proposal.about;
        let guide = about.guide.as_ref().map(|guide| format!("\n{guide}\n")).unwrap_or_default();
        let title = proposal::title(proposal);
        let trailers = format!("Greylag-Migration: {}\nGreylag-Run: {}", about.name, self.request.run);
        let signed = Signed {
            author: self.plane.signer.clone(),
            committer: self.plane.signer.clone(),
            seconds: self.request.header.taken_at.0.div_euclid(1_000),
            message: format!("{title}\n{guide}\n{trailers}\n"),
        };
        repository.commit(tree, &proposal.edits(), &signed)
    }

    /// The files of a commit that an earlier step made on a base. Nothing refers to it, so it may have been swept away; made
    /// again it is the same.
    fn made(
        &self,
        repository: &Repository,
        (base, commit): (&str, &str),
        proposal: &Proposal<'_>,
    ) -> Result<CommitTree, DriverError> {
        match repository.tree(&ObjectId::parse(commit)?) {
            Err(error) if error.code == code::GIT_OBJECT => {
                self.made_on(repository, &repository.tree(&ObjectId::parse(base)?)?, commit, proposal)
            }
            told => told,
        }
    }

    /// The same, read beside its base.
    fn made_on(
        &self,
        repository: &Repository,
        base: &CommitTree,
        commit: &str,
        proposal: &Proposal<'_>,
    ) -> Result<CommitTree, DriverError> {
        match base.beside(&ObjectId::parse(commit)?) {
            Err(error) if error.code == code::GIT_OBJECT => base.beside(&self.commit(repository, base, proposal)?),
            told => told,
        }
    }

    /// A place at which a test rig may stop the attempt.
    fn fault(&self, point: &str) -> Result<(), DriverError> {
        let stopped = |error| DriverError::transient(code::FORGE_STORE, format!("the forge cannot be asked: {error}"));
        self.context.fault(point).map_err(stopped)
    }

    /// Asks again later.
    fn later(&self) -> Outcome {
        let now = self.context.now();
        let (least, most) = ASK;
        let wake = now.plus_millis((now.0.saturating_sub(self.since) / 20).clamp(least, most));
        Outcome::Pending { handle: self.since.to_string(), wake }
    }

    /// What an earlier step of the task left.
    fn output<T: DeserializeOwned>(&self, uses: &str) -> Result<T, DriverError> {
        let lost = || DriverError::permanent(cli::INTERNAL, format!("what `{uses}` wrote down is not there"));
        let value = self.context.output_of(uses)?.ok_or_else(lost)?;
        T::deserialize(&*value).map_err(|_| lost())
    }
}

/// A part's name as the end of a branch's: what of it can be in one, and what tells it from others.
fn branch_part(part: &str) -> String {
    let words = part.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let readable: String = words.collect::<Vec<_>>().join("-").chars().take(READABLE).collect();
    format!("-{readable}-{}", &blake3::hash(part.as_bytes()).to_hex()[..8])
}

/// A step that is done, with its output.
fn done(output: &impl Serialize) -> Result<Outcome, DriverError> {
    let output = serde_json::to_value(output)
        .map_err(|error| DriverError::permanent(cli::INTERNAL, format!("an output has no text form: {error}")))?;
    Ok(Outcome::Done(StepReport { output, ..StepReport::default() }))
}

/// Its name for people.
fn address(request: &ChangeRequest) -> String {
    format!("{}!{}", request.repository, request.number)
}

#[cfg(test)]
mod tests {
    use super::branch_part;
    use crate::git::is_branch_name;

    #[test]
    fn parts_have_branches_of_their_own() {
        let parts = ["group:a-b", "group:a.b", "models/finance/", "rest", "..", "ümlaut/", "a.lock/", &"x".repeat(300)];
        let mut names: Vec<String> = parts.map(|part| format!("greylag/m-r{}", branch_part(part))).to_vec();
        assert_eq!(names[0].len(), "greylag/m-r-group-a-b-01234567".len());
        assert!(names.iter().all(|name| is_branch_name(name) && name.len() < 80), "{names:?}");
        names.sort();
        names.dedup();
        assert_eq!(names.len(), parts.len());
    }
}
