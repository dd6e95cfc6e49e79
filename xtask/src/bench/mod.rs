//! `cargo xtask bench`: speed and memory, side by side with the tool that a user would pick instead.
//!
//! Contenders take turns (A B A B …), so that both meet the same noise; medians and the ratio of medians are printed.
//! Processor time is user plus system of the whole process tree, memory the largest sum of resident sets over it.

mod diff;
mod lineitem;
mod measure;
mod plan;
mod references;
mod repositories;
mod small;
mod steps;
mod template;

use crate::demo;
use crate::gate::python;
use crate::tool::pip_install;
use crate::workspace::Workspace;
use std::path::{Path, PathBuf};

/// The peers, pinned.
const PEERS: &[&str] = &["tpchgen-cli==4.0.0", "dbos==3.4.0"];

/// What the benches share.
pub(crate) struct Setting {
    /// The workspace.
    pub(crate) workspace: PathBuf,
    /// The binary.
    pub(crate) greylag: PathBuf,
    /// A Python with the peers installed.
    pub(crate) python: PathBuf,
    /// Scratch space.
    pub(crate) scratch: PathBuf,
    /// Counted rounds.
    pub(crate) rounds: usize,
    /// Scale factor of TPC-H for `lineitem`.
    pub(crate) scale: u32,
}

/// Names of the benches.
pub(crate) const NAMES: [&str; 9] =
    ["small", "lineitem", "diff", "diff-large", "steps", "plan", "template", "repositories", "references"];
/// Those that run only if they are asked for.
const BY_NAME: [&str; 1] = ["diff-large"];

/// Those that ask for no peer in Python.
const WITHOUT_PYTHON: [&str; 2] = ["plan", "repositories"];

/// Runs one bench, or all that need not be asked for by name, with the binary of a profile.
pub(crate) fn run(
    workspace: &Workspace,
    name: Option<&str>,
    profile: &str,
    rounds: usize,
    scale: u32,
) -> Result<(), String> {
    let wanted = |known: &str| name.map_or(!BY_NAME.contains(&known), |name| name == known);
    let python = if NAMES.iter().any(|known| wanted(known) && !WITHOUT_PYTHON.contains(known)) {
        pip_install(workspace, PEERS)?;
        python::environment(workspace)?
    } else {
        PathBuf::new()
    };
    let setting = &Setting {
        workspace: workspace.root.clone(),
        greylag: demo::build(workspace, profile)?,
        python,
        scratch: workspace.target.join("bench"),
        rounds: rounds.max(1),
        scale,
    };
    for known in NAMES.iter().filter(|known| wanted(known)) {
        match *known {
            "small" => small::run(setting)?,
            "lineitem" => lineitem::run(setting)?,
            "diff" => diff::run(setting)?,
            "diff-large" => diff::run_large(setting)?,
            "steps" => steps::run(setting)?,
            "template" => template::run(setting)?,
            "repositories" => repositories::run(setting)?,
            "references" => references::run(setting)?,
            _ => plan::run(setting)?,
        }
    }
    Ok(())
}

/// An empty directory for one bench.
fn fresh(path: &Path) -> Result<(), String> {
    if path.exists() {
        std::fs::remove_dir_all(path).map_err(|error| format!("`{}` cannot be removed: {error}", path.display()))?;
    }
    std::fs::create_dir_all(path).map_err(|error| format!("`{}` cannot be made: {error}", path.display()))
}
