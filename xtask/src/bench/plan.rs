//! `greylag plan` over 10,000 datasets, without samples, warm: under 10 s and 1 GB.

use super::measure::{Cost, median, run as measure, table};
use super::small::{with_argument, with_path};
use super::{Setting, fresh};
use std::process::Command;

const DATASETS: usize = 10_000;

/// Runs the bench.
pub(crate) fn run(setting: &Setting) -> Result<(), String> {
    let scratch = setting.scratch.join("plan");
    fresh(&scratch)?;
    let (estate, home) = (scratch.join("estate"), scratch.join("home"));
    let command = |args: &[&str]| {
        let mut command = Command::new(&setting.greylag);
        command.arg("--home").arg(&home).arg("--quiet").args(args);
        command
    };
    let generate = command(&["lab", "generate", "--seed", "7", "--datasets", &DATASETS.to_string(), "--uniform", "20"]);
    measure(&mut [with_path(generate, "--out", &estate)], &[0])?;
    let import = measure(&mut [with_argument(command(&["catalog", "import"]), &estate.join("catalog"))], &[0])?;
    let mut costs: Vec<Cost> = Vec::new();
    for round in 0..=setting.rounds {
        let plan = with_path(command(&["plan", "-o", "name"]), "-f", &estate.join("migrations"));
        let cost = measure(&mut [plan], &[0])?;
        if round > 0 {
            costs.push(cost);
        }
    }
    table(&format!("plan: {DATASETS} datasets, {} rounds, warm", setting.rounds), &[("greylag plan", median(&costs))]);
    println!("  (their descriptors were imported in {:.2} s)", import.wall);
    Ok(())
}
