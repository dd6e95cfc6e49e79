//! Dependencies: licences that fit Apache-2.0, sources that are crates.io, no wildcards, none of the banned ones; and
//! (with `--nightly`, because it asks the network for a database that changes every day) known defects.

use super::has_subcommand;
use crate::tool::cargo_install;
use crate::workspace::{Workspace, run};

const VERSION: &str = "0.20.2";

pub(super) fn check(workspace: &Workspace) -> Result<(), String> {
    deny(workspace, &["bans", "licenses", "sources"])
}

pub(super) fn advisories(workspace: &Workspace) -> Result<(), String> {
    deny(workspace, &["advisories"]).map_err(|error| {
        format!("{error}\n  hint: the advisories lie in a repository on GitHub; without it nothing can be said of them")
    })
}

fn deny(workspace: &Workspace, what: &[&str]) -> Result<(), String> {
    if !has_subcommand(workspace, "deny", None) {
        cargo_install(workspace, "cargo-deny", VERSION)?;
    }
    let mut arguments = vec!["deny", "--log-level", "warn", "check", "--hide-inclusion-graph"];
    arguments.extend(what);
    run(&mut workspace.cargo(&arguments))
}
