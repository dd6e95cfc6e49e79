//! YAML whose scalars know their bytes.
//!
//! A plain or quoted scalar without escapes is a copy of its bytes; any other is made of them. Aliases are followed, `<<` is merged,
//! and a document is read up to a depth and a number of nodes that honest files do not reach.

use greylag_syntax::trace::{FileId, Origin, Span, Traced};
use saphyr_parser::{Event, Parser, ScalarStyle};
use std::collections::HashMap;
use std::sync::Arc;

/// How deep a document may nest.
const DEPTH: usize = 64;
/// How many nodes a document may have once its aliases are followed.
const NODES: usize = 2_000_000;
/// How many texts in quotes may go on where YAML forbids it, and what the parser says of one.
const MENDED: usize = 500;
const INDENTED: &str = "invalid indentation in quoted scalar";

/// A node of a document.
#[derive(Debug, Clone)]
pub(super) enum Yaml {
    Scalar(Scalar),
    List(Arc<[Self]>),
    Map(Arc<[(Scalar, Self)]>),
}

/// Text of a document.
#[derive(Debug, Clone)]
pub(super) struct Scalar {
    /// The text with its origin.
    pub(super) text: Arc<Traced>,
    /// All its bytes, quotes included.
    pub(super) at: Span,
    /// Whether it is without quotes, so that `true`, `1` and `null` are no text.
    pub(super) plain: bool,
}

impl Scalar {
    /// Its bytes without quotes, if they are its text.
    pub(super) fn inner(&self) -> Option<Span> {
        self.text.copy_of(0..self.text.text().len())
    }

    pub(super) fn as_str(&self) -> &str {
        self.text.text()
    }
}

impl Yaml {
    /// The value of a key, if this is a map.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|(found, _)| found.as_str() == key).map(|(_, value)| value)
    }

    /// The entries of a map, none if it is none.
    pub(super) fn entries(&self) -> &[(Scalar, Self)] {
        if let Self::Map(entries) = self { entries } else { &[] }
    }

    /// The items of a list, none if it is none.
    pub(super) fn items(&self) -> &[Self] {
        if let Self::List(items) = self { items } else { &[] }
    }

    pub(super) fn scalar(&self) -> Option<&Scalar> {
        if let Self::Scalar(scalar) = self { Some(scalar) } else { None }
    }

    /// The scalar of a key.
    pub(super) fn text(&self, key: &str) -> Option<&Scalar> {
        self.get(key)?.scalar().filter(|scalar| !scalar.plain || !is_null(scalar.as_str()))
    }

    /// The scalars of a list, or the only one.
    pub(super) fn texts(&self) -> Vec<&Scalar> {
        match self {
            Self::Scalar(scalar) => vec![scalar],
            other => other.items().iter().filter_map(Self::scalar).collect(),
        }
    }

    /// The texts of a map, each with the key that it stands under, however deep.
    pub(super) fn named_texts(&self) -> Vec<(String, Arc<Traced>)> {
        let mut found = Vec::new();
        for (key, value) in self.entries() {
            let mut scalars = Vec::new();
            value.all_scalars(&mut scalars);
            found.extend(scalars.into_iter().map(|scalar| (key.as_str().to_owned(), scalar.text.clone())));
        }
        found
    }

    /// From the first to the last byte of its scalars and keys, if there are any.
    pub(super) fn at(&self) -> Option<Span> {
        let joined = |one: Option<Span>, other: Option<Span>| match (one, other) {
            (Some(one), Some(other)) if one.file == other.file => {
                Some(Span { start: one.start.min(other.start), end: one.end.max(other.end), ..one })
            }
            (one, other) => one.or(other),
        };
        match self {
            Self::Scalar(scalar) => Some(scalar.at),
            Self::List(items) => items.iter().map(Self::at).fold(None, joined),
            Self::Map(entries) => {
                entries.iter().map(|(key, value)| joined(Some(key.at), value.at())).fold(None, joined)
            }
        }
    }

    /// Every scalar in it.
    pub(super) fn all_scalars<'a>(&'a self, found: &mut Vec<&'a Scalar>) {
        match self {
            Self::Scalar(scalar) => found.push(scalar),
            Self::List(items) => {
                for item in items.iter() {
                    item.all_scalars(found);
                }
            }
            Self::Map(entries) => {
                for (_, value) in entries.iter() {
                    value.all_scalars(found);
                }
            }
        }
    }
}

