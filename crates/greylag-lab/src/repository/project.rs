//! A repository put together from scenarios: its files, written twice.

use super::render::{Bound, Renderer};
use super::scenario::{Part, PartKind, Scenario};
use super::style::Style;
use super::table::TableColumn;
use super::text::{Change, Text};
use super::truth::{ConsumerClass, Role};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Kinds of repositories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A project of dbt.
    Dbt,
    /// A folder of SQL files with several statements each.
    Job,
    /// Such a folder, with documents and programs.
    Mixed,
}

impl Kind {
    /// As the truth calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Dbt => "dbt",
            Self::Job => "job",
            Self::Mixed => "mixed",
        }
    }
}

/// A file before it is written.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) text: Text,
    /// The new path, where it has one.
    pub(super) moved: Option<String>,
    /// The class besides what the edits say.
    pub(super) class: Option<ConsumerClass>,
    pub(super) reason: Option<&'static str>,
    pub(super) traps: BTreeSet<String>,
}

/// A scenario with the datasets that it was given.
pub(super) struct Scene {
    pub(super) scenario: Scenario,
    pub(super) tables: BTreeMap<char, Bound>,
    pub(super) columns: BTreeMap<char, (char, TableColumn)>,
}

/// A repository that is being put together.
pub(super) struct Project<'a> {
    name: &'a str,
    kind: Kind,
    style: &'a Style,
    pub(super) files: BTreeMap<String, Draft>,
    vars: Text,
    packages: BTreeSet<String>,
}

impl<'a> Project<'a> {
    /// The files of a repository with these scenarios.
    pub(super) fn assemble(name: &'a str, kind: Kind, style: &'a Style, scenes: &[Scene]) -> BTreeMap<String, Draft> {
        let vars = Text::new(style.crlf);
        let mut project = Self { name, kind, style, files: BTreeMap::new(), vars, packages: BTreeSet::new() };
        for scene in scenes {
            project.scene(scene);
        }
        match kind {
            Kind::Dbt => project.dbt(scenes),
            Kind::Job | Kind::Mixed => project.job(),
        }
        project.files
    }

    fn scene(&mut self, scene: &Scene) {
        let renderer = Renderer {
            style: self.style,
            dbt: self.kind == Kind::Dbt,
            tables: scene.tables.clone(),
            columns: scene.columns.clone(),
            trap: scene.scenario.name,
            hold: scene.scenario.hold,
        };
        let locals: Vec<&Part> = scene.scenario.parts.iter().filter(|part| part.kind == PartKind::Local).collect();
        let stem = renderer.named("‹stem D›").0;
        for part in &scene.scenario.parts {
            match part.kind {
                PartKind::Vars => {
                    renderer.render(&format!("  {}", part.body), &mut self.vars);
                }
                PartKind::File => self.file(&renderer, scene, part),
                PartKind::Query if renderer.dbt => self.model(&renderer, scene, part),
                PartKind::Query => self.statement(&renderer, scene, part, &locals),
                PartKind::Local if renderer.dbt => {
                    let path = format!("seeds/{stem}_{}.csv", local_name(part));
                    self.write(&path, scene, part, |text| renderer.render(part.body, text));
                }
                PartKind::Local => {}
            }
        }
    }

    fn file(&mut self, renderer: &Renderer<'_>, scene: &Scene, part: &Part) {
        let (path, new_path) = renderer.named(part.name);
        if let Some(package) = path.strip_prefix("packages/").and_then(|rest| rest.split('/').next()) {
            self.packages.insert(package.to_owned());
        }
        let body = if is_sql(&path) { self.style.sql(part.body) } else { part.body.to_owned() };
        self.write(&path, scene, part, |text| renderer.render(&body, text));
        if path != new_path
            && let Some(draft) = self.files.get_mut(&path)
        {
            draft.moved = Some(new_path);
        }
    }

    fn model(&mut self, renderer: &Renderer<'_>, scene: &Scene, part: &Part) {
        let path = format!("models/reports/{}.sql", renderer.named(part.name).0);
        let body = self.style.sql(part.body);
        self.write(&path, scene, part, |text| renderer.render(&body, text));
    }

    /// A query as a statement that makes a table, after those that make its local tables.
    fn statement(&mut self, renderer: &Renderer<'_>, scene: &Scene, part: &Part, locals: &[&Part]) {
        let name = renderer.named(part.name).0;
        let stem = renderer.named("‹stem D›").0;
        let mut body = String::new();
        for local in locals {
            let _ = write!(body, "create table work.{stem}_{} as\n{};\n\n", local_name(local), rows(local.body));
        }
        let _ = writeln!(body, "create table work.{name} as\n{};", part.body.trim_end());
        let body = self.style.sql(&body);
        self.write(&format!("jobs/{name}.sql"), scene, part, |text| renderer.render(&body, text));
    }

    /// Writes a file of a scenario. A path that is there already keeps what it has.
    fn write(&mut self, path: &str, scene: &Scene, part: &Part, render: impl FnOnce(&mut Text)) {
        let mut text = Text::new(self.style.crlf);
        render(&mut text);
        if self.style.no_final_newline {
            text.without_final_newline();
        }
        let draft = Draft {
            class: part.class,
            reason: part.class.and(scene.scenario.reason),
            traps: BTreeSet::from([scene.scenario.name.to_owned()]),
            moved: None,
            text,
        };
        self.files.entry(path.to_owned()).or_insert(draft);
    }

    /// Writes a file that is no scenario's.
    fn plain(&mut self, path: &str, text: Text) {
        let draft = Draft { text, moved: None, class: None, reason: None, traps: BTreeSet::new() };
        self.files.insert(path.to_owned(), draft);
    }

