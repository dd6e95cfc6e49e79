//! A change request as the database has it.

use greylag_driver::forge::{ChangeRequest, Check, Comment, State};

/// What the database knows of where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It was meant to be opened, and nobody has seen it yet.
    Opening,
    /// Its branch says whether it still is.
    Open,
    Closed,
    Merged,
}

impl Phase {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Merged => "merged",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Opening, Self::Open, Self::Closed, Self::Merged].into_iter().find(|phase| phase.as_str() == text)
    }
}

/// A row.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) repository: String,
    pub(super) number: u64,
    pub(super) key: String,
    pub(super) branch: String,
    pub(super) base: String,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) phase: Phase,
    /// Where the branch was last.
    pub(super) head: String,
    /// The commit that merges it, or will.
    pub(super) merge_commit: Option<String>,
    pub(super) reverts: Option<u64>,
}

/// What belongs to one head of it.
pub(super) struct Details {
    pub(super) checks: Vec<Check>,
    pub(super) comments: Vec<Comment>,
    pub(super) approvals: Vec<String>,
}

impl Row {
    pub(super) fn id(&self) -> (&str, u64) {
        (&self.repository, self.number)
    }

    /// As it is told; nothing of one that is still being opened.
    pub(super) fn told(self, details: Details) -> Option<ChangeRequest> {
        let state = match self.phase {
            Phase::Opening => return None,
            Phase::Open => State::Open,
            Phase::Closed => State::Closed,
            Phase::Merged => State::Merged,
        };
        Some(ChangeRequest {
            repository: self.repository,
            number: self.number,
            key: self.key,
            branch: self.branch,
            base: self.base,
            head: self.head,
            title: self.title,
            description: self.description,
            state,
            checks: details.checks,
            comments: details.comments,
            approvals: details.approvals,
            merge_commit: self.merge_commit.filter(|_| state == State::Merged),
            reverts: self.reverts,
        })
    }
}
