//! Canonical texts of the figures: the literal form of the column's type.

use super::range::unrank;
use arrow::datatypes::i256;
use greylag_model::types::{DataType, TimeUnit};

/// A smallest or largest value from its canonical number.
pub(super) fn limit(data_type: &DataType, value: i128) -> String {
    match data_type {
        DataType::Float32 => shortest(unrank(value as i64) as f32),
        DataType::Float64 => float(unrank(value as i64)),
        DataType::Decimal { scale, .. } => scaled(&value.to_string(), *scale),
        DataType::Date => date(value as i64),
        DataType::Time(unit) => time(value as i64, *unit),
        DataType::Timestamp { unit, zone } => {
            let (per_second, _) = resolution(*unit);
            let per_day = per_second * 86_400;
            let (day, rest) = ((value as i64).div_euclid(per_day), (value as i64).rem_euclid(per_day));
            let suffix = if zone.is_some() { "Z" } else { "" };
            format!("{}T{}{suffix}", date(day), time(rest, *unit))
        }
        _ => value.to_string(),
    }
}

/// A sum of anything but floats.
pub(super) fn sum(data_type: &DataType, value: i256) -> String {
    match data_type {
        DataType::Decimal { scale, .. } => scaled(&value.to_string(), *scale),
        _ => value.to_string(),
    }
}

/// A double in the shortest text that reads back equal.
pub(super) fn float(value: f64) -> String {
    shortest(value)
}

fn shortest<F: std::fmt::Debug + Into<f64> + Copy>(value: F) -> String {
    let wide: f64 = value.into();
    if wide == f64::INFINITY {
        "Infinity".to_owned()
    } else if wide == f64::NEG_INFINITY {
        "-Infinity".to_owned()
    } else {
        format!("{value:?}")
    }
}

/// Puts the point into an unscaled decimal.
fn scaled(unscaled: &str, scale: u8) -> String {
    let (sign, digits) = unscaled.strip_prefix('-').map_or(("", unscaled), |digits| ("-", digits));
    if scale == 0 {
        return unscaled.to_owned();
    }
    let scale = usize::from(scale);
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    format!("{sign}{whole}.{fraction}")
}

/// Units a second, and digits after the point.
fn resolution(unit: TimeUnit) -> (i64, usize) {
    match unit {
        TimeUnit::S => (1, 0),
        TimeUnit::Ms => (1_000, 3),
        TimeUnit::Us => (1_000_000, 6),
        TimeUnit::Ns => (1_000_000_000, 9),
    }
}

fn time(value: i64, unit: TimeUnit) -> String {
    let (per_second, digits) = resolution(unit);
    let (seconds, rest) = (value.div_euclid(per_second), value.rem_euclid(per_second));
    let clock = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if digits == 0 { clock } else { format!("{clock}.{rest:0digits$}") }
}

/// A day of the proleptic Gregorian calendar, by counting in eras of 400 years that begin on 1 March.
fn date(day: i64) -> String {
    let day = day + 719_468;
    let (era, day_of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{:02}", day_of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::{float, limit, sum};
    use crate::evidence::range::rank;
    use arrow::datatypes::i256;
    use greylag_model::types::{DataType, TimeUnit};

    #[test]
    fn limits_are_literals_of_their_type() {
        let stamp = |zone: Option<&str>| DataType::Timestamp { unit: TimeUnit::Ms, zone: zone.map(str::to_owned) };
        let cases = [
            (DataType::Date, 0, "1970-01-01"),
            (DataType::Date, 19_782, "2024-02-29"),
            (DataType::Date, -719_529, "-001-12-31"),
            (DataType::Time(TimeUnit::S), 86_399, "23:59:59"),
            (stamp(None), -1, "1969-12-31T23:59:59.999"),
            (stamp(Some("Europe/Berlin")), 1_000, "1970-01-01T00:00:01.000Z"),
            (DataType::Decimal { precision: 5, scale: 2 }, -7, "-0.07"),
            (DataType::Decimal { precision: 5, scale: 0 }, 12, "12"),
            (DataType::Float64, i128::from(rank(-0.0)), "-0.0"),
            (DataType::Float32, i128::from(rank(f64::from(0.1_f32))), "0.1"),
            (DataType::Float64, i128::from(rank(f64::NEG_INFINITY)), "-Infinity"),
            (DataType::String, 17, "17"),
        ];
        for (data_type, value, expected) in cases {
            assert_eq!(limit(&data_type, value), expected, "{data_type}");
        }
        assert_eq!(sum(&DataType::Decimal { precision: 38, scale: 3 }, i256::MAX).len(), 78);
        assert_eq!(float(1e21), "1e21");
    }
}
