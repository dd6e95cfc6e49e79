//! Looking at the repositories of a forge for a plan.

use crate::forge::Hosts;
use crate::proposal::{datasets, look};
use crate::repository::{FileReport, Options, Report};
use greylag_driver::error::DriverError;
use greylag_model::code::repository as code;
use greylag_model::consumer::{Class, TableChange};
use greylag_model::plan::{FileClass, ScopeObserved};
use std::collections::BTreeSet;

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

/// Looks at a repository as its branch is now.
pub fn observe(
    hosts: &dyn Hosts,
    name: &str,
    changes: &[TableChange],
    options: Options,
) -> Result<ScopeObserved, DriverError> {
    let repository = hosts.repository(name)?;
    let base = repository.default_branch()?;
    let Some(tree) = repository.branch_tree(&base)? else {
        // One without a commit reads nothing.
        let (repository, commit) = (name.to_owned(), String::new());
        return Ok(ScopeObserved {
            repository,
            base,
            commit,
            owner: None,
            seen: 0,
            files: Vec::new(),
            datasets: Vec::new(),
        });
    };
    let report = look(&tree, name, changes, options)?;
    Ok(ScopeObserved {
        repository: name.to_owned(),
        base,
        commit: tree.commit().as_str().to_owned(),
        owner: None,
        seen: report.seen.files,
        files: files(&report),
        datasets: datasets(&report).into_iter().map(str::to_owned).collect(),
    })
}

/// The files of a report that a migration concerns.
pub(crate) fn files(report: &Report) -> Vec<FileClass> {
    let concerned = report.files.iter().filter(|file| file.class != Class::Unaffected);
    concerned.map(classed).collect()
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
