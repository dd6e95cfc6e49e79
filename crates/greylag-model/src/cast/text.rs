//! Canonical text of values, and reading it back. Reading is strict: no surrounding space, no digit groups, years
//! 0001 to 9999 only.

use super::calendar::{civil_from_days, days_from_civil, days_in_month};
use super::convert::{Unfit, coarsen, fits_precision, power_of_ten};
use super::zone::Zone;
use crate::spec::Loss;
use crate::types::TimeUnit;
use crate::types::parse::fixed_offset;
use std::fmt::Write as _;

/// Shortest digits that read back equal; `1.5`, `1e+16`, `1e-05`, `nan`, `inf`, `-inf`. Positional from 1e-4 up to
/// below 1e16, else with an exponent of at least two digits.
pub fn float64(value: f64) -> String {
    float(value.is_nan(), value.is_infinite(), value.is_sign_negative(), || format!("{value:e}"))
}

/// As [`float64`], of single precision.
pub fn float32(value: f32) -> String {
    float(value.is_nan(), value.is_infinite(), value.is_sign_negative(), || format!("{value:e}"))
}

fn float(nan: bool, infinite: bool, negative: bool, scientific: impl Fn() -> String) -> String {
    if nan {
        return "nan".to_owned();
    }
    if infinite {
        return if negative { "-inf" } else { "inf" }.to_owned();
    }
    let text = scientific();
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let sign = if negative { "-" } else { "" };
    if !(-4..16).contains(&exponent) {
        let direction = if exponent < 0 { '-' } else { '+' };
        return format!("{sign}{}e{direction}{:02}", mantissa.trim_start_matches('-'), exponent.abs());
    }
    if exponent < 0 {
        return format!("{sign}0.{}{digits}", "0".repeat((-exponent - 1) as usize));
    }
    let whole = exponent as usize + 1;
    if digits.len() <= whole {
        return format!("{sign}{digits}{}.0", "0".repeat(whole - digits.len()));
    }
    format!("{sign}{}.{}", &digits[..whole], &digits[whole..])
}

/// All digits of the scale: `-0.50`.
pub fn decimal(unscaled: i128, scale: u8) -> String {
    if scale == 0 {
        return unscaled.to_string();
    }
    let digits = format!("{:0width$}", unscaled.unsigned_abs(), width = usize::from(scale) + 1);
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(scale));
    format!("{}{whole}.{fraction}", if unscaled < 0 { "-" } else { "" })
}

/// `YYYY-MM-DD`; `None` outside the years 1 to 9999.
pub fn date(days: i64) -> Option<String> {
    let (year, month, day) = civil_from_days(days);
    (1..=9999).contains(&year).then(|| format!("{year:04}-{month:02}-{day:02}"))
}

/// `HH:MM:SS`, with a fraction without trailing zeros if there is one.
pub fn time(value: i64, unit: TimeUnit) -> String {
    let (seconds, rest) = (value.div_euclid(unit.per_second()), value.rem_euclid(unit.per_second()));
    let mut text = format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if rest != 0 {
        let fraction = format!("{rest:0width$}", width = unit.digits());
        let _ = write!(text, ".{}", fraction.trim_end_matches('0'));
    }
    text
}

/// `YYYY-MM-DD HH:MM:SS[.fraction]`; `None` outside the years 1 to 9999.
pub fn timestamp(value: i64, unit: TimeUnit) -> Option<String> {
    let day = unit.per_second() * 86_400;
    Some(format!("{} {}", date(value.div_euclid(day))?, time(value.rem_euclid(day), unit)))
}

const MALFORMED: Unfit = Unfit("text is not of the form that the type has");

fn digits(text: &str) -> Option<i64> {
    (!text.is_empty() && text.len() <= 18 && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

/// Reads an optional sign and digits.
pub fn parse_integer(text: &str) -> Result<i128, Unfit> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned.is_empty() || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(MALFORMED);
    }
    text.parse().map_err(|_| Unfit::RANGE)
}

/// Reads an optional sign, digits and an optional point with digits, into an unscaled number.
pub fn parse_decimal(text: &str, precision: u8, scale: u8, loss: Option<Loss>) -> Result<i128, Unfit> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let good = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !good(whole) || !good(fraction) {
        return Err(MALFORMED);
    }
    let whole = whole.trim_start_matches('0');
    let keep = usize::from(scale);
    let (kept, dropped) = fraction.split_at(fraction.len().min(keep));
    if whole.len() > 38 {
        return Err(Unfit::RANGE);
    }
    let tail = dropped.bytes().next().unwrap_or(b'0') - b'0';
    let sticky = dropped.bytes().skip(1).any(|byte| byte != b'0');
    let mut value: i128 = 0;
    for byte in whole.bytes().chain(kept.bytes()).chain(std::iter::repeat_n(b'0', keep - kept.len())) {
        value =
            value.checked_mul(10).and_then(|value| value.checked_add(i128::from(byte - b'0'))).ok_or(Unfit::RANGE)?;
    }
    match loss {
        Some(Loss::Round) if tail >= 5 => value += 1,
        Some(Loss::Fail) | None if tail > 0 || sticky => return Err(Unfit::LOSS),
        _ => {}
    }
    let value = if text.starts_with('-') { -value } else { value };
    fits_precision(value, precision).then_some(value).ok_or(Unfit::RANGE)
}

