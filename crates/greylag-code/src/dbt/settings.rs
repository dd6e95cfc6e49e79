//! What `dbt_project.yml` says.

use super::yaml::{Scalar, Yaml};

/// Where a package keeps its files, its variables and the configuration of its nodes.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) name: String,
    pub(super) models: Vec<String>,
    pub(super) macros: Vec<String>,
    pub(super) seeds: Vec<String>,
    pub(super) snapshots: Vec<String>,
    pub(super) analyses: Vec<String>,
    pub(super) tests: Vec<String>,
    /// Where packages are installed.
    pub(super) packages: String,
    /// All of it.
    pub(super) yaml: Yaml,
}

impl Settings {
    /// Reads a `dbt_project.yml`; `None` if it names no project.
    pub(super) fn of(yaml: Yaml) -> Option<Self> {
        let name = yaml.text("name")?.as_str().to_owned();
        let paths = |keys: [&str; 2], default: &str| -> Vec<String> {
            let found = keys.iter().find_map(|key| yaml.get(key)).map(Yaml::texts).filter(|paths| !paths.is_empty());
            match found {
                Some(paths) => paths.iter().map(|path| by_default(path.as_str()).to_owned()).collect(),
                None => vec![default.to_owned()],
            }
        };
        Some(Self {
            models: paths(["model-paths", "source-paths"], "models"),
            macros: paths(["macro-paths", "macro-paths"], "macros"),
            seeds: paths(["seed-paths", "data-paths"], "seeds"),
            snapshots: paths(["snapshot-paths", "snapshot-paths"], "snapshots"),
            analyses: paths(["analysis-paths", "analysis-paths"], "analyses"),
            tests: paths(["test-paths", "test-paths"], "tests"),
            packages: paths(["packages-install-path", "modules-path"], "dbt_packages").swap_remove(0),
            name,
            yaml,
        })
    }

    /// The packages in which a macro of a namespace is looked for, if the project says so.
    pub(super) fn search_order(&self, namespace: &str) -> Option<Vec<String>> {
        let rules = self.yaml.get("dispatch")?.items();
        let rule =
            rules.iter().find(|rule| rule.text("macro_namespace").is_some_and(|name| name.as_str() == namespace))?;
        Some(rule.get("search_order")?.texts().iter().map(|name| name.as_str().to_owned()).collect())
    }

    /// The key that configures a node by its own name, if there is one.
    pub(super) fn key(&self, section: &str, fqn: &[&str]) -> Option<&Scalar> {
        let (name, folders) = fqn.split_last()?;
        let level = folders.iter().try_fold(self.yaml.get(section)?, |level, folder| level.get(folder))?;
        level.entries().iter().find(|(key, _)| key.as_str() == *name).map(|(key, _)| key)
    }

    /// The configuration of a key for a node: of the section, by package and folders, the most specific.
    pub(super) fn config(&self, section: &str, fqn: &[&str], key: &str) -> Option<&Yaml> {
        let plus = format!("+{key}");
        let mut level = self.yaml.get(section)?;
        let mut found = None;
        let mut rest = fqn.iter();
        loop {
            let here = level.get(&plus).or_else(|| {
                level.get(key).filter(|value| !matches!(value, Yaml::Map(_)) || matches!(key, "meta" | "persist_docs"))
            });
            found = here.or(found);
            match rest.next().and_then(|part| level.get(part)) {
                Some(next) => level = next,
                None => return found,
            }
        }
    }
}

/// A setting that a variable of the environment may give, as it is without one.
fn by_default(text: &str) -> &str {
    let call = text.trim().strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")).map(str::trim);
    let arguments =
        call.and_then(|call| call.strip_prefix("env_var")?.trim_start().strip_prefix('(')?.strip_suffix(')'));
    let last = arguments.and_then(|arguments| arguments.rsplit_once(',')).map(|(_, last)| last.trim());
    let of = |quote: char| last?.strip_prefix(quote)?.strip_suffix(quote).filter(|inner| !inner.contains(quote));
    of('\'').or_else(|| of('"')).unwrap_or(text)
}

/// A path below a folder, with its `.` and `..` resolved; `None` if it leads out of the tree.
pub(super) fn below(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Whether a path is below a folder, which may be the whole tree; and the rest of it.
pub(super) fn inside<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    if folder.is_empty() { Some(path) } else { path.strip_prefix(folder)?.strip_prefix('/') }
}
