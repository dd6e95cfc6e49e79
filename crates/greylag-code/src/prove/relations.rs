//! The relations that texts read, and what is known of their columns.

use super::{Known, Moved};
use greylag_model::proof::{Content, Relation};
use greylag_model::schema::{Column, Schema};
use greylag_model::table::TableName;
use greylag_model::types::DataType;
use greylag_syntax::sql::{Dialect, Feed, Origin, Reading, RelationRole, RelationUse, read};
use std::ops::Range;

/// Columns by name, with their types where those are known.
pub(super) type Columns = Vec<(String, Option<DataType>)>;

/// What is known of a relation beside the texts.
pub(super) trait Elsewhere {
    /// The columns of the relation at a place of the old text, with types where they are known.
    fn columns(&self, at: &Range<usize>) -> Columns;
}

/// Nothing is.
pub(super) struct Nothing;

impl Elsewhere for Nothing {
    fn columns(&self, _: &Range<usize>) -> Columns {
        Vec::new()
    }
}

/// The change that a name of one side means: the one of which it says most.
pub(super) fn changed(changes: &[Moved<'_>], name: &[&str], old: bool) -> Option<usize> {
    let meets = changes.iter().enumerate().filter_map(|(at, moved)| {
        let names = if old { moved.change.old.as_slice() } else { std::slice::from_ref(&moved.change.new) };
        Some((names.iter().filter_map(|known| known.meets(name)).max()?, at))
    });
    meets.max_by_key(|(meeting, at)| (*meeting, std::cmp::Reverse(*at))).map(|(_, at)| at)
}

/// The relations of a pair of texts, or why nothing can be said of them.
pub(super) fn relations(
    old: &str,
    new: &str,
    changes: &[Moved<'_>],
    dialect: Dialect,
    elsewhere: &dyn Elsewhere,
) -> Result<Vec<Relation>, String> {
    let before = read(old, dialect, &Known { changes, old: true });
    let after = read(new, dialect, &Known { changes, old: false });
    if let Some(unknown) = before.unknown.first() {
        return Err(format!("the old text was not understood: {}", unknown.reason));
    }
    let mut met: Vec<usize> = Vec::new();
    let mut found: Vec<(TableName, Columns)> = Vec::new();
    for (at, relation) in before.relations.iter().enumerate() {
        let parts = parts(relation);
        if let Some(change) = changed(changes, &parts, true) {
            met.push(change);
            continue;
        }
        let Some(name) = TableName::of(&parts).filter(|_| !is_made_before(&before, at)) else { continue };
        if relation.role == RelationRole::Create || relation.role == RelationRole::Drop {
            continue;
        }
        let used = used(&before, at).into_iter().map(|name| (name, None));
        let columns = elsewhere.columns(&relation.range).into_iter().chain(used);
        let known = found.iter().position(|(known, _)| same(known, &name)).unwrap_or_else(|| {
            found.push((name, Vec::new()));
            found.len() - 1
        });
        for column in columns {
            if !found[known].1.iter().any(|(name, _)| name.eq_ignore_ascii_case(&column.0)) {
                found[known].1.push(column);
            }
        }
    }
    met.extend(after.relations.iter().filter_map(|relation| changed(changes, &parts(relation), false)));
    met.sort_unstable();
    met.dedup();
    let changed = met.into_iter().map(|at| Relation {
        old: changes[at].change.old.clone(),
        new: vec![changes[at].change.new.clone()],
        content: Content::Changed(Box::new(changes[at].mapping.clone())),
        sample: changes[at].sample.cloned(),
    });
    Ok(changed.chain(found.into_iter().map(|(name, columns)| unchanged(name, columns))).collect())
}

pub(super) fn unchanged(name: TableName, columns: Columns) -> Relation {
    let guessed = columns.iter().any(|(_, data_type)| data_type.is_none());
    let column = |(name, data_type): (String, Option<DataType>)| Column {
        name,
        data_type: data_type.unwrap_or(DataType::Int64),
        nullable: true,
    };
    let mut schema = Schema { columns: columns.into_iter().map(column).collect() };
    if schema.columns.is_empty() {
        // A table that is only counted has rows all the same.
        schema.columns.push(Column { name: "any".to_owned(), data_type: DataType::Int64, nullable: true });
    }
    Relation { old: vec![name.clone()], new: vec![name], content: Content::Same { schema, guessed }, sample: None }
}

pub(super) fn parts(relation: &RelationUse) -> Vec<&str> {
    relation.parts.iter().map(|part| &*part.text).collect()
}

fn same(one: &TableName, other: &TableName) -> bool {
    one.parts().len() == other.parts().len() && one.meets(other.parts()).is_some()
}

/// Whether an earlier statement of the text makes it.
pub(super) fn is_made_before(reading: &Reading, at: usize) -> bool {
    let relation = &reading.relations[at];
    reading.relations.iter().any(|other| {
        other.role == RelationRole::Create
            && other.statement < relation.statement
            && TableName::of(&parts(other)).is_some_and(|name| name.meets(&parts(relation)).is_some())
    })
}

/// The columns of a relation that the text uses, by name.
pub(super) fn used(reading: &Reading, relation: usize) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut add = |name: &str| {
        if !name.is_empty() && !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            names.push(name.to_owned());
        }
    };
    for (at, column) in reading.columns.iter().enumerate() {
        // What `using` joins is a column of both sides; of several that may have it, one does.
        let (one, other) = (column.from.first(), column.from.last().filter(|_| column.using.is_some()));
        if [one, other].contains(&Some(&Origin::Relation(relation))) {
            add(&column.name.text);
        }
        if matches!(one, Some(Origin::Relation(_))) {
            continue;
        }
        let bases = reading.bases(at);
        bases.iter().filter(|base| base.relation == relation).for_each(|base| add(&base.column));
    }
    for output in reading.queries.iter().flat_map(|query| &query.outputs) {
        for feed in &output.feeds {
            if let Feed::Column(Origin::Relation(from), name) = feed
                && *from == relation
            {
                add(name);
            }
        }
    }
    names
}
