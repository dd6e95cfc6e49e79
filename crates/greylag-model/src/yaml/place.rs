//! From JSON pointers to places in the file.

use super::node::{Entry, Kind, Node, Style};
use super::source::Source;
use crate::diagnostic::Place;
use std::ops::Range;
use std::sync::Arc;

/// Where the keys and values of a document stand, asked for by JSON pointer (`/spec/datasets/0/from`). Cheap to clone.
#[derive(Clone, Debug)]
pub struct Places {
    source: Arc<Source>,
    root: Arc<Node>,
}

impl Places {
    pub(super) fn new(source: Arc<Source>, root: Node) -> Self {
        Self { source, root: Arc::new(root) }
    }

    /// The root of the tree.
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// The text and its file.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// As JSON. Plain scalars under the keys of `texts` stay the text they were written as, so that `default: 1.50`
    /// keeps its digits and `misfit: null` means the word.
    pub fn to_json(&self, texts: &[&str]) -> serde_json::Value {
        self.root.json(self.source.text(), texts)
    }

    /// The text that a scalar was written as, if there is any.
    pub fn scalar_text<'a>(&'a self, node: &'a Node) -> Option<&'a str> {
        node.scalar_text(self.source.text())
    }

    /// The node at a pointer.
    pub fn node(&self, pointer: &str) -> Option<&Node> {
        self.walk(pointer).filter(|found| found.complete).map(|found| found.node)
    }

    /// The place of the value at a pointer, or of the nearest thing around it that exists.
    pub fn value(&self, pointer: &str) -> Place {
        self.walk(pointer).map_or_else(|| self.source.place(0..0), |found| self.of(found.node))
    }

    /// The place of the key at a pointer's end; of the value where there is no key (a list's item), of the nearest thing
    /// around it that exists.
    pub fn key(&self, pointer: &str) -> Place {
        match self.walk(pointer) {
            Some(Found { entry: Some(entry), complete: true, .. }) => self.source.place(entry.range.clone()),
            Some(found) => self.of(found.node),
            None => self.source.place(0..0),
        }
    }

    /// The place of a byte range *within the text* at a pointer, whatever its quotes, escapes and folds.
    pub fn within(&self, pointer: &str, range: Range<usize>) -> Place {
        self.node(pointer).map_or_else(|| self.value(pointer), |node| self.within_node(node, range))
    }

    /// The place of a byte range within the text of a node of this tree.
    pub fn within_node(&self, node: &Node, range: Range<usize>) -> Place {
        let Kind::String(text, style) = &node.kind else { return self.of(node) };
        let start = self.offset(node, text, *style, range.start);
        let end = if range.end > range.start {
            // The end is after the last byte of the range, which need not be before the next one in the file.
            let last = text[..range.end.min(text.len())].char_indices().next_back().map_or(range.start, |(at, _)| at);
            let width = range.end.min(text.len()).saturating_sub(last);
            self.offset(node, text, *style, last) + width
        } else {
            start
        };
        // Where text and file do not go together (an anchor before an unclosed quote, say) the walk only comes near.
        let file = self.source.text();
        self.source.place(file.floor_char_boundary(start)..file.ceil_char_boundary(end.max(start)))
    }

    /// Where the `at`-th byte of a scalar's text stands in the file.
    ///
    /// Text and file are walked side by side. Characters other than white space correspond one to one once quotes and
    /// escapes are undone; a run of white space may have been folded, so each side skips its own.
    fn offset(&self, node: &Node, text: &str, style: Style, at: usize) -> usize {
        let raw = &self.source.text()[node.range.clone()];
        let mut cursor = match style {
            Style::Plain => 0,
            Style::Single | Style::Double => 1,
            Style::Block => block_content(raw),
        };
        for (index, letter) in text.char_indices() {
            if style == Style::Double {
                cursor += line_continuation(&raw[cursor.min(raw.len())..]);
            }
            let rest = &raw[cursor.min(raw.len())..];
            let (seen, width) = step(rest, style);
            if letter.is_whitespace() {
                if index >= at {
                    break;
                }
                if seen == Some(letter) {
                    cursor += width;
                } else {
                    cursor += rest.len() - rest.trim_start().len();
                }
                continue;
            }
            if seen != Some(letter) {
                cursor += rest.len() - rest.trim_start().len();
            }
            if index >= at {
                break;
            }
            cursor += step(&raw[cursor.min(raw.len())..], style).1;
        }
        node.range.start + cursor.min(raw.len())
    }

