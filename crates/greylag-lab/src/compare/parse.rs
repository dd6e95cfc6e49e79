//! Text to values: fields of CSV files and partition values. Forms that mean the same are taken as the same.

use crate::cell::{Cell, per_second};
use greylag_model::types::DataType;

/// The value of a text of this type; `None` is null.
pub(super) fn cell(text: Option<&str>, data_type: &DataType) -> Result<Cell, String> {
    let Some(text) = text else { return Ok(Cell::Null) };
    parse(text, data_type).ok_or_else(|| format!("`{text}` is not a value of type `{data_type}`"))
}

fn parse(text: &str, data_type: &DataType) -> Option<Cell> {
    Some(match data_type {
        DataType::Boolean => Cell::Bool(text.to_lowercase().parse().ok()?),
        DataType::Float32 => Cell::Float32(text.parse().ok()?),
        DataType::Float64 => Cell::Float64(text.parse().ok()?),
        DataType::Decimal { scale, .. } => Cell::Decimal(decimal(text, *scale)?),
        DataType::Date => Cell::Date(i32::try_from(days(text)?).ok()?),
        DataType::Time(unit) => Cell::Ticks(i64::try_from(of_day(text, per_second(*unit))?).ok()?),
        DataType::Timestamp { unit, zone } => Cell::Ticks(stamp(text, per_second(*unit), zone.is_some())?),
        DataType::String => Cell::text(text),
        DataType::Binary | DataType::List(_) | DataType::Struct(_) | DataType::Map(..) => return None,
        _ => Cell::Int(text.parse().ok()?),
    })
}

/// The unscaled value of a decimal text; digits beyond the scale must be zeros.
fn decimal(text: &str, scale: u8) -> Option<i128> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let scale = usize::from(scale);
    let (kept, beyond) = fraction.split_at(fraction.len().min(scale));
    if beyond.bytes().any(|digit| digit != b'0') || whole.is_empty() {
        return None;
    }
    Some(sign * format!("{whole}{kept:0<scale$}").parse::<i128>().ok()?)
}

/// Days since the epoch of `YYYY-MM-DD`.
fn days(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, '-');
    let mut next = || parts.next()?.parse::<i64>().ok();
    let (year, month, day) = (next()?, next()?, next()?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years from March, eras of 400 years.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// Ticks since midnight of `HH:MM[:SS[.fraction]]`.
fn of_day(text: &str, per_second: i64) -> Option<i128> {
    let mut parts = text.splitn(3, ':');
    let hours: i64 = parts.next()?.parse().ok()?;
    let minutes: i64 = parts.next()?.parse().ok()?;
    let rest = parts.next().unwrap_or("0");
    let digits = per_second.ilog10() as u8;
    let seconds = decimal(rest, digits)?;
    Some(i128::from(hours * 3_600 + minutes * 60) * i128::from(per_second) + seconds)
}

/// Ticks since the epoch of `date[T ]time[Z|+hh:mm]`; an offset is only for types with a zone.
fn stamp(text: &str, per_second: i64, zone: bool) -> Option<i64> {
    let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, "00:00"));
    let (time, offset) = if let Some(time) = time.strip_suffix('Z') {
        (time, Some(0))
    } else if let Some(at) = time.rfind(['+', '-']) {
        let sign = if time[at..].starts_with('-') { -1 } else { 1 };
        (&time[..at], Some(sign * i64::try_from(of_day(&time[at + 1..], 1)?).ok()?))
    } else {
        (time, None)
    };
    if offset.is_some() && !zone {
        return None;
    }
    let seconds = days(date)? * 86_400 - offset.unwrap_or(0);
    i64::try_from(i128::from(seconds) * i128::from(per_second) + of_day(time.trim_end(), per_second)?).ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::cell;
    use crate::cell::Cell;
    use crate::draws::Draws;
    use crate::values::{Letters, palette, value};
    use greylag_model::types::{DataType, TimeUnit};

    #[test]
    fn every_text_reads_back() {
        let mut draws = Draws::new(1, "parse", 0);
        for data_type in palette(true) {
            for _ in 0..200 {
                let written = value(&mut draws, &data_type, Letters::Any);
                let text = written.to_text(&data_type);
                let read = cell(text.as_deref(), &data_type).unwrap();
                // NaN is the same as NaN here.
                assert_eq!(format!("{read:?}"), format!("{written:?}"), "{data_type} {text:?}");
            }
        }
    }

    #[test]
    fn other_forms_are_the_same() {
        let zoned = DataType::Timestamp { unit: TimeUnit::Ms, zone: Some("UTC".to_owned()) };
        for text in ["1970-01-01T01:00:00.5+01:00", "1970-01-01 00:00:00.500Z", "1970-01-01T00:00:00.500000+00:00"] {
            assert_eq!(cell(Some(text), &zoned), Ok(Cell::Ticks(500)), "{text}");
        }
        assert!(cell(Some("1970-01-01T00:00:00.0005Z"), &zoned).is_err());
        assert!(cell(Some("soon"), &DataType::Date).is_err());
    }
}
