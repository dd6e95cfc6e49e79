//! One value as the lab writes it, and its text forms.

use greylag_model::types::{DataType, TimeUnit};
use std::fmt::Write as _;

/// A value, or null. What an integer in it means (unit, scale) is the column's type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    /// Null of any type.
    Null,
    /// Boolean.
    Bool(bool),
    /// Any integer.
    Int(i128),
    /// Single precision.
    Float32(f32),
    /// Double precision.
    Float64(f64),
    /// Unscaled decimal.
    Decimal(i128),
    /// Days since 1970-01-01.
    Date(i32),
    /// Since midnight, or since the epoch, in the type's unit.
    Ticks(i64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Items of a list or of a struct.
    Items(Vec<Cell>),
    /// Entries of a map.
    Entries(Vec<(Cell, Cell)>),
}

impl Cell {
    /// Text of a literal.
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    /// The text of a flat value in delimited text, in paths of partitions, and of casts to text; null is `None`.
    pub(crate) fn to_text(&self, data_type: &DataType) -> Option<String> {
        Some(match self {
            Self::Null => return None,
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Float32(value) => float_text(f64::from(*value), &value.to_string()),
            Self::Float64(value) => float_text(*value, &value.to_string()),
            Self::Decimal(value) => decimal_text(*value, scale(data_type)),
            Self::Date(days) => date_text(i64::from(*days)),
            Self::Ticks(ticks) => ticks_text(*ticks, data_type),
            Self::Text(text) => text.clone(),
            Self::Bytes(_) | Self::Items(_) | Self::Entries(_) => unreachable!("no text form is asked of it"),
        })
    }
}

fn float_text(value: f64, finite: &str) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "Infinity".to_owned() } else { "-Infinity".to_owned() }
    } else {
        finite.to_owned()
    }
}

fn scale(data_type: &DataType) -> u8 {
    if let DataType::Decimal { scale, .. } = data_type { *scale } else { 0 }
}

/// `-1.05` for -105 and a scale of 2.
pub(crate) fn decimal_text(unscaled: i128, scale: u8) -> String {
    let sign = if unscaled < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = usize::from(scale) + 1);
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(scale));
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// `2024-02-29` for days since the epoch.
pub(crate) fn date_text(days: i64) -> String {
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}")
}

/// The year, month and day of a count of days since the epoch (proleptic Gregorian; eras of 400 years from March).
pub(crate) fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// How many ticks of the unit a second has.
pub(crate) fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::S => 1,
        TimeUnit::Ms => 1_000,
        TimeUnit::Us => 1_000_000,
        TimeUnit::Ns => 1_000_000_000,
    }
}

fn ticks_text(ticks: i64, data_type: &DataType) -> String {
    let (unit, zone, day) = match data_type {
        DataType::Timestamp { unit, zone } => (*unit, zone.as_deref(), true),
        DataType::Time(unit) => (*unit, None, false),
        _ => unreachable!("ticks are times and timestamps"),
    };
    let per_second = per_second(unit);
    let seconds = ticks.div_euclid(per_second);
    let fraction = ticks.rem_euclid(per_second);
    let mut text = if day { date_text(seconds.div_euclid(86_400)) + "T" } else { String::new() };
    let of_day = seconds.rem_euclid(86_400);
    let _ = write!(text, "{:02}:{:02}:{:02}", of_day / 3_600, of_day / 60 % 60, of_day % 60);
    let digits = per_second.ilog10() as usize;
    if digits > 0 {
        let _ = write!(text, ".{fraction:0digits$}");
    }
    if zone.is_some() {
        text.push('Z');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Cell, civil, decimal_text};
    use greylag_model::types::{DataType, TimeUnit};

    #[test]
    fn texts() {
        assert_eq!(decimal_text(-5, 2), "-0.05");
        assert_eq!(decimal_text(1234, 0), "1234");
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(-1), (1969, 12, 31));
        assert_eq!(civil(19_782), (2024, 2, 29));
        let stamp = DataType::Timestamp { unit: TimeUnit::Ms, zone: Some("UTC".to_owned()) };
        assert_eq!(Cell::Ticks(-1).to_text(&stamp).as_deref(), Some("1969-12-31T23:59:59.999Z"));
        assert_eq!(Cell::Ticks(3_661).to_text(&DataType::Time(TimeUnit::S)).as_deref(), Some("01:01:01"));
        assert_eq!(Cell::Float64(f64::NEG_INFINITY).to_text(&DataType::Float64).as_deref(), Some("-Infinity"));
    }
}
