//! What an error of SQLite means.

use greylag_driver::error::DriverError;
use greylag_model::code::engine as code;
use rusqlite::ErrorCode;

/// The classed error of one of SQLite's. No values are in SQLite's messages, only names of tables and columns.
pub(crate) fn classed(error: rusqlite::Error) -> DriverError {
    let kind = match &error {
        rusqlite::Error::SqliteFailure(failure, _) => failure.code,
        _ => return DriverError::permanent(code::STATE_DAMAGED, format!("the state's database: {error}")),
    };
    let text = format!("the state's database: {error}");
    match kind {
        ErrorCode::DiskFull => DriverError::transient(code::STATE_FULL, text)
            .hint("make space on the file system of the state folder, or move the folder and point `--home` at it"),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            DriverError::transient(code::STATE_LOCKED, text).hint("another process holds the state folder; try again")
        }
        ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt => DriverError::permanent(code::STATE_DAMAGED, text)
            .hint("restore the state folder from a backup, or use another one with `--home`"),
        ErrorCode::SystemIoFailure | ErrorCode::OutOfMemory => DriverError::transient(code::STATE_IO, text),
        ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly => {
            DriverError::permanent(code::STATE_IO, text).hint("look at the permissions of the state folder")
        }
        _ => DriverError::permanent(code::STATE_DAMAGED, text),
    }
}

/// What the database holds contradicts itself or cannot be read.
pub(crate) fn damaged(what: impl std::fmt::Display) -> DriverError {
    DriverError::permanent(code::STATE_DAMAGED, format!("the state's database: {what}"))
        .hint("restore the state folder from a backup, or use another one with `--home`")
}
