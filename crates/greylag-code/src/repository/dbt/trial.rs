//! The trial: the project with its edits made must render as was asked for, everywhere.

use super::source::span;
use super::{Look, Placed};
use crate::dbt::{self, Column, Config, Edge, Node, NodeRendering, Project, Target};
use crate::tree::Overlay;
use greylag_model::consumer::Class;
use greylag_syntax::edit::{Edit, apply};
use greylag_syntax::trace::{FileId, Origin};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::io;

/// What came of a trial.
pub(super) struct Trial {
    /// The nodes that are not as they must be.
    pub(super) wrong: Vec<usize>,
    /// Where the text of one of them is another, and what it is.
    pub(super) seen: BTreeMap<usize, String>,
    /// Whether all is.
    pub(super) is_right: bool,
}

impl Look<'_> {
    /// Makes the edits in a copy and renders all of it again; holds whoever is to blame for a rendering that is not as it
    /// must be. Whether there was none.
    pub(super) fn tried(&mut self, edits: &BTreeSet<Placed>) -> io::Result<bool> {
        let Trial { wrong, seen, is_right } = self.trial(edits)?;
        if is_right {
            return Ok(true);
        }
        let held = self.blame(&wrong, &seen, edits);
        if !held {
            // Nobody is found: nothing of it is sure.
            self.hold_owners(edits, "with the changes made, the project renders otherwise than was asked for");
        }
        Ok(false)
    }

    /// What the project is with some edits made in a copy.
    pub(super) fn trial(&self, edits: &BTreeSet<Placed>) -> io::Result<Trial> {
        let files = &self.project.files;
        let moves = self.moves();
        let mut overlay = Overlay::new(self.tree);
        let mut texts: BTreeMap<FileId, String> = BTreeMap::new();
        for (file, edits) in Self::by_file(edits) {
            let edited = apply(files.text(file), &edits).map_err(|error| io::Error::other(error.to_string()))?;
            texts.insert(file, edited.text);
        }
        for (file, path) in &moves {
            overlay.remove(files.path(*file));
            overlay.put(path, texts.remove(file).unwrap_or_else(|| files.text(*file).to_string()));
        }
        for (file, text) in texts {
            overlay.put(files.path(file), text);
        }
        let after = dbt::read(&overlay, self.root, &self.options)?;
        let mut by_id: HashMap<&str, VecDeque<&Node>> = HashMap::new();
        for node in &after.nodes {
            by_id.entry(&node.id).or_default().push_back(node);
        }
        let (mut wrong, mut seen) = (Vec::new(), BTreeMap::new());
        for (number, node) in self.project.nodes.iter().enumerate() {
            let after = by_id.get_mut(&*self.id_after(Target::Node(number))).and_then(VecDeque::pop_front);
            match after.map(|after| (self.as_asked(number, node, after), self.as_named(number, node, after))) {
                Some((Ok(()), true)) => {}
                Some((Err(what), _)) => {
                    wrong.push(number);
                    seen.extend(what.map(|what| (number, what)));
                }
                Some((Ok(()), false)) | None => wrong.push(number),
            }
        }
        let is_right = wrong.is_empty() && after.nodes.len() == self.project.nodes.len() && self.as_declared(&after);
        Ok(Trial { wrong, seen, is_right })
    }

    /// Whether any rendering of some nodes is made of bytes that an edit changes.
    pub(super) fn touched(&self, nodes: &[usize], edit: &Placed) -> bool {
        let mut renderings = nodes.iter().flat_map(|node| &self.project.nodes[*node].renderings);
        renderings.any(|rendering| touches(rendering, edit))
    }

    /// What a target is called with the edits made.
    fn id_after(&self, target: Target) -> String {
        let id = self.id(target);
        let new = match target {
            Target::Node(node) if self.new_path(node).is_some() && !self.held.contains_key(&target) => self
                .makers
                .get(&node)
                .map(|change| (self.project.nodes[node].name.as_str(), self.changes[*change].new.last())),
            Target::Source(source) => self.renamed_source(source),
            Target::Node(_) => None,
        };
        match new {
            Some((old, new)) => id.strip_suffix(old).map_or_else(|| id.to_owned(), |head| format!("{head}{new}")),
            None => id.to_owned(),
        }
    }

    /// The name of a source's table, and the one that it gets, if it gets another one.
    fn renamed_source(&self, source: usize) -> Option<(&str, &str)> {
        let table = &self.project.sources[source];
        let stays = self.held.contains_key(&Target::Source(source)) || self.split.contains(&source);
        let change = self.concerned[source].filter(|_| !stays)?;
        if self.home(source).is_some() {
            return self.added(source).map(|(_, home)| (table.table.text(), home));
        }
        let new = self.changes[change].new.last();
        let is_called_so = span(&table.identifier) == span(&table.table);
        (is_called_so && self.beside(table, new).is_none()).then(|| (table.table.text(), new))
    }

    /// Whether a node is called and configured as before, but for a maker's new name.
    fn as_named(&self, number: usize, before: &Node, after: &Node) -> bool {
        let texts = |config: &Config| {
            [&config.materialized, &config.schema, &config.database]
                .map(|text| text.as_ref().map(|text| text.text().to_owned()))
        };
        let target = Target::Node(number);
        let moves = self.makers.get(&number).filter(|_| !self.held.contains_key(&target));
        let mut relation = before.relation.clone();
        if let (Some(change), Some(last)) = (moves, relation.last_mut()) {
            self.changes[*change].new.last().clone_into(last);
        }
        relation == after.relation
            && texts(&before.config) == texts(&after.config)
            && (before.config.enabled, before.config.is_contract) == (after.config.enabled, after.config.is_contract)
            && (moves.is_some() || before.columns.len() == after.columns.len())
    }

    /// Whether exposures and tests lead where they led, and say what they said of all that does not move. An alias of YAML may
    /// say one thing at two places.
    fn as_declared(&self, after: &Project) -> bool {
        let moving: HashSet<String> = self.moving().into_iter().map(|target| self.id_after(target)).collect();
        let before = declared(&self.project, &moving, |target| self.id_after(target));
        let now = declared(after, &moving, |target| match target {
            Target::Node(node) => after.nodes[node].id.clone(),
            Target::Source(source) => after.sources[source].id.clone(),
        });
        // Tests of a column that goes are gone, and a source that parts has a second entry; nothing else comes or goes.
        let more = now.difference(&before).all(|(what, _)| what.starts_with(SECOND) && !self.split.is_empty());
        let less = before.difference(&now).next().is_none();
        more && (less || self.moving().iter().any(|target| matches!(target, Target::Node(_))))
    }

    /// Whether a node's new renderings are its old ones with its demands made; an error says where one of them differs.
    fn as_asked(&self, number: usize, before: &Node, after: &Node) -> Result<(), Option<String>> {
        let ask = self.asks.get(&number);
        if before.renderings.len() != after.renderings.len() {
            return Err(Some("it can be rendered in more or fewer ways".to_owned()));
        }
        for (at, (before, after)) in before.renderings.iter().zip(&after.renderings).enumerate() {
            match (&before.text, &after.text) {
                // A way that is none has no wishes, and nobody sees it.
                (Ok(_), Ok(_)) if ask.is_some_and(|ask| ask.wanted.get(at).is_some_and(Option::is_none)) => {}
                (Ok(old), Ok(new)) => {
                    let demands = ask.and_then(|ask| Some(ask.made(ask.wanted.get(at)?.as_ref()?))).unwrap_or_default();
                    let edits: Vec<Edit> =
                        demands.iter().map(|demand| Edit { at: demand.at.clone(), by: demand.by.clone() }).collect();
                    let expected = apply(old.text(), &edits).map_err(|_| None)?;
                    if expected.text != new.text() {
                        return Err(difference(&expected.text, new.text()));
                    }
                }
                (Err(_), Err(_)) => {}
                (Ok(_), Err(error)) => return Err(Some(format!("it cannot be rendered: {}", error.message))),
                (Err(_), Ok(_)) => return Err(None),
            }
        }
        Ok(())
    }

    /// Holds the nodes that are not as they must be, and whoever edits bytes that they are made of. Whether anybody was.
    fn blame(&mut self, wrong: &[usize], seen: &BTreeMap<usize, String>, edits: &BTreeSet<Placed>) -> bool {
        let mut guilty = BTreeSet::new();
        for number in wrong {
            let node = &self.project.nodes[*number];
            for rendering in &node.renderings {
                guilty.extend(edits.iter().filter(|edit| touches(rendering, edit)).cloned());
            }
        }
        let mut held = !guilty.is_empty();
        for number in wrong {
            let path = self.project.files.path(self.project.nodes[*number].file).to_owned();
            let Some(ask) = self.asks.get_mut(number) else { continue };
            held |= !ask.unnoted && !ask.notes.is_empty();
            ask.unnoted = true;
            if ask.held.is_none() {
                let what = seen.get(number).map_or_else(String::new, |what| format!(": {what}"));
                let why = format!("with the changes made, `{path}` renders otherwise than was asked for{what}");
                ask.hold(Class::Agentic, why);
                held = true;
            }
        }
        let names: Vec<&str> = wrong.iter().map(|node| self.project.nodes[*node].name.as_str()).take(3).collect();
        let why = format!("the same bytes are used where they must stay, by `{}`", names.join("`, `"));
        self.hold_owners(&guilty, &why);
        held
    }
}

