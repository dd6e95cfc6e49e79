//! 2,000 small Parquet datasets (1,000 rows × 12 columns), migrated and verified durably through the engine, against two
//! Python processes that convert and verify the same list with DuckDB.

use super::measure::{Cost, median, run as measure, table};
use super::{Setting, fresh};
use std::path::Path;
use std::process::Command;

const DATASETS: usize = 2_000;
const ROWS: usize = 1_000;

/// Runs the bench.
pub(crate) fn run(setting: &Setting) -> Result<(), String> {
    let scratch = setting.scratch.join("small");
    fresh(&scratch)?;
    let estate = scratch.join("estate");
    let mut generate = Command::new(&setting.greylag);
    generate.args([
        "lab",
        "generate",
        "--seed",
        "7",
        "--datasets",
        &DATASETS.to_string(),
        "--uniform",
        &ROWS.to_string(),
    ]);
    measure(&mut [with_path(generate, "--out", &estate)], &[0])?;
    let (mut ours, mut peers) = (Vec::new(), Vec::new());
    for round in 0..=setting.rounds {
        let own = greylag(setting, &scratch, &estate)?;
        let peer = duckdb(setting, &estate)?;
        // The first round warms the page cache for both.
        if round > 0 {
            ours.push(own);
            peers.push(peer);
        }
    }
    let (own, peer) = (median(&ours), median(&peers));
    let title = format!("small: {DATASETS} datasets of {ROWS} rows x 12 columns, {} rounds", setting.rounds);
    table(&title, &[("greylag apply", own), ("2 x python + duckdb", peer)]);
    println!(
        "  datasets a second: greylag {:.0}, duckdb {:.0}",
        DATASETS as f64 / own.wall,
        DATASETS as f64 / peer.wall
    );
    Ok(())
}

fn greylag(setting: &Setting, scratch: &Path, estate: &Path) -> Result<Cost, String> {
    let home = scratch.join("home");
    fresh(&home)?;
    let command = |args: &[&str]| {
        let mut command = Command::new(&setting.greylag);
        command.arg("--home").arg(&home).arg("--quiet").args(args);
        command
    };
    let import = command(&["catalog", "import"]);
    measure(&mut [with_argument(import, &estate.join("catalog"))], &[0])?;
    let plan = with_path(command(&["plan", "-o", "name"]), "-f", &estate.join("migrations"));
    let planned = output(plan)?;
    let cost = measure(&mut [command(&["apply", planned.trim()])], &[0])?;
    // The next round needs the targets gone; taking the run back is also a check that it can be.
    measure(&mut [command(&["undo", "uniform-1", "--yes"])], &[0])?;
    Ok(cost)
}

fn duckdb(setting: &Setting, estate: &Path) -> Result<Cost, String> {
    let script = setting.workspace.join("benches/small_duckdb.py");
    let mut parts: Vec<Command> = (0..2)
        .map(|part: usize| {
            let mut command = Command::new(&setting.python);
            command.arg(&script).arg(estate).args(["_peer.parquet", &part.to_string(), "2"]);
            command
        })
        .collect();
    let cost = measure(&mut parts, &[0])?;
    remove_peers(&estate.join("data"))?;
    Ok(cost)
}

fn remove_peers(directory: &Path) -> Result<(), String> {
    for entry in std::fs::read_dir(directory).map_err(|error| error.to_string())?.flatten() {
        let path = entry.path();
        if path.is_dir() {
            remove_peers(&path)?;
        } else if path.to_string_lossy().ends_with("_peer.parquet") {
            std::fs::remove_file(path).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

/// A command with an option and its path.
pub(crate) fn with_path(mut command: Command, option: &str, path: &Path) -> Command {
    command.arg(option).arg(path);
    command
}

/// A command with one more argument.
pub(crate) fn with_argument(mut command: Command, path: &Path) -> Command {
    command.arg(path);
    command
}

/// What a command prints; it must end well.
pub(crate) fn output(mut command: Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("`{command:?}` cannot be started: {error}"))?;
    if !output.status.success() {
        return Err(format!("`{command:?}` failed:\n{}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
