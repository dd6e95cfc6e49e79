//! The forge's tables.

use super::change::{Details, Phase, Row};
use super::unknown;
use greylag_driver::error::DriverError;
use greylag_driver::forge::{At, Check, Comment, Open, Policy, Which};
use greylag_model::code::repository as code;
use greylag_model::id::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, TransactionBehavior, params, params_from_iter};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The version of the tables, in the database's `user_version`.
pub const SCHEMA_VERSION: i64 = 1;

const COLUMNS: &str = "repository, number, key, branch, base, title, description, state, head, merge_commit, reverts";

/// The forge's database. What a writing call has answered well is on disk.
pub(super) struct Database {
    connection: Mutex<Connection>,
}

fn classed(error: rusqlite::Error) -> DriverError {
    let text = format!("the forge's database: {error}");
    match error.sqlite_error_code() {
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::DiskFull
            | ErrorCode::SystemIoFailure
            | ErrorCode::OutOfMemory,
        ) => DriverError::transient(code::FORGE_STORE, text).hint("try again; look whether the disk has room"),
        _ => DriverError::permanent(code::FORGE_STORE, text).hint("restore the forge's folder from a backup"),
    }
}

fn damaged(what: &str) -> DriverError {
    DriverError::permanent(code::FORGE_STORE, format!("the forge's database: {what}"))
}

impl Database {
    pub(super) fn open(path: &Path) -> Result<Self, DriverError> {
        let mut connection = Connection::open(path).map_err(classed)?;
        connection.busy_timeout(Duration::from_secs(10)).map_err(classed)?;
        connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;").map_err(classed)?;
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).map_err(classed)?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(classed)?;
        let version: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(classed)?;
        match version {
            0 => {
                transaction.execute_batch(include_str!("schema.sql")).map_err(classed)?;
                transaction.pragma_update(None, "user_version", SCHEMA_VERSION).map_err(classed)?;
            }
            SCHEMA_VERSION => {}
            other => return Err(damaged(&format!("its version is {other}, and this program knows {SCHEMA_VERSION}"))),
        }
        transaction.commit().map_err(classed)?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, DriverError> {
        work(&self.connection.lock().unwrap_or_else(PoisonError::into_inner)).map_err(classed)
    }

    fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T, DriverError> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(classed)?;
        let told = work(&transaction).map_err(classed)?;
        transaction.commit().map_err(classed)?;
        Ok(told)
    }

    pub(super) fn host(&self, name: &str, policy: Policy) -> Result<(), DriverError> {
        let sql = "INSERT INTO repository VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET policy = ?2";
        self.write(|tx| tx.execute(sql, params![name, policy_name(policy)]).map(|_| ()))
    }

    pub(super) fn hosted(&self) -> Result<Vec<String>, DriverError> {
        self.read(|db| {
            db.prepare_cached("SELECT name FROM repository ORDER BY name")?.query_map([], |row| row.get(0))?.collect()
        })
    }

    pub(super) fn policy(&self, name: &str) -> Result<Policy, DriverError> {
        let sql = "SELECT policy FROM repository WHERE name = ?1";
        let found: Option<String> =
            self.read(|db| db.prepare_cached(sql)?.query_row([name], |row| row.get(0)).optional())?;
        let found = found.ok_or_else(|| unknown(&format!("repository `{}`", name.escape_debug())))?;
        let known = [Policy::ByHand, Policy::Automatic].into_iter().find(|policy| policy_name(*policy) == found);
        known.ok_or_else(|| damaged(&format!("the policy `{found}` is unknown")))
    }

    /// The change request that is told by a number or a key.
    pub(super) fn row(&self, repository: &str, which: &Which) -> Result<Option<Row>, DriverError> {
        let (column, value) = match which {
            Which::Number(number) => ("number", Value::from(*number as i64)),
            Which::Key(key) if key.is_empty() => return Ok(None),
            Which::Key(key) => ("key", Value::from(key.clone())),
        };
        let spare = if column == "key" { " AND key <> ''" } else { "" };
        let sql = format!("SELECT {COLUMNS} FROM change WHERE repository = ?1 AND {column} = ?2{spare}");
        self.read(|db| db.prepare_cached(&sql)?.query_row(params![repository, value], row_of).optional())
    }

    /// Some that come after one, in one of these phases, by repository and number.
    pub(super) fn rows(
        &self,
        repository: Option<&str>,
        phases: &[Phase],
        after: (&str, u64),
        limit: usize,
    ) -> Result<Vec<Row>, DriverError> {
        let phases: Vec<String> = phases.iter().map(|phase| format!("'{}'", phase.as_str())).collect();
        let of = if repository.is_some() { "repository = ?4" } else { "?4 IS NULL" };
        let sql = format!(
            "SELECT {COLUMNS} FROM change WHERE (repository, number) > (?1, ?2) AND state IN ({}) AND {of}
             ORDER BY repository, number LIMIT ?3",
            phases.join(", ")
        );
        let values = params![after.0, after.1 as i64, limit as i64, repository];
        self.read(|db| db.prepare_cached(&sql)?.query_map(values, row_of)?.collect())
    }

    /// Notes that a change request is to be opened, and at which head; answers its row. What is open or merged stays.
    pub(super) fn begin(&self, open: &Open, reverts: Option<u64>) -> Result<Row, DriverError> {
        let number = self.write(|tx| {
            let known = "SELECT number FROM change WHERE repository = ?1 AND key = ?2 AND key <> ''";
            let known: Option<i64> = tx.query_row(known, [&open.repository, &open.key], |row| row.get(0)).optional()?;
            let number = match known {
                Some(number) => number,
                None => insert(tx, open, reverts)?,
            };
            let sql = "UPDATE change SET title = ?3, description = ?4, branch = ?5, base = ?6, reverts = ?7
                       WHERE repository = ?1 AND number = ?2 AND state <> 'merged'";
            let values = params![
                open.repository,
                number,
                open.title,
                open.description,
                open.branch,
                open.base,
                reverts.map(|of| of as i64)
            ];
            tx.execute(sql, values)?;
            mean(tx, (&open.repository, number as u64), &open.head.commit)?;
            Ok(number as u64)
        })?;
        self.row(&open.repository, &Which::Number(number))?.ok_or_else(|| damaged("a row is gone"))
    }

    /// Notes a head that the branch of a change request is meant to be at.
    pub(super) fn mean(&self, id: (&str, u64), head: &str) -> Result<(), DriverError> {
        self.write(|tx| mean(tx, id, head))
    }

    /// Whether a head was ever meant for it.
    pub(super) fn is_meant(&self, id: (&str, u64), head: &str) -> Result<bool, DriverError> {
        let sql = "SELECT 1 FROM meant WHERE repository = ?1 AND number = ?2 AND head = ?3";
        self.read(|db| db.prepare_cached(sql)?.exists(params![id.0, id.1 as i64, head]))
    }

    /// Says where it stands now.
    pub(super) fn set(
        &self,
        id: (&str, u64),
        phase: Phase,
        head: &str,
        merge_commit: Option<&str>,
    ) -> Result<(), DriverError> {
        let sql = "UPDATE change SET state = ?3, head = ?4, merge_commit = ?5 WHERE repository = ?1 AND number = ?2";
        self.write(|tx| tx.execute(sql, params![id.0, id.1 as i64, phase.as_str(), head, merge_commit]).map(|_| ()))
    }

    /// Gives it other words.
    pub(super) fn edit(&self, id: (&str, u64), title: &str, description: &str) -> Result<(), DriverError> {
        let sql = "UPDATE change SET title = ?3, description = ?4 WHERE repository = ?1 AND number = ?2";
        self.write(|tx| tx.execute(sql, params![id.0, id.1 as i64, title, description]).map(|_| ()))
    }

    pub(super) fn comment(
        &self,
        id: (&str, u64),
        key: &str,
        by: &str,
        text: &str,
        at: Timestamp,
    ) -> Result<(), DriverError> {
        let sql = "INSERT INTO comment (repository, number, key, by, text, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                   ON CONFLICT (repository, number, key) DO UPDATE SET by = ?4, text = ?5";
        self.write(|tx| tx.execute(sql, params![id.0, id.1 as i64, key, by, text, at.0]).map(|_| ()))
    }

    pub(super) fn approve(&self, at: &At, by: &str) -> Result<(), DriverError> {
        let sql = "INSERT OR IGNORE INTO approval (repository, number, head, by) VALUES (?1, ?2, ?3, ?4)";
        self.write(|tx| tx.execute(sql, params![at.repository, at.number as i64, at.head, by]).map(|_| ()))
    }

    pub(super) fn check(&self, at: &At, checks: &[Check]) -> Result<(), DriverError> {
        let sql = "INSERT OR REPLACE INTO check_of VALUES (?1, ?2, ?3, ?4, ?5)";
        let mut texts = Vec::with_capacity(checks.len());
        for check in checks {
            let text = serde_json::to_string(check).map_err(|error| damaged(&error.to_string()))?;
            texts.push((&check.name, text));
        }
        self.write(|tx| {
            for (name, text) in &texts {
                tx.execute(sql, params![at.repository, at.number as i64, at.head, name, text])?;
            }
            Ok(())
        })
    }

    /// What belongs to a head of a change request.
    pub(super) fn details(&self, id: (&str, u64), head: &str) -> Result<Details, DriverError> {
        let (texts, comments, approvals) = self.read(|db| {
            let of = [Value::from(id.0.to_owned()), Value::from(id.1 as i64), Value::from(head.to_owned())];
            let checks =
                "SELECT content FROM check_of WHERE repository = ?1 AND number = ?2 AND head = ?3 ORDER BY name";
            let texts: Vec<String> = column(db, checks, &of)?;
            let approvals = "SELECT by FROM approval WHERE repository = ?1 AND number = ?2 AND head = ?3 ORDER BY id";
            let approvals = column(db, approvals, &of)?;
            let comments = "SELECT key, by, text, at FROM comment WHERE repository = ?1 AND number = ?2 ORDER BY id";
            let comments: rusqlite::Result<Vec<Comment>> =
                db.prepare_cached(comments)?.query_map(params![id.0, id.1 as i64], comment_of)?.collect();
            Ok((texts, comments?, approvals))
        })?;
        let mut checks = Vec::with_capacity(texts.len());
        for text in texts {
            checks.push(serde_json::from_str(&text).map_err(|error| damaged(&error.to_string()))?);
        }
        Ok(Details { checks, comments, approvals })
    }
}

