//! Limits: how much may be under way at once, and begin in a time, in all, in a store, and for an owner.
//!
//! **Terms.** What is limited is *attempts* of steps. An attempt counts under several *keys*: `all`, the stores of its source
//! and its target, and its owner. A key has a limit of its own, or that which is given for each of its kind (`*`), or none. A
//! *concurrency* bounds how many attempts of a key are under way at once. A *rate* bounds how many begin, by a token bucket: in
//! any time `T` at most `burst + count · T / per` (Turner, "New directions in communications", 1986).
//!
//! **Who is authoritative.** The state folder, not a process: before attempts begin, the process that decides for their run asks
//! for them in one transaction ([`allot`]), which sees what every other run has under way. What a process that died had under way
//! is free from the moment that it is known to be dead.
//!
//! **Fair sharing.** While nobody else is kept waiting a run may have all of a key. If others are kept waiting, one that has its
//! share (by weight, rounded up) gets nothing more until it has less; what was begun is never taken away. So shares settle
//! within the time that attempts take.
//!
//! **When it dies half-way.** An allotment that was written and not used is corrected by the next one: it states what the run has
//! under way. Until then fewer attempts run than may, never more.

use crate::id::{RunId, Timestamp};
use crate::plan::PlanTask;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Key of everything.
pub const ALL: &str = "all";
/// Name of what lies in no connection.
pub const LOCAL: &str = "local";
/// Each one of a kind.
pub const EACH: &str = "*";

/// What bounds the attempts of one key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// So many at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u64>,
    /// So many in a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts: Option<Rate>,
}

/// A token bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rate {
    /// So many …
    pub count: u64,
    /// … in so many milliseconds, evenly.
    pub per_millis: u64,
    /// So many at once after a rest.
    pub burst: u64,
}

/// All limits of a state folder, by key; `store:*` and `owner:*` stand for each that has none of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Limits(pub BTreeMap<String, Limit>);

impl Limits {
    /// Whether nothing is limited.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The limit of a key.
    pub fn of(&self, key: &str) -> Limit {
        let each = || key.split_once(':').and_then(|(kind, _)| self.0.get(&format!("{kind}:{EACH}")));
        self.0.get(key).or_else(each).copied().unwrap_or_default()
    }

    /// Whether one of the keys has a rate.
    pub fn has_rate<'a>(&self, keys: impl IntoIterator<Item = &'a String>) -> bool {
        !self.is_empty() && keys.into_iter().any(|key| self.of(key).starts.is_some())
    }
}

/// Key of a store.
pub fn store_key(connection: Option<&str>) -> String {
    format!("store:{}", connection.unwrap_or(LOCAL))
}

/// Keys that the attempts of a task count under, each once.
pub fn keys(task: &PlanTask) -> Vec<String> {
    let stores = task.dataset().into_iter().flat_map(|work| {
        let locations = [&work.source.dataset.location, &work.target_location];
        locations.map(|location| store_key(location.connection.as_deref()))
    });
    let owner = task.owner.as_ref().map(|owner| format!("owner:{owner}"));
    let keys: BTreeSet<String> = std::iter::once(ALL.to_owned()).chain(stores).chain(owner).collect();
    keys.into_iter().collect()
}

/// For each task the number of its set of keys, from 1 on in the order in which they come: what is waited for together.
pub fn lanes(tasks: &[PlanTask]) -> Vec<u32> {
    let mut known: HashMap<Vec<String>, u32> = HashMap::new();
    let mut lane = |task: &PlanTask| {
        let next = known.len() as u32 + 1;
        *known.entry(keys(task)).or_insert(next)
    };
    tasks.iter().map(&mut lane).collect()
}

/// What one run has of one key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Share {
    /// Attempts under way.
    pub in_use: u64,
    /// Whether it was refused more when it last asked.
    pub short: bool,
    /// Its weight beside others.
    pub weight: u32,
}

/// How full a bucket is. A token is `per_millis` units; `count` units come with every millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// Units in it.
    pub units: u64,
    /// At that time.
    pub at: Timestamp,
}

