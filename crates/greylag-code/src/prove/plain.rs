//! Files of SQL that are run as they stand.

use super::relations::{Nothing, relations};
use super::{Moved, Question, without_notes};
use greylag_model::proof::{Effort, ProofRequest, ProofVerdict, Reason};
use greylag_syntax::sql::Dialect;

/// The question about a file; none if only what people read has changed.
pub(super) fn question(path: &str, old: &str, new: &str, changes: &[Moved<'_>], dialect: Dialect) -> Option<Question> {
    if without_notes(old) == without_notes(new) {
        return None;
    }
    let ask = match relations(old, new, changes, dialect, &Nothing) {
        Ok(relations) => Ok(Box::new(ProofRequest {
            subject: path.to_owned(),
            dialect: dialect.to_string(),
            old: old.to_owned(),
            new: new.to_owned(),
            relations,
            makes: None,
            effort: Effort::default(),
        })),
        Err(why) => Err(Box::new(ProofVerdict::unprovable(Reason::Unparsed, why))),
    };
    Some(Question { path: path.to_owned(), scope: path.to_owned(), ask })
}
