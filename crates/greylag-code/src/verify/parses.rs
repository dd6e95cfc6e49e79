//! Every changed file reads no worse than before.

use super::compared::{Changed, Compared};
use super::{Complaints, counted};
use crate::dbt::Project;
use greylag_model::check::CheckResult;
use greylag_model::spec::LIMITS;
use greylag_model::yaml;
use std::collections::HashSet;

pub(super) fn check(compared: &Compared<'_>) -> CheckResult {
    let mut complaints =
        Complaints { wrong: compared.templates.wrong.clone(), unclear: compared.templates.unclear.clone() };
    for unit in &compared.units {
        let Some(old) = &unit.old else { continue };
        let (before, after) = (&old.reading, &unit.new.reading);
        if let Some(unknown) = after
            .unknown
            .get(before.unknown.len())
            .or(after.unknown.last())
            .filter(|_| after.unknown.len() > before.unknown.len())
        {
            complaints.wrong(format!("{} cannot be read: {}", unit.place(unknown.range.start), unknown.reason));
        } else if after.statements.len() != before.statements.len() {
            let (before, after) = (before.statements.len(), after.statements.len());
            complaints.wrong(format!("{} has {after} statements, where it had {before}", unit.name()));
        }
    }
    compared.changed.iter().for_each(|changed| file(changed, &mut complaints));
    for pair in &compared.projects {
        project(&pair.old, &pair.new, &mut complaints);
    }
    let holds = format!("{}, read as before", counted(compared.units.len(), "text"));
    complaints.result("parses", holds, "look at the patch: an edit has broken the syntax")
}

/// A file that is text stays text, and YAML stays YAML.
fn file(changed: &Changed, complaints: &mut Complaints) {
    let (Some(old), Some(new)) = (&changed.old, &changed.new) else { return };
    if std::str::from_utf8(old).is_ok() && std::str::from_utf8(new).is_err() {
        complaints.wrong(format!("`{}` is no text any more", changed.path));
        return;
    }
    let extension = changed.path.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
    if !matches!(extension.as_str(), "yml" | "yaml") {
        return;
    }
    let wrong = |bytes: &[u8]| yaml::read_bytes(&changed.path, bytes, &LIMITS).diagnostics;
    let (before, after) = (wrong(old).len(), wrong(new));
    if let Some(last) = after.last().filter(|_| after.len() > before) {
        complaints.wrong(format!("`{}` is no YAML any more: {}", changed.path, last.message));
    }
}

/// What a project has that cannot be read, or calls that is nowhere, it had before.
fn project(old: &Project, new: &Project, complaints: &mut Complaints) {
    let known: HashSet<&str> = old.problems.iter().map(|problem| problem.path.as_str()).collect();
    for problem in new.problems.iter().filter(|problem| !known.contains(problem.path.as_str())) {
        complaints.wrong(format!("`{}` cannot be read: {}", problem.path, problem.message));
    }
    for name in new.unknown.keys().filter(|name| !old.unknown.contains_key(*name)) {
        complaints.wrong(format!("`{name}` is called and is nowhere"));
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{DBT, check, mutated};

    #[test]
    fn what_reads_as_before_passes() {
        check(
            "parses",
            &[("a.sql", "select uid from raw.users_v1")],
            &[("a.sql", "select user_id as uid from raw.users_v2")],
            "pass: 1 text, read as before",
        );
        // What could not be read before need not be read now.
        check("parses", &[("a.sql", "select ) uid")], &[("a.sql", "select ) uid x")], "pass: 1 text, read as before");
    }

    #[test]
    fn a_broken_statement_is_found() {
        let old = [("a.sql", "select uid from raw.users_v1 where uid = 1")];
        mutated("parses", &old, "a.sql", "user_id = 1", "user_id = = 1", "`a.sql:1:1` cannot be read");
        mutated("parses", &old, "a.sql", " where", "; where", "`a.sql:1:");
    }

    #[test]
    fn a_broken_template_is_found() {
        mutated("parses", DBT, "models/active.sql", "}}", "", "`models/active.sql` cannot be rendered any more");
        mutated(
            "parses",
            DBT,
            "models/sources.yml",
            "- name: users",
            "- name: 'users",
            "`models/sources.yml` is no YAML any more",
        );
        mutated("parses", DBT, "models/active.sql", "source(", "sauce(", "`sauce` is called and is nowhere");
    }

    #[test]
    fn bytes_that_are_no_text_are_found() {
        let old = [("a.sql", "select uid from raw.users_v1")];
        super::super::testing::of_bytes(
            "parses",
            &old,
            "a.sql",
            b"select \xff from raw.users_v2",
            "`a.sql` is no text any more",
        );
    }
}
