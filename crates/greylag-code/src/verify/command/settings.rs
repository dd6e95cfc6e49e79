//! What `.greylag.yaml` says of commands.

use super::{Command, MOST_MILLIS, Purpose, TIME_MILLIS};
use crate::repository::projects;
use crate::tree::Tree;
use greylag_driver::sandbox::Limits;
use greylag_model::custom::hash_of;
use greylag_model::spec::{LIMITS, duration, size_bytes};
use greylag_model::yaml::{self, Kind, Node};
use std::collections::BTreeMap;
use std::io;

/// Where it stands.
const FILE: &str = ".greylag.yaml";

/// Files in the root by which tools of building and testing are told what to do.
const BUILD: &[&str] = &[
    ".greylag.yaml",
    "BUILD",
    "BUILD.bazel",
    "Cargo.toml",
    "Dockerfile",
    "GNUmakefile",
    "Gemfile",
    "Justfile",
    "Makefile",
    "Rakefile",
    "Taskfile.yml",
    "build.gradle",
    "build.gradle.kts",
    "build.rs",
    "build.sbt",
    "conftest.py",
    "gradlew",
    "justfile",
    "makefile",
    "mvnw",
    "noxfile.py",
    "package.json",
    "pom.xml",
    "pyproject.toml",
    "pytest.ini",
    "setup.cfg",
    "setup.py",
    "tox.ini",
];

/// Why there is no command.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The tree cannot be read.
    #[error("the repository cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// The file says something else.
    #[error("`{FILE}:{line}`: {why}")]
    Invalid {
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
}

pub(super) fn of(tree: &dyn Tree, purpose: Purpose) -> Result<Option<Command>, CommandError> {
    let Some(bytes) = tree.read(FILE)? else { return Ok(None) };
    let stream = yaml::read_bytes(FILE, &bytes, &LIMITS);
    if let Some(wrong) = stream.diagnostics.first() {
        return Err(CommandError::Invalid { line: 1, why: wrong.message.clone() });
    }
    let Some(node) = stream.documents.first().and_then(|document| document.root().get(purpose.key())) else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(&bytes);
    let said = Said { text: &text, purpose };
    let mut command = said.command(node)?;
    let asked = std::mem::take(&mut command.files);
    command.files = files(tree, (&command.run, purpose), asked.into_keys())?;
    if purpose == Purpose::Build {
        let root = project(tree, command.project.as_deref()).or_else(|why| said.wrong(node, why))?;
        command.project = Some(root);
    }
    Ok(Some(command))
}

/// The folder of the dbt project that is meant.
fn project(tree: &dyn Tree, named: Option<&str>) -> Result<String, String> {
    let roots = projects(&tree.paths().map_err(|error| format!("the repository cannot be read: {error}"))?);
    let named = named.map(|path| path.trim_start_matches("./").trim_end_matches('/')).map(|path| match path {
        "." => "",
        path => path,
    });
    match (named, roots.as_slice()) {
        (Some(named), roots) if roots.iter().any(|root| root == named) => Ok(named.to_owned()),
        (Some(named), _) => Err(format!("`build.project` is `{named}`, and there is no dbt project")),
        (None, [only]) => Ok(only.clone()),
        (None, []) => Err("there is no dbt project to build".to_owned()),
        (None, _) => Err("there are several dbt projects: name one with `project`".to_owned()),
    }
}

/// A file that is read.
struct Said<'a> {
    text: &'a str,
    purpose: Purpose,
}

