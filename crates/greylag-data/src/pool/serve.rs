//! The child's side: limits first, then requests until standard input ends.

use super::{Handler, frame};
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use rustix::process::{Resource, Rlimit, Signal};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What the child sets for itself.
#[derive(Clone, Copy, Debug)]
pub struct ServeLimits {
    /// Memory: data segment and private writable mappings.
    pub memory_bytes: u64,
}

/// Address space beyond the data: the program's text, stacks of threads, what allocators reserve without using.
const ADDRESS_SLACK: u64 = 1 << 30;

/// The main loop of a reader process: sets its limits, answers requests with `handler`, and returns when standard input
/// ends. Never writes anything else to standard output.
pub fn serve<Q, R>(limits: ServeLimits, handler: &Handler<Q, R>) -> Result<(), DriverError>
where
    Q: DeserializeOwned,
    R: Serialize,
{
    if !limit_self(limits)? {
        return Ok(());
    }
    // Not through `Stdout`, which looks for ends of lines and would write an answer, and wake the parent, twice.
    let output = rustix::fd::AsFd::as_fd(&std::io::stdout()).try_clone_to_owned().map_err(|error| {
        DriverError::permanent(code::READER_START, format!("a reader process has no standard output: {error}"))
    })?;
    serve_on(&mut std::io::stdin().lock(), &mut std::fs::File::from(output), handler)
}

/// Sets the limits; `false` if the parent is gone already.
pub(super) fn limit_self(limits: ServeLimits) -> Result<bool, DriverError> {
    let parent = rustix::process::getppid();
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).map_err(limit_failed)?;
    // The parent may have died before the line above; its child then belongs to somebody else.
    if rustix::process::getppid() != parent || parent.is_none() {
        return Ok(false);
    }
    limit(Resource::Core, 0)?;
    limit(Resource::Data, limits.memory_bytes)?;
    limit(Resource::As, limits.memory_bytes.saturating_add(ADDRESS_SLACK))?;
    Ok(true)
}

fn limit(resource: Resource, most: u64) -> Result<(), DriverError> {
    let now = rustix::process::getrlimit(resource);
    let most = now.maximum.map_or(most, |maximum| maximum.min(most));
    rustix::process::setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) }).map_err(limit_failed)
}

fn limit_failed(error: rustix::io::Errno) -> DriverError {
    DriverError::permanent(code::READER_START, format!("a reader process could not limit itself: {error}"))
}

/// The loop alone, on any pair of streams. A frame of an answer carries one byte before its body: a space if the reader
/// goes on, `!` if it ends because of a panic (whatever the panic left behind goes with it).
pub fn serve_on<Q, R>(input: &mut dyn Read, output: &mut dyn Write, handler: &Handler<Q, R>) -> Result<(), DriverError>
where
    Q: DeserializeOwned,
    R: Serialize,
{
    let gone = |error: std::io::Error| frame::broken(&error.to_string());
    let mut body = Vec::new();
    loop {
        let mut header = [0; frame::HEADER];
        match input.read_exact(&mut header) {
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(()),
            read => read.map_err(gone)?,
        }
        let length = frame::length(header).ok_or_else(|| frame::broken("a request has no length"))?;
        body.clear();
        input.take(length as u64).read_to_end(&mut body).map_err(gone)?;
        let answer = guarded(|| frame::decode(&body).and_then(handler));
        let last = answer.is_err();
        let mut bytes = vec![0; frame::HEADER];
        bytes.push(if last { b'!' } else { b' ' });
        let answer = answer.unwrap_or_else(Err);
        frame::append(&mut bytes, &answer)?;
        frame::seal(&mut bytes)?;
        output.write_all(&bytes).and_then(|()| output.flush()).map_err(gone)?;
        if last {
            return Ok(());
        }
    }
}

/// Runs `work`; a panic becomes the outer error.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, DriverError> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let words = panic.downcast_ref::<String>().map(String::as_str);
        let words = words.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
        let words: String = words.lines().next().unwrap_or_default().chars().take(200).collect();
        DriverError::permanent(code::READER_PANIC, format!("a reader process stopped at an inconsistency: {words}"))
            .hint("the file is most likely corrupt; write it again")
    })
}
