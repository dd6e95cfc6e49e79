//! Starts readers from one thread that lives as long as the pool.
//!
//! The kernel sends the parent-death signal when the *thread* that made the child ends, not the process. If a worker
//! thread started readers, they would die with it; so a thread of the pool's own does.

use super::PoolConfig;
use super::child::Child;
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::mpsc::{Receiver, Sender, channel};

type Answer = Result<Child, DriverError>;

/// Asks the thread for readers.
pub(super) struct Spawner {
    orders: Mutex<Sender<Sender<Answer>>>,
}

impl Spawner {
    pub(super) fn new(config: &PoolConfig) -> Result<Self, DriverError> {
        let (orders, inbox) = channel::<Sender<Answer>>();
        let config = config.clone();
        std::thread::Builder::new()
            .name("reader-spawn".to_owned())
            .stack_size(256 << 10)
            .spawn(move || answer(&config, &inbox))
            .map_err(|error| failed(&error))?;
        Ok(Self { orders: Mutex::new(orders) })
    }

    pub(super) fn spawn(&self) -> Answer {
        let (answer, inbox) = channel();
        let gone = || failed(&std::io::ErrorKind::BrokenPipe.into());
        self.orders.lock().unwrap_or_else(PoisonError::into_inner).send(answer).map_err(|_| gone())?;
        inbox.recv().map_err(|_| gone())?
    }
}

fn answer(config: &PoolConfig, inbox: &Receiver<Sender<Answer>>) {
    while let Ok(answer) = inbox.recv() {
        // Who asked may have gone: then the child is dropped, which ends it.
        let _ = answer.send(start(config));
    }
}

/// A reader takes and gives back the same few megabytes for every file: contexts of codecs, pages, batches. By default its
/// allocator soon returns them to the system, which hands them out again zeroed, page by page. So a reader keeps them for
/// a second, and takes address space by the 32 MiB (the unit is KiB), since that is limited, too.
pub(super) const ALLOCATOR: [(&str, &str); 2] = [("MIMALLOC_PURGE_DELAY", "1000"), ("MIMALLOC_ARENA_RESERVE", "32768")];

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where readers are started, with limits, without environment"
)]
fn start(config: &PoolConfig) -> Answer {
    let Some((program, arguments)) = config.command.split_first() else {
        return Err(failed(&std::io::ErrorKind::NotFound.into()));
    };
    let child = Command::new(program)
        .args(arguments)
        .arg("--memory-bytes")
        .arg(config.memory_bytes.to_string())
        .env_clear()
        .envs(ALLOCATOR)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(&error))?;
    Child::new(child).map_err(|error| failed(&error))
}

fn failed(error: &std::io::Error) -> DriverError {
    DriverError::transient(code::READER_START, format!("a reader process could not be started: {error}"))
        .hint("check the limits on processes and memory (`ulimit -a`)")
}
