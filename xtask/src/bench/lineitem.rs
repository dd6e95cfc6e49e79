//! TPC-H `lineitem`: transform and full verification, against DuckDB's transform and the same verification, with the same
//! number of threads.

use super::measure::{Cost, median, run as measure, table};
use super::small::{output, with_argument, with_path};
use super::{Setting, fresh};
use std::path::Path;
use std::process::Command;

const THREADS: usize = 2;

/// Runs the bench.
pub(crate) fn run(setting: &Setting) -> Result<(), String> {
    let scratch = setting.scratch.join("lineitem");
    let data = setting.scratch.join(format!("tpch-{}", setting.scale));
    let source = data.join("lineitem.parquet");
    if !source.exists() {
        let mut generate = Command::new(setting.python.with_file_name("tpchgen-cli"));
        generate.args(["parquet", "-s", &setting.scale.to_string(), "--tables=lineitem"]);
        measure(&mut [with_path(generate, "--output-dir", &data)], &[0])?;
    }
    let (mut ours, mut peers) = (Vec::new(), Vec::new());
    for round in 0..=setting.rounds {
        let own = greylag(setting, &scratch, &data)?;
        let peer = duckdb(setting, &scratch, &source)?;
        if round > 0 || setting.rounds == 1 {
            ours.push(own);
            peers.push(peer);
        }
    }
    let title = format!("lineitem: TPC-H scale {}, {THREADS} threads, {} rounds", setting.scale, ours.len());
    table(&title, &[("greylag apply", median(&ours)), ("duckdb", median(&peers))]);
    Ok(())
}

fn greylag(setting: &Setting, scratch: &Path, data: &Path) -> Result<Cost, String> {
    fresh(scratch)?;
    let home = scratch.join("home");
    let command = |args: &[&str]| {
        let mut command = Command::new(&setting.greylag);
        command.arg("--home").arg(&home).arg("--quiet").args(args);
        command
    };
    measure(&mut [with_argument(command(&["catalog", "import"]), data)], &[0])?;
    let migration = setting.workspace.join("benches/lineitem.yaml");
    let planned = output(with_path(command(&["plan", "-o", "name"]), "-f", &migration))?;
    let cost = measure(&mut [command(&["apply", planned.trim()])], &[0])?;
    measure(&mut [command(&["undo", "lineitem-v2-1", "--yes"])], &[0])?;
    Ok(cost)
}

fn duckdb(setting: &Setting, scratch: &Path, source: &Path) -> Result<Cost, String> {
    let target = scratch.join("duckdb");
    fresh(&target)?;
    let mut command = Command::new(&setting.python);
    command.arg(setting.workspace.join("benches/lineitem_duckdb.py")).arg(source);
    command.arg(&target).arg(THREADS.to_string());
    std::fs::remove_dir(&target).map_err(|error| error.to_string())?;
    let cost = measure(&mut [command], &[0])?;
    fresh(&target)?;
    Ok(cost)
}
