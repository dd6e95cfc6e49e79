//! One job: its start, the watch over it, and its end.

use super::arguments::{BLOCK, INFO};
use super::group::{self, Group};
use super::{broken, spend};
use command_fds::{CommandFdExt, FdMapping};
use greylag_driver::error::DriverError;
use greylag_driver::sandbox::{Cut, Ended, Job, LOG_BYTES, Limit, Lines, Report};
use greylag_model::code::fleet as code;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, PidfdFlags, Resource, Rlimit, Signal};
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Between two looks.
const TICK: Duration = Duration::from_millis(10);
/// Looks between two looks at writable folders.
const DISK_EVERY: u32 = 20;
/// Longest time until `bwrap` has made the namespaces.
const START: Duration = Duration::from_secs(20);
/// Open files of one process.
const OPEN_FILES: u64 = 1_024;
/// Read at a time.
const BLOCK_BYTES: usize = 16 << 10;

type OnLine<'a> = &'a mut dyn FnMut(&[u8]) -> Result<(), DriverError>;

/// A job that runs.
pub(super) struct Child<'a> {
    job: &'a Job,
    bwrap: std::process::Child,
    /// On `bwrap` itself, to wait for.
    outer: OwnedFd,
    init: Init,
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    written: usize,
    lines: Lines,
    log: Vec<u8>,
    began: Instant,
    /// What writable folders held before.
    held: u64,
}

/// The first process inside; all others end with it.
struct Init {
    pid: Pid,
    handle: OwnedFd,
    /// Goes after all that is inside.
    _group: Option<Group>,
}

impl Init {
    /// Ends all that is inside, and waits until it has.
    fn end(&self) {
        // One that has ended already is no error.
        let _ = rustix::process::pidfd_send_signal(&self.handle, Signal::KILL);
        while let Err(Errno::INTR) = poll(&mut [PollFd::new(&self.handle, PollFlags::IN)], None) {}
    }
}

impl Drop for Child<'_> {
    fn drop(&mut self) {
        self.init.end();
        let _ = self.bwrap.kill();
        let _ = self.bwrap.wait();
    }
}

impl<'a> Child<'a> {
    /// Starts it, with its limits set before its program begins.
    #[expect(clippy::disallowed_methods, reason = "the one place where jobs are started, inside the sandbox")]
    pub(super) fn start(program: &Path, arguments: &[OsString], job: &'a Job) -> Result<Self, DriverError> {
        let failed = |error: std::io::Error| {
            DriverError::transient(code::JOB_START, format!("the sandbox could not be started: {error}"))
                .hint("check the limits on processes and memory (`ulimit -a`)")
        };
        let held =
            job.folders.iter().filter(|folder| folder.writable).map(|folder| spend::disk_bytes(&folder.path)).sum();
        let (info, told) = pipe_with(PipeFlags::CLOEXEC).map_err(|error| failed(error.into()))?;
        let (waits, go) = pipe_with(PipeFlags::CLOEXEC).map_err(|error| failed(error.into()))?;
        let mut command = Command::new(program);
        command.args(arguments).env_clear().current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mappings =
            vec![FdMapping { parent_fd: told, child_fd: INFO }, FdMapping { parent_fd: waits, child_fd: BLOCK }];
        keep_open_files_out(&mut command);
        command.fd_mappings(mappings).map_err(|error| failed(std::io::Error::other(error)))?;
        let mut bwrap = command.spawn().map_err(failed)?;
        // It holds this process's copies of the pipes' other ends.
        drop(command);
        let (stdin, stdout, stderr) = (bwrap.stdin.take(), bwrap.stdout.take(), bwrap.stderr.take());
        let began = Instant::now();
        let init = match first_inside(&info, began).and_then(|pid| confine(pid, job)) {
            Ok(init) => init,
            Err(why) => {
                let _ = bwrap.kill();
                let _ = bwrap.wait();
                let mut log = Vec::new();
                if let Some(stderr) = &stderr {
                    let _ = keep_end(stderr, &mut log);
                }
                return Err(refused(&String::from_utf8_lossy(&log)).unwrap_or_else(|| failed(why)));
            }
        };
        let outer = rustix::process::pidfd_open(pid_of(&bwrap), PidfdFlags::empty());
        let mut child = Self {
            job,
            outer: outer.map_err(|error| failed(error.into()))?,
            bwrap,
            init,
            stdin,
            stdout,
            stderr,
            written: 0,
            lines: Lines::default(),
            log: Vec::new(),
            began,
            held,
        };
        child.unblock(&go).map_err(failed)?;
        Ok(child)
    }

