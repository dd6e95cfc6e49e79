//! Merging and reverting.

use super::change::{Phase, Row};
use super::query::{Positions, check_open, moved, wrong_state};
use super::{EmbeddedForge, commit, unknown};
use crate::git::{Merged, ObjectId, RefChange, Repository};
use greylag_driver::error::DriverError;
use greylag_driver::forge::{At, Head, Merge, Open, Revert, Reverted, hindrance};
use greylag_model::code::repository as code;

/// How often a merge begins anew as the base moved meanwhile.
const TRIES: usize = 8;

impl EmbeddedForge {
    pub(super) fn merge_request(&self, at: &At, by: &str) -> Result<Merge, DriverError> {
        for _ in 0..TRIES {
            let (row, bare, positions) = self.seen(&at.repository, at.number)?;
            if let Some(commit) = row.merge_commit.as_ref().filter(|_| row.phase == Phase::Merged) {
                return Ok(Merge::Merged { commit: commit.clone() });
            }
            check_open(&row)?;
            if row.head != at.head {
                return Err(moved(&row, &at.head));
            }
            let details = self.database.details(row.id(), &row.head)?;
            let policy = self.database.policy(&row.repository)?;
            if let Some(hindrance) = hindrance(policy, &details.checks, details.approvals.len()) {
                return Ok(hindrance);
            }
            if let Some(told) = self.try_merge(&bare, &row, &positions, by)? {
                return Ok(told);
            }
        }
        let message = format!("the branch into which change request {} is merged moves all the time", at.number);
        Err(DriverError::transient(code::GIT_MOVED, message).hint("try again"))
    }

    /// Merges onto the base as it was seen; `None` if it has moved since.
    fn try_merge(
        &self,
        bare: &Repository,
        row: &Row,
        positions: &Positions,
        by: &str,
    ) -> Result<Option<Merge>, DriverError> {
        let base = positions.get(&row.base).ok_or_else(|| unknown(&format!("branch `{}`", row.base)))?;
        let head = commit(&row.head)?;
        let message = format!("Merge change request {}: {}\n\nMerged by {by}.\n", row.number, row.title);
        let merge = match bare.merge(base, &head, &self.signed(message))? {
            Merged::Conflict(paths) => return Ok(Some(Merge::Conflict { paths })),
            Merged::Already => base.clone(),
            Merged::Commit(merge) => merge,
        };
        self.point("forge/merge:before-intent")?;
        self.database.set(row.id(), Phase::Open, head.as_str(), Some(merge.as_str()))?;
        self.point("forge/merge:after-intent")?;
        match bare.move_branches(&changes(row, base, &head, &merge)) {
            Err(error) if error.code == code::GIT_MOVED => return Ok(None),
            told => told?,
        }
        self.point("forge/merge:after-effect")?;
        self.database.set(row.id(), Phase::Merged, head.as_str(), Some(merge.as_str()))?;
        self.point("forge/merge:after-commit")?;
        Ok(Some(Merge::Merged { commit: merge.as_str().to_owned() }))
    }

    pub(super) fn revert_request(&self, revert: &Revert) -> Result<Reverted, DriverError> {
        let (merged, bare, positions) = self.seen(&revert.repository, revert.number)?;
        let Some(merge) = merged.merge_commit.as_ref().filter(|_| merged.phase == Phase::Merged) else {
            return Err(wrong_state(&merged));
        };
        if let Some(known) = self.known(&revert.repository, &revert.key)? {
            return Ok(Reverted::Opened(Box::new(known)));
        }
        let onto = positions.get(&merged.base).ok_or_else(|| unknown(&format!("branch `{}`", merged.base)))?;
        let message = format!("{}\n\nThis takes back change request {}.\n", revert.title, revert.number);
        let head = match bare.revert(onto, &commit(merge)?, &self.signed(message))? {
            Merged::Conflict(paths) => return Ok(Reverted::Conflict { paths }),
            Merged::Already => return Ok(Reverted::Already),
            Merged::Commit(head) => head,
        };
        let open = Open {
            repository: revert.repository.clone(),
            key: revert.key.clone(),
            branch: revert.branch.clone(),
            base: merged.base.clone(),
            head: Head { commit: head.as_str().to_owned(), folder: bare.folder().to_owned() },
            title: revert.title.clone(),
            description: revert.description.clone(),
        };
        self.open_new(&open, Some(revert.number)).map(|request| Reverted::Opened(Box::new(request)))
    }
}

/// The base gets the merge and the branch goes, at once.
fn changes(row: &Row, base: &ObjectId, head: &ObjectId, merge: &ObjectId) -> Vec<RefChange> {
    let mut changes = vec![RefChange { branch: row.branch.clone(), from: Some(head.clone()), to: None }];
    if merge != base {
        changes.push(RefChange { branch: row.base.clone(), from: Some(base.clone()), to: Some(merge.clone()) });
    }
    changes
}
