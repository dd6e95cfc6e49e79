//! `greylag rewrite`: code that reads the new datasets.

mod patch;
mod verify;
mod write;

use crate::consumers::{self, Source};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome, shown};
use crate::migration_files;
use crate::output::{self, Row, heading};
use crate::proving::{self, Proofs};
use crate::reading::Reading;
use crate::templates::Parameters;
use clap::Args;
use greylag_code::prove::build::BuildProof;
use greylag_code::prove::{Moved, edited, questions};
use greylag_code::repository::{self, FileReport, Options, Report};
use greylag_model::check::Verdict;
use greylag_model::code;
use greylag_model::consumer::{Class, TableChange};
use greylag_model::reference::Reference;
use serde_json::json;
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use verify::Checked;
use write::Written;

pub(crate) use patch::of as patch;

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
/// With `--prove` each rewritten text is run on new rows and the text that it was on old ones, both made for that and both by
/// an engine that sees nothing else, and the results are compared as the mapping explains. A file whose text differs is not
/// written, nor is any of its dbt project.
///
/// Exit codes: 0 all is rewritten, or could be; 1 a check failed, or a rewritten text gives something else; 3 some files need
/// somebody, or a dataset of the migration was left out.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
                        greylag rewrite -f users.yaml ~/src/reports\n  \
                        greylag rewrite -f users.yaml . --patch | git apply --check\n  \
                        greylag rewrite -f users.yaml . --verify --prove --write")]
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
    /// The way back: code that was rewritten reads the old datasets again, in the bytes that it had.
    #[arg(long, conflicts_with_all = ["verify", "prove"])]
    reverse: bool,
    /// Verify what would change, and show that instead of the files.
    #[arg(long, conflicts_with = "patch")]
    verify: bool,
    /// Prove that rewritten texts give what they gave.
    #[arg(long)]
    prove: bool,
    /// Prove what somebody else made of a repository: one for each path, in order. Nothing is rewritten.
    #[arg(long = "with", value_name = "PATH", requires = "prove", conflicts_with_all = ["write", "patch", "verify"])]
    with: Vec<PathBuf>,
    #[command(flatten)]
    reading: Reading,
}

/// A repository, what became of it, and what was proven of that.
struct Looked {
    source: Source,
    report: Report,
    proofs: Proofs,
    built: Option<BuildProof>,
}

