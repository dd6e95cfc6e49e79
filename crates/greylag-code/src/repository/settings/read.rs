//! What `.greylag.yaml` says of how code is read, and what of that is not understood.

use super::stated::MOST;
use super::{FILE, Settings, Stated, code};
use greylag_model::diagnostic::{Diagnostic, Severity};
use greylag_model::yaml::{self, Entry, Kind, Node, Source};
use std::ops::Range;

/// Reads the file. Keys that it has besides are others'.
pub(super) fn settings(bytes: &[u8]) -> Settings {
    let stream = yaml::read_bytes(FILE, bytes, &yaml::Limits::default());
    let mut settings = Settings::default();
    for wrong in stream.diagnostics {
        settings.problems.push(Diagnostic { severity: Severity::Warning, code: code::SETTINGS, ..wrong });
    }
    let Some(document) = stream.documents.first() else { return settings };
    let root = document.root();
    let mut said = Said { source: document.places.source(), settings };
    if let Some(dialect) = root.get("dialect") {
        match dialect.as_str().map(str::parse) {
            Some(Ok(dialect)) => said.settings.dialect = Some(dialect),
            Some(Err(error)) => said.wrong(dialect, format!("{error}")),
            None => said.wrong(dialect, format!("`dialect` is {}, where a word is wanted", dialect.noun())),
        }
    }
    if let Some(dbt) = root.get("dbt") {
        said.dbt(dbt);
    }
    said.settings
}

/// A file that is read.
struct Said<'a> {
    source: &'a Source,
    settings: Settings,
}

