//! Lines and columns of the parser as byte offsets.

use sqlparser::tokenizer::Location;

/// Where the lines of a text begin.
///
/// The parser counts lines from one and columns from one, in characters. A line that is ASCII throughout, as nearly all are,
/// is looked up; in any other the characters are counted.
pub(super) struct Lines<'a> {
    text: &'a str,
    starts: Vec<(u32, bool)>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mut starts = Vec::with_capacity(text.len() / 40 + 1);
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            starts.push((start as u32, line.is_ascii()));
            start += line.len();
        }
        starts.push((start as u32, true));
        Self { text, starts }
    }

    /// The byte offset of a place, none when the parser gives no place or one outside the text.
    pub(super) fn offset(&self, at: Location) -> Option<usize> {
        let line = usize::try_from(at.line.checked_sub(1)?).ok()?;
        let column = usize::try_from(at.column.checked_sub(1)?).ok()?;
        let &(start, ascii) = self.starts.get(line)?;
        let start = start as usize;
        if ascii {
            return (start + column <= self.text.len()).then_some(start + column);
        }
        let rest = self.text.get(start..)?;
        rest.char_indices().map(|(at, _)| at).chain([rest.len()]).nth(column).map(|at| start + at)
    }
}
