//! Facts that a dataset declares by annotation (see [`greylag_model::dataset::annotation`]), read and checked.

use crate::csv::text::Encoding;
use crate::listing::FileFormat;
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use greylag_model::dataset::annotation;
use greylag_model::types::DataType;
use std::collections::BTreeMap;

/// What is declared; everything else is detected.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Declared {
    /// Format.
    pub format: Option<FileFormat>,
    /// Types of columns, partition columns among them; in the order written.
    pub columns: Vec<(String, DataType)>,
    /// Delimiter.
    pub delimiter: Option<char>,
    /// Quote.
    pub quote: Option<char>,
    /// Escape; the inner `None` says that there is none.
    pub escape: Option<Option<char>>,
    /// Whether there is a header.
    pub header: Option<bool>,
    /// Null text.
    pub null: Option<String>,
    /// Encoding of files without a byte-order mark.
    pub encoding: Option<Encoding>,
}

impl Declared {
    /// Reads the annotations; those of others are left alone.
    pub fn parse(annotations: &BTreeMap<String, String>) -> Result<Self, DriverError> {
        let mut declared = Self::default();
        for (key, text) in annotations {
            match key.as_str() {
                annotation::FORMAT => declared.format = Some(format(key, text)?),
                annotation::COLUMNS => declared.columns = columns(key, text)?,
                annotation::CSV_DELIMITER => declared.delimiter = Some(letter(key, text)?),
                annotation::CSV_QUOTE => declared.quote = Some(letter(key, text)?),
                annotation::CSV_ESCAPE if text == "none" => declared.escape = Some(None),
                annotation::CSV_ESCAPE => declared.escape = Some(Some(letter(key, text)?)),
                annotation::CSV_HEADER => {
                    declared.header = Some(text.parse().map_err(|_| wrong(key, text, "`true` or `false`"))?);
                }
                annotation::CSV_NULL => declared.null = Some(text.clone()),
                annotation::CSV_ENCODING => {
                    let known = "`utf-8`, `utf-16le`, `utf-16be` or `latin-1`";
                    declared.encoding = Some(Encoding::parse(text).ok_or_else(|| wrong(key, text, known))?);
                }
                _ => {}
            }
        }
        Ok(declared)
    }

    /// The declared type of a column.
    pub fn type_of(&self, column: &str) -> Option<&DataType> {
        self.columns.iter().find(|(name, _)| name == column).map(|(_, data_type)| data_type)
    }
}

fn wrong(key: &str, text: &str, expected: &str) -> DriverError {
    DriverError::permanent(code::DECLARED_FACT, format!("the annotation `{key}` is `{text}`"))
        .hint(format!("write {expected}"))
}

fn format(key: &str, text: &str) -> Result<FileFormat, DriverError> {
    match text.to_lowercase().as_str() {
        "parquet" => Ok(FileFormat::Parquet),
        "csv" => Ok(FileFormat::Csv),
        "json" => Ok(FileFormat::Json),
        "avro" => Ok(FileFormat::Avro),
        _ => Err(wrong(key, text, "`parquet`, `csv`, `json` or `avro`")),
    }
}

fn letter(key: &str, text: &str) -> Result<char, DriverError> {
    let mut letters = text.chars();
    match (text, letters.next(), letters.next()) {
        ("tab" | "\\t", ..) => Ok('\t'),
        (_, Some(letter), None) if letter.is_ascii() => Ok(letter),
        _ => Err(wrong(key, text, "one ASCII character, or `tab`")),
    }
}

/// One column a line, as the catalog writes it, or `id: int64, "odd name": string`: the fields of a struct type.
fn columns(key: &str, text: &str) -> Result<Vec<(String, DataType)>, DriverError> {
    if let Ok(schema) = greylag_model::entity::annotation::parse_columns(text) {
        return Ok(schema.columns.into_iter().map(|column| (column.name, column.data_type)).collect());
    }
    match format!("struct<{text}>").parse() {
        Ok(DataType::Struct(fields)) => Ok(fields),
        Ok(_) => Err(wrong(key, text, "columns with types, e.g. `id: int64, placed: timestamp(us, UTC)`")),
        Err(reason) => {
            Err(wrong(key, text, "columns with types, e.g. `id: int64, placed: timestamp(us, UTC)`").hint(reason))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::columns;
    use greylag_model::types::DataType;

    #[test]
    fn columns_in_lines_or_in_a_row() {
        let expected = vec![("id".to_owned(), DataType::Int64), ("a\nb".to_owned(), DataType::String)];
        assert_eq!(columns("k", "id: int64\n\"a\\nb\": string\n"), Ok(expected.clone()));
        assert_eq!(columns("k", "id: int64, \"a\nb\": string"), Ok(expected));
        assert!(columns("k", "id").is_err());
    }
}
