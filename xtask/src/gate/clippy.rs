//! Lints, all of them errors, over all targets.

use crate::workspace::{Workspace, run};

pub(super) fn check(workspace: &Workspace) -> Result<(), String> {
    run(&mut workspace.cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "--deny", "warnings"]))
        .map_err(|error| format!("{error}\n  hint: if clippy is missing, `rustup component add clippy`"))
}
