//! What samples mean for a plan.
//!
//! A sample holds rows that the run will meet as well, and a conversion gives the same result every time. So what one row
//! is enough to fail is *certain*: the task is blocked before anybody waits for it. That is a value that does not fit a
//! column whose policy is `fail`, a row against an `expr` or `notNull` check, more rejected rows than `maxRejected` or
//! more rows than `maxRows` already among the few, a reverse or a second evaluation that disagrees, and a file that cannot
//! be read.
//!
//! What depends on the rows that were not seen is *likely* at most: whether `minRows` will be reached, whether rejected rows
//! will stay under their bound, whether figures stay within a tolerance. Where the number of rows is known, what is to be
//! expected among all of them is a range: Wilson's interval for the share of rows, three standard deviations wide, so that a
//! handful of rows raises no alarm. A bound that even the better end of the range breaks is a warning. Where the number of
//! rows is not known, nothing is said. (The first rows are not drawn at random, and the rest may be different. That is why
//! this warns and never blocks.) A sample that is the whole dataset leaves nothing unseen, so then everything is certain.
//!
//! A `diff` check compares all rows with all rows: it is not run on a sample.
//!
//! That nothing was found proves nothing: verification is as it would be without a sample.

use super::SampleTotals;
use super::compile::Drafted;
use super::explain::number;
use crate::check::{CheckResult, Verdict};
use crate::code::{self, Code};
use crate::diagnostic::{Diagnostic, Place};
use crate::sample::{Misfits, Sample, Sampling};
use crate::snapshot::PairSnapshot;
use crate::spec::{CheckSpec, ErrorClass, Misfit};
use crate::task::Failure;

/// Codes of warnings that come from samples.
pub(super) const CODES: [Code; 3] = [code::plan::SAMPLE_LOSS, code::plan::SAMPLE_DOUBT, code::plan::SAMPLE_MISSING];

/// What a sample means for its task.
#[derive(Debug, Default)]
pub(super) struct Weighed {
    /// Why the task cannot succeed.
    pub(super) reasons: Vec<Diagnostic>,
    /// What a person should know before it runs.
    pub(super) warnings: Vec<Diagnostic>,
    /// The sample, what it cannot tell left open.
    pub(super) sample: Option<Sample>,
}

/// Weighs a sample; `place` finds a target column in the file.
pub(super) fn weigh(
    task: &Drafted,
    sampled: &Result<Sample, Failure>,
    place: &dyn Fn(&str) -> Option<Place>,
) -> Weighed {
    match sampled {
        Ok(sample) => Scale { task, sample, found: Weighed::default() }.weigh(place),
        Err(failure) => unsampled(task, failure),
    }
}

/// A dataset that cannot be sampled: for good, so that the run could not read it either, or just now.
fn unsampled(task: &Drafted, failure: &Failure) -> Weighed {
    let from = task.subject.source.dataset.entity.short();
    let hinted = |diagnostic: Diagnostic| failure.hints.iter().cloned().fold(diagnostic, Diagnostic::hint);
    match failure.class {
        ErrorClass::Permanent | ErrorClass::Denied => {
            let message = format!("the rows of `{from}` cannot be had: {}", failure.message);
            Weighed { reasons: vec![hinted(Diagnostic::error(failure.code, message))], ..Weighed::default() }
        }
        ErrorClass::Transient | ErrorClass::Conflict => {
            let message = format!("`{from}` could not be sampled [{}]: {}", failure.code, failure.message);
            let warning = Diagnostic::warning(code::plan::SAMPLE_MISSING, message);
            Weighed { warnings: vec![hinted(warning)], ..Weighed::default() }
        }
    }
}

struct Scale<'a> {
    task: &'a Drafted,
    sample: &'a Sample,
    found: Weighed,
}

