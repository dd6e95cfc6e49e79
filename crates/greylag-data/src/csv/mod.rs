//! Delimited text: strict on the way in, minimal on the way out.
//!
//! # Reading
//! Bytes → [`text`] (encoding, byte-order mark) → [`records`] (quoting, record boundaries) → [`parse`] (types) → Arrow.
//! Whatever cannot be read exactly is an error that names file and line; nothing is skipped, padded or replaced.
//!
//! - Lines end with LF, CRLF or CR. A line break, delimiter or quote inside quotes belongs to the value.
//! - A quote opens a quoted field only at the field's start. Inside, it is doubled or escaped. What follows a closing
//!   quote must be a delimiter or the line's end.
//! - Empty lines are skipped if there are several columns; if there is one, an empty line is a record with an empty field.
//! - Null is the dialect's null text, unquoted. For types other than text an empty field is null, quoted or not.
//! - Columns without a header, and columns whose header is empty, are called `column1`, `column2` … by their place.
//!
//! # Types that nobody declared
//! The whole dataset is read once. A column gets the first type that all its values fit exactly, in this order:
//! `int64` (shortest form: `007` and `+1` are text), `float64` (at most 17 significant digits, no integer beyond 2^53),
//! `date` (`YYYY-MM-DD`), `timestamp(us)` or, where values need it, `timestamp(ns)`, both with `UTC` if every value has an
//! offset, `boolean` (`true`, `false`, also capitalised), `string`. A column without values is `string`. All columns may
//! hold nulls. A later file can change an inferred type; a declared one (`greylag.dev/columns`) stays.
//!
//! # Writing
//! A field is quoted only where it must be: it holds a delimiter, quote, escape or line break, equals the null text, or
//! is empty while null is written as nothing. Floats have the shortest digits that read back as the same value, and
//! always a point, an exponent or a name, so that they stay floats. Timestamps are ISO 8601, with `Z` where the type has
//! a zone.

pub mod cuts;
pub mod dialect;
pub mod format;
pub mod infer;
pub mod parse;
pub mod read;
pub mod records;
pub(crate) mod temporal;
pub mod text;
pub mod write;

#[cfg(test)]
mod tests;

use greylag_driver::error::DriverError;
use greylag_model::code::Code;
use greylag_model::types::DataType;

/// A place in a file, for messages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At<'a> {
    pub(crate) name: &'a str,
    pub(crate) line: u64,
}

impl At<'_> {
    pub(crate) fn error(self, code: Code, words: &str) -> DriverError {
        DriverError::permanent(code, format!("`{}`, line {}: {words}", self.name, self.line))
    }
}

/// Why CSV cannot carry a type, if it cannot.
pub fn cannot_carry(data_type: &DataType) -> Option<&'static str> {
    match data_type {
        DataType::Binary => Some("delimited text has no form for bytes"),
        DataType::List(_) | DataType::Struct(_) | DataType::Map(..) => {
            Some("delimited text has no form for nested values")
        }
        _ => None,
    }
}
