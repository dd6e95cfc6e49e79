//! Types of columns from all of their values; see the rules in [`super`].

use super::parse;
use greylag_model::types::{DataType, TimeUnit};

/// Fits `int64` in its shortest form.
const INTEGER: u8 = 1;
/// Fits `float64` without losing a digit.
pub(crate) const FLOAT: u8 = 2;
/// Fits `date`.
const DATE: u8 = 4;
/// Fits a timestamp without an offset.
const WALL: u8 = 8;
/// Fits a timestamp with an offset.
const INSTANT: u8 = 16;
/// Fits `boolean`.
const BOOLEAN: u8 = 32;
/// Fits a timestamp of nanoseconds only. Not a type: it travels beside them.
const NANOS: u8 = 64;

const ALL: u8 = INTEGER | FLOAT | DATE | WALL | INSTANT | BOOLEAN;

/// Digits that a double always keeps.
const FLOAT_DIGITS: usize = 17;
/// Largest whole number up to which a double has all.
const FLOAT_WHOLE: u64 = 1 << 53;

/// What is known of a column so far.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    fits: u8,
    any: bool,
    nanos: bool,
}

impl Default for Column {
    fn default() -> Self {
        Self { fits: ALL, any: false, nanos: false }
    }
}

impl Column {
    /// Takes a value that is not null and not empty (an empty one fits every type, as null or as text).
    pub fn see(&mut self, text: &[u8]) {
        self.any = true;
        if self.fits != 0 {
            let fits = classify(text);
            self.nanos |= fits & NANOS != 0;
            self.fits &= fits;
        }
    }

    /// What is known after both.
    pub fn join(self, other: Self) -> Self {
        Self { fits: self.fits & other.fits, any: self.any || other.any, nanos: self.nanos || other.nanos }
    }

    /// Whether its values have a type other than text.
    pub fn has_type(self) -> bool {
        self.any && self.fits != 0
    }

    /// Whether a text has a type that all values have.
    pub fn fits(self, text: &[u8]) -> bool {
        self.fits & classify(text) != 0
    }

    /// The type.
    pub fn data_type(self) -> DataType {
        let unit = if self.nanos { TimeUnit::Ns } else { TimeUnit::Us };
        match self.fits {
            _ if !self.any => DataType::String,
            fits if fits & INTEGER != 0 => DataType::Int64,
            fits if fits & FLOAT != 0 => DataType::Float64,
            fits if fits & DATE != 0 => DataType::Date,
            fits if fits & WALL != 0 => DataType::Timestamp { unit, zone: None },
            fits if fits & INSTANT != 0 => DataType::Timestamp { unit, zone: Some("UTC".to_owned()) },
            fits if fits & BOOLEAN != 0 => DataType::Boolean,
            _ => DataType::String,
        }
    }
}

/// Which types a text fits.
pub(crate) fn classify(text: &[u8]) -> u8 {
    match text {
        [b'0'..=b'9', ..] if text.len() >= 10 && text[4] == b'-' => day(text),
        [b'0'..=b'9' | b'-' | b'.', ..] => number(text),
        b"NaN" | b"inf" | b"Infinity" => FLOAT,
        b"true" | b"True" | b"TRUE" | b"false" | b"False" | b"FALSE" => BOOLEAN,
        _ => 0,
    }
}

fn day(text: &[u8]) -> u8 {
    if text.len() == 10 {
        // A day is also midnight, for columns that have both.
        return if parse::date(text).is_some() { DATE | WALL } else { 0 };
    }
    let (found, nanos) = match parse::timestamp(text, TimeUnit::Us) {
        Some(found) => (Some(found), 0),
        None => (parse::timestamp(text, TimeUnit::Ns), NANOS),
    };
    match found {
        Some((_, true)) => INSTANT | nanos,
        Some((_, false)) => WALL | nanos,
        None => 0,
    }
}

fn number(text: &[u8]) -> u8 {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if digits == b"inf" || digits == b"Infinity" {
        return FLOAT;
    }
    let whole = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let padded = whole > 1 && digits[0] == b'0';
    if padded {
        return 0;
    }
    if whole == digits.len() {
        return whole_number(text, digits);
    }
    let (mut rest, mut fraction) = (&digits[whole..], 0);
    if let Some(after) = rest.strip_prefix(b".") {
        fraction = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
        rest = &after[fraction..];
    }
    let significant = digits[..whole + usize::from(fraction > 0) + fraction].iter().filter(|byte| **byte != b'.');
    let significant = significant.skip_while(|byte| **byte == b'0').count();
    let exponent = match rest {
        [] => true,
        [b'e' | b'E', b'+' | b'-', power @ ..] | [b'e' | b'E', power @ ..] => {
            (1..=3).contains(&power.len()) && power.iter().all(u8::is_ascii_digit)
        }
        _ => false,
    };
    let finite = || std::str::from_utf8(text).is_ok_and(|text| text.parse::<f64>().is_ok_and(f64::is_finite));
    if whole + fraction > 0 && exponent && significant <= FLOAT_DIGITS && finite() { FLOAT } else { 0 }
}

fn whole_number(text: &[u8], digits: &[u8]) -> u8 {
    let Some(value) = parse::integer(text).and_then(|value| i64::try_from(value).ok()) else { return 0 };
    let float = if value.unsigned_abs() <= FLOAT_WHOLE { FLOAT } else { 0 };
    // A negative zero is a float only.
    let negative_zero = digits == b"0" && text.len() == 2;
    if negative_zero { FLOAT } else { INTEGER | float }
}
