//! A repository looked at for what migrations change: its references, its class, and its new files.
//!
//! Files go by what they are: SQL is read; documents are searched for words; what else names a dataset in a language that
//! is not read makes its repository unknown, never unaffected. A file changes as a whole or not at all: where one place of
//! it needs an agent or a person, none of it moves to the new dataset, since half a statement on the new one is
//! worse than all of it on the old one.
//!
//! **Invariants:** every file that names a changed dataset is in the report; a report's edits lead to its new text and
//! their reverse to the old bytes; the same tree gives the same report.

mod dbt;
pub mod index;
pub(crate) mod joints;
mod kind;
mod plain;
mod projects;
pub(crate) mod settings;
mod ways;
mod words;

pub(crate) use dbt::makes;
pub use kind::Kind;
pub(crate) use projects::roots as projects;
pub use settings::Stated;
pub(crate) use settings::{Purpose, Settings, Way};

use crate::rewrite::{Finding, Wanted};
use crate::tree::{Overlay, Tree};
use greylag_model::consumer::{Class, TableChange};
use greylag_model::diagnostic::Diagnostic;
use greylag_model::reference::Reference;
use greylag_syntax::edit::{self, Edit, EditError};
use greylag_syntax::sql::{Dialect, Schemas};
use index::{Index, Listing};
use joints::{Joints, PartOf};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashSet};
use std::io;
use std::ops::Range;

/// Longest file that is looked into.
pub const LONGEST: usize = 16 << 20;

/// How to look.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// Dialect of SQL, instead of what the repository says itself.
    pub dialect: Option<Dialect>,
    /// What is known of its projects of dbt; it comes before what the repository says itself.
    pub stated: Option<&'a Stated>,
}

/// What was found in a repository.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Files with references, findings or unread code, by path.
    pub files: Vec<FileReport>,
    /// How much was looked at.
    pub seen: Seen,
    /// Packages that dbt projects want and that are not there: what their macros make of a text is not known.
    pub missing: BTreeSet<String>,
    /// What its owner had better say otherwise, or at all, in `.greylag.yaml`.
    pub told: Vec<Diagnostic>,
}

/// How much was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Files.
    pub files: u64,
    /// Files of SQL among them.
    pub sql: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Statements of those that may name what changes.
    pub statements: u64,
    /// Regions of SQL among these that could not be read.
    pub unknown: u64,
}

/// What was found in a file.
#[derive(Clone, Debug)]
pub struct FileReport {
    /// Its path in the repository.
    pub path: String,
    /// What becomes of it.
    pub class: Class,
    /// Its references, by place.
    pub references: Vec<Reference>,
    /// What no rule can do, by place.
    pub findings: Vec<Located>,
    /// What changes in it.
    pub edits: Vec<Edit>,
    /// Its text.
    pub old: String,
    /// Its text after the edits, if there are any or it moves.
    pub new: Option<String>,
    /// Its new path, if it gets one.
    pub moved: Option<String>,
}

/// A finding in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Located {
    /// Bytes of the file.
    pub at: Range<usize>,
    /// Line, from 1.
    pub line: u32,
    /// Character of the line, from 1.
    pub position: u32,
    /// What it makes of the file.
    pub class: Class,
    /// Why.
    pub why: String,
    /// The dataset, as the catalog calls it.
    pub dataset: String,
    /// The old column, if it is about one.
    pub column: Option<String>,
}

impl Seen {
    /// Adds what was looked at elsewhere.
    pub fn add(&mut self, other: Self) {
        self.files += other.files;
        self.sql += other.sql;
        self.bytes += other.bytes;
        self.statements += other.statements;
        self.unknown += other.unknown;
    }
}

impl Report {
    /// The files of the tree that was looked at, as the edits leave them.
    pub fn after<'a>(&self, tree: &'a dyn Tree) -> Overlay<'a> {
        let mut after = Overlay::new(tree);
        for file in &self.files {
            let Some(new) = &file.new else { continue };
            if file.moved.is_some() {
                after.remove(&file.path);
            }
            after.put(file.moved.as_ref().unwrap_or(&file.path), new.clone());
        }
        after
    }

    /// What becomes of the whole repository: what its most difficult file needs.
    pub fn class(&self) -> Class {
        self.files.iter().map(|file| file.class).max().unwrap_or(Class::Unaffected)
    }
}

