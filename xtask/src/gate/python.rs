//! The Python environment of tests and benches: `target/venv`, with pinned packages.
//!
//! DuckDB is the second engine that the expression language is tested against, and the peer of the benches. dbt builds
//! the projects that Greylag rewrites; it takes the DuckDB that is pinned here. The command-line program is the tool that proofs ask.

use crate::tool::pip_install;
use crate::workspace::Workspace;
use std::path::PathBuf;

/// What tests need.
const PACKAGES: &[&str] = &["duckdb==2.0.0", "duckdb-cli==1.5.6", "dbt-core==1.12.0", "dbt-duckdb==1.11.1"];

/// The interpreter of the environment, made if it is not there.
pub(crate) fn environment(workspace: &Workspace) -> Result<PathBuf, String> {
    pip_install(workspace, PACKAGES)?;
    Ok(workspace.target.join("venv/bin/python"))
}
