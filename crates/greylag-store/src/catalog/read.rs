//! Questions to the catalog.

use super::{Fault, reference};
use greylag_driver::catalog::{Change, Filter, Listing, Page, Record, SchemaVersion, SourceRecord, Summary, words};
use greylag_model::dataset::Location;
use greylag_model::entity::EntityRef;
use greylag_model::entity::relation::Relation;
use greylag_model::id::Timestamp;
use greylag_model::provenance::{Source, Statement, resolve};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};
use std::collections::BTreeMap;

fn json<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize) -> Result<T, Fault> {
    let text = row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?;
    Ok(serde_json::from_str(text)?)
}

fn source(text: &str) -> Result<Source, Fault> {
    text.parse().map_err(Fault::Corrupt)
}

/// Every row of a statement, read by `read`.
fn all<T>(
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
    mut read: impl FnMut(&Row<'_>) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

pub(super) fn find(connection: &Connection, entities: &[EntityRef]) -> Result<Vec<Option<Summary>>, Fault> {
    let mut select = connection.prepare_cached("SELECT summary FROM catalog_entity WHERE ref = ?1")?;
    let mut found = Vec::with_capacity(entities.len());
    for entity in entities {
        let text: Option<Option<String>> = select.query_row([entity.to_string()], |row| row.get(0)).optional()?;
        found.push(text.flatten().map(|text| serde_json::from_str(&text)).transpose()?);
    }
    Ok(found)
}

pub(super) fn located(connection: &Connection, locations: &[Location]) -> Result<Vec<Option<EntityRef>>, Fault> {
    let mut select =
        connection.prepare_cached("SELECT ref FROM catalog_entity WHERE location = ?1 ORDER BY ref LIMIT 1")?;
    let mut found = Vec::with_capacity(locations.len());
    for location in locations {
        let text: Option<String> = select.query_row([serde_json::to_string(location)?], |row| row.get(0)).optional()?;
        found.push(text.map(|text| reference(&text)).transpose()?);
    }
    Ok(found)
}

pub(super) fn record(connection: &Connection, entity: &EntityRef) -> Result<Option<Record>, Fault> {
    let statements: BTreeMap<Source, Statement> = all(
        connection,
        "SELECT o.name, s.facts FROM catalog_statement s JOIN catalog_source o ON o.id = s.source \
         JOIN catalog_entity e ON e.id = s.entity WHERE e.ref = ?1",
        [entity.to_string()],
        |row| Ok((source(&row.get::<_, String>(0)?)?, json(row, 1)?)),
    )?
    .into_iter()
    .collect();
    if statements.is_empty() {
        return Ok(None);
    }
    let resolved = resolve(entity, &statements);
    Ok(Some(Record { entity: resolved.entity, facts: resolved.facts }))
}

pub(super) fn list(connection: &Connection, filter: &Filter, page: &Page) -> Result<Listing, Fault> {
    let mut conditions = vec!["summary IS NOT NULL".to_owned()];
    let mut values: Vec<Value> = Vec::new();
    let mut narrow = |condition: &str, value: Option<String>| {
        if let Some(value) = value {
            values.push(Value::Text(value));
            conditions.push(condition.replace('?', &format!("?{}", values.len())));
        }
    };
    narrow("kind = ?", filter.kind.as_ref().map(|kind| kind.to_lowercase()));
    narrow("type = ?", filter.entity_type.clone());
    narrow("owner = ?", filter.owner.as_ref().map(EntityRef::to_string));
    narrow("namespace = ?", filter.namespace.as_ref().map(|namespace| namespace.to_lowercase()));
    narrow("lifecycle = ?", filter.lifecycle.clone());
    narrow("id IN (SELECT entity FROM catalog_tag WHERE tag = ?)", filter.tag.clone());
    let query = filter.text.as_deref().and_then(query);
    narrow("id IN (SELECT rowid FROM catalog_text WHERE catalog_text MATCH ?)", query);
    let total: i64 = connection
        .prepare_cached(&format!("SELECT count(*) FROM catalog_entity WHERE {}", conditions.join(" AND ")))?
        .query_row(params_from_iter(&values), |row| row.get(0))?;
    if let Some(after) = &page.after {
        values.push(Value::Text(after.to_string()));
        conditions.push(format!("ref > ?{}", values.len()));
    }
    values.push(Value::Integer(i64::try_from(page.limit).unwrap_or(i64::MAX).saturating_add(1)));
    let sql = format!(
        "SELECT summary FROM catalog_entity WHERE {} ORDER BY ref LIMIT ?{}",
        conditions.join(" AND "),
        values.len()
    );
    let mut items: Vec<Summary> = all(connection, &sql, params_from_iter(&values), |row| json(row, 0))?;
    let more = items.len() > page.limit;
    items.truncate(page.limit);
    let next = items.last().filter(|_| more).map(|last| last.entity.clone());
    Ok(Listing { items, total: total.unsigned_abs(), next })
}

/// The full-text query for a text: every word of it begins a word. Words are letters and digits only, and stand in
/// quotes, so that nothing of the query's own language can be in them.
fn query(text: &str) -> Option<String> {
    let terms: Vec<String> = words(text).map(|word| format!("\"{word}\"*")).collect();
    (!terms.is_empty()).then(|| terms.join(" "))
}

pub(super) fn search(connection: &Connection, text: &str, limit: usize) -> Result<Vec<Summary>, Fault> {
    let Some(query) = query(text) else { return Ok(Vec::new()) };
    all(
        connection,
        "SELECT e.summary FROM catalog_text t JOIN catalog_entity e ON e.id = t.rowid \
         WHERE catalog_text MATCH ?1 AND e.summary IS NOT NULL \
         ORDER BY bm25(catalog_text, 20.0, 8.0, 4.0, 2.0, 1.0), e.ref LIMIT ?2",
        params![query, i64::try_from(limit).unwrap_or(i64::MAX)],
        |row| json(row, 0),
    )
}

pub(super) fn relations(connection: &Connection, entity: Option<&EntityRef>) -> Result<Vec<Relation>, Fault> {
    let read = |row: &Row<'_>| {
        Ok(Relation {
            from: reference(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?,
            kind: row.get(1)?,
            to: reference(row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?)?,
        })
    };
    let from = "SELECT e.ref, r.kind, r.target FROM catalog_relation r JOIN catalog_entity e ON e.id = r.entity";
    let mut relations = match entity {
        None => all(connection, from, [], read)?,
        Some(entity) => all(
            connection,
            &format!("{from} WHERE e.ref = ?1 UNION {from} WHERE r.target = ?1"),
            [entity.to_string()],
            read,
        )?,
    };
    relations.sort_unstable();
    Ok(relations)
}

pub(super) fn schemas(connection: &Connection, entity: &EntityRef) -> Result<Vec<SchemaVersion>, Fault> {
    all(
        connection,
        "SELECT s.version, s.at, s.source, s.columns FROM catalog_schema s JOIN catalog_entity e ON e.id = s.entity \
         WHERE e.ref = ?1 ORDER BY s.version",
        [entity.to_string()],
        |row| {
            Ok(SchemaVersion {
                version: row.get(0)?,
                at: Timestamp(row.get(1)?),
                source: source(&row.get::<_, String>(2)?)?,
                schema: json(row, 3)?,
            })
        },
    )
}

pub(super) fn history(connection: &Connection, entity: &EntityRef) -> Result<Vec<Change>, Fault> {
    all(
        connection,
        "SELECT c.change FROM catalog_change c JOIN catalog_entity e ON e.id = c.entity WHERE e.ref = ?1 ORDER BY c.id",
        [entity.to_string()],
        |row| json(row, 0),
    )
}

pub(super) fn sources(connection: &Connection) -> Result<Vec<SourceRecord>, Fault> {
    let mut sources = all(
        connection,
        "SELECT o.name, o.via, (SELECT count(*) FROM catalog_statement s WHERE s.source = o.id) FROM catalog_source o",
        [],
        |row| {
            Ok(SourceRecord {
                source: source(&row.get::<_, String>(0)?)?,
                via: row.get(1)?,
                entities: row.get::<_, i64>(2)?.unsigned_abs(),
            })
        },
    )?;
    sources.sort_by(|a, b| a.source.cmp(&b.source));
    Ok(sources)
}
