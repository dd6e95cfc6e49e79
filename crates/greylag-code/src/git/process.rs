//! One process of git: its pipes, its time, its end.
//!
//! It is the leader of a process group of its own, and when it is dropped, or its time is up, the whole group is ended
//! before its leader is reaped, so that the group's number cannot have become somebody else's.

use super::limit::Limits;
use greylag_driver::error::DriverError;
use greylag_model::code::repository as code;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Resource, Rlimit, Signal};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Read at a time.
const BLOCK: usize = 16 << 10;
/// How much of the end of standard error is kept.
const LOG: usize = 4 << 10;

/// What a process has written, and how it ended.
pub(crate) struct Output {
    pub(crate) status: ExitStatus,
    pub(crate) bytes: Vec<u8>,
    /// The end of its standard error.
    pub(crate) log: String,
}

impl Output {
    /// Its exit code; a signal is none.
    pub(crate) fn exit(&self) -> Option<i32> {
        self.status.code()
    }
}

/// A running process of git.
pub(crate) struct Process {
    child: Child,
    ended: OwnedFd,
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    log: Vec<u8>,
    /// Whether its standard error may have something to read.
    complains: bool,
    /// What is read goes here first.
    block: Box<[u8; BLOCK]>,
    /// What it is doing, for messages.
    what: &'static str,
    until: Instant,
    time: Duration,
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end_group();
        let _ = self.child.wait();
    }
}

impl Process {
    /// Starts it, its standard output and error piped; its standard input too if `input`, else as the command says.
    pub(crate) fn start(
        mut command: Command,
        what: &'static str,
        limits: &Limits,
        input: bool,
    ) -> Result<Self, DriverError> {
        if input {
            command.stdin(Stdio::piped());
        }
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let child = command.spawn().map_err(|error| {
            DriverError::transient(code::GIT_START, format!("`git` could not be started: {error}"))
                .hint("install git, or check the limits on processes and memory (`ulimit -a`)")
        })?;
        let failed = |error: Errno| DriverError::transient(code::GIT_START, format!("a process of git: {error}"));
        let pid = pid_of(&child);
        let mut process = match rustix::process::pidfd_open(pid, PidfdFlags::empty()) {
            Ok(ended) => Self::of(child, ended, what, limits),
            Err(error) => {
                let mut child = child;
                let _ = child.kill();
                let _ = child.wait();
                return Err(failed(error));
            }
        };
        process.confine(pid, limits).map_err(failed)?;
        Ok(process)
    }

    fn of(mut child: Child, ended: OwnedFd, what: &'static str, limits: &Limits) -> Self {
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let until = Instant::now() + limits.time;
        let (log, block) = (Vec::new(), Box::new([0; BLOCK]));
        Self { child, ended, stdin, stdout, stderr, log, complains: false, block, what, until, time: limits.time }
    }

    /// Sets its limits, which what it starts inherits, and makes its pipes answer at once.
    fn confine(&mut self, pid: Pid, limits: &Limits) -> Result<(), Errno> {
        for (resource, most) in [(Resource::As, limits.memory_bytes), (Resource::Fsize, limits.disk_bytes)] {
            let limit = Rlimit { current: Some(most), maximum: Some(most) };
            match rustix::process::prlimit(Some(pid), resource, limit) {
                Ok(_) | Err(Errno::SRCH) => {}
                Err(error) => return Err(error),
            }
        }
        let pipes = [
            self.stdin.as_ref().map(AsFd::as_fd),
            self.stdout.as_ref().map(AsFd::as_fd),
            self.stderr.as_ref().map(AsFd::as_fd),
        ];
        for pipe in pipes.into_iter().flatten() {
            rustix::io::ioctl_fionbio(pipe, true)?;
        }
        Ok(())
    }

    /// Gives it more time from now on.
    pub(crate) fn rewind(&mut self) {
        self.until = Instant::now() + self.time;
    }

    /// Feeds it and reads all that it writes, at most `most` bytes, until it has ended.
    pub(crate) fn finish(mut self, input: &[u8], most: usize) -> Result<Output, DriverError> {
        let mut bytes = Vec::new();
        let mut written = 0;
        loop {
            written = self.feed(input, written);
            if written >= input.len() {
                self.stdin = None;
            }
            let open = self.listen(&mut bytes)?;
            if bytes.len() > most {
                return Err(self.beyond(&format!("more than {most} bytes of output")));
            }
            if !open && self.stderr.is_none() {
                break;
            }
            self.wait(true)?;
        }
        let status = self.reap()?;
        Ok(Output { status, bytes, log: String::from_utf8_lossy(&self.log).trim().to_owned() })
    }

    /// Writes all of `input` while its answer, if there is any, gathers in `bytes`.
    pub(crate) fn say(&mut self, input: &[u8], bytes: &mut Vec<u8>) -> Result<(), DriverError> {
        let mut written = 0;
        loop {
            written = self.feed(input, written);
            if written >= input.len() {
                return Ok(());
            }
            if !self.listen(bytes)? {
                return Err(self.gone());
            }
            self.wait(true)?;
        }
    }