    /// The place of a node of this tree. A collection in block style ends far below: its place is its first line.
    pub fn of(&self, node: &Node) -> Place {
        let end = match node.kind {
            Kind::List(_) | Kind::Map(_) => {
                let text = &self.source.text()[node.range.clone()];
                node.range.start + text.lines().next().unwrap_or_default().trim_end().len()
            }
            _ => node.range.end,
        };
        self.source.place(node.range.start..end)
    }

    fn walk(&self, pointer: &str) -> Option<Found<'_>> {
        let mut found = Found { node: &self.root, entry: None, complete: true };
        if pointer.is_empty() {
            return Some(found);
        }
        for part in pointer.strip_prefix('/')?.split('/') {
            let next = match &found.node.kind {
                Kind::Map(_) => {
                    let entry = found.node.entry(&part.replace("~1", "/").replace("~0", "~"));
                    entry.map(|entry| (&entry.value, Some(entry)))
                }
                Kind::List(items) => {
                    part.parse().ok().and_then(|index: usize| items.get(index)).map(|item| (item, None))
                }
                _ => None,
            };
            let Some((node, entry)) = next else { return Some(Found { complete: false, ..found }) };
            found = Found { node, entry, complete: true };
        }
        Some(found)
    }
}

struct Found<'a> {
    node: &'a Node,
    entry: Option<&'a Entry>,
    /// Whether the whole pointer was followed.
    complete: bool,
}

/// Length of a block scalar's header, its line break included.
fn block_content(raw: &str) -> usize {
    if raw.starts_with(['|', '>']) { raw.find('\n').map_or(raw.len(), |at| at + 1) } else { 0 }
}

/// Length of an escaped line break and the white space after it.
fn line_continuation(raw: &str) -> usize {
    match raw.strip_prefix('\\') {
        Some(rest) if rest.starts_with(['\n', '\r']) => 1 + rest.len() - rest.trim_start().len(),
        _ => 0,
    }
}

/// The character that stands at the start of `raw`, and the bytes it takes there.
fn step(raw: &str, style: Style) -> (Option<char>, usize) {
    let Some(first) = raw.chars().next() else { return (None, 0) };
    match style {
        Style::Single if raw.starts_with("''") => (Some('\''), 2),
        Style::Double if first == '\\' => escape(&raw[1..]),
        _ => (Some(first), first.len_utf8()),
    }
}

/// The character of an escape sequence (after its backslash), and the bytes of the whole sequence.
fn escape(rest: &str) -> (Option<char>, usize) {
    let Some(kind) = rest.chars().next() else { return (None, 1) };
    let digits = |count: usize| {
        let code = rest.get(1..=count).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        (code.and_then(char::from_u32), (2 + count).min(1 + rest.len()))
    };
    let letter = match kind {
        'x' => return digits(2),
        'u' => return digits(4),
        'U' => return digits(8),
        '0' => '\0',
        'a' => '\u{7}',
        'b' => '\u{8}',
        't' => '\t',
        'n' => '\n',
        'v' => '\u{b}',
        'f' => '\u{c}',
        'r' => '\r',
        'e' => '\u{1b}',
        'N' => '\u{85}',
        '_' => '\u{a0}',
        'L' => '\u{2028}',
        'P' => '\u{2029}',
        other => other,
    };
    (Some(letter), 1 + kind.len_utf8())
}
