//! Nodes of a dbt project, by what they render.

use super::relations::{Columns, Elsewhere, relations};
use super::{Known, Moved, Question, seed, without_notes};
use crate::dbt::{self, Node, NodeKind, NodeRendering, Project, Target};
use crate::tree::Tree;
use greylag_model::proof::{Effort, ProofRequest, ProofVerdict, Reason};
use greylag_syntax::jinja::value::holes_of;
use greylag_syntax::sql::{Dialect, Reading, read};
use greylag_syntax::trace::{Mark, Origin, Traced};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Range;

/// Ways of a node that are asked about.
const WAYS: usize = 4;

/// The questions about the nodes of a project.
pub(super) fn questions(
    before: &dyn Tree,
    after: &dyn Tree,
    root: &str,
    changes: &[Moved<'_>],
    moved: &BTreeMap<&str, &str>,
    dialect: Option<Dialect>,
) -> io::Result<Vec<Question>> {
    let adapter = dialect.filter(|dialect| *dialect != Dialect::Generic).map(|dialect| dialect.to_string());
    let options = dbt::Options { adapter, threads: 2, ..dbt::Options::default() };
    let (old, new) = (dbt::read(before, root, &options)?, dbt::read(after, root, &options)?);
    let dialect = dialect.unwrap_or(Dialect::Generic);
    let work = Work { tree: before, old: &old, new: &new, changes, dialect };
    let scope = if root.is_empty() { String::new() } else { format!("{root}/") };
    let mut questions = Vec::new();
    for (one, other) in pairs(&old, &new, moved) {
        for ask in work.asks(one, other)? {
            let path = old.files.path(old.nodes[one].file).to_owned();
            questions.push(Question { path, scope: scope.clone(), ask });
        }
    }
    Ok(questions)
}

/// The nodes that are the same before and after: by what dbt calls them, by where their files went, and of those that are
/// left, by their order.
fn pairs(old: &Project, new: &Project, moved: &BTreeMap<&str, &str>) -> Vec<(usize, Option<usize>)> {
    let by_id: BTreeMap<&str, usize> = new.nodes.iter().enumerate().map(|(at, node)| (node.id.as_str(), at)).collect();
    let known: BTreeSet<&str> = old.nodes.iter().map(|node| node.id.as_str()).collect();
    let targets: BTreeSet<&str> = moved.values().copied().collect();
    let others = new.nodes.iter().enumerate().filter(|(_, node)| !known.contains(node.id.as_str()));
    let (gone, others): (Vec<_>, Vec<_>) = others.partition(|(_, node)| targets.contains(new.files.path(node.file)));
    let mut others = others.into_iter();
    let pair = |(at, node): (usize, &Node)| {
        let same = by_id.get(node.id.as_str()).copied();
        let to = moved.get(old.files.path(node.file));
        let went = || gone.iter().find(|(_, node)| Some(&new.files.path(node.file)) == to).map(|(other, _)| *other);
        (at, same.or_else(went).or_else(|| others.next().map(|(other, _)| other)))
    };
    old.nodes.iter().enumerate().map(pair).collect()
}

type Ask = Result<Box<ProofRequest>, Box<ProofVerdict>>;

struct Work<'a> {
    tree: &'a dyn Tree,
    old: &'a Project,
    new: &'a Project,
    changes: &'a [Moved<'a>],
    dialect: Dialect,
}

