//! Nodes and exposures of a dbt project as consumers.

use super::query::{Gathered, column_flow, direction, table};
use crate::dbt::{self, Edge, Node, NodeKind, NodeRendering, Project, Target};
use crate::repository::{Way, line_and_position};
use crate::tree::Tree;
use greylag_model::flow::{ColumnFlow, Consumer, Flows, Place, Relation};
use greylag_model::table::TableName;
use greylag_syntax::jinja::value::HOLE;
use greylag_syntax::sql::{Confidence, Dialect, RelationUse, Schemas, read as read_sql};
use greylag_syntax::trace::{Origin, Span, Traced};
use std::io;
use std::ops::Range;

/// Reads a project.
pub(super) fn read(tree: &dyn Tree, root: &str, way: &Way, schemas: &dyn Schemas, flows: &mut Flows) -> io::Result<()> {
    let project = dbt::read(tree, root, &way.options)?;
    let reader = Reader { project: &project, dialect: way.dialect.unwrap_or(Dialect::Generic), schemas };
    for node in &project.nodes {
        flows.consumers.extend(reader.node(node, &mut flows.unknown));
    }
    flows.consumers.extend(reader.exposures());
    Ok(())
}

struct Reader<'a> {
    project: &'a Project,
    dialect: Dialect,
    schemas: &'a dyn Schemas,
}

impl Reader<'_> {
    fn node(&self, node: &Node, unknown: &mut u64) -> Option<Consumer> {
        let kind = match node.kind {
            NodeKind::Model | NodeKind::PythonModel => "dbt-model",
            NodeKind::Snapshot => "dbt-snapshot",
            NodeKind::Seed => "dbt-seed",
            // Nobody reads what they give.
            NodeKind::Analysis | NodeKind::Test => return None,
        };
        if node.config.enabled == Some(false) {
            return None;
        }
        let own = self.made_by(node);
        let (mut reads, mut columns) = (Gathered::default(), Vec::new());
        for way in &node.renderings {
            self.way(node, way, &own, &mut reads, (&mut columns, unknown));
        }
        self.edges(&node.edges, &own, &mut reads);
        let mut writes = Gathered::default();
        let at = node.name_at.first().copied().filter(|at| at.file == node.file).unwrap_or(node.at);
        writes.add(own, self.place(Span { end: at.start, ..at }), true);
        columns.sort();
        columns.dedup();
        Some(Consumer {
            key: node.id.clone(),
            name: node.id.split_once('.').map_or(&*node.id, |(_, name)| name).to_owned(),
            kind: kind.to_owned(),
            path: self.project.files.path(node.file).to_owned(),
            owner: None,
            reads: reads.finish(),
            writes: writes.finish(),
            columns,
        })
    }

    /// What one way of a node's template reads.
    fn way(
        &self,
        node: &Node,
        way: &NodeRendering,
        own: &Relation,
        reads: &mut Gathered,
        (columns, unknown): (&mut Vec<ColumnFlow>, &mut u64),
    ) {
        let Ok(text) = &way.text else { return };
        let reading = read_sql(text.text(), self.dialect, self.schemas);
        *unknown += reading.unknown.len() as u64;
        let relations: Vec<Option<Relation>> =
            reading.relations.iter().map(|used| self.relation(way, text, used)).collect();
        for (used, relation) in reading.relations.iter().zip(&relations) {
            let Some(relation) = relation.as_ref().filter(|relation| *relation != own) else { continue };
            if direction(used.role).0 {
                let certain = used.confidence == Confidence::Certain && way.decisions.is_empty();
                reads.add(relation.clone(), self.place(made_of(text, used.range.clone(), node.at)), certain);
            }
        }
        for statement in 0..reading.statements.len() {
            for edge in reading.lineage(statement) {
                if let Some(Some(from)) = relations.get(edge.base.relation).filter(|from| from.as_ref() != Some(own)) {
                    columns.push(column_flow(&edge, own, from.clone()));
                }
            }
        }
    }

    /// What is referred to, also where no SQL shows it.
    fn edges(&self, edges: &[Edge], own: &Relation, reads: &mut Gathered) {
        for edge in edges {
            let relation = self.target(edge.target);
            let Some((at, _)) = edge.places.first().filter(|_| relation != *own) else { continue };
            if edge.always || !reads.has(&relation) {
                reads.add(relation, self.place(*at), edge.always);
            }
        }
    }

    fn exposures(&self) -> impl Iterator<Item = Consumer> {
        self.project.exposures.iter().map(|exposure| {
            let mut reads = Gathered::default();
            self.edges(&exposure.edges, &Relation { table: None, made_by: None }, &mut reads);
            let name = exposure.name.text();
            let at = exposure.name.copy_of(0..name.len());
            Consumer {
                key: format!("exposure.{}.{name}", self.project.name),
                name: format!("{}.{name}", self.project.name),
                kind: "dbt-exposure".to_owned(),
                path: at.map(|at| self.project.files.path(at.file).to_owned()).unwrap_or_default(),
                reads: reads.finish(),
                ..Consumer::default()
            }
        })
    }

    /// The relation that a use means: by the call that made its name, else by the name.
    fn relation(&self, way: &NodeRendering, text: &Traced, used: &RelationUse) -> Option<Relation> {
        let mark = text.slice(used.range.clone()).only_mark().filter(|mark| mark.0 & HOLE == 0);
        let reference = mark.and_then(|mark| way.references.get(mark.0 as usize));
        match reference.and_then(|reference| reference.target) {
            Some(target) => Some(self.target(target)),
            None => table(used).map(|table| Relation { table: Some(table), made_by: None }),
        }
    }

    fn target(&self, target: Target) -> Relation {
        match target {
            Target::Node(node) => self.made_by(&self.project.nodes[node]),
            Target::Source(source) => {
                Relation { table: TableName::of(&self.project.sources[source].relation()), made_by: None }
            }
        }
    }

    fn made_by(&self, node: &Node) -> Relation {
        Relation { table: TableName::of(&node.relation), made_by: Some(node.id.clone()) }
    }

    fn place(&self, at: Span) -> Place {
        let (line, position) = line_and_position(self.project.files.text(at.file), at.start as usize);
        Place { path: self.project.files.path(at.file).to_owned(), line, position }
    }
}

/// The bytes of a file that a place of a rendering is made of; where the node begins if nothing that stands in a file made it.
fn made_of(text: &Traced, at: Range<usize>, node: Span) -> Span {
    let pieces = text.pieces(at);
    let copied = pieces.iter().find_map(|(_, origin)| match origin {
        Origin::Copied(span) => Some(*span),
        _ => None,
    });
    let made = pieces.iter().find_map(|(_, origin)| match origin {
        Origin::Made { of, .. } => of.last().copied(),
        _ => None,
    });
    copied.or(made).unwrap_or(Span { end: node.start, ..node })
}
