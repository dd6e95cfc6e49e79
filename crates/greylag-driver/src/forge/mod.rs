//! Forges: where change requests are offered to the owners of a repository, and merged.
//!
//! **Terms.** A *change request* asks to merge a *branch* into a *base* branch. It has a *number*, by which people know it,
//! and a *key*, by which the step that opened it finds it again. Its *head* is the commit at which the branch is now;
//! checks and approvals are of one head, and do not count for another. The *policy* of a repository says when a merge may be.
//!
//! **What a forge promises.** [`Forge::open`] with a key that is known answers the change request that has it, whoever
//! opened it, also if the first answer was lost: there is never a second one. A branch is moved only from where it is
//! expected: what somebody else pushed is not overwritten, merged or approved unseen. A merge is on the base as it is at
//! that moment, and is all or nothing. Whatever was done once is answered the same when it is asked for again.
//!
//! **Waiting.** No call waits for people, checks or other merges: [`Forge::merge`] answers `Pending`, and is called again.
//!
//! **When it dies half-way.** The next call with the same key or number goes on with what was begun. Where nobody goes on,
//! [`Forge::close`] by key removes the branch, also if the change request was never seen.

pub mod conformance;
mod memory;

pub use memory::{MakeMemory, MemoryForge};

use crate::error::DriverError;
use greylag_model::check::{CheckResult, Verdict};
use greylag_model::id::Timestamp;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A proposed change of a repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeRequest {
    /// The repository's name on the forge.
    pub repository: String,
    /// Its number there, from 1.
    pub number: u64,
    /// What it is found again by; of those that people open, empty.
    pub key: String,
    /// The branch that is to be merged.
    pub branch: String,
    /// The branch into which.
    pub base: String,
    /// The commit at which the branch is now; of one that is not open any more, where it was last.
    pub head: String,
    /// One line.
    pub title: String,
    /// Markdown.
    pub description: String,
    /// Where it stands.
    pub state: State,
    /// Of this head, by name.
    pub checks: Vec<Check>,
    /// Oldest first.
    pub comments: Vec<Comment>,
    /// Who approved this head, oldest first.
    pub approvals: Vec<String>,
    /// The commit of the base branch that merged it.
    pub merge_commit: Option<String>,
    /// The number of the change request that it takes back.
    pub reverts: Option<u64>,
}

/// Where a change request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It can be merged.
    Open,
    /// It was.
    Merged,
    /// It will not be, unless it is opened again.
    Closed,
}

impl State {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Merged => "merged",
            Self::Closed => "closed",
        }
    }
}

/// A check of a head.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Its name, which is that of one check.
    pub name: String,
    /// `unknown` while it is not finished.
    pub verdict: Verdict,
    /// One line for people.
    pub detail: String,
    /// Where there is more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

impl From<CheckResult> for Check {
    fn from(result: CheckResult) -> Self {
        Self { name: result.name, verdict: result.verdict, detail: result.detail, link: None }
    }
}

/// A comment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// What it is found again by: a change request has one comment of a key.
    pub key: String,
    /// Whose it is.
    pub by: String,
    /// Markdown.
    pub text: String,
    /// Since when.
    pub at: Timestamp,
}

/// When a merge may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// When somebody has approved the head, and none of its checks has failed.
    #[default]
    ByHand,
    /// When the head has checks and all of them have passed.
    Automatic,
}

/// A commit, and where its objects are to be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its id.
    pub commit: String,
    /// The bare repository of this machine that has it.
    pub folder: PathBuf,
}

/// What is to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// The repository's name on the forge.
    pub repository: String,
    /// Deterministic: the same for every attempt of a step, and of no other.
    pub key: String,
    /// The name of its branch, which is of nobody else.
    pub branch: String,
    /// The branch into which it is to be merged.
    pub base: String,
    /// The commit that is offered.
    pub head: Head,
    /// One line.
    pub title: String,
    /// Markdown.
    pub description: String,
}

/// How one change request is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// By its number.
    Number(u64),
    /// By its key.
    Key(String),
}

/// A change request as it was when its caller looked at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At {
    /// The repository's name on the forge.
    pub repository: String,
    /// Its number.
    pub number: u64,
    /// The head that was seen.
    pub head: String,
}

impl ChangeRequest {
    /// It, as it is here.
    pub fn at(&self) -> At {
        At { repository: self.repository.clone(), number: self.number, head: self.head.clone() }
    }
}