impl Work<'_> {
    /// What is asked about a node: one question for each way that changed.
    fn asks(&self, one: usize, other: Option<usize>) -> io::Result<Vec<Ask>> {
        let before = &self.old.nodes[one];
        let refused = |reason, why: &str| Err(Box::new(ProofVerdict::unprovable(reason, why)));
        let Some(after) = other.map(|other| &self.new.nodes[other]) else {
            return Ok(vec![refused(Reason::Open, "it is not there any more")]);
        };
        if before.renderings.len() != after.renderings.len() {
            return Ok(vec![refused(Reason::Open, "it renders in another number of ways")]);
        }
        let mut seen = BTreeSet::new();
        let mut asks = Vec::new();
        for (at, (old, new)) in before.renderings.iter().zip(&after.renderings).enumerate() {
            let (Ok(old_text), Ok(new_text)) = (&old.text, &new.text) else { continue };
            let texts = (old_text.text(), new_text.text());
            if without_notes(texts.0) == without_notes(texts.1) || !seen.insert(texts) {
                continue;
            }
            if asks.len() == WAYS {
                asks.push(refused(Reason::Open, "it renders in more ways than are asked about"));
                break;
            }
            let is_way = |reading: &Reading| reading.unknown.is_empty();
            let reading = read(texts.0, self.dialect, &Known { changes: self.changes, old: true });
            // Where another way gives SQL, one that gives none is no way that a run takes.
            if !is_way(&reading) && before.renderings.iter().any(|way| self.gives_sql(way)) {
                continue;
            }
            asks.push(self.ask(before, after, (old, at), texts)?);
        }
        Ok(asks)
    }

    fn gives_sql(&self, way: &NodeRendering) -> bool {
        let schemas = Known { changes: self.changes, old: true };
        way.text.as_ref().is_ok_and(|text| read(text.text(), self.dialect, &schemas).unknown.is_empty())
    }

    fn ask(
        &self,
        before: &Node,
        after: &Node,
        (way, at): (&NodeRendering, usize),
        (old, new): (&str, &str),
    ) -> io::Result<Ask> {
        let Ok(text) = &way.text else { return Ok(Err(Box::new(ProofVerdict::unprovable(Reason::Open, "no text")))) };
        let known = Upstream { columns: self.upstream(way, text)? };
        let found = match relations(old, new, self.changes, self.dialect, &known) {
            Ok(found) => found,
            Err(why) => return Ok(Err(Box::new(ProofVerdict::unprovable(Reason::Unparsed, why)))),
        };
        if let Some(hole) = self.hole(way, text) {
            let why = format!("only a run knows `{hole}`");
            return Ok(Err(Box::new(ProofVerdict::unprovable(Reason::Open, why))));
        }
        let makes = match self.makes(before, after) {
            None => None,
            Some(at) => {
                let read = found.iter().position(|relation| relation.old == self.changes[at].change.old);
                if read.is_none() {
                    let why = "it makes the dataset that changes and does not read it";
                    return Ok(Err(Box::new(ProofVerdict::unprovable(Reason::Open, why))));
                }
                read
            }
        };
        let subject = match before.renderings.len() {
            1 => before.id.clone(),
            _ => format!("{}, way {}", before.id, at + 1),
        };
        Ok(Ok(Box::new(ProofRequest {
            subject,
            dialect: self.dialect.to_string(),
            old: old.to_owned(),
            new: new.to_owned(),
            relations: found,
            makes,
            effort: Effort::default(),
        })))
    }

    /// The change whose dataset a node makes: it had the old name and has the new one.
    fn makes(&self, before: &Node, after: &Node) -> Option<usize> {
        let name =
            |node: &Node| node.config.alias.as_ref().map_or_else(|| node.name.clone(), |alias| alias.text().to_owned());
        let (was, is) = (name(before), name(after));
        let makes = |moved: &Moved<'_>| {
            let old = moved.change.old.iter().any(|old| old.last().eq_ignore_ascii_case(&was));
            old && moved.change.new.last().eq_ignore_ascii_case(&is)
        };
        if was == is { None } else { self.changes.iter().position(makes) }
    }

    /// A value that cannot be known and stands in the text, but in no name of a relation.
    fn hole(&self, way: &NodeRendering, text: &Traced) -> Option<String> {
        holes_of(text).next()?;
        let reading = read(text.text(), self.dialect, &Known { changes: self.changes, old: true });
        let named = |at: &Range<usize>| {
            reading.relations.iter().any(|relation| relation.range.start <= at.start && at.end <= relation.range.end)
        };
        way.holes.iter().find_map(|hole| {
            let word = hole.placeholder();
            let mut places = text.text().match_indices(word.text());
            places.any(|(at, word)| !named(&(at..at + word.len()))).then(|| hole.what.to_string())
        })
    }

    /// The columns of relations that the project makes, by their places in a rendering.
    fn upstream(&self, way: &NodeRendering, text: &Traced) -> io::Result<Vec<Place>> {
        let mut places = Vec::new();
        for (range, origin) in text.stretches() {
            let Origin::Made { mark: Some(Mark(mark)), .. } = origin else { continue };
            let Some(Target::Node(node)) = way.references.get(*mark as usize).and_then(|found| found.target) else {
                continue;
            };
            places.push((range, self.columns_of(node)?));
        }
        Ok(places)
    }

    fn columns_of(&self, node: usize) -> io::Result<Columns> {
        let node = &self.old.nodes[node];
        if node.kind == NodeKind::Seed {
            let bytes = self.tree.read(self.old.files.path(node.file))?;
            return Ok(bytes.map(|bytes| seed::columns(&String::from_utf8_lossy(&bytes))).unwrap_or_default());
        }
        let texts = node.renderings.iter().filter_map(|way| way.text.as_ref().ok());
        for text in texts {
            let reading = read(text.text(), self.dialect, &Known { changes: self.changes, old: true });
            let query = reading.statements.first().and_then(|statement| statement.query);
            if let Some(query) = query.and_then(|query| reading.queries.get(query)) {
                let names = query.outputs.iter().filter_map(|output| output.name.as_deref());
                return Ok(names.map(|name| (name.to_owned(), None)).collect());
            }
        }
        Ok(Vec::new())
    }
}

type Place = (Range<usize>, Columns);

/// What the project knows of the relations of a rendering.
struct Upstream {
    columns: Vec<Place>,
}

impl Elsewhere for Upstream {
    fn columns(&self, at: &Range<usize>) -> Columns {
        let within = |(place, _): &&Place| place.start < at.end && at.start < place.end;
        self.columns.iter().find(within).map(|(_, columns)| columns.clone()).unwrap_or_default()
    }
}
