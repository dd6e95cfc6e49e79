//! The tree: what was read, each node with its byte range.

use serde_json::{Map, Number, Value};
use std::ops::Range;

/// A node and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Byte range in the source's text. For a collection in block style it ends where the next thing begins.
    pub range: Range<usize>,
    /// What it is.
    pub kind: Kind,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Null, or a key without a value.
    Null,
    /// A boolean and its text.
    Boolean(bool, Box<str>),
    /// A number and its text, from which nothing was lost.
    Number(Number, Box<str>),
    /// Text.
    String(Box<str>, Style),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order of the file; keys are unique.
    Map(Vec<Entry>),
}

/// How a text was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// In single quotes.
    Single,
    /// In double quotes.
    Double,
    /// A block: `|` or `>`.
    Block,
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key's text.
    pub key: Box<str>,
    /// Where the key stands.
    pub range: Range<usize>,
    /// The value.
    pub value: Node,
}

impl Node {
    /// The value of a key, if this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The entry of a key, if this is a mapping that has it.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.kind {
            Kind::Map(entries) => entries.iter().find(|entry| &*entry.key == key),
            _ => None,
        }
    }

    /// The text, if this is one.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::String(text, _) => Some(text),
            _ => None,
        }
    }

    /// The text that a scalar was written as, if there is any: `1.50`, `true`, `null`.
    pub(super) fn scalar_text<'a>(&'a self, source: &'a str) -> Option<&'a str> {
        match &self.kind {
            Kind::Null => source.get(self.range.clone()).filter(|text| !text.is_empty()),
            Kind::Boolean(_, text) | Kind::Number(_, text) | Kind::String(text, _) => Some(text),
            Kind::List(_) | Kind::Map(_) => None,
        }
    }

    /// What it is called in messages.
    pub fn noun(&self) -> &'static str {
        match self.kind {
            Kind::Null => "nothing",
            Kind::Boolean(..) => "a boolean",
            Kind::Number(..) => "a number",
            Kind::String(..) => "text",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a mapping",
        }
    }

    /// As JSON.
    pub fn to_json(&self) -> Value {
        self.json("", &[])
    }

    pub(super) fn json(&self, source: &str, texts: &[&str]) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Boolean(value, _) => Value::Bool(*value),
            Kind::Number(value, _) => Value::Number(value.clone()),
            Kind::String(text, _) => Value::String(text.to_string()),
            Kind::List(items) => Value::Array(items.iter().map(|item| item.json(source, texts)).collect()),
            Kind::Map(entries) => {
                let json = |entry: &Entry| (entry.key.to_string(), entry.json(source, texts));
                Value::Object(entries.iter().map(json).collect::<Map<_, _>>())
            }
        }
    }

    /// Nodes and bytes of text in it: what another copy would cost.
    pub(super) fn cost(&self) -> (usize, usize) {
        match &self.kind {
            Kind::Null => (1, 0),
            Kind::Boolean(_, text) | Kind::Number(_, text) | Kind::String(text, _) => (1, text.len()),
            Kind::List(items) => sum(items.iter().map(Node::cost)),
            Kind::Map(entries) => sum(entries.iter().map(|entry| {
                let (nodes, bytes) = entry.value.cost();
                (nodes + 1, bytes + entry.key.len())
            })),
        }
    }
}

impl Entry {
    fn json(&self, source: &str, texts: &[&str]) -> Value {
        let text = texts.contains(&&*self.key).then(|| self.value.scalar_text(source)).flatten();
        text.map_or_else(|| self.value.json(source, texts), |text| Value::String(text.to_owned()))
    }
}

fn sum(costs: impl Iterator<Item = (usize, usize)>) -> (usize, usize) {
    costs.fold((1, 0), |(nodes, bytes), cost| (nodes + cost.0, bytes + cost.1))
}
