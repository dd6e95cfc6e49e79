//! House rules that no other tool knows: which crate may import which, how long a file may be, that every error has a
//! page, and words that must not get into the repository.

mod floor;
mod layout;
mod page;
mod size;
mod word;

use crate::workspace::Workspace;
use std::path::Path;

/// One thing that is against the rules: where, and what.
pub(crate) struct Finding {
    /// Path below the root, perhaps with a line.
    pub(crate) place: String,
    /// What is wrong and what to do.
    pub(crate) words: String,
}

/// Everything that is against the rules, as an error with all of them.
pub(crate) fn run(workspace: &Workspace) -> Result<(), String> {
    let files = workspace.files()?;
    let mut findings = floor::check(workspace, &files)?;
    findings.extend(layout::check(workspace, &files)?);
    findings.extend(page::check(workspace, &files)?);
    findings.extend(size::check(workspace, &files)?);
    findings.extend(word::check(workspace, &files)?);
    if findings.is_empty() {
        return Ok(());
    }
    findings.sort_by(|left, right| left.place.cmp(&right.place));
    let lines: Vec<String> = findings.iter().map(|finding| format!("  {}: {}", finding.place, finding.words)).collect();
    Err(format!("{} findings of tidy\n{}", findings.len(), lines.join("\n")))
}

/// The Rust sources among the files.
fn sources(files: &[String]) -> impl Iterator<Item = &String> {
    files.iter().filter(|path| Path::new(path).extension().is_some_and(|extension| extension == "rs"))
}
