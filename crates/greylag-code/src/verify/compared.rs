//! What of two trees is compared: the files that differ, the projects, and the units of SQL.

use super::Complaints;
use super::unit::{Side, Unit};
use crate::dbt::{self, Node, NodeRendering, Project};
use crate::repository::{self, FileReport, Kind, LONGEST, Report};
use crate::tree::{Mode, Tree};
use greylag_model::consumer::{Class, TableChange};
use greylag_syntax::sql::Dialect;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::sync::Arc;

/// A file that differs.
#[derive(Debug)]
pub(super) struct Changed {
    pub(super) path: String,
    /// Before; none if it is new.
    pub(super) old: Option<Arc<[u8]>>,
    /// After; none if it is gone.
    pub(super) new: Option<Arc<[u8]>>,
}

/// A project of dbt before and after.
pub(super) struct Pair {
    pub(super) old: Arc<Project>,
    pub(super) new: Arc<Project>,
}

/// Two trees, and what is to be said of them.
pub(super) struct Compared<'a> {
    pub(super) changes: &'a [TableChange],
    pub(super) report: &'a Report,
    /// By path.
    pub(super) changed: Vec<Changed>,
    /// What is at paths besides bytes, before and after.
    pub(super) modes: (BTreeMap<String, Mode>, BTreeMap<String, Mode>),
    pub(super) projects: Vec<Pair>,
    pub(super) units: Vec<Unit>,
    /// What was seen to be worse while units were made of templates.
    pub(super) templates: Complaints,
}

impl<'a> Compared<'a> {
    pub(super) fn of(
        old: &dyn Tree,
        new: &dyn Tree,
        changes: &'a [TableChange],
        report: &'a Report,
        dialect: Option<Dialect>,
    ) -> io::Result<Self> {
        let (before, after) = (old.paths()?, new.paths()?);
        let all: BTreeSet<&String> = before.iter().chain(&after).collect();
        let roots = repository::projects(&before);
        let said = repository::dialect_of(old)?;
        let mut compared = Self {
            changes,
            report,
            changed: Vec::new(),
            modes: (old.modes()?, new.modes()?),
            projects: Vec::new(),
            units: Vec::new(),
            templates: Complaints::default(),
        };
        for path in all {
            let (before, after) = (old.read(path)?, new.read(path)?);
            let in_project = roots.iter().any(|root| root.is_empty() || path.starts_with(&format!("{root}/")));
            if let (false, Some(after), Kind::Sql) = (in_project, &after, Kind::of(path)) {
                let dialect = dialect.or(said).unwrap_or(Dialect::Generic);
                compared.file(path, before.as_deref(), after, dialect);
            }
            if before != after {
                compared.changed.push(Changed { path: path.clone(), old: before, new: after });
            }
        }
        for root in &roots {
            let dialect = dialect.map_or_else(|| repository::dialect_of_project(old, root), |given| Ok(Some(given)))?;
            compared.project(old, new, root, dialect.or(said))?;
        }
        Ok(compared)
    }

