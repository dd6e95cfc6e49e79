//! Hive partitions: `key=value` directories, as Hive and Spark write and read them.
//!
//! - **Escaping.** Control characters and ``" # % ' * / : = ? \ { [ ] ^`` in keys and values are written as `%` and two
//!   upper-case hex digits. Reading decodes every `%XX`; where the result is not UTF-8 the text is taken as it stands.
//! - **Null** is the value `__HIVE_DEFAULT_PARTITION__`. An empty string and that very text cannot be told from null by
//!   other engines, so writing them is refused.
//! - **Types** of partition columns that nobody declared follow from all values of the column: `int64` if each is a
//!   whole number in its shortest form (`7`, `-7`; not `07`, `+7`, `-0`), else `date` if each is `YYYY-MM-DD`, else
//!   `string`. No value but null makes `string`. Adding a file can therefore change an inferred type: declare it
//!   (`greylag.dev/columns`) where that matters.

use arrow::array::{Array, ArrayRef, AsArray, Scalar, StringArray, UInt32Array, new_null_array};
use arrow::compute::{CastOptions, cast_with_options, take};
use arrow::datatypes::DataType as ArrowType;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use greylag_model::types::DataType;
use std::fmt::Write as _;
use std::sync::Arc;

/// The directory value that stands for null.
pub const NULL_VALUE: &str = "__HIVE_DEFAULT_PARTITION__";

/// Longest name of a directory on the file systems that matter, in bytes.
const LONGEST_NAME: usize = 255;

fn is_escaped(letter: char) -> bool {
    letter.is_ascii_control()
        || matches!(letter, '"' | '#' | '%' | '\'' | '*' | '/' | ':' | '=' | '?' | '\\' | '{' | '[' | ']' | '^')
}

fn escape_into(text: &str, out: &mut String) {
    for letter in text.chars() {
        if is_escaped(letter) {
            let _ = write!(out, "%{:02X}", letter as u32);
        } else {
            out.push(letter);
        }
    }
}

