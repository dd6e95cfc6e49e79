//! What a migration asks of one repository: its new files and what is left for people, as its owner will read it.

mod describe;
mod verdicts;

pub use describe::{description, title};
pub use verdicts::{Changed, Judged, Judges, OwnBuild, OwnCommand, verdicts};

use crate::git::{Edit, Edits};
use crate::repository::{self, FileReport, Options, Report};
use crate::tree::Tree;
use describe::counted;
use greylag_driver::error::DriverError;
use greylag_model::check::{CheckResult, Verdict};
use greylag_model::code::cli as code;
use greylag_model::consumer::{Class, TableChange};
use greylag_model::spec::Metadata;
use greylag_syntax::edit;
use std::collections::BTreeSet;

/// What a migration asks of a repository.
pub struct Proposal<'a> {
    /// The migration.
    pub about: &'a Metadata,
    /// What it changes for code.
    pub changes: &'a [TableChange],
    /// Until when the old datasets stay, if the migration says so.
    pub until: Option<&'a str>,
    /// What was found.
    pub report: Report,
    /// Which part of the repository it is about, if not all of it.
    pub part: Option<&'a str>,
    /// Files that are about the same and are no part of it.
    pub elsewhere: Vec<FileReport>,
}

/// Looks at a tree for some changes.
pub fn look(tree: &dyn Tree, name: &str, changes: &[TableChange], options: Options<'_>) -> Result<Report, DriverError> {
    repository::look(tree, changes, options).map_err(|error| {
        DriverError::transient(code::FILE_UNREADABLE, format!("the repository `{name}` cannot be read: {error}"))
    })
}

/// The names of the datasets that files are about.
pub fn datasets<'a>(files: impl IntoIterator<Item = &'a FileReport>) -> BTreeSet<&'a str> {
    let named = |file: &'a FileReport| {
        let references = file.references.iter().map(|found| found.dataset.as_str());
        references.chain(file.findings.iter().map(|found| found.dataset.as_str()))
    };
    files.into_iter().flat_map(named).collect()
}

impl Proposal<'_> {
    /// Files that change.
    pub fn changed(&self) -> impl Iterator<Item = &FileReport> {
        self.report.files.iter().filter(|file| file.new.is_some())
    }

    /// Files that somebody must look at.
    pub fn held(&self) -> impl Iterator<Item = &FileReport> {
        self.report.files.iter().filter(|file| file.class > Class::Mechanical)
    }

    /// What becomes of the files.
    pub fn edits(&self) -> Edits {
        let mut edits = Edits::new();
        for file in self.changed() {
            let Some(new) = file.new.clone().map(String::into_bytes) else { continue };
            match &file.moved {
                Some(moved) => {
                    edits.insert(file.path.clone(), Edit::Delete);
                    edits.insert(moved.clone(), Edit::Create(new));
                }
                None => {
                    edits.insert(file.path.clone(), Edit::Replace(new));
                }
            }
        }
        edits
    }

    /// What of the migration the repository meets; all of it where no place says.
    pub fn changes(&self) -> Vec<&TableChange> {
        let met = datasets(&self.report.files);
        let all = self.changes;
        let found: Vec<&TableChange> = all.iter().filter(|change| met.contains(change.dataset.as_str())).collect();
        if found.is_empty() { all.iter().collect() } else { found }
    }

    /// What can be said of the new files without running them: that nothing of its own is left to rewrite, that the way back leads to the
    /// very bytes of before, and whether the repository is done with that.
    pub fn checks(&self, tree: &dyn Tree, name: &str, options: Options<'_>) -> Result<Vec<CheckResult>, DriverError> {
        let after = self.report.after(tree);
        let again = look(&after, name, self.changes, options)?;
        let elsewhere: BTreeSet<&str> = self.elsewhere.iter().map(|file| file.path.as_str()).collect();
        let left = again.files.iter().filter(|file| file.new.is_some()).map(|file| file.path.as_str());
        let left: Vec<&str> = left.filter(|path| !elsewhere.contains(path)).collect();
        let back = self.changed().filter(|file| {
            let back = file.new.as_deref().and_then(|new| edit::apply(new, &file.back()).ok());
            back.is_none_or(|back| back.text != file.old)
        });
        let lost: Vec<&str> = back.map(|file| file.path.as_str()).collect();
        let held = self.held().count();
        Ok(vec![
            check(
                "complete",
                unless(held > 0, Verdict::Unknown),
                match held {
                    0 => "no file is left for people".to_owned(),
                    held => format!("left for people: {}", counted(held, "file")),
                },
            ),
            check(
                "reversible",
                unless(!lost.is_empty(), Verdict::Fail),
                match lost.as_slice() {
                    [] => "the way back leads to the same bytes".to_owned(),
                    lost => format!("the way back leads elsewhere in {}", lost.join(", ")),
                },
            ),
            check(
                "rewritten",
                unless(!left.is_empty(), Verdict::Fail),
                match left.as_slice() {
                    [] => "nothing is left that a rule would rewrite".to_owned(),
                    left => format!("rules would still rewrite {}", left.join(", ")),
                },
            ),
        ])
    }
}

fn unless(bad: bool, verdict: Verdict) -> Verdict {
    if bad { verdict } else { Verdict::Pass }
}

fn check(name: &str, verdict: Verdict, detail: String) -> CheckResult {
    CheckResult { name: name.to_owned(), verdict, detail, hint: None }
}
