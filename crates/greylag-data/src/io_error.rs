//! Errors of the operating system as driver errors: one place that knows which may pass.

use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use std::io::{Error, ErrorKind};
use std::path::Path;

/// What `action` (e.g. `read`, `create`) on `path` failed with.
pub fn io_error(action: &str, path: &Path, error: &Error) -> DriverError {
    let words = format!("cannot {action} `{}`: {}", path.display(), plain(error));
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => DriverError::permanent(code::NOT_FOUND, words),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            DriverError::denied(code::ACCESS_DENIED, words).hint("check owner and mode with `ls -l`")
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            DriverError::transient(code::DISK_FULL, words).hint("make space, then `greylag retry --failed`")
        }
        ErrorKind::InvalidFilename => DriverError::permanent(code::PARTITION_VALUE, words),
        _ if matches!(error.raw_os_error(), Some(libc::ELOOP | libc::EXDEV)) => {
            DriverError::permanent(code::OUTSIDE_ROOT, words)
                .hint("only relative links that stay below the root are followed")
        }
        _ => DriverError::transient(code::IO, words),
    }
}

/// The system's words without Rust's `(os error 13)`, first letter small.
fn plain(error: &Error) -> String {
    let words = error.to_string();
    let words = words.split(" (os error").next().unwrap_or_default();
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