impl Scale<'_> {
    fn weigh(mut self, place: &dyn Fn(&str) -> Option<Place>) -> Weighed {
        let fails = self.sample.misfits.iter().filter(|misfits| misfits.policy == Misfit::Fail);
        for misfits in fails.clone() {
            let reason = self.misfit(misfits).at(place(&misfits.column));
            self.found.reasons.push(reason);
        }
        // Rows that fail count as rejected in the sample; bounds on rows would only say the same again.
        let counted = fails.count() == 0;
        let mut settled = self.sample.clone();
        let own = settled.checks.len().saturating_sub(self.task.subject.checks.len());
        let (proofs, declared) = settled.checks.split_at_mut(own);
        for proof in proofs.iter().filter(|proof| proof.verdict == Verdict::Fail) {
            // A tolerance is on figures of all rows: those of a few may be off by more than those of all.
            if proof.name == "tolerance" && !self.sample.whole {
                self.doubt(&format!("`tolerance` may fail: {}", proof.detail));
            } else {
                self.certain(proof);
            }
        }
        for (check, result) in self.task.subject.checks.iter().zip(declared) {
            self.declared(check, result, counted);
        }
        self.loss();
        self.found.sample = Some(settled);
        self.found
    }

    /// `in a sample of 1,000 of 54,000 rows of `orders``.
    fn among(&self) -> String {
        let from = self.task.subject.source.dataset.entity.short();
        let rows = number(self.sample.rows as usize);
        match self.task.subject.source.rows {
            _ if self.sample.whole => format!("in all {rows} rows of `{from}`"),
            Some(all) => format!("in a sample of {rows} of {} rows of `{from}`", number(all as usize)),
            None => format!("in a sample of the first {rows} rows of `{from}`"),
        }
    }

    fn misfit(&self, misfits: &Misfits) -> Diagnostic {
        let message = match misfits.rows {
            1 => format!("one row does not fit column `{}` ({}): it is", misfits.column, misfits.reason),
            rows => {
                let rows = number(rows as usize);
                format!("{rows} rows do not fit column `{}` ({}): the first is", misfits.column, misfits.reason)
            }
        };
        let at = format!("row {} of `{}`", number(misfits.first.row as usize), misfits.first.file);
        Diagnostic::error(misfits.code, format!("{}, {message} {at}", self.among()))
            .hint("choose `misfit: null` or `misfit: reject` for the column, or another type")
    }

    fn certain(&mut self, result: &CheckResult) {
        let message = format!("{}, the check `{}` fails: {}", self.among(), result.name, result.detail);
        let reason = Diagnostic::error(code::engine::CHECK_FAILED, message);
        self.found.reasons.push(reason.hint("mend the mapping, the data or the check"));
    }

    fn doubt(&mut self, what: &str) {
        let message = format!("{}, {what}", self.among());
        self.found.warnings.push(Diagnostic::warning(code::plan::SAMPLE_DOUBT, message));
    }

    /// Weighs one of the file's checks. What the sample cannot tell becomes unknown.
    fn declared(&mut self, check: &CheckSpec, result: &mut CheckResult, counted: bool) {
        if check.diff.is_some() {
            result.verdict = Verdict::Unknown;
            "it compares all rows, so it is not run on a sample".clone_into(&mut result.detail);
            return;
        }
        let bound = check.min_rows.is_some() || check.max_rows.is_some() || check.max_rejected.is_some();
        if bound && !counted {
            return open(result);
        }
        if let Some(least) = check.min_rows.filter(|_| !self.sample.whole) {
            return self.too_few(least, result);
        }
        match result.verdict {
            Verdict::Fail => self.certain(result),
            Verdict::Unknown => self.doubt(&format!("the check `{}` tells nothing: {}", result.name, result.detail)),
            Verdict::Pass => self.too_many(check, result),
        }
    }

    fn too_few(&mut self, least: u64, result: &mut CheckResult) {
        open(result);
        match (self.task.subject.source.rows, self.expected(self.sample.written)) {
            (Some(all), _) if all < least => {
                result.verdict = Verdict::Fail;
                result.detail = format!("{all} rows in the source, at least {least} wanted");
                self.certain(result);
            }
            (_, Some(Expected { about, most, .. })) if most < least => {
                let (about, least) = (number(about as usize), number(least as usize));
                let name = &result.name;
                self.doubt(&format!("`{name}` may fail: about {about} rows to be expected, at least {least} wanted"));
            }
            _ => {}
        }
    }

    /// Bounds that hold among the few and would not among all.
    fn too_many(&mut self, check: &CheckSpec, result: &CheckResult) {
        let (bound, expected, what) = match (check.max_rows, check.max_rejected) {
            (Some(most), _) => (most, self.expected(self.sample.written), "rows"),
            (_, Some(most)) => (most, self.expected(self.sample.rejected), "rejected rows"),
            _ => return,
        };
        if let Some(Expected { about, .. }) = expected.filter(|expected| expected.least > bound) {
            let (about, bound) = (number(about as usize), number(bound as usize));
            let name = &result.name;
            self.doubt(&format!("`{name}` may fail: about {about} {what} to be expected, at most {bound} wanted"));
        }
    }

    /// What a count in the sample makes likely among all rows; `None` if nobody knows how many there are.
    fn expected(&self, count: u64) -> Option<Expected> {
        let seen = self.sample.rows;
        let unseen = self.task.subject.source.rows?.checked_sub(seen).filter(|_| !self.sample.whole && seen > 0)?;
        let (low, share, high) = shares(count, seen);
        let among = |share: f64| count + (share * unseen as f64).round() as u64;
        Some(Expected { least: among(low), about: among(share), most: among(high) })
    }

    /// What the mapping gives up by its own rules.
    fn loss(&mut self) {
        let of = |policy: Misfit| self.sample.misfits.iter().filter(move |misfits| misfits.policy == policy);
        let nulled: u64 = of(Misfit::Null).map(|misfits| misfits.rows).sum();
        let mut losses = Vec::new();
        if self.sample.rejected > 0 {
            losses.push(counted(self.sample.rejected, "row is rejected", "rows are rejected"));
        }
        if nulled > 0 {
            losses.push(counted(nulled, "value becomes null", "values become null"));
        }
        if losses.is_empty() {
            return;
        }
        let each = of(Misfit::Reject).chain(of(Misfit::Null)).map(|misfits| {
            let Misfits { column, reason, rows, first, .. } = misfits;
            let rows = counted(*rows, "row", "rows");
            format!(
                "`{column}` ({rows}, {reason}, the first is row {} of `{}`)",
                number(first.row as usize),
                first.file
            )
        });
        let each: Vec<String> = each.collect();
        let message = format!("{}, {}: {}", self.among(), losses.join(" and "), each.join(", "));
        self.found.warnings.push(Diagnostic::warning(code::plan::SAMPLE_LOSS, message));
    }
}

