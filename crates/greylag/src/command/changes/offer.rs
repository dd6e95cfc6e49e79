//! One change request for what a migration asks of a repository: opened, updated, or left alone.
//!
//! Branch and key are made of the migration's name alone, so whoever opens it again finds it. Where one was merged and the
//! repository reads the old dataset once more, the next has a number behind it. An owner's word counts: one that was closed
//! or taken back is opened again only if that is asked for, and a branch that its owner pushed to is left alone.

use super::address::{self, Address};
use crate::consumers::Converted;
use crate::context::Context;
use crate::failure::Failure;
use crate::wire::{self, Hosting};
use greylag_code::git::{CommitTree, ObjectId, Repository, Signed};
use greylag_code::proposal::{self, Judged, Judges, Proposal};
use greylag_code::prove::Moved;
use greylag_code::repository::Options;
use greylag_driver::forge::{ChangeRequest, Check, Forge, Head, Open, State, Which};
use greylag_model::check::{CheckResult, Verdict};

/// Key of the comment that tells what an update made of the description.
const UPDATE: &str = "greylag/update";

/// Checks that every change request has, since none of them is ever unknown.
const ALWAYS: [&str; 2] = ["reversible", "rewritten"];

/// Whether a key is that of a change request of a migration.
pub(super) fn is_of(key: &str, migration: &str) -> bool {
    key.strip_prefix("greylag/").map(|key| key.split('+').next()) == Some(Some(migration))
}

/// The key and the branch of the n-th change request of a migration to one repository. No migration has a `+` in its name.
fn key(migration: &str, nth: usize) -> String {
    if nth == 1 { format!("greylag/{migration}") } else { format!("greylag/{migration}+{nth}") }
}

/// What became of a proposal.
pub(super) struct Offered {
    pub(super) outcome: Became,
    pub(super) change: Option<Address>,
    /// Whether a check of it fails.
    pub(super) fails: bool,
}

impl Offered {
    /// One of which nothing was found out anew.
    fn told(outcome: Became, change: Option<Address>) -> Self {
        Self { outcome, change, fails: false }
    }
}

/// See [`Offered`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Became {
    /// It is open now.
    Opened,
    /// Its branch is at another commit now.
    Updated,
    /// It was open as it should be.
    Unchanged,
    /// Its owner closed it.
    Closed,
    /// It was merged and taken back.
    Reverted,
    /// Somebody else has committed to its branch.
    Pushed,
    /// It is open, but its base needs none of it any more.
    Needless,
    /// No rule can do anything.
    Held,
}

impl Became {
    /// Its word; `dry` if nothing was done.
    pub(super) fn word(self, dry: bool) -> &'static str {
        match self {
            Self::Opened if dry => "would open",
            Self::Updated if dry => "would update",
            Self::Opened => "opened",
            Self::Updated => "updated",
            Self::Unchanged => "nothing to do",
            Self::Closed => "closed by its owner",
            Self::Reverted => "taken back by its owner",
            Self::Pushed => "changed by its owner",
            Self::Needless => "not needed any more",
            Self::Held => "left for people",
        }
    }

    /// Whether it waits for nobody's word.
    pub(super) fn is_good(self) -> bool {
        matches!(self, Self::Opened | Self::Updated | Self::Unchanged)
    }
}

/// What a repository has of a migration's change requests.
struct Known {
    /// The first key of none that was merged.
    key: String,
    /// The change request that has it.
    request: Option<ChangeRequest>,
    /// The one before that, if it was merged and then taken back.
    taken_back: Option<Address>,
}

/// What is offered to whom.
pub(super) struct Offer<'a> {
    pub(super) context: &'a Context,
    pub(super) forge: &'a Hosting,
    pub(super) name: &'a str,
    pub(super) repository: &'a Repository,
    /// The branch into which.
    pub(super) base: &'a str,
    pub(super) tree: &'a CommitTree,
    pub(super) options: Options<'a>,
    pub(super) dry: bool,
    pub(super) reopen: bool,
    /// Whether old and new texts are run and compared.
    pub(super) proves: bool,
}

