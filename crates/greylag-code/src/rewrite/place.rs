//! From the bytes of a rendered text to the bytes of the files that made them.

use super::Demand;
use greylag_syntax::edit::Edit;
use greylag_syntax::trace::{FileId, Mark, Origin, Span, Traced};
use std::ops::Range;

/// Where a demand is met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placed {
    /// By an edit of a file.
    Edit(FileId, Edit),
    /// By whatever made the bytes: what it noted of them.
    Marked(Mark),
}

/// Why a demand is met nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unplaced {
    /// The bytes come from nothing that stands in a file.
    #[error("nothing that stands in a file makes these bytes")]
    Generated,
    /// The bytes are computed.
    #[error("an expression computes these bytes")]
    Computed,
    /// The bytes are of several places.
    #[error("these bytes are put together from several places")]
    Scattered,
}

/// Where a demand is met: at the one place that its bytes are a copy of.
pub fn place(text: &Traced, demand: &Demand) -> Result<Placed, Unplaced> {
    if demand.at.is_empty() {
        return insertion(text, demand);
    }
    let pieces = text.pieces(demand.at.clone());
    match pieces.as_slice() {
        [(_, Origin::Copied(span))] => Ok(edit(*span, &demand.by)),
        [(_, Origin::Made { mark: Some(mark), .. })] => Ok(Placed::Marked(*mark)),
        [(_, Origin::Made { .. })] => Err(Unplaced::Computed),
        [(_, Origin::Generated)] => Err(Unplaced::Generated),
        _ => narrowed(text, demand, &pieces),
    }
}

fn edit(span: Span, by: &str) -> Placed {
    Placed::Edit(span.file, Edit::replace(span, by))
}

/// What is put behind a byte stands behind the byte's place.
fn insertion(text: &Traced, demand: &Demand) -> Result<Placed, Unplaced> {
    let before = demand.at.start.checked_sub(1).map(|at| text.pieces(at..at + 1));
    match before.as_deref() {
        Some([(_, Origin::Copied(span))]) => {
            Ok(Placed::Edit(span.file, Edit::insert(span.end as usize, demand.by.clone())))
        }
        Some([(_, Origin::Made { .. })]) => Err(Unplaced::Computed),
        _ => Err(Unplaced::Generated),
    }
}

/// A demand over several pieces that changes the bytes of one of them alone.
fn narrowed(text: &Traced, demand: &Demand, pieces: &[(Range<usize>, Origin)]) -> Result<Placed, Unplaced> {
    let old = &text.text()[demand.at.clone()];
    for (range, origin) in pieces {
        let Origin::Copied(span) = origin else { continue };
        let (before, after) = (&old[..range.start - demand.at.start], &old[range.end - demand.at.start..]);
        let middle = demand.by.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
        if let Some(middle) = middle {
            return Ok(edit(*span, middle));
        }
    }
    Err(Unplaced::Scattered)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(range: Range<u32>) -> Span {
        Span::new(FileId(0), range)
    }

    fn placed(text: &Traced, at: Range<usize>, by: &str) -> Result<Placed, Unplaced> {
        place(text, &Demand { at, by: by.to_owned() })
    }

    #[test]
    fn a_copy_is_edited_where_it_stands() {
        let mut text = Traced::generated("select ");
        text.push("uid", Origin::Copied(span(40..43)));
        text.push(", \"", Origin::Generated);
        text.push("uid", Origin::Copied(span(50..53)));
        text.push("\"", Origin::Generated);
        let edit = |at: Range<usize>, by: &str| Ok(Placed::Edit(FileId(0), Edit { at, by: by.to_owned() }));
        assert_eq!(placed(&text, 7..10, "user_id"), edit(40..43, "user_id"));
        assert_eq!(placed(&text, 10..10, " as uid"), edit(43..43, " as uid"));
        assert_eq!(placed(&text, 12..17, "\"user_id\""), edit(50..53, "user_id"), "the quotes stay");
        assert_eq!(placed(&text, 12..17, "user_id"), Err(Unplaced::Scattered));
        assert_eq!(placed(&text, 0..3, "x"), Err(Unplaced::Generated));
    }

    #[test]
    fn what_a_function_made_is_asked_after_by_its_mark() {
        let made = Origin::Made { of: [span(3..8)].into(), mark: Some(Mark(4)) };
        let text = Traced::of("\"raw\".\"users\"", made);
        assert_eq!(placed(&text, 7..12, "people"), Ok(Placed::Marked(Mark(4))));
        let text = Traced::of("UID", Origin::Made { of: [span(3..6)].into(), mark: None });
        assert_eq!(placed(&text, 0..3, "USER_ID"), Err(Unplaced::Computed));
        assert_eq!(placed(&text, 3..3, " as x"), Err(Unplaced::Computed));
    }
}