/// Where a text first differs from what was expected, as lines of the rendered text.
fn difference(expected: &str, new: &str) -> Option<String> {
    let shown = |line: Option<&str>| match line.map(str::trim) {
        None => "nothing".to_owned(),
        Some(line) if line.chars().count() > LONGEST => {
            format!("`{}…`", line.chars().take(LONGEST).collect::<String>())
        }
        Some(line) => format!("`{line}`"),
    };
    let (mut expected, mut new) = (expected.lines(), new.lines());
    for line in 1_usize.. {
        match (expected.next(), new.next()) {
            (None, None) => return None,
            (one, other) if one == other => {}
            (one, other) => {
                return Some(format!("its rendered line {line} is {}, not {}", shown(other), shown(one)));
            }
        }
    }
    None
}

/// How much of a line is shown.
const LONGEST: usize = 80;

/// What the columns of a source are listed as.
const SECOND: &str = "columns of source.";

/// What exposures and tests refer to, each with what it stands at; and the columns and arguments of what does not move.
fn declared(
    project: &Project,
    moving: &HashSet<String>,
    id: impl Fn(Target) -> String,
) -> BTreeSet<(String, Vec<String>)> {
    let ids = |edges: &[Edge]| edges.iter().map(|edge| id(edge.target)).collect::<Vec<_>>();
    let exposures =
        project.exposures.iter().map(|exposure| (format!("exposure {}", exposure.name), ids(&exposure.edges)));
    let tests = project.tests.iter().map(|test| {
        let (subject, mut leads) = (id(test.subject), ids(&test.edges));
        if !moving.contains(&subject) && leads.iter().all(|to| !moving.contains(to)) {
            leads.extend(test.column.iter().map(|column| column.text().to_owned()));
            leads.extend(test.arguments.iter().map(|(name, text)| format!("{name}: {text}")));
        }
        (format!("test {} of {subject}", test.test), leads)
    });
    let names = |columns: &[Column]| columns.iter().map(|column| column.name.text().to_owned()).collect::<Vec<_>>();
    let nodes = project.nodes.iter().enumerate().map(|(node, found)| (id(Target::Node(node)), names(&found.columns)));
    let sources =
        project.sources.iter().enumerate().map(|(source, found)| (id(Target::Source(source)), names(&found.columns)));
    let fixed = nodes.chain(sources).filter(|(id, _)| !moving.contains(id));
    let columns = fixed.map(|(id, names)| (format!("columns of {id}"), names));
    exposures.chain(tests).chain(columns).collect()
}

/// Whether a rendering is made of bytes that an edit changes.
fn touches(rendering: &NodeRendering, edit: &Placed) -> bool {
    let Ok(text) = &rendering.text else { return false };
    let within = |span: &greylag_syntax::trace::Span| {
        span.file == edit.file && (span.start as usize) < edit.end.max(edit.start + 1) && edit.start < span.end as usize
    };
    text.stretches().any(|(_, origin)| match origin {
        Origin::Copied(span) => within(span),
        Origin::Made { of, .. } => of.iter().any(within),
        Origin::Generated => false,
    })
}
