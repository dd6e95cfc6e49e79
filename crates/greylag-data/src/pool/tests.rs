#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests that start processes")]

//! The readers of these tests are this very test binary, started by a shell that moves standard output (on which the
//! test harness talks) out of the way: descriptor 3 is what the pool reads.

use super::spawn::ALLOCATOR;
use super::*;
use greylag_model::code::data as code;
use greylag_model::spec::ErrorClass;
use rustix::process::{Pid, Signal};
use serde::Deserialize;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

/// What the tests' readers can be told.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Order {
    Echo(String),
    Panic,
    Abort,
    Allocate(usize),
    Hang,
    Talk(usize),
    Fail,
    Describe,
}

/// Process id, and what was asked for.
type Answer = (i32, String);

fn obey(order: Order) -> Result<Answer, DriverError> {
    let text = match order {
        Order::Echo(text) => text,
        Order::Panic => panic!("the page has no end"),
        Order::Abort => std::process::abort(),
        Order::Allocate(bytes) => {
            let mut block = vec![0_u8; bytes];
            block.iter_mut().step_by(4096).for_each(|byte| *byte = 1);
            block.len().to_string()
        }
        Order::Hang => loop {
            std::thread::park();
        },
        Order::Talk(lines) => {
            let mut stderr = std::io::stderr();
            (0..lines)
                .for_each(|line| std::io::Write::write_all(&mut stderr, format!("{line:01000}\n").as_bytes()).unwrap());
            String::new()
        }
        Order::Fail => return Err(DriverError::conflict(code::IO, "as told").hint("a hint")),
        Order::Describe => {
            let core = rustix::process::getrlimit(rustix::process::Resource::Core).current;
            let directory = std::env::current_dir().unwrap();
            let mut environment: Vec<_> = std::env::vars_os().map(|(key, _)| key).filter(|key| key != "PWD").collect();
            environment.sort();
            format!("{core:?} {directory:?} {environment:?}")
        }
    };
    Ok((std::process::id() as i32, text))
}

/// The arguments of this process after `mark`, if it was started as that.
fn started_as(mark: &str) -> Option<Vec<String>> {
    let mut arguments = std::env::args().skip_while(|argument| argument != mark);
    arguments.next().map(|_| arguments.collect())
}

fn command(test: &str, mark: &str) -> Vec<OsString> {
    let script = format!(
        "exec \"$0\" pool::tests::{test} --exact --nocapture --test-threads 1 {mark} \"$2\" 3>&1 1>/dev/null 2>&2"
    );
    let exe = std::env::current_exe().unwrap().into_os_string();
    vec!["/bin/sh".into(), "-c".into(), script.into(), exe]
}

/// The child's side; by itself it shows that a reader ends with its input.
#[test]
fn a_reader_ends_with_its_input() {
    let Some(arguments) = started_as("reader-child") else {
        let mut out = Vec::new();
        serve_on(&mut std::io::empty(), &mut out, &obey).unwrap();
        assert_eq!(out, b"");
        return;
    };
    let memory_bytes = arguments[0].parse().unwrap();
    let mut out = OpenOptions::new().write(true).open("/proc/self/fd/3").unwrap();
    super::serve::limit_self(ServeLimits { memory_bytes }).unwrap();
    serve_on(&mut std::io::stdin().lock(), &mut out, &obey).unwrap();
    std::process::exit(0);
}

fn config() -> PoolConfig {
    PoolConfig {
        command: command("a_reader_ends_with_its_input", "reader-child"),
        size: 1,
        at_once: 1,
        memory_bytes: 256 << 20,
        request_timeout: Duration::from_mins(1),
        max_requests: 1000,
    }
}

fn pool(config: PoolConfig) -> ReaderPool<Order, Answer> {
    ReaderPool::new(config).unwrap()
}

fn echo(pool: &ReaderPool<Order, Answer>) -> i32 {
    let (pid, text) = pool.call(&Order::Echo("ä".to_owned())).unwrap();
    assert_eq!(text, "ä");
    pid
}

#[test]
fn a_reader_answers_many_requests_of_any_size() {
    let pool = pool(config());
    let pid = echo(&pool);
    for size in [0, 1, 1 << 16, 5 << 20] {
        let answer = pool.call(&Order::Echo("x".repeat(size))).unwrap();
        assert_eq!((answer.0, answer.1.len()), (pid, size));
    }
}

#[test]
fn errors_stay_typed() {
    let error = pool(config()).call(&Order::Fail).unwrap_err();
    assert_eq!(error, DriverError::conflict(code::IO, "as told").hint("a hint"));
}

#[test]
fn a_panic_is_permanent_and_the_reader_replaced() {
    let pool = pool(config());
    let before = echo(&pool);
    let error = pool.call(&Order::Panic).unwrap_err();
    assert_eq!((error.class, error.code), (ErrorClass::Permanent, code::READER_PANIC));
    assert_eq!(error.message, "a reader process stopped at an inconsistency: the page has no end");
    assert_ne!(echo(&pool), before);
}

#[test]
fn what_kills_two_readers_is_permanent() {
    let pool = pool(config());
    let error = pool.call(&Order::Abort).unwrap_err();
    assert_eq!((error.class, error.code), (ErrorClass::Permanent, code::READER_DIED));
    assert!(error.message.contains("(signal 6)"), "{error}");
    echo(&pool);
}

