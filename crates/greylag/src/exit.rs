//! Exit codes: what a script can rely on. The same outcome is a word in JSON output, so that nobody needs the number.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// 0: done.
    Done,
    /// 1: failed.
    Failed,
    /// 1: the datasets differ (only `diff`).
    Different,
    /// 2: the plan has changes (only with `--detailed-exitcode`).
    Changes,
    /// 2: failed (only `diff`, where 1 means something else).
    NotCompared,
    /// 3: finished, but some gave up, are blocked or wait for a person; or `wait` timed out.
    Incomplete,
    /// 5: a gate, a policy or a fence refused.
    Refused,
    /// 64: wrong usage.
    Usage,
    /// 130: interrupted.
    Interrupted,
    /// 255: a bug.
    Bug,
}

impl Exit {
    /// All of them, in the order of their numbers.
    pub(crate) const ALL: [Self; 10] = [
        Self::Done,
        Self::Failed,
        Self::Different,
        Self::Changes,
        Self::NotCompared,
        Self::Incomplete,
        Self::Refused,
        Self::Usage,
        Self::Interrupted,
        Self::Bug,
    ];

    /// What it means, for the manual.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Different => "the datasets differ (only `diff`)",
            Self::NotCompared => "failed (only `diff`)",
            Self::Changes => "the plan has changes (only with `--detailed-exitcode`)",
            Self::Incomplete => {
                "finished, but some tasks gave up or are paused or wait for a person, or the plan has left out blocked pairs; or `wait` timed out"
            }
            Self::Refused => "refused by a gate, a policy or a fence, or not confirmed",
            Self::Usage => "wrong usage",
            Self::Interrupted => "interrupted",
            Self::Bug => "a bug",
        }
    }

    /// The process's exit code.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed | Self::Different => 1,
            Self::Changes | Self::NotCompared => 2,
            Self::Incomplete => 3,
            Self::Refused => 5,
            Self::Usage => 64,
            Self::Interrupted => 130,
            Self::Bug => 255,
        }
    }

    /// The word that JSON output carries.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed | Self::NotCompared => "failed",
            Self::Different => "different",
            Self::Changes => "changes",
            Self::Incomplete => "incomplete",
            Self::Refused => "refused",
            Self::Usage => "usage",
            Self::Interrupted => "interrupted",
            Self::Bug => "bug",
        }
    }
}

/// The paragraph of the manual.
pub(crate) fn manual() -> String {
    let codes = Exit::ALL.map(|exit| format!("{} {}", exit.number(), exit.meaning()));
    format!("Exit codes: {}.", codes.join("; "))
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.number())
    }
}
