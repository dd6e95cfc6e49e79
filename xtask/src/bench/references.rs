//! A dbt project of 5,000 models, read cold: every model rendered in every way and its references found, against `dbt parse` of the
//! same project, which finds them too.
//!
//! Greylag starts without anything that was found before; dbt without what it keeps of an earlier parse. The bench fails if a bar is
//! missed: 15 seconds, 1 GB, and a twentieth of dbt's time.

use super::measure::{Cost, median, run as measure, table, told};
use super::{Setting, fresh};
use std::path::Path;
use std::process::Command;

const MODELS: usize = 5_000;
/// Seconds that reading may take.
const SECONDS: f64 = 15.0;
/// Memory that it may take.
const MEMORY: u64 = 1_000_000_000;
/// How many times as fast as dbt it must be.
const RATIO: f64 = 20.0;
/// A table of a source that staging models read.
const DATASET: &str = "raw_app_003.event_0080";

/// Runs the bench.
pub(crate) fn run(setting: &Setting) -> Result<(), String> {
    let scratch = setting.scratch.join("references");
    fresh(&scratch)?;
    let project = scratch.join("project");
    let mut write = Command::new(&setting.python);
    write.arg(setting.workspace.join("benches/references_project.py")).arg(&project).arg(MODELS.to_string());
    measure(&mut [write], &[0])?;
    let (mut ours, mut peers) = (Vec::new(), Vec::new());
    for round in 0..setting.rounds {
        ours.push(own(setting, &scratch, &project, round)?);
        peers.push(measure(&mut [peer(setting, &project)?], &[0])?);
    }
    let (own, peer) = (median(&ours), median(&peers));
    let title = format!("references: a dbt project of {MODELS} models, cold, {} rounds", setting.rounds);
    table(&title, &[("greylag refs", own), ("dbt parse", peer)]);
    bars(&own, &peer)
}

/// With a state folder of its own, so that nothing is known from an earlier round.
fn own(setting: &Setting, scratch: &Path, project: &Path, round: usize) -> Result<Cost, String> {
    let mut own = Command::new(&setting.greylag);
    own.arg("--home").arg(scratch.join(format!("home-{round}"))).args(["-o", "name", "refs"]);
    own.arg(project).args(["--dataset", DATASET]);
    let (cost, found) = told(own, &[0], &scratch.join("found"))?;
    if found.is_empty() {
        return Err(format!("no reference to `{DATASET}` was found"));
    }
    Ok(cost)
}

fn peer(setting: &Setting, project: &Path) -> Result<Command, String> {
    let folder = setting.python.parent().ok_or("the interpreter lies in no folder")?;
    let mut peer = Command::new(folder.join("dbt"));
    peer.args(["--quiet", "parse", "--no-partial-parse", "--profiles-dir", "."]).current_dir(project);
    peer.env("DBT_SEND_ANONYMOUS_USAGE_STATS", "false").env("DO_NOT_TRACK", "1");
    Ok(peer)
}

fn bars(own: &Cost, peer: &Cost) -> Result<(), String> {
    let missed = [
        (own.wall > SECONDS).then(|| format!("it took {:.1} s, {SECONDS} are allowed", own.wall)),
        (own.memory > MEMORY).then(|| format!("it took {} bytes, {MEMORY} are allowed", own.memory)),
        (peer.wall < RATIO * own.wall)
            .then(|| format!("it is {:.1} times as fast as `dbt parse`, {RATIO} are wanted", peer.wall / own.wall)),
    ];
    let missed: Vec<String> = missed.into_iter().flatten().collect();
    if missed.is_empty() { Ok(()) } else { Err(missed.join("; ")) }
}
