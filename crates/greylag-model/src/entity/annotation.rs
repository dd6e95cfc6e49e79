//! What Greylag's own annotations mean.
//!
//! | annotation | meaning |
//! |---|---|
//! | `greylag.dev/location` | path of a file or directory, absolute or relative to the descriptor |
//! | `greylag.dev/connection`, `greylag.dev/path` | instead: a connection's name and the path below its root |
//! | `greylag.dev/format` | `parquet` or `csv`; what is absent is detected |
//! | `greylag.dev/csv-delimiter`, `-quote`, `-escape`, `-header`, `-null`, `-encoding` | how a CSV file is written |
//! | `greylag.dev/columns` | `name: type`, perhaps with `not null`, one a line or with commas between |
//! | `greylag.dev/time-zone` | of a group or user: where their clocks are, IANA name or `+hh:mm` |
//! | `greylag.dev/table` | of a dataset: the names by which code reaches it (`raw.users_v1`), by commas |
//! | `greylag.dev/reads`, `greylag.dev/writes` | references of datasets, by commas or white space |
//! | `greylag.dev/successor`, `greylag.dev/predecessor` | written by Greylag: what a migration made of what |
//! | `greylag.dev/repository`, `greylag.dev/commit` | written by Greylag: where code lies that was scanned, and the commit of it |
//! | `greylag.dev/path-in-repository` | written by Greylag: the file of a consumer that a scan found |
//! | `greylag.dev/path-in-store` | written by Greylag: the full path behind a name made by a scan |

use crate::dataset::Location;
pub use crate::dataset::annotation::{
    COLUMNS, CSV_DELIMITER, CSV_ENCODING, CSV_ESCAPE, CSV_HEADER, CSV_NULL, CSV_QUOTE, FORMAT,
};
use crate::schema::{Column, Schema};
use crate::table::{BadTableName, TableName};
use crate::types::DataType;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Where the clocks of a group or user are.
pub const TIME_ZONE: &str = "greylag.dev/time-zone";
/// Path of a file or directory.
pub const LOCATION: &str = "greylag.dev/location";
/// Name of a connection.
pub const CONNECTION: &str = "greylag.dev/connection";
/// Path below the connection's root.
pub const PATH: &str = "greylag.dev/path";
/// Datasets that a consumer reads.
pub const READS: &str = "greylag.dev/reads";
/// Datasets that a consumer writes.
pub const WRITES: &str = "greylag.dev/writes";
/// What a migration made out of this.
pub const SUCCESSOR: &str = "greylag.dev/successor";
/// What a migration made this from.
pub const PREDECESSOR: &str = "greylag.dev/predecessor";
/// Names by which code reaches the dataset.
pub const TABLE: &str = "greylag.dev/table";
/// Where code lies that was scanned.
pub const REPOSITORY: &str = "greylag.dev/repository";
/// The commit of it that was scanned last.
pub const COMMIT: &str = "greylag.dev/commit";
/// The file of a consumer that a scan of code found.
pub const PATH_IN_REPOSITORY: &str = "greylag.dev/path-in-repository";
/// Full path behind a name that a scan had to make.
pub const PATH_IN_STORE: &str = "greylag.dev/path-in-store";

/// Every annotation of `greylag.dev/` that there is.
pub const ALL: &[&str] = &[
    LOCATION,
    CONNECTION,
    PATH,
    FORMAT,
    CSV_DELIMITER,
    CSV_QUOTE,
    CSV_ESCAPE,
    CSV_HEADER,
    CSV_NULL,
    CSV_ENCODING,
    COLUMNS,
    READS,
    WRITES,
    SUCCESSOR,
    PREDECESSOR,
    PATH_IN_STORE,
    REPOSITORY,
    COMMIT,
    PATH_IN_REPOSITORY,
    TABLE,
    TIME_ZONE,
];

const CSV: &[&str] = &[CSV_DELIMITER, CSV_QUOTE, CSV_ESCAPE, CSV_HEADER, CSV_NULL, CSV_ENCODING];

/// Whether the annotation is part of the location.
pub fn is_location(key: &str) -> bool {
    [LOCATION, CONNECTION, PATH].contains(&key)
}

