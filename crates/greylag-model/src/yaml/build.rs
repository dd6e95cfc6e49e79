//! From parser events to trees, within the limits.

use super::node::{Entry, Kind, Node, Style};
use super::{Document, Features, Limits, Places, Source, Stream, scalar, syntax};
use crate::code::spec as code;
use crate::diagnostic::Diagnostic;
use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};
use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// Diagnostics of one text; whatever is wrong beyond is more of the same.
const MOST_DIAGNOSTICS: usize = 1_000;
/// Deepest nesting whatever the limits say.
const DEEPEST: usize = 128;

/// Reads all documents of a text.
pub(super) fn stream(source: &Arc<Source>, limits: &Limits) -> Stream {
    let mut stream = Stream { documents: Vec::new(), diagnostics: Vec::new() };
    if source.text().len() > limits.bytes {
        stream.diagnostics.push(
            Diagnostic::error(code::YAML_LIMIT, format!("the file has more than {} bytes", limits.bytes))
                .at(Some(source.place(0..0)))
                .hint("cut it into several files"),
        );
        return stream;
    }
    let mut builder = Builder::new(source, limits);
    let mut begin = 0;
    while let Err(stop) = builder.read_from(begin, &mut stream) {
        let error_line = source.line_start(stop.at.max(begin));
        builder.diagnostics.push(*stop.diagnostic);
        stream.diagnostics.append(&mut builder.diagnostics);
        let next = source
            .line_starts_from(error_line)
            .find(|line| *line > begin.max(builder.document_start) && starts_document(&source.text()[*line..]));
        match next {
            Some(line) if !stop.last && stream.diagnostics.len() < MOST_DIAGNOSTICS => begin = line,
            _ => break,
        }
        builder.forget_document();
    }
    stream.diagnostics.append(&mut builder.diagnostics);
    stream.diagnostics.sort_by_key(|diagnostic| diagnostic.place.as_ref().map(|place| place.span.0));
    stream
}

/// Whether a line begins with the document marker.
fn starts_document(line: &str) -> bool {
    line.strip_prefix("---").is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

/// Why reading stopped.
struct Stop {
    diagnostic: Box<Diagnostic>,
    /// Byte at which.
    at: usize,
    /// Whether the rest of the text is not worth looking at.
    last: bool,
}

/// A collection that is being read.
struct Frame {
    start: usize,
    anchor: usize,
    open: Open,
}

enum Open {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, key: Option<Key> },
}

/// A key that waits for its value.
struct Key {
    text: Box<str>,
    range: Range<usize>,
    /// What becomes of the value.
    role: Role,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Ordinary,
    /// `<<`
    Merge,
    /// The key itself was wrong: the value is read and left out.
    Ignored,
}

struct Builder<'a> {
    source: &'a Arc<Source>,
    limits: &'a Limits,
    frames: Vec<Frame>,
    root: Option<Node>,
    anchors: HashMap<usize, Node>,
    /// Of the present document.
    diagnostics: Vec<Diagnostic>,
    /// Whether it has none.
    sound: bool,
    document_start: usize,
    nodes: usize,
    repeated_bytes: usize,
    /// Byte at which the present parser's text begins, and the characters before it.
    base: (usize, usize),
}

impl<'a> Builder<'a> {
    fn new(source: &'a Arc<Source>, limits: &'a Limits) -> Self {
        Self {
            source,
            limits,
            frames: Vec::new(),
            root: None,
            anchors: HashMap::new(),
            diagnostics: Vec::new(),
            sound: true,
            document_start: 0,
            nodes: 0,
            repeated_bytes: 0,
            base: (0, 0),
        }
    }

    fn forget_document(&mut self) {
        self.frames.clear();
        self.root = None;
        self.anchors.clear();
        self.sound = true;
    }

