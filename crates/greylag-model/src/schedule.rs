//! Schedules: the minutes at which something is to be done, as crontab(5) writes them, by the wall clock of a place.

use crate::cast::zone::Zone;
use crate::id::Timestamp;
use chrono::{DateTime, FixedOffset, TimeZone, Utc};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

/// Minutes that come again and again.
#[derive(Clone, Debug)]
pub struct Schedule {
    cron: Cron,
    zone: Zone,
}

impl Schedule {
    /// From five fields and a time zone (IANA name or `+hh:mm`; UTC without one), or why they make none: also if they name
    /// a day that no year has.
    pub fn new(cron: &str, zone: Option<&str>) -> Result<Self, String> {
        let zone = match zone {
            None => Zone::Fixed(0),
            Some(name) => Zone::find(name).ok_or_else(|| format!("there is no time zone `{name}`"))?,
        };
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron =
            parser.parse(cron).map_err(|error| error.to_string().to_lowercase().trim_end_matches('.').to_owned())?;
        let schedule = Self { cron, zone };
        match schedule.next(Timestamp(0)) {
            Some(_) => Ok(schedule),
            None => Err("no such day ever comes".to_owned()),
        }
    }

    /// The first of its minutes after an instant. What falls into an hour that clocks leave out comes right after it; what
    /// falls into one that comes twice comes as crontab(5) has it: once for a fixed time of day, twice for `*`.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let utc = DateTime::<Utc>::from_timestamp_millis(after.0)?;
        let millis = match self.zone {
            Zone::Fixed(seconds) => {
                let offset = FixedOffset::east_opt(i32::try_from(seconds).ok()?)?;
                self.find(&utc.with_timezone(&offset))?
            }
            Zone::Named(zone) => self.find(&utc.with_timezone(&zone))?,
        };
        Some(Timestamp(millis))
    }

    fn find<Z: TimeZone>(&self, after: &DateTime<Z>) -> Option<i64>
    where
        DateTime<Z>: croner::CronDateTime,
    {
        self.cron.find_next_occurrence(after, false).ok().map(|next| next.timestamp_millis())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::Schedule;
    use crate::id::Timestamp;
    use chrono::{DateTime, NaiveDateTime};

    fn next(cron: &str, zone: Option<&str>, after: &str, count: usize) -> Vec<String> {
        let after = NaiveDateTime::parse_from_str(after, "%Y-%m-%d %H:%M:%S").unwrap().and_utc();
        let schedule = Schedule::new(cron, zone).unwrap();
        let mut at = Timestamp(after.timestamp_millis());
        let step = |_| {
            at = schedule.next(at).unwrap();
            DateTime::from_timestamp_millis(at.0).unwrap().format("%Y-%m-%d %H:%M:%S").to_string()
        };
        (0..count).map(step).collect()
    }

    #[test]
    fn its_minutes_come_one_after_the_other() {
        assert_eq!(
            next("15,45 * * * *", None, "2026-11-28 14:15:00", 3),
            ["2026-11-28 14:45:00", "2026-11-28 15:15:00", "2026-11-28 15:45:00"]
        );
        assert_eq!(next("0 3 29 2 *", None, "2026-03-01 00:00:00", 1), ["2028-02-29 03:00:00"]);
        assert_eq!(next("0 9 * * mon", Some("Asia/Tokyo"), "2026-11-28 00:00:00", 1), ["2026-11-30 00:00:00"]);
        assert_eq!(next("30 6 * * *", Some("+05:30"), "2026-11-28 00:30:00", 1), ["2026-11-28 01:00:00"]);
    }

    #[test]
    fn a_time_of_day_comes_once_a_day_whatever_clocks_do() {
        // Forward on 2026-03-29 at 02:00, back on 2026-10-25 at 03:00.
        let spring = next("30 2 * * *", Some("Europe/Stockholm"), "2026-03-28 00:00:00", 3);
        assert_eq!(spring, ["2026-03-28 01:30:00", "2026-03-29 01:00:00", "2026-03-30 00:30:00"]);
        let autumn = next("30 2 * * *", Some("Europe/Stockholm"), "2026-10-24 12:00:00", 2);
        assert_eq!(autumn, ["2026-10-25 00:30:00", "2026-10-26 01:30:00"]);
    }

    #[test]
    fn what_never_comes_is_refused() {
        for (cron, zone, why) in [
            ("0 0 30 2 *", None, "ever"),
            ("* * * *", None, "field"),
            ("* * * * * *", None, "field"),
            ("61 * * * *", None, "bounds"),
            ("", None, "empty"),
            ("0 0 * * *", Some("Mars/Olympus"), "zone"),
        ] {
            let refused = Schedule::new(cron, zone).unwrap_err();
            assert!(refused.contains(why), "{cron}: {refused}");
        }
    }
}