/// Looks at a repository.
///
/// # Errors
/// The tree cannot be read.
pub fn look(tree: &dyn Tree, changes: &[TableChange], options: Options<'_>) -> io::Result<Report> {
    scan(tree, changes, options, How::Anew)
}

/// What the owner of a repository had better say otherwise in `.greylag.yaml`. Who looks is told with the report.
///
/// # Errors
/// The tree cannot be read.
pub fn told(tree: &dyn Tree) -> io::Result<Vec<Diagnostic>> {
    Ok(Settings::of(tree)?.told(&tree.paths()?))
}

/// Looks at a repository that is to be cut into parts: what hangs together there, too.
pub(crate) fn look_to_cut(
    tree: &dyn Tree,
    changes: &[TableChange],
    options: Options<'_>,
    part_of: PartOf<'_>,
) -> io::Result<(Report, Joints)> {
    let mut joints = Joints::default();
    let report = scan(tree, changes, options, How::ToCut(part_of, &mut joints))?;
    Ok((report, joints))
}

/// Looks at a repository of which some was looked at before: what is unchanged since is not read. The report is that of [`look`].
///
/// # Errors
/// The tree cannot be read.
pub fn look_again(
    tree: &dyn Tree,
    changes: &[TableChange],
    options: Options<'_>,
    index: &mut Index,
) -> io::Result<Report> {
    scan(tree, changes, options, How::Again(index))
}

/// Ways to look.
enum How<'a> {
    /// From nothing.
    Anew,
    /// With what was found before.
    Again(&'a mut Index),
    /// From nothing, with what hangs together.
    ToCut(PartOf<'a>, &'a mut Joints),
}

fn scan(tree: &dyn Tree, changes: &[TableChange], options: Options<'_>, how: How<'_>) -> io::Result<Report> {
    let (mut index, mut cut) = match how {
        How::Anew => (None, None),
        How::Again(index) => (Some(index), None),
        How::ToCut(part_of, joints) => (None, Some((part_of, joints))),
    };
    let mut report = Report::default();
    let known = Known(changes);
    let paths = tree.paths()?;
    let settings = Settings::of(tree)?;
    let said = settings.dialect;
    let part_of = cut.as_ref().map(|(part_of, _)| *part_of);
    let how = projects::How { tree, paths: &paths, changes, options, settings: &settings, part_of };
    let mut roots = Vec::new();
    for group in how.look(index.as_deref_mut())? {
        roots.extend(group.roots);
        report.files.extend(group.files);
        report.seen.add(group.seen);
        report.missing.extend(group.missing);
        report.told.extend(group.cuts.iter().map(|cut| cut.told(&paths)));
        if let Some((_, joints)) = &mut cut {
            joints.add(group.joints);
        }
    }
    let listing = || Listing { paths: &paths, roots: &[], said: said.map(|said| said.to_string()).unwrap_or_default() };
    let reported: HashSet<String> = report.files.iter().map(|file| file.path.clone()).collect();
    report.seen.files += paths.len() as u64;
    for path in paths.iter().filter(|path| !reported.contains(*path)) {
        let in_project = roots.iter().any(|root| within(root, path));
        let kind = Kind::of(path);
        // What no node of a project is made of is not run.
        if kind == Kind::Other || in_project && kind != Kind::Document {
            continue;
        }
        let found = index::unit(index.as_deref_mut(), tree, path, &listing(), |tree, found| {
            let Some(bytes) = tree.read(path)? else { return Ok(()) };
            let dialect = options.dialect.or(said).unwrap_or(Dialect::Generic);
            found.files.extend(match kind {
                Kind::Sql => plain::look(path, &bytes, changes, dialect, &known, &mut found.seen),
                _ => words::look(path, &bytes, changes),
            });
            Ok(())
        })?;
        report.files.extend(found.files);
        report.seen.add(found.seen);
    }
    report.files = FileReport::of_each(report.files);
    report.told.extend(settings.told(&paths));
    if let Some((_, joints)) = cut {
        let is_plain = |path: &str| !roots.iter().any(|root| within(root, path));
        joints.flows.extend(joints::flows_of_files(&report, is_plain));
    }
    Ok(report)
}

/// Whether a path lies in a folder; all do in that without a name.
fn within(root: &str, path: &str) -> bool {
    root.is_empty() || path.strip_prefix(root).is_some_and(|rest| rest.starts_with('/'))
}