impl Offer<'_> {
    /// Offers a proposal, if rules can do anything of it.
    pub(super) fn make(&self, proposal: &Proposal<'_>, rows: &[Converted]) -> Result<Offered, Failure> {
        let Known { key, request: known, taken_back } = self.known(&proposal.about.name)?;
        let open = known.as_ref().filter(|known| known.state == State::Open);
        let edits = proposal.edits();
        if edits.is_empty() {
            let outcome = if open.is_some() { Became::Needless } else { Became::Held };
            return Ok(Offered::told(outcome, open.map(Address::of)));
        }
        if let Some(open) = open {
            return self.update(proposal, rows, open);
        }
        let closed = known.as_ref().map(|known| (Became::Closed, Address::of(known)));
        let back = taken_back.map(|change| (Became::Reverted, change));
        if let Some((outcome, change)) = closed.or(back).filter(|_| !self.reopen) {
            return Ok(Offered::told(outcome, Some(change)));
        }
        if self.dry {
            return Ok(Offered::told(Became::Opened, known.as_ref().map(Address::of)));
        }
        let commit = self.commit(proposal)?;
        let verdicts = self.verdicts(proposal, rows, &commit)?;
        let opened = self.forge.open(&Open {
            repository: self.name.to_owned(),
            branch: key.clone(),
            key,
            base: self.base.to_owned(),
            head: self.head(commit),
            title: proposal::title(proposal),
            description: proposal::description(proposal, &verdicts),
        })?;
        let fails = self.check(&opened, verdicts)?;
        Ok(Offered { outcome: Became::Opened, change: Some(Address::of(&opened)), fails })
    }

    /// What there is of a migration's change requests to the repository.
    fn known(&self, migration: &str) -> Result<Known, Failure> {
        let (mut nth, mut taken_back) = (1, None);
        loop {
            let key = key(migration, nth);
            match self.forge.find(self.name, &Which::Key(key.clone()))? {
                Some(merged) if merged.state == State::Merged => {
                    taken_back = self.is_taken_back(merged.number)?.then(|| Address::of(&merged));
                }
                request => return Ok(Known { key, request, taken_back }),
            }
            nth += 1;
        }
    }

    fn is_taken_back(&self, number: u64) -> Result<bool, Failure> {
        let merged = address::all(self.forge, Some(self.name), Some(State::Merged))?;
        Ok(merged.iter().any(|request| request.reverts == Some(number)))
    }

    fn update(&self, proposal: &Proposal<'_>, rows: &[Converted], open: &ChangeRequest) -> Result<Offered, Failure> {
        let told = |outcome, fails| Ok(Offered { outcome, change: Some(Address::of(open)), fails });
        let head = ObjectId::parse(&open.head)?;
        let written = self.repository.written(&head)?;
        let ours = match written.parents.as_slice() {
            [parent] if written.committer == wire::committer() => {
                self.repository.contains(self.tree.commit(), parent)?.then_some(parent)
            }
            _ => None,
        };
        let Some(parent) = ours else { return told(Became::Pushed, false) };
        let commit = self.commit(proposal)?;
        if parent == self.tree.commit() && self.repository.changed(&head, &commit)?.is_empty() {
            let has_all = || ALWAYS.iter().all(|name| open.checks.iter().any(|check| check.name == *name));
            if self.dry || has_all() {
                return told(Became::Unchanged, open.checks.iter().any(|check| check.verdict == Verdict::Fail));
            }
            // Whoever opened it died before its checks were set.
            return told(Became::Unchanged, self.check(open, self.verdicts(proposal, rows, &commit)?)?);
        }
        if self.dry {
            return told(Became::Updated, false);
        }
        let verdicts = self.verdicts(proposal, rows, &commit)?;
        // First what is meant: whoever dies in between says it anew.
        self.describe(proposal, &verdicts, open, &commit)?;
        let updated = self.forge.update(&open.at(), &self.head(commit))?;
        told(Became::Updated, self.check(&updated, verdicts)?)
    }

    /// What can be said of a commit with the proposal, as a run says it.
    fn verdicts(
        &self,
        proposal: &Proposal<'_>,
        rows: &[Converted],
        commit: &ObjectId,
    ) -> Result<Vec<CheckResult>, Failure> {
        let new = self.tree.beside(commit)?;
        let moved = proposal.changes.iter().zip(rows);
        let moved: Vec<Moved<'_>> = moved.map(|(change, rows)| rows.moved(change)).collect();
        let judged = Judged { name: self.name, base: self.tree, new: &new, moved: &moved, options: self.options };
        let prover = wire::prover(self.context.state()?)?;
        let command = wire::own_command(self.context.home()?);
        let cancelled = || self.context.interrupted();
        let prover = self.proves.then_some(prover.as_ref());
        let build = wire::own_build(self.context.state()?)?;
        let judges = Judges { prover, build: &build, command: &command, cancelled: &cancelled };
        Ok(proposal::verdicts(proposal, &judged, &judges)?)
    }

    /// Tells what an update makes of the description, which stays as it was written first.
    fn describe(
        &self,
        proposal: &Proposal<'_>,
        verdicts: &[CheckResult],
        open: &ChangeRequest,
        commit: &ObjectId,
    ) -> Result<(), Failure> {
        let description = proposal::description(proposal, verdicts);
        let is_told = open.comments.iter().any(|comment| comment.key == UPDATE);
        if description == open.description && !is_told {
            return Ok(());
        }
        let text = format!("At `{commit}` this is:\n\n{description}");
        Ok(self.forge.comment(self.name, open.number, UPDATE, &wire::committer().name, &text)?)
    }

    /// Sets its checks; whether one of them fails.
    fn check(&self, request: &ChangeRequest, verdicts: Vec<CheckResult>) -> Result<bool, Failure> {
        let checks: Vec<Check> = verdicts.into_iter().map(Check::from).collect();
        self.forge.check(&request.at(), &checks)?;
        Ok(checks.iter().any(|check| check.verdict == Verdict::Fail))
    }

    fn head(&self, commit: ObjectId) -> Head {
        Head { commit: commit.as_str().to_owned(), folder: self.repository.folder().to_owned() }
    }

    /// The proposal as one commit on top of the base; nothing refers to it yet.
    fn commit(&self, proposal: &Proposal<'_>) -> Result<ObjectId, Failure> {
        let about = proposal.about;
        let guide = about.guide.as_ref().map(|guide| format!("\n{guide}\n")).unwrap_or_default();
        let signed = Signed {
            author: wire::author(self.context),
            committer: wire::committer(),
            seconds: self.context.now().0.div_euclid(1_000),
            message: format!("{}\n{guide}\nGreylag-Migration: {}\n", proposal::title(proposal), about.name),
        };
        Ok(self.repository.commit(self.tree, &proposal.edits(), &signed)?)
    }
}

#[cfg(test)]
mod tests {
    use super::{is_of, key};

    #[test]
    fn keys_are_of_one_migration() {
        for nth in [1, 2, 12] {
            assert!(is_of(&key("users", nth), "users"));
            assert!(!is_of(&key("users", nth), "user"));
            assert!(!is_of(&key("users-2", nth), "users"));
        }
        assert!(!is_of("", "users") && !is_of("greylag/revert-1", "users"));
    }
}
