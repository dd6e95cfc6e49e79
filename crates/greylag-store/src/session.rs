//! Running statements: prepared once, counted, with classed errors.

use crate::count::{Counter, Counts};
use crate::error::classed;
use greylag_driver::error::DriverError;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{CachedStatement, Connection, Row, StatementStatus, ToSql};

/// A connection in use, inside a transaction if it writes.
pub(crate) struct Session<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) counter: &'a Counter,
}

impl Session<'_> {
    /// Runs a writing statement; answers how many rows it has written.
    pub(crate) fn execute(&self, sql: &str, params: &[&dyn ToSql]) -> Result<usize, DriverError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(classed)?;
        let written = statement.execute(params).map_err(classed)?;
        if self.counter.is_armed() {
            let bytes = params.iter().map(|param| size(*param)).sum();
            self.count(&statement, Counts { rows_written: written as u64, bytes, ..Counts::default() });
        }
        Ok(written)
    }

    /// Runs a reading statement; answers what `read` makes of each row.
    pub(crate) fn rows<T>(
        &self,
        sql: &str,
        params: &[&dyn ToSql],
        mut read: impl FnMut(&Row<'_>) -> Result<T, DriverError>,
    ) -> Result<Vec<T>, DriverError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(classed)?;
        let mut found = Vec::new();
        {
            let mut rows = statement.query(params).map_err(classed)?;
            while let Some(row) = rows.next().map_err(classed)? {
                found.push(read(row)?);
            }
        }
        if self.counter.is_armed() {
            self.count(&statement, Counts { rows_read: found.len() as u64, ..Counts::default() });
        }
        Ok(found)
    }

    /// The same for a statement that answers one row at most.
    pub(crate) fn row<T>(
        &self,
        sql: &str,
        params: &[&dyn ToSql],
        read: impl FnMut(&Row<'_>) -> Result<T, DriverError>,
    ) -> Result<Option<T>, DriverError> {
        Ok(self.rows(sql, params, read)?.pop())
    }

    fn count(&self, statement: &CachedStatement<'_>, counts: Counts) {
        let instructions = statement.reset_status(StatementStatus::VmStep).max(0) as u64;
        self.counter.add(Counts { statements: 1, instructions, ..counts });
    }
}

fn size(param: &dyn ToSql) -> u64 {
    let of_value = |value: ValueRef<'_>| match value {
        ValueRef::Null => 1,
        ValueRef::Integer(_) | ValueRef::Real(_) => 8,
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.len() as u64,
    };
    match param.to_sql() {
        Ok(ToSqlOutput::Borrowed(value)) => of_value(value),
        Ok(ToSqlOutput::Owned(Value::Text(text))) => text.len() as u64,
        Ok(ToSqlOutput::Owned(Value::Blob(blob))) => blob.len() as u64,
        _ => 8,
    }
}
