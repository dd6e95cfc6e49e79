//! `spec.rollout` as it is written.

use super::{MOST, duration};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// In which groups the datasets go, and what must hold before the next group follows. Without it all go at once.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Rollout")]
pub struct RolloutSpec {
    /// Groups of datasets, the first goes first. What none of them takes follows last, as cohort `rest`. A dataset that is
    /// made from one of a later cohort goes with that cohort.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cohorts: Vec<CohortSpec>,
    /// What must hold of every cohort that has no gate of its own before the next one begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<GateSpec>,
    /// When tasks may begin, and publish, cut over, retire and drop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<WindowSpec>,
}

/// A group of datasets: of those that earlier cohorts have left, the ones with one of the owners and one of the tags, and of
/// these at most so many, upstream first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Cohort")]
pub struct CohortSpec {
    /// Name for people and for `greylag approve --cohort`.
    #[schemars(regex(pattern = r"^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$"), example = &"canary")]
    pub name: String,
    /// At most so many datasets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = MOST), example = 3)]
    pub count: Option<u64>,
    /// At most such a share of all datasets of the migration, rounded up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 100.0), example = 10.0)]
    pub percent: Option<f64>,
    /// Only datasets of one of these owners: references of groups or users.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(length(min = 1)), extend("examples" = [["group:finance"]]))]
    pub owners: Vec<String>,
    /// Only datasets with one of these tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(length(min = 1)), extend("examples" = [["tier-3"]]))]
    pub tags: Vec<String>,
    /// What must hold of it before the next one begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<GateSpec>,
}

/// What must hold of a cohort before the next one begins: all of its tasks have come through their cutover (or their last
/// phase before it) or have failed, no more of them than may, and what else is said here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Gate")]
pub struct GateSpec {
    /// So many tasks of the cohort may have ended badly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = MOST), extend("default" = 0))]
    pub max_failures: Option<u64>,
    /// Such a share of the cohort may have ended badly, rounded down; with `maxFailures` the stricter counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 100.0), example = 2.5)]
    pub max_failure_percent: Option<f64>,
    /// Whether a person has to say yes: `greylag approve RUN --cohort NAME`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = false))]
    pub approval: Option<bool>,
    /// How long nothing may have happened in the cohort.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = duration::PATTERN), example = &"2h", extend("default" = "0s"))]
    pub soak: Option<String>,
}

/// A part of the week.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Window")]
pub struct WindowSpec {
    /// Days on which it opens; without it, all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("examples" = [["mon", "tue", "wed", "thu"]]))]
    pub days: Vec<Day>,
    /// When it opens, wall clock.
    #[schemars(regex(pattern = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"), example = &"09:00")]
    pub from: String,
    /// When it closes, wall clock; a time that is not after `from` is on the next day.
    #[schemars(regex(pattern = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"), example = &"16:00")]
    pub to: String,
    /// Time zone, IANA name or `+hh:mm`; without it that of each dataset's owner (the annotation `greylag.dev/time-zone` of the
    /// group or user), else UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = &"Europe/Stockholm")]
    pub zone: Option<String>,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Day {
    /// 1 is Monday, as in ISO 8601.
    pub fn number(self) -> u8 {
        self as u8 + 1
    }
}
