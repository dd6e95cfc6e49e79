//! Nodes of a dbt project, by what they render.

use super::relations::{Columns, Elsewhere, relations};
use super::{Known, Moved, Question, seed, without_notes};
use crate::dbt::{self, Node, NodeKind, NodeRendering, Project, Target};
use crate::repository::Way;
use crate::repository::makes::{self, Pair};
use crate::tree::Tree;
use greylag_model::consumer::TableChange;
use greylag_model::proof::{Effort, ProofRequest, ProofVerdict, Reason};
use greylag_syntax::jinja::value::holes_of;
use greylag_syntax::sql::{Dialect, Reading, read};
use greylag_syntax::trace::{Mark, Origin, Traced};
use std::collections::BTreeSet;
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
    way: &Way,
) -> io::Result<Vec<Question>> {
    let (old, new) = (dbt::read(before, root, &way.options)?, dbt::read(after, root, &way.options)?);
    let dialect = way.dialect.unwrap_or(Dialect::Generic);
    let own: Vec<TableChange> = changes.iter().map(|moved| moved.change.clone()).collect();
    let known = makes::known(&old, &own);
    let work = Work { tree: before, old: &old, new: &new, changes, known: &known, dialect };
    let scope = if root.is_empty() { String::new() } else { format!("{root}/") };
    let mut questions = Vec::new();
    for pair in makes::pairs(&old, &new, &known) {
        for ask in work.asks(pair)? {
            let path = old.files.path(old.nodes[pair.old].file).to_owned();
            questions.push(Question { path, scope: scope.clone(), ask });
        }
    }
    Ok(questions)
}

type Ask = Result<Box<ProofRequest>, Box<ProofVerdict>>;

struct Work<'a> {
    tree: &'a dyn Tree,
    old: &'a Project,
    new: &'a Project,
    changes: &'a [Moved<'a>],
    known: &'a makes::Known,
    dialect: Dialect,
}

impl Work<'_> {
    /// What is asked about a node: one question for each way that changed.
    fn asks(&self, pair: Pair) -> io::Result<Vec<Ask>> {
        let before = &self.old.nodes[pair.old];
        let refused = |reason, why: &str| Err(Box::new(ProofVerdict::unprovable(reason, why)));
        let Some(after) = pair.new.map(|new| &self.new.nodes[new]) else {
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
            asks.push(self.ask((before, self.makes(pair)), (old, at), texts)?);
        }
        Ok(asks)
    }

    fn gives_sql(&self, way: &NodeRendering) -> bool {
        let schemas = Known { changes: self.changes, old: true };
        way.text.as_ref().is_ok_and(|text| read(text.text(), self.dialect, &schemas).unknown.is_empty())
    }

    fn ask(
        &self,
        (before, makes): (&Node, Option<usize>),
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
        let makes = match makes {
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

    /// The change whose new dataset a node makes in place of the old one. What has a stand-in for its schema is the same dataset.
    fn makes(&self, pair: Pair) -> Option<usize> {
        let change = &self.known.changes[pair.makes?];
        self.changes.iter().position(|moved| moved.change.dataset == change.dataset)
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
