//! `kind: Limits` as it is written.

use super::{API_VERSION, MOST, Metadata, duration};
use crate::entity::EntityRef;
use crate::limit;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What protects stores and owners from too much at once. They hold for all runs of a state folder together, from the moment
/// that `greylag limits apply -f FILE` has stored them, and take the place of those before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Limits {
    /// Version of this format.
    #[schemars(extend("const" = API_VERSION))]
    pub api_version: String,
    /// What the document is.
    #[schemars(extend("const" = "Limits"))]
    pub kind: String,
    /// Name and words for people.
    pub metadata: Metadata,
    /// The limits.
    pub spec: LimitsSpec,
}

/// The limits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LimitsSpec {
    /// Of everything together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all: Option<LimitSpec>,
    /// Of stores. An attempt counts in that of its old dataset and in that of its new one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stores: Vec<StoreLimitSpec>,
    /// Of owners.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<OwnerLimitSpec>,
}

/// How much at once, and how much in a time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Limit")]
pub struct LimitSpec {
    /// So many attempts of steps at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = MOST), example = 4)]
    pub concurrency: Option<u64>,
    /// So many attempts of steps begin in a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts: Option<RateSpec>,
}

/// Limit of a store.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "StoreLimit")]
pub struct StoreLimitSpec {
    /// Name of a connection, `local` for datasets without one, or `*`: each that is not named.
    #[schemars(length(min = 1), example = &"lake")]
    pub connection: String,
    /// So many attempts of steps at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = MOST), example = 4)]
    pub concurrency: Option<u64>,
    /// So many attempts of steps begin in a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts: Option<RateSpec>,
}

/// Limit of an owner's datasets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "OwnerLimit")]
pub struct OwnerLimitSpec {
    /// Reference of a group or user, or `*`: each that is not named.
    #[schemars(length(min = 1), example = &"group:finance")]
    pub owner: String,
    /// So many attempts of steps at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = MOST), example = 2)]
    pub concurrency: Option<u64>,
    /// So many attempts of steps begin in a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts: Option<RateSpec>,
}

/// A token bucket: in any time `T` at most `burst + count · T / per` attempts begin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Rate")]
pub struct RateSpec {
    /// So many begin.
    #[schemars(range(min = 1, max = 1_000_000), example = 100)]
    pub count: u64,
    /// In such a time, evenly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = duration::PATTERN), example = &"1m", extend("default" = "1s"))]
    pub per: Option<String>,
    /// So many at once after a rest; without it as many as `count`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000), example = 10)]
    pub burst: Option<u64>,
}

/// Weight beside other runs where limits keep them waiting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Twice as much as normal.
    High,
    /// The usual one.
    #[default]
    Normal,
    /// Half as much as normal.
    Low,
}

impl Priority {
    /// As a weight.
    pub fn weight(self) -> u32 {
        match self {
            Self::High => 4,
            Self::Normal => 2,
            Self::Low => 1,
        }
    }

    /// Whether it is the usual one.
    pub fn is_normal(&self) -> bool {
        *self == Self::Normal
    }
}

impl LimitsSpec {
    /// The limits by key. What the parser has refused is left out.
    pub fn resolved(&self) -> limit::Limits {
        let mut limits = BTreeMap::new();
        let mut add = |key: String, concurrency: Option<u64>, starts: Option<&RateSpec>| {
            let starts = starts.and_then(|rate| {
                let per = rate.per.as_deref().unwrap_or("1s");
                let per_millis = u64::try_from(duration::parse(per).ok()?).ok().filter(|millis| *millis > 0)?;
                Some(limit::Rate { count: rate.count, per_millis, burst: rate.burst.unwrap_or(rate.count) })
            });
            limits.insert(key, limit::Limit { concurrency, starts });
        };
        if let Some(all) = &self.all {
            add(limit::ALL.to_owned(), all.concurrency, all.starts.as_ref());
        }
        for store in &self.stores {
            add(format!("store:{}", store.connection), store.concurrency, store.starts.as_ref());
        }
        for owner in &self.owners {
            let name = match owner.owner.as_str() {
                limit::EACH => limit::EACH.to_owned(),
                text => EntityRef::parse(text, "group").map_or_else(|| text.to_owned(), |owner| owner.to_string()),
            };
            add(format!("owner:{name}"), owner.concurrency, owner.starts.as_ref());
        }
        limit::Limits(limits)
    }
}
