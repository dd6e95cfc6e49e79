//! The tests. `cargo-nextest` runs each in a process of its own, so that they can be killed and measured.

use super::{has_subcommand, python};
use crate::tool::{apt_install, cargo_install};
use crate::workspace::{Workspace, run};

/// The version that is installed if there is none.
const VERSION: &str = "0.9.143";

pub(super) fn check(workspace: &Workspace) -> Result<(), String> {
    tests(workspace, &["--workspace"])
}

/// Tests that take too long for every change have `long_` in their names and are marked as ignored.
pub(super) fn long(workspace: &Workspace) -> Result<(), String> {
    tests(workspace, &["--workspace", "--run-ignored", "only", "--no-tests", "pass"])
}

fn tests(workspace: &Workspace, arguments: &[&str]) -> Result<(), String> {
    if !has_subcommand(workspace, "nextest", None) {
        cargo_install(workspace, "cargo-nextest", VERSION)?;
    }
    apt_install(workspace, "bwrap", "bubblewrap")?;
    let python = python::environment(workspace)?;
    let mut all = vec!["nextest", "run", "--no-fail-fast"];
    all.extend(arguments);
    run(workspace.cargo(&all).env("GREYLAG_TEST_PYTHON", python))
}