/// What became of a merge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Merge {
    /// It is in the base branch, by this commit.
    Merged {
        /// The commit.
        commit: String,
    },
    /// It will be; ask again. Nothing is held meanwhile.
    Pending {
        /// What it waits for, for people.
        waits_for: String,
    },
    /// The base branch has changed the same.
    Conflict {
        /// In these files, in order.
        paths: Vec<String>,
    },
    /// The repository's policy does not allow it.
    Refused {
        /// Why not.
        why: String,
    },
}

/// What is to be taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revert {
    /// The repository's name on the forge.
    pub repository: String,
    /// The number of the change request that was merged.
    pub number: u64,
    /// The key of the change request that takes it back.
    pub key: String,
    /// Its branch.
    pub branch: String,
    /// One line.
    pub title: String,
    /// Markdown.
    pub description: String,
}

/// What became of a revert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reverted {
    /// This change request takes it back once it is merged.
    Opened(Box<ChangeRequest>),
    /// Others have changed the same since.
    Conflict {
        /// In these files, in order.
        paths: Vec<String>,
    },
    /// Nothing of it is left to take back.
    Already,
}

/// Which change requests are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this repository.
    pub repository: Option<String>,
    /// In this state.
    pub state: Option<State>,
    /// Those that come after this one, by repository and number.
    pub after: Option<(String, u64)>,
    /// At most so many.
    pub limit: usize,
}

/// A forge.
pub trait Forge: Send + Sync {
    /// Opens a change request, and its branch at the head; or answers the one that has the key: as it is if it is open or
    /// merged, opened again at this head if it was closed. Fails with class conflict if the branch is somebody else's.
    fn open(&self, open: &Open) -> Result<ChangeRequest, DriverError>;

    /// Finds one, as it is now: its head is where its branch is. One whose branch somebody deleted is closed.
    fn find(&self, repository: &str, which: &Which) -> Result<Option<ChangeRequest>, DriverError>;

    /// Lists some, by repository and number.
    fn list(&self, filter: &Filter) -> Result<Vec<ChangeRequest>, DriverError>;

    /// Writes a comment, or writes the one with this key anew. In every state.
    fn comment(&self, repository: &str, number: u64, key: &str, by: &str, text: &str) -> Result<(), DriverError>;

    /// Sets checks of a head; those of other names stay. Fails with class conflict if the head has moved.
    fn check(&self, at: &At, checks: &[Check]) -> Result<(), DriverError>;

    /// Approves a head. Fails with class conflict if it has moved.
    fn approve(&self, at: &At, by: &str) -> Result<(), DriverError>;

    /// Merges a head, or says what hinders it. One that is merged already answers its commit. Fails with class conflict
    /// if the head has moved, and with class permanent if it is closed.
    fn merge(&self, at: &At, by: &str) -> Result<Merge, DriverError>;

    /// Closes one and removes its branch, also one that was begun to be opened and never seen, and also if there is none.
    /// Fails with class permanent if it is merged.
    fn close(&self, repository: &str, which: &Which) -> Result<(), DriverError>;

    /// Moves the branch to another commit. Fails with class conflict if the head has moved elsewhere.
    fn update(&self, at: &At, head: &Head) -> Result<ChangeRequest, DriverError>;

    /// Gives one that is open another title and description; its head, checks and approvals stay. Fails with class permanent if
    /// it is not open.
    fn edit(&self, repository: &str, number: u64, title: &str, description: &str)
    -> Result<ChangeRequest, DriverError>;

    /// Opens a change request that takes back one that was merged, or answers the one that has the key.
    fn revert(&self, revert: &Revert) -> Result<Reverted, DriverError>;
}

/// What the policy says of a merge now; `None` if it may be.
pub fn hindrance(policy: Policy, checks: &[Check], approvals: usize) -> Option<Merge> {
    let failed: Vec<&str> =
        checks.iter().filter(|check| check.verdict == Verdict::Fail).map(|check| check.name.as_str()).collect();
    if !failed.is_empty() {
        return Some(Merge::Refused { why: format!("failed: `{}`", failed.join("`, `")) });
    }
    match policy {
        Policy::ByHand if approvals == 0 => Some(Merge::Refused { why: "nobody has approved this head".to_owned() }),
        Policy::ByHand => None,
        Policy::Automatic if checks.is_empty() => Some(Merge::Pending { waits_for: "its first check".to_owned() }),
        Policy::Automatic => {
            let open: Vec<&str> =
                checks.iter().filter(|check| check.verdict != Verdict::Pass).map(|check| check.name.as_str()).collect();
            (!open.is_empty()).then(|| Merge::Pending { waits_for: format!("the checks `{}`", open.join("`, `")) })
        }
    }
}
