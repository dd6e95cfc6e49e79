//! Opening, updating, closing.

use super::change::{Phase, Row};
use super::query::{check_open, moved, positions, remove, wrong_state};
use super::{EmbeddedForge, commit, unknown};
use crate::git::{ObjectId, RefChange, Repository, Safety};
use greylag_driver::error::DriverError;
use greylag_driver::forge::{At, ChangeRequest, Head, Open, Which};
use greylag_model::code::repository as code;

impl EmbeddedForge {
    pub(super) fn open_request(&self, open: &Open) -> Result<ChangeRequest, DriverError> {
        if let Some(known) = self.known(&open.repository, &open.key)? {
            return Ok(known);
        }
        self.open_new(open, None)
    }

    /// The one that has a key, unless it is closed or was never seen.
    pub(super) fn known(&self, repository: &str, key: &str) -> Result<Option<ChangeRequest>, DriverError> {
        let known = self.find_request(repository, &Which::Key(key.to_owned()))?;
        Ok(known.filter(|known| known.state != greylag_driver::forge::State::Closed))
    }

    /// Opens one that is not open.
    pub(super) fn open_new(&self, open: &Open, reverts: Option<u64>) -> Result<ChangeRequest, DriverError> {
        let bare = self.repository(&open.repository)?;
        let head = commit(&open.head.commit)?;
        let there = bare.positions(&[&open.branch, &open.base])?;
        if !there.contains_key(&open.base) {
            return Err(unknown(&format!("branch `{}`", open.base)));
        }
        let there = there.get(&open.branch);
        self.check_ours(open, there)?;
        self.point("forge/open:before-intent")?;
        let row = self.database.begin(open, reverts)?;
        self.point("forge/open:after-intent")?;
        self.take(&bare, &open.head, &head, &open.base)?;
        self.point("forge/open:in-effect")?;
        if there != Some(&head) {
            self.place_branch(&bare, &open.branch, there, &head)?;
        }
        self.point("forge/open:after-effect")?;
        self.database.set(row.id(), Phase::Open, head.as_str(), None)?;
        self.point("forge/open:after-commit")?;
        let (row, ..) = self.seen(&open.repository, row.number)?;
        self.told(row)?.ok_or_else(|| unknown("such change request"))
    }

    /// Fails if the branch is there and nobody meant it for this key.
    fn check_ours(&self, open: &Open, there: Option<&ObjectId>) -> Result<(), DriverError> {
        let taken = || {
            DriverError::conflict(code::FORGE_TAKEN, format!("the branch `{}` is somebody else's", open.branch))
                .hint("rename or delete it")
        };
        if open.branch == open.base {
            return Err(taken());
        }
        let Some(there) = there.filter(|there| there.as_str() != open.head.commit) else { return Ok(()) };
        let row = self.database.row(&open.repository, &Which::Key(open.key.clone()))?;
        match row {
            Some(row) if row.branch == open.branch && self.database.is_meant(row.id(), there.as_str())? => Ok(()),
            _ => Err(taken()),
        }
    }

    /// Puts the branch at the head; another attempt with the same key may have done so meanwhile.
    fn place_branch(
        &self,
        bare: &Repository,
        branch: &str,
        there: Option<&ObjectId>,
        head: &ObjectId,
    ) -> Result<(), DriverError> {
        let change = RefChange { branch: branch.to_owned(), from: there.cloned(), to: Some(head.clone()) };
        match bare.move_branches(&[change]) {
            Err(error) if error.code == code::GIT_MOVED && bare.branch(branch)?.as_ref() == Some(head) => Ok(()),
            told => told,
        }
    }

    /// Takes a head's objects from where they are.
    fn take(&self, bare: &Repository, head: &Head, id: &ObjectId, base: &str) -> Result<(), DriverError> {
        if head.folder == bare.folder() {
            return Ok(());
        }
        let from = Repository::open(self.git.clone(), &head.folder, Safety::Cache)?;
        bare.take(&from, id, &[base])
    }

    pub(super) fn update_request(&self, at: &At, head: &Head) -> Result<ChangeRequest, DriverError> {
        let (row, bare, _) = self.seen(&at.repository, at.number)?;
        check_open(&row)?;
        if row.head != head.commit {
            if row.head != at.head {
                return Err(moved(&row, &at.head));
            }
            self.move_head(&bare, &row, head)?;
        }
        let (row, ..) = self.at(&At { head: head.commit.clone(), ..at.clone() })?;
        self.told(row)?.ok_or_else(|| unknown("such change request"))
    }

    /// One statement of the database, so there is nothing to complete.
    pub(super) fn edit_request(
        &self,
        repository: &str,
        number: u64,
        title: &str,
        description: &str,
    ) -> Result<ChangeRequest, DriverError> {
        let (row, ..) = self.seen(repository, number)?;
        check_open(&row)?;
        self.database.edit(row.id(), title, description)?;
        let (row, ..) = self.seen(repository, number)?;
        self.told(row)?.ok_or_else(|| unknown("such change request"))
    }

    fn move_head(&self, bare: &Repository, row: &Row, head: &Head) -> Result<(), DriverError> {
        let (from, to) = (commit(&row.head)?, commit(&head.commit)?);
        self.point("forge/update:before-intent")?;
        self.take(bare, head, &to, &row.base)?;
        self.database.mean(row.id(), to.as_str())?;
        self.point("forge/update:after-intent")?;
        let change = RefChange { branch: row.branch.clone(), from: Some(from), to: Some(to.clone()) };
        bare.move_branches(&[change])?;
        self.point("forge/update:after-effect")?;
        self.database.set(row.id(), Phase::Open, to.as_str(), None)?;
        self.point("forge/update:after-commit")
    }

    pub(super) fn close_request(&self, repository: &str, which: &Which) -> Result<(), DriverError> {
        let bare = self.repository(repository)?;
        let Some(row) = self.database.row(repository, which)? else { return Ok(()) };
        let positions = positions(&bare, &row)?;
        let was = row.phase;
        let row = self.settled(&bare, row, &positions)?;
        if row.phase == Phase::Merged {
            return Err(wrong_state(&row));
        }
        self.point("forge/close:before-effect")?;
        if let Some(there) = positions.get(&row.branch) {
            // Of one that is not open, a branch is removed only if it was meant for it.
            if was == Phase::Open || self.database.is_meant(row.id(), there.as_str())? {
                self.database.set(row.id(), was, there.as_str(), row.merge_commit.as_deref())?;
                self.point("forge/close:after-intent")?;
                remove(&bare, &row.branch, there)?;
            }
        }
        self.point("forge/close:after-effect")?;
        let head = self.database.row(repository, which)?.map_or(row.head.clone(), |row| row.head);
        self.database.set(row.id(), Phase::Closed, &head, None)?;
        self.point("forge/close:after-commit")
    }
}
