//! Reader processes: untrusted files are opened by long-lived child processes with limits, never by the process that
//! holds the journal.
//!
//! # Terms
//! A *reader* is a child that runs [`serve()`]: it takes requests from its standard input and answers on its standard
//! output, one at a time, each a frame of a little-endian `u32` length and that many bytes of MessagePack. The *pool* owns the
//! readers; [`ReaderPool::call`] checks one out, speaks with it, and puts it back. Readers are started when first
//! needed and replaced when they die, when they took too long, or after a number of requests.
//!
//! # What bounds a reader
//! Its data segment and address space (`setrlimit`, by the child itself before the first request), no core dumps, an
//! empty environment, `/` as directory, a time limit per request kept by the parent, and the kernel's parent-death
//! signal: a reader does not outlive its parent, also if that is killed with `SIGKILL`. Standard error is kept, at most
//! [`STDERR_BYTES`] of it, for the message of a death.
//!
//! # When it dies half-way
//! | what happened | answer |
//! |---|---|
//! | it died between requests | another one takes the request; nobody notices |
//! | a signal, an abort, an exit during a request | the request is tried once more on a fresh reader; a second death is *permanent*: the file is corrupt or hostile |
//! | out of memory (its own words on standard error) | the same, with a code of its own |
//! | a panic | caught in the child, answered as *permanent*, and the reader is replaced |
//! | no answer in time, or the caller cancels | the reader is killed; *transient* |
//! | an answer that is none | the reader is killed; *permanent* |
//!
//! A request must therefore be repeatable: what it writes has a name of its own and is written from the start.

mod child;
mod frame;
mod serve;
mod spawn;

#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use serve::guarded;
pub use serve::{ServeLimits, serve, serve_on};

use child::{Child, Death};
use greylag_driver::error::DriverError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use spawn::Spawner;
use std::ffi::OsString;
use std::marker::PhantomData;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How much of a reader's standard error is kept.
pub const STDERR_BYTES: usize = 4096;

/// How readers are run.
#[derive(Clone, Debug)]
pub struct PoolConfig {
    /// Program and arguments of a reader; `--memory-bytes N` is appended.
    pub command: Vec<OsString>,
    /// Readers at most. More than processors: while one hands over its answer another one works.
    pub size: usize,
    /// Requests that one caller makes best at the same time: one for each processor.
    pub at_once: usize,
    /// Memory of one reader.
    pub memory_bytes: u64,
    /// Longest time for one request, unless the call says otherwise.
    pub request_timeout: Duration,
    /// A reader is replaced after this many requests.
    pub max_requests: u64,
}

/// What bounds one call.
#[derive(Clone, Copy, Default)]
pub struct CallLimits<'a> {
    /// Longest time, instead of the pool's.
    pub timeout: Option<Duration>,
    /// Asked a few times a second: whether to give up.
    pub cancelled: Option<&'a dyn Fn() -> bool>,
}

/// Answers requests inside this process: for tests, the same interface as readers have.
pub type Handler<Q, R> = dyn Fn(Q) -> Result<R, DriverError> + Send + Sync;

/// A pool of readers for requests `Q` and replies `R`.
pub struct ReaderPool<Q, R> {
    kind: Kind<Q, R>,
    types: PhantomData<fn(Q) -> R>,
}

enum Kind<Q, R> {
    Processes(Box<Processes>),
    InProcess(Box<Handler<Q, R>>),
}

struct Processes {
    config: PoolConfig,
    spawner: Spawner,
    idle: Mutex<Idle>,
    returned: Condvar,
}

/// The readers that nobody uses, and how many there are in all.
#[derive(Default)]
struct Idle {
    children: Vec<Child>,
    alive: usize,
}