impl Said<'_> {
    fn diagnostic(&self, at: &Range<usize>, why: impl Into<String>) -> Diagnostic {
        Diagnostic::warning(code::SETTINGS, why).at(Some(self.source.place(at.clone())))
    }

    fn wrong(&mut self, node: &Node, why: impl Into<String>) {
        let wrong = self.diagnostic(&node.range, why);
        self.settings.problems.push(wrong);
    }

    /// The entries of a mapping; none of what is something else, which is told.
    fn entries<'a>(&mut self, node: &'a Node, what: &str) -> &'a [Entry] {
        match &node.kind {
            Kind::Map(entries) if entries.len() <= MOST => return entries,
            Kind::Map(_) => self.wrong(node, format!("`{what}` has more than {MOST} keys")),
            _ => self.wrong(node, format!("`{what}` is {}, where a mapping is wanted", node.noun())),
        }
        &[]
    }

    fn dbt(&mut self, dbt: &Node) {
        let mut all = Stated::default();
        for entry in self.entries(dbt, "dbt") {
            match &*entry.key {
                "projects" => self.projects(&entry.value),
                _ if self.stated(entry, &mut all) => {}
                other => {
                    let why = format!("`dbt` has no `{other}`: it has `target`, `vars` and `projects`");
                    let wrong = self.diagnostic(&entry.range, why);
                    self.settings.problems.push(wrong);
                }
            }
        }
        self.settings.all = all;
    }

    fn projects(&mut self, projects: &Node) {
        for project in self.entries(projects, "projects") {
            let root = match &*project.key {
                "." | "./" => "",
                path => path.trim_start_matches("./").trim_end_matches('/'),
            };
            let mut stated = Stated::default();
            for entry in self.entries(&project.value, &project.key) {
                if !self.stated(entry, &mut stated) {
                    let why = format!("a project has no `{}`: it has `target` and `vars`", entry.key);
                    let wrong = self.diagnostic(&entry.range, why);
                    self.settings.problems.push(wrong);
                }
            }
            let why = format!("there is no project of dbt in `{}`", project.key);
            let absent = self.diagnostic(&project.range, why);
            self.settings.projects.insert(root.to_owned(), (stated, absent));
        }
    }

    /// Whether an entry is what may be said of a project; then it is said.
    fn stated(&mut self, entry: &Entry, stated: &mut Stated) -> bool {
        match &*entry.key {
            "target" => {
                for word in self.entries(&entry.value, "target") {
                    let done = match word.value.as_str() {
                        Some(value) => stated.say_target(&word.key, value),
                        None => {
                            let noun = word.value.noun();
                            Err(format!("`{}` is {noun}, where a word is wanted; put what is none in quotes", word.key))
                        }
                    };
                    if let Err(why) = done {
                        self.wrong(&word.value, why);
                    }
                }
            }
            "vars" => {
                for var in self.entries(&entry.value, "vars") {
                    if let Err(why) = stated.say_var(&var.key, var.value.to_json()) {
                        self.wrong(&var.value, why);
                    }
                }
            }
            _ => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::{Settings, settings};
    use crate::repository::Options;

    /// What is said of the projects in two folders, and what is not understood.
    fn check(text: &str, expected: &[&str]) {
        let settings = settings(text.as_bytes());
        let stated = |settings: &Settings, root: &str| {
            let stated = settings.stated(root, Options::default());
            serde_json::to_string(&stated).unwrap_or_default()
        };
        let mut lines = vec![stated(&settings, ""), stated(&settings, "a/b")];
        for told in settings.told(&["a/b/dbt_project.yml".to_owned()]) {
            let at = told.place.map(|place| format!("{}:{}:{}", place.file, place.line, place.column));
            lines.push(format!("{} {}", at.unwrap_or_default(), told.message));
        }
        assert_eq!(lines, expected, "{text}");
    }

    const NOTHING: &str = r#"{"target":{},"vars":{}}"#;

    #[test]
    fn targets_and_variables_are_read() {
        check("", &[NOTHING, NOTHING]);
        check("verify: [make]\nowners: 1\n", &[NOTHING, NOTHING]);
        check(
            "dialect: duckdb\ndbt:\n  target: {name: prod, schema: s}\n  vars: {on: true, days: [1, {a: b}]}\n  projects:\n    ./a/b/:\n      target: {schema: t}\n      vars: {on: no}\n",
            &[
                r#"{"target":{"name":"prod","schema":"s"},"vars":{"days":[1,{"a":"b"}],"on":true}}"#,
                r#"{"target":{"name":"prod","schema":"t"},"vars":{"days":[1,{"a":"b"}],"on":"no"}}"#,
            ],
        );
        check(
            "dbt: {projects: {a/b: {target: {type: trino}}}}",
            &[NOTHING, r#"{"target":{"type":"trino"},"vars":{}}"#],
        );
    }

    #[test]
    fn what_is_not_understood_is_told_with_its_place_and_says_nothing() {
        for (text, told) in [
            ("dbt: prod", ".greylag.yaml:1:6 `dbt` is text, where a mapping is wanted"),
            (
                "dbt:\n  targets: {}\n",
                ".greylag.yaml:2:3 `dbt` has no `targets`: it has `target`, `vars` and `projects`",
            ),
            ("dbt: {target: prod}", ".greylag.yaml:1:15 `target` is text, where a mapping is wanted"),
            (
                "dbt:\n  target:\n    schema: 5\n",
                ".greylag.yaml:3:13 `schema` is a number, where a word is wanted; put what is none in quotes",
            ),
            (
                "dbt: {target: {name: '{{ x }}'}}",
                ".greylag.yaml:1:22 `name` of a target is a plain word: a template is not rendered here",
            ),
            ("dbt: {vars: [a]}", ".greylag.yaml:1:13 `vars` is a list, where a mapping is wanted"),
            ("dbt: {projects: {c: {}}}", ".greylag.yaml:1:18 there is no project of dbt in `c`"),
            (
                "dbt: {projects: {a/b: {name: x}}}",
                ".greylag.yaml:1:24 a project has no `name`: it has `target` and `vars`",
            ),
            (
                "dialect: foxpro",
                ".greylag.yaml:1:10 `foxpro` is no known SQL dialect; known are bigquery, postgres, duckdb, snowflake, trino, spark, clickhouse and generic",
            ),
            ("dialect: [a]", ".greylag.yaml:1:10 `dialect` is a list, where a word is wanted"),
        ] {
            check(text, &[NOTHING, NOTHING, told]);
        }
    }

    #[test]
    fn what_is_no_yaml_is_told() {
        let told = settings(b"dbt: {target: [\n").told(&[]);
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].place.as_ref().map(|place| place.file.as_str()), Some(".greylag.yaml"));
        let many = (0..1_001).map(|at| format!("k{at}: v")).collect::<Vec<_>>().join(", ");
        let told = settings(format!("dbt: {{target: {{{many}}}}}").as_bytes()).told(&[]);
        assert_eq!(
            told.iter().map(|told| told.message.as_str()).collect::<Vec<_>>(),
            ["`target` has more than 1000 keys"]
        );
    }
}
