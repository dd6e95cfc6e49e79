//! What the builds of a project read, and what of what they make must be the same.
//!
//! Both versions of the project are read with the target that its build will have, so every name is the one that dbt will print. What their
//! texts read and no node makes is made beforehand, with the columns that all texts together use; so are declared sources that no text names,
//! since a macro may ask for them. Compared are nodes that the change can reach: those that read a dataset that changes, those whose text
//! or name is another, those that are no SQL, and all behind them.

use super::super::relations::{Columns, changed, is_made_before, parts, unchanged, used};
use super::super::{Known, Moved};
use crate::dbt::{self, Node, NodeKind, Project as Read, Target};
use crate::repository::makes::{self, Pair};
use crate::repository::{Options, Purpose, Settings};
use crate::tree::Tree;
use greylag_model::consumer::TableChange;
use greylag_model::proof::{BuildRequest, BuiltNode, Content, Effort, Relation};
use greylag_model::spec::LIMITS;
use greylag_model::table::TableName;
use greylag_model::yaml::{self, Node as Yaml};
use greylag_syntax::sql::{Dialect, RelationRole, read};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io;

/// The name of the target.
pub(super) const TARGET: &str = "greylag";
/// The dialect of the texts.
const DIALECT: Dialect = Dialect::DuckDb;
/// Most bytes of texts that are looked at for literals.
const MOST_BYTES: usize = 8 << 20;
/// Most nodes that are compared.
const MOST_NODES: usize = 500;

/// What is asked about a project.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// The request.
    pub request: BuildRequest,
    /// The file of each node's template.
    pub paths: Vec<String>,
    /// Nodes that the change reaches and that are not compared: those that are gone, and those beyond the number that is.
    pub left_out: usize,
    /// The profile that the project asks for.
    pub profile: String,
}

/// A project before and after a change.
#[derive(Clone, Copy)]
pub struct Project<'a> {
    /// Its files before.
    pub before: &'a dyn Tree,
    /// Its files after.
    pub after: &'a dyn Tree,
    /// Its folder.
    pub root: &'a str,
    /// Names in the catalog of datasets whose old tables something still reads that is left to people.
    pub left: &'a BTreeSet<&'a str>,
}

/// What is to be compared of the builds of a project; `Err` says why nothing can be.
///
/// # Errors
/// A tree cannot be read.
pub fn request(project: &Project<'_>, changes: &[Moved<'_>]) -> io::Result<Result<Asked, String>> {
    let Some(profile) = profile(project.before, project.root)? else {
        return Ok(Err("the project names no profile, or not by a plain word".to_owned()));
    };
    let target = [("name", TARGET), ("schema", BuildRequest::SCHEMA), ("database", BuildRequest::DATABASE)];
    let target = target.into_iter().chain([("type", "duckdb"), ("profile_name", &profile)]);
    // The owner's variables are the build's, too; its target is not theirs.
    let settings = Settings::of(project.before)?;
    let paths = project.before.paths()?;
    let way = settings.way((project.before, &paths), project.root, Options::default(), Purpose::Deciding)?;
    let options = dbt::Options {
        adapter: Some("duckdb".to_owned()),
        variables: way.options.variables,
        target: target.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
        threads: 2,
        ..dbt::Options::default()
    };
    let read = |tree| dbt::read(tree, project.root, &options);
    let (old, new) = (read(project.before)?, read(project.after)?);
    let own: Vec<TableChange> = changes.iter().map(|moved| moved.change.clone()).collect();
    let known = makes::known(&old, &own);
    let pairs = makes::pairs(&old, &new, &known);
    let mut work = Work { changes, known: &known, found: Found::default(), touched: [HashSet::new(), HashSet::new()] };
    work.side(&old, true);
    work.side(&new, false);
    let reached = work.reached((&old, &new), &pairs);
    let is_left = |at: &usize| project.left.contains(changes[*at].change.dataset.as_str());
    let stays = work.found.changed.keys().enumerate().filter(|(_, at)| is_left(at)).map(|(place, _)| place).collect();
    let (mut nodes, mut paths, mut left_out) = (Vec::new(), Vec::new(), 0);
    for pair in pairs.iter().filter(|pair| reached.contains(&pair.old) && makes::has_relation(&old.nodes[pair.old])) {
        let before = &old.nodes[pair.old];
        let after = pair.new.and_then(|at| TableName::of(&new.nodes[at].relation));
        let (Some(one), Some(other), true) = (TableName::of(&before.relation), after, nodes.len() < MOST_NODES) else {
            left_out += 1;
            continue;
        };
        let makes = pair.makes.and_then(|at| work.moved(at)).map(|at| Box::new(changes[at].mapping.clone()));
        nodes.push(BuiltNode { subject: before.id.clone(), old: one, new: other, makes });
        paths.push(old.files.path(before.file).to_owned());
    }
    let (texts, relations) = work.found.done(changes);
    let (subject, dialect, effort) = (old.name.clone(), DIALECT.to_string(), Effort::default());
    let request = BuildRequest { subject, dialect, texts, relations, stays, nodes, effort };
    Ok(Ok(Asked { request, paths, left_out, profile }))
}