    /// Waits for more of its answer.
    pub(crate) fn hear(&mut self, bytes: &mut Vec<u8>) -> Result<(), DriverError> {
        let before = bytes.len();
        loop {
            let open = self.listen(bytes)?;
            if bytes.len() > before {
                return Ok(());
            }
            if !open {
                return Err(self.gone());
            }
            self.wait(false)?;
        }
    }

    /// What can be written now; answers how much is written in all. A process may leave its input unread.
    fn feed(&self, input: &[u8], mut written: usize) -> usize {
        let Some(stdin) = &self.stdin else { return input.len() };
        while let Some(rest) = input.get(written..).filter(|rest| !rest.is_empty()) {
            match rustix::io::write(stdin, rest) {
                Ok(more) => written += more,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return written,
                Err(_) => return input.len(),
            }
        }
        written
    }

    /// Reads what is there, one block at most; false if there will be no more.
    fn listen(&mut self, bytes: &mut Vec<u8>) -> Result<bool, DriverError> {
        let block = self.block.as_mut_slice();
        if let Some(stderr) = self.stderr.as_ref().filter(|_| self.complains) {
            match rustix::io::read(stderr, &mut *block) {
                Ok(0) => self.stderr = None,
                Ok(length) => {
                    self.log.extend_from_slice(block.get(..length).unwrap_or_default());
                    let from = self.log.len().saturating_sub(LOG);
                    self.log.drain(..from);
                }
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(error) => return Err(self.failed(&error.to_string())),
            }
        }
        let Some(stdout) = &self.stdout else { return Ok(false) };
        let block = self.block.as_mut_slice();
        match rustix::io::read(stdout, &mut *block) {
            Ok(0) => self.stdout = None,
            Ok(length) => bytes.extend_from_slice(block.get(..length).unwrap_or_default()),
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(error) => return Err(self.failed(&error.to_string())),
        }
        Ok(self.stdout.is_some())
    }

    /// Sleeps until something can be read, or written if there is something to write: an input that takes more is nothing to
    /// wake up for when there is nothing to give it.
    fn wait(&mut self, writes: bool) -> Result<(), DriverError> {
        let left = self.left()?;
        let mut pipes: Vec<PollFd<'_>> = Vec::with_capacity(3);
        let reads: [Option<BorrowedFd<'_>>; 2] =
            [self.stdout.as_ref().map(AsFd::as_fd), self.stderr.as_ref().map(AsFd::as_fd)];
        pipes.extend(reads.into_iter().flatten().map(|pipe| PollFd::from_borrowed_fd(pipe, PollFlags::IN)));
        pipes.extend(self.stdin.as_ref().filter(|_| writes).map(|pipe| PollFd::new(pipe, PollFlags::OUT)));
        // An interrupted wait is a short one.
        let _ = poll(&mut pipes, Some(&timespec(left)));
        let at = usize::from(self.stdout.is_some());
        self.complains = self.stderr.is_some() && pipes.get(at).is_some_and(|pipe| !pipe.revents().is_empty());
        Ok(())
    }

    /// Waits for its end, and ends what it has left behind.
    fn reap(&mut self) -> Result<ExitStatus, DriverError> {
        loop {
            let left = self.left()?;
            match poll(&mut [PollFd::new(&self.ended, PollFlags::IN)], Some(&timespec(left))) {
                Ok(0) | Err(Errno::INTR) => {}
                _ => break,
            }
        }
        self.end_group();
        self.child.wait().map_err(|error| self.failed(&error.to_string()))
    }

    /// How much time it has left.
    fn left(&self) -> Result<Duration, DriverError> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(self.beyond(&format!("more than {} s", self.time.as_secs_f32()))) } else { Ok(left) }
    }

    fn end_group(&self) {
        // One that has ended already is no error.
        let _ = rustix::process::kill_process_group(pid_of(&self.child), Signal::KILL);
    }

    fn beyond(&self, what: &str) -> DriverError {
        DriverError::transient(code::GIT_LIMIT, format!("git took {what} to {}, and was ended", self.what))
    }

    fn gone(&self) -> DriverError {
        self.failed("it has ended")
    }

    fn failed(&self, why: &str) -> DriverError {
        let log = String::from_utf8_lossy(&self.log);
        let said = log.trim();
        let message = format!("git could not {}: {why}{}{said}", self.what, if said.is_empty() { "" } else { ": " });
        DriverError::transient(code::GIT_FAILED, message)
    }
}

fn pid_of(child: &Child) -> Pid {
    Pid::from_child(child)
}

fn timespec(time: Duration) -> Timespec {
    Timespec { tv_sec: time.as_secs().min(86_400) as i64, tv_nsec: time.subsec_nanos().into() }
}
