//! What must be proven of a rewritten repository: its old texts and its new ones, as plain SQL, with what they read.
//!
//! # From a report to requests
//!
//! [`repository::look`](crate::repository::look) says what becomes of a repository's files. Here the same tree is read with and without
//! that, and for each text that is run and is no longer the same there is a [`Question`]: a [`ProofRequest`] for whoever can run it, or the
//! verdict that nobody can. A file of SQL is one text; a node of a dbt project has one for each way in which it renders, whichever file the
//! bytes came from, so that an edit in a macro is proven in every model that it is a part of.
//!
//! # What the texts read
//!
//! A changed dataset comes with its mapping. Of any other relation the columns are those that the texts use, those that the project
//! makes it with, and the types of a seed those of its file; what stays unknown is marked as guessed.
//!
//! **Invariants:** a text that moves has a question, or an edit that nothing runs was made; nothing is run here.

pub mod build;
mod plain;
mod project;
mod relations;
mod seed;
#[cfg(test)]
mod tests;

use crate::repository::{FileReport, Kind, Options, Purpose, Report, Settings, projects};
use crate::tree::Tree;
use greylag_model::consumer::{Class, TableChange};
use greylag_model::mapping::Mapping;
use greylag_model::proof::{ProofRequest, ProofVerdict, Sample};
use greylag_syntax::sql::{Dialect, Schemas};
use std::io;

/// A change of a dataset, with all that is known of its rows.
#[derive(Clone, Copy, Debug)]
pub struct Moved<'a> {
    /// What it means for readers.
    pub change: &'a TableChange,
    /// How rows are converted.
    pub mapping: &'a Mapping,
    /// Where real rows are, if they may be read.
    pub sample: Option<&'a Sample>,
}

/// A text of which something must be proven.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// The file whose text it is: of a node, that of its template.
    pub path: String,
    /// The files that are written only if the answer allows it: an empty path stands for the whole repository.
    pub scope: String,
    /// What is asked, or why nothing can be.
    pub ask: Result<Box<ProofRequest>, Box<ProofVerdict>>,
}

/// The questions about a repository, by path. `changes` are those that the report was made with.
///
/// # Errors
/// The tree cannot be read.
pub fn questions(
    tree: &dyn Tree,
    report: &Report,
    changes: &[Moved<'_>],
    options: Options<'_>,
) -> io::Result<Vec<Question>> {
    let paths = tree.paths()?;
    let roots = projects(&paths);
    let settings = Settings::of(tree)?;
    let after = report.after(tree);
    let within = |root: &str, path: &str| root.is_empty() || path.starts_with(&format!("{root}/"));
    let mut questions = Vec::new();
    for root in &roots {
        if report.files.iter().any(|file| file.new.is_some() && within(root, &file.path)) {
            let way = settings.way((tree, &paths), root, options, Purpose::Deciding)?;
            questions.extend(project::questions(tree, &after, root, changes, &way)?);
        }
    }
    let dialect = options.dialect.or(settings.dialect).unwrap_or(Dialect::Generic);
    for file in &report.files {
        let in_project = roots.iter().any(|root| within(root, &file.path));
        if let Some(new) = file.new.as_ref().filter(|_| !in_project && Kind::of(&file.path) == Kind::Sql) {
            questions.extend(plain::question(&file.path, &file.old, new, changes, dialect));
        }
    }
    questions.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(questions)
}

/// The files of a tree that another one, made of it by whomever, has with other texts: a report of which questions can be asked. What is no
/// text, and what only one of them has, is not in it.
///
/// # Errors
/// A tree cannot be read.
pub fn edited(before: &dyn Tree, after: &dyn Tree) -> io::Result<Report> {
    let mut report = Report::default();
    for path in before.paths()? {
        let (Some(old), Some(new)) = (before.read(&path)?, after.read(&path)?) else { continue };
        if old == new {
            continue;
        }
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec());
        let (Ok(old), Ok(new)) = (text(&old), text(&new)) else { continue };
        report.files.push(FileReport {
            path,
            class: Class::Mechanical,
            references: Vec::new(),
            findings: Vec::new(),
            edits: Vec::new(),
            old,
            new: Some(new),
            moved: None,
        });
    }
    Ok(report)
}

/// A text without the comments that only speak to a person, which change nothing.
fn without_notes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(" /* judgement: ") {
        let Some(end) = rest[at..].find("*/") else { break };
        out.push_str(&rest[..at]);
        rest = &rest[at + end + 2..];
    }
    out.push_str(rest);
    out
}

/// The columns of the datasets that change, as one side has them.
struct Known<'a> {
    changes: &'a [Moved<'a>],
    old: bool,
}

impl Schemas for Known<'_> {
    fn columns(&self, name: &[&str]) -> Option<Vec<String>> {
        let at = relations::changed(self.changes, name, self.old)?;
        let mapping = self.changes[at].mapping;
        let schema = if self.old { &mapping.source } else { &mapping.target };
        Some(schema.columns.iter().map(|column| column.name.clone()).collect())
    }
}
