//! Looking at the repositories of a forge for a plan, cut into scopes as its policy says, and at one scope for a step.

mod cut;

use crate::forge::Hosts;
use crate::proposal::datasets;
use crate::repository::{FileReport, Located, Options, Report};
use crate::tree::Tree;
use cut::Cut;
use greylag_driver::error::DriverError;
use greylag_model::code::{cli, repository as code};
use greylag_model::consumer::{Class, TableChange};
use greylag_model::plan::{FileClass, ScopeObserved};
use greylag_model::spec::ScopesSpec;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

/// Most reasons that a plan holds of one file.
const REASONS: usize = 3;

/// The names of the repositories that any of these patterns means, in order; `*` stands for any characters.
pub fn named(hosts: &dyn Hosts, patterns: &[String]) -> Result<Vec<String>, DriverError> {
    let all = hosts.names()?;
    for pattern in patterns.iter().filter(|pattern| !pattern.contains('*')) {
        if !all.contains(pattern) {
            let message = format!("the forge has no repository `{pattern}`, which the migration names");
            return Err(DriverError::permanent(code::FORGE_UNKNOWN, message)
                .hint("`greylag changes repositories` lists what it has; `greylag changes host PATH` takes one"));
        }
    }
    Ok(all.into_iter().filter(|name| patterns.iter().any(|pattern| matches(pattern, name))).collect())
}

/// Whether a name has the form of a pattern.
fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// Looks at a repository as its branch is now: its scopes, or the whole of it where no file is concerned.
///
/// # Errors
/// The forge does not have it, or it cannot be read.
pub fn observe(
    hosts: &dyn Hosts,
    name: &str,
    changes: &[TableChange],
    policy: &ScopesSpec,
    options: Options<'_>,
) -> Result<Vec<ScopeObserved>, DriverError> {
    let repository = hosts.repository(name)?;
    let base = repository.default_branch()?;
    let tree = repository.branch_tree(&base)?;
    let mut whole = ScopeObserved {
        repository: name.to_owned(),
        part: None,
        base,
        commit: String::new(),
        owner: None,
        seen: 0,
        files: Vec::new(),
        datasets: Vec::new(),
        flows: Vec::new(),
        notes: Vec::new(),
        told: Vec::new(),
    };
    // One without a commit reads nothing.
    let Some(tree) = tree else { return Ok(vec![whole]) };
    let cut = Cut::of(&tree, changes, policy, options).map_err(|error| unreadable(name, &error))?;
    tree.commit().as_str().clone_into(&mut whole.commit);
    whole.seen = cut.report.seen.files;
    let mut parts: BTreeMap<String, Vec<&FileReport>> = BTreeMap::new();
    for file in &cut.report.files {
        let part = if policy.is_whole() { String::new() } else { cut.part_of(&file.path) };
        parts.entry(part).or_default().push(file);
    }
    let concerned = |files: &[&FileReport]| files.iter().any(|file| file.class != Class::Unaffected);
    parts.retain(|_, files| policy.is_whole() || concerned(files));
    let mut scopes: Vec<ScopeObserved> = parts.iter().map(|(part, files)| scope(&whole, &cut, part, files)).collect();
    if let Some(first) = scopes.first_mut() {
        first.notes.extend(cut.unread());
        first.told.extend(cut.report.told);
    } else {
        scopes.push(whole);
    }
    Ok(scopes)
}

/// What was found of some files.
fn scope(whole: &ScopeObserved, cut: &Cut<'_>, part: &str, files: &[&FileReport]) -> ScopeObserved {
    let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let concerned: Vec<&FileReport> = files.iter().copied().filter(|file| file.class != Class::Unaffected).collect();
    let owner = if concerned.is_empty() { None } else { cut.owner(&concerned) };
    ScopeObserved {
        part: (!part.is_empty()).then(|| part.to_owned()),
        owner,
        files: concerned.into_iter().map(classed).collect(),
        datasets: datasets(files.iter().copied()).into_iter().map(str::to_owned).collect(),
        flows: cut.flows(&paths),
        notes: if part.is_empty() { Vec::new() } else { cut.notes(part) },
        ..whole.clone()
    }
}

fn unreadable(name: &str, error: &io::Error) -> DriverError {
    DriverError::transient(cli::FILE_UNREADABLE, format!("the repository `{name}` cannot be read: {error}"))
}

