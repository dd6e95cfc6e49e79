//! Increments: durations, the schedule, and what they do not go with.

use super::{Report, text};
use crate::code::spec as code;
use crate::schedule::Schedule;
use crate::yaml::Node;

pub(super) fn check(report: &mut Report<'_>, spec: &Node) {
    let Some(increments) = spec.get("increments") else { return };
    if let Some(settle) = increments.get("settle") {
        report.duration(settle, true);
    }
    if let Some(mark) = increments.get("watermark") {
        watermark(report, mark);
    }
    if let Some(schedule) = increments.get("schedule") {
        check_schedule(report, schedule);
    }
}

/// The watermark of all pairs, or of one.
pub(super) fn watermark(report: &mut Report<'_>, mark: &Node) {
    if let Some(lateness) = mark.get("lateness") {
        report.duration(lateness, true);
    }
}

fn check_schedule(report: &mut Report<'_>, schedule: &Node) {
    let zone = text(schedule, "zone");
    if let (Some(node), Some(name)) = (schedule.get("zone"), zone)
        && Schedule::new("0 0 * * *", Some(name)).is_err()
    {
        let message = format!("there is no time zone `{name}`");
        report.error(node, code::BAD_SCHEDULE, message, "write an IANA name such as `Europe/Stockholm`, or `+hh:mm`");
        return;
    }
    if let (Some(node), Some(cron)) = (schedule.get("cron"), text(schedule, "cron"))
        && let Err(why) = Schedule::new(cron, zone)
    {
        let message = format!("`{cron}` is no schedule: {why}");
        let hint = "write minute, hour, day of the month, month, day of the week, e.g. `15 * * * *`";
        report.error(node, code::BAD_SCHEDULE, message, hint);
    }
}