impl Bucket {
    /// The bucket at a later time; a full one if there was none. A clock that was set back adds nothing and takes nothing.
    fn refilled(bucket: Option<Self>, rate: Rate, now: Timestamp) -> Self {
        let full = rate.burst.max(1).saturating_mul(rate.per_millis);
        let Some(bucket) = bucket else { return Self { units: full, at: now } };
        let passed = u64::try_from(now.millis_since(bucket.at)).unwrap_or(0);
        Self { units: bucket.units.saturating_add(passed.saturating_mul(rate.count)).min(full), at: now }
    }

    /// When it holds a token.
    fn next(self, rate: Rate) -> Timestamp {
        let missing = rate.per_millis.saturating_sub(self.units);
        self.at.plus_millis(i64::try_from(missing.div_ceil(rate.count.max(1))).unwrap_or(i64::MAX))
    }
}

/// What is known of one key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Use {
    /// By run; of runs that are being driven alone.
    pub shares: BTreeMap<RunId, Share>,
    /// How full its bucket is, if it has one.
    pub bucket: Option<Bucket>,
}

/// What a run asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    /// Its weight beside others.
    pub weight: u32,
    /// What it has under way, by key, and had when it last asked: zeros as well.
    pub in_use: BTreeMap<String, u64>,
    /// Attempts that it would begin, most wanted first: the keys of each.
    pub wanted: Vec<Vec<String>>,
}

/// What it gets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allotted {
    /// For each attempt whether it may begin.
    pub granted: Vec<bool>,
    /// When the next token comes, if tokens were missing.
    pub next: Option<Timestamp>,
}

/// Decides what a run may begin, and writes that into what is known of the keys.
pub fn allot(limits: &Limits, known: &mut BTreeMap<String, Use>, run: &RunId, ask: &Ask, now: Timestamp) -> Allotted {
    for (key, in_use) in &ask.in_use {
        let share = Share { in_use: *in_use, short: false, weight: ask.weight };
        known.entry(key.clone()).or_default().shares.insert(run.clone(), share);
    }
    let mut allotted = Allotted::default();
    for keys in &ask.wanted {
        let mut missing = false;
        for key in keys {
            let limit = limits.of(key);
            let of = known.entry(key.clone()).or_default();
            let share = of.shares.entry(run.clone()).or_default();
            share.weight = ask.weight;
            if let Some(rate) = limit.starts {
                let bucket = Bucket::refilled(of.bucket, rate, now);
                of.bucket = Some(bucket);
                if bucket.units < rate.per_millis {
                    missing = true;
                    allotted.next = allotted.next.into_iter().chain([bucket.next(rate)]).min();
                }
            }
            if !may_have_more(limit, of, run) {
                missing = true;
                of.shares.entry(run.clone()).or_default().short = true;
            }
        }
        allotted.granted.push(!missing);
        for key in keys.iter().filter(|_| !missing) {
            let Some(of) = known.get_mut(key) else { continue };
            of.shares.entry(run.clone()).or_default().in_use += 1;
            if let (Some(rate), Some(bucket)) = (limits.of(key).starts, &mut of.bucket) {
                bucket.units -= rate.per_millis;
            }
        }
    }
    allotted
}

