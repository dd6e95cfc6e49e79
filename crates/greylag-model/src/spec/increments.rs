//! `spec.increments` as it is written.

use super::duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Later runs move only what changed: new files and partitions, and files that were written again. Without it a migration
/// moves each dataset once. Targets are directories then, and the last phase is `publish` unless the file says otherwise;
/// a run that cuts over ends the increments of its datasets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(rename = "Increments")]
pub struct IncrementsSpec {
    /// What happens to the rows of source files that are gone.
    pub removed: Removed,
    /// How long a source file must not have been written to before it is taken; a younger one is left for the next run.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = duration::PATTERN), example = &"10m", extend("default" = "0s"))]
    pub settle: Option<String>,
    /// Column that tells how far each dataset is; a dataset without such a column has no watermark, and the plan says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watermark: Option<WatermarkSpec>,
    /// When `greylag schedule` runs the migration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<ScheduleSpec>,
}

/// What happens to the rows of source files that are gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Removed {
    /// The run fails and names the files: nobody loses rows in silence.
    #[default]
    Fail,
    /// They go from the target, too.
    Follow,
    /// They stay in the target: the source forgets, the target remembers.
    Keep,
}

/// A column of the new dataset whose largest value tells how far it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Watermark")]
pub struct WatermarkSpec {
    /// Its name: a date, a timestamp or an integer.
    #[schemars(length(min = 1), example = &"created_at")]
    pub column: String,
    /// Rows may come so much later than the watermark (for dates and timestamps); what is older is late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = duration::PATTERN), example = &"2d", extend("default" = "0s"))]
    pub lateness: Option<String>,
    /// What happens to late rows.
    #[serde(default)]
    pub late: Late,
}

/// What happens to late rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Late {
    /// They are moved like all others, and counted.
    #[default]
    Accept,
    /// The task fails before anybody sees them.
    Fail,
}

/// When to run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Schedule")]
pub struct ScheduleSpec {
    /// Minute, hour, day of the month, month, day of the week, as in crontab(5).
    #[schemars(length(min = 1), example = &"15 * * * *")]
    pub cron: String,
    /// Time zone, IANA name or `+hh:mm`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = &"Europe/Stockholm", extend("default" = "UTC"))]
    pub zone: Option<String>,
}
