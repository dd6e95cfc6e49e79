//! The catalog on SQLite.
//!
//! # Durability
//!
//! The catalog shares the state folder's database file, and the one connection that writes to it, with the journal. A batch
//! that only amends (what a migration's steps do, thousands of times) goes into a transaction together with whatever else
//! is to be written at that moment, most often the journal's next commit, and so costs no wait for the disk of its own. Any
//! other batch (an import) is a transaction of its own. Either is on disk when [`Catalog::apply`] answers.
//!
//! # Form
//!
//! One row an entity with its summary, one row a statement (all that one source says of one entity, as JSON, because it
//! is always read and written whole), and what is derived of them: relations, tags, schema versions, history, and a
//! full-text index. Entities that are gone keep their row, without a summary, for their history.

mod read;
mod write;

use crate::group::Group;
use crate::store::lock;
use greylag_driver::catalog::{
    Applied, Batch, Catalog, Change, Filter, Listing, Operation, Page, Record, SchemaVersion, SourceRecord, Summary,
};
use greylag_driver::error::DriverError;
use greylag_model::code::catalog as code;
use greylag_model::dataset::Location;
use greylag_model::entity::EntityRef;
use greylag_model::entity::relation::Relation;
use rusqlite::{Connection, ErrorCode};
use std::sync::{Arc, Mutex};