impl<Q, R> ReaderPool<Q, R>
where
    Q: Serialize + DeserializeOwned,
    R: Serialize + DeserializeOwned,
{
    /// A pool of processes; none is started yet.
    pub fn new(config: PoolConfig) -> Result<Self, DriverError> {
        let spawner = Spawner::new(&config)?;
        let processes = Processes { config, spawner, idle: Mutex::default(), returned: Condvar::new() };
        Ok(Self { kind: Kind::Processes(Box::new(processes)), types: PhantomData })
    }

    /// No processes and no limits: `handler` answers here. For tests of what stands on a pool.
    pub fn in_process(handler: impl Fn(Q) -> Result<R, DriverError> + Send + Sync + 'static) -> Self {
        Self { kind: Kind::InProcess(Box::new(handler)), types: PhantomData }
    }

    /// Requests that one caller makes best at the same time.
    pub fn at_once(&self) -> usize {
        match &self.kind {
            Kind::Processes(processes) => processes.config.at_once.max(1),
            Kind::InProcess(_) => 1,
        }
    }

    /// Sends a request to a reader and waits for its answer.
    pub fn call(&self, request: &Q) -> Result<R, DriverError> {
        self.call_within(request, &CallLimits::default())
    }

    /// The same within limits of the caller's.
    pub fn call_within(&self, request: &Q, limits: &CallLimits<'_>) -> Result<R, DriverError> {
        let encoded = frame::encode(request)?;
        let answer = match &self.kind {
            Kind::Processes(processes) => processes.call(&encoded, limits)?,
            Kind::InProcess(handler) => {
                let request = frame::decode(&encoded[frame::HEADER..])?;
                return serve::guarded(|| handler(request)).unwrap_or_else(Err);
            }
        };
        frame::decode::<Result<R, DriverError>>(&answer)?
    }
}

impl Processes {
    fn call(&self, request: &[u8], limits: &CallLimits<'_>) -> Result<Vec<u8>, DriverError> {
        let mut deaths = 0;
        loop {
            let mut lease = Lease { pool: self, child: Some(self.check_out()?) };
            let Some(child) = lease.child.as_mut() else { continue };
            let timeout = limits.timeout.unwrap_or(self.config.request_timeout);
            let death = match child.exchange(request, timeout, limits.cancelled) {
                Ok(answer) => {
                    if child.served >= self.config.max_requests || answer.last {
                        lease.discard();
                    }
                    return Ok(answer.body);
                }
                Err(death) => death,
            };
            let stderr = lease.discard();
            match death {
                // It had died before it got the request: nothing to hold against the file.
                Death::Unsent => {}
                Death::Ended(status) => {
                    deaths += 1;
                    if deaths > 1 {
                        return Err(child::death_error(status, &stderr, self.config.memory_bytes));
                    }
                }
                Death::Error(error) => return Err(error),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check_out(&self) -> Result<Child, DriverError> {
        let mut idle = self.lock();
        loop {
            if let Some(child) = idle.children.pop() {
                return Ok(child);
            }
            if idle.alive < self.config.size.max(1) {
                idle.alive += 1;
                break;
            }
            idle = self.returned.wait(idle).unwrap_or_else(PoisonError::into_inner);
        }
        drop(idle);
        self.spawner.spawn().inspect_err(|_| self.forget())
    }

    fn forget(&self) {
        self.lock().alive -= 1;
        self.returned.notify_one();
    }
}

/// A checked-out reader: goes back when dropped, unless it was discarded.
struct Lease<'a> {
    pool: &'a Processes,
    child: Option<Child>,
}

impl Lease<'_> {
    /// Ends the reader and says what it wrote to standard error.
    fn discard(&mut self) -> String {
        let Some(child) = self.child.take() else { return String::new() };
        let stderr = child.end();
        self.pool.forget();
        stderr
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if let Some(child) = self.child.take() {
            if std::thread::panicking() {
                child.end();
                self.pool.forget();
            } else {
                self.pool.lock().children.push(child);
                self.pool.returned.notify_one();
            }
        }
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for child in std::mem::take(&mut self.lock().children) {
            child.end();
        }
    }
}
