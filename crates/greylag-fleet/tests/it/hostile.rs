//! Commands that mean no good: each does nothing.
//!
//! Where a test could pass because the command did not work at all, the same command is shown to work where it may.
#![expect(clippy::unwrap_used, reason = "tests")]

use crate::support::{Told, folder, is_alive, run, run_until, sandbox, shell};
use greylag_driver::sandbox::{Ended, Job, Limit, Limits, Sandbox};
use greylag_fleet::bubblewrap::Bubblewrap;
use greylag_model::code::fleet as code;
use greylag_model::spec::ErrorClass;
use std::cell::Cell;
use std::ffi::OsStr;
use std::net::TcpListener;
use std::time::Instant;

fn limits() -> Limits {
    Limits::default()
}

fn fails(job: &Job) -> String {
    let Told { ended, log, lines } = run(job);
    assert!(matches!(ended, Ended::Exit(1..)), "{ended:?} {lines:?} {log}");
    log
}

#[test]
fn it_reads_no_file_that_it_was_not_given() {
    let state = tempfile::tempdir().unwrap();
    std::fs::write(state.path().join("state.db"), "secret").unwrap();
    let path = state.path().display();
    assert!(fails(&shell("cat /etc/shadow")).contains("No such file"));
    assert!(fails(&shell("cat /etc/passwd")).contains("No such file"));
    assert!(fails(&shell(&format!("cat {path}/state.db"))).contains("No such file"));
    assert!(fails(&shell("ls /root /home /var /work")).contains("No such file"));
    // By way of another process's root, or of a link in a folder that it was given.
    let given = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(state.path().join("state.db"), given.path().join("link")).unwrap();
    std::fs::write(given.path().join("own"), "mine").unwrap();
    let job = Job { folders: vec![folder(given.path(), "/data", false)], ..shell("cat /data/link") };
    assert!(fails(&job).contains("No such file"));
    fails(&shell(&format!("cat /proc/1/root{path}/state.db")));
    let job = Job { folders: job.folders, ..shell("cat /data/own") };
    assert_eq!(run(&job).lines, ["mine"]);
}

#[test]
fn it_writes_nowhere_but_where_it_may() {
    let given = tempfile::tempdir().unwrap();
    let folders = vec![folder(given.path(), "/data", false)];
    let script = "for place in /usr/x /bin/x /x /dev/x /dev/null/x /etc/x /proc/x /sys/x /data/x; do
        { echo bad > $place && echo $place; } 2>/dev/null; done; true";
    let told = run(&Job { folders, ..shell(script) });
    assert_eq!((told.lines, told.ended), (vec![], Ended::Exit(0)));
    // Where the kernel lets root set how it works; opened, and nothing written.
    let script = "for file in /proc/sys/kernel/core_pattern /proc/sys/vm/drop_caches /proc/sysrq-trigger; do
        [ -e $file ] && { : >> $file && echo $file; } 2>/dev/null; done; true";
    assert_eq!(run(&shell(script)).lines, [""; 0]);
    let folders = vec![folder(given.path(), "/data", true)];
    let told = run(&Job { folders, ..shell("echo good > /data/x && echo good > /tmp/x && cat /data/x /tmp/x") });
    assert_eq!(told.lines, ["good", "good"]);
    assert_eq!(std::fs::read_to_string(given.path().join("x")).unwrap(), "good\n");
    // Its scratch folder is its own, and gone.
    assert!(fails(&shell("cat /tmp/x")).contains("No such file"));
}

#[test]
fn it_opens_no_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let script = format!(
        "exec perl -MIO::Socket::INET -e 'IO::Socket::INET->new(PeerAddr => \"127.0.0.1:{port}\", Timeout => 5) or die \"no: $!\"; print \"yes\\n\"'"
    );
    assert!(fails(&shell(&script)).contains("no: "));
    assert_eq!(run(&Job { network: true, ..shell(&script) }).lines, ["yes"]);
    // Nor to the sockets that processes of this machine have by name.
    fails(&shell(
        "exec perl -MSocket -e 'socket(my $s, PF_UNIX, SOCK_STREAM, 0) or die; connect($s, sockaddr_un(\"/run/dbus/system_bus_socket\")) or die \"no: $!\"'",
    ));
}