/// Reads digits with an optional point and exponent, or `nan`, `inf`, `infinity` in any case, all with an optional
/// sign. A finite number beyond the range is unfit.
pub fn parse_float64(text: &str) -> Result<f64, Unfit> {
    let value: f64 = float_form(text)?.parse().map_err(|_| MALFORMED)?;
    in_range(text, value.is_infinite()).map(|()| value)
}

/// As [`parse_float64`], of single precision.
pub fn parse_float32(text: &str) -> Result<f32, Unfit> {
    let value: f32 = float_form(text)?.parse().map_err(|_| MALFORMED)?;
    in_range(text, value.is_infinite()).map(|()| value)
}

fn in_range(text: &str, infinite: bool) -> Result<(), Unfit> {
    if infinite && text.bytes().any(|byte| byte.is_ascii_digit()) { Err(Unfit::RANGE) } else { Ok(()) }
}

fn float_form(text: &str) -> Result<&str, Unfit> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if ["nan", "inf", "infinity"].iter().any(|word| unsigned.eq_ignore_ascii_case(word)) {
        return Ok(text);
    }
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let good = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let good_exponent = exponent.is_none_or(|exponent| {
        let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !unsigned.is_empty() && unsigned.len() <= 6 && good(unsigned)
    });
    if (whole.is_empty() && fraction.is_empty()) || !good(whole) || !good(fraction) || !good_exponent {
        return Err(MALFORMED);
    }
    Ok(text)
}

/// Reads `true`, `t`, `yes`, `y`, `1` and their opposites, in any case.
pub fn parse_boolean(text: &str) -> Result<bool, Unfit> {
    let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(&["true", "t", "yes", "y", "1"]) {
        Ok(true)
    } else if is(&["false", "f", "no", "n", "0"]) {
        Ok(false)
    } else {
        Err(MALFORMED)
    }
}

/// Reads `YYYY-MM-DD` into days since 1970-01-01.
pub fn parse_date(text: &str) -> Result<i64, Unfit> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return Err(MALFORMED);
    }
    let part = |range: std::ops::Range<usize>| text.get(range).and_then(digits).ok_or(MALFORMED);
    let (year, month, day) = (part(0..4)?, part(5..7)?, part(8..10)?);
    if year == 0 || !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
        return Err(Unfit("there is no such day"));
    }
    Ok(days_from_civil(year, month, day))
}

/// Reads `HH:MM[:SS[.fraction]]` into a count of 10⁻ᵈ seconds with d the fraction's digits, at most 9.
fn clock(text: &str) -> Result<(i128, u32), Unfit> {
    let bytes = text.as_bytes();
    let part = |range: std::ops::Range<usize>| text.get(range).and_then(digits).ok_or(MALFORMED);
    if bytes.len() < 5 || bytes[2] != b':' || (bytes.len() > 5 && bytes[5] != b':') {
        return Err(MALFORMED);
    }
    let (hour, minute) = (part(0..2)?, part(3..5)?);
    let second = if bytes.len() > 5 { part(6..8)? } else { 0 };
    if hour > 23 || minute > 59 || second > 59 {
        return Err(Unfit("there is no such time of day"));
    }
    let seconds = i128::from(hour * 3_600 + minute * 60 + second);
    let Some(fraction) = text.get(8..).filter(|rest| !rest.is_empty()) else { return Ok((seconds, 0)) };
    let fraction = fraction.strip_prefix('.').filter(|digits| digits.len() <= 9).ok_or(MALFORMED)?;
    let value = digits(fraction).ok_or(MALFORMED)?;
    let length = fraction.len() as u32;
    Ok((seconds * 10_i128.pow(length) + i128::from(value), length))
}

fn in_unit(value: i128, digits: u32, unit: TimeUnit, loss: Option<Loss>) -> Result<i64, Unfit> {
    let target = unit.digits() as u32;
    let value = if digits <= target {
        value * 10_i128.pow(target - digits)
    } else {
        coarsen(value, 10_i128.pow(digits - target), loss)?
    };
    i64::try_from(value).map_err(|_| Unfit::RANGE)
}

/// Reads `HH:MM[:SS[.fraction]]` into units since midnight.
pub fn parse_time(text: &str, unit: TimeUnit, loss: Option<Loss>) -> Result<i64, Unfit> {
    let (value, digits) = clock(text)?;
    let value = in_unit(value, digits, unit, loss)?;
    if value < unit.per_second() * 86_400 { Ok(value) } else { Err(Unfit::RANGE) }
}

