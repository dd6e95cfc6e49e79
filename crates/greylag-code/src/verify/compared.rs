//! What of two trees is compared: the files that differ, the projects, and the units of SQL.

use super::unit::{Side, Unit};
use super::{Complaints, propagated};
use crate::dbt::{self, Node, NodeRendering, Project};
use crate::repository::makes::{self, Names};
use crate::repository::{self, FileReport, Kind, LONGEST, Options, Purpose, Report, Settings, Way};
use crate::tree::{Mode, Tree};
use greylag_model::consumer::{Class, TableChange};
use greylag_syntax::sql::Dialect;
use std::collections::{BTreeMap, BTreeSet};
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
    /// What changes, as the project calls it.
    pub(super) changes: Arc<[TableChange]>,
    /// Which nodes are the same.
    pub(super) nodes: Vec<makes::Pair>,
}

impl Pair {
    /// The node that an old one is now.
    pub(super) fn successor(&self, old: usize) -> Option<usize> {
        self.nodes.get(old).and_then(|pair| pair.new)
    }

    /// The change of the dataset that a new node makes in place of the old one.
    pub(super) fn made(&self, new: usize) -> Option<&TableChange> {
        let pair = self.nodes.iter().find(|pair| pair.new == Some(new))?;
        self.changes.get(pair.makes?)
    }

    /// The new dataset of a change, as the catalog's name for the old one has it: not with a stand-in for its schema.
    pub(super) fn meant(&self, change: &TableChange) -> String {
        let own = self.changes.iter().find(|own| own.dataset == change.dataset);
        own.unwrap_or(change).new.to_string()
    }
}

/// Two trees, and what is to be said of them.
pub(super) struct Compared<'a> {
    pub(super) changes: Arc<[TableChange]>,
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
        changes: &[TableChange],
        report: &'a Report,
        options: Options<'_>,
    ) -> io::Result<Self> {
        let (paths, after) = (old.paths()?, new.paths()?);
        let all: BTreeSet<&String> = paths.iter().chain(&after).collect();
        let roots = repository::projects(&paths);
        let settings = Settings::of(old)?;
        let mut compared = Self {
            changes: changes.into(),
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
                let dialect = options.dialect.or(settings.dialect).unwrap_or(Dialect::Generic);
                compared.file(path, before.as_deref(), after, dialect);
            }
            if before != after {
                compared.changed.push(Changed { path: path.clone(), old: before, new: after });
            }
        }
        for root in &roots {
            let way = settings.way((old, &paths), root, options, Purpose::Deciding)?;
            compared.project(old, new, root, &way)?;
        }
        Ok(compared)
    }

    /// What rules said of a file.
    pub(super) fn reported(&self, path: &str) -> Option<&'a FileReport> {
        let files = &self.report.files;
        files.binary_search_by(|file| file.path.as_str().cmp(path)).ok().and_then(|at| files.get(at))
    }

    /// Whether rules left a file to somebody.
    pub(super) fn is_held(&self, path: &str) -> bool {
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
            changes: Arc::clone(&self.changes),
            makes: None,
            old: before.map(|text| Side::before(text, dialect, &self.changes)),
            new: Side::after(after, dialect, &self.changes),
        });
    }

    fn project(&mut self, old: &dyn Tree, new: &dyn Tree, root: &str, way: &Way) -> io::Result<()> {
        let dialect = way.dialect.unwrap_or(Dialect::Generic);
        let before = dbt::read(old, root, &way.options)?;
        let file = if root.is_empty() { "dbt_project.yml".to_owned() } else { format!("{root}/dbt_project.yml") };
        if new.read(&file)?.is_none() {
            self.templates.wrong(format!("the project `{file}` is gone"));
            return Ok(());
        }
        let after = dbt::read(new, root, &way.options)?;
        let known = makes::known(&before, &self.changes);
        let nodes = makes::pairs(&before, &after, &known);
        let mut pair = Pair { old: before, new: after, changes: known.changes.into(), nodes };
        propagated::add(&mut pair, dialect);
        for nodes in &pair.nodes {
            match nodes.new.and_then(|new| pair.new.nodes.get(new)) {
                Some(now) => self.node(&pair, nodes, now, dialect),
                None => self.gone(&pair, nodes.old),
            }
        }
        for new in makes::added(&pair.new, &pair.nodes) {
            self.added(&pair, new);
        }
        self.projects.push(pair);
        Ok(())
    }

    fn gone(&mut self, pair: &Pair, old: usize) {
        let Some(node) = pair.old.nodes.get(old) else { return };
        let path = pair.old.files.path(node.file);
        let made = makes::made_by(node, &pair.changes, Names::Old).and_then(|change| pair.changes.get(change));
        let lost = made.map_or_else(String::new, |change| format!(", and nothing makes `{}`", pair.meant(change)));
        self.templates.wrong(format!("`{}` of `{path}` is gone{lost}", node.id));
    }

    fn added(&mut self, pair: &Pair, new: usize) {
        let Some(node) = pair.new.nodes.get(new) else { return };
        let path = pair.new.files.path(node.file);
        let what = match makes::made_by(node, &pair.changes, Names::Old) {
            Some(_) => format!("still makes `{}`, beside its successor", node.relation.join(".")),
            None => "was not there before".to_owned(),
        };
        self.templates.wrong(format!("`{}` of `{path}` {what}", node.id));
    }

    /// The ways of a node as units.
    fn node(&mut self, pair: &Pair, nodes: &makes::Pair, new: &Node, dialect: Dialect) {
        let Some(old) = pair.old.nodes.get(nodes.old) else { return };
        let path = pair.new.files.path(new.file).to_owned();
        if old.renderings.len() != new.renderings.len() || old.truncated != new.truncated {
            let (before, after) = (old.renderings.len(), new.renderings.len());
            self.templates.wrong(format!("`{path}` renders in {after} ways, where it did in {before}"));
            return;
        }
        let several = old.renderings.len() > 1;
        let held = self.is_held(pair.old.files.path(old.file));
        let first = self.units.len();
        let mut whole = false;
        let mut open = Vec::new();
        for (way, (before, after)) in old.renderings.iter().zip(&new.renderings).enumerate() {
            let Some((before_text, after_text)) = self.texts(&path, before, after) else { continue };
            if before_text == after_text && nodes.makes.is_none() && !self.mentions(after_text) {
                continue;
            }
            let unit = Unit {
                path: path.clone(),
                way: several.then_some(way),
                is_file: false,
                held,
                changes: Arc::clone(&pair.changes),
                makes: nodes.makes,
                old: Some(Side::before(before_text, dialect, &pair.changes)),
                new: Side::after(after_text, dialect, &pair.changes),
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
