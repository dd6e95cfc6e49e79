//! Whether a declared program is DuckDB, and runs where proofs need it to.

use super::{PROGRAM, job};
use greylag_driver::error::DriverError;
use greylag_driver::sandbox::{Ended, Folder, Sandbox};
use greylag_model::code::{data as code, fleet};
use greylag_model::spec::ErrorClass;
use std::path::Path;

/// The version of DuckDB's command-line program, as it tells it in the sandbox.
///
/// # Errors
/// There is no such file, the sandbox cannot run it, or it is something else.
pub fn probe(program: &Path, sandbox: &dyn Sandbox) -> Result<String, DriverError> {
    is_there(program)?;
    let seen = Folder { path: program.to_owned(), at: PROGRAM.into(), writable: false };
    let mut job = job(vec![seen], 10_000);
    job.argv.extend(
        ["-noheader", "-list", "-no-stdin", "-c", "select library_version from pragma_version()"].map(str::to_owned),
    );
    let mut said = Vec::new();
    let mut line = |line: &[u8]| {
        said.extend_from_slice(line);
        Ok(())
    };
    let report = match sandbox.run(&job, &mut line, &|| false) {
        // The sandbox is there and the program does not begin.
        Err(error) if error.code == fleet::JOB_START && error.class != ErrorClass::Transient => {
            return Err(unusable(program));
        }
        report => report?,
    };
    let version = String::from_utf8_lossy(&said).trim().to_owned();
    let is_version = version.starts_with('v') && version.len() < 40 && !version.contains(char::is_whitespace);
    if report.ended == Ended::Exit(0) && is_version {
        return Ok(version);
    }
    Err(unusable(program))
}

fn unusable(program: &Path) -> DriverError {
    let words = format!("`{}` is no DuckDB that runs in the sandbox", program.display());
    DriverError::denied(code::TOOL_UNUSABLE, words)
        .hint("name the program itself: a script that starts it cannot be run there")
}

/// Whether there is a file at all.
pub(super) fn is_there(program: &Path) -> Result<(), DriverError> {
    if program.is_file() {
        return Ok(());
    }
    let words = format!("there is no program at `{}`", program.display());
    Err(DriverError::denied(code::TOOL_UNUSABLE, words).hint("say where DuckDB is in `GREYLAG_DUCKDB`, or unset that"))
}
