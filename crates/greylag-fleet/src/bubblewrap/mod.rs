//! The sandbox on one machine: Linux namespaces, by way of `bwrap` (bubblewrap).
//!
//! # What bounds a job
//! | what | by what |
//! |---|---|
//! | files | a root of its own: the system's programs read-only, the folders of the job, `/tmp`; everything else read-only or not there |
//! | environment | cleared for the job and for `bwrap` itself, so that `/proc` has nothing to tell |
//! | network | a network of its own without a way out, unless the job was given the machine's |
//! | other processes | a process namespace and a session of its own; no capabilities, no new privileges, no namespaces inside |
//! | memory | the sum over its processes, looked at a hundred times a second; the data segment of each by the kernel |
//! | processor time | the sum over its processes; of each by the kernel |
//! | processes | the kernel's own count (for root, a control group where there may be one), and the sum |
//! | disk | the size of `/tmp`; the size of one file by the kernel; what writable folders have grown by, looked at |
//! | time | from the start, whatever it does with signals |
//!
//! Between two looks a job may be above a limit for a moment: what is promised is that it is then ended. Files in `/tmp` are
//! memory of the machine, so a job may take `memory` and `disk` together.
//!
//! # How it begins and ends
//! `bwrap` makes the namespaces, tells on a pipe which process is the first one inside, and waits on another until the
//! parent has set that process's limits; all that the job ever starts inherits them. The first process inside is the
//! namespace's `init`: when it is killed the kernel kills all others, however deep they have hidden, and its end is
//! reported only after theirs. So one kill and one wait suffice, by a handle on the process that cannot come to mean another.
//!
//! # When it dies half-way
//! If the parent ends, `bwrap` is killed by the kernel, and with it `init` and all others. The kernel looks at the *thread*
//! that started `bwrap`: [`Bubblewrap::run`] waits in that thread, so the job never outlives the call.

mod arguments;
mod child;
mod group;
mod spend;

use child::Child;
use greylag_driver::error::DriverError;
use greylag_driver::sandbox::{Ended, Job, Limits, Report, Sandbox};
use greylag_model::code::fleet as code;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::PathBuf;

/// Jobs in Linux namespaces.
#[derive(Clone, Debug)]
pub struct Bubblewrap {
    program: Option<PathBuf>,
}

impl Bubblewrap {
    /// Looks for `bwrap` in the absolute folders of a `PATH`: a relative one would let the working directory say what a
    /// sandbox is. Where there is none every job is refused.
    pub fn find(path: &OsStr) -> Self {
        let folders = std::env::split_paths(path).filter(|folder| folder.is_absolute());
        Self { program: folders.map(|folder| folder.join("bwrap")).find(|program| program.is_file()) }
    }

    fn program(&self) -> Result<&PathBuf, DriverError> {
        self.program.as_ref().ok_or_else(|| {
            DriverError::denied(code::SANDBOX_MISSING, "custom steps need the sandbox `bwrap`, which is not installed")
                .hint("`apt-get install bubblewrap`")
        })
    }
}

impl Sandbox for Bubblewrap {
    fn probe(&self) -> Result<String, DriverError> {
        let program = self.program()?;
        let job = Job {
            argv: ["/bin/sh", "-c", "echo ready"].map(str::to_owned).to_vec(),
            folders: Vec::new(),
            directory: PathBuf::from("/tmp"),
            environment: BTreeMap::new(),
            input: Vec::new(),
            network: false,
            limits: Limits::default(),
            time_millis: 10_000,
        };
        let mut said = Vec::new();
        let mut line = |line: &[u8]| {
            said.extend_from_slice(line);
            Ok(())
        };
        let Report { ended, log } = self.run(&job, &mut line, &|| false)?;
        if ended == Ended::Exit(0) && said == b"ready" {
            return Ok(format!("`{}`", program.display()));
        }
        Err(broken(&log))
    }

    fn run(
        &self,
        job: &Job,
        line: &mut dyn FnMut(&[u8]) -> Result<(), DriverError>,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Report, DriverError> {
        let arguments = arguments::of(job);
        Child::start(self.program()?, &arguments, job)?.attend(line, cancelled)
    }
}

/// The error of a sandbox that cannot be made.
fn broken(log: &str) -> DriverError {
    let words = log.trim().lines().next_back().unwrap_or("it gives no reason");
    let words: String = words.chars().take(300).collect();
    DriverError::denied(code::SANDBOX_BROKEN, format!("no sandbox can be made on this machine: {words}"))
        .hint("it needs bubblewrap 0.8 or newer, and user namespaces: `sysctl kernel.unprivileged_userns_clone=1`")
}
