//! One template over 10,000 small datasets, lineage three deep, in cohorts: how soon every task can be asked after, how long all
//! of it takes, and how much memory; the result is compared with the truth.

use super::measure::{Cost, run as measure, table};
use super::small::{with_argument, with_path};
use super::{Setting, fresh};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const DATASETS: usize = 10_000;
const ROWS: &str = "20";
/// Exit code of a run that waits for a person.
const INCOMPLETE: i32 = 3;

/// Runs the bench, once: it takes minutes, and its bars are not close.
pub(crate) fn run(setting: &Setting) -> Result<(), String> {
    let scratch = setting.scratch.join("template");
    fresh(&scratch)?;
    let (estate, home) = (scratch.join("estate"), scratch.join("home"));
    let command = |args: &[&str]| {
        let mut command = Command::new(&setting.greylag);
        command.arg("--home").arg(&home).arg("--quiet").args(args);
        command
    };
    let generate = command(&["lab", "generate", "--seed", "7", "--datasets", &DATASETS.to_string(), "--varied", ROWS]);
    measure(&mut [with_path(generate, "--out", &estate)], &[0])?;
    measure(&mut [with_argument(command(&["catalog", "import"]), &estate.join("catalog"))], &[0])?;
    let template = estate.join("migrations/varied.yaml");
    let (admitted, canary) = std::thread::scope(|scope| {
        let watch = scope.spawn(|| admitted(&|| command(&["status", "varied-1", "--limit", "1", "-o", "json"]), &home));
        let apply = with_path(command(&["apply", "--yes"]), "-f", &template);
        let canary = measure(&mut [apply], &[INCOMPLETE])?;
        Ok::<_, String>((watch.join().map_err(|_| "the watch panicked".to_owned())??, canary))
    })?;
    let rest = command(&["approve", "varied-1", "--cohort", "canary", "--yes"]);
    let rest = measure(&mut [rest], &[0])?;
    let whole =
        Cost { wall: canary.wall + rest.wall, cpu: canary.cpu + rest.cpu, memory: canary.memory.max(rest.memory) };
    table(
        &format!("template: {DATASETS} unequal datasets of {ROWS} rows, one template, lineage three deep"),
        &[("plan and first cohort", canary), ("the other cohorts", rest), ("all of it", whole)],
    );
    println!("  every task could be asked after {admitted:.1} s from the start");
    measure(&mut [with_argument(command(&["lab", "compare"]), &estate)], &[0])?;
    println!("  compared with the truth: equal");
    fresh(&scratch)
}

/// Seconds until the run with all of its tasks is there to be asked after.
fn admitted(status: &dyn Fn() -> Command, home: &Path) -> Result<f64, String> {
    let begun = Instant::now();
    let tasks = format!("\"pending\":{}", DATASETS - 3);
    while begun.elapsed() < Duration::from_mins(10) {
        if home.join("state.db").exists() {
            let said = status().stderr(Stdio::null()).output().map_err(|error| error.to_string())?;
            let text: String = String::from_utf8_lossy(&said.stdout).split_whitespace().collect();
            if text.contains(&tasks) {
                return Ok(begun.elapsed().as_secs_f64());
            }
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err("the run was not there after ten minutes".to_owned())
}
