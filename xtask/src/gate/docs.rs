//! The documentation of the crates, and the examples in it.

use crate::workspace::{Workspace, run};

pub(super) fn build(workspace: &Workspace) -> Result<(), String> {
    let mut command = workspace.cargo(&["doc", "--workspace", "--no-deps", "--document-private-items", "--quiet"]);
    run(command.env("RUSTDOCFLAGS", "--deny warnings"))
}

pub(super) fn examples(workspace: &Workspace) -> Result<(), String> {
    run(&mut workspace.cargo(&["test", "--workspace", "--doc", "--quiet"]))
}
