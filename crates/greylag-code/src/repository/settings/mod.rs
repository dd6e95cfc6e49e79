//! What is known of how a repository is read: what its owner says, and who asks.
//!
//! `.greylag.yaml` in its root may name the `dialect` of its SQL and, under `dbt`, what is known of the targets and variables of its
//! projects; `profiles.yml` names the kind of database. All of that are words and values, so a repository cannot make anything run by
//! it. Who asks may say the same, and comes first; then `.greylag.yaml`, first what it says of the one project; then the profile.

mod profile;
mod read;
mod stated;

pub(super) use profile::FILE as PROFILES;
pub use stated::Stated;

use super::Options;
use crate::dbt;
use crate::tree::Tree;
use greylag_model::code::repository as code;
use greylag_model::diagnostic::Diagnostic;
use greylag_model::spec::LIMITS;
use greylag_model::yaml::{self, Node};
use greylag_syntax::sql::Dialect;
use std::collections::BTreeMap;
use std::io;

/// Where an owner says it.
pub(super) const FILE: &str = ".greylag.yaml";
/// Most that is told of one file.
const TOLD: usize = 20;
/// Threads that render a project.
const THREADS: usize = 2;

/// What `.greylag.yaml` says of how code is read.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    /// The dialect of SQL where nothing else says one.
    pub(crate) dialect: Option<Dialect>,
    /// What is said of all projects.
    all: Stated,
    /// What is said of the project in a folder.
    projects: BTreeMap<String, (Stated, Diagnostic)>,
    /// What is not understood.
    problems: Vec<Diagnostic>,
}

/// How a project is read.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    /// The dialect of its SQL.
    pub(crate) dialect: Option<Dialect>,
    /// What its templates are given.
    pub(crate) options: dbt::Options,
}

/// Who wants to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To decide: what only a profile says of the target is open.
    Deciding,
    /// To show: the profile is believed.
    Showing,
}

impl Settings {
    /// What a tree says. What is not understood says nothing.
    pub(crate) fn of(tree: &dyn Tree) -> io::Result<Self> {
        Ok(tree.read(FILE)?.map(|bytes| read::settings(&bytes)).unwrap_or_default())
    }

    /// What is said of the project in a folder.
    pub(super) fn stated(&self, root: &str, given: Options<'_>) -> Stated {
        let mut stated = self.all.clone();
        for more in self.projects.get(root).map(|(stated, _)| stated).into_iter().chain(given.stated) {
            stated.extend(more);
        }
        stated
    }

    /// How the project in a folder is read.
    pub(crate) fn way(
        &self,
        (tree, paths): (&dyn Tree, &[String]),
        root: &str,
        given: Options<'_>,
        purpose: Purpose,
    ) -> io::Result<Way> {
        let mut stated = self.stated(root, given);
        let mut of_profile = None;
        if purpose == Purpose::Showing || stated.adapter().is_none() && given.dialect.is_none() {
            let own = profile::of(tree, paths, root)?;
            of_profile = own.adapter.filter(|_| given.dialect.is_none());
            if purpose == Purpose::Showing {
                let before = std::mem::replace(&mut stated, own.stated);
                stated.extend(&before);
            }
        }
        let kind = stated.adapter().map(str::to_owned).or(of_profile);
        let dialect = given.dialect.or_else(|| kind.as_deref()?.parse().ok()).or(self.dialect);
        let of_dialect = || dialect.filter(|dialect| *dialect != Dialect::Generic).map(|dialect| dialect.to_string());
        let adapter = kind.filter(|kind| kind != "generic").or_else(of_dialect);
        let (target, variables) = stated.given(adapter.as_deref());
        let options = dbt::Options { adapter, target, variables, threads: THREADS, ..dbt::Options::default() };
        Ok(Way { dialect, options })
    }

    /// What is not understood, and the projects that are named and not there.
    pub(super) fn told(self, paths: &[String]) -> Vec<Diagnostic> {
        let is_there = |root: &str| {
            let file = if root.is_empty() { "dbt_project.yml".to_owned() } else { format!("{root}/dbt_project.yml") };
            paths.contains(&file)
        };
        let absent = self.projects.into_iter().filter(|(root, _)| !is_there(root)).map(|(_, (_, absent))| absent);
        self.problems.into_iter().chain(absent).take(TOLD).collect()
    }
}

/// What a function finds in a file of YAML; nothing if there is none, or none that can be read.
fn document<T>(tree: &dyn Tree, path: &str, find: impl FnOnce(&Node) -> Option<T>) -> io::Result<Option<T>> {
    let Some(bytes) = tree.read(path)? else { return Ok(None) };
    let stream = yaml::read_bytes(path, &bytes, &LIMITS);
    Ok(stream.documents.first().and_then(|document| find(document.root())))
}
