//! How the files of a dataset are laid out.

use crate::yaml::{Node, text};
use greylag_model::dataset::Compression;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// Dialect of a delimited file as the lab writes or expects it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Dialect {
    pub(crate) delimiter: char,
    pub(crate) quote: char,
    pub(crate) escape: Option<char>,
    pub(crate) header: bool,
    pub(crate) null: String,
    pub(crate) encoding: Encoding,
    pub(crate) mark: bool,
    pub(crate) crlf: bool,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            delimiter: ',',
            quote: '"',
            escape: None,
            header: true,
            null: String::new(),
            encoding: Encoding::Utf8,
            mark: false,
            crlf: false,
        }
    }
}

/// Encodings of delimited files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Encoding {
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "utf-16le")]
    Utf16Le,
    #[serde(rename = "utf-16be")]
    Utf16Be,
    #[serde(rename = "latin-1")]
    Latin1,
}

impl Encoding {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Latin1 => "latin-1",
        }
    }
}

/// File format and its options.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "format", rename_all = "lowercase")]
pub(crate) enum Format {
    Parquet { compression: Compression },
    Csv(Dialect),
    Json,
}

impl Format {
    /// Ending of file names.
    pub(crate) fn extension(&self) -> &'static str {
        match self {
            Self::Parquet { .. } => "parquet",
            Self::Csv(_) => "csv",
            Self::Json => "jsonl",
        }
    }

    /// Whether the lab writes flat values only.
    pub(crate) fn is_flat(&self) -> bool {
        !matches!(self, Self::Parquet { .. })
    }

    pub(crate) fn is_csv(&self) -> bool {
        matches!(self, Self::Csv(_))
    }
}

/// One file, or a directory of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Shape {
    File,
    Directory,
}

/// Format, shape and partitions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Layout {
    #[serde(flatten)]
    pub(crate) format: Format,
    pub(crate) shape: Shape,
    #[serde(default)]
    pub(crate) partition_by: Vec<String>,
}

/// The name that files and specs have for a codec.
pub(crate) fn codec_name(compression: Compression) -> &'static str {
    match compression {
        Compression::Uncompressed => "uncompressed",
        Compression::Snappy => "snappy",
        Compression::Lz4 => "lz4",
        Compression::Gzip => "gzip",
        Compression::Zstd => "zstd",
    }
}

/// The `csv` part of a layout in a migration file.
pub(crate) fn dialect_node(dialect: &Dialect) -> Node {
    let usual = Dialect::default();
    let mut node = Node::Map(vec![]);
    if dialect.delimiter != usual.delimiter {
        node = node.with("delimiter", text(dialect.delimiter));
    }
    if dialect.quote != usual.quote {
        node = node.with("quote", text(dialect.quote));
    }
    if !dialect.header {
        node = node.with("header", Node::Plain("false".to_owned()));
    }
    if dialect.null != usual.null {
        node = node.with("null", text(&dialect.null));
    }
    if dialect.encoding != usual.encoding {
        node = node.with("encoding", text(dialect.encoding.name()));
    }
    node
}

/// What Hive escapes in the names of partition directories, besides control characters.
const ESCAPED: &str = "\"#%'*/:=?\\{[]^";

/// `key=value`, escaped as Hive does it; null is the default partition.
pub(crate) fn partition_directory(key: &str, value: Option<&str>) -> String {
    let mut name = escaped(key);
    name.push('=');
    match value {
        Some(value) => name.push_str(&escaped(value)),
        None => name.push_str("__HIVE_DEFAULT_PARTITION__"),
    }
    name
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        if letter.is_ascii_control() || ESCAPED.contains(letter) {
            let _ = write!(out, "%{:02X}", u32::from(letter));
        } else {
            out.push(letter);
        }
    }
    out
}

/// Key and value of a partition directory; `None` as the value is null.
pub(crate) fn read_partition(name: &str) -> Option<(String, Option<String>)> {
    let (key, value) = name.split_once('=')?;
    Some((unescaped(key)?, if value == "__HIVE_DEFAULT_PARTITION__" { None } else { Some(unescaped(value)?) }))
}

fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let code = (first == b'%').then(|| tail.get(..2)).flatten();
        let code = code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        bytes.push(code.unwrap_or(first));
        rest = if code.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::{partition_directory, read_partition};

    #[test]
    fn partitions_go_there_and_back() {
        assert_eq!(partition_directory("a=b", Some("100% x/y")), "a%3Db=100%25 x%2Fy");
        for value in [Some("Größe"), Some("%41"), Some("a=b"), None] {
            let name = partition_directory("k", value);
            assert_eq!(read_partition(&name), Some(("k".to_owned(), value.map(str::to_owned))));
        }
    }
}
