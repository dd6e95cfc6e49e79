//! Writes YAML that a person could have written, the same bytes for ever (a library may change its mind about quoting).

use std::fmt::Write as _;

/// A YAML value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    /// A plain scalar that is not text: `true`, `42`.
    Plain(String),
    /// Text, quoted where it has to be.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in order.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// A mapping from its pairs.
    pub(crate) fn map<const N: usize>(pairs: [(&str, Node); N]) -> Self {
        Self::Map(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    /// A sequence of texts.
    pub(crate) fn texts<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::List(items.into_iter().map(|item| text(item.as_ref())).collect())
    }

    /// This mapping with one more pair.
    pub(crate) fn with(mut self, key: &str, value: Node) -> Self {
        if let Self::Map(pairs) = &mut self {
            pairs.push((key.to_owned(), value));
        }
        self
    }
}

/// A text node.
pub(crate) fn text(text: impl Into<String>) -> Node {
    Node::Text(text.into())
}

/// A document of a multi-document file, with its leading `---`.
pub(crate) fn document(node: &Node) -> String {
    let mut out = "---\n".to_owned();
    block(node, 0, &mut out);
    out
}

/// Writes `node` as lines at an indentation; the cursor stands at the beginning of a line.
fn block(node: &Node, indent: usize, out: &mut String) {
    match node {
        Node::Map(pairs) if !pairs.is_empty() => {
            for (key, value) in pairs {
                let _ = write!(out, "{:indent$}", "");
                entry(key, value, indent, out);
            }
        }
        Node::List(items) if !items.is_empty() => {
            for item in items {
                let _ = write!(out, "{:indent$}- ", "");
                match item {
                    Node::Map(pairs) if !pairs.is_empty() => {
                        for (index, (key, value)) in pairs.iter().enumerate() {
                            if index > 0 {
                                let _ = write!(out, "{:1$}", "", indent + 2);
                            }
                            entry(key, value, indent + 2, out);
                        }
                    }
                    other => {
                        flow(other, out);
                        out.push('\n');
                    }
                }
            }
        }
        other => {
            let _ = write!(out, "{:indent$}", "");
            flow(other, out);
            out.push('\n');
        }
    }
}

/// `key: value`, the value on the same line if it is flat, else below.
fn entry(key: &str, value: &Node, indent: usize, out: &mut String) {
    scalar(key, out);
    out.push(':');
    let flat = match value {
        Node::Map(pairs) => pairs.is_empty(),
        Node::List(items) => items.iter().all(|item| matches!(item, Node::Plain(_) | Node::Text(_))) && items.len() < 6,
        _ => true,
    };
    if flat {
        out.push(' ');
        flow(value, out);
        out.push('\n');
    } else {
        out.push('\n');
        block(value, indent + 2, out);
    }
}

fn flow(node: &Node, out: &mut String) {
    match node {
        Node::Plain(plain) => out.push_str(plain),
        Node::Text(text) => scalar(text, out),
        Node::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                flow(item, out);
            }
            out.push(']');
        }
        Node::Map(pairs) => {
            out.push('{');
            for (index, (key, value)) in pairs.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                scalar(key, out);
                out.push_str(": ");
                flow(value, out);
            }
            out.push('}');
        }
    }
}

/// Text, bare where every YAML reader takes it for the same text, else in double quotes with JSON's escapes.
fn scalar(text: &str, out: &mut String) {
    let letters = |letter: char| letter.is_ascii_alphanumeric() || "_./-".contains(letter);
    let plain = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|letter| letters(letter) || letter == ' ')
        && !text.ends_with(' ');
    let reference = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && !text.ends_with(':')
        && text.chars().all(|letter| letters(letter) || letter == ':');
    let word = matches!(
        text.to_ascii_lowercase().as_str(),
        "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n" | "nan" | "inf"
    );
    if (plain || reference) && !word {
        out.push_str(text);
        return;
    }
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            // What YAML calls not printable, or what an editor would not show.
            letter
                if letter.is_control()
                    || matches!(letter, '\u{85}' | '\u{a0}' | '\u{2028}' | '\u{2029}' | '\u{feff}') =>
            {
                let _ = write!(out, "\\u{:04x}", u32::from(letter));
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::{Node, document, text};

    #[test]
    fn reads_as_a_person_would_write() {
        let node = Node::map([
            ("kind", text("Migration")),
            ("no", text("no")),
            ("rows", Node::Plain("3".to_owned())),
            ("ref", text("resource:finance/users_v1")),
            ("empty", Node::List(vec![])),
            ("into", Node::texts(["a", "b c"])),
            (
                "columns",
                Node::List(vec![Node::map([
                    ("name", text("line\nbreak \"x\"")),
                    ("judgement", Node::map([("text", text("a: b"))])),
                ])]),
            ),
        ]);
        assert_eq!(
            document(&node),
            r#"---
kind: Migration
"no": "no"
rows: 3
ref: resource:finance/users_v1
empty: []
into: [a, b c]
columns:
  - name: "line\nbreak \"x\""
    judgement:
      text: "a: b"
"#
        );
    }
}
