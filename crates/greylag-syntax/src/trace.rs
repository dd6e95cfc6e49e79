//! Text that knows where it comes from.
//!
//! A template is evaluated to text, and every stretch of that text has an [`Origin`]: copied byte for byte from a file, made
//! by an expression out of bytes that are named, or made out of nothing that stands in a file. Evaluation works with
//! [`Traced`] strings throughout, so an origin survives being put into a variable, a list, a macro's argument or a loop, and
//! whoever reads the rendered text can say of any range of it which bytes would have to change for the range to change.
//!
//! **Invariants:** the stretches of a text follow each other without a gap and cover it; a copied stretch is, byte for byte,
//! the bytes of its span; stretches that could be one are one.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A file, by its number in [`Files`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// Bytes `start..end` of a file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// The first byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

impl Span {
    /// The bytes `range` of a file.
    pub const fn new(file: FileId, range: Range<u32>) -> Self {
        Self { file, start: range.start, end: range.end }
    }

    /// How many bytes.
    pub const fn len(self) -> u32 {
        self.end - self.start
    }

    /// Whether it has no byte.
    pub const fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// The bytes `range` of this span, counted from its start.
    pub const fn part(self, range: Range<u32>) -> Self {
        Self { file: self.file, start: self.start + range.start, end: self.start + range.end }
    }

    /// Whether both have a byte in common.
    pub fn overlaps(self, other: Self) -> bool {
        self.file == other.file && self.start < other.end && other.start < self.end
    }

    /// As a range of a text.
    pub const fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}..{}", self.file.0, self.start, self.end)
    }
}

/// The files that a text was made of.
#[derive(Debug, Clone, Default)]
pub struct Files {
    files: Vec<(Arc<str>, Arc<str>)>,
    by_path: HashMap<Arc<str>, FileId>,
}

impl Files {
    /// Adds a file and its text, and says its number. Offsets are of 32 bits: a text of 4 GiB and more is refused with `None`.
    pub fn add(&mut self, path: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Option<FileId> {
        let text = text.into();
        u32::try_from(text.len()).ok()?;
        let id = u32::try_from(self.files.len()).ok()?;
        let path = path.into();
        self.by_path.entry(Arc::clone(&path)).or_insert(FileId(id));
        self.files.push((path, text));
        Some(FileId(id))
    }

    /// The number of a file, by its path; of several, the first one's.
    pub fn find(&self, path: &str) -> Option<FileId> {
        self.by_path.get(path).copied()
    }

    /// The path of a file.
    pub fn path(&self, file: FileId) -> &str {
        self.files.get(file.0 as usize).map_or("", |(path, _)| path)
    }

    /// The text of a file.
    pub fn text(&self, file: FileId) -> &Arc<str> {
        static EMPTY: std::sync::LazyLock<Arc<str>> = std::sync::LazyLock::new(|| Arc::from(""));
        self.files.get(file.0 as usize).map_or(&EMPTY, |(_, text)| text)
    }

    /// The bytes of a span.
    pub fn bytes(&self, span: Span) -> &str {
        self.text(span.file).get(span.range()).unwrap_or_default()
    }

    /// All files, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &str, &str)> {
        self.files.iter().enumerate().map(|(at, (path, text))| (FileId(at as u32), &**path, &**text))
    }
}

/// What whoever evaluated a template wants to know again of a stretch: which of its functions made it, with which arguments.
/// It means nothing to this crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark(pub u32);

/// Where a stretch of text comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Byte for byte from these bytes.
    Copied(Span),
    /// Made by an expression, from these bytes among others.
    Made {
        /// The bytes that it was made of: the literals whose values went into it, in the order in which they came.
        of: Arc<[Span]>,
        /// What the maker noted.
        mark: Option<Mark>,
    },
    /// Made from nothing that stands in a file: a number of a loop, the name of a target.
    Generated,
}

impl Origin {
    /// The origin of the bytes `range` of a stretch of this origin.
    fn part(&self, range: Range<u32>) -> Self {
        match self {
            Self::Copied(span) => Self::Copied(span.part(range)),
            other => other.clone(),
        }
    }

    /// The origin of two neighbours as one, if they can be one.
    fn joined(&self, next: &Self) -> Option<Self> {
        match (self, next) {
            (Self::Copied(one), Self::Copied(two)) if one.file == two.file && one.end == two.start => {
                Some(Self::Copied(Span { end: two.end, ..*one }))
            }
            (Self::Generated, Self::Generated) => Some(Self::Generated),
            _ => None,
        }
    }
}

/// Text and the origin of every byte of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Traced {
    text: String,
    /// Where each stretch ends, with its origin.
    stretches: Vec<(u32, Origin)>,
}

impl Traced {
    /// No text.
    pub const fn new() -> Self {
        Self { text: String::new(), stretches: Vec::new() }
    }

    /// Text of one origin.
    pub fn of(text: impl Into<String>, origin: Origin) -> Self {
        let text = text.into();
        let stretches = if text.is_empty() { Vec::new() } else { vec![(text.len() as u32, origin)] };
        Self { text, stretches }
    }

    /// Text that comes from no file.
    pub fn generated(text: impl Into<String>) -> Self {
        Self::of(text, Origin::Generated)
    }

