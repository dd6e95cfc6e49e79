//! Sandboxes: what limits a command that other people wrote.
//!
//! **Terms.** A *job* is one command with its input, the *folders* of the world that it sees, and its *limits*. A sandbox
//! runs it to its end and hands its standard output on line by line while it runs.
//!
//! **What a sandbox promises.** The job sees the system's programs, the folders that it was given, a scratch folder of
//! its own at `/tmp`, and nothing else: no other file, no environment but its own, no process, and no network unless it
//! was given that. It changes nothing but folders that it was given for writing. When [`Sandbox::run`] returns, for
//! whatever reason, no process of the job is left, and its scratch folder is gone. A sandbox that cannot keep this promise
//! on this machine runs nothing: it answers an error of class denied.
//!
//! **When it dies half-way.** The job's processes die with the process that runs the sandbox, also if that is killed.
//! What the job did outside (written into a folder, sent over the network) is the job's own to find again.

pub mod conformance;
mod scripted;

pub use scripted::{Act, Scripted};

use crate::error::DriverError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Longest line of standard output.
pub const LINE_BYTES: usize = 256 << 10;
/// Most bytes of standard output in all.
pub const OUTPUT_BYTES: usize = 16 << 20;
/// How much of the end of standard error is kept.
pub const LOG_BYTES: usize = 16 << 10;

pub use greylag_model::custom::Limits;

/// One command, and all that it gets.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Program and arguments; a program without a slash is one of the system's.
    pub argv: Vec<String>,
    /// What it sees of the world.
    pub folders: Vec<Folder>,
    /// Where it starts, as the job sees it.
    pub directory: PathBuf,
    /// Its environment, besides `PATH`, `HOME`, `TMPDIR` and `LANG`.
    pub environment: BTreeMap<String, String>,
    /// What it reads on standard input.
    pub input: Vec<u8>,
    /// Whether it has the machine's network.
    pub network: bool,
    /// How much it may use.
    pub limits: Limits,
    /// How long it may take, milliseconds.
    pub time_millis: i64,
}

/// A file or folder of the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// Where it is.
    pub path: PathBuf,
    /// Where the job sees it.
    pub at: PathBuf,
    /// Whether the job may change what is in it.
    pub writable: bool,
}

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// By itself, with this code.
    Exit(i32),
    /// By a signal that was not the sandbox's.
    Signal(i32),
    /// It was ended, as it went beyond a limit.
    Limit(Limit),
    /// It was ended, as the caller wished.
    Cancelled,
}

/// A limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Of all its processes together.
    Memory,
    /// Of all its processes together.
    Cpu,
    /// Processes and threads at the same time.
    Processes,
    /// From its start.
    Time,
    /// In its scratch folder, or in all writable folders.
    Disk,
    /// On standard output.
    Output,
    /// One line of it.
    Line,
}

impl Limit {
    /// What was exceeded, for a message.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Cpu => "processor time",
            Self::Processes => "processes",
            Self::Time => "time",
            Self::Disk => "disk",
            Self::Output => "output",
            Self::Line => "length of a line",
        }
    }
}

/// What is to be said of a job that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// How.
    pub ended: Ended,
    /// The end of its standard error, as text.
    pub log: String,
}

/// Runs jobs.
pub trait Sandbox: Send + Sync {
    /// Whether jobs can be run here: words for people, or why not.
    fn probe(&self) -> Result<String, DriverError>;
    /// Runs a job to its end. `line` gets each line of standard output, without its end; if it fails, the job is ended and
    /// that is the answer. `cancelled` is asked several times a second.
    fn run(
        &self,
        job: &Job,
        line: &mut dyn FnMut(&[u8]) -> Result<(), DriverError>,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Report, DriverError>;
}

/// Cuts what comes in into lines, and keeps the limits on them.
#[derive(Debug, Default)]
pub struct Lines {
    begun: Vec<u8>,
    total: usize,
}

/// Why lines end.
#[derive(Debug)]
pub enum Cut {
    /// They went beyond a limit.
    Limit(Limit),
    /// Who got them does not want more.
    Refused(DriverError),
}

impl Lines {
    /// Takes some bytes and hands on the lines that they end.
    pub fn take(&mut self, bytes: &[u8], line: &mut dyn FnMut(&[u8]) -> Result<(), DriverError>) -> Result<(), Cut> {
        self.total += bytes.len();
        if self.total > OUTPUT_BYTES {
            return Err(Cut::Limit(Limit::Output));
        }
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.begun.extend_from_slice(&rest[..end]);
            rest = &rest[end + 1..];
            if self.begun.len() > LINE_BYTES {
                return Err(Cut::Limit(Limit::Line));
            }
            line(&self.begun).map_err(Cut::Refused)?;
            self.begun.clear();
        }
        self.begun.extend_from_slice(rest);
        if self.begun.len() > LINE_BYTES { Err(Cut::Limit(Limit::Line)) } else { Ok(()) }
    }

    /// A last line that was not ended is one all the same.
    pub fn end(self, line: &mut dyn FnMut(&[u8]) -> Result<(), DriverError>) -> Result<(), Cut> {
        if self.begun.is_empty() { Ok(()) } else { line(&self.begun).map_err(Cut::Refused) }
    }
}
