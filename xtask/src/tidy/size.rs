//! Sizes: a file that has grown long hides several. Lines of tests and of tables count like others.

use super::{Finding, sources};
use crate::workspace::Workspace;

/// Longest source file, in lines. About 400 is what we aim at; this is where it stops.
const LINES: usize = 530;
/// Largest file of any kind, in bytes: the repository is no place for data.
const BYTES: u64 = 512 * 1024;

pub(super) fn check(workspace: &Workspace, files: &[String]) -> Result<Vec<Finding>, String> {
    let mut findings = Vec::new();
    for path in sources(files) {
        let lines = workspace.read(path)?.lines().count();
        if lines > LINES {
            let words = format!("has {lines} lines, at most {LINES}: split it along its cases");
            findings.push(Finding { place: path.clone(), words });
        }
    }
    for path in files {
        let bytes = workspace.root.join(path).metadata().map_or(0, |metadata| metadata.len());
        if bytes > BYTES {
            let words = format!("has {bytes} bytes, at most {BYTES}");
            findings.push(Finding { place: path.clone(), words });
        }
    }
    Ok(findings)
}
