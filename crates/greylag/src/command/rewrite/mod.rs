//! `greylag rewrite`: code that reads the new datasets.

mod verify;

use crate::consumers::{self, Reading, Source};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome, shown};
use crate::migration_files;
use crate::output::{self, Row, heading};
use crate::templates::Parameters;
use clap::Args;
use greylag_code::repository::{self, FileReport, Report};
use greylag_model::check::Verdict;
use greylag_model::code;
use greylag_model::consumer::{Class, TableChange};
use greylag_model::reference::Reference;
use serde_json::json;
use similar::TextDiff;
use std::fmt::Write as _;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use verify::Checked;

/// Rewrite code so that it reads the new datasets of a migration.
///
/// Only the bytes that must change are touched: names of tables and columns, and what keeps the results as they were. A file in
/// which anything needs an agent or a person is left as it is and listed with the reason. Without `--patch` or `--write`,
/// the files and their classes are shown and nothing is changed. Done twice, the second time finds nothing to do.
///
/// With `--verify` the changed files are held against what they were: they parse, their names mean what they should, their
/// outputs keep their names and are made of the right columns, nothing else changed; and the repository's own command
/// (`verify` in its `.greylag.yaml`) is run on copies before and after, if it is trusted (`greylag trust`). Then the checks are shown,
/// and if one fails nothing is written.
///
/// Exit codes: 0 all is rewritten, or could be; 1 a check failed; 3 some files need somebody, or a dataset of the migration was
/// left out.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
                        greylag rewrite -f users.yaml ~/src/reports\n  \
                        greylag rewrite -f users.yaml . --patch | git apply --check\n  \
                        greylag rewrite -f users.yaml . --verify --write")]
pub(crate) struct Rewrite {
    /// Repositories, or single files.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The migration, or a directory of files; more may be given.
    #[arg(short, long = "file", value_name = "FILE", required = true)]
    file: Vec<PathBuf>,
    #[command(flatten)]
    parameters: Parameters,
    /// Print what would change as a patch.
    #[arg(long, conflicts_with = "write")]
    patch: bool,
    /// Change the files.
    #[arg(long)]
    write: bool,
    /// Verify what would change, and show that instead of the files.
    #[arg(long, conflicts_with = "patch")]
    verify: bool,
    #[command(flatten)]
    reading: Reading,
}

impl Rewrite {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let mut files = migration_files::read(&self.file, context.format().is_json())?;
        self.parameters.render(context, &mut files)?;
        let consumers::Changes { changes, left_out } = consumers::changes(context, &files)?;
        let mut all = Vec::new();
        for path in &self.paths {
            let source = Source::open(path)?;
            source.tell(context);
            let report = repository::look(source.tree.as_ref(), &changes, self.reading.options()).map_err(|error| {
                Failure::error(code::cli::FILE_UNREADABLE, format!("`{}` cannot be read: {error}", path.display()))
            })?;
            all.push((source, report));
        }
        let checked = if self.verify { self.verified(context, &all, &changes)? } else { Vec::new() };
        let failed = checked.iter().filter(|checked| checked.check.verdict == Verdict::Fail).count();
        if self.write && failed == 0 {
            write(&all)?;
        }
        if self.verify {
            output::list(context.format(), "checks", &verify::HEADINGS, verify::rows(&checked))?;
            verify::tell(context, &checked);
        } else if self.patch {
            output::text(&self.patched(&all))?;
        } else {
            output::list(context.format(), "files", &HEADINGS, rows(&all))?;
        }
        context.say(&self.count_line(&all, failed));
        if failed > 0 {
            return Ok(Exit::Failed);
        }
        let done = left_out.is_empty() && all.iter().all(|(_, report)| report.class() <= Class::Mechanical);
        Ok(if done { Exit::Done } else { Exit::Incomplete })
    }

    fn patched(&self, all: &[(Source, Report)]) -> String {
        let mut text = String::new();
        for (source, report) in all {
            for file in &report.files {
                let Some(new) = &file.new else { continue };
                // The patch of a repository is applied in it, any other where the command was given.
                let in_it = self.paths.len() == 1 && self.paths[0] == source.root;
                let path = if in_it { PathBuf::from(&file.path) } else { source.root.join(&file.path) };
                let path = path.to_string_lossy();
                let path = path.trim_start_matches("./").trim_start_matches('/');
                let (old_name, new_name) = (format!("a/{path}"), format!("b/{path}"));
                let diff = TextDiff::from_lines(&file.old, new);
                let _ = write!(text, "{}", diff.unified_diff().header(&old_name, &new_name));
            }
        }
        text
    }

    /// What is to be held of the changes of each repository that has any.
    fn verified(
        &self,
        context: &Context,
        all: &[(Source, Report)],
        changes: &[TableChange],
    ) -> Result<Vec<Checked>, Failure> {
        let mut checked = Vec::new();
        for ((source, report), path) in all.iter().zip(&self.paths) {
            if report.files.iter().any(|file| file.new.is_some()) {
                checked.extend(verify::of(context, path, (source, report), changes, self.reading.options())?);
            }
        }
        Ok(checked)
    }

    fn count_line(&self, all: &[(Source, Report)], failed: usize) -> String {
        let files = || all.iter().flat_map(|(_, report)| &report.files);
        let of = |class: Class| files().filter(|file| file.class == class).count();
        let edits: usize = files().map(|file| file.edits.len()).sum();
        let changed = files().filter(|file| file.new.is_some()).count();
        let done = match (self.write, changed) {
            (_, 0) => "nothing to write",
            (true, _) if failed > 0 => "not written, since checks fail",
            (true, _) => "written",
            (false, _) => "not written; `--write` does it, `--patch` shows it",
        };
        format!(
            "{changed} files with {edits} edits, {done}; {} agentic, {} judgement, {} unknown",
            of(Class::Agentic),
            of(Class::Judgement),
            of(Class::Unknown)
        )
    }
}