/// The profile that a project asks for: by default one of its own name.
fn profile(tree: &dyn Tree, root: &str) -> io::Result<Option<String>> {
    let path = if root.is_empty() { "dbt_project.yml".to_owned() } else { format!("{root}/dbt_project.yml") };
    let Some(bytes) = tree.read(&path)? else { return Ok(None) };
    let stream = yaml::read_bytes(&path, &bytes, &LIMITS);
    let name = stream.documents.first().and_then(|document| {
        let root = document.root();
        root.get("profile").or_else(|| root.get("name")).and_then(Yaml::as_str).map(str::to_owned)
    });
    Ok(name.filter(|name| !name.contains("{{")))
}

/// What the texts of both versions read.
#[derive(Default)]
struct Found {
    /// Of each change that is read: the names by which the old texts and the new ones know it.
    changed: BTreeMap<usize, [BTreeSet<TableName>; 2]>,
    /// What does not change, by its place.
    same: BTreeMap<[String; 3], (TableName, Columns)>,
    texts: Vec<String>,
    bytes: usize,
}

impl Found {
    fn text(&mut self, text: &str) {
        self.bytes += text.len();
        if self.bytes <= MOST_BYTES {
            self.texts.push(text.to_owned());
        }
    }

    fn unchanged(&mut self, name: TableName, columns: Columns) {
        let Some(place) = BuildRequest::place(&name) else { return };
        let (_, known) = self.same.entry(place).or_insert_with(|| (name, Vec::new()));
        for column in columns {
            if !known.iter().any(|(name, _)| name.eq_ignore_ascii_case(&column.0)) {
                known.push(column);
            }
        }
    }

    /// Texts and relations.
    fn done(self, changes: &[Moved<'_>]) -> (Vec<String>, Vec<Relation>) {
        let changed = self.changed.into_iter().map(|(at, [old, new])| Relation {
            old: old.into_iter().collect(),
            new: new.into_iter().collect(),
            content: Content::Changed(Box::new(changes[at].mapping.clone())),
            sample: changes[at].sample.cloned(),
        });
        (self.texts, changed.chain(self.same.into_values().map(|(name, columns)| unchanged(name, columns))).collect())
    }
}

/// One request being made.
struct Work<'a> {
    changes: &'a [Moved<'a>],
    known: &'a makes::Known,
    found: Found,
    /// Nodes that read a dataset that changes, before and after.
    touched: [HashSet<usize>; 2],
}

