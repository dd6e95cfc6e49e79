//! Only the files of the plan have changed, and none that says how the repository is built, tested or owned.
//!
//! A change request that edits its own tests proves nothing, and one that edits what runs in somebody's pipeline can do anything
//! there. So what is run is never changed along with what is rewritten, also where a plan says so; nor is what other tools take
//! instructions from.

use super::Complaints;
use super::compared::Compared;
use super::counted;
use greylag_model::check::CheckResult;
use std::collections::BTreeSet;

/// Files, by the end of their path in lower case, that no migration changes.
const NAMES: &[&str] = &[
    ".greylag.yaml",
    ".gitattributes",
    ".gitmodules",
    ".gitlab-ci.yml",
    ".gitlab-ci.yaml",
    ".travis.yml",
    ".drone.yml",
    ".cirrus.yml",
    ".appveyor.yml",
    ".pre-commit-config.yaml",
    ".woodpecker.yml",
    ".env",
    ".envrc",
    ".mcp.json",
    "agents.md",
    "claude.md",
    "appveyor.yml",
    "azure-pipelines.yml",
    "bitbucket-pipelines.yml",
    "buildspec.yml",
    "cloudbuild.yaml",
    "cloudbuild.yml",
    "codeowners",
    "jenkinsfile",
    "cargo.lock",
    "composer.lock",
    "flake.lock",
    "gemfile.lock",
    "go.sum",
    "gradle.lockfile",
    "npm-shrinkwrap.json",
    "package-lock.json",
    "package-lock.yml",
    "pdm.lock",
    "pipfile.lock",
    "pnpm-lock.yaml",
    "poetry.lock",
    "uv.lock",
    "yarn.lock",
];

/// Folders, in lower case, in which no migration changes anything.
const FOLDERS: &[&str] = &[
    ".github",
    ".gitlab",
    ".circleci",
    ".buildkite",
    ".woodpecker",
    ".git",
    ".husky",
    ".claude",
    ".codex",
    ".cursor",
    ".gemini",
    ".vscode",
    ".idea",
];

/// Whether no migration may change a file.
pub(super) fn is_kept(path: &str) -> bool {
    let lower = path.to_lowercase();
    let mut folders = lower.split('/');
    let name = folders.next_back().unwrap_or_default();
    NAMES.contains(&name) || folders.any(|folder| FOLDERS.contains(&folder))
}

/// `more` are files that may change besides those that rules change.
pub(super) fn check(compared: &Compared<'_>, more: &[String]) -> CheckResult {
    let mut complaints = Complaints::default();
    let edited = |path: &str| compared.reported(path).is_some_and(|file| file.new.is_some());
    let allowed = |path: &str| more.iter().any(|given| given == path);
    for changed in &compared.changed {
        let path = changed.path.escape_debug();
        match (&changed.old, &changed.new) {
            _ if is_kept(&changed.path) => {
                complaints
                    .wrong(format!("`{path}` is changed, and it says how the repository is built, tested or owned"));
            }
            _ if allowed(&changed.path) => {}
            (Some(_), Some(_)) if edited(&changed.path) => {}
            (None, _) => complaints.wrong(format!("`{path}` is new, which was not planned")),
            (_, None) => complaints.wrong(format!("`{path}` is gone, which was not planned")),
            _ => complaints.wrong(format!("`{path}` is changed, which was not planned")),
        }
    }
    let (before, after) = &compared.modes;
    let paths: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for path in paths {
        let said =
            |mode: Option<&crate::tree::Mode>| mode.map_or_else(|| "nothing but bytes".to_owned(), ToString::to_string);
        let (was, is) = (before.get(path), after.get(path));
        if was != is {
            complaints.wrong(format!("`{}` is {}, and was {}", path.escape_debug(), said(is), said(was)));
        }
    }
    let holds = format!("{} changed, as planned", counted(compared.changed.len(), "file"));
    complaints.result("scope", holds, "leave these files as they are; they are changed by their owners")
}

#[cfg(test)]
mod tests {
    use super::super::testing::{after, check, mutated, verdict};
    use super::is_kept;
    use crate::tree::{MemoryTree, Mode};

    const OLD: &[(&str, &str)] =
        &[("a.sql", "select uid from raw.users_v1"), ("b.sql", "select 1"), (".github/ci.yml", "on: push")];

    #[test]
    fn the_files_of_the_plan_may_change() {
        check("scope", OLD, &after(OLD), "pass: 1 file changed, as planned");
    }

    #[test]
    fn what_was_not_planned_is_found() {
        mutated("scope", OLD, "b.sql", "1", "2", "`b.sql` is changed, which was not planned");
        mutated("scope", OLD, "c.sql", "", "select 1", "`c.sql` is new, which was not planned");
        check("scope", OLD, &after(OLD)[1..], "fail: `a.sql` is gone, which was not planned");
        let built = "fail: `.github/ci.yml` is changed, and it says how the repository is built, tested or owned";
        check("scope", OLD, &after(OLD)[..2], built);
    }

    #[test]
    fn what_is_run_elsewhere_stays() {
        mutated("scope", OLD, ".github/ci.yml", "push", "pull_request_target", "`.github/ci.yml` is changed");
        for path in
            [".greylag.yaml", "sub/Cargo.lock", ".GitHub/x/y", "CODEOWNERS", "dbt/package-lock.yml", ".git/config"]
        {
            assert!(is_kept(path), "{path}");
        }
        for path in ["models/a.sql", "github/a.sql", "lock/a.sql", "models/agents.sql"] {
            assert!(!is_kept(path), "{path}");
        }
    }

    #[test]
    fn bits_and_links_stay() {
        let tree = |mode: Option<Mode>| {
            let tree = MemoryTree::new(OLD.iter().copied());
            mode.map_or(tree.clone(), |mode| tree.with_mode("b.sql", mode))
        };
        let link = |to: &str| Some(Mode::Other(format!("a link to `{to}`")));
        assert_eq!(verdict("scope", &tree(link("x")), &tree(link("x"))), "pass: 0 files changed, as planned");
        assert_eq!(
            verdict("scope", &tree(link("x")), &tree(link("/etc/passwd"))),
            "fail: `b.sql` is a link to `/etc/passwd`, and was a link to `x`"
        );
        assert_eq!(
            verdict("scope", &tree(None), &tree(Some(Mode::Executable))),
            "fail: `b.sql` is a file that may be run, and was nothing but bytes"
        );
    }
}
