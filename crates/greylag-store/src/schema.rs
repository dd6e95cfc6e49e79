//! Tables and their migrations.

use crate::error::{classed, damaged};
use greylag_driver::error::DriverError;
use greylag_model::code::engine as code;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};

/// Each brings the schema from the version of its index to the next. Never edited once released, only added to.
const MIGRATIONS: &[&str] = &[
    include_str!("schema/001_journal.sql"),
    crate::catalog::MIGRATION,
    include_str!("schema/003_removed.sql"),
    include_str!("schema/004_furthest.sql"),
    include_str!("schema/005_cohorts.sql"),
    include_str!("schema/006_limits.sql"),
];

/// Brings the schema up to date, or refuses one that a newer version has written.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), DriverError> {
    if version(connection)? == MIGRATIONS.len() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(classed)?;
    // Read again under the lock: another process may have been quicker.
    let from = version(&transaction)?;
    if from > MIGRATIONS.len() {
        let message = format!("the state folder has version `{from}`, this Greylag reads up to `{}`", MIGRATIONS.len());
        return Err(DriverError::permanent(code::STATE_NEWER, message)
            .hint("use the newer Greylag, or another folder with `--home`"));
    }
    for (index, migration) in MIGRATIONS.iter().enumerate().skip(from) {
        transaction.execute_batch(migration).map_err(classed)?;
        let version = index as i64 + 1;
        transaction.execute("INSERT INTO schema_version (version) VALUES (?1)", [version]).map_err(classed)?;
    }
    transaction.commit().map_err(classed)
}

fn version(connection: &Connection) -> Result<usize, DriverError> {
    let known = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_version'";
    if connection.query_row(known, [], |_| Ok(())).optional().map_err(classed)?.is_none() {
        return Ok(0);
    }
    let version: Option<i64> =
        connection.query_row("SELECT max(version) FROM schema_version", [], |row| row.get(0)).map_err(classed)?;
    usize::try_from(version.unwrap_or(0)).map_err(damaged)
}
