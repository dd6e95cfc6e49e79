//! Applying a batch, inside a transaction.

use super::{Fault, reference};
use greylag_driver::catalog::{Action, Applied, Batch, Change, Operation, Outcome, Settled, Touched, actions, settle};
use greylag_driver::error::DriverError;
use greylag_model::entity::EntityRef;
use greylag_model::provenance::{Source, Statement, Values, facts};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::{BTreeMap, BTreeSet, HashMap};

pub(super) fn apply(connection: &Connection, batch: &Batch) -> Result<Applied, Fault> {
    let mut writer = Writer { connection, ids: HashMap::new() };
    writer.register(batch)?;
    let mut stated: HashMap<Source, HashMap<EntityRef, Stored>> = HashMap::new();
    let mut fault = None;
    let actions = actions(batch, |source| {
        let found = writer.stated(source).map_err(|error| {
            fault = Some(error);
            DriverError::permanent(greylag_model::code::catalog::CATALOG_UNAVAILABLE, "")
        })?;
        let entities = found.keys().cloned().collect();
        stated.insert(source.clone(), found);
        Ok(entities)
    });
    let actions = match (actions, fault) {
        (Ok(actions), _) => actions,
        (Err(_), Some(fault)) => return Err(fault),
        (Err(error), None) => return Err(Fault::Corrupt(error.message)),
    };
    let mut applied = Applied::default();
    for (entity, actions) in &actions {
        if actions.iter().all(|(source, action)| repeats(stated.get(*source), entity, action)) {
            applied.entities.push(Touched { entity: entity.clone(), outcome: Outcome::Unchanged });
            continue;
        }
        let row = writer.entity(entity)?;
        let (texts, before) = writer.statements(row.id)?;
        let mut settled = settle(entity, before, actions, batch.at);
        let own: Vec<&Source> = actions.iter().map(|(source, _)| *source).collect();
        let kept = std::mem::take(&mut settled.kept);
        applied.entities.push(Touched { entity: entity.clone(), outcome: settled.outcome });
        let mut overruled: HashMap<&Source, i64> = HashMap::new();
        for kept in &kept {
            *overruled.entry(&kept.fact.said.source).or_default() += 1;
        }
        if row.id.is_some() || !settled.statements.is_empty() {
            let id = writer.put_entity(entity, &row, &settled)?;
            writer.put_statements(id, &texts, &settled.statements, &overruled)?;
            writer.put_derived(id, &row, &settled)?;
        }
        applied.kept.extend(kept.into_iter().filter(|kept| own.contains(&&kept.fact.said.source)));
    }
    writer.forget_silent(batch)?;
    Ok(applied)
}

/// A statement as stored, of one source about one entity.
struct Stored {
    facts: Statement,
    overruled: i64,
}

/// Whether an action says again what its source says already, and nothing of it is said in vain (which would have to be
/// reported): then nothing is to be done, and nothing to be read.
fn repeats(stated: Option<&HashMap<EntityRef, Stored>>, entity: &EntityRef, action: &Action<'_>) -> bool {
    let Action::Restate { formerly: None, values: Some(values) } = action else { return false };
    let Some(stored) = stated.and_then(|stated| stated.get(entity)) else { return false };
    stored.overruled == 0 && same(&stored.facts, values)
}

fn same(facts: &Statement, values: &Values) -> bool {
    facts.len() == values.len()
        && facts.iter().zip(values).all(|((key, stated), (other, value))| key == other && stated.value == *value)
}

struct Writer<'c> {
    connection: &'c Connection,
    /// Ids of sources.
    ids: HashMap<Source, i64>,
}

/// An entity's row.
#[derive(Default)]
struct Row {
    id: Option<i64>,
    summary: Option<String>,
    schema_version: i64,
}

