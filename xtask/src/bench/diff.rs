//! Two versions of TPC-H `lineitem` at scale 1: six million rows, the second version shuffled, with a thousand differences;
//! against DuckDB's full outer join with the same number of threads. Both must find exactly those.

use super::measure::{median, run as measure, table};
use super::small::output;
use super::{Setting, fresh};
use std::path::Path;
use std::process::Command;

const THREADS: usize = 2;
const KEY: &str = "l_orderkey,l_linenumber";
/// Changed, removed and added, as planted.
const PLANTED: [u64; 3] = [400, 300, 300];

/// Runs the bench.
pub(crate) fn run(setting: &Setting) -> Result<(), String> {
    let scratch = setting.scratch.join("diff");
    let (left, right) = (scratch.join("left.parquet"), scratch.join("right.parquet"));
    if !right.exists() {
        fresh(&scratch)?;
        generate(setting, &scratch, &left, &right)?;
    }
    let (mut ours, mut peers) = (Vec::new(), Vec::new());
    for round in 0..=setting.rounds {
        let mut own = Command::new(&setting.greylag);
        own.arg("--home").arg(scratch.join("home")).args(["--quiet", "-o", "json", "diff"]);
        own.arg(&left).arg(&right).args(["--key", KEY]);
        let mut peer = Command::new(&setting.python);
        peer.arg(setting.workspace.join("benches/diff_duckdb.py"));
        peer.arg(&left).arg(&right).args([KEY, &THREADS.to_string()]);
        if round == 0 {
            // Warms the page cache, and shows that both find what there is.
            check(own, peer)?;
            continue;
        }
        ours.push(measure(&mut [own], &[1])?);
        peers.push(measure(&mut [peer], &[0])?);
    }
    let title = format!("diff: 6 million rows, 1,000 differences, {THREADS} threads, {} rounds", setting.rounds);
    table(&title, &[("greylag diff", median(&ours)), ("duckdb full outer join", median(&peers))]);
    Ok(())
}

fn generate(setting: &Setting, scratch: &Path, left: &Path, right: &Path) -> Result<(), String> {
    let mut rows = Command::new(setting.python.with_file_name("tpchgen-cli"));
    rows.args(["parquet", "-s", "1", "--tables=lineitem", "--output-dir"]).arg(scratch);
    measure(&mut [rows], &[0])?;
    let mut versions = Command::new(&setting.python);
    versions.arg(setting.workspace.join("benches/diff_data.py")).arg(scratch.join("lineitem.parquet"));
    versions.arg(left).arg(right);
    measure(&mut [versions], &[0]).map(drop)
}

fn check(mut own: Command, peer: Command) -> Result<(), String> {
    let told = own.output().map_err(|error| format!("`{own:?}` cannot be started: {error}"))?;
    if told.status.code() != Some(1) {
        return Err(format!("`{own:?}` failed:\n{}", String::from_utf8_lossy(&told.stderr)));
    }
    let report: serde_json::Value = serde_json::from_slice(&told.stdout).map_err(|error| error.to_string())?;
    let counts = ["changed", "removed", "added"].map(|kind| report["counts"][kind].as_u64().unwrap_or_default());
    let named = report["differences"].as_array().map_or(0, Vec::len) as u64;
    if counts != PLANTED || named != PLANTED.iter().sum::<u64>() {
        return Err(format!("planted were {PLANTED:?}, `greylag diff` counts {counts:?} and names {named}"));
    }
    let found = output(peer)?;
    if found.trim() != PLANTED.map(|count| count.to_string()).join(" ") {
        return Err(format!("planted were {PLANTED:?}, DuckDB finds {found}"));
    }
    Ok(())
}
