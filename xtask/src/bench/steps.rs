//! The engine alone: durable steps a second with 10,000 tasks in flight, against DBOS on SQLite.

use super::{Setting, fresh};
use serde_json::Value;
use std::process::Command;

/// Runs the bench.
pub(crate) fn run(setting: &Setting) -> Result<(), String> {
    let scratch = setting.scratch.join("steps");
    let (mut ours, mut peers) = (Vec::new(), Vec::new());
    for _ in 0..setting.rounds.max(1) {
        fresh(&scratch)?;
        let mut own = Command::new(env!("CARGO"));
        own.args(["run", "--quiet", "--release", "--package", "greylag-engine", "--example", "steps"]);
        own.current_dir(&setting.workspace);
        ours.push(steps_per_second(own)?);
        let mut peer = Command::new(&setting.python);
        peer.arg(setting.workspace.join("benches/steps_dbos.py")).arg(scratch.join("dbos.sqlite"));
        // One thread is its best here: more of them wait for one another at the database.
        peer.args(["200", "5", "1"]);
        peers.push(steps_per_second(peer)?);
    }
    let middle = |mut figures: Vec<f64>| {
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    };
    let (own, peer) = (middle(ours), middle(peers));
    println!("\nsteps: durable steps a second (intent commit + outcome commit), 10,000 tasks in flight");
    println!("  greylag engine on SQLite     {own:>10.0}");
    println!("  dbos on SQLite               {peer:>10.0}");
    println!("  ours / dbos                  {:>9.0}x", own / peer);
    Ok(())
}

fn steps_per_second(mut command: Command) -> Result<f64, String> {
    let output = command.output().map_err(|error| format!("`{command:?}` cannot be started: {error}"))?;
    if !output.status.success() {
        return Err(format!("`{command:?}` failed:\n{}", String::from_utf8_lossy(&output.stderr)));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let last: Value = text
        .lines()
        .rev()
        .find_map(|line| serde_json::from_str(line).ok())
        .ok_or_else(|| format!("`{command:?}` printed no JSON: {text}"))?;
    last["steps_per_second"].as_f64().ok_or_else(|| format!("no `steps_per_second` in {last}"))
}