    fn unblock(&mut self, go: &OwnedFd) -> std::io::Result<()> {
        for fd in [
            self.stdin.as_ref().map(AsFd::as_fd),
            self.stdout.as_ref().map(AsFd::as_fd),
            self.stderr.as_ref().map(AsFd::as_fd),
        ]
        .into_iter()
        .flatten()
        {
            rustix::io::ioctl_fionbio(fd, true)?;
        }
        rustix::io::write(go, b"x")?;
        Ok(())
    }

    /// Watches over it until it has ended.
    pub(super) fn attend(mut self, line: OnLine<'_>, cancelled: &dyn Fn() -> bool) -> Result<Report, DriverError> {
        let mut looks = 0_u32;
        let ended = loop {
            if let Some(limit) = self.exchange(line)? {
                break Ended::Limit(limit);
            }
            if let Ok(Some(status)) = self.bwrap.try_wait() {
                // What it started and left behind ends here, before its last words are read.
                self.init.end();
                if let Some(limit) = self.exchange(line)? {
                    break Ended::Limit(limit);
                }
                break self.by_itself(status)?;
            }
            if cancelled() {
                break Ended::Cancelled;
            }
            if let Some(limit) = self.exceeded(looks) {
                break Ended::Limit(limit);
            }
            looks = looks.wrapping_add(1);
            self.wait();
        };
        self.init.end();
        // The last words of one that was ended, too.
        self.listen();
        if matches!(ended, Ended::Exit(_) | Ended::Signal(_)) {
            match std::mem::take(&mut self.lines).end(line) {
                Ok(()) | Err(Cut::Limit(_)) => {}
                Err(Cut::Refused(error)) => return Err(error),
            }
        }
        Ok(Report { ended, log: String::from_utf8_lossy(&self.log).into_owned() })
    }

    /// Moves what can be moved through the pipes.
    fn exchange(&mut self, line: OnLine<'_>) -> Result<Option<Limit>, DriverError> {
        while let Some(stdin) = &self.stdin {
            match rustix::io::write(stdin, &self.job.input[self.written..]) {
                Ok(written) => self.written += written,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                // A job may leave its input unread.
                Err(_) => self.written = self.job.input.len(),
            }
            if self.written >= self.job.input.len() {
                self.stdin = None;
            }
        }
        self.listen();
        let mut buffer = [0; BLOCK_BYTES];
        while let Some(stdout) = &self.stdout {
            match rustix::io::read(stdout, &mut buffer) {
                Ok(0) => self.stdout = None,
                Ok(read) => match self.lines.take(&buffer[..read], line) {
                    Ok(()) => {}
                    Err(Cut::Limit(limit)) => return Ok(Some(limit)),
                    Err(Cut::Refused(error)) => return Err(error),
                },
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(_) => self.stdout = None,
            }
        }
        Ok(None)
    }

    fn listen(&mut self) {
        if let Some(stderr) = &self.stderr
            && keep_end(stderr, &mut self.log)
        {
            self.stderr = None;
        }
    }

    /// The limit that it is above, if it is.
    fn exceeded(&self, look: u32) -> Option<Limit> {
        let limits = &self.job.limits;
        let took = i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX);
        // One process inside is the sandbox's own.
        let spent = spend::spent(self.init.pid, limits.processes + 1);
        let grown = || {
            let writable = self.job.folders.iter().filter(|folder| folder.writable);
            writable
                .map(|folder| spend::disk_bytes(&folder.path))
                .fold(0, u64::saturating_add)
                .saturating_sub(self.held)
        };
        if took >= self.job.time_millis {
            Some(Limit::Time)
        } else if spent.processes > limits.processes + 1 {
            Some(Limit::Processes)
        } else if spent.memory_bytes > limits.memory_bytes {
            Some(Limit::Memory)
        } else if spent.cpu_millis > limits.cpu_millis {
            Some(Limit::Cpu)
        } else if look.is_multiple_of(DISK_EVERY)
            && (grown() > limits.disk_bytes || spend::has_too_many_files(self.init.pid, limits.disk_bytes))
        {
            Some(Limit::Disk)
        } else {
            None
        }
    }

    fn wait(&self) {
        let mut fds = vec![PollFd::new(&self.outer, PollFlags::IN)];
        fds.extend(self.stdout.as_ref().map(|fd| PollFd::new(fd, PollFlags::IN)));
        fds.extend(self.stderr.as_ref().map(|fd| PollFd::new(fd, PollFlags::IN)));
        fds.extend(self.stdin.as_ref().map(|fd| PollFd::new(fd, PollFlags::OUT)));
        let longest = Timespec { tv_sec: 0, tv_nsec: TICK.subsec_nanos().into() };
        // An interrupted wait is a short one.
        let _ = poll(&mut fds, Some(&longest));
    }

    /// What its end means.
    fn by_itself(&self, status: ExitStatus) -> Result<Ended, DriverError> {
        // `bwrap` tells the signal of the job as shells do.
        Ok(match status.code() {
            Some(exit @ 1..) if refused(&String::from_utf8_lossy(&self.log)).is_some() => {
                return Err(refused(&String::from_utf8_lossy(&self.log)).unwrap_or_else(|| broken(&exit.to_string())));
            }
            Some(exit) if exit == 128 + Signal::XFSZ.as_raw() => Ended::Limit(Limit::Disk),
            Some(exit @ 129..=192) => Ended::Signal(exit - 128),
            Some(exit) => Ended::Exit(exit),
            None => Ended::Signal(Signal::KILL.as_raw()),
        })
    }
}

