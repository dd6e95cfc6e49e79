//! Steps: what is done to one dataset, in order, up to the migration's last phase.

use crate::code;
use crate::diagnostic::{Diagnostic, Place};
use crate::spec::{MigrationSpec, RetrySpec, duration};
use crate::task::{Phase, Retry, Step};

/// Longest time of one attempt unless the file says otherwise: six hours.
const TIMEOUT_MILLIS: i64 = 21_600_000;
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
}

/// Resolves phases, retries and times; pointers are below the document.
pub(super) fn procedure(
    spec: &MigrationSpec,
    place: &dyn Fn(&str) -> Option<Place>,
) -> Result<Procedure, Vec<Diagnostic>> {
    let mut errors = Vec::new();
    let through = spec.through.unwrap_or(Phase::Cutover);
    if through < Phase::Publish {
        let message = "the last phase of a migration is `publish`, `cutover`, `retire` or `drop`";
        errors.push(Diagnostic::error(code::plan::BAD_SPEC_VALUE, message).at(place("/spec/through")));
    }
    let mut millis =
        |text: Option<&String>, default: i64, pointer: &str| match text.map(|text| (text, duration::parse(text))) {
            None => default,
            Some((_, Ok(millis))) => millis,
            Some((text, Err(why))) => {
                let diagnostic = Diagnostic::error(code::plan::BAD_SPEC_VALUE, format!("`{text}` {why}"))
                    .hint("a duration is a number and a unit: `500ms`, `10s`, `30m`, `6h`, `14d`");
                errors.push(diagnostic.at(place(pointer)));
                default
            }
        };
    let timeout_millis = millis(spec.timeout.as_ref(), TIMEOUT_MILLIS, "/spec/timeout");
    let retention_millis = millis(spec.retention.as_ref(), RETENTION_MILLIS, "/spec/retention");
    let mut retry = Retry::default();
    if let Some(RetrySpec { attempts, backoff, max_backoff, on }) = &spec.retry {
        retry.attempts = attempts.unwrap_or(retry.attempts).max(1);
        retry.backoff_millis = millis(backoff.as_ref(), retry.backoff_millis, "/spec/retry/backoff");
        retry.max_backoff_millis = millis(max_backoff.as_ref(), retry.max_backoff_millis, "/spec/retry/maxBackoff");
        retry.max_backoff_millis = retry.max_backoff_millis.max(retry.backoff_millis);
        retry.on = on.clone().unwrap_or(retry.on);
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let steps = STEPS.iter().filter(|(_, phase, _)| *phase <= through);
    let steps = steps
        .map(|(uses, phase, approval)| Step {
            uses: (*uses).to_owned(),
            phase: *phase,
            approval: *approval,
            retry: retry.clone(),
            timeout_millis,
        })
        .collect();
    Ok(Procedure { through, retention_millis, steps })
}