fn may_have_more(limit: Limit, of: &Use, run: &RunId) -> bool {
    let Some(most) = limit.concurrency else { return true };
    let all: u64 = of.shares.values().map(|share| share.in_use).sum();
    if all >= most {
        return false;
    }
    let mine = of.shares.get(run).copied().unwrap_or_default();
    let others = || of.shares.iter().filter(|(other, _)| *other != run).map(|(_, share)| *share);
    if !others().any(|other| other.short) {
        return true;
    }
    let weights: u64 =
        others().filter(|other| other.short || other.in_use > 0).map(|other| u64::from(other.weight)).sum();
    let own = u64::from(mine.weight.max(1));
    mine.in_use < (most * own).div_ceil(own + weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(key: &str, limit: Limit) -> Limits {
        Limits(BTreeMap::from([(key.to_owned(), limit)]))
    }

    fn concurrency(most: u64) -> Limit {
        Limit { concurrency: Some(most), starts: None }
    }

    fn ask(key: &str, weight: u32, in_use: u64, wanted: usize) -> Ask {
        let in_use = BTreeMap::from([(key.to_owned(), in_use)]);
        Ask { weight, in_use, wanted: vec![vec![key.to_owned()]; wanted] }
    }

    fn granted(allotted: &Allotted) -> usize {
        allotted.granted.iter().filter(|granted| **granted).count()
    }

    #[test]
    fn one_alone_has_all_and_two_that_wait_share_by_weight() {
        let (limits, mut known) = (limits("store:lake", concurrency(6)), BTreeMap::new());
        let (a, b) = (RunId::new("a"), RunId::new("b"));
        let mut get = |run: &RunId, weight, in_use, wanted| {
            granted(&allot(&limits, &mut known, run, &ask("store:lake", weight, in_use, wanted), Timestamp(0)))
        };
        assert_eq!(get(&a, 2, 0, 9), 6);
        assert_eq!(get(&b, 4, 0, 9), 0, "nothing is taken away");
        // One ends: the other one waits, and its share is two thirds.
        assert_eq!(get(&a, 2, 5, 9), 0);
        assert_eq!(get(&b, 4, 0, 9), 1);
        assert_eq!(get(&a, 2, 2, 9), 0);
        assert_eq!(get(&b, 4, 1, 9), 3);
        assert_eq!(get(&a, 2, 1, 9), 1, "below its share");
        // The other one is content: all is for whoever wants it.
        assert_eq!(get(&b, 4, 1, 0), 0);
        assert_eq!(get(&a, 2, 2, 9), 3);
    }

    #[test]
    fn an_attempt_begins_only_if_all_of_its_keys_let_it() {
        let mut both = limits("store:*", concurrency(1));
        both.0.insert("all".to_owned(), concurrency(2));
        let keys = |store: &str| vec!["all".to_owned(), format!("store:{store}")];
        let wanted = vec![keys("a"), keys("a"), keys("b"), keys("c")];
        let mut known = BTreeMap::new();
        let ask = Ask { weight: 2, in_use: BTreeMap::new(), wanted };
        let allotted = allot(&both, &mut known, &RunId::new("r"), &ask, Timestamp(0));
        assert_eq!(allotted.granted, [true, false, true, false]);
        let in_use: Vec<u64> = known.values().map(|of| of.shares.values().map(|share| share.in_use).sum()).collect();
        assert_eq!(in_use, [2, 1, 1, 0], "what was refused has taken nothing");
    }

    #[test]
    fn tokens_come_evenly_and_no_more_rest_than_the_burst() {
        let rate = Rate { count: 3, per_millis: 1_000, burst: 5 };
        let limits = limits("all", Limit { concurrency: None, starts: Some(rate) });
        let mut known = BTreeMap::new();
        let mut begun: Vec<i64> = Vec::new();
        let mut get = |now: i64, wanted| {
            let allotted = allot(&limits, &mut known, &RunId::new("r"), &ask("all", 2, 0, wanted), Timestamp(now));
            begun.extend(std::iter::repeat_n(now, granted(&allotted)));
            (granted(&allotted), allotted.next)
        };
        assert_eq!(get(0, 9), (5, Some(Timestamp(334))));
        assert_eq!(get(333, 9), (0, Some(Timestamp(334))));
        assert_eq!(get(334, 9), (1, Some(Timestamp(667))));
        assert_eq!(get(200, 9).0, 0, "the clock was set back");
        assert_eq!(get(60_000, 9).0, 5, "a rest fills it and no more");
        for now in (60_001..70_000).step_by(7) {
            get(now, 9);
        }
        for (at, from) in begun.iter().enumerate() {
            for (count, to) in (1_u64..).zip(&begun[at..]) {
                let most = rate.burst + (to - from) as u64 * rate.count / rate.per_millis + 1;
                assert!(count <= most, "{count} between {from} and {to}");
            }
        }
    }
}