/// The places of all keys and scalars of a file of YAML, descriptions left out; none of what cannot be read.
pub(crate) fn places(file: FileId, text: &str) -> Vec<Span> {
    fn collect(yaml: &Yaml, found: &mut Vec<Span>) {
        match yaml {
            Yaml::Scalar(scalar) => found.push(scalar.at),
            Yaml::List(items) => items.iter().for_each(|item| collect(item, found)),
            Yaml::Map(entries) => {
                for (key, value) in entries.iter().filter(|(key, _)| key.as_str() != "description") {
                    found.push(key.at);
                    collect(value, found);
                }
            }
        }
    }
    let mut found = Vec::new();
    if let Ok(Some(yaml)) = read(file, text) {
        collect(&yaml, &mut found);
    }
    found
}

pub(super) fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// The first document of a file.
///
/// # Errors
/// What is wrong with it, with line and column.
pub(super) fn read(file: FileId, text: &str) -> Result<Option<Yaml>, String> {
    let first = match read_strictly(file, text, text) {
        Ok(yaml) => return Ok(yaml),
        Err(error) => error,
    };
    // dbt's parser lets lists in brackets go on at any column, and so texts in quotes.
    let (mut flat, mut error) = match super::flow::on_one_line(text) {
        Some(flat) => match read_strictly(file, &flat, text) {
            Ok(yaml) => return Ok(yaml),
            Err(error) => (flat, error),
        },
        None => (text.to_owned(), first.clone()),
    };
    for _ in 0..MENDED {
        let at = error.ends_with(INDENTED).then(|| place_of(&flat, &error)).flatten();
        let Some(next) = at.and_then(|at| super::flow::quoted_on_one_line(&flat, at)) else { break };
        flat = next;
        error = match read_strictly(file, &flat, text) {
            Ok(yaml) => return Ok(yaml),
            Err(error) => error,
        };
    }
    Err(first)
}

/// The byte at the line and column that a message begins with.
fn place_of(text: &str, message: &str) -> Option<usize> {
    let mut parts = message.splitn(3, ':');
    let (line, column) = (parts.next()?.parse::<usize>().ok()?, parts.next()?.parse::<usize>().ok()?);
    let mut lines = text.split_inclusive('\n');
    let start: usize = lines.clone().take(line.checked_sub(1)?).map(str::len).sum();
    let (at, _) = lines.nth(line - 1)?.char_indices().nth(column.checked_sub(1)?)?;
    Some(start + at)
}

/// Reads a text whose bytes stand where they stand in the file's own.
fn read_strictly(file: FileId, text: &str, own: &str) -> Result<Option<Yaml>, String> {
    let mut reader = Reader { file, text: own, bytes: bytes_of(text), anchors: HashMap::new(), nodes: 0 };
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event
            .map_err(|error| format!("{}:{}: {}", error.marker().line(), error.marker().col() + 1, error.info()))?;
        match event {
            Event::StreamStart | Event::DocumentStart(_) | Event::Nothing => {}
            Event::StreamEnd | Event::DocumentEnd => return Ok(None),
            event => return reader.node(event, span, &mut parser, 0).map(Some),
        }
    }
    Ok(None)
}

/// At which byte each character begins, if not each is one.
fn bytes_of(text: &str) -> Option<Vec<u32>> {
    (!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| at as u32).chain([text.len() as u32]).collect())
}

struct Reader<'a> {
    file: FileId,
    text: &'a str,
    bytes: Option<Vec<u32>>,
    anchors: HashMap<usize, (Yaml, usize)>,
    nodes: usize,
}

type Events<'a> = Parser<'a, saphyr_parser::StrInput<'a>>;

