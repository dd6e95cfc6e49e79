//! Datasets: where one lies and how it is laid out.

use crate::entity::EntityRef;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where a dataset lies. For a `files` connection `path` is relative to the connection's root; without a connection
/// it is an absolute path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Location {
    /// Name of a `kind: Connection`; `None` is the local file system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// Path of a file, or of a directory of files.
    pub path: String,
}

/// File format of a dataset.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "format", rename_all = "lowercase")]
pub enum Format {
    /// Apache Parquet.
    Parquet {
        /// Codec of new files.
        #[serde(default)]
        compression: Compression,
    },
    /// Delimited text.
    Csv(CsvDialect),
    /// JSON lines: one object a line.
    Json,
    /// Avro object container files.
    Avro {
        /// Codec of new files; gzip stands for Avro's deflate.
        #[serde(default = "every_avro_reader_has")]
        compression: Compression,
    },
}

/// Deflate: with none, the only codec that each reader of Avro must have.
fn every_avro_reader_has() -> Compression {
    Compression::Gzip
}

impl Format {
    /// `parquet`, `csv`, `json` or `avro`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Parquet { .. } => "parquet",
            Self::Csv(_) => "csv",
            Self::Json => "json",
            Self::Avro { .. } => "avro",
        }
    }

    /// What new files are called, without a dot.
    pub fn extension(&self) -> &'static str {
        match self {
            Self::Json => "jsonl",
            other => other.name(),
        }
    }
}

/// Codec of new Parquet and Avro files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// None.
    Uncompressed,
    /// Snappy: fast, modest.
    Snappy,
    /// LZ4 (raw blocks).
    Lz4,
    /// Gzip.
    Gzip,
    /// Zstandard, level 3: the default.
    #[default]
    Zstd,
}

impl std::fmt::Display for Compression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Uncompressed => "uncompressed",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        })
    }
}

/// How delimited text is written.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CsvDialect {
    /// One ASCII character between fields.
    pub delimiter: char,
    /// One ASCII character around fields that need it.
    pub quote: char,
    /// Escape inside quotes; without one a quote is doubled. Where the null text holds it (`\N` of MySQL's
    /// `SELECT … INTO OUTFILE`), it works outside quotes too.
    pub escape: Option<char>,
    /// Whether the first line names the columns.
    pub header: bool,
    /// Text that stands for null, unquoted.
    pub null: String,
    /// `utf-8`, `utf-16le`, `utf-16be`, `latin-1` (windows-1252). A byte-order mark wins.
    #[schemars(extend("enum" = ["utf-8", "utf-16le", "utf-16be", "latin-1"]))]
    pub encoding: String,
    /// Whether files begin with a byte-order mark (Unicode encodings only).
    pub byte_order_mark: bool,
    /// What ends a line.
    pub line_ending: LineEnding,
}

/// What ends a line of delimited text. Files are read with either, and written with the one that the dialect says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LineEnding {
    /// A line feed.
    #[default]
    Lf,
    /// A carriage return and a line feed.
    Crlf,
}

impl Default for CsvDialect {
    fn default() -> Self {
        Self {
            delimiter: ',',
            quote: '"',
            escape: None,
            header: true,
            null: String::new(),
            encoding: "utf-8".to_owned(),
            byte_order_mark: false,
            line_ending: LineEnding::Lf,
        }
    }
}

/// Annotations by which a dataset declares facts of its layout (the keys of [`Dataset::declared`]). What is not
/// declared is detected; what is declared is never overruled, only refused where the files contradict it.
pub mod annotation {
    /// `parquet`, `csv`, `json` (JSON lines) or `avro`.
    pub const FORMAT: &str = "greylag.dev/format";
    /// Types of columns, e.g. `id: int64, placed: timestamp(us, UTC)`; partition columns may be among them.
    pub const COLUMNS: &str = "greylag.dev/columns";
    /// Delimiter of CSV files: one ASCII character, or `tab`.
    pub const CSV_DELIMITER: &str = "greylag.dev/csv-delimiter";
    /// Quote of CSV files: one ASCII character.
    pub const CSV_QUOTE: &str = "greylag.dev/csv-quote";
    /// Escape inside quotes: one ASCII character, or `none`.
    pub const CSV_ESCAPE: &str = "greylag.dev/csv-escape";
    /// Whether the first line names the columns: `true` or `false`.
    pub const CSV_HEADER: &str = "greylag.dev/csv-header";
    /// Text that stands for null.
    pub const CSV_NULL: &str = "greylag.dev/csv-null";
    /// Encoding of CSV files without a byte-order mark.
    pub const CSV_ENCODING: &str = "greylag.dev/csv-encoding";
}

/// Whether a dataset is one file or a directory of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// One file.
    File,
    /// A directory of files, Hive-partitioned or flat.
    Directory,
}

/// How a dataset's files are laid out.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Layout {
    /// Format and its options.
    #[serde(flatten)]
    pub format: Format,
    /// One file or a directory.
    pub shape: Shape,
    /// Hive partition columns, outermost first; they are the last columns of the schema.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partition_by: Vec<String>,
}

/// A dataset that the catalog or a probe knows: a reference and a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dataset {
    /// `resource:default/users_v1`.
    pub entity: EntityRef,
    /// Where it lies.
    pub location: Location,
    /// Declared layout facts (format, CSV dialect), by annotation; anything absent is detected.
    #[serde(default)]
    pub declared: BTreeMap<String, String>,
}