/// A scope looked at.
#[derive(Clone, Debug, Default)]
pub struct Looked {
    /// Its own files.
    pub report: Report,
    /// Files of the repository that other scopes change, or that nobody does.
    pub elsewhere: Vec<FileReport>,
}

/// Looks at the scope of a plan as a tree has it now.
///
/// Its files are found anew. One that has come to speak of a dataset for which the plan does not wait is left out, with all that
/// changes together with it: nobody knows whether that dataset is there.
///
/// # Errors
/// The tree cannot be read.
pub fn look(
    tree: &dyn Tree,
    found: &ScopeObserved,
    changes: &[TableChange],
    policy: &ScopesSpec,
    options: Options<'_>,
) -> Result<Looked, DriverError> {
    let name = &found.repository;
    let Some(part) = &found.part else {
        let report = crate::proposal::look(tree, name, changes, options)?;
        return Ok(Looked { report, elsewhere: Vec::new() });
    };
    let mut cut = Cut::of(tree, changes, policy, options).map_err(|error| unreadable(name, &error))?;
    let mut report = std::mem::take(&mut cut.report);
    let known = |dataset: &str| found.datasets.iter().any(|known| known == dataset);
    let waited_for = |file: &FileReport| datasets([file]).iter().all(|dataset| dataset.is_empty() || known(dataset));
    let early: BTreeSet<String> =
        report.files.iter().filter(|file| !waited_for(file)).map(|file| file.path.clone()).collect();
    let is_own = |file: &FileReport| {
        let waits = || cut.with(&file.path).is_disjoint(&early);
        cut.part_of(&file.path) == *part && (file.new.is_none() || waits())
    };
    let (own, elsewhere) = report.files.into_iter().partition(is_own);
    report.files = own;
    Ok(Looked { report, elsewhere })
}

/// A report of a whole repository in which the files that a scope does not change are left to somebody.
pub fn left(report: &Report, elsewhere: &[FileReport]) -> Report {
    let mut files: BTreeMap<&str, FileReport> =
        report.files.iter().map(|file| (file.path.as_str(), file.clone())).collect();
    // What reads through a file that stays, stays as well, wherever it is.
    let through = elsewhere.iter().flat_map(|file| file.references.iter().map(move |found| (file, found)));
    let through: BTreeMap<&str, BTreeSet<&str>> = through.fold(BTreeMap::new(), |mut all, (_, found)| {
        for path in &found.via {
            all.entry(path.as_str()).or_default().insert(&found.dataset);
        }
        all
    });
    for file in elsewhere {
        let datasets = datasets([file]);
        files.insert(&file.path, held(file.clone(), &datasets));
    }
    for (path, datasets) in through {
        let file = files.entry(path).or_insert_with(|| FileReport::nothing(path));
        if file.new.is_none() {
            *file = held(file.clone(), &datasets);
        }
    }
    Report { files: files.into_values().collect(), ..report.clone() }
}

/// A file that stays as it is, since another scope moves it or will.
fn held(file: FileReport, datasets: &BTreeSet<&str>) -> FileReport {
    let why = |dataset: &&str| Located {
        at: 0..0,
        line: 1,
        position: 1,
        class: Class::Agentic,
        why: "another scope of the repository moves it".to_owned(),
        dataset: (*dataset).to_owned(),
        column: None,
    };
    let findings = file.findings.iter().cloned().chain(datasets.iter().map(why)).collect();
    FileReport { class: file.class.max(Class::Agentic), edits: Vec::new(), new: None, moved: None, findings, ..file }
}

fn classed(file: &FileReport) -> FileClass {
    let reasons: BTreeSet<&str> = file.findings.iter().map(|found| found.why.as_str()).collect();
    FileClass {
        path: file.path.clone(),
        class: file.class,
        edits: if file.new.is_some() { file.edits.len() as u64 } else { 0 },
        reasons: reasons.into_iter().take(REASONS).map(str::to_owned).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_is_any_text() {
        let yes =
            [("*", "a/b"), ("team/*", "team/x"), ("*-dbt", "x-dbt"), ("a*b*c", "a1b2c"), ("ab", "ab"), ("a*a", "aa")];
        for (pattern, name) in yes {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("ab", "abc"), ("team/*", "teams"), ("a*a", "a"), ("*-dbt", "dbt"), ("a*b*c", "acb")] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }
}
