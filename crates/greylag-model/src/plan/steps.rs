//! Steps: what is done to one dataset, in order, up to the migration's last phase.

use super::changes;
use crate::code;
use crate::custom::Custom;
use crate::diagnostic::{Diagnostic, Place};
use crate::snapshot::Snapshot;
use crate::spec::{MigrationSpec, RetrySpec, duration};
use crate::task::{Phase, Retry, Step};

/// Longest time of one attempt unless the file says otherwise: six hours.
pub(super) const TIMEOUT_MILLIS: i64 = 21_600_000;
/// How long a retired dataset is kept unless the file says otherwise: fourteen days.
const RETENTION_MILLIS: i64 = 1_209_600_000;

/// Every step there is: executor, phase, whether it waits for an approval.
const STEPS: [(&str, Phase, bool); 9] = [
    ("data/expand", Phase::Expand, false),
    ("data/backfill", Phase::Backfill, false),
    ("data/verify", Phase::Verify, false),
    ("data/publish", Phase::Publish, false),
    ("catalog/publish", Phase::Publish, false),
    ("data/cutover", Phase::Cutover, false),
    ("catalog/cutover", Phase::Cutover, false),
    ("data/retire", Phase::Retire, true),
    ("data/drop", Phase::Drop, true),
];

/// What a migration says of the steps of all its datasets.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Procedure {
    /// Last phase.
    pub(super) through: Phase,
    /// Milliseconds between retire and drop.
    pub(super) retention_millis: i64,
    /// The steps of one dataset.
    pub(super) steps: Vec<Step>,
    /// How their failures are tried again where they do not say so themselves.
    pub(super) retry: Retry,
    /// What custom ones among them run.
    pub(super) custom: Custom,
}

/// Resolves phases, retries and times; pointers are below the document.
pub(super) fn procedure(
    spec: &MigrationSpec,
    snapshot: &Snapshot,
    place: &dyn Fn(&str) -> Option<Place>,
) -> Result<Procedure, Vec<Diagnostic>> {
    let mut errors = Vec::new();
    let last = if spec.increments.is_some() { Phase::Publish } else { Phase::Cutover };
    let through = spec.through.unwrap_or(last);
    if through < Phase::Publish {
        let message = "the last phase of a migration is `publish`, `cutover`, `retire` or `drop`";
        errors.push(Diagnostic::error(code::plan::BAD_SPEC_VALUE, message).at(place("/spec/through")));
    }
    let mut times = Times { places: place, errors: &mut errors };
    let base = (Retry::default(), TIMEOUT_MILLIS);
    let (_, timeout_millis) = timed(&mut times, None, spec.timeout.as_ref(), "/spec", base.clone());
    let retention_millis = times.millis(spec.retention.as_ref(), RETENTION_MILLIS, "/spec/retention");
    let (retry, _) = timed(&mut times, spec.retry.as_ref(), None, "/spec", base);
    let steps = STEPS.iter().filter(|(_, phase, _)| *phase <= through);
    let steps = steps
        .map(|(uses, phase, approval)| Step {
            uses: (*uses).to_owned(),
            phase: *phase,
            approval: *approval,
            retry: retry.clone(),
            timeout_millis,
            inserted: None,
        })
        .collect();
    let (steps, custom) = changes::made(spec, snapshot, place, steps, &mut errors);
    if errors.is_empty() { Ok(Procedure { through, retention_millis, steps, retry, custom }) } else { Err(errors) }
}

/// Reads durations, and says where one is wrong.
pub(super) struct Times<'a> {
    pub(super) places: &'a dyn Fn(&str) -> Option<Place>,
    pub(super) errors: &'a mut Vec<Diagnostic>,
}

impl Times<'_> {
    fn millis(&mut self, text: Option<&String>, default: i64, pointer: &str) -> i64 {
        match text.map(|text| (text, duration::parse(text))) {
            None => default,
            Some((_, Ok(millis))) => millis,
            Some((text, Err(why))) => {
                let diagnostic = Diagnostic::error(code::plan::BAD_SPEC_VALUE, format!("`{text}` {why}"))
                    .hint("a duration is a number and a unit: `500ms`, `10s`, `30m`, `6h`, `14d`");
                self.errors.push(diagnostic.at((self.places)(pointer)));
                default
            }
        }
    }
}

/// Retry and timeout as given below a pointer, upon those that hold without.
pub(super) fn timed(
    times: &mut Times<'_>,
    retry: Option<&RetrySpec>,
    timeout: Option<&String>,
    pointer: &str,
    (mut resolved, timeout_millis): (Retry, i64),
) -> (Retry, i64) {
    if let Some(RetrySpec { attempts, backoff, max_backoff, on }) = retry {
        resolved.attempts = attempts.unwrap_or(resolved.attempts).max(1);
        let (first, longest) = (resolved.backoff_millis, resolved.max_backoff_millis);
        resolved.backoff_millis = times.millis(backoff.as_ref(), first, &format!("{pointer}/retry/backoff"));
        resolved.max_backoff_millis =
            times.millis(max_backoff.as_ref(), longest, &format!("{pointer}/retry/maxBackoff"));
        resolved.max_backoff_millis = resolved.max_backoff_millis.max(resolved.backoff_millis);
        resolved.on = on.clone().unwrap_or(resolved.on);
    }
    (resolved, times.millis(timeout, timeout_millis, &format!("{pointer}/timeout")))
}