    fn read_from(&mut self, begin: usize, stream: &mut Stream) -> Result<(), Stop> {
        self.base = (begin, self.source.characters_before(begin));
        let mut parser = Parser::new_from_str(&self.source.text()[begin..]);
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| self.syntax_error(&error))?;
            let range = self.range(span);
            match event {
                Event::DocumentStart(_) => self.document_start = range.start,
                Event::DocumentEnd => self.end_document(stream),
                _ => self.event(event, range)?,
            }
            if self.diagnostics.len() + stream.diagnostics.len() >= MOST_DIAGNOSTICS {
                return Err(self.stop_last(
                    code::YAML_LIMIT,
                    format!("more than {MOST_DIAGNOSTICS} errors: the rest of the file was not read"),
                    self.range(span).start,
                ));
            }
        }
        Ok(())
    }

    fn end_document(&mut self, stream: &mut Stream) {
        if let Some(root) = self.root.take().filter(|root| root.kind != Kind::Null) {
            stream.documents.push(Document { places: Places::new(self.source.clone(), root), sound: self.sound });
        }
        stream.diagnostics.append(&mut self.diagnostics);
        self.forget_document();
    }

    fn event(&mut self, event: Event<'_>, range: Range<usize>) -> Result<(), Stop> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.count(&range, 1, 0)?;
                self.refuse_features(anchor, tag.as_deref(), &range);
                let kind = self.scalar(text, style, tag.as_deref(), &range);
                self.node(Node { range, kind }, anchor, style == ScalarStyle::Plain)
            }
            Event::SequenceStart(anchor, tag) => {
                self.open(range, anchor, tag.as_deref(), "seq", Open::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                self.open(range, anchor, tag.as_deref(), "map", Open::Map { entries: Vec::new(), key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(&range),
            Event::Alias(anchor) => self.alias(anchor, range),
            _ => Ok(()),
        }
    }

    fn open(
        &mut self,
        range: Range<usize>,
        anchor: usize,
        tag: Option<&Tag>,
        fitting: &str,
        open: Open,
    ) -> Result<(), Stop> {
        self.count(&range, 1, 0)?;
        self.refuse_features(anchor, tag, &range);
        if self.limits.features == Features::Full && tag.is_some_and(|tag| !is_core(tag, fitting)) {
            self.error(code::YAML_FEATURE, format!("the tag `{}` is unknown", tag_text(tag)), &range, None);
        }
        if self.frames.len() >= self.limits.depth.min(DEEPEST) {
            let most = self.limits.depth.min(DEEPEST);
            let diagnostic = Diagnostic::error(code::YAML_LIMIT, format!("more than {most} levels inside each other"))
                .at(Some(self.source.place(range.clone())));
            return Err(Stop { diagnostic: Box::new(diagnostic), at: range.start, last: false });
        }
        self.frames.push(Frame { start: range.start, anchor, open });
        Ok(())
    }

    fn close(&mut self, range: &Range<usize>) -> Result<(), Stop> {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        let kind = match frame.open {
            Open::List(items) => Kind::List(items),
            Open::Map { entries, .. } => Kind::Map(self.without_duplicates(entries)),
        };
        let node = Node { range: frame.start..range.end.max(frame.start), kind };
        self.node(node, frame.anchor, false)
    }

    /// Takes a complete node to where it belongs.
    fn node(&mut self, node: Node, anchor: usize, plain: bool) -> Result<(), Stop> {
        if anchor > 0 && self.limits.features == Features::Full {
            let (nodes, bytes) = node.cost();
            self.count(&node.range, nodes, bytes)?;
            self.anchors.insert(anchor, node.clone());
        }
        match self.frames.last_mut() {
            None => self.root = Some(node),
            Some(Frame { open: Open::List(items), .. }) => items.push(node),
            Some(Frame { open: Open::Map { entries, key }, .. }) => match key.take() {
                Some(Key { text, range, role: Role::Ordinary }) => {
                    entries.push(Entry { key: text, range, value: node });
                }
                Some(Key { role: Role::Ignored, .. }) => {}
                Some(Key { range, role: Role::Merge, .. }) => self.merge(&range, node),
                None => {
                    let key = self.key(node, plain);
                    if let Some(Frame { open: Open::Map { key: place, .. }, .. }) = self.frames.last_mut() {
                        *place = Some(key);
                    }
                }
            },
        }
        Ok(())
    }

    fn key(&mut self, node: Node, plain: bool) -> Key {
        let range = node.range;
        let text = match node.kind {
            Kind::Boolean(_, text) | Kind::Number(_, text) | Kind::String(text, _) => text,
            Kind::Null => self.source.text()[range.clone()].into(),
            Kind::List(_) | Kind::Map(_) => {
                let hint = "put text in braces into quotes: `\"{{ … }}\"`";
                self.error(code::YAML_KEY, "a key is a collection, not text", &range, Some(hint));
                return Key { text: Box::default(), range, role: Role::Ignored };
            }
        };
        if plain && &*text == "<<" {
            if self.limits.features == Features::Full {
                return Key { text, range, role: Role::Merge };
            }
            self.refuse("merge key", &range);
            return Key { text, range, role: Role::Ignored };
        }
        Key { text, range, role: Role::Ordinary }
    }

    /// Adds the entries of a merged mapping (or of several) that are not there yet. Keys that follow in the mapping
    /// win too: see [`Self::without_duplicates`].
    fn merge(&mut self, range: &Range<usize>, node: Node) {
        let maps = match node.kind {
            Kind::Map(entries) => vec![entries],
            Kind::List(items) if items.iter().all(|item| matches!(item.kind, Kind::Map(_))) => items
                .into_iter()
                .filter_map(|item| if let Kind::Map(entries) = item.kind { Some(entries) } else { None })
                .collect(),
            _ => return self.error(code::YAML_FEATURE, "a merge key needs a mapping, or a list of them", range, None),
        };
        if let Some(Frame { open: Open::Map { entries, .. }, .. }) = self.frames.last_mut() {
            // An empty key range marks what was merged.
            entries.extend(maps.into_iter().flatten().map(|entry| Entry { range: range.end..range.end, ..entry }));
        }
    }

    /// The entries without repeated keys: the first stays, and an explicit one before a merged one.
    fn without_duplicates(&mut self, entries: Vec<Entry>) -> Vec<Entry> {
        let mut dropped: Vec<usize> = Vec::new();
        let mut repeated: Vec<(usize, usize)> = Vec::new();
        let mut seen: HashMap<&str, usize> = HashMap::with_capacity(entries.len());
        for (index, entry) in entries.iter().enumerate() {
            let Some(first) = seen.insert(&entry.key, index) else { continue };
            match (entries[first].range.is_empty(), entry.range.is_empty()) {
                (true, false) => dropped.push(first),
                (_, true) => {
                    dropped.push(index);
                    seen.insert(&entry.key, first);
                }
                (false, false) => {
                    dropped.push(index);
                    repeated.push((index, first));
                    seen.insert(&entry.key, first);
                }
            }
        }
        for (index, first) in repeated {
            let entry = &entries[index];
            let line = self.source.place(entries[first].range.clone()).line;
            let hint = format!("it was given in line {line}: keep one of them");
            self.error(
                code::DUPLICATE_KEY,
                format!("the key `{}` is given twice", entry.key),
                &entry.range,
                Some(&hint),
            );
        }
        if dropped.is_empty() {
            return entries;
        }
        dropped.sort_unstable();
        let mut dropped = dropped.into_iter().peekable();
        let kept = entries.into_iter().enumerate().filter(|(index, _)| dropped.next_if_eq(index).is_none());
        kept.map(|(_, entry)| entry).collect()
    }

    fn scalar(&mut self, text: Cow<'_, str>, style: ScalarStyle, tag: Option<&Tag>, range: &Range<usize>) -> Kind {
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted => Style::Single,
            ScalarStyle::DoubleQuoted => Style::Double,
            ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
        };
        let followed = tag.filter(|_| self.limits.features == Features::Full);
        let as_text = followed.is_some_and(|tag| is_core(tag, "str") || (tag.handle.is_empty() && tag.suffix == "!"));
        if style != Style::Plain || as_text {
            return Kind::String(text.into(), style);
        }
        if let Some(tag) =
            followed.filter(|tag| !["int", "float", "bool", "null"].iter().any(|name| is_core(tag, name)))
        {
            self.error(code::YAML_FEATURE, format!("the tag `{}` is unknown", tag_text(Some(tag))), range, None);
        }
        scalar::plain(&text).unwrap_or_else(|()| {
            let hint = format!("put it in quotes if it is meant as text: `\"{text}\"`");
            self.error(code::YAML_NUMBER, format!("the number `{text}` cannot be kept exactly"), range, Some(&hint));
            Kind::Null
        })
    }

    fn alias(&mut self, anchor: usize, range: Range<usize>) -> Result<(), Stop> {
        if self.limits.features == Features::Plain {
            self.count(&range, 1, 0)?;
            self.refuse("alias", &range);
            return self.node(Node { range, kind: Kind::Null }, 0, false);
        }
        let Some(node) = self.anchors.get(&anchor) else {
            let message = if self.frames.iter().any(|frame| frame.anchor == anchor) {
                "an alias stands inside what it repeats"
            } else {
                "an alias to an anchor of another document"
            };
            let diagnostic = Diagnostic::error(code::YAML_FEATURE, message).at(Some(self.source.place(range.clone())));
            return Err(Stop { diagnostic: Box::new(diagnostic), at: range.start, last: false });
        };
        let (nodes, bytes) = node.cost();
        let copy = node.clone();
        self.count(&range, nodes, bytes)?;
        self.check_depth(&copy, &range)?;
        self.node(Node { range, kind: copy.kind }, 0, false)
    }

    /// An alias brings its own levels with it.
    fn check_depth(&self, node: &Node, range: &Range<usize>) -> Result<(), Stop> {
        let most = self.limits.depth.min(DEEPEST);
        if self.frames.len() + depth(node) <= most {
            return Ok(());
        }
        let diagnostic = Diagnostic::error(code::YAML_LIMIT, format!("more than {most} levels inside each other"))
            .at(Some(self.source.place(range.clone())));
        Err(Stop { diagnostic: Box::new(diagnostic), at: range.start, last: false })
    }

    fn count(&mut self, range: &Range<usize>, nodes: usize, bytes: usize) -> Result<(), Stop> {
        self.nodes += nodes;
        self.repeated_bytes += bytes;
        if self.nodes > self.limits.nodes {
            let message = format!("more than {} keys and values", self.limits.nodes);
            return Err(self.stop_last(code::YAML_LIMIT, message, range.start));
        }
        if self.repeated_bytes > self.limits.bytes {
            let message = format!("aliases repeat more than {} bytes", self.limits.bytes);
            return Err(self.stop_last(code::YAML_LIMIT, message, range.start));
        }
        Ok(())
    }

    fn stop_last(&self, code: crate::code::Code, message: String, at: usize) -> Stop {
        let diagnostic = Diagnostic::error(code, message)
            .at(Some(self.source.place(at..at)))
            .hint("cut the file into several, or look for what repeats itself");
        Stop { diagnostic: Box::new(diagnostic), at, last: true }
    }

    fn refuse_features(&mut self, anchor: usize, tag: Option<&Tag>, range: &Range<usize>) {
        if self.limits.features == Features::Full {
            return;
        }
        if anchor > 0 {
            self.refuse("anchor", range);
        }
        if tag.is_some() {
            self.refuse(&format!("tag `{}`", tag_text(tag)), range);
        }
    }

    fn refuse(&mut self, what: &str, range: &Range<usize>) {
        let article = if what.starts_with('a') { "an" } else { "a" };
        let message = format!("{article} {what} is not read in this file");
        self.error(code::YAML_FEATURE, message, range, Some("write the value out where it is used"));
    }

    fn error(&mut self, code: crate::code::Code, message: impl Into<String>, range: &Range<usize>, hint: Option<&str>) {
        self.sound = false;
        if self.diagnostics.len() >= MOST_DIAGNOSTICS {
            return;
        }
        let mut diagnostic = Diagnostic::error(code, message).at(Some(self.source.place(range.clone())));
        diagnostic.hints.extend(hint.map(str::to_owned));
        self.diagnostics.push(diagnostic);
    }

    fn syntax_error(&self, error: &saphyr_parser::ScanError) -> Stop {
        let at = self.source.byte_of_character(self.base.1 + error.marker().index());
        let diagnostic = syntax::diagnostic(self.source, at, error.info(), self.limits.depth.min(DEEPEST));
        Stop { diagnostic: Box::new(diagnostic), at, last: false }
    }

    fn range(&self, span: Span) -> Range<usize> {
        let start = self.source.byte_of_character(self.base.1 + span.start.index());
        let end = self.source.byte_of_character(self.base.1 + span.end.index().max(span.start.index()));
        start..end
    }
}

fn depth(node: &Node) -> usize {
    match &node.kind {
        Kind::List(items) => 1 + items.iter().map(depth).max().unwrap_or_default(),
        Kind::Map(entries) => 1 + entries.iter().map(|entry| depth(&entry.value)).max().unwrap_or_default(),
        _ => 0,
    }
}

fn is_core(tag: &Tag, name: &str) -> bool {
    tag.is_yaml_core_schema() && tag.suffix == name
}

fn tag_text(tag: Option<&Tag>) -> String {
    tag.map_or_else(
        String::new,
        |tag| if tag.is_yaml_core_schema() { format!("!!{}", tag.suffix) } else { tag.to_string() },
    )
}
