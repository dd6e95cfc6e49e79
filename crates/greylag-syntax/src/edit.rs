//! Changes of files at places.
//!
//! An [`Edit`] replaces the bytes of a span. A set of edits that do not overlap is applied at once; every byte outside their
//! spans stays as it is, and [`apply`] gives the edits that lead back to the very bytes.

use crate::trace::Span;
use std::ops::Range;

/// Bytes of a file and what stands there afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Edit {
    /// The bytes that are replaced; none, to insert before the byte at its start.
    pub at: Range<usize>,
    /// What replaces them.
    pub by: String,
}

impl Edit {
    /// Replaces the bytes of a span.
    pub fn replace(at: Span, by: impl Into<String>) -> Self {
        Self { at: at.range(), by: by.into() }
    }

    /// Inserts before a byte.
    pub fn insert(at: usize, by: impl Into<String>) -> Self {
        Self { at: at..at, by: by.into() }
    }
}

/// Why edits could not be applied together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// Two edits want the same bytes.
    #[error("bytes {0:?} and {1:?} are edited differently at once")]
    Overlap(Range<usize>, Range<usize>),
    /// An edit lies outside the text, or inside a character.
    #[error("bytes {0:?} are no place of a text of {1} bytes")]
    Outside(Range<usize>, usize),
}

/// A text after its edits, and the edits that lead back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// The text.
    pub text: String,
    /// What makes the old text of the new one.
    pub back: Vec<Edit>,
}

/// Applies edits to a text, in the order of their places. The same edit given twice counts once; insertions at one place
/// that differ overlap.
pub fn apply(text: &str, edits: &[Edit]) -> Result<Edited, EditError> {
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort_by_key(|edit| (edit.at.start, edit.at.end, &edit.by));
    edits.dedup();
    let mut edited = Edited { text: String::with_capacity(text.len()), back: Vec::with_capacity(edits.len()) };
    let mut last: Option<&Edit> = None;
    for edit in edits {
        let done = last.map_or(0, |last| last.at.end);
        if let Some(last) = last
            && (edit.at.start < last.at.end || edit.at == last.at)
        {
            return Err(EditError::Overlap(last.at.clone(), edit.at.clone()));
        }
        let outside = || EditError::Outside(edit.at.clone(), text.len());
        let old = text.get(edit.at.clone()).ok_or_else(outside)?;
        edited.text.push_str(text.get(done..edit.at.start).ok_or_else(outside)?);
        let start = edited.text.len();
        edited.text.push_str(&edit.by);
        edited.back.push(Edit { at: start..edited.text.len(), by: old.to_owned() });
        last = Some(edit);
    }
    edited.text.push_str(&text[last.map_or(0, |last| last.at.end)..]);
    Ok(edited)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn edits_are_applied_by_place_and_lead_back() {
        let text = "select uid, uid as u from t";
        let edits = [Edit { at: 12..15, by: "user_id".into() }, Edit { at: 7..10, by: "user_id as uid".into() }];
        let edited = apply(text, &edits).unwrap();
        assert_eq!(edited.text, "select user_id as uid, user_id as u from t");
        assert_eq!(apply(&edited.text, &edited.back).unwrap().text, text);
    }

    #[test]
    fn an_insertion_keeps_its_neighbours() {
        let edited = apply("ab", &[Edit::insert(1, "-"), Edit::insert(2, "!"), Edit::insert(1, "-")]).unwrap();
        assert_eq!(edited.text, "a-b!");
        assert_eq!(apply("a-b!", &edited.back).unwrap().text, "ab");
    }

    #[test]
    fn edits_that_disagree_are_refused() {
        let two = |one: Range<usize>, other: Range<usize>| {
            apply("abcdef", &[Edit { at: one, by: "x".into() }, Edit { at: other, by: "y".into() }])
        };
        assert_eq!(two(1..3, 2..4), Err(EditError::Overlap(1..3, 2..4)));
        assert_eq!(two(1..1, 1..1), Err(EditError::Overlap(1..1, 1..1)));
        assert_eq!(two(0..1, 5..9), Err(EditError::Outside(5..9, 6)));
        assert_eq!(apply("ä", &[Edit { at: 1..2, by: String::new() }]), Err(EditError::Outside(1..2, 2)));
        assert!(two(1..3, 3..4).is_ok());
    }
}
