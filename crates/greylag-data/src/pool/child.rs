//! The parent's end of one reader: writes a frame, reads a frame, never waits for ever.

use super::{STDERR_BYTES, frame};
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::os::unix::process::ExitStatusExt;
use std::process::{ChildStderr, ChildStdin, ChildStdout, ExitStatus};
use std::time::{Duration, Instant};

/// How often a caller is asked whether it still wants the answer.
const TICK: Duration = Duration::from_millis(100);
/// Read at a time.
const BLOCK: usize = 64 << 10;

/// One reader.
pub(super) struct Child {
    process: std::process::Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
    stderr: ChildStderr,
    /// The end of what it said on standard error.
    said: Vec<u8>,
    /// Requests sent.
    pub(super) served: u64,
    buffer: Vec<u8>,
}

/// An answer.
pub(super) struct Answer {
    pub(super) body: Vec<u8>,
    /// The reader ends after it.
    pub(super) last: bool,
}

/// Why there is no answer.
pub(super) enum Death {
    /// The reader had ended before it read the request.
    Unsent,
    /// The reader ended in the request.
    Ended(ExitStatus),
    /// It was given up for this reason.
    Error(DriverError),
}

impl Child {
    pub(super) fn new(mut process: std::process::Child) -> std::io::Result<Self> {
        let pipes = (process.stdin.take(), process.stdout.take(), process.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(std::io::ErrorKind::BrokenPipe.into());
        };
        for fd in [rustix::fd::AsFd::as_fd(&stdin), rustix::fd::AsFd::as_fd(&stdout), rustix::fd::AsFd::as_fd(&stderr)]
        {
            rustix::io::ioctl_fionbio(fd, true)?;
        }
        Ok(Self { process, stdin, stdout, stderr, said: Vec::new(), served: 0, buffer: vec![0; BLOCK] })
    }

    /// Sends a frame and waits for one.
    pub(super) fn exchange(
        &mut self,
        request: &[u8],
        timeout: Duration,
        cancelled: Option<&dyn Fn() -> bool>,
    ) -> Result<Answer, Death> {
        self.served += 1;
        // Not a fact about the world: only this call's patience.
        let began = Instant::now();
        let mut sent = 0;
        let mut body = Incoming::default();
        loop {
            while sent < request.len() {
                match rustix::io::write(&self.stdin, &request[sent..]) {
                    Ok(written) => sent += written,
                    Err(Errno::INTR) => {}
                    Err(Errno::AGAIN) => break,
                    Err(_) => return Err(self.ended(sent)),
                }
            }
            match rustix::io::read(&self.stdout, self.buffer.as_mut_slice()) {
                Ok(0) => return Err(self.ended(sent)),
                Ok(read) => {
                    if let Some(answer) = body.take(&self.buffer[..read]).map_err(Death::Error)? {
                        return Ok(answer);
                    }
                    continue;
                }
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(_) => return Err(self.ended(sent)),
            }
            self.listen();
            let left = timeout.saturating_sub(began.elapsed());
            if left.is_zero() {
                let words = format!("a reader process did not answer in {} s and was ended", timeout.as_secs());
                let error = DriverError::transient(code::READER_TIMEOUT, words);
                return Err(Death::Error(error.hint("check the disk, or raise `timeout` in the migration file")));
            }
            if cancelled.is_some_and(|cancelled| cancelled()) {
                let words = "the work of a reader process was ended on request";
                return Err(Death::Error(DriverError::transient(code::CANCELLED, words)));
            }
            self.wait(sent < request.len(), if cancelled.is_some() { left.min(TICK) } else { left });
        }
    }

    /// Waits until something can be read or written, or time is up.
    fn wait(&self, sending: bool, longest: Duration) {
        let mut fds = [
            PollFd::new(&self.stdout, PollFlags::IN),
            PollFd::new(&self.stderr, PollFlags::IN),
            PollFd::new(&self.stdin, if sending { PollFlags::OUT } else { PollFlags::empty() }),
        ];
        let longest = Timespec { tv_sec: longest.as_secs() as i64, tv_nsec: longest.subsec_nanos().into() };
        // An interrupted wait is a short one.
        let _ = poll(&mut fds, Some(&longest));
    }

    /// Keeps the end of what is on standard error.
    fn listen(&mut self) {
        let mut buffer = [0; 1024];
        while let Ok(read @ 1..) = rustix::io::read(&self.stderr, &mut buffer) {
            self.said.extend_from_slice(&buffer[..read]);
            let excess = self.said.len().saturating_sub(STDERR_BYTES);
            self.said.drain(..excess);
        }
    }

    /// It closed its pipes.
    fn ended(&mut self, sent: usize) -> Death {
        // A reader that closed its pipes but lives is of no use either.
        let _ = self.process.kill();
        match self.process.wait() {
            Ok(_) if sent == 0 && self.served > 1 => Death::Unsent,
            Ok(status) => Death::Ended(status),
            Err(error) => Death::Error(frame::broken(&error.to_string())),
        }
    }

    /// Ends it, whatever it does; gives the end of what it said on standard error.
    pub(super) fn end(mut self) -> String {
        let _ = self.process.kill();
        let _ = self.process.wait();
        self.listen();
        String::from_utf8_lossy(&self.said).into_owned()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A frame on its way.
#[derive(Default)]
struct Incoming {
    bytes: Vec<u8>,
}

impl Incoming {
    fn take(&mut self, read: &[u8]) -> Result<Option<Answer>, DriverError> {
        self.bytes.extend_from_slice(read);
        let Some((header, body)) = self.bytes.split_first_chunk() else { return Ok(None) };
        let Some(length) = frame::length(*header) else { return Err(frame::broken("its answer has no length")) };
        // The first byte of the body says whether the reader goes on.
        if body.len() < length {
            return Ok(None);
        }
        if body.len() > length || length == 0 {
            return Err(frame::broken("it said more than one answer"));
        }
        let last = body[0] == b'!';
        self.bytes.drain(..=frame::HEADER);
        Ok(Some(Answer { body: std::mem::take(&mut self.bytes), last }))
    }
}

/// What a second death on the same request means.
pub(super) fn death_error(status: ExitStatus, stderr: &str, memory_bytes: u64) -> DriverError {
    let last_words = stderr.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let last_words: String = last_words.chars().take(200).collect();
    let out_of_memory = stderr.contains("memory allocation of") || stderr.contains("capacity overflow");
    if out_of_memory {
        let words = format!("two reader processes ran out of their {} MiB of memory", memory_bytes >> 20);
        return DriverError::permanent(code::READER_MEMORY, words)
            .hint("give readers more memory (`--reader-memory`), or rewrite the file with smaller row groups");
    }
    let how = match (status.signal(), status.code()) {
        (Some(signal), _) => format!("signal {signal}"),
        (None, Some(exit)) => format!("exit code {exit}"),
        (None, None) => "no reason given".to_owned(),
    };
    let words = if last_words.is_empty() { String::new() } else { format!(": {last_words}") };
    DriverError::permanent(code::READER_DIED, format!("two reader processes died on the same request ({how}){words}"))
        .hint("check the file with another tool; it may be corrupt, or made to do this")
}