/// The tables of the catalog; a step of the store's list of migrations.
pub const MIGRATION: &str = "
CREATE TABLE catalog_entity (
    id INTEGER PRIMARY KEY,
    ref TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    namespace TEXT NOT NULL,
    type TEXT,
    owner TEXT,
    lifecycle TEXT,
    location TEXT,
    summary TEXT,
    schema_version INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX catalog_entity_owner ON catalog_entity (owner) WHERE owner IS NOT NULL;
CREATE INDEX catalog_entity_location ON catalog_entity (location) WHERE location IS NOT NULL;
CREATE TABLE catalog_source (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    via TEXT NOT NULL
) STRICT;
CREATE TABLE catalog_statement (
    entity INTEGER NOT NULL REFERENCES catalog_entity (id),
    source INTEGER NOT NULL REFERENCES catalog_source (id),
    facts TEXT NOT NULL,
    overruled INTEGER NOT NULL,
    PRIMARY KEY (entity, source)
) STRICT, WITHOUT ROWID;
CREATE INDEX catalog_statement_source ON catalog_statement (source);
CREATE TABLE catalog_relation (
    entity INTEGER NOT NULL REFERENCES catalog_entity (id),
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    PRIMARY KEY (entity, kind, target)
) STRICT, WITHOUT ROWID;
CREATE INDEX catalog_relation_target ON catalog_relation (target);
CREATE TABLE catalog_tag (
    tag TEXT NOT NULL,
    entity INTEGER NOT NULL REFERENCES catalog_entity (id),
    PRIMARY KEY (tag, entity)
) STRICT, WITHOUT ROWID;
CREATE INDEX catalog_tag_entity ON catalog_tag (entity);
CREATE TABLE catalog_schema (
    entity INTEGER NOT NULL REFERENCES catalog_entity (id),
    version INTEGER NOT NULL,
    at INTEGER NOT NULL,
    source TEXT NOT NULL,
    columns TEXT NOT NULL,
    PRIMARY KEY (entity, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE catalog_change (
    id INTEGER PRIMARY KEY,
    entity INTEGER NOT NULL REFERENCES catalog_entity (id),
    change TEXT NOT NULL
) STRICT;
CREATE INDEX catalog_change_entity ON catalog_change (entity);
CREATE VIRTUAL TABLE catalog_text USING fts5 (
    name, title, tags, columns, rest,
    content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 0', prefix = '2 3'
);
";

/// A catalog in an SQLite database that has the tables of [`MIGRATION`].
#[derive(Clone)]
pub struct SqliteCatalog {
    group: Arc<Group>,
    readers: Option<Arc<Readers>>,
}

/// Connections that only read, made when all others are in use.
struct Readers {
    open: Box<dyn Fn() -> Result<Connection, DriverError> + Send + Sync>,
    idle: Mutex<Vec<Connection>>,
}

impl SqliteCatalog {
    /// A catalog over a connection of its own.
    pub fn new(connection: Connection) -> Self {
        connection.set_prepared_statement_cache_capacity(64);
        Self::shared(Arc::new(Group::new(connection)))
    }

    /// A catalog over a connection that others of this process use too.
    pub(crate) fn shared(group: Arc<Group>) -> Self {
        Self { group, readers: None }
    }

    /// The same, reading over connections of its own that `open` makes: then questions do not wait while the writing
    /// connection waits for the disk.
    pub fn reading_by(self, open: impl Fn() -> Result<Connection, DriverError> + Send + Sync + 'static) -> Self {
        Self { readers: Some(Arc::new(Readers { open: Box::new(open), idle: Mutex::default() })), ..self }
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T, DriverError> {
        let Some(readers) = &self.readers else { return work(&self.group.connection()).map_err(Fault::into) };
        let idle = lock(&readers.idle).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => (readers.open)()?,
        };
        let answer = work(&connection);
        lock(&readers.idle).push(connection);
        answer.map_err(Fault::into)
    }
}

/// What can go wrong inside.
#[derive(Debug)]
enum Fault {
    Sqlite(rusqlite::Error),
    /// A row that cannot be understood.
    Corrupt(String),
    /// The transaction around it.
    Driver(DriverError),
}

impl From<DriverError> for Fault {
    fn from(error: DriverError) -> Self {
        Self::Driver(error)
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        Self::Corrupt(error.to_string())
    }
}

impl From<Fault> for DriverError {
    fn from(fault: Fault) -> Self {
        let error = match fault {
            Fault::Corrupt(what) => {
                return Self::permanent(code::CATALOG_CORRUPT, format!("a row of the catalog cannot be read: {what}"));
            }
            Fault::Driver(error) => return error,
            Fault::Sqlite(error) => error,
        };
        let message = format!("the catalog's database failed: {error}");
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                Self::transient(code::CATALOG_UNAVAILABLE, message)
            }
            Some(ErrorCode::DiskFull) => {
                Self::transient(code::CATALOG_UNAVAILABLE, message).hint("free some space on the state folder's disk")
            }
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => {
                Self::transient(code::CATALOG_UNAVAILABLE, message)
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::permanent(code::CATALOG_CORRUPT, message)
            }
            _ => Self::permanent(code::CATALOG_UNAVAILABLE, message),
        }
    }
}

/// Reads a reference that the store wrote.
fn reference(text: &str) -> Result<EntityRef, Fault> {
    EntityRef::parse(text, "").ok_or_else(|| Fault::Corrupt(format!("`{text}` is not a reference")))
}

impl Catalog for SqliteCatalog {
    fn apply(&self, batch: &Batch) -> Result<Applied, DriverError> {
        let amends = batch.operations.iter().all(|operation| matches!(operation, Operation::Amend { .. }));
        if !amends {
            return self.group.write(|session| write::apply(session.connection, batch)).map_err(Fault::into);
        }
        let (batch, answer) = (batch.clone(), Arc::new(Mutex::new(None)));
        let keep = Arc::clone(&answer);
        self.group.note(move |session| {
            *lock(&keep) = Some(write::apply(session.connection, &batch)?);
            Ok(())
        })?;
        let applied = lock(&answer).take();
        applied.ok_or_else(|| Fault::Corrupt("an amendment has no answer".to_owned()).into())
    }

    fn find(&self, entities: &[EntityRef]) -> Result<Vec<Option<Summary>>, DriverError> {
        self.read(|connection| read::find(connection, entities))
    }

    fn located(&self, locations: &[Location]) -> Result<Vec<Option<EntityRef>>, DriverError> {
        self.read(|connection| read::located(connection, locations))
    }

    fn record(&self, entity: &EntityRef) -> Result<Option<Record>, DriverError> {
        self.read(|connection| read::record(connection, entity))
    }

    fn list(&self, filter: &Filter, page: &Page) -> Result<Listing, DriverError> {
        self.read(|connection| read::list(connection, filter, page))
    }

    fn search(&self, text: &str, limit: usize) -> Result<Vec<Summary>, DriverError> {
        self.read(|connection| read::search(connection, text, limit))
    }

    fn relations(&self, entity: Option<&EntityRef>) -> Result<Vec<Relation>, DriverError> {
        self.read(|connection| read::relations(connection, entity))
    }

    fn schemas(&self, entity: &EntityRef) -> Result<Vec<SchemaVersion>, DriverError> {
        self.read(|connection| read::schemas(connection, entity))
    }

    fn history(&self, entity: &EntityRef) -> Result<Vec<Change>, DriverError> {
        self.read(|connection| read::history(connection, entity))
    }

    fn sources(&self) -> Result<Vec<SourceRecord>, DriverError> {
        self.read(read::sources)
    }
}

#[cfg(test)]
mod tests;
