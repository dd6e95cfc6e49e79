//! The text of a file, and where its bytes lie in lines and columns.

use crate::code::spec as code;
use crate::diagnostic::{Diagnostic, Place};
use std::ops::Range;
use std::sync::Arc;

/// Bytes between two entries of [`Source::counts`].
const BLOCK: usize = 1024;

/// A file's text with what is needed to tell line and column of any byte quickly, however long its lines are.
#[derive(Clone, Debug)]
pub struct Source {
    file: Arc<str>,
    /// Without a byte-order mark.
    text: Arc<str>,
    /// Bytes of the byte-order mark that was cut off: offsets in a [`Place`] are those of the file.
    mark: usize,
    /// Byte offset of each line's first byte.
    lines: Vec<usize>,
    /// Characters before every `BLOCK`-th byte; empty if the text is ASCII.
    counts: Vec<usize>,
}

impl Source {
    /// A file's text; a byte-order mark is left out.
    pub fn new(file: &str, text: &str) -> Self {
        let body = text.strip_prefix('\u{feff}').unwrap_or(text);
        let bytes = body.as_bytes();
        let mut lines = vec![0];
        lines.extend((0..bytes.len()).filter_map(|at| {
            let ends = bytes[at] == b'\n' || (bytes[at] == b'\r' && bytes.get(at + 1) != Some(&b'\n'));
            ends.then_some(at + 1)
        }));
        let counts = if body.is_ascii() { Vec::new() } else { count_blocks(bytes) };
        Self { file: file.into(), text: body.into(), mark: text.len() - body.len(), lines, counts }
    }

    /// A file's bytes, which must be UTF-8.
    pub fn decode(file: &str, bytes: &[u8]) -> Result<Self, Diagnostic> {
        let error = match std::str::from_utf8(bytes) {
            Ok(text) => return Ok(Self::new(file, text)),
            Err(error) => error,
        };
        let good = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
        let diagnostic = Diagnostic::error(code::NOT_UTF8, "the file is not UTF-8 text");
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            return Err(diagnostic
                .at(Some(Self::new(file, "").place(0..0)))
                .hint("it looks like UTF-16: save it as UTF-8"));
        }
        let end = good.strip_prefix('\u{feff}').unwrap_or(good).len();
        Err(diagnostic
            .at(Some(Self::new(file, good).place(end..end)))
            .hint("save it as UTF-8; the place is the first byte that is not"))
    }

    /// The file as the user named it.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The text, without a byte-order mark. All ranges count from its start.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Line and column of a byte range.
    pub fn place(&self, range: Range<usize>) -> Place {
        let start = range.start.min(self.text.len());
        let end = range.end.clamp(start, self.text.len());
        let line = self.lines.partition_point(|first| *first <= start);
        let first = self.lines.get(line.wrapping_sub(1)).copied().unwrap_or_default();
        let column = self.characters_before(start).saturating_sub(self.characters_before(first)) + 1;
        Place { file: self.file.to_string(), line: line.max(1), column, span: (start + self.mark, end - start) }
    }

    /// First byte of the line that holds a byte.
    pub(super) fn line_start(&self, byte: usize) -> usize {
        let line = self.lines.partition_point(|first| *first <= byte);
        self.lines.get(line.wrapping_sub(1)).copied().unwrap_or_default()
    }

    /// First bytes of the lines from a byte on.
    pub(super) fn line_starts_from(&self, byte: usize) -> impl Iterator<Item = usize> {
        self.lines[self.lines.partition_point(|first| *first < byte)..].iter().copied()
    }

    /// Characters before a byte.
    pub(super) fn characters_before(&self, byte: usize) -> usize {
        if self.counts.is_empty() {
            return byte;
        }
        let block = (byte / BLOCK).min(self.counts.len() - 1);
        self.counts[block] + self.text.as_bytes()[block * BLOCK..byte].iter().filter(|byte| begins(**byte)).count()
    }

    /// The byte at which the `index`-th character (from 0) begins; the text's length beyond the last.
    pub(super) fn byte_of_character(&self, index: usize) -> usize {
        if self.counts.is_empty() {
            return index.min(self.text.len());
        }
        let block = self.counts.partition_point(|count| *count <= index).saturating_sub(1);
        let bytes = self.text.as_bytes();
        let mut left = index - self.counts[block];
        for (at, byte) in bytes.iter().enumerate().skip(block * BLOCK) {
            if begins(*byte) {
                if left == 0 {
                    return at;
                }
                left -= 1;
            }
        }
        bytes.len()
    }
}

/// Whether a byte of UTF-8 begins a character.
fn begins(byte: u8) -> bool {
    byte & 0xc0 != 0x80
}

fn count_blocks(bytes: &[u8]) -> Vec<usize> {
    let mut total = 0;
    let mut counts = vec![0];
    for block in bytes.chunks(BLOCK) {
        total += block.iter().filter(|byte| begins(**byte)).count();
        counts.push(total);
    }
    counts
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::Source;

    #[test]
    fn bytes_and_characters_agree_with_counting() {
        let text = "é→x\r\nあ🦆b\rc\n".repeat(500);
        let source = Source::new("f", &text);
        for (index, (byte, _)) in text.char_indices().enumerate() {
            assert_eq!(source.byte_of_character(index), byte);
            assert_eq!(source.characters_before(byte), index);
        }
        assert_eq!(source.byte_of_character(usize::MAX / 2), text.len());
    }

    #[test]
    fn lines_end_at_each_kind_of_break_and_the_mark_counts_in_offsets() {
        let source = Source::new("f", "\u{feff}a\r\né b\rc");
        let at = |byte: usize| {
            let place = source.place(byte..byte + 1);
            (place.line, place.column, place.span)
        };
        assert_eq!(at(0), (1, 1, (3, 1)));
        assert_eq!(at(3), (2, 1, (6, 1)));
        assert_eq!(at(6), (2, 3, (9, 1)));
        assert_eq!(at(8), (3, 1, (11, 1)));
        assert_eq!(at(99), (3, 2, (12, 0)));
    }

    #[test]
    fn what_is_not_utf8_is_refused_with_its_place() {
        let error = Source::decode("f.yaml", b"a: 1\nb: \xff").unwrap_err();
        assert_eq!(
            error.to_string(),
            "f.yaml:2:4: error[GL0102]: the file is not UTF-8 text\n  hint: save it as UTF-8; the place is the first byte that is not"
        );
        let error = Source::decode("f.yaml", b"\xff\xfea\0").unwrap_err();
        assert!(error.to_string().contains("it looks like UTF-16"), "{error}");
    }
}