const HEADINGS: [output::Heading; 5] =
    [heading("path"), heading("class"), heading("edits"), heading("line"), heading("why")];

fn rows(all: &[(Source, Report)]) -> Vec<Row> {
    let files = all.iter().flat_map(|(source, report)| report.files.iter().map(move |file| (source, file)));
    files.map(|(source, file)| row(&source.root.join(&file.path), file)).collect()
}

fn row(path: &Path, file: &FileReport) -> Row {
    let path = path.to_string_lossy().into_owned();
    let first = file.findings.iter().find(|finding| finding.class == file.class);
    let cells = vec![
        shown(&path),
        file.class.name().to_owned(),
        file.edits.len().to_string(),
        first.map(|finding| finding.line.to_string()).unwrap_or_default(),
        first.map(|finding| shown(&finding.why)).unwrap_or_default(),
    ];
    let edits = file.edits.iter().map(|edit| json!({ "start": edit.at.start, "end": edit.at.end, "by": edit.by }));
    let findings = file.findings.iter().map(|finding| {
        json!({
            "start": finding.at.start, "end": finding.at.end, "line": finding.line, "position": finding.position,
            "class": finding.class, "why": finding.why, "dataset": finding.dataset, "column": finding.column,
        })
    });
    let references = file.references.iter().map(|found| Reference { path: path.clone(), ..found.clone() });
    let value = json!({
        "path": path,
        "class": file.class,
        "edits": edits.collect::<Vec<_>>(),
        "findings": findings.collect::<Vec<_>>(),
        "references": references.collect::<Vec<_>>(),
    });
    Row::new(path.clone(), cells, &value)
}

/// Puts new files in the place of the old ones, each at once; one that was changed meanwhile is refused before any is.
fn write(all: &[(Source, Report)]) -> Result<(), Failure> {
    let mut staged = Vec::new();
    let files = all.iter().flat_map(|(source, report)| report.files.iter().map(move |file| (source, file)));
    for (source, file) in files {
        let Some(new) = &file.new else { continue };
        let path = source.root.join(&file.path);
        match stage(&path, file, new) {
            Ok(beside) => staged.push((beside, path)),
            Err(failure) => {
                drop(remove(&staged));
                return Err(failure);
            }
        }
    }
    staged.iter().try_for_each(|(beside, path)| fs::rename(beside, path).map_err(|error| unwritable(path, &error)))
}

fn unwritable(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::error(code::cli::OUTPUT_UNWRITABLE, format!("`{}` cannot be written: {error}", path.display()))
}

/// Writes a file's new text beside it, and answers where that is.
fn stage(path: &Path, file: &FileReport, new: &str) -> Result<PathBuf, Failure> {
    let now = fs::read(path).map_err(|error| unwritable(path, &error))?;
    if now != file.old.as_bytes() {
        return Err(unwritable(path, &"it was changed while it was read").hint("do it again"));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.greylag"));
    // What a repository has put there, a link perhaps, is not written through.
    let made = fs::File::create_new(&beside).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => unwritable(path, &format!("`{}` is in the way", beside.display()))
            .hint("name each path once; an earlier `--write` that was killed leaves such a file, too: look at it and remove it"),
        _ => unwritable(path, &error),
    })?;
    write_beside(made, path, new).map_err(|error| {
        drop(fs::remove_file(&beside));
        unwritable(path, &error)
    })?;
    Ok(beside)
}

fn write_beside(mut file: fs::File, path: &Path, text: &str) -> std::io::Result<()> {
    file.write_all(text.as_bytes())?;
    file.set_permissions(fs::metadata(path)?.permissions())?;
    file.sync_all()
}

fn remove(staged: &[(PathBuf, PathBuf)]) -> std::io::Result<()> {
    staged.iter().try_for_each(|(beside, _)| fs::remove_file(beside))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use greylag_code::tree::MemoryTree;

    /// A report that makes `new` of each file's `old`.
    fn report(paths: &[&str]) -> Report {
        let file = |path: &&str| FileReport {
            path: (*path).to_owned(),
            class: Class::Mechanical,
            references: Vec::new(),
            findings: Vec::new(),
            edits: Vec::new(),
            old: "old".to_owned(),
            new: Some("new".to_owned()),
        };
        Report { files: paths.iter().map(file).collect(), ..Report::default() }
    }

    #[test]
    fn nothing_is_written_where_a_file_was_changed_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let all: Vec<(Source, Report)> = [&["a", "b"][..], &["c"]]
            .into_iter()
            .map(|paths| {
                let tree = Box::new(MemoryTree::new([]));
                let left_out = greylag_code::tree::LeftOut::default();
                (Source { root: folder.path().to_owned(), is_folder: true, tree, left_out }, report(paths))
            })
            .collect();
        let write_old = |path: &str, text: &str| fs::write(folder.path().join(path), text).unwrap();
        write_old("a", "old");
        write_old("b", "old");
        write_old("c", "somebody else's");
        let failure = write(&all).unwrap_err();
        assert!(failure.diagnostics[0].message.contains("it was changed while it was read"));
        let now = || ["a", "b", "c"].map(|path| fs::read_to_string(folder.path().join(path)).unwrap());
        assert_eq!(now(), ["old", "old", "somebody else's"]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "nothing is left beside them");
        write_old("c", "old");
        write(&all).unwrap();
        assert_eq!(now(), ["new"; 3]);
    }
}
