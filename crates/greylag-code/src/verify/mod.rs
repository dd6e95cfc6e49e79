//! Verifiers: what can be said of a changed repository without running it, and what its own command says.
//!
//! # What is compared
//!
//! A tree before and a tree after, whoever made the one of the other: rules, an agent, a person. Nothing of how the change was
//! made is asked for, so what a rule got wrong is not what a verifier takes for right. Both trees are read from nothing. What is
//! looked at are *units*: files of SQL that are run as they stand, and every way in which a node of a dbt project renders,
//! those of them that differ and those that still have the name of an old dataset somewhere.
//!
//! | check | holds if |
//! |---|---|
//! | `parses` | every unit, template and YAML file reads no worse than before |
//! | `resolves` | the same relations are named in the same places, old datasets as the new ones; every column of these is in their schema; no name has lost what it meant; models, sources, tests and exposures are declared as they were |
//! | `outputs` | every statement gives columns of the same names, in the same order; what makes a changed dataset gives the new one's |
//! | `lineage` | every output, join and filter is made of the columns that the mapping says |
//! | `scope` | only the plan's files have changed, and none that says how the repository is built or tested |
//! | `idempotent` | rules find nothing more to rewrite |
//!
//! **Models that take another name.** A dbt model that makes a changed dataset makes the new one under its name, so nothing in dbt
//! says that the two are one. Which are, is told by what they make, before and after (see `repository::makes`): then the new one is held
//! against the old one as any other node is, must give the new dataset's columns, and must have kept what hung on its name:
//! configuration, contract, columns, tests, and every `ref` to it. A model whose outputs take new names, since the migration lets these go on
//! to readers, is held against the new ones (see `propagated`).
//!
//! The repository's own command is [`command`]. That new and old give the same *rows* is a proof's matter.
//!
//! **Files that are held.** Where rules leave a file to somebody, it may go on reading the old dataset, or somebody may have moved
//! it already: then it must name the new one throughout, and the columns and outputs are verified like any other.
//!
//! **Invariants:** nothing of either tree is run by reading it; the same trees give the same verdicts; a check that has seen
//! something that it could not read never says `pass`.

pub mod command;
mod compared;
mod idempotent;
mod lineage;
mod names;
mod nodes;
mod outputs;
mod parses;
mod propagated;
#[cfg(test)]
mod renamed;
mod resolves;
mod scope;
mod sources;
mod tested;
#[cfg(test)]
mod testing;
mod unit;

use crate::repository::{self, Report, Stated};
use crate::tree::Tree;
use compared::Compared;
use greylag_model::check::{CheckResult, Verdict};
use greylag_model::consumer::TableChange;
use greylag_syntax::sql::Dialect;
use std::io;

/// Complaints that a detail names.
const NAMED: usize = 5;

/// How to verify.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// Dialect of SQL, instead of what the repository says itself.
    pub dialect: Option<Dialect>,
    /// What is known of its projects of dbt; it comes before what the repository says itself.
    pub stated: Option<&'a Stated>,
    /// What rules make of the old tree, if it is known: the files that it changes are the scope. Without it the old tree is looked
    /// at.
    pub report: Option<&'a Report>,
    /// Files that may change besides those of the report.
    pub scope: &'a [String],
}

/// Holds a changed repository against what it was. One result each for `parses`, `resolves`, `outputs`, `lineage`, `scope` and
/// `idempotent`, in this order.
///
/// # Errors
/// A tree cannot be read.
pub fn verify(
    old: &dyn Tree,
    new: &dyn Tree,
    changes: &[TableChange],
    options: Options<'_>,
) -> io::Result<Vec<CheckResult>> {
    let reading = repository::Options { dialect: options.dialect, stated: options.stated };
    let looked = match options.report {
        Some(_) => None,
        None => Some(repository::look(old, changes, reading)?),
    };
    let Some(report) = options.report.or(looked.as_ref()) else { return Ok(Vec::new()) };
    let compared = Compared::of(old, new, changes, report, reading)?;
    let moved = report.files.iter().filter_map(|file| Some([file.path.clone(), file.moved.clone()?])).flatten();
    let scope: Vec<String> = options.scope.iter().cloned().chain(moved).collect();
    Ok(vec![
        parses::check(&compared),
        resolves::check(&compared),
        outputs::check(&compared),
        lineage::check(&compared),
        scope::check(&compared, &scope),
        idempotent::check(&repository::look(new, changes, reading)?),
    ])
}

/// What a verifier has against a change.
#[derive(Debug, Default)]
struct Complaints {
    /// What is wrong.
    wrong: Vec<String>,
    /// What could not be told.
    unclear: Vec<String>,
}

impl Complaints {
    fn wrong(&mut self, what: impl Into<String>) {
        self.wrong.push(what.into());
    }

    fn unclear(&mut self, what: impl Into<String>) {
        self.unclear.push(what.into());
    }

    /// The verdict; `holds` is what is said where nothing is wrong.
    fn result(mut self, name: &str, holds: String, hint: &str) -> CheckResult {
        let (verdict, said) = match (self.wrong.is_empty(), self.unclear.is_empty()) {
            (true, true) => (Verdict::Pass, Vec::new()),
            (true, false) => (Verdict::Unknown, std::mem::take(&mut self.unclear)),
            (false, _) => (Verdict::Fail, std::mem::take(&mut self.wrong)),
        };
        let detail = if said.is_empty() { holds } else { listed(said) };
        let hint = (verdict != Verdict::Pass).then(|| hint.to_owned());
        CheckResult { name: name.to_owned(), verdict, detail, hint }
    }
}

/// The first of them, each once, and how many there are besides.
fn listed(mut said: Vec<String>) -> String {
    let mut seen = std::collections::HashSet::new();
    said.retain(|line| seen.insert(line.clone()));
    let more = said.len().saturating_sub(NAMED);
    said.truncate(NAMED);
    let text = said.join("; ");
    if more > 0 { format!("{text}; and {more} more") } else { text }
}

/// `1 file`, `2 files`.
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
