//! Time zones: instants to wall clocks and back.
//!
//! Where clocks are set forward, a wall-clock reading inside the gap is read with the offset from before it (02:30
//! becomes 03:30). Where they are set back, a reading that occurs twice is the later instant. Both are as in DuckDB
//! (ICU). Zone rules are those that this build was compiled with, which end with 2099: a later year is taken for one before
//! that has the same calendar, so that the last rules go on for ever.

use super::calendar::{civil_from_days, days_from_civil, days_in_month, iso_weekday};
use crate::types::parse::fixed_offset;
use chrono::{DateTime, LocalResult, Offset, TimeZone};
use chrono_tz::Tz;

/// A zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// Seconds east of UTC.
    Fixed(i64),
    /// With rules.
    Named(Tz),
}

/// Whether a zone's offset never changes: UTC or `+hh:mm`.
pub fn is_fixed(name: &str) -> bool {
    matches!(Zone::find(name), Some(Zone::Fixed(_)))
}

/// Seconds that chrono can look up; beyond them, the offset at the end counts.
const RANGE: (i64, i64) = (-8_334_000_000_000, 8_210_000_000_000);

/// Last year that has rules.
const LAST_YEAR: i64 = 2099;

/// The same moment of a year with rules: one of the last 28, which between them have every calendar.
fn recurring(seconds: i64) -> i64 {
    // 2100-01-01 00:00.
    if seconds < 4_102_444_800 {
        return seconds;
    }
    let (year, ..) = civil_from_days(seconds.div_euclid(86_400));
    let shape = |year| (days_in_month(year, 2), iso_weekday(days_from_civil(year, 1, 1)));
    let like = (LAST_YEAR - 27..=LAST_YEAR).find(|known| shape(*known) == shape(year)).unwrap_or(LAST_YEAR);
    seconds - (days_from_civil(year, 1, 1) - days_from_civil(like, 1, 1)) * 86_400
}

impl Zone {
    /// The zone of an IANA name or `+hh:mm`.
    pub fn find(name: &str) -> Option<Self> {
        if name == "UTC" {
            return Some(Self::Fixed(0));
        }
        if let Some(minutes) = fixed_offset(name) {
            return Some(Self::Fixed(i64::from(minutes) * 60));
        }
        name.parse().ok().map(Self::Named)
    }

    /// Seconds east of UTC at an instant given in seconds since the epoch.
    pub fn offset_at(self, instant: i64) -> i64 {
        match self {
            Self::Fixed(seconds) => seconds,
            Self::Named(zone) => {
                let clamped = recurring(instant).clamp(RANGE.0, RANGE.1);
                let Some(utc) = DateTime::from_timestamp(clamped, 0) else { return 0 };
                i64::from(zone.offset_from_utc_datetime(&utc.naive_utc()).fix().local_minus_utc())
            }
        }
    }

    /// Seconds east of UTC that a wall-clock reading (seconds since 1970-01-01 00:00 on that clock) is read with.
    pub fn offset_of_wall(self, wall: i64) -> i64 {
        let Self::Named(zone) = self else { return self.offset_at(wall) };
        let clamped = recurring(wall).clamp(RANGE.0, RANGE.1);
        let Some(local) = DateTime::from_timestamp(clamped, 0) else { return 0 };
        match zone.offset_from_local_datetime(&local.naive_utc()) {
            LocalResult::Single(offset) => i64::from(offset.fix().local_minus_utc()),
            LocalResult::Ambiguous(_, later) => i64::from(later.fix().local_minus_utc()),
            // No gap is a day long, and no offset either: a day earlier the clock had not been set forward yet.
            LocalResult::None => self.offset_at(clamped - 86_400),
        }
    }

    /// Whether a wall-clock reading exists exactly once.
    pub fn is_unique(self, wall: i64) -> bool {
        let Self::Named(zone) = self else { return true };
        DateTime::from_timestamp(recurring(wall).clamp(RANGE.0, RANGE.1), 0)
            .is_some_and(|local| matches!(zone.offset_from_local_datetime(&local.naive_utc()), LocalResult::Single(_)))
    }

    /// Wall clock of an instant, both in units of which `per_second` make a second; `None` if out of range.
    pub fn to_wall(self, instant: i64, per_second: i64) -> Option<i64> {
        let offset = self.offset_at(instant.div_euclid(per_second));
        instant.checked_add(offset.checked_mul(per_second)?)
    }

    /// Instant of a wall clock, both in units of which `per_second` make a second; `None` if out of range.
    pub fn to_instant(self, wall: i64, per_second: i64) -> Option<i64> {
        let offset = self.offset_of_wall(wall.div_euclid(per_second));
        wall.checked_sub(offset.checked_mul(per_second)?)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::Zone;

    #[test]
    fn gaps_go_forward_and_repeats_are_the_later_one() {
        let berlin = Zone::find("Europe/Berlin").unwrap();
        // 2024-03-31 02:30 does not exist: 01:30 UTC. 2024-10-27 02:30 exists twice: 01:30 UTC is the later.
        assert_eq!(berlin.to_instant(1_711_852_200, 1), Some(1_711_848_600));
        assert_eq!(berlin.to_instant(1_729_996_200, 1), Some(1_729_992_600));
        assert!(!berlin.is_unique(1_711_852_200) && !berlin.is_unique(1_729_996_200) && berlin.is_unique(0));
        // Apia skipped the whole of 2011-12-30: it is read with the offset from before, UTC-10.
        let apia = Zone::find("Pacific/Apia").unwrap();
        assert_eq!(apia.offset_of_wall(1_325_203_200), -36_000);
        assert_eq!(Zone::find("+05:30").unwrap().to_wall(0, 1_000), Some(19_800_000));
        // 2262-04-11 is in summer time, as every eleventh of April.
        assert_eq!(berlin.offset_at(9_223_372_036), 7_200);
        assert_eq!(berlin.offset_at(432_000_000_000), 7_200);
        assert_eq!(Zone::find("Nowhere/Else"), None);
        assert_eq!(berlin.to_wall(i64::MAX, 1), None);
    }
}