#[test]
fn memory_is_limited() {
    let pool = pool(config());
    assert_eq!(pool.call(&Order::Allocate(64 << 20)).unwrap().1, (64 << 20).to_string());
    let error = pool.call(&Order::Allocate(1 << 30)).unwrap_err();
    assert_eq!((error.class, error.code), (ErrorClass::Permanent, code::READER_MEMORY));
    assert_eq!(error.message, "two reader processes ran out of their 256 MiB of memory");
    echo(&pool);
}

#[test]
fn no_answer_in_time_is_transient() {
    let pool = pool(config());
    let before = echo(&pool);
    let limits = CallLimits { timeout: Some(Duration::from_millis(50)), ..CallLimits::default() };
    let error = pool.call_within(&Order::Hang, &limits).unwrap_err();
    assert_eq!((error.class, error.code), (ErrorClass::Transient, code::READER_TIMEOUT));
    assert_ne!(echo(&pool), before);
}

#[test]
fn a_call_can_be_cancelled() {
    let pool = pool(config());
    echo(&pool);
    let asked = AtomicBool::new(false);
    let cancelled = || asked.swap(true, Ordering::Relaxed);
    let limits = CallLimits { cancelled: Some(&cancelled), ..CallLimits::default() };
    let error = pool.call_within(&Order::Hang, &limits).unwrap_err();
    assert_eq!((error.class, error.code), (ErrorClass::Transient, code::CANCELLED));
    echo(&pool);
}

#[test]
fn a_reader_that_died_between_requests_is_not_noticed() {
    let pool = pool(config());
    let pid = echo(&pool);
    let process = Pid::from_raw(pid).unwrap();
    let handle = rustix::process::pidfd_open(process, rustix::process::PidfdFlags::empty()).unwrap();
    rustix::process::kill_process(process, Signal::KILL).unwrap();
    gone(&handle);
    assert_ne!(echo(&pool), pid);
}

#[test]
fn talk_on_standard_error_neither_blocks_nor_grows() {
    let pool = pool(config());
    pool.call(&Order::Talk(2000)).unwrap();
    echo(&pool);
}

#[test]
fn a_reader_has_no_environment_no_core_and_no_place() {
    let answer = pool(config()).call(&Order::Describe).unwrap().1;
    let mut kept = ALLOCATOR.map(|(name, _)| name);
    kept.sort_unstable();
    assert_eq!(answer, format!("Some(0) \"/\" {kept:?}"), "nothing of the parent's");
}

#[test]
fn readers_are_replaced_after_their_requests() {
    let pool = pool(PoolConfig { max_requests: 2, ..config() });
    let pids: Vec<_> = (0..4).map(|_| echo(&pool)).collect();
    assert!(pids[0] == pids[1] && pids[1] != pids[2] && pids[2] == pids[3], "{pids:?}");
}

#[test]
fn callers_share_the_readers() {
    let pool = pool(PoolConfig { size: 2, ..config() });
    let pids: Vec<i32> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..8).map(|_| scope.spawn(|| (0..20).map(|_| echo(&pool)).collect::<Vec<_>>())).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let distinct: std::collections::BTreeSet<_> = pids.into_iter().collect();
    assert!(distinct.len() <= 2, "{distinct:?}");
}

#[test]
fn what_is_no_reader_is_told() {
    let with = |command: &[&str]| {
        let command = command.iter().map(OsString::from).collect();
        pool(PoolConfig { command, ..config() }).call(&Order::Fail).unwrap_err()
    };
    assert_eq!(with(&["/nonexistent/greylag"]).code, code::READER_START);
    assert_eq!(with(&[]).code, code::READER_START);
    assert_eq!(with(&["/bin/sh", "-c", "exit 3"]).code, code::READER_DIED);
    assert_eq!(with(&["/bin/sh", "-c", "echo hello; read x"]).code, code::READER_PROTOCOL);
}

#[test]
fn in_process_answers_the_same() {
    let pool = ReaderPool::in_process(obey);
    echo(&pool);
    assert_eq!(pool.call(&Order::Panic).unwrap_err().code, code::READER_PANIC);
    assert_eq!(pool.call(&Order::Fail).unwrap_err().class, ErrorClass::Conflict);
}

/// Waits until a process is gone; fails after a minute.
fn gone(handle: &rustix::fd::OwnedFd) {
    let mut fds = [rustix::event::PollFd::new(handle, rustix::event::PollFlags::IN)];
    let minute = rustix::event::Timespec { tv_sec: 60, tv_nsec: 0 };
    assert_eq!(rustix::event::poll(&mut fds, Some(&minute)).unwrap(), 1, "the process lives on");
}

#[test]
fn no_reader_outlives_a_killed_parent() {
    if started_as("owner-child").is_some() {
        // The parent of the readers: says who they are, then hangs in a request until it is killed.
        let pool = pool(config());
        // From a thread that ends: the reader must not end with it.
        let pid = std::thread::scope(|scope| scope.spawn(|| echo(&pool)).join().unwrap());
        assert_eq!(echo(&pool), pid);
        let mut out: File = OpenOptions::new().write(true).open("/proc/self/fd/3").unwrap();
        std::io::Write::write_all(&mut out, format!("{pid}\n").as_bytes()).unwrap();
        let _ = pool.call(&Order::Hang);
        return;
    }
    let command = command("no_reader_outlives_a_killed_parent", "owner-child");
    let mut owner = Command::new(&command[0]).args(&command[1..]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(owner.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let reader = Pid::from_raw(line.trim().parse().unwrap()).unwrap();
    let handle = rustix::process::pidfd_open(reader, rustix::process::PidfdFlags::empty()).unwrap();
    owner.kill().unwrap();
    owner.wait().unwrap();
    gone(&handle);
}