/// `1 row`, `1,204 rows`.
fn counted(count: u64, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{} {many}", number(count as usize)) }
}

/// A count among all rows, with its range.
struct Expected {
    least: u64,
    about: u64,
    most: u64,
}

/// The share that `count` of `rows` is, between the ends of Wilson's interval (E. B. Wilson, 1927).
fn shares(count: u64, rows: u64) -> (f64, f64, f64) {
    const DEVIATIONS: f64 = 3.0;
    let (rows, square) = (rows as f64, DEVIATIONS * DEVIATIONS);
    let share = count as f64 / rows;
    let middle = share + square / (2.0 * rows);
    let half = DEVIATIONS * (share * (1.0 - share) / rows + square / (4.0 * rows * rows)).sqrt();
    let scale = 1.0 + square / rows;
    (((middle - half) / scale).max(0.0), share, ((middle + half) / scale).min(1.0))
}

fn open(result: &mut CheckResult) {
    result.verdict = Verdict::Unknown;
    "a sample cannot tell".clone_into(&mut result.detail);
}

/// Sums over the samples of a plan; `tasks` has `None` for pairs that are blocked.
pub(super) fn totals(sampling: Sampling, pairs: &[PairSnapshot], tasks: &[Option<Drafted>]) -> SampleTotals {
    let mut totals = SampleTotals { rows_each: sampling.rows, millis: sampling.millis, ..SampleTotals::default() };
    for (pair, task) in pairs.iter().zip(tasks) {
        let Some(sampled) = &pair.sample else { continue };
        if let Ok(sample) = sampled {
            totals.datasets += 1;
            totals.rows += sample.rows;
        }
        let compares = |task: &Drafted| task.subject.checks.iter().any(|check| check.diff.is_some());
        totals.not_compared += u64::from(task.as_ref().is_some_and(compares));
        let warned = |task: &Drafted| task.warnings.iter().any(|warning| CODES.contains(&warning.code));
        match (sampled, task) {
            (_, None) => totals.blocked += 1,
            (Err(_), Some(_)) => totals.missing += 1,
            (Ok(_), Some(task)) if warned(task) => totals.warned += 1,
            (Ok(_), Some(_)) => totals.fine += 1,
        }
    }
    totals
}

#[cfg(test)]
mod tests {
    use super::shares;

    #[test]
    fn few_rows_leave_room_for_chance_and_many_do_not() {
        let text = |(count, rows)| {
            let (low, share, high) = shares(count, rows);
            format!("{count} of {rows}: {low:.4} {share:.4} {high:.4}\n")
        };
        let lines: String = [(0, 7), (1, 7), (7, 7), (30, 300), (100, 1_000), (0, 1_000)].map(text).concat();
        insta::assert_snapshot!(lines, @"
        0 of 7: 0.0000 0.0000 0.5625
        1 of 7: 0.0132 0.1429 0.6743
        7 of 7: 0.4375 1.0000 1.0000
        30 of 300: 0.0591 0.1000 0.1642
        100 of 1000: 0.0750 0.1000 0.1321
        0 of 1000: 0.0000 0.0000 0.0089
        ");
    }
}