impl Writer<'_> {
    /// Gives every source of the batch a row.
    fn register(&mut self, batch: &Batch) -> Result<(), Fault> {
        for operation in &batch.operations {
            match operation {
                Operation::Replace { source, via, formerly, .. } => {
                    self.connection
                        .prepare_cached(
                            "INSERT INTO catalog_source (name, via) VALUES (?1, ?2) \
                             ON CONFLICT (name) DO UPDATE SET via = excluded.via WHERE via <> excluded.via",
                        )?
                        .execute(params![source.to_string(), via])?;
                    self.load_id(source)?;
                    if let Some(formerly) = formerly {
                        self.load_id(formerly)?;
                    }
                }
                Operation::Forget { source } => self.load_id(source)?,
                Operation::Amend { source, .. } => {
                    if self.ids.contains_key(source) {
                        continue;
                    }
                    self.load_id(source)?;
                    if !self.ids.contains_key(source) {
                        self.connection
                            .prepare_cached("INSERT INTO catalog_source (name, via) VALUES (?1, '')")?
                            .execute([source.to_string()])?;
                        self.ids.insert(source.clone(), self.connection.last_insert_rowid());
                    }
                }
            }
        }
        Ok(())
    }

    fn load_id(&mut self, source: &Source) -> Result<(), Fault> {
        let mut find = self.connection.prepare_cached("SELECT id FROM catalog_source WHERE name = ?1")?;
        if let Some(id) = find.query_row([source.to_string()], |row| row.get(0)).optional()? {
            self.ids.insert(source.clone(), id);
        }
        Ok(())
    }

    /// What a source says so far.
    fn stated(&self, source: &Source) -> Result<HashMap<EntityRef, Stored>, Fault> {
        let Some(id) = self.ids.get(source) else { return Ok(HashMap::new()) };
        let mut select = self.connection.prepare_cached(
            "SELECT e.ref, s.facts, s.overruled FROM catalog_statement s JOIN catalog_entity e ON e.id = s.entity \
             WHERE s.source = ?1",
        )?;
        let mut rows = select.query([id])?;
        let mut stated = HashMap::new();
        while let Some(row) = rows.next()? {
            let facts = serde_json::from_str(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?)?;
            stated.insert(
                reference(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?,
                Stored { facts, overruled: row.get(2)? },
            );
        }
        Ok(stated)
    }

    fn entity(&self, entity: &EntityRef) -> Result<Row, Fault> {
        let mut select =
            self.connection.prepare_cached("SELECT id, summary, schema_version FROM catalog_entity WHERE ref = ?1")?;
        let row = select.query_row([entity.to_string()], |row| {
            Ok(Row { id: row.get(0)?, summary: row.get(1)?, schema_version: row.get(2)? })
        });
        Ok(row.optional()?.unwrap_or_default())
    }

    /// The statements about an entity: as text, and read.
    #[expect(clippy::type_complexity, reason = "two maps of the same keys")]
    fn statements(
        &mut self,
        entity: Option<i64>,
    ) -> Result<(HashMap<Source, (String, i64)>, BTreeMap<Source, Statement>), Fault> {
        let (mut texts, mut statements) = (HashMap::new(), BTreeMap::new());
        let Some(entity) = entity else { return Ok((texts, statements)) };
        let mut select = self.connection.prepare_cached(
            "SELECT s.facts, s.overruled, o.name, o.id FROM catalog_statement s JOIN catalog_source o ON o.id = s.source \
             WHERE s.entity = ?1",
        )?;
        let mut rows = select.query([entity])?;
        while let Some(row) = rows.next()? {
            let text: String = row.get(0)?;
            let name: String = row.get(2)?;
            let source: Source = name.parse().map_err(Fault::Corrupt)?;
            statements.insert(source.clone(), serde_json::from_str(&text)?);
            self.ids.insert(source.clone(), row.get(3)?);
            texts.insert(source, (text, row.get(1)?));
        }
        Ok((texts, statements))
    }

    /// Writes the statements that differ from the stored texts.
    fn put_statements(
        &mut self,
        entity: i64,
        texts: &HashMap<Source, (String, i64)>,
        statements: &BTreeMap<Source, Statement>,
        overruled: &HashMap<&Source, i64>,
    ) -> Result<(), Fault> {
        for source in texts.keys().filter(|source| !statements.contains_key(*source)) {
            self.connection
                .prepare_cached("DELETE FROM catalog_statement WHERE entity = ?1 AND source = ?2")?
                .execute(params![entity, self.ids.get(source)])?;
        }
        for (source, statement) in statements {
            let text = serde_json::to_string(statement)?;
            let overruled = overruled.get(source).copied().unwrap_or_default();
            if texts.get(source).is_some_and(|(old, old_overruled)| *old == text && *old_overruled == overruled) {
                continue;
            }
            self.connection
                .prepare_cached(
                    "INSERT INTO catalog_statement (entity, source, facts, overruled) VALUES (?1, ?2, ?3, ?4) \
                     ON CONFLICT (entity, source) DO UPDATE SET facts = excluded.facts, overruled = excluded.overruled",
                )?
                .execute(params![entity, self.ids.get(source), text, overruled])?;
        }
        Ok(())
    }

    /// Writes the entity's row; answers its id.
    fn put_entity(&self, entity: &EntityRef, row: &Row, settled: &Settled) -> Result<i64, Fault> {
        let summary = settled.summary.as_ref();
        let text = summary.map(serde_json::to_string).transpose()?;
        if let Some(id) = row.id.filter(|_| row.summary == text) {
            return Ok(id);
        }
        let location = summary.and_then(|summary| summary.location.as_ref()).map(serde_json::to_string).transpose()?;
        let owner = summary.and_then(|summary| summary.owner.as_ref()).map(EntityRef::to_string);
        let mut upsert = self.connection.prepare_cached(
            "INSERT INTO catalog_entity (ref, kind, namespace, type, owner, lifecycle, location, summary) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
             ON CONFLICT (ref) DO UPDATE SET type = excluded.type, owner = excluded.owner, \
             lifecycle = excluded.lifecycle, location = excluded.location, summary = excluded.summary \
             RETURNING id",
        )?;
        let id = upsert.query_row(
            params![
                entity.to_string(),
                entity.kind,
                entity.namespace,
                summary.and_then(|summary| summary.entity_type.as_deref()),
                owner,
                summary.and_then(|summary| summary.lifecycle.as_deref()),
                location,
                text,
            ],
            |row| row.get(0),
        )?;
        Ok(id)
    }

    /// Writes what follows from the facts that changed.
    fn put_derived(&self, id: i64, row: &Row, settled: &Settled) -> Result<(), Fault> {
        let Some(change) = &settled.change else { return Ok(()) };
        self.connection
            .prepare_cached("INSERT INTO catalog_change (entity, change) VALUES (?1, ?2)")?
            .execute(params![id, serde_json::to_string(change)?])?;
        let old = row.summary.is_some();
        if touches(change, RELATED) {
            self.put_relations(id, old, settled)?;
        }
        if touches(change, &[facts::IDENTITY, facts::TAG]) {
            self.put_tags(id, old, settled)?;
        }
        if touches(change, SEARCHED) {
            self.put_text(id, old, settled)?;
        }
        if let Some((source, schema)) = &settled.schema {
            self.put_schema(id, row, change, source, &serde_json::to_string(schema)?)?;
        }
        Ok(())
    }

    fn put_relations(&self, id: i64, old: bool, settled: &Settled) -> Result<(), Fault> {
        if old {
            self.connection.prepare_cached("DELETE FROM catalog_relation WHERE entity = ?1")?.execute([id])?;
        }
        for relation in &settled.relations {
            self.connection
                .prepare_cached("INSERT INTO catalog_relation (entity, kind, target) VALUES (?1, ?2, ?3)")?
                .execute(params![id, relation.kind, relation.to.to_string()])?;
        }
        Ok(())
    }

    fn put_tags(&self, id: i64, old: bool, settled: &Settled) -> Result<(), Fault> {
        if old {
            self.connection.prepare_cached("DELETE FROM catalog_tag WHERE entity = ?1")?.execute([id])?;
        }
        for tag in settled.summary.iter().flat_map(|summary| &summary.tags) {
            self.connection
                .prepare_cached("INSERT INTO catalog_tag (tag, entity) VALUES (?1, ?2)")?
                .execute(params![tag, id])?;
        }
        Ok(())
    }

    fn put_text(&self, id: i64, old: bool, settled: &Settled) -> Result<(), Fault> {
        if old {
            self.connection.prepare_cached("DELETE FROM catalog_text WHERE rowid = ?1")?.execute([id])?;
        }
        if settled.summary.is_some() {
            let [name, title, tags, columns, rest] = settled.search_text();
            self.connection
                .prepare_cached(
                    "INSERT INTO catalog_text (rowid, name, title, tags, columns, rest) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )?
                .execute(params![id, name, title, tags, columns, rest])?;
        }
        Ok(())
    }

    /// Adds a version of the schema, unless the last one (of an entity that was gone, say) is the same.
    fn put_schema(&self, id: i64, row: &Row, change: &Change, source: &Source, columns: &str) -> Result<(), Fault> {
        let last: Option<String> = self
            .connection
            .prepare_cached("SELECT columns FROM catalog_schema WHERE entity = ?1 AND version = ?2")?
            .query_row([id, row.schema_version], |row| row.get(0))
            .optional()?;
        if last.as_deref() == Some(columns) {
            return Ok(());
        }
        let version = row.schema_version + 1;
        self.connection
            .prepare_cached(
                "INSERT INTO catalog_schema (entity, version, at, source, columns) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![id, version, change.at.0, source.to_string(), columns])?;
        self.connection
            .prepare_cached("UPDATE catalog_entity SET schema_version = ?2 WHERE id = ?1")?
            .execute([id, version])?;
        Ok(())
    }

    /// Removes the rows of the batch's sources that say nothing any more. A source that was read keeps its row: that a
    /// file holds nothing is worth knowing.
    fn forget_silent(&self, batch: &Batch) -> Result<(), Fault> {
        let mut silent: BTreeSet<&Source> = BTreeSet::new();
        for operation in &batch.operations {
            match operation {
                Operation::Replace { .. } => {}
                Operation::Forget { source } => {
                    silent.insert(source);
                }
                Operation::Amend { source, unset, .. } if !unset.is_empty() => {
                    silent.insert(source);
                }
                Operation::Amend { .. } => {}
            }
        }
        for source in silent {
            self.connection
                .prepare_cached(
                    "DELETE FROM catalog_source WHERE name = ?1 \
                     AND NOT EXISTS (SELECT 1 FROM catalog_statement s WHERE s.source = catalog_source.id)",
                )?
                .execute([source.to_string()])?;
        }
        Ok(())
    }
}

/// Keys of facts, or beginnings of keys, that relations follow from.
const RELATED: &[&str] = &[facts::IDENTITY, "spec.", "metadata.annotations.greylag.dev/"];
/// Keys of facts, or beginnings of keys, that a search goes by.
const SEARCHED: &[&str] =
    &[facts::IDENTITY, facts::TITLE, facts::DESCRIPTION, facts::TAG, facts::OWNER, facts::SCHEMA, facts::LOCATION];

/// Whether a change is of any of these facts. `spec.lifecycle`, which every cutover changes, refers to nobody.
fn touches(change: &Change, keys: &[&str]) -> bool {
    let concerns = |fact: &str| fact != facts::LIFECYCLE && keys.iter().any(|key| fact.starts_with(key));
    change.facts.iter().any(|fact| concerns(&fact.key))
}
