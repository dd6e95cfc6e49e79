//! Two versions of a table, the second one shuffled, with a thousand differences, against DuckDB's full outer join with the same
//! number of threads. Both must find exactly those.
//!
//! `diff`: TPC-H `lineitem` at scale 1, six million rows. `diff-large`: 100 million narrow rows, once, in at most 1 GB; it takes
//! many minutes and 10 GB of disk, so it runs only if it is asked for by name.

use super::measure::{Cost, median, run as measure, table, told};
use super::{Setting, fresh};
use std::path::{Path, PathBuf};
use std::process::Command;

const THREADS: usize = 2;
/// Changed, removed and added, as planted.
const PLANTED: [u64; 3] = [400, 300, 300];
/// Rows of the large case.
const LARGE: &str = "100000000";
/// Memory that the large case may take.
const MEMORY: u64 = 1_000_000_000;

/// Two versions of a table.
struct Case {
    scratch: PathBuf,
    left: PathBuf,
    right: PathBuf,
    key: &'static str,
}

impl Case {
    fn new(scratch: PathBuf, key: &'static str) -> Self {
        let (left, right) = (scratch.join("left.parquet"), scratch.join("right.parquet"));
        Self { scratch, left, right, key }
    }

    fn own(&self, setting: &Setting) -> Command {
        let mut own = Command::new(&setting.greylag);
        own.arg("--home").arg(self.scratch.join("home")).args(["--quiet", "-o", "json", "diff"]);
        own.arg(&self.left).arg(&self.right).args(["--key", self.key]);
        own
    }

    /// DuckDB, within memory if it is limited.
    fn peer(&self, setting: &Setting, memory: Option<u64>) -> Command {
        let mut peer = Command::new(&setting.python);
        peer.arg(setting.workspace.join("benches/diff_duckdb.py"));
        peer.arg(&self.left).arg(&self.right).args([self.key, &THREADS.to_string()]);
        if let Some(bytes) = memory {
            peer.arg(bytes.to_string()).arg(self.scratch.join("spill"));
        }
        peer
    }
}

/// Runs the bench.
pub(crate) fn run(setting: &Setting) -> Result<(), String> {
    let case = Case::new(setting.scratch.join("diff"), "l_orderkey,l_linenumber");
    if !case.right.exists() {
        fresh(&case.scratch)?;
        generate(setting, &case)?;
    }
    // Warms the page cache, and shows that both find what there is.
    own(setting, &case)?;
    peer(setting, &case, None)?;
    let (mut ours, mut peers) = (Vec::new(), Vec::new());
    for _ in 0..setting.rounds {
        ours.push(measure(&mut [case.own(setting)], &[1])?);
        peers.push(measure(&mut [case.peer(setting, None)], &[0])?);
    }
    let title = format!("diff: 6 million rows, 1,000 differences, {THREADS} threads, {} rounds", setting.rounds);
    table(&title, &[("greylag diff", median(&ours)), ("duckdb full outer join", median(&peers))]);
    Ok(())
}

/// Runs the large bench.
pub(crate) fn run_large(setting: &Setting) -> Result<(), String> {
    let case = Case::new(setting.scratch.join("diff-large"), "id");
    fresh(&case.scratch)?;
    let mut versions = Command::new(&setting.python);
    versions.arg(setting.workspace.join("benches/diff_large_data.py")).arg(LARGE).arg(&case.left).arg(&case.right);
    measure(&mut [versions], &[0])?;
    let ours = own(setting, &case)?;
    let title = format!("diff-large: {LARGE} rows, 1,000 differences, {THREADS} threads");
    match peer(setting, &case, Some(MEMORY)) {
        Ok(peer) => table(&title, &[("greylag diff", ours), ("duckdb, memory_limit 1 GB", peer)]),
        Err(why) => {
            table(&title, &[("greylag diff", ours)]);
            println!("  duckdb within 1 GB: {why}");
        }
    }
    fresh(&case.scratch)?;
    if ours.memory > MEMORY {
        return Err(format!("the diff took {} bytes, {MEMORY} are allowed", ours.memory));
    }
    Ok(())
}

fn generate(setting: &Setting, case: &Case) -> Result<(), String> {
    let mut rows = Command::new(setting.python.with_file_name("tpchgen-cli"));
    rows.args(["parquet", "-s", "1", "--tables=lineitem", "--output-dir"]).arg(&case.scratch);
    measure(&mut [rows], &[0])?;
    let mut versions = Command::new(&setting.python);
    versions.arg(setting.workspace.join("benches/diff_data.py")).arg(case.scratch.join("lineitem.parquet"));
    versions.arg(&case.left).arg(&case.right);
    measure(&mut [versions], &[0]).map(drop)
}

/// Our diff, which must find what was planted.
fn own(setting: &Setting, case: &Case) -> Result<Cost, String> {
    let (cost, text) = told(case.own(setting), &[1], &printed(&case.scratch))?;
    let report: serde_json::Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let counts = ["changed", "removed", "added"].map(|kind| report["counts"][kind].as_u64().unwrap_or_default());
    let named = report["differences"].as_array().map_or(0, Vec::len) as u64;
    if counts != PLANTED || named != PLANTED.iter().sum::<u64>() {
        return Err(format!("planted were {PLANTED:?}, `greylag diff` counts {counts:?} and names {named}"));
    }
    Ok(cost)
}

/// DuckDB's, likewise.
fn peer(setting: &Setting, case: &Case, memory: Option<u64>) -> Result<Cost, String> {
    let (cost, found) = told(case.peer(setting, memory), &[0], &printed(&case.scratch))?;
    if found.trim() != PLANTED.map(|count| count.to_string()).join(" ") {
        return Err(format!("planted were {PLANTED:?}, DuckDB finds {found}"));
    }
    Ok(cost)
}

fn printed(scratch: &Path) -> PathBuf {
    scratch.join("printed")
}