impl Said<'_> {
    fn wrong<T>(&self, node: &Node, why: impl Into<String>) -> Result<T, CommandError> {
        let before = self.text.get(..node.range.start).unwrap_or(self.text);
        Err(CommandError::Invalid { line: before.matches('\n').count() + 1, why: why.into() })
    }

    /// The command; its files without their hashes.
    fn command(&self, node: &Node) -> Result<Command, CommandError> {
        let (limits, timeout_millis) = (Limits::default(), TIME_MILLIS);
        let mut command = Command { run: Vec::new(), timeout_millis, limits, files: BTreeMap::new(), project: None };
        let key = self.purpose.key();
        match &node.kind {
            Kind::List(_) => command.run = self.words(node)?,
            Kind::Map(entries) => {
                for entry in entries {
                    match &*entry.key {
                        "run" => command.run = self.words(&entry.value)?,
                        "timeout" => command.timeout_millis = self.time(&entry.value)?,
                        "limits" => command.limits = self.limits(&entry.value)?,
                        "files" => {
                            let words = self.words(&entry.value)?;
                            command.files = words.into_iter().map(|path| (path, String::new())).collect();
                        }
                        "project" if self.purpose == Purpose::Build => match entry.value.as_str() {
                            Some(path) => command.project = Some(path.to_owned()),
                            None => return self.wrong(&entry.value, "here the path of a folder is wanted"),
                        },
                        other => {
                            let last = match self.purpose {
                                Purpose::Verify => "`limits` and `files`",
                                Purpose::Build => "`limits`, `files` and `project`",
                            };
                            let why = format!("`{key}` has no `{other}`: it has `run`, `timeout`, {last}");
                            return self.wrong(&entry.value, why);
                        }
                    }
                }
            }
            _ => return self.wrong(node, format!("`{key}` is {}, where a command is wanted", node.noun())),
        }
        if command.run.is_empty() {
            let example = if self.purpose == Purpose::Build { "dbt, build" } else { "make, test" };
            return self.wrong(node, format!("`{key}` has no command: write e.g. `run: [{example}]`"));
        }
        Ok(command)
    }

    fn words(&self, node: &Node) -> Result<Vec<String>, CommandError> {
        let Kind::List(items) = &node.kind else {
            return self.wrong(node, format!("here is {}, where a list of words is wanted", node.noun()));
        };
        let word = |item: &Node| match item.as_str() {
            Some(word) if !word.is_empty() && !word.contains('\0') => Ok(word.to_owned()),
            _ => self.wrong(item, "here a word is wanted; put what is none in quotes"),
        };
        items.iter().map(word).collect()
    }

    fn time(&self, node: &Node) -> Result<i64, CommandError> {
        let millis = node.as_str().and_then(|text| duration::parse(text).ok());
        match millis {
            Some(millis @ 1..=MOST_MILLIS) => Ok(millis),
            _ => self.wrong(node, "here a time up to `6h` is wanted: write e.g. `10m`"),
        }
    }

    fn limits(&self, node: &Node) -> Result<Limits, CommandError> {
        let mut limits = Limits::default();
        let Kind::Map(entries) = &node.kind else {
            return self.wrong(node, "here limits are wanted: write e.g. `{memory: 1GiB}`");
        };
        for entry in entries {
            let size = || match entry.value.as_str().and_then(size_bytes) {
                Some(bytes @ 1..) => Ok(bytes),
                _ => self.wrong(&entry.value, "here a size is wanted: write e.g. `512MiB`"),
            };
            match &*entry.key {
                "memory" => limits.memory_bytes = size()?,
                "disk" => limits.disk_bytes = size()?,
                "cpu" => limits.cpu_millis = self.time(&entry.value)? as u64,
                "processes" => match &entry.value.kind {
                    Kind::Number(number, _) if number.as_u64().is_some_and(|count| (1..=10_000).contains(&count)) => {
                        limits.processes = number.as_u64().unwrap_or(1);
                    }
                    _ => return self.wrong(&entry.value, "here a number from 1 to 10000 is wanted"),
                },
                other => {
                    let why = format!("there is no limit `{other}`: `memory`, `cpu`, `processes` and `disk` are there");
                    return self.wrong(&entry.value, why);
                }
            }
        }
        Ok(limits)
    }
}

