//! What there is, as it is now.

use super::change::{Phase, Row};
use super::{EmbeddedForge, unknown};
use crate::git::{ObjectId, RefChange, Repository};
use greylag_driver::error::DriverError;
use greylag_driver::forge::{At, ChangeRequest, Filter, State, Which};
use greylag_model::code::repository as code;
use std::collections::BTreeMap;

/// Where branches are.
pub(super) type Positions = BTreeMap<String, ObjectId>;

/// Most that are listed at a time.
const PAGE: usize = 500;

impl EmbeddedForge {
    pub(super) fn find_request(&self, repository: &str, which: &Which) -> Result<Option<ChangeRequest>, DriverError> {
        let bare = self.repository(repository)?;
        let Some(row) = self.database.row(repository, which)? else { return Ok(None) };
        let positions = positions(&bare, &row)?;
        self.settled(&bare, row, &positions).and_then(|row| self.told(row))
    }

    /// One that was seen: its row as it is now, its repository, and where its branches are.
    pub(super) fn seen(&self, repository: &str, number: u64) -> Result<(Row, Repository, Positions), DriverError> {
        let bare = self.repository(repository)?;
        let row = self.database.row(repository, &Which::Number(number))?.filter(|row| row.phase != Phase::Opening);
        let row = row.ok_or_else(|| unknown(&format!("change request {number}")))?;
        let positions = positions(&bare, &row)?;
        let row = self.settled(&bare, row, &positions)?;
        Ok((row, bare, positions))
    }

    /// One that is open and at the head that was seen.
    pub(super) fn at(&self, at: &At) -> Result<(Row, Repository, Positions), DriverError> {
        let (row, bare, positions) = self.seen(&at.repository, at.number)?;
        check_open(&row)?;
        if row.head == at.head { Ok((row, bare, positions)) } else { Err(moved(&row, &at.head)) }
    }

    pub(super) fn list_requests(&self, filter: &Filter) -> Result<Vec<ChangeRequest>, DriverError> {
        let phases: &[Phase] = match filter.state {
            None => &[Phase::Open, Phase::Closed, Phase::Merged],
            Some(State::Open) => &[Phase::Open],
            // One whose branch is gone is closed, or was just merged.
            Some(State::Closed) => &[Phase::Open, Phase::Closed],
            Some(State::Merged) => &[Phase::Open, Phase::Merged],
        };
        let limit = filter.limit.min(PAGE);
        let mut found = Vec::new();
        let mut after = filter.after.clone().unwrap_or_default();
        let mut known: Option<(String, Repository, Positions)> = None;
        while found.len() < limit {
            let rows = self.database.rows(filter.repository.as_deref(), phases, (&after.0, after.1), limit)?;
            let Some(last) = rows.last() else { break };
            after = (last.repository.clone(), last.number);
            for row in rows {
                let (bare, positions) = match &known {
                    Some((name, bare, positions)) if *name == row.repository => (bare, positions),
                    _ => {
                        let bare = self.repository(&row.repository)?;
                        let positions = bare.branches()?;
                        let (_, bare, positions) = known.insert((row.repository.clone(), bare, positions));
                        (&*bare, &*positions)
                    }
                };
                let told = self.settled(bare, row, positions).and_then(|row| self.told(row))?;
                found.extend(told.filter(|request| filter.state.is_none_or(|state| request.state == state)));
            }
        }
        found.truncate(limit);
        Ok(found)
    }

    /// The row as the repository has it now. Completes a merge whose end was not noted.
    pub(super) fn settled(&self, bare: &Repository, mut row: Row, positions: &Positions) -> Result<Row, DriverError> {
        if row.phase != Phase::Open {
            return Ok(row);
        }
        if let (Some(merge), Some(base)) = (&row.merge_commit, positions.get(&row.base))
            && bare.contains(base, &super::commit(merge)?)?
        {
            if let Some(there) = positions.get(&row.branch).filter(|there| there.as_str() == row.head) {
                // It may be gone by now.
                remove(bare, &row.branch, there)?;
            }
            self.database.set(row.id(), Phase::Merged, &row.head, Some(merge))?;
            row.phase = Phase::Merged;
            return Ok(row);
        }
        match positions.get(&row.branch) {
            Some(head) => head.as_str().clone_into(&mut row.head),
            None => row.phase = Phase::Closed,
        }
        Ok(row)
    }

    pub(super) fn told(&self, row: Row) -> Result<Option<ChangeRequest>, DriverError> {
        let details = self.database.details(row.id(), &row.head)?;
        Ok(row.told(details))
    }
}

pub(super) fn positions(bare: &Repository, row: &Row) -> Result<Positions, DriverError> {
    bare.positions(&[&row.branch, &row.base])
}

/// Removes a branch that is where it was seen; one that moved meanwhile is somebody else's.
pub(super) fn remove(bare: &Repository, branch: &str, there: &ObjectId) -> Result<(), DriverError> {
    let change = RefChange { branch: branch.to_owned(), from: Some(there.clone()), to: None };
    match bare.move_branches(&[change]) {
        Err(error) if error.code == code::GIT_MOVED => Ok(()),
        told => told,
    }
}

pub(super) fn check_open(row: &Row) -> Result<(), DriverError> {
    if row.phase == Phase::Open { Ok(()) } else { Err(wrong_state(row)) }
}

pub(super) fn wrong_state(row: &Row) -> DriverError {
    let (number, state) = (row.number, row.phase.as_str());
    DriverError::permanent(code::FORGE_STATE, format!("the change request {number} is {state}"))
}

pub(super) fn moved(row: &Row, seen: &str) -> DriverError {
    let seen: String = seen.chars().take(64).collect();
    let message =
        format!("the change request {} is at `{}` now, not at `{}`", row.number, row.head, seen.escape_debug());
    DriverError::conflict(code::GIT_MOVED, message).hint("look at it again before you go on")
}
