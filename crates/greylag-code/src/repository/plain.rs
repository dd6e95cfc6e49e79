//! Files of SQL that are run as they stand.

use super::{FileReport, LONGEST, Seen, words};
use crate::rewrite::{Input, notes, wanted};
use greylag_model::consumer::TableChange;
use greylag_model::table::TableName;
use greylag_syntax::sql::{Dialect, Schemas, read};

/// Of so many names, reading a text is as fast as looking for them in it.
const MOST_NAMES: usize = 64;

/// Looks at a file of SQL; none if it has nothing to do with what changes. What is no text, or too long, is searched for words. Of a
/// file in which no name of a changed dataset stands, and no comment about one, nothing more is read.
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
    if !may_name(text, changes) {
        return None;
    }
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

/// Whether the last part of a changed dataset's name stands in a text, whatever is around it, or a comment that rules wrote.
fn may_name(text: &str, changes: &[TableChange]) -> bool {
    let names: Vec<&str> = changes.iter().flat_map(|change| &change.old).map(TableName::last).collect();
    // Some letters stand for others in a name between quotes.
    let is_plain = |name: &&str| !name.contains(['"', '`', '\\', '\'']);
    if names.len() > MOST_NAMES || !names.iter().all(is_plain) {
        return true;
    }
    let text = text.to_lowercase();
    let notes = || changes.iter().flat_map(notes);
    names.iter().any(|name| text.contains(&name.to_lowercase()))
        || notes().any(|note| text.contains(&note.to_lowercase()))
}
