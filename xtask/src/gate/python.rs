//! The Python environment of tests and benches: `target/venv`, with pinned packages.
//!
//! DuckDB is the second engine that the expression language is tested against, and the peer of the benches.

use crate::tool::pip_install;
use crate::workspace::Workspace;
use std::path::PathBuf;

/// What tests need.
const PACKAGES: &[&str] = &["duckdb==2.0.0"];

/// The interpreter of the environment, made if it is not there.
pub(crate) fn environment(workspace: &Workspace) -> Result<PathBuf, String> {
    pip_install(workspace, PACKAGES)?;
    Ok(workspace.target.join("venv/bin/python"))
}