    /// What rules said of a file.
    pub(super) fn reported(&self, path: &str) -> Option<&'a FileReport> {
        let files = &self.report.files;
        files.binary_search_by(|file| file.path.as_str().cmp(path)).ok().and_then(|at| files.get(at))
    }

    fn is_held(&self, path: &str) -> bool {
        self.reported(path).is_some_and(|file| file.class > Class::Mechanical)
    }

    /// Whether a text has the last name of an old dataset in it, wherever.
    fn mentions(&self, text: &str) -> bool {
        let lower = text.to_lowercase();
        self.changes.iter().flat_map(|change| &change.old).any(|old| lower.contains(&old.last().to_lowercase()))
    }

    fn file(&mut self, path: &str, old: Option<&[u8]>, new: &[u8], dialect: Dialect) {
        let Some(after) = std::str::from_utf8(new).ok().filter(|text| text.len() <= LONGEST) else { return };
        if old == Some(new) && !self.mentions(after) {
            return;
        }
        let before = old.and_then(|old| std::str::from_utf8(old).ok()).filter(|text| text.len() <= LONGEST);
        self.units.push(Unit {
            path: path.to_owned(),
            way: None,
            is_file: true,
            held: self.is_held(path),
            old: before.map(|text| Side::before(text, dialect, self.changes)),
            new: Side::after(after, dialect, self.changes),
        });
    }

    fn project(&mut self, old: &dyn Tree, new: &dyn Tree, root: &str, dialect: Option<Dialect>) -> io::Result<()> {
        let adapter = dialect.filter(|dialect| *dialect != Dialect::Generic).map(|dialect| dialect.to_string());
        let options = dbt::Options { adapter, threads: 2, ..dbt::Options::default() };
        let before = dbt::read(old, root, &options)?;
        let file = if root.is_empty() { "dbt_project.yml".to_owned() } else { format!("{root}/dbt_project.yml") };
        if new.read(&file)?.is_none() {
            self.templates.wrong(format!("the project `{file}` is gone"));
            return Ok(());
        }
        let after = dbt::read(new, root, &options)?;
        let mut there: HashMap<&str, &Node> = after.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
        for node in &before.nodes {
            match there.remove(node.id.as_str()) {
                Some(now) => self.node(&before, node, now, dialect.unwrap_or(Dialect::Generic)),
                None => self.templates.wrong(format!("`{}` is gone", node.id)),
            }
        }
        for id in there.keys() {
            self.templates.wrong(format!("`{id}` was not there before"));
        }
        self.projects.push(Pair { old: before, new: after });
        Ok(())
    }

    /// The ways of a node as units.
    fn node(&mut self, project: &Project, old: &Node, new: &Node, dialect: Dialect) {
        let path = project.files.path(old.file).to_owned();
        if old.renderings.len() != new.renderings.len() || old.truncated != new.truncated {
            let (before, after) = (old.renderings.len(), new.renderings.len());
            self.templates.wrong(format!("`{path}` renders in {after} ways, where it did in {before}"));
            return;
        }
        let several = old.renderings.len() > 1;
        let held = self.is_held(&path);
        let first = self.units.len();
        let mut whole = false;
        let mut open = Vec::new();
        for (way, (before, after)) in old.renderings.iter().zip(&new.renderings).enumerate() {
            let Some((before_text, after_text)) = self.texts(&path, before, after) else { continue };
            if before_text == after_text && !self.mentions(after_text) {
                continue;
            }
            let unit = Unit {
                path: path.clone(),
                way: several.then_some(way),
                is_file: false,
                held,
                old: Some(Side::before(before_text, dialect, self.changes)),
                new: Side::after(after_text, dialect, self.changes),
            };
            let is_whole = unit.old.as_ref().is_some_and(|old| old.reading.unknown.is_empty());
            whole |= is_whole;
            if !is_whole && !before.decisions.is_empty() {
                open.push(self.units.len());
            }
            self.units.push(unit);
        }
        // Where another way gives SQL, one that gives none is no way that a run takes.
        if whole {
            for at in open.into_iter().rev().filter(|at| *at >= first) {
                self.units.remove(at);
            }
        }
    }

    /// The texts of a way; none where there was none before.
    fn texts<'t>(&mut self, path: &str, old: &'t NodeRendering, new: &'t NodeRendering) -> Option<(&'t str, &'t str)> {
        match (&old.text, &new.text) {
            (Ok(old), Ok(new)) => Some((old.text(), new.text())),
            (Ok(_), Err(error)) => {
                self.templates.wrong(format!("`{path}` cannot be rendered any more: {}", error.message));
                None
            }
            (Err(_), Ok(_)) => {
                self.templates.unclear(format!("`{path}` renders, which it did not before"));
                None
            }
            (Err(_), Err(_)) => None,
        }
    }
}
