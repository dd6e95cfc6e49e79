//! DuckDB as a witness: the expected code gives on the new tables what the old code gives on the old ones.

#![expect(clippy::disallowed_methods, reason = "DuckDB is started, in the Python that the environment names")]

use greylag_lab::{Options, generate};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The interpreter that has DuckDB, or the line that cures its absence.
fn python() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = std::env::var_os("GREYLAG_TEST_PYTHON").map_or(root.join("target/venv/bin/python"), PathBuf::from);
    assert!(
        path.exists(),
        "no Python with DuckDB at {}: run `python3 -m venv target/venv && target/venv/bin/pip install duckdb`",
        path.display()
    );
    path
}

#[test]
fn expected_jobs_make_the_same_tables() {
    let directory = tempfile::tempdir().unwrap();
    let estate = directory.path().join("estate");
    let options = Options { most_rows: Some(40), repositories: 40, ..Options::new(11, 300, &estate) };
    generate(&options, &|_, _| {}).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/jobs.py");
    let output = Command::new(python()).arg(script).arg(&estate).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let compared: u32 = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
    assert!(compared > 40, "only {compared} tables were compared");
}
