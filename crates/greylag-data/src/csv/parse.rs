//! Text → values, exactly. Every function takes the bytes of one field and gives `None` if they do not fit.

use crate::hive::days_of_month;
use greylag_model::types::TimeUnit;

/// Units of a second.
pub(crate) fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::S => 1,
        TimeUnit::Ms => 1_000,
        TimeUnit::Us => 1_000_000,
        TimeUnit::Ns => 1_000_000_000,
    }
}

/// A whole number.
pub(crate) fn integer(text: &[u8]) -> Option<i128> {
    let (negative, digits) = sign(text);
    if digits.is_empty() || digits.len() > 38 {
        return None;
    }
    let mut value = 0_i128;
    if digits.len() <= 18 {
        // The usual case, in one register.
        let mut small = 0_i64;
        for digit in digits {
            small = small * 10 + i64::from(digit_of(*digit)?);
        }
        value = small.into();
    } else {
        for digit in digits {
            value = value * 10 + i128::from(digit_of(*digit)?);
        }
    }
    Some(if negative { -value } else { value })
}

fn sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    }
}

fn digit_of(byte: u8) -> Option<u8> {
    byte.is_ascii_digit().then(|| byte - b'0')
}

/// `true` or `false` in any case, `1` or `0`.
pub(crate) fn boolean(text: &[u8]) -> Option<bool> {
    match text {
        b"1" => Some(true),
        b"0" => Some(false),
        _ if text.eq_ignore_ascii_case(b"true") => Some(true),
        _ if text.eq_ignore_ascii_case(b"false") => Some(false),
        _ => None,
    }
}

/// A decimal as its unscaled value; digits beyond the scale must be zeros.
pub(crate) fn decimal(text: &[u8], precision: u8, scale: u8) -> Option<i128> {
    let (negative, digits) = sign(text);
    let point = memchr::memchr(b'.', digits);
    let (whole, fraction) = point.map_or((digits, &b""[..]), |point| (&digits[..point], &digits[point + 1..]));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value = 0_i128;
    let mut push = |digit: u8| -> Option<()> {
        value = value.checked_mul(10)?.checked_add(digit_of(digit)?.into())?;
        Some(())
    };
    whole.iter().try_for_each(|digit| push(*digit))?;
    for place in 0..usize::from(scale) {
        push(fraction.get(place).copied().unwrap_or(b'0'))?;
    }
    if fraction.iter().skip(scale.into()).any(|digit| *digit != b'0') || value >= 10_i128.pow(precision.into()) {
        return None;
    }
    Some(if negative { -value } else { value })
}

/// Fixed digits at a place.
fn digits(text: &[u8], from: usize, count: usize) -> Option<i64> {
    let part = text.get(from..from + count)?;
    part.iter().try_fold(0, |value, digit| Some(value * 10 + i64::from(digit_of(*digit)?)))
}

/// Days since 1970 of `YYYY-MM-DD`; a year beyond four digits has a sign before it.
pub(crate) fn date(text: &[u8]) -> Option<i64> {
    let (negative, rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let dash = memchr::memchr(b'-', rest)?;
    let signed = rest.len() != text.len();
    let year = digits(rest, 0, dash).filter(|_| dash == 4 || (signed && (5..=7).contains(&dash)))?;
    let year = if negative { -year } else { year };
    let rest = &rest[dash + 1..];
    let (month, day) = (digits(rest, 0, 2)?, digits(rest, 3, 2)?);
    let valid = rest.len() == 5 && rest[2] == b'-' && (1..=12).contains(&month);
    (valid && day >= 1 && day <= days_of_month(year, month)).then(|| days_from_civil(year, month, day))
}

/// Days since 1970 of a proleptic Gregorian date. Howard Hinnant, "chrono-compatible low-level date algorithms".
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Units since midnight of `HH:MM:SS` or `HH:MM:SS.fraction`; digits beyond the unit must be zeros.
pub(crate) fn time(text: &[u8], unit: TimeUnit) -> Option<i64> {
    let (hour, minute, second) = (digits(text, 0, 2)?, digits(text, 3, 2)?, digits(text, 6, 2)?);
    let valid = text[2] == b':' && text[5] == b':' && hour < 24 && minute < 60 && second < 60;
    let seconds = valid.then_some(hour * 3600 + minute * 60 + second)?;
    let mut left = per_second(unit);
    let mut fraction = 0;
    match text.get(8) {
        None => {}
        Some(b'.') if text.len() > 9 => {
            for digit in &text[9..] {
                let digit = i64::from(digit_of(*digit)?);
                if left == 1 && digit != 0 {
                    return None;
                }
                if left > 1 {
                    left /= 10;
                    fraction += digit * left;
                }
            }
        }
        Some(_) => return None,
    }
    Some(seconds * per_second(unit) + fraction)
}

/// A timestamp: units since 1970, of UTC if it has an offset, and whether it has one. `YYYY-MM-DD`, or that, `T` or a
/// space, a time of day, and nothing, `Z`, `±HH`, `±HHMM` or `±HH:MM`.
pub(crate) fn timestamp(text: &[u8], unit: TimeUnit) -> Option<(i64, bool)> {
    let split = memchr::memchr2(b'T', b' ', text).unwrap_or(text.len());
    let days = date(&text[..split])?;
    let clock = text.get(split + 1..).unwrap_or_default();
    let zone_at = clock.iter().position(|byte| matches!(byte, b'Z' | b'+' | b'-')).unwrap_or(clock.len());
    let (clock, zone) = clock.split_at(zone_at);
    let units = if split == text.len() { 0 } else { time(clock, unit)? };
    let offset = offset_seconds(zone)?;
    let seconds = i128::from(days) * 86_400 - i128::from(offset);
    let whole = seconds * i128::from(per_second(unit)) + i128::from(units);
    Some((i64::try_from(whole).ok()?, !zone.is_empty()))
}

fn offset_seconds(zone: &[u8]) -> Option<i64> {
    let (negative, hours, minutes) = match zone {
        [] | [b'Z'] => return Some(0),
        [sign, _, _] => (*sign == b'-', digits(zone, 1, 2)?, 0),
        [sign, _, _, b':', _, _] => (*sign == b'-', digits(zone, 1, 2)?, digits(zone, 4, 2)?),
        [sign, _, _, _, _] => (*sign == b'-', digits(zone, 1, 2)?, digits(zone, 3, 2)?),
        _ => return None,
    };
    let seconds = hours * 3600 + minutes * 60;
    (hours < 24 && minutes < 60).then_some(if negative { -seconds } else { seconds })
}