/// Reads `YYYY-MM-DD[( |T)HH:MM[:SS[.fraction]]]`; with a zone, `Z` or an offset may follow the time, else the wall
/// clock is read in the zone. Without a zone, none may follow.
pub fn parse_timestamp(text: &str, unit: TimeUnit, zone: Option<&str>, loss: Option<Loss>) -> Result<i64, Unfit> {
    let days = parse_date(text.get(..10).ok_or(MALFORMED)?)?;
    let mut rest = &text[10..];
    let mut offset = None;
    let (mut value, mut digits) = (0, 0);
    if !rest.is_empty() {
        rest = rest.strip_prefix([' ', 'T']).ok_or(MALFORMED)?;
        if zone.is_some()
            && let Some(at) = rest.find(['Z', '+', '-'])
        {
            let suffix = &rest[at..];
            let minutes = if suffix == "Z" { Some(0) } else { fixed_offset(suffix) };
            offset = Some(i64::from(minutes.ok_or(MALFORMED)?) * 60);
            rest = &rest[..at];
        }
        (value, digits) = clock(rest)?;
    }
    let factor = power_of_ten(digits as u8);
    let wall = i128::from(days) * 86_400 * factor + value;
    let offset = match (offset, zone) {
        (Some(offset), _) => offset,
        (None, None) => 0,
        (None, Some(zone)) => {
            let seconds = i64::try_from(wall.div_euclid(factor)).map_err(|_| Unfit::RANGE)?;
            Zone::find(zone).ok_or(Unfit("the zone is not known"))?.offset_of_wall(seconds)
        }
    };
    in_unit(wall - i128::from(offset) * factor, digits, unit, loss)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn floats() {
        for (value, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.5, "1.5"),
            (100.0, "100.0"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.5e300, "1.5e+300"),
            (0.0001, "0.0001"),
            (0.000_012_5, "1.25e-05"),
            (5e-324, "5e-324"),
            (f64::NAN, "nan"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(float64(value), text);
            assert_eq!(parse_float64(text).unwrap().to_bits(), value.to_bits(), "{text}");
        }
        assert_eq!(float32(0.1), "0.1");
        assert_eq!(float32(123_456_789.0), "123456790.0");
        for text in ["", " 1", "1_0", "0x1", "1e", ".", "1e999", "--1", "infinit"] {
            assert!(parse_float64(text).is_err(), "{text}");
        }
        assert_eq!(parse_float64(".5e1").unwrap(), 5.0);
    }

    #[test]
    fn decimals() {
        assert_eq!(decimal(-50, 2), "-0.50");
        assert_eq!(decimal(12_345, 0), "12345");
        let round = Some(Loss::Round);
        assert_eq!(parse_decimal("-1.005", 5, 2, round), Ok(-101));
        assert_eq!(parse_decimal("1.00499999", 5, 2, round), Ok(100));
        assert_eq!(parse_decimal("1.001", 5, 2, Some(Loss::Truncate)), Ok(100));
        assert!(parse_decimal("1.0001", 5, 2, None).is_err());
        assert_eq!(parse_decimal("1.5000", 5, 2, None), Ok(150));
        assert_eq!(parse_decimal("+.5", 5, 2, None), Ok(50));
        assert_eq!(parse_decimal("999.995", 5, 2, round), Err(Unfit::RANGE));
        for text in ["", ".", "+", "1e2", "1,5", "٣"] {
            assert!(parse_decimal(text, 5, 2, round).is_err(), "{text}");
        }
    }

    #[test]
    fn days_and_times() {
        assert_eq!(parse_date("2024-02-29"), Ok(19_782));
        for text in ["2023-02-29", "0000-01-01", "2024-2-9", "2024-02-29 ", "20240229"] {
            assert!(parse_date(text).is_err(), "{text}");
        }
        let parse = |text: &str, unit, zone| parse_timestamp(text, unit, zone, None);
        assert_eq!(parse("1970-01-01 00:00:01.5", TimeUnit::Ms, None), Ok(1_500));
        assert_eq!(parse("1970-01-01T00:01", TimeUnit::S, None), Ok(60));
        assert_eq!(parse("1970-01-02", TimeUnit::S, None), Ok(86_400));
        assert_eq!(parse("1970-01-01 02:00:00+02:00", TimeUnit::S, Some("UTC")), Ok(0));
        assert_eq!(parse("1970-01-01 01:00:00", TimeUnit::S, Some("Europe/Berlin")), Ok(0));
        assert!(parse("1970-01-01 00:00:00Z", TimeUnit::S, None).is_err());
        assert!(parse("1970-01-01 00:00:00.1234", TimeUnit::Ms, None).is_err());
        assert_eq!(parse_timestamp("1969-12-31 23:59:59.1239", TimeUnit::Ms, None, Some(Loss::Truncate)), Ok(-877));
        assert!(parse_time("24:00:00", TimeUnit::S, None).is_err());
        assert_eq!(timestamp(-1, TimeUnit::Ns).unwrap(), "1969-12-31 23:59:59.999999999");
        assert_eq!(timestamp(1_500, TimeUnit::Ms).unwrap(), "1970-01-01 00:00:01.5");
    }
}