fn unescape(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let digit = |index: usize| bytes.get(index).and_then(|byte| char::from(*byte).to_digit(16));
    let mut out = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while index < bytes.len() {
        match (bytes[index], digit(index + 1), digit(index + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                index += 3;
            }
            (byte, _, _) => {
                out.push(byte);
                index += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

/// Reads one directory name: the key and the value (`None` is null), or `None` if it is not `key=value`.
pub fn parse_directory(name: &str) -> Option<(String, Option<String>)> {
    let (key, value) = name.split_once('=')?;
    if key.is_empty() {
        return None;
    }
    Some((unescape(key), (value != NULL_VALUE).then(|| unescape(value))))
}

/// The partition values of a file, by the directories of its path below the dataset, outermost first.
pub fn partition_of(relative: &str) -> Vec<Option<String>> {
    let directories = relative.rsplit_once('/').map_or("", |(directories, _)| directories);
    directories.split('/').filter_map(parse_directory).map(|(_, value)| value).collect()
}

/// Writes one directory name. Fails where reading it back would give another value.
pub fn directory_name(key: &str, value: Option<&str>) -> Result<String, DriverError> {
    let mut name = String::with_capacity(key.len() + 16);
    escape_into(key, &mut name);
    name.push('=');
    match value {
        None => name.push_str(NULL_VALUE),
        Some("" | NULL_VALUE) => {
            let words = format!("an empty string or `{NULL_VALUE}` in partition column `{key}` would be read as null");
            return Err(DriverError::permanent(code::PARTITION_VALUE, words).hint("partition by another column"));
        }
        Some(value) => escape_into(value, &mut name),
    }
    if name.len() > LONGEST_NAME {
        let words = format!("a value of partition column `{key}` makes a directory name of {} bytes", name.len());
        return Err(DriverError::permanent(code::PARTITION_VALUE, words)
            .hint(format!("at most {LONGEST_NAME} bytes are possible; partition by another column")));
    }
    Ok(name)
}

/// The type of a partition column that nobody declared, from all of its values.
pub fn infer_type<'a>(values: impl Iterator<Item = Option<&'a str>>) -> DataType {
    let (mut any, mut integers, mut dates) = (false, true, true);
    for value in values.flatten() {
        any = true;
        integers = integers && is_plain_integer(value);
        dates = dates && is_date(value);
        if !integers && !dates {
            return DataType::String;
        }
    }
    match (any, integers) {
        (false, _) => DataType::String,
        (true, true) => DataType::Int64,
        (true, false) => DataType::Date,
    }
}

fn is_plain_integer(text: &str) -> bool {
    text.parse::<i64>().is_ok_and(|number| number.to_string() == text)
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && chrono_date(text)
}

/// `YYYY-MM-DD` of the proleptic Gregorian calendar.
fn chrono_date(text: &str) -> bool {
    let part = |range: std::ops::Range<usize>| {
        text.get(range).filter(|part| part.bytes().all(|byte| byte.is_ascii_digit())).and_then(|part| part.parse().ok())
    };
    let (Some(year), Some(month), Some(day)) = (part(0..4), part(5..7), part(8..10)) else { return false };
    let dashes = text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-';
    dashes && (1..=12).contains(&month) && day >= 1 && day <= days_of_month(year, month)
}

/// Days of a month.
pub(crate) fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// A partition column's value as an array of length 1 of its canonical type.
pub fn value_array(key: &str, value: Option<&str>, to: &ArrowType) -> Result<ArrayRef, DriverError> {
    let Some(text) = value else { return Ok(new_null_array(to, 1)) };
    let array: ArrayRef = Arc::new(StringArray::from(vec![text]));
    let options = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(&array, to, &options).map_err(|_| {
        let words = format!("the directory `{key}={text}` does not fit the type of partition column `{key}`");
        DriverError::permanent(code::PARTITION_VALUE, words)
            .hint("declare the column's type with `greylag.dev/columns`")
    })
}

/// An array of length 1 repeated over `rows` rows.
pub fn repeat(single: &ArrayRef, rows: usize) -> Result<ArrayRef, arrow::error::ArrowError> {
    take(single, &UInt32Array::from(vec![0; rows]), None)
}

/// A value as the text that goes into a directory name; `None` is null. The text reads back as the same value.
pub fn value_text(array: &dyn Array, row: usize) -> Result<Option<String>, DriverError> {
    if array.is_null(row) {
        return Ok(None);
    }
    if let Some(texts) = array.as_string_opt::<i32>() {
        return Ok(Some(texts.value(row).to_owned()));
    }
    let unfit = |_| DriverError::permanent(code::PARTITION_VALUE, "a value has no text form".to_owned());
    let options = FormatOptions::new().with_display_error(false);
    let formatter = ArrayFormatter::try_new(array, &options).map_err(unfit)?;
    formatter.value(row).try_to_string().map(Some).map_err(unfit)
}

/// A scalar of a partition value, for comparisons.
pub fn value_scalar(key: &str, value: Option<&str>, to: &ArrowType) -> Result<Scalar<ArrayRef>, DriverError> {
    Ok(Scalar::new(value_array(key, value, to)?))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_as_hive_does() {
        assert_eq!(directory_name("when", Some("2024-01-01 10:00")).unwrap(), "when=2024-01-01 10%3A00");
        assert_eq!(directory_name("a=b", Some("50%/\n\"")).unwrap(), "a%3Db=50%25%2F%0A%22");
        assert_eq!(directory_name("city", Some("Zürich")).unwrap(), "city=Zürich");
        assert_eq!(directory_name("city", None).unwrap(), "city=__HIVE_DEFAULT_PARTITION__");
    }

    #[test]
    fn refuses_what_would_read_back_as_null() {
        for value in ["", NULL_VALUE] {
            assert_eq!(directory_name("k", Some(value)).unwrap_err().code, code::PARTITION_VALUE);
        }
        assert_eq!(directory_name("k", Some(&"x".repeat(300))).unwrap_err().code, code::PARTITION_VALUE);
    }

    #[test]
    fn reads_what_others_write() {
        assert_eq!(parse_directory("k=a%3ab"), Some(("k".into(), Some("a:b".into()))));
        assert_eq!(parse_directory("k=Z%C3%BCrich"), Some(("k".into(), Some("Zürich".into()))));
        assert_eq!(parse_directory("k=%FF"), Some(("k".into(), Some("%FF".into()))));
        assert_eq!(parse_directory("k=100%"), Some(("k".into(), Some("100%".into()))));
        assert_eq!(parse_directory("k="), Some(("k".into(), Some(String::new()))));
        assert_eq!(parse_directory("k=__HIVE_DEFAULT_PARTITION__"), Some(("k".into(), None)));
        assert_eq!(parse_directory("=v"), None);
        assert_eq!(parse_directory("plain"), None);
    }

    #[test]
    fn types_follow_from_all_values() {
        let infer = |values: &[Option<&'static str>]| infer_type(values.iter().copied()).to_string();
        assert_eq!(infer(&[Some("1"), Some("-20"), None]), "int64");
        assert_eq!(infer(&[Some("1"), Some("02")]), "string");
        assert_eq!(infer(&[Some("9223372036854775808")]), "string");
        assert_eq!(infer(&[Some("2024-02-29"), None]), "date");
        assert_eq!(infer(&[Some("2023-02-29")]), "string");
        assert_eq!(infer(&[Some("2024-01-01"), Some("7")]), "string");
        assert_eq!(infer(&[None]), "string");
    }

    proptest! {
        #[test]
        fn a_name_reads_back(key in "[^=/\0]{1,20}", value in "\\PC{1,40}|[\\x01-\\x7f]{1,40}") {
            let name = directory_name(&key, Some(&value)).unwrap();
            prop_assert!(!name.contains('/'));
            prop_assert_eq!(parse_directory(&name), Some((key, Some(value))));
        }
    }
}