/// Whether the annotation is part of the declared layout.
pub fn is_layout(key: &str) -> bool {
    key == FORMAT || key == COLUMNS || CSV.contains(&key)
}

/// The location that annotations declare, as written.
pub fn location(annotations: &Map<String, Value>) -> Option<Location> {
    let text = |key: &str| annotations.get(key).and_then(Value::as_str).map(str::to_owned);
    match (text(LOCATION), text(CONNECTION), text(PATH)) {
        (Some(path), ..) => Some(Location { connection: None, path }),
        (None, connection @ Some(_), Some(path)) => Some(Location { connection, path }),
        _ => None,
    }
}

/// The layout that annotations declare: annotation → text. This is what `Dataset::declared` holds.
pub fn layout(annotations: &Map<String, Value>) -> BTreeMap<String, String> {
    (annotations.iter().filter(|(key, _)| is_layout(key)))
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

/// The annotations of a location fact.
pub(crate) fn put_location(annotations: &mut Map<String, Value>, location: &Value) {
    let path = location.get("path").cloned().unwrap_or_default();
    match location.get("connection") {
        Some(connection) => {
            annotations.insert(CONNECTION.to_owned(), connection.clone());
            annotations.insert(PATH.to_owned(), path);
        }
        None => {
            annotations.insert(LOCATION.to_owned(), path);
        }
    }
}

/// The annotations of a layout fact.
pub(crate) fn put_layout(annotations: &mut Map<String, Value>, layout: &Value) {
    if let Value::Object(layout) = layout {
        annotations.extend(layout.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
}

/// The references in the text of `reads` or `writes`.
pub fn references(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| letter == ',' || letter.is_whitespace()).filter(|part| !part.is_empty())
}

/// The names by which code reaches a dataset, of the text of its annotation.
pub fn tables(text: &str) -> impl Iterator<Item = Result<TableName, BadTableName>> {
    text.split([',', '\n']).filter(|part| !part.trim().is_empty()).map(str::parse)
}

/// The layout's annotations for a format, as a migration publishes them. Only what differs from the default is named.
pub fn of_format(format: &crate::dataset::Format, schema: &Schema) -> BTreeMap<String, String> {
    use crate::dataset::{CsvDialect, Format};
    let mut layout = BTreeMap::new();
    match format {
        Format::Parquet { .. } => {
            layout.insert(FORMAT.to_owned(), "parquet".to_owned());
        }
        Format::Csv(dialect) => {
            let usual = CsvDialect::default();
            let mut put = |key: &str, value: String, usual: String| {
                if value != usual {
                    layout.insert(key.to_owned(), value);
                }
            };
            put(FORMAT, "csv".to_owned(), String::new());
            put(CSV_DELIMITER, dialect.delimiter.to_string(), usual.delimiter.to_string());
            put(CSV_QUOTE, dialect.quote.to_string(), usual.quote.to_string());
            put(CSV_ESCAPE, dialect.escape.map(String::from).unwrap_or_default(), String::new());
            put(CSV_HEADER, dialect.header.to_string(), usual.header.to_string());
            put(CSV_NULL, dialect.null.clone(), usual.null);
            put(CSV_ENCODING, dialect.encoding.clone(), usual.encoding);
            // Text has no types of its own: whoever reads the file next must be told.
            put(COLUMNS, write_columns(schema), String::new());
        }
        Format::Json | Format::Avro { .. } => {
            layout.insert(FORMAT.to_owned(), format.name().to_owned());
            // They have few types of their own.
            layout.insert(COLUMNS.to_owned(), write_columns(schema));
        }
    }
    layout
}

/// What is wrong with the text of an annotation that [`is_layout`], if anything.
pub fn layout_fault(key: &str, text: &str) -> Option<String> {
    let one = |text: &str| matches!(text, "tab" | "\\t") || (text.len() == 1 && !matches!(text, "\n" | "\r"));
    match key {
        CSV_ESCAPE if text == "none" => None,
        FORMAT => (!["parquet", "csv", "json", "avro"].contains(&text.to_lowercase().as_str()))
            .then(|| "must be `parquet`, `csv`, `json` or `avro`".to_owned()),
        CSV_DELIMITER | CSV_QUOTE | CSV_ESCAPE => {
            (!one(text)).then(|| "must be one ASCII character, or `tab`".to_owned())
        }
        CSV_HEADER => (!["true", "false"].contains(&text)).then(|| "must be `true` or `false`".to_owned()),
        CSV_ENCODING => (!["utf-8", "utf-16le", "utf-16be", "latin-1"].contains(&text.to_lowercase().as_str()))
            .then(|| "must be `utf-8`, `utf-16le`, `utf-16be` or `latin-1`".to_owned()),
        COLUMNS => parse_columns(text).err(),
        _ => None,
    }
}

/// Reads declared columns: `name: type`, perhaps with `not null`, one a line or with commas between; a name that is not a
/// plain word stands in double quotes, with quotes doubled and `\n` for a line break.
pub fn parse_columns(text: &str) -> Result<Schema, String> {
    let mut columns: Vec<Column> = Vec::new();
    for item in items(text).map(str::trim).filter(|item| !item.is_empty()) {
        let column = parse_column(item)?;
        if columns.iter().any(|earlier| earlier.name == column.name) {
            return Err(format!("names the column `{}` twice", column.name));
        }
        columns.push(column);
    }
    Ok(Schema { columns })
}

/// The parts between line breaks and commas that stand in no quotes and no brackets.
fn items(text: &str) -> impl Iterator<Item = &str> {
    let (mut depth, mut quoted) = (0_i32, false);
    text.split(move |letter: char| {
        match letter {
            '"' => quoted = !quoted,
            '<' | '(' if !quoted => depth += 1,
            '>' | ')' if !quoted => depth -= 1,
            ',' | '\n' | '\r' if !quoted => return depth <= 0,
            _ => {}
        }
        false
    })
}

fn parse_column(line: &str) -> Result<Column, String> {
    let form = || format!("has an item `{line}` that is not `name: type`");
    let (name, rest) = if let Some(quoted) = line.strip_prefix('"') {
        let end = closing_quote(quoted).ok_or_else(form)?;
        let name = quoted[..end].replace("\"\"", "\"").replace("\\n", "\n");
        (name, quoted[end + 1..].trim_start().strip_prefix(':').ok_or_else(form)?)
    } else {
        let (name, rest) = line.split_once(':').ok_or_else(form)?;
        (name.trim().to_owned(), rest)
    };
    let rest = rest.trim();
    let (data_type, nullable) = match rest.strip_suffix("not null") {
        Some(data_type) => (data_type.trim(), false),
        None => (rest, true),
    };
    if name.is_empty() || data_type.is_empty() {
        return Err(form());
    }
    let data_type: DataType = data_type.parse().map_err(|error| format!("has the column `{name}`: {error}"))?;
    Ok(Column { name, data_type, nullable })
}

/// Index of the quote that closes `text`, doubled ones passed over.
fn closing_quote(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut index = 0;
    while index < bytes.len() {
        match (bytes[index], bytes.get(index + 1)) {
            (b'"', Some(b'"')) => index += 2,
            (b'"', _) => return Some(index),
            _ => index += 1,
        }
    }
    None
}

/// The text that [`parse_columns`] reads.
pub fn write_columns(schema: &Schema) -> String {
    let line = |column: &Column| {
        let plain = |letter: char| letter.is_alphanumeric() || letter == '_';
        let name = if !column.name.is_empty() && column.name.chars().all(plain) {
            column.name.clone()
        } else {
            format!("\"{}\"", column.name.replace('"', "\"\"").replace('\n', "\\n"))
        };
        let not_null = if column.nullable { "" } else { " not null" };
        format!("{name}: {}{not_null}\n", column.data_type)
    };
    schema.columns.iter().map(line).collect()
}

/// `path` made absolute: as it is, or below `directory`; `.` and `..` are resolved by their letters.
pub fn absolute(path: &str, directory: &str) -> String {
    let whole = if path.starts_with('/') { path.to_owned() } else { format!("{directory}/{path}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Makes a location annotation absolute in place.
pub fn anchor(entity: &mut super::Entity, directory: &str) {
    if let Some(Value::Object(annotations)) = entity.metadata.get_mut("annotations")
        && let Some(path) = annotations.get(LOCATION).and_then(Value::as_str)
    {
        let path = absolute(path, directory);
        annotations.insert(LOCATION.to_owned(), json!(path));
    }
}
