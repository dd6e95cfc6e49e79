//! 2,000 small Parquet datasets (1,000 rows × 12 columns), migrated and verified durably through the engine, against two
//! Python processes that convert and verify the same list with DuckDB.

use super::measure::{Cost, median, run as measure, table};
use super::{Setting, fresh};
use std::path::{Path, PathBuf};
use std::process::Command;

const DATASETS: usize = 2_000;
const ROWS: usize = 1_000;

/// Runs the bench. Every run gets an estate of its own, and nothing is removed before the last one is over: a file system
/// can take long to create files beside ones that were removed moments ago.
pub(crate) fn run(setting: &Setting) -> Result<(), String> {
    let scratch = setting.scratch.join("small");
    fresh(&scratch)?;
    let (mut ours, mut peers) = (Vec::new(), Vec::new());
    for round in 0..=setting.rounds {
        let own = greylag(setting, &scratch.join(format!("greylag-{round}")))?;
        let peer = duckdb(setting, &scratch.join(format!("duckdb-{round}")))?;
        // The first round warms what both read: programs and libraries.
        if round > 0 {
            ours.push(own);
            peers.push(peer);
        }
    }
    for round in 0..=setting.rounds {
        // A check that the runs can be taken back.
        let mut undo = of_home(setting, &scratch.join(format!("greylag-{round}")));
        undo.args(["undo", "uniform-1", "--yes"]);
        measure(&mut [undo], &[0])?;
    }
    let (own, peer) = (median(&ours), median(&peers));
    let title = format!("small: {DATASETS} datasets of {ROWS} rows x 12 columns, {} rounds", setting.rounds);
    table(&title, &[("greylag apply", own), ("2 x python + duckdb", peer)]);
    println!(
        "  datasets a second: greylag {:.0}, duckdb {:.0}",
        DATASETS as f64 / own.wall,
        DATASETS as f64 / peer.wall
    );
    fresh(&scratch)
}

/// The same estate for every run.
fn estate(setting: &Setting, place: &Path) -> Result<PathBuf, String> {
    let estate = place.join("estate");
    let mut generate = Command::new(&setting.greylag);
    generate.args(["lab", "generate", "--seed", "7"]);
    generate.args(["--datasets", &DATASETS.to_string(), "--uniform", &ROWS.to_string()]);
    measure(&mut [with_path(generate, "--out", &estate)], &[0])?;
    Ok(estate)
}

/// A command on the state folder of a run.
fn of_home(setting: &Setting, place: &Path) -> Command {
    let mut command = Command::new(&setting.greylag);
    command.arg("--home").arg(place.join("home")).arg("--quiet");
    command
}

fn greylag(setting: &Setting, place: &Path) -> Result<Cost, String> {
    let estate = estate(setting, place)?;
    let mut import = of_home(setting, place);
    import.args(["catalog", "import"]);
    measure(&mut [with_argument(import, &estate.join("catalog"))], &[0])?;
    let mut plan = of_home(setting, place);
    plan.args(["plan", "-o", "name"]);
    let planned = output(with_path(plan, "-f", &estate.join("migrations")))?;
    let mut apply = of_home(setting, place);
    apply.args(["apply", planned.trim()]);
    measure(&mut [apply], &[0])
}

fn duckdb(setting: &Setting, place: &Path) -> Result<Cost, String> {
    let estate = estate(setting, place)?;
    let script = setting.workspace.join("benches/small_duckdb.py");
    let mut parts: Vec<Command> = (0..2)
        .map(|part: usize| {
            let mut command = Command::new(&setting.python);
            command.arg(&script).arg(&estate).args(["_peer.parquet", &part.to_string(), "2"]);
            command
        })
        .collect();
    measure(&mut parts, &[0])
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
