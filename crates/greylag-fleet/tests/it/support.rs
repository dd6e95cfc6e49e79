//! Jobs of the real sandbox.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

use greylag_driver::sandbox::{Ended, Folder, Job, Sandbox, conformance};
use greylag_fleet::bubblewrap::Bubblewrap;
use std::path::Path;

pub(crate) fn sandbox() -> Bubblewrap {
    Bubblewrap::find(&std::env::var_os("PATH").unwrap())
}

/// A job that a shell does.
pub(crate) fn shell(script: &str) -> Job {
    conformance::job(["/bin/sh", "-c", script].map(str::to_owned).to_vec())
}

pub(crate) fn folder(path: &Path, at: &str, writable: bool) -> Folder {
    Folder { path: path.to_owned(), at: at.into(), writable }
}

/// What a job said, and how it ended.
pub(crate) struct Told {
    pub(crate) lines: Vec<String>,
    pub(crate) ended: Ended,
    pub(crate) log: String,
}

pub(crate) fn run(job: &Job) -> Told {
    run_until(job, &|| false)
}

pub(crate) fn run_until(job: &Job, cancelled: &dyn Fn() -> bool) -> Told {
    let mut lines = Vec::new();
    let mut line = |line: &[u8]| {
        lines.push(String::from_utf8_lossy(line).into_owned());
        Ok(())
    };
    let report = sandbox().run(job, &mut line, cancelled).unwrap();
    Told { lines, ended: report.ended, log: report.log }
}

/// Whether a process with this word among its arguments is left on the machine.
pub(crate) fn is_alive(word: &str) -> bool {
    std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        let told = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&told).contains(word)
    })
}