/// The columns of the datasets that change.
struct Known<'a>(&'a [TableChange]);

impl Schemas for Known<'_> {
    fn columns(&self, name: &[&str]) -> Option<Vec<String>> {
        let change = self.0.iter().find(|change| change.old.iter().any(|old| old.meets(name).is_some()))?;
        let columns: Vec<String> = change.columns.iter().map(|column| column.name.clone()).collect();
        (!columns.is_empty()).then_some(columns)
    }
}

/// Where bytes of a text stand: line and character, both from 1.
pub(crate) fn line_and_position(text: &str, at: usize) -> (u32, u32) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() as u32 + 1, before[line..].chars().count() as u32 + 1)
}

impl FileReport {
    /// The report of a file of which nothing is to be said.
    pub fn nothing(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            class: Class::Unaffected,
            references: Vec::new(),
            findings: Vec::new(),
            edits: Vec::new(),
            old: String::new(),
            new: None,
            moved: None,
        }
    }

    /// The report of a text that was looked at as it stands in its file.
    fn of(path: &str, text: &str, wanted: Wanted, changes: &[TableChange]) -> Result<Self, EditError> {
        let class = wanted.class();
        let made = match class {
            Class::Unaffected | Class::Mechanical => wanted.demands.as_slice(),
            Class::Judgement => &wanted.notes,
            Class::Agentic | Class::Unknown => &[],
        };
        let edits: Vec<Edit> =
            made.iter().map(|demand| Edit { at: demand.at.clone(), by: demand.by.clone() }).collect();
        let edited = edit::apply(text, &edits)?;
        Ok(Self {
            path: path.to_owned(),
            class,
            references: wanted.references.iter().map(|found| reference(path, text, found, changes)).collect(),
            findings: wanted.findings.iter().map(|finding| located(text, finding, changes)).collect(),
            new: (edited.text != text).then_some(edited.text),
            edits,
            moved: None,
            old: text.to_owned(),
        })
    }

    /// One report of each file, by path, of those that several projects have made of it. They agree on what changes in it.
    fn of_each(mut reports: Vec<Self>) -> Vec<Self> {
        reports.sort_by(|one, other| one.path.cmp(&other.path));
        let mut all: Vec<Self> = Vec::new();
        for report in reports {
            match all.last_mut().filter(|last| last.path == report.path) {
                Some(last) => last.join(report),
                None => all.push(report),
            }
        }
        all
    }

    fn join(&mut self, other: Self) {
        self.class = self.class.max(other.class);
        self.references.extend(other.references);
        dbt::join(&mut self.references);
        self.findings.extend(other.findings);
        self.findings.sort_by_key(|finding| (finding.at.start, finding.at.end, finding.class));
        self.findings.dedup();
        let has_new = self.new.is_some() || other.new.is_some();
        self.edits.extend(other.edits.into_iter().filter(|_| other.new.is_some()));
        self.edits
            .sort_by(|one, other| (one.at.start, one.at.end, &one.by).cmp(&(other.at.start, other.at.end, &other.by)));
        self.edits.dedup();
        let edited = || edit::apply(&self.old, &self.edits).ok().map(|edited| edited.text);
        self.new = if has_new { edited() } else { None };
        self.moved = self.moved.take().or(other.moved);
    }

    /// The edits that lead from the new text back to the old one.
    pub fn back(&self) -> Vec<Edit> {
        edit::apply(&self.old, &self.edits).map(|edited| edited.back).unwrap_or_default()
    }
}

fn reference(path: &str, text: &str, found: &crate::rewrite::Found, changes: &[TableChange]) -> Reference {
    let (line, position) = line_and_position(text, found.at.start);
    Reference {
        path: path.to_owned(),
        start: found.at.start as u32,
        end: found.at.end as u32,
        line,
        position,
        dataset: changes[found.change].dataset.clone(),
        column: found.column.clone(),
        role: found.role,
        confidence: found.confidence,
        why: found.why.clone(),
        via: Vec::new(),
    }
}

fn located(text: &str, finding: &Finding, changes: &[TableChange]) -> Located {
    let (line, position) = line_and_position(text, finding.at.start);
    Located {
        at: finding.at.clone(),
        line,
        position,
        class: finding.class,
        why: finding.why.clone(),
        dataset: changes[finding.change].dataset.clone(),
        column: finding.column.clone(),
    }
}