impl<'a> Reader<'a> {
    fn span(&self, span: saphyr_parser::Span) -> Span {
        let byte = |index: usize| match &self.bytes {
            Some(bytes) => bytes.get(index).copied().unwrap_or(self.text.len() as u32),
            None => (index as u32).min(self.text.len() as u32),
        };
        let (start, end) = (byte(span.start.index()), byte(span.end.index()));
        Span::new(self.file, start..end.max(start))
    }

    fn count(&mut self, nodes: usize, span: saphyr_parser::Span) -> Result<(), String> {
        self.nodes += nodes;
        if self.nodes > NODES {
            return Err(format!("{}:1: the document has more than {NODES} nodes", span.start.line()));
        }
        Ok(())
    }

    fn node(
        &mut self,
        event: Event<'a>,
        span: saphyr_parser::Span,
        parser: &mut Events<'a>,
        depth: usize,
    ) -> Result<Yaml, String> {
        self.count(1, span)?;
        if depth > DEPTH {
            return Err(format!("{}:1: nested deeper than {DEPTH} levels", span.start.line()));
        }
        let before = self.nodes;
        let (node, anchor) = match event {
            Event::Scalar(text, style, anchor, _) => (Yaml::Scalar(self.scalar(&text, style, span)), anchor),
            Event::SequenceStart(anchor, _) => {
                let mut items = Vec::new();
                while let Some((event, span)) = next(parser)? {
                    if event == Event::SequenceEnd {
                        break;
                    }
                    items.push(self.node(event, span, parser, depth + 1)?);
                }
                (Yaml::List(items.into()), anchor)
            }
            Event::MappingStart(anchor, _) => (Yaml::Map(self.map(parser, depth)?.into()), anchor),
            Event::Alias(anchor) => {
                let (node, size) = self
                    .anchors
                    .get(&anchor)
                    .cloned()
                    .ok_or_else(|| format!("{}:1: an alias stands before its anchor", span.start.line()))?;
                self.count(size, span)?;
                return Ok(node);
            }
            _ => (Yaml::Map(Arc::new([])), 0),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), self.nodes - before));
        }
        Ok(node)
    }

    fn map(&mut self, parser: &mut Events<'a>, depth: usize) -> Result<Vec<(Scalar, Yaml)>, String> {
        let mut entries: Vec<(Scalar, Yaml)> = Vec::new();
        let mut merged = Vec::new();
        while let Some((event, span)) = next(parser)? {
            if event == Event::MappingEnd {
                break;
            }
            let key = self.node(event, span, parser, depth + 1)?;
            let Some((event, span)) = next(parser)? else { break };
            let value = self.node(event, span, parser, depth + 1)?;
            match key {
                Yaml::Scalar(key) if key.plain && key.as_str() == "<<" => merged.push(value),
                Yaml::Scalar(key) => entries.push((key, value)),
                _ => {}
            }
        }
        for map in &merged {
            let maps = if let Yaml::List(maps) = map { maps.to_vec() } else { vec![map.clone()] };
            for (key, value) in maps.iter().flat_map(Yaml::entries) {
                if !entries.iter().any(|(found, _)| found.as_str() == key.as_str()) {
                    entries.push((key.clone(), value.clone()));
                }
            }
        }
        Ok(entries)
    }

    fn scalar(&self, text: &str, style: ScalarStyle, span: saphyr_parser::Span) -> Scalar {
        let at = self.span(span);
        let source = self.text.get(at.range()).unwrap_or_default();
        let skip = u32::from(matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted));
        let inner = Span { start: at.start + skip, end: at.start + skip + text.len() as u32, ..at };
        let is_copy = source.get(skip as usize..).is_some_and(|source| source.starts_with(text));
        let origin = if is_copy { Origin::Copied(inner) } else { Origin::Made { of: [at].into(), mark: None } };
        let at = if is_copy { Span { end: inner.end + skip, ..at } } else { at };
        Scalar { text: Arc::new(Traced::of(text, origin)), at, plain: style == ScalarStyle::Plain }
    }
}

fn next<'a>(parser: &mut Events<'a>) -> Result<Option<(Event<'a>, saphyr_parser::Span)>, String> {
    parser
        .next_event()
        .transpose()
        .map_err(|error| format!("{}:{}: {}", error.marker().line(), error.marker().col() + 1, error.info()))
}