/// Marks all open files but the standard ones to be closed when the program begins: this process may have been given some by
/// its own parent (a lock, a socket), and `bwrap` would hand them on. Before the pipes are mapped, which stay open.
#[expect(unsafe_code, reason = "only between fork and exec is it known which files would be handed on")]
fn keep_open_files_out(command: &mut Command) {
    let close = || match unsafe { libc::close_range(3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC as libc::c_int) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    };
    // SAFETY: one system call on numbers; nothing is allocated, locked or dereferenced.
    unsafe { command.pre_exec(close) };
}

fn pid_of(child: &std::process::Child) -> Pid {
    // A child that runs has an id above zero.
    Pid::from_child(child)
}

/// Waits for `bwrap` to tell which process is the first one inside.
fn first_inside(info: &OwnedFd, began: Instant) -> std::io::Result<Pid> {
    let mut told = Vec::new();
    let mut buffer = [0; 1_024];
    let gone = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
    while !told.contains(&b'}') {
        let left = START.checked_sub(began.elapsed()).ok_or(std::io::ErrorKind::TimedOut)?;
        let left = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
        match poll(&mut [PollFd::new(info, PollFlags::IN)], Some(&left)) {
            Ok(0) | Err(Errno::INTR) => continue,
            waited => waited?,
        };
        match rustix::io::read(info, &mut buffer) {
            Ok(0) => return Err(gone()),
            Ok(read) => told.extend_from_slice(&buffer[..read]),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let told: serde_json::Value = serde_json::from_slice(&told).map_err(std::io::Error::other)?;
    let pid = told["child-pid"].as_i64().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
    pid.ok_or_else(gone)
}

/// Sets the kernel's limits on the first process inside, which waits meanwhile.
fn confine(pid: Pid, job: &Job) -> std::io::Result<Init> {
    let handle = rustix::process::pidfd_open(pid, PidfdFlags::empty())?;
    let limits = &job.limits;
    // The watch comes first, as the kernel does not say whose limit it was.
    let cpu = limits.cpu_millis.div_ceil(1_000) + 1;
    let all = [
        (Resource::Core, 0),
        (Resource::Data, limits.memory_bytes),
        (Resource::Cpu, cpu),
        (Resource::Nproc, limits.processes + 1),
        (Resource::Fsize, limits.disk_bytes),
        (Resource::Nofile, OPEN_FILES),
    ];
    for (resource, most) in all {
        let now = rustix::process::getrlimit(resource);
        let most = now.maximum.map_or(most, |maximum| maximum.min(most));
        let limit = Rlimit { current: Some(most), maximum: Some(most) };
        rustix::process::prlimit(Some(pid), resource, limit)?;
    }
    // One process inside is the sandbox's own.
    Ok(Init { pid, handle, _group: group::limit(pid, limits.processes + 1) })
}

/// Keeps the end of what is there to read; true once there will be no more.
fn keep_end(stderr: &ChildStderr, log: &mut Vec<u8>) -> bool {
    let mut buffer = [0; 4_096];
    loop {
        match rustix::io::read(stderr, &mut buffer) {
            Ok(0) => return true,
            Ok(read) => {
                log.extend_from_slice(&buffer[..read]);
                log.drain(..log.len().saturating_sub(LOG_BYTES));
            }
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return false,
            Err(_) => return true,
        }
    }
}

/// The error that `bwrap` itself tells on standard error. A job that imitates it fails as it would fail anyhow.
fn refused(log: &str) -> Option<DriverError> {
    let words = log.trim().strip_prefix("bwrap: ")?.lines().next()?;
    let words: String = words.chars().take(300).collect();
    if words.starts_with("execvp ") {
        let error = DriverError::permanent(code::JOB_START, format!("the command cannot be started: {words}"));
        return Some(error.hint("name a program of the system, or an executable script beside the migration file"));
    }
    if words.starts_with("Can't find source path") || words.starts_with("Can't chdir") {
        return Some(DriverError::permanent(code::JOB_START, format!("a folder of the command is not there: {words}")));
    }
    Some(broken(&words))
}
