//! Generated files are committed. [`write()`] writes them, [`check`] says where they differ from what would be written.

use crate::workspace::{Workspace, output, run};
use std::fs;

/// Directories that hold nothing but generated files: what is there and not generated any more is removed.
const WHOLLY: &[&str] = &["docs/errors", "schemas"];

/// Every generated file: what the model writes of itself, and the reference of the command line, which only the binary
/// knows. It is built as the tests need it: built by itself it has dependencies with fewer features, half of which would then be
/// built twice.
fn generated(workspace: &Workspace) -> Result<Vec<(String, String)>, String> {
    let mut files = greylag_model::codegen::codegen();
    run(&mut workspace.cargo(&["test", "--workspace", "--no-run", "--quiet"]))?;
    let binary = workspace.target.join("debug/greylag");
    files.push(("docs/reference/cli.md".to_owned(), output(&mut workspace.command(binary, &["reference"]))?));
    Ok(files)
}

/// Writes all generated files.
pub(crate) fn write(workspace: &Workspace) -> Result<(), String> {
    let mut written = 0;
    let files = generated(workspace)?;
    for (path, text) in &files {
        let place = workspace.root.join(path);
        if fs::read_to_string(&place).is_ok_and(|before| before == *text) {
            continue;
        }
        let failed = |error| format!("cannot write `{path}`: {error}");
        if let Some(directory) = place.parent() {
            fs::create_dir_all(directory).map_err(failed)?;
        }
        fs::write(&place, text).map_err(failed)?;
        written += 1;
        println!("wrote {path}");
    }
    for path in stale(workspace, &files)? {
        fs::remove_file(workspace.root.join(&path)).map_err(|error| format!("cannot remove `{path}`: {error}"))?;
        written += 1;
        println!("removed {path}");
    }
    println!("codegen: {written} files changed");
    Ok(())
}

/// Fails if a committed file differs from what [`write()`] would write.
pub(crate) fn check(workspace: &Workspace) -> Result<(), String> {
    let mut drifted = Vec::new();
    let files = generated(workspace)?;
    for (path, text) in &files {
        let committed = fs::read_to_string(workspace.root.join(path)).unwrap_or_default();
        if committed != *text {
            drifted.push(format!("  {path}: {}", first_difference(&committed, text)));
        }
    }
    drifted.extend(stale(workspace, &files)?.into_iter().map(|path| format!("  {path}: is not generated any more")));
    if drifted.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{} generated files are out of date\n{}\n  hint: run `cargo xtask codegen` and commit what it writes",
        drifted.len(),
        drifted.join("\n")
    ))
}

/// Files in wholly generated directories that nothing generates.
fn stale(workspace: &Workspace, generated: &[(String, String)]) -> Result<Vec<String>, String> {
    let mut files = workspace.files()?;
    files.retain(|path| {
        let within = WHOLLY.iter().any(|directory| path.starts_with(&format!("{directory}/")));
        within && !generated.iter().any(|(known, _)| known == path)
    });
    Ok(files)
}

fn first_difference(committed: &str, generated: &str) -> String {
    if committed.is_empty() {
        return "is not there".to_owned();
    }
    let diff = similar::TextDiff::from_lines(committed, generated);
    let change = diff.iter_all_changes().find(|change| change.tag() != similar::ChangeTag::Equal);
    change.map_or_else(String::new, |change| {
        let line = change.old_index().or(change.new_index()).unwrap_or_default() + 1;
        format!("line {line}: {}{}", change.tag(), change.value().trim_end())
    })
}
