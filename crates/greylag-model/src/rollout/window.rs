//! Windows: parts of the week, by the wall clock of a place.

use crate::cast::zone::Zone;
use crate::id::Timestamp;
use serde::{Deserialize, Serialize};

const MINUTE: i64 = 60_000;
const DAY_MINUTES: i64 = 24 * 60;

/// A part of the week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Window {
    /// Days on which it opens, 1 is Monday; in order.
    pub days: Vec<u8>,
    /// Minute of the day at which it opens.
    pub from: u16,
    /// Minute at which it closes, counted from the midnight before it opens: above 1,440 it is on the next day.
    pub to: u16,
    /// IANA name or `+hh:mm`.
    pub zone: String,
}

impl Window {
    /// When it is open next: `now` if it is open. Where clocks are set forward over its beginning, it opens when they have been;
    /// where they are set back, the hour that comes twice counts twice.
    pub fn open_from(&self, now: Timestamp) -> Timestamp {
        // A zone that was known when the plan was made and is no more: no window at all would be the wrong side to err on.
        let zone = Zone::find(&self.zone).unwrap_or(Zone::Fixed(0));
        let minute = now.0.div_euclid(MINUTE);
        let wall = minute + zone.offset_at(minute * 60).div_euclid(60);
        let today = wall.div_euclid(DAY_MINUTES);
        let opens = |day: i64| self.days.contains(&weekday(day));
        // One that opened yesterday may still be open.
        for day in today - 1..=today + 8 {
            let (begin, end) = (day * DAY_MINUTES + i64::from(self.from), day * DAY_MINUTES + i64::from(self.to));
            if !opens(day) || wall >= end {
                continue;
            }
            if wall >= begin {
                return now;
            }
            let instant = begin * 60 - zone.offset_of_wall(begin * 60);
            return Timestamp((instant * 1_000).max(now.0));
        }
        now
    }
}

/// 1 is Monday; day 0 was a Thursday.
fn weekday(day: i64) -> u8 {
    ((day + 3).rem_euclid(7) + 1) as u8
}

#[cfg(test)]
mod tests {
    use super::Window;
    use crate::id::Timestamp;

    fn at(text: &str) -> Timestamp {
        let instant = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S");
        Timestamp(instant.map_or(0, |instant| instant.and_utc().timestamp_millis()))
    }

    fn window(days: &[u8], from: u16, to: u16, zone: &str) -> Window {
        Window { days: days.to_vec(), from, to, zone: zone.to_owned() }
    }

    #[test]
    fn it_is_open_from_its_first_minute_to_before_its_last() {
        // Monday to Thursday, nine to four in Stockholm: an hour before UTC in winter, two in summer.
        let office = window(&[1, 2, 3, 4], 540, 960, "Europe/Stockholm");
        for (now, next) in [
            ("2026-11-26 07:59:59", "2026-11-26 08:00:00"),
            ("2026-11-26 08:00:00", "2026-11-26 08:00:00"),
            ("2026-11-26 14:59:59", "2026-11-26 14:59:59"),
            ("2026-11-26 15:00:00", "2026-11-30 08:00:00"),
            ("2026-11-28 12:00:00", "2026-11-30 08:00:00"),
            ("2026-07-01 06:59:00", "2026-07-01 07:00:00"),
            // The clocks go forward on Sunday, and Monday's nine is an hour earlier by UTC.
            ("2026-03-26 16:00:00", "2026-03-30 07:00:00"),
        ] {
            assert_eq!(office.open_from(at(now)), at(next), "{now}");
        }
    }

    #[test]
    fn one_over_midnight_belongs_to_the_day_on_which_it_opens() {
        let night = window(&[5], 22 * 60, 30 * 60, "UTC");
        for (now, next) in [
            ("2026-11-27 21:00:00", "2026-11-27 22:00:00"),
            ("2026-11-28 05:59:59", "2026-11-28 05:59:59"),
            ("2026-11-28 06:00:00", "2026-12-04 22:00:00"),
            ("2026-11-27 05:00:00", "2026-11-27 22:00:00"),
        ] {
            assert_eq!(night.open_from(at(now)), at(next), "{now}");
        }
        // In New York the same instant is another day.
        assert_eq!(
            window(&[5], 0, 60, "America/New_York").open_from(at("2026-11-27 04:30:00")),
            at("2026-11-27 05:00:00")
        );
    }

    #[test]
    fn a_beginning_that_the_clocks_skip_is_when_they_have_been_set() {
        // 02:30 does not exist in Berlin on 2026-03-29: the window opens at 03:30, which is 01:30 UTC.
        let early = window(&[7], 150, 240, "Europe/Berlin");
        assert_eq!(early.open_from(at("2026-03-28 12:00:00")), at("2026-03-29 01:30:00"));
    }
}
