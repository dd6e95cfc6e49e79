//! Files of SQL that are run as they stand.

use super::{FileReport, LONGEST, Seen, words};
use crate::rewrite::{Input, wanted};
use greylag_model::consumer::TableChange;
use greylag_syntax::sql::{Dialect, Schemas, read};

/// Looks at a file of SQL; none if it has nothing to do with what changes. What is no text, or too long, is searched for words.
pub(super) fn look(
    path: &str,
    bytes: &[u8],
    changes: &[TableChange],
    dialect: Dialect,
    schemas: &dyn Schemas,
    seen: &mut Seen,
) -> Option<FileReport> {
    seen.sql += 1;
    seen.bytes += bytes.len() as u64;
    let text = match std::str::from_utf8(bytes) {
        Ok(text) if text.len() <= LONGEST => text,
        _ => return words::look(path, bytes, changes),
    };
    let reading = read(text, dialect, schemas);
    seen.statements += reading.statements.len() as u64;
    seen.unknown += reading.unknown.len() as u64;
    let wanted = wanted(Input { text, dialect, reading: &reading, changes });
    if wanted.references.is_empty() && wanted.findings.is_empty() && wanted.demands.is_empty() {
        return None;
    }
    // Edits that cannot be applied together are a defect of the rules: the file is said to need somebody.
    FileReport::of(path, text, wanted, changes).ok().or_else(|| words::look(path, bytes, changes))
}