    fn fixed(&mut self, path: &str, content: &str) {
        let mut text = Text::new(self.style.crlf);
        text.fixed(content);
        self.plain(path, text);
    }

    fn job(&mut self) {
        let setup = self.style.sql("create schema if not exists work;\n");
        self.fixed("jobs/00_setup.sql", &setup);
        let dialect = self.style.dialect.name();
        let readme = format!("# {}\n\nJobs in the SQL of {dialect}. `jobs/00_setup.sql` goes first.\n", self.name);
        self.fixed("README.md", &readme);
        self.fixed(".greylag.yaml", &format!("dialect: {dialect}\n"));
    }

    fn dbt(&mut self, scenes: &[Scene]) {
        let name = self.name.replace('-', "_");
        let mut project = Text::new(self.style.crlf);
        project.fixed(&format!(
            "name: {name}\nversion: 1.0.0\nconfig-version: 2\nprofile: warehouse\n\nmodel-paths: [models]\nmacro-paths: \
             [macros]\nseed-paths: [seeds]\nsnapshot-paths: [snapshots]\ntest-paths: [tests]\n\nmodels:\n  {name}:\n    \
             staging:\n      +materialized: view\n    marts:\n      +materialized: table\n"
        ));
        if !self.vars.old.is_empty() {
            project.fixed("\nvars:\n");
            project.append(std::mem::take(&mut self.vars));
        }
        self.plain("dbt_project.yml", project);
        if !self.packages.is_empty() {
            let packages: Vec<String> =
                self.packages.iter().map(|package| format!("  - local: packages/{package}\n")).collect();
            self.fixed("packages.yml", &format!("packages:\n{}", packages.concat()));
        }
        self.fixed("profiles.yml", PROFILES);
        self.fixed(".gitignore", "target/\nlogs/\n*.duckdb\n");
        let readme = format!("# {}\n\nModels of the team. Run `dbt build`.\n", self.name);
        self.fixed("README.md", &readme);
        let sources = sources(self.style, scenes);
        self.plain("models/sources.yml", sources);
    }
}

const PROFILES: &str = "warehouse:
  target: dev
  outputs:
    dev:
      type: duckdb
      path: \"{{ env_var('WAREHOUSE', 'warehouse.duckdb') }}\"
      threads: 1
";

/// Whether a path is that of SQL.
pub(super) fn is_sql(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, extension)| extension == "sql")
}

fn local_name(part: &Part) -> &str {
    part.name.split(' ').nth(1).unwrap_or_default()
}

/// Lines of comma-separated values as a query.
fn rows(lines: &str) -> String {
    let mut lines = lines.lines().filter(|line| !line.is_empty());
    let names: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let row = |line: &str| {
        let items = line.split(',').zip(&names).map(|(value, name)| {
            let number = value.chars().all(|letter| letter.is_ascii_digit());
            if number { format!("{value} as {name}") } else { format!("'{value}' as {name}") }
        });
        format!("select {}", items.collect::<Vec<_>>().join(", "))
    };
    lines.map(row).collect::<Vec<_>>().join("\nunion all\n")
}

/// `sources.yml`: the sources by schema.
fn sources(style: &Style, scenes: &[Scene]) -> Text {
    let mut text = Text::new(style.crlf);
    text.fixed("version: 2\n\nsources:\n");
    let read = || scenes.iter().filter(|scene| scene.scenario.has_sources);
    let bound = || read().flat_map(|scene| scene.tables.iter().map(move |(letter, bound)| (scene, *letter, bound)));
    let schemas: BTreeSet<&str> = bound().map(|(_, _, bound)| bound.table.schema.as_str()).collect();
    if schemas.is_empty() {
        let mut none = Text::new(style.crlf);
        none.fixed("version: 2\n\nsources: []\n");
        return none;
    }
    for schema in schemas {
        text.fixed(&format!("  - name: {schema}\n    schema: {schema}\n    tables:\n"));
        for (scene, letter, bound) in bound().filter(|(_, _, bound)| bound.table.schema == schema) {
            source(scene, letter, bound, &mut text);
        }
    }
    text
}

fn source(scene: &Scene, letter: char, bound: &Bound, text: &mut Text) {
    let hold = scene.scenario.hold;
    let table = &bound.table;
    let moved = || Change { old: table.old.clone(), new: table.new.clone(), alternatives: vec![] };
    text.fixed("      - name: ");
    let start = text.old.len();
    if bound.by_name {
        text.change(moved(), "source-name", hold);
        text.refer(start, &table.dataset, None, Role::Declare);
    } else {
        text.fixed(&table.stem);
        text.fixed("\n        identifier: ");
        let start = text.old.len();
        text.change(moved(), "source-identifier", hold);
        text.refer(start, &table.dataset, None, Role::Declare);
    }
    text.fixed("\n");
    let described: Vec<&TableColumn> = (scene.scenario.described.iter())
        .filter_map(|wanted| scene.columns.get(wanted))
        .filter(|(dataset, _)| *dataset == letter)
        .map(|(_, column)| column)
        .collect();
    if described.is_empty() {
        return;
    }
    text.fixed("        columns:\n");
    for column in described {
        text.fixed("          - name: ");
        let start = text.old.len();
        let new = column.new.clone().unwrap_or_else(|| column.old.clone());
        text.change(Change { old: column.old.clone(), new, alternatives: vec![] }, "source-column", hold);
        text.refer(start, &table.dataset, Some(&column.old), Role::Declare);
        text.fixed("\n            description: what it says\n            data_tests:\n              - not_null:\n");
        text.fixed("                  config: {severity: warn}\n");
    }
}