fn policy_name(policy: Policy) -> &'static str {
    match policy {
        Policy::ByHand => "by-hand",
        Policy::Automatic => "automatic",
    }
}

fn insert(tx: &Transaction<'_>, open: &Open, reverts: Option<u64>) -> rusqlite::Result<i64> {
    let next = "SELECT coalesce(max(number), 0) + 1 FROM change WHERE repository = ?1";
    let number: i64 = tx.query_row(next, [&open.repository], |row| row.get(0))?;
    let sql = format!("INSERT INTO change ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'opening', ?8, NULL, ?9)");
    let values = params![
        open.repository,
        number,
        open.key,
        open.branch,
        open.base,
        open.title,
        open.description,
        open.head.commit,
        reverts.map(|of| of as i64)
    ];
    tx.execute(&sql, values)?;
    Ok(number)
}

fn mean(tx: &Transaction<'_>, id: (&str, u64), head: &str) -> rusqlite::Result<()> {
    tx.execute("INSERT OR IGNORE INTO meant VALUES (?1, ?2, ?3)", params![id.0, id.1 as i64, head]).map(|_| ())
}

fn column(db: &Connection, sql: &str, values: &[Value]) -> rusqlite::Result<Vec<String>> {
    db.prepare_cached(sql)?.query_map(params_from_iter(values), |row| row.get(0))?.collect()
}

fn comment_of(row: &rusqlite::Row<'_>) -> rusqlite::Result<Comment> {
    Ok(Comment { key: row.get(0)?, by: row.get(1)?, text: row.get(2)?, at: Timestamp(row.get(3)?) })
}

fn row_of(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    let phase: String = row.get(7)?;
    let phase = Phase::parse(&phase).ok_or(rusqlite::Error::InvalidQuery)?;
    Ok(Row {
        repository: row.get(0)?,
        number: row.get::<_, i64>(1)? as u64,
        key: row.get(2)?,
        branch: row.get(3)?,
        base: row.get(4)?,
        title: row.get(5)?,
        description: row.get(6)?,
        phase,
        head: row.get(8)?,
        merge_commit: row.get(9)?,
        reverts: row.get::<_, Option<i64>>(10)?.map(|of| of as u64),
    })
}