#[test]
fn it_gains_no_rights() {
    let told = run(&shell("grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status"));
    assert_eq!(told.lines, ["CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1"]);
    fails(&shell("unshare --user --map-root-user true"));
    fails(&shell("mount -t tmpfs none /tmp"));
    fails(&shell("chroot / true"));
}

#[test]
fn it_finds_no_secrets_to_print() {
    let told = run(&shell("env | cut -d= -f1 | sort"));
    assert_eq!(told.lines, ["HOME", "LANG", "PATH", "PWD", "TMPDIR"]);
    // This test's environment has much more, and so would have `bwrap`, which is the first process inside.
    let told = run(&shell("for file in /proc/[0-9]*/environ; do tr '\\0' '\\n' < $file; done | cut -d= -f1 | sort -u"));
    assert!(
        told.lines.iter().all(|name| ["HOME", "LANG", "PATH", "PWD", "TMPDIR"].contains(&name.as_str())),
        "{:?}",
        told.lines
    );
    // No file of the parent is open in it, and no other process is seen.
    let _inherited = rustix::pipe::pipe().unwrap();
    assert_eq!(run(&shell("ls /proc/self/fd | wc -l")).lines, ["4"]);
    let processes: u32 = run(&shell("ls -d /proc/[0-9]* | wc -l")).lines[0].parse().unwrap();
    assert!(processes <= 4, "{processes}");
}

#[test]
fn a_fork_bomb_ends() {
    let began = Instant::now();
    let job = Job {
        limits: Limits { processes: 20, ..limits() },
        ..shell("bomb() { bomb greylag-bomb | bomb & }; bomb; sleep 2")
    };
    let told = run(&job);
    // The kernel refuses more, or, where it does not count for root, the look ends it.
    assert!(told.ended == Ended::Limit(Limit::Processes) || told.log.contains("fork"), "{:?} {}", told.ended, told.log);
    assert!(began.elapsed().as_secs() < 29);
    assert!(!is_alive("greylag-bomb"));
}

#[test]
fn a_memory_bomb_ends() {
    let job = |script: &str| Job { limits: Limits { memory_bytes: 64 << 20, ..limits() }, ..shell(script) };
    let one = run(&job("exec perl -e 'my @all; push @all, \"x\" x 1000000 while 1'"));
    assert!(
        one.ended == Ended::Limit(Limit::Memory) || one.log.contains("Out of memory"),
        "{:?} {}",
        one.ended,
        one.log
    );
    // Each of them has less than may be had, and together they have more.
    let many = run(&job("for n in 1 2 3 4 5; do perl -e 'my $all = \"x\" x 20000000; sleep 60' & done; wait"));
    assert_eq!(many.ended, Ended::Limit(Limit::Memory), "{}", many.log);
    assert_eq!(run(&job("exec perl -e 'my $all = \"x\" x 20000000; print \"fits\\n\"'")).lines, ["fits"]);
}

#[test]
fn a_busy_one_ends() {
    let limits = Limits { cpu_millis: 600, ..limits() };
    let one = run(&Job { limits, ..shell("while :; do :; done") });
    assert_eq!(one.ended, Ended::Limit(Limit::Cpu));
    // Many short ones, each of which ends long before.
    let many = run(&Job { limits, ..shell("while :; do perl -e '$i++ while $i < 500000'; done") });
    assert_eq!(many.ended, Ended::Limit(Limit::Cpu));
}

#[test]
fn a_disk_filler_ends() {
    let given = tempfile::tempdir().unwrap();
    let job = |script: &str| Job {
        limits: Limits { disk_bytes: 4 << 20, ..limits() },
        folders: vec![folder(given.path(), "/data", true)],
        ..shell(script)
    };
    let scratch = run(&job("head -c 100000000 /dev/zero > /tmp/x"));
    assert!(matches!(scratch.ended, Ended::Exit(1..) | Ended::Limit(Limit::Disk)), "{:?}", scratch.ended);
    let shared = run(&job("head -c 100000000 /dev/zero > /dev/shm/x"));
    assert!(matches!(shared.ended, Ended::Exit(1..) | Ended::Limit(Limit::Disk)), "{:?}", shared.ended);
    let one = run(&job("head -c 100000000 /dev/zero > /data/x"));
    assert!(matches!(one.ended, Ended::Exit(1..) | Ended::Limit(Limit::Disk)), "{:?}", one.ended);
    assert!(std::fs::metadata(given.path().join("x")).unwrap().len() <= 4 << 20);
    let many = run(&job("n=0; while :; do n=$((n+1)); head -c 1000000 /dev/zero > /data/$n; done"));
    assert_eq!(many.ended, Ended::Limit(Limit::Disk));
    let empty = run(&job("cd /tmp; n=0; while :; do n=$((n+1)); : > $n; done"));
    assert!(matches!(empty.ended, Ended::Limit(Limit::Disk)), "{:?}", empty.ended);
}

