//! JSON lines: one object a line, in UTF-8. Exact on the way in and on the way out.
//!
//! # Reading
//! Bytes → [`lines`] (blocks of whole lines, UTF-8) → [`object`] (JSON's grammar) → [`mod@column`] (types) → Arrow. The grammar
//! is `serde_json`'s, which hands every value on as the text that stands in the file, so that no number passes through a
//! double on its way to an integer or decimal. (The reader of `arrow-json` reads `1.9` into an integer as 1, takes the
//! last of two equal keys, and does not tell where a line is wrong.)
//!
//! - A line ends with LF or CRLF. Blank lines are skipped, as is a byte-order mark of UTF-8 at the start of a file.
//! - **A key that is missing and a key whose value is `null` are both null.** What is written has every key, so this
//!   difference is not carried over.
//! - A key that is twice in one object, or is no column, is an error: which value counts, or what was meant, is not for
//!   Greylag to guess.
//! - A line may be 32 MiB long, values may be nested 64 deep. A batch is at most a block of lines, so that memory is
//!   bounded by the longest line.
//!
//! # Texts of values
//! | type | in JSON |
//! |---|---|
//! | `boolean` | `true`, `false` |
//! | integers | a number, all digits, no point and no exponent |
//! | `float32`, `float64` | a number, the shortest digits that read back as the same value; `"NaN"`, `"Infinity"`, `"-Infinity"` |
//! | `decimal(p,s)` | a string with `s` digits after the point; a number is read too |
//! | `date`, `time`, `timestamp` | a string: ISO 8601, `2024-02-29`, `10:00:00.5`, `2024-02-29T10:00:00Z` |
//! | `string` | a string |
//! | `binary` | a string: base64 with padding (RFC 4648, section 4) |
//! | `list<t>` | an array |
//! | `struct<…>` | an object |
//! | `map<k, v>` | an object whose keys are the texts of the keys |
//!
//! Times are as in CSV, see [`crate::csv::parse`] and [`crate::csv::format`]. A map whose keys are lists, structs or maps
//! has no form in JSON, and a map that has one key twice cannot be written.
//!
//! # Types that nobody declared
//! See [`infer`]: JSON's own types, no guesses about texts.

pub mod column;
pub mod infer;
pub mod lines;
pub mod object;
pub mod read;
pub mod write;

#[cfg(test)]
mod tests;

use greylag_model::types::DataType;

/// Values are not nested deeper than this.
pub(crate) const DEEPEST: usize = 64;

/// Whether a file that begins with `start` (`whole` if that is all of it) may hold JSON lines: its first line that is not
/// blank holds an object, as far as it can be seen.
pub(crate) fn looks_like_lines(start: &[u8], whole: bool) -> bool {
    let start = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(start);
    let mut lines = start.split_inclusive(|byte| *byte == b'\n').map(|line| (line.trim_ascii(), line.ends_with(b"\n")));
    let Some((line, ended)) = lines.find(|(line, _)| !line.is_empty()) else { return whole };
    let object = line.first() == Some(&b'{');
    object && (!(ended || whole) || serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok())
}

/// Why JSON cannot carry a type, if it cannot.
pub fn cannot_carry(data_type: &DataType) -> Option<&'static str> {
    match data_type {
        DataType::Map(key, _) if key.is_nested() => Some("a key of JSON is text, and this map's keys are nested"),
        DataType::Map(_, item) | DataType::List(item) => cannot_carry(item),
        DataType::Struct(fields) => fields.iter().find_map(|(_, data_type)| cannot_carry(data_type)),
        _ => None,
    }
}
