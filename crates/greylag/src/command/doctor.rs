//! `greylag doctor`: whether this machine and state folder are fit for work.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::{self, Row, heading};
use crate::wire;
use clap::Args;
use rustix::fs::statvfs;
use serde::Serialize;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::Instant;

/// Least free space in the state folder that passes, bytes.
const ENOUGH_SPACE: u64 = 256 << 20;
/// Durable writes slower than this make every step slow, milliseconds.
const SLOW_SYNC_MILLIS: f64 = 20.0;

/// Check the state folder, the disk, the reader processes, the sandbox of custom steps, git, and DuckDB.
#[derive(Debug, Args)]
pub(crate) struct Doctor {}

/// One finding.
#[derive(Serialize)]
struct Finding {
    check: &'static str,
    /// `pass`, `warn` or `fail`.
    verdict: &'static str,
    detail: String,
}

impl Doctor {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let home = context.home()?;
        let mut findings = vec![Finding {
            check: "version",
            verdict: "pass",
            detail: format!("greylag {} on {}", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH),
        }];
        findings.push(Finding {
            check: "settings",
            verdict: "pass",
            detail: format!(
                "state folder {} (from {}); {} at once (processors)",
                home.root().display(),
                context.home_origin(),
                wire::parallelism()
            ),
        });
        match home.create() {
            Ok(()) => {
                findings.push(space(home.root()));
                findings.push(sync(home.root()));
            }
            Err(failure) => findings.push(failed("state folder", &failure)),
        }
        findings.push(match context.state() {
            Ok(state) => Finding {
                check: "state folder",
                verdict: "pass",
                detail: format!("opens, {} runs", state.journal.runs(10_000)?.len()),
            },
            Err(failure) => failed("state folder", &failure),
        });
        findings.push(match wire::try_reader(context) {
            Ok(millis) => {
                Finding { check: "readers", verdict: "pass", detail: format!("up and answering in {millis} ms") }
            }
            Err(failure) => failed("readers", &failure),
        });
        findings.push(match wire::try_sandbox() {
            Ok(words) => {
                Finding { check: "sandbox", verdict: "pass", detail: format!("custom steps can run: {words}") }
            }
            // Nothing but custom steps needs it.
            Err(failure) => Finding { verdict: "warn", ..failed("sandbox", &failure) },
        });
        findings.push(match wire::try_git() {
            Ok(version) => Finding { check: "git", verdict: "pass", detail: format!("version {version}") },
            // Nothing but repositories needs it.
            Err(failure) => Finding { verdict: "warn", ..failed("git", &failure) },
        });
        // Nothing needs it: proofs go further with it.
        findings.push(match wire::try_duckdb() {
            Some(Ok(words)) => {
                Finding { check: "duckdb", verdict: "pass", detail: format!("proofs may ask it: {words}") }
            }
            Some(Err(failure)) => Finding { verdict: "warn", ..failed("duckdb", &failure) },
            None => {
                let detail = "not declared: proofs go without it (`GREYLAG_DUCKDB`)".to_owned();
                Finding { check: "duckdb", verdict: "pass", detail }
            }
        });
        findings.extend(wire::tools().iter().map(|folder| {
            let there = folder.is_dir();
            let (verdict, words) =
                if there { ("pass", "commands of repositories see") } else { ("warn", "there is no folder") };
            Finding { check: "tools", verdict, detail: format!("{words} `{}` (`GREYLAG_TOOLS`)", folder.display()) }
        }));
        let bad = findings.iter().any(|finding| finding.verdict == "fail");
        let rows = findings
            .iter()
            .map(|finding| {
                let cells = vec![finding.check.to_owned(), finding.verdict.to_owned(), finding.detail.clone()];
                Row::new(finding.check, cells, finding)
            })
            .collect();
        output::list(context.format(), "findings", &[heading("check"), heading("verdict"), heading("detail")], rows)?;
        Ok(if bad { Exit::Failed } else { Exit::Done })
    }
}

fn failed(check: &'static str, failure: &Failure) -> Finding {
    let detail = failure.diagnostics.first().map(|found| format!("[{}] {}", found.code, found.message));
    Finding { check, verdict: "fail", detail: detail.unwrap_or_default() }
}

fn space(root: &Path) -> Finding {
    match statvfs(root) {
        Ok(stat) => {
            let free = stat.f_bavail * stat.f_frsize;
            let verdict = if free >= ENOUGH_SPACE { "pass" } else { "warn" };
            Finding { check: "free space", verdict, detail: format!("{} in the state folder", output::bytes(free)) }
        }
        Err(error) => Finding { check: "free space", verdict: "fail", detail: error.to_string() },
    }
}

/// How long a durable write takes: every commit waits for one.
fn sync(root: &Path) -> Finding {
    let path = root.join(".doctor");
    let measured = (|| {
        let mut file = File::create(&path)?;
        let begun = Instant::now();
        for _ in 0..10 {
            file.write_all(&[0; 4096])?;
            file.sync_data()?;
        }
        Ok::<f64, std::io::Error>(begun.elapsed().as_secs_f64() * 100.0)
    })();
    let _ = fs::remove_file(&path);
    match measured {
        Ok(millis) => Finding {
            check: "durable writes",
            verdict: if millis <= SLOW_SYNC_MILLIS { "pass" } else { "warn" },
            detail: format!("{millis:.2} ms each"),
        },
        Err(error) => Finding { check: "durable writes", verdict: "fail", detail: error.to_string() },
    }
}