#[test]
fn one_that_ignores_signals_ends() {
    let script = "trap '' TERM INT HUP; while :; do sleep 1; done # greylag-deaf";
    let began = Instant::now();
    let told = run(&Job { time_millis: 300, ..shell(script) });
    assert_eq!(told.ended, Ended::Limit(Limit::Time));
    let looks = Cell::new(0);
    let cancelled = || {
        looks.set(looks.get() + 1);
        looks.get() > 4
    };
    assert_eq!(run_until(&shell(script), &cancelled).ended, Ended::Cancelled);
    assert!(began.elapsed().as_secs() < 20);
    assert!(!is_alive("greylag-deaf"));
}

#[test]
fn a_daemon_does_not_stay() {
    // It has a session of its own, holds on to the pipes, and its parent is gone.
    let told = run(&shell("setsid sh -c 'trap \"\" TERM HUP; sleep 600 # greylag-daemon' & echo done"));
    assert_eq!((told.lines, told.ended), (vec!["done".to_owned()], Ended::Exit(0)));
    assert!(!is_alive("greylag-daemon"));
}

#[test]
fn it_dies_with_the_process_that_runs_it() {
    let log = tempfile::tempdir().unwrap();
    let job = Job {
        folders: vec![folder(log.path(), "/data", true)],
        ..shell("echo up > /data/up; sleep 600 # greylag-orphan")
    };
    // A thread that ends stands for the process: the kernel does not tell them apart here.
    let up = log.path().join("up");
    let panics = std::thread::spawn(move || {
        let mut line = |_: &[u8]| Ok(());
        let _ = sandbox().run(&job, &mut line, &|| {
            assert!(!up.exists(), "the caller dies");
            false
        });
    });
    assert!(panics.join().is_err());
    assert!(!is_alive("greylag-orphan"));
}

#[test]
fn what_cannot_be_started_is_told() {
    let mut line = |_: &[u8]| Ok(());
    let job = greylag_driver::sandbox::conformance::job(vec!["no-such-program".to_owned()]);
    let error = sandbox().run(&job, &mut line, &|| false).unwrap_err();
    assert_eq!((error.code, error.class), (code::JOB_START, ErrorClass::Permanent));
    assert!(error.message.contains("no-such-program"), "{error}");
    let job = Job { folders: vec![folder(std::path::Path::new("/no/such/folder"), "/data", false)], ..shell("true") };
    let error = sandbox().run(&job, &mut line, &|| false).unwrap_err();
    assert_eq!(error.code, code::JOB_START, "{error}");
}

#[test]
fn without_a_sandbox_nothing_is_run() {
    let given = tempfile::tempdir().unwrap();
    let job = Job { folders: vec![folder(given.path(), "/data", true)], ..shell("echo bad > /data/x") };
    let mut line = |_: &[u8]| Ok(());
    let none = Bubblewrap::find(OsStr::new("/no/such/folder:relative:"));
    let error = none.run(&job, &mut line, &|| false).unwrap_err();
    assert_eq!((error.code, error.class), (code::SANDBOX_MISSING, ErrorClass::Denied));
    assert_eq!(error.hints, ["`apt-get install bubblewrap`"]);
    assert_eq!(none.probe().unwrap_err(), error);
    // One that is there, and makes none.
    let fake = tempfile::tempdir().unwrap();
    let program = fake.path().join("bwrap");
    std::fs::write(&program, "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n").unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let broken = Bubblewrap::find(fake.path().as_os_str());
    let error = broken.run(&job, &mut line, &|| false).unwrap_err();
    assert_eq!((error.code, error.class), (code::SANDBOX_BROKEN, ErrorClass::Denied));
    assert!(error.message.contains("No permissions"), "{error}");
    assert!(!given.path().join("x").exists());
}
