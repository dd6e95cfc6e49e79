//! Values → text. The inverse of [`super::parse`].

use super::parse::per_second;
use greylag_model::types::TimeUnit;
use std::io::Write;

/// Year, month and day of days since 1970. Howard Hinnant, "chrono-compatible low-level date algorithms".
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

fn two(out: &mut Vec<u8>, number: i64) {
    out.push(b'0' + (number / 10) as u8);
    out.push(b'0' + (number % 10) as u8);
}

/// `YYYY-MM-DD`.
pub(crate) fn date(out: &mut Vec<u8>, days: i64) {
    let (year, month, day) = civil_from_days(days);
    if (0..=9999).contains(&year) {
        two(out, year / 100);
        two(out, year % 100);
    } else {
        let sign = if year < 0 { '-' } else { '+' };
        let _ = write!(out, "{sign}{:04}", year.abs());
    }
    out.push(b'-');
    two(out, month);
    out.push(b'-');
    two(out, day);
}

/// `HH:MM:SS`, and the fraction in the unit's digits unless it is zero.
pub(crate) fn time(out: &mut Vec<u8>, units: i64, unit: TimeUnit) {
    let per_second = per_second(unit);
    let (seconds, fraction) = (units.div_euclid(per_second), units.rem_euclid(per_second));
    two(out, seconds / 3600);
    out.push(b':');
    two(out, seconds / 60 % 60);
    out.push(b':');
    two(out, seconds % 60);
    if fraction == 0 {
        return;
    }
    out.push(b'.');
    let mut place = per_second / 10;
    while place > 0 {
        out.push(b'0' + (fraction / place % 10) as u8);
        place /= 10;
    }
}

/// `YYYY-MM-DDTHH:MM:SS`, the fraction, and `Z` if it is an instant.
pub(crate) fn timestamp(out: &mut Vec<u8>, units: i64, unit: TimeUnit, instant: bool) {
    let day = 86_400 * per_second(unit);
    date(out, units.div_euclid(day));
    out.push(b'T');
    time(out, units.rem_euclid(day), unit);
    if instant {
        out.push(b'Z');
    }
}

/// A decimal, with all digits of its scale.
pub(crate) fn decimal(out: &mut Vec<u8>, unscaled: i128, scale: u8) {
    if unscaled < 0 {
        out.push(b'-');
    }
    let unit = 10_u128.pow(scale.into());
    let magnitude = unscaled.unsigned_abs();
    let _ = write!(out, "{}", magnitude / unit);
    if scale > 0 {
        let _ = write!(out, ".{:0width$}", magnitude % unit, width = usize::from(scale));
    }
}

/// The shortest digits that read back as the same value; `NaN`, `inf` and `-inf` for the rest.
pub(crate) fn float<F: std::fmt::Debug>(out: &mut Vec<u8>, value: F) {
    // `Debug` is specified to round-trip, and unlike `Display` it keeps `1.0` apart from `1` and uses exponents.
    let _ = write!(out, "{value:?}");
}