impl Rewrite {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let mut files = migration_files::read(&self.file, context.format().is_json())?;
        self.parameters.render(context, &mut files)?;
        let consumers::Changes { mut changes, rows: converted, left_out } = consumers::changes(context, &files)?;
        if !self.with.is_empty() && self.with.len() != self.paths.len() {
            return Err(Failure::usage("`--with` must be given once for each path".to_owned()));
        }
        if self.reverse {
            changes = changes.iter().map(|change| change.reversed(change.new.last())).collect();
        }
        let home = context.home()?;
        if self.write {
            write::finish(context, &home)?;
        } else if write::is_unfinished(&home)? {
            context.say("a `--write` was stopped before it was done; the next `--write` finishes it first");
        }
        let said = self.reading.said();
        let options = said.options();
        let mut all = Vec::new();
        for (at, path) in self.paths.iter().enumerate() {
            let source = Source::open(path)?;
            source.tell(context);
            let unreadable = |error: std::io::Error| {
                Failure::error(code::cli::FILE_UNREADABLE, format!("`{}` cannot be read: {error}", path.display()))
            };
            let report = match self.with.get(at) {
                Some(other) => edited(source.tree.as_ref(), Source::open(other)?.tree.as_ref()),
                None => repository::look(source.tree.as_ref(), &changes, options),
            };
            let report = report.map_err(unreadable)?;
            consumers::tell(context, &source, &report);
            let (mut proofs, mut built) = (Proofs::default(), None);
            if self.prove {
                let moved: Vec<Moved<'_>> =
                    changes.iter().zip(&converted).map(|(change, rows)| rows.moved(change)).collect();
                let questions = questions(source.tree.as_ref(), &report, &moved, options).map_err(unreadable)?;
                built = proving::built(context, path, (&source, &report), &moved)?;
                proofs = proving::answers(context, &questions, built.as_ref())?;
            }
            all.push(Looked { source, report, proofs, built });
        }
        let mut checked = if self.verify { self.verified(context, &all, &changes, options)? } else { Vec::new() };
        let built = all.iter().zip(&self.paths);
        let built: Vec<Checked> =
            built.filter_map(|(looked, path)| Some(Checked::build(path, looked.built.as_ref()?))).collect();
        // Without `--verify` there is no list of checks for it to be in: then it is told.
        if !self.verify {
            for built in &built {
                built.say(context);
            }
        }
        checked.extend(built);
        let failed = checked.iter().filter(|checked| checked.check.verdict == Verdict::Fail).count();
        if self.write && failed == 0 {
            write::write(&home, &written(&all)?)?;
        }
        if self.verify {
            output::list(context.format(), "checks", &verify::HEADINGS, verify::rows(&checked))?;
            verify::tell(context, &checked);
        } else if self.patch {
            output::text(&self.patched(&all))?;
        } else {
            let headings: &[_] = if self.prove { &PROVEN_HEADINGS } else { &HEADINGS };
            output::list(context.format(), "files", headings, rows(&all, self.prove))?;
        }
        context.say(&self.count_line(&all, failed));
        if self.prove {
            context.say(&proving::line(all.iter().map(|looked| &looked.proofs)));
        }
        let done = left_out.is_empty() && all.iter().all(|looked| looked.report.class() <= Class::Mechanical);
        let differs = all.iter().any(|looked| looked.proofs.differ());
        Ok(if failed > 0 || differs {
            Exit::Failed
        } else if done {
            Exit::Done
        } else {
            Exit::Incomplete
        })
    }

    fn patched(&self, all: &[Looked]) -> String {
        let mut text = String::new();
        for Looked { source, report, .. } in all {
            for file in &report.files {
                let Some(new) = &file.new else { continue };
                // The patch of a repository is applied in it, any other where the command was given.
                let in_it = self.paths.len() == 1 && self.paths[0] == source.root;
                let place = |path: &String| {
                    let path = if in_it { PathBuf::from(path) } else { source.root.join(path) };
                    path.to_string_lossy().trim_start_matches("./").trim_start_matches('/').to_owned()
                };
                let moved = file.moved.as_ref().map(place);
                text.push_str(&patch::of(&place(&file.path), moved.as_deref(), &file.old, new));
            }
        }
        text
    }

    /// What is to be held of the changes of each repository that has any.
    fn verified(
        &self,
        context: &Context,
        all: &[Looked],
        changes: &[TableChange],
        options: Options<'_>,
    ) -> Result<Vec<Checked>, Failure> {
        let mut checked = Vec::new();
        for (Looked { source, report, .. }, path) in all.iter().zip(&self.paths) {
            if report.files.iter().any(|file| file.new.is_some()) {
                checked.extend(verify::of(context, path, (source, report), changes, options)?);
            }
        }
        Ok(checked)
    }

    fn count_line(&self, all: &[Looked], failed: usize) -> String {
        let files = || all.iter().flat_map(|looked| &looked.report.files);
        let of = |class: Class| files().filter(|file| file.class == class).count();
        let edits: usize = files().map(|file| file.edits.len()).sum();
        let kept = |looked: &&Looked| looked.report.files.iter().filter(|file| looked.withheld(file)).count();
        let withheld: usize = if self.write { all.iter().map(|looked| kept(&looked)).sum() } else { 0 };
        let changed = files().filter(|file| file.new.is_some()).count() - withheld;
        let done = match (self.write, changed) {
            (true, 0) if withheld > 0 => "nothing written, as it was not found to give the same",
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

const PROVEN_HEADINGS: [output::Heading; 6] =
    [heading("path"), heading("class"), heading("edits"), heading("proof"), heading("line"), heading("why")];

fn rows(all: &[Looked], prove: bool) -> Vec<Row> {
    let files = all.iter().flat_map(|looked| looked.files().into_iter().map(move |file| (looked, file)));
    files.map(|(looked, file)| row(&looked.source.root.join(&file.path), &file, &looked.proofs, prove)).collect()
}

impl Looked {
    /// The files of the report, and those that only a proof speaks of: their bytes stay, and what they render does not.
    fn files(&self) -> Vec<Cow<'_, FileReport>> {
        let mut files: Vec<Cow<'_, FileReport>> = self.report.files.iter().map(Cow::Borrowed).collect();
        for path in self.proofs.paths() {
            if !files.iter().any(|file| file.path == path) {
                files.push(Cow::Owned(FileReport::nothing(path)));
            }
        }
        files.sort_by(|one, other| one.path.cmp(&other.path));
        files
    }

    /// Whether a file's new text is not written, as something that it is a part of gives something else.
    fn withheld(&self, file: &FileReport) -> bool {
        file.new.is_some() && self.proofs.forbid(&file.path)
    }
}

fn row(path: &Path, file: &FileReport, proofs: &Proofs, prove: bool) -> Row {
    let proof = proofs.of(&file.path);
    let path = path.to_string_lossy().into_owned();
    let first = file.findings.iter().find(|finding| finding.class == file.class);
    let mut cells = vec![
        shown(&path),
        file.class.name().to_owned(),
        file.edits.len().to_string(),
        proof.as_ref().map(|proof| proof.name().to_owned()).unwrap_or_default(),
        first.map(|finding| finding.line.to_string()).unwrap_or_default(),
        first
            .map(|finding| shown(&finding.why))
            .or_else(|| Some(shown(&proving::why(proof.as_ref()?)?)))
            .unwrap_or_default(),
    ];
    if !prove {
        cells.remove(3);
    }
    let edits = file.edits.iter().map(|edit| json!({ "start": edit.at.start, "end": edit.at.end, "by": edit.by }));
    let findings = file.findings.iter().map(|finding| {
        json!({
            "start": finding.at.start, "end": finding.at.end, "line": finding.line, "position": finding.position,
            "class": finding.class, "why": finding.why, "dataset": finding.dataset, "column": finding.column,
        })
    });
    let references = file.references.iter().map(|found| Reference { path: path.clone(), ..found.clone() });
    let mut value = json!({
        "path": path,
        "class": file.class,
        "moved": file.moved,
        "edits": edits.collect::<Vec<_>>(),
        "findings": findings.collect::<Vec<_>>(),
        "references": references.collect::<Vec<_>>(),
    });
    if let (Some(proof), Some(value)) = (&proof, value.as_object_mut()) {
        value.insert("proof".to_owned(), json!(proof));
    }
    Row::new(path.clone(), cells, &value)
}

/// The files that change, with where they lie.
fn written(all: &[Looked]) -> Result<Vec<Written>, Failure> {
    let mut files = Vec::new();
    for looked in all {
        let source = &looked.source;
        let root = std::path::absolute(&source.root).map_err(|error| {
            Failure::error(code::cli::FILE_UNREADABLE, format!("`{}` cannot be read: {error}", source.root.display()))
        })?;
        for file in looked.report.files.iter().filter(|file| !looked.withheld(file)) {
            let Some(new) = &file.new else { continue };
            let moved = file.moved.as_ref().map(|moved| root.join(moved));
            files.push(Written { path: root.join(&file.path), moved, old: file.old.clone(), new: new.clone() });
        }
    }
    Ok(files)
}
