//! Dependencies that no source names.

use super::has_subcommand;
use crate::tool::cargo_install;
use crate::workspace::{Workspace, run};

const VERSION: &str = "0.9.2";

pub(super) fn check(workspace: &Workspace) -> Result<(), String> {
    if !has_subcommand(workspace, "machete", None) {
        cargo_install(workspace, "cargo-machete", VERSION)?;
    }
    run(&mut workspace.command("cargo-machete", &["crates", "xtask"]))
}
