//! From what was read of SQL to what it reads and writes.

use crate::repository::{LONGEST, line_and_position};
use greylag_model::flow::{ColumnFlow, Consumer, Place, Relation, Touched, Way};
use greylag_model::table::TableName;
use greylag_syntax::sql::{self, Confidence, Dialect, Edge, Reading, RelationRole, RelationUse, Schemas, read};
use std::collections::BTreeMap;

/// Relations that are read or written, with their places.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    touched: BTreeMap<Relation, (Vec<Place>, bool)>,
}

impl Gathered {
    /// Adds a place; a relation is certain if one of its places is.
    pub(super) fn add(&mut self, relation: Relation, place: Place, certain: bool) {
        let (places, is_certain) = self.touched.entry(relation).or_default();
        if !places.contains(&place) {
            places.push(place);
        }
        *is_certain |= certain;
    }

    pub(super) fn has(&self, relation: &Relation) -> bool {
        self.touched.contains_key(relation)
    }

    pub(super) fn finish(self) -> Vec<Touched> {
        let touched = self.touched.into_iter().map(|(relation, (mut places, certain))| {
            places.sort();
            Touched { relation, places, certain }
        });
        touched.collect()
    }
}

/// What a role does: whether rows are read, and whether they are written.
pub(super) fn direction(role: RelationRole) -> (bool, bool) {
    match role {
        RelationRole::Read => (true, false),
        RelationRole::Insert
        | RelationRole::Merge
        | RelationRole::Update
        | RelationRole::Delete
        | RelationRole::Create
        | RelationRole::Truncate => (false, true),
        RelationRole::Drop | RelationRole::Alter | RelationRole::Mention => (false, false),
    }
}

/// The name that a use gives.
pub(super) fn table(relation: &RelationUse) -> Option<TableName> {
    TableName::of(&relation.parts.iter().map(|part| &*part.text).collect::<Vec<_>>())
}

/// The flow of an edge of column lineage.
pub(super) fn column_flow(edge: &Edge, to: &Relation, from: Relation) -> ColumnFlow {
    let way = match (edge.indirect, edge.base.way) {
        (Some(_), _) => Way::Indirect,
        (None, sql::Way::Identity) => Way::Identity,
        (None, sql::Way::Transformation) => Way::Transformation,
        (None, sql::Way::Aggregation) => Way::Aggregation,
    };
    let output = edge.output.as_deref().map(str::to_owned);
    ColumnFlow { to: to.clone(), output, from, column: edge.base.column.to_string(), way }
}

/// A file of SQL as a consumer.
pub(super) fn of_file(
    path: &str,
    text: &str,
    dialect: Dialect,
    schemas: &dyn Schemas,
    unknown: &mut u64,
) -> Option<Consumer> {
    if text.len() > LONGEST {
        return None;
    }
    let reading = read(text, dialect, schemas);
    *unknown += reading.unknown.len() as u64;
    let (mut reads, mut writes) = (Gathered::default(), Gathered::default());
    for relation in &reading.relations {
        let Some(name) = table(relation) else { continue };
        let (line, position) = line_and_position(text, relation.range.start);
        let place = || Place { path: path.to_owned(), line, position };
        let named = || Relation { table: Some(name.clone()), made_by: None };
        let certain = relation.confidence == Confidence::Certain;
        let (is_read, is_written) = direction(relation.role);
        if is_read {
            reads.add(named(), place(), certain);
        }
        if is_written {
            writes.add(named(), place(), certain);
        }
    }
    Some(Consumer {
        key: path.to_owned(),
        name: stem(path).to_owned(),
        kind: "sql".to_owned(),
        path: path.to_owned(),
        owner: None,
        reads: reads.finish(),
        writes: writes.finish(),
        columns: columns(&reading),
    })
}

/// The column lineage of statements that write something.
fn columns(reading: &Reading) -> Vec<ColumnFlow> {
    let named =
        |relation: usize| Some(Relation { table: Some(table(reading.relations.get(relation)?)?), made_by: None });
    let mut flows = Vec::new();
    for (number, statement) in reading.statements.iter().enumerate() {
        let Some(to) = statement.target.and_then(named) else { continue };
        for edge in reading.lineage(number) {
            // What a statement says of the columns of its own target is where they go, not where they come from.
            if Some(edge.base.relation) == statement.target {
                continue;
            }
            flows.extend(named(edge.base.relation).map(|from| column_flow(&edge, &to, from)));
        }
    }
    flows.sort();
    flows.dedup();
    flows
}

/// A path without its extension.
pub(super) fn stem(path: &str) -> &str {
    path.rsplit_once('.').map_or(path, |(stem, _)| stem)
}
