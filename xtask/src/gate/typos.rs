//! Spelling of words in sources and documents. `typos.toml` says what is right though it looks wrong.

use crate::tool::pip_install;
use crate::workspace::{Workspace, run};

const PACKAGE: &str = "typos==1.52.0";

pub(super) fn check(workspace: &Workspace) -> Result<(), String> {
    pip_install(workspace, &[PACKAGE])?;
    run(&mut workspace.command(workspace.target.join("venv/bin/typos"), &["--format", "brief"]))
        .map_err(|error| format!("{error}\n  hint: mend the words, or add those that are right to `typos.toml`"))
}