impl Work<'_> {
    /// The change that one of those is that the project is asked for: what has a stand-in for its schema is the same dataset.
    fn moved(&self, known: usize) -> Option<usize> {
        let dataset = &self.known.changes[known].dataset;
        self.changes.iter().position(|moved| moved.change.dataset == *dataset)
    }

    /// Takes what one version reads.
    fn side(&mut self, project: &Read, old: bool) {
        let has_place = project.nodes.iter().filter(|node| makes::has_relation(node));
        let made: HashSet<[String; 3]> = has_place.filter_map(place_of).collect();
        for source in project.sources.iter().filter(|source| source.enabled) {
            let Some(name) = TableName::of(&source.relation()) else { continue };
            let columns = source.columns.iter().map(|column| (column.name.text().to_owned(), None)).collect();
            self.take(name, columns, (&made, old));
        }
        for (number, node) in project.nodes.iter().enumerate() {
            for text in node.renderings.iter().filter_map(|way| way.text.as_ref().ok()) {
                self.found.text(text.text());
                if self.text(text.text(), (&made, old)) {
                    self.touched[usize::from(!old)].insert(number);
                }
            }
        }
    }

    /// Takes what a text reads; whether a dataset that changes is among it.
    fn text(&mut self, text: &str, (made, old): (&HashSet<[String; 3]>, bool)) -> bool {
        let reading = read(text, DIALECT, &Known { changes: self.changes, old });
        let mut is_touched = false;
        for (at, relation) in reading.relations.iter().enumerate() {
            let is_no_table = matches!(relation.role, RelationRole::Create | RelationRole::Drop);
            if is_no_table || is_made_before(&reading, at) {
                continue;
            }
            let Some(name) = TableName::of(&parts(relation)) else { continue };
            let columns = used(&reading, at).into_iter().map(|name| (name, None)).collect();
            is_touched |= self.take(name, columns, (made, old));
        }
        is_touched
    }

    /// Takes a relation that is read; whether it changes.
    fn take(&mut self, name: TableName, columns: Columns, (made, old): (&HashSet<[String; 3]>, bool)) -> bool {
        if BuildRequest::place(&name).is_some_and(|place| made.contains(&place)) {
            return false;
        }
        let words: Vec<&str> = name.parts().iter().map(String::as_str).collect();
        match changed(self.changes, &words, old) {
            Some(change) => {
                self.found.changed.entry(change).or_default()[usize::from(!old)].insert(name);
                true
            }
            None => {
                self.found.unchanged(name, columns);
                false
            }
        }
    }

    /// The nodes of the old version that the change can reach.
    fn reached(&self, (old, new): (&Read, &Read), pairs: &[Pair]) -> HashSet<usize> {
        let is_other = |pair: &&Pair| {
            let (before, Some(after)) = (&old.nodes[pair.old], pair.new.map(|at| &new.nodes[at])) else { return true };
            let is_touched = self.touched[0].contains(&pair.old)
                || pair.new.is_some_and(|new| self.touched[1].contains(&new))
                || before.edges.iter().any(|edge| self.is_concerned(edge.target));
            is_touched
                || before.kind == NodeKind::PythonModel
                || before.relation != after.relation
                || !same(before, after)
        };
        let mut reached: HashSet<usize> = pairs.iter().filter(is_other).map(|pair| pair.old).collect();
        loop {
            let is_behind = |node: &Node| {
                node.edges.iter().any(|edge| matches!(edge.target, Target::Node(at) if reached.contains(&at)))
            };
            let nodes = old.nodes.iter().enumerate();
            let more = nodes.filter(|(at, node)| !reached.contains(at) && is_behind(node)).map(|(at, _)| at);
            let more: Vec<usize> = more.collect();
            if more.is_empty() {
                return reached;
            }
            reached.extend(more);
        }
    }

    fn is_concerned(&self, target: Target) -> bool {
        matches!(target, Target::Source(at) if self.known.concerned.get(at).is_some_and(Option::is_some))
    }
}

/// The place of a node's relation.
fn place_of(node: &Node) -> Option<[String; 3]> {
    BuildRequest::place(&TableName::of(&node.relation)?)
}

/// Whether two nodes render the same.
fn same(one: &Node, other: &Node) -> bool {
    let texts = |node: &Node| -> Vec<Option<String>> {
        node.renderings.iter().map(|way| way.text.as_ref().ok().map(|text| text.text().to_owned())).collect()
    };
    texts(one) == texts(other)
}