/// The files that decide what a command does, as far as they are there; one that is asked for must be.
fn files(
    tree: &dyn Tree,
    (run, purpose): (&[String], Purpose),
    asked: impl Iterator<Item = String>,
) -> Result<BTreeMap<String, String>, CommandError> {
    let mut files = BTreeMap::new();
    for name in asked {
        let path = name.trim_start_matches("./");
        let Some(bytes) = tree.read(path)? else {
            let why = format!("`{}.files` names `{name}`, and there is no such file", purpose.key());
            return Err(CommandError::Invalid { line: 1, why });
        };
        files.insert(path.to_owned(), hash_of(&bytes));
    }
    let named = run.iter().map(|word| word.trim_start_matches("./")).filter(|word| !word.starts_with('/'));
    for path in named.chain(BUILD.iter().copied()) {
        if let Some(bytes) = tree.read(path)? {
            files.insert(path.to_owned(), hash_of(&bytes));
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::super::{Command, Purpose};
    use crate::tree::MemoryTree;

    fn of(files: &[(&str, &str)]) -> Result<Option<Command>, String> {
        Command::of(&MemoryTree::new(files.iter().copied()), Purpose::Verify).map_err(|error| error.to_string())
    }

    /// The build's words and project, or what is wrong.
    fn build(text: &str, roots: &[&str]) -> String {
        let files = roots.iter().map(|root| (format!("{root}dbt_project.yml"), b"name: a".to_vec()));
        let files = files.chain([(".greylag.yaml".to_owned(), text.as_bytes().to_vec())]);
        match Command::of(&MemoryTree::of(files), Purpose::Build) {
            Ok(None) => "none".to_owned(),
            Ok(Some(command)) => format!("{} in {:?}", command.words(), command.project.unwrap()),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_build_is_of_a_project() {
        let two = ["a/", "b/c/"];
        assert_eq!(build("verify: [make]", &two), "none");
        assert_eq!(build("build: [dbt, build]", &[""]), "dbt build in \"\"");
        assert_eq!(build("build: {run: [dbt, run], project: ./b/c/}", &two), "dbt run in \"b/c\"");
        assert_eq!(build("build: {run: [dbt, run], project: .}", &[""]), "dbt run in \"\"");
        let several = "`.greylag.yaml:2`: there are several dbt projects: name one with `project`";
        assert_eq!(build("x: 1\nbuild: [dbt, build]", &two), several);
        assert_eq!(build("build: [dbt, build]", &[]), "`.greylag.yaml:1`: there is no dbt project to build");
        let not_there = "`.greylag.yaml:1`: `build.project` is `x`, and there is no dbt project";
        assert_eq!(build("build: {run: [a], project: x}", &two), not_there);
        let keys = "`.greylag.yaml:1`: `build` has no `dir`: it has `run`, `timeout`, `limits`, `files` and `project`";
        assert_eq!(build("build: {run: [a], dir: x}", &two), keys);
    }

    #[test]
    fn trust_in_one_is_not_trust_in_the_other() {
        let files = [(".greylag.yaml", "{verify: [a], build: [a]}"), ("dbt_project.yml", "name: a")];
        let tree = MemoryTree::new(files);
        let [verify, build] = Purpose::ALL.map(|purpose| Command::of(&tree, purpose).unwrap().unwrap());
        assert_ne!(verify.hash(), build.hash());
        assert_eq!([verify.purpose(), build.purpose()], Purpose::ALL);
    }

    fn said(text: &str) -> String {
        match of(&[(".greylag.yaml", text)]) {
            Ok(None) => "none".to_owned(),
            Ok(Some(command)) => {
                let limits = command.limits;
                format!(
                    "{:?} {}ms {}B {}ms {} {}B",
                    command.run,
                    command.timeout_millis,
                    limits.memory_bytes,
                    limits.cpu_millis,
                    limits.processes,
                    limits.disk_bytes
                )
            }
            Err(error) => error,
        }
    }

    #[test]
    fn a_command_is_read() {
        assert_eq!(of(&[]), Ok(None));
        assert_eq!(said("dialect: duckdb"), "none");
        assert_eq!(said("verify: [make, test]"), r#"["make", "test"] 600000ms 536870912B 600000ms 64 268435456B"#);
        assert_eq!(
            said(
                "verify:\n  run: [./test.sh, '1']\n  timeout: 2m\n  limits: {memory: 1GiB, cpu: 30s, processes: 9, disk: 1MiB}"
            ),
            r#"["./test.sh", "1"] 120000ms 1073741824B 30000ms 9 1048576B"#
        );
    }

    #[test]
    fn what_is_no_command_is_told_with_its_line() {
        for (text, error) in [
            ("verify: make", "`.greylag.yaml:1`: `verify` is text, where a command is wanted"),
            ("verify: []", "`.greylag.yaml:1`: `verify` has no command: write e.g. `run: [make, test]`"),
            ("verify:\n  run: make", "`.greylag.yaml:2`: here is text, where a list of words is wanted"),
            ("verify:\n  run: [make, 1]", "`.greylag.yaml:2`: here a word is wanted; put what is none in quotes"),
            (
                "verify:\n  run: [a]\n  timeout: 7h",
                "`.greylag.yaml:3`: here a time up to `6h` is wanted: write e.g. `10m`",
            ),
            (
                "verify:\n  run: [a]\n  network: true",
                "`.greylag.yaml:3`: `verify` has no `network`: it has `run`, `timeout`, `limits` and `files`",
            ),
            (
                "verify:\n  run: [a]\n  limits: {disc: 1GiB}",
                "`.greylag.yaml:3`: there is no limit `disc`: `memory`, `cpu`, `processes` and `disk` are there",
            ),
            (
                "verify:\n  run: [a]\n  files: [no.sh]",
                "`.greylag.yaml:1`: `verify.files` names `no.sh`, and there is no such file",
            ),
        ] {
            assert_eq!(said(text), error);
        }
    }

    #[test]
    fn a_hash_is_of_all_that_decides_what_is_run() {
        let base = [
            (".greylag.yaml", "verify: {run: [sh, ./ci/test.sh], files: [ci/more.sh]}"),
            ("Makefile", "all:"),
            ("ci/more.sh", "true"),
            ("ci/test.sh", "true"),
            ("a.sql", "select 1"),
        ];
        let hash = |files: &[(&str, &str)]| of(files).unwrap().unwrap().hash();
        let same = hash(&base);
        for (at, (path, _)) in base.iter().enumerate().take(4) {
            let mut other = base;
            other[at].1 = if at == 0 { "verify: {run: [sh, ./ci/test.sh, x], files: [ci/more.sh]}" } else { "false" };
            assert_ne!(hash(&other), same, "{path}");
        }
        let mut other = base;
        other[4].1 = "select 2";
        assert_eq!(hash(&other), same);
    }
}