    /// The bytes of a span, copied.
    pub fn copied(files: &Files, span: Span) -> Self {
        Self::of(files.bytes(span), Origin::Copied(span))
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it has no byte.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Appends text of an origin.
    pub fn push(&mut self, text: &str, origin: Origin) {
        if text.is_empty() {
            return;
        }
        self.text.push_str(text);
        let end = self.text.len() as u32;
        if let Some((last_end, last)) = self.stretches.last_mut()
            && let Some(joined) = last.joined(&origin)
        {
            (*last_end, *last) = (end, joined);
            return;
        }
        self.stretches.push((end, origin));
    }

    /// Appends another text.
    pub fn append(&mut self, other: &Self) {
        for (range, origin) in other.stretches() {
            self.push(&other.text[range], origin.clone());
        }
    }

    /// The bytes `range`, with their origins. The range must lie on character boundaries.
    pub fn slice(&self, range: Range<usize>) -> Self {
        let mut slice = Self::new();
        for (part, origin) in self.pieces(range) {
            slice.push(&self.text[part], origin);
        }
        slice
    }

    /// All stretches in order: the range of the text, and where it comes from.
    pub fn stretches(&self) -> impl Iterator<Item = (Range<usize>, &Origin)> {
        let mut start = 0;
        self.stretches.iter().map(move |(end, origin)| {
            let range = start..*end as usize;
            start = *end as usize;
            (range, origin)
        })
    }

    /// What the bytes `range` of the text consist of, in order, each stretch cut to the range.
    pub fn pieces(&self, range: Range<usize>) -> Vec<(Range<usize>, Origin)> {
        let mut at = self.stretches.partition_point(|(end, _)| *end as usize <= range.start);
        let mut start = if at == 0 { 0 } else { self.stretches[at - 1].0 as usize };
        let mut pieces = Vec::new();
        while let Some((end, origin)) = self.stretches.get(at) {
            if start >= range.end {
                break;
            }
            let (from, to) = (start.max(range.start), (*end as usize).min(range.end));
            pieces.push((from..to, origin.part((from - start) as u32..(to - start) as u32)));
            start = *end as usize;
            at += 1;
        }
        pieces
    }

    /// The bytes of a file that the bytes `range` of the text are a copy of, if they are one copy.
    pub fn copy_of(&self, range: Range<usize>) -> Option<Span> {
        match self.pieces(range).as_slice() {
            [(_, Origin::Copied(span))] => Some(*span),
            _ => None,
        }
    }

    /// All bytes of files that the text was made of, for text that is made of this one: in order, each once.
    pub fn sources(&self) -> Vec<Span> {
        let mut sources = Vec::new();
        let mut seen = HashSet::new();
        for (_, origin) in &self.stretches {
            let spans = match origin {
                Origin::Copied(span) => std::slice::from_ref(span),
                Origin::Made { of, .. } => of,
                Origin::Generated => &[],
            };
            for span in spans {
                if seen.insert(*span) {
                    sources.push(*span);
                }
            }
        }
        sources
    }

    /// Another text that was made of this one, all of it: its case changed, say. If all that was noted of it is one mark,
    /// the text made has it too.
    pub fn made_into(&self, text: impl Into<String>) -> Self {
        let text = text.into();
        if text == self.text {
            return self.clone();
        }
        let (of, mark) = (self.sources(), self.only_mark());
        let generated = of.is_empty() && mark.is_none();
        Self::of(text, if generated { Origin::Generated } else { Origin::Made { of: of.into(), mark } })
    }

    /// The mark of its stretches, if they have one mark and no other.
    pub fn only_mark(&self) -> Option<Mark> {
        let mut found = None;
        for (_, origin) in &self.stretches {
            if let Origin::Made { mark: Some(mark), .. } = origin {
                if found.is_some_and(|found| found != *mark) {
                    return None;
                }
                found = Some(*mark);
            }
        }
        found
    }
}

impl fmt::Display for Traced {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(range: Range<u32>) -> Span {
        Span::new(FileId(0), range)
    }

    #[test]
    fn neighbours_of_a_file_are_one_stretch() {
        let mut text = Traced::of("se", Origin::Copied(span(4..6)));
        text.push("lect", Origin::Copied(span(6..10)));
        text.push(" ", Origin::Generated);
        text.push("x", Origin::Copied(span(11..12)));
        assert_eq!(text.stretches().count(), 3);
        assert_eq!(text.copy_of(1..5), Some(span(5..9)));
        assert_eq!(text.copy_of(5..7), None, "the blank is not of the file");
    }

    #[test]
    fn a_slice_keeps_the_origins_of_its_bytes() {
        let mut text = Traced::of("users", Origin::Copied(span(10..15)));
        text.push("_v2", Origin::Made { of: [span(30..33)].into(), mark: Some(Mark(7)) });
        let slice = text.slice(3..6);
        assert_eq!(slice.text(), "rs_");
        let origins: Vec<_> = slice.stretches().map(|(range, origin)| (range, origin.clone())).collect();
        let made = Origin::Made { of: [span(30..33)].into(), mark: Some(Mark(7)) };
        assert_eq!(origins, [(0..2, Origin::Copied(span(13..15))), (2..3, made)]);
        assert_eq!(text.slice(0..8), text);
        assert!(text.slice(4..4).is_empty());
    }

    #[test]
    fn text_made_of_text_names_every_source_once() {
        let mut text = Traced::of("a", Origin::Copied(span(1..2)));
        text.push("1", Origin::Generated);
        text.push("b", Origin::Made { of: [span(5..6), span(1..2)].into(), mark: None });
        let made = text.made_into("A1B");
        assert_eq!(made.pieces(0..3), [(0..3, Origin::Made { of: [span(1..2), span(5..6)].into(), mark: None })]);
        assert_eq!(text.made_into("a1b"), text, "what is not changed is still a copy");
        assert_eq!(Traced::generated("1").made_into("2").pieces(0..1), [(0..1, Origin::Generated)]);
    }
}
