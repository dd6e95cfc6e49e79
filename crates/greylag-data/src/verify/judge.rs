//! What all passes together mean.

use super::WaysBack;
use super::request::{Found, Sampled};
use crate::convert::SourceState;
use crate::evidence::{ByRow, State};
use greylag_model::check::{CheckResult, DiffEvidence, Judged, Verdict};
use greylag_model::mapping::Mapping;
use greylag_model::spec::{CheckSpec, Tolerance};
use std::fmt::Write as _;

/// What the passes observed of a whole dataset.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// Old columns to new ones.
    pub mapping: &'a Mapping,
    /// Observed while writing.
    pub written: &'a State,
    /// Observed of the source while writing.
    pub source: &'a SourceState,
    /// Observed by reading back.
    pub read_back: &'a State,
    /// Source columns computed back from what was read back.
    pub computed_back: &'a SourceState,
    /// Rows read from the source.
    pub rows_read: u64,
    /// Rows of the source by its metadata, if it tells.
    pub source_rows: Option<u64>,
    /// Rows set aside.
    pub rejected: u64,
    /// The reference evaluator's rows.
    pub sampled: &'a Sampled,
    /// Which of them were found.
    pub found: &'a [Found],
    /// The file's checks.
    pub checks: &'a [CheckSpec],
    /// Rows against each check that has an expression.
    pub violations: &'a [Option<u64>],
    /// What the diffs of the checks found, one a check; empty if they were not made.
    pub diffs: &'a [Option<DiffEvidence>],
    /// How the written files are not what was written, if so.
    pub files_differ: Option<&'a str>,
    /// Rows, and rejected rows, of files that an increment keeps: they were proven when they were made.
    pub kept: (u64, u64),
    /// Whether any of the rows were made by the mapping, so that there is a way back to prove.
    pub mapped: bool,
}

/// Judges: the comparisons of [`greylag_model::check::judge`], then `reverse`, `tolerance` and `reference`.
pub fn judge(facts: &Facts<'_>) -> Vec<CheckResult> {
    let target = &facts.mapping.target;
    let (written, read_back) = (facts.written.evidence(target), facts.read_back.evidence(target));
    let mut results = Vec::new();
    if let Some(differ) = facts.files_differ {
        results.push(result("files", false, differ.to_owned()));
    }
    results.extend(greylag_model::check::judge(&Judged {
        target,
        written: &written,
        read_back: &read_back,
        source_rows: Some(facts.source_rows.unwrap_or(facts.rows_read)),
        rejected: facts.rejected,
        checks: facts.checks,
        violations: facts.violations,
        kept: facts.kept,
        diffs: facts.diffs,
    }));
    let own = results.len() - facts.checks.len();
    let ways = WaysBack::of(facts.mapping);
    if facts.mapped {
        let proofs = [reverse(facts, &ways), tolerance(facts, &ways), reference(facts, &ways)];
        results.splice(own..own, proofs.into_iter().flatten());
    }
    results
}

fn result(name: &str, holds: bool, detail: String) -> CheckResult {
    let verdict = if holds { Verdict::Pass } else { Verdict::Fail };
    CheckResult { name: name.to_owned(), verdict, detail, hint: None }
}

/// The source's rows, computed back, are the source's rows.
fn reverse(facts: &Facts<'_>, ways: &WaysBack) -> Option<CheckResult> {
    if ways.exact.is_empty() {
        return None;
    }
    let (read, back) = (facts.source.exact, facts.computed_back.exact);
    let columns = format!("{} of {} columns", ways.exact.len(), facts.mapping.source.columns.len());
    let detail = if read == back {
        format!("{read} over {columns}")
    } else {
        format!("`{read}` in the source, `{back}` computed back, over {columns}")
    };
    Some(result("reverse", read == back, detail))
}

/// The figures of columns whose way back has a tolerance.
fn tolerance(facts: &Facts<'_>, ways: &WaysBack) -> Option<CheckResult> {
    if ways.tolerant.is_empty() {
        return None;
    }
    let schema = ways.tolerant_schema(facts.mapping);
    let (read, back) = (facts.source.tolerant.evidence(&schema), facts.computed_back.tolerant.evidence(&schema));
    let mut off = Vec::new();
    for (((_, tolerance), read), back) in ways.tolerant.iter().zip(&read.columns).zip(&back.columns) {
        let rows = facts.source.tolerant.rows.saturating_sub(read.nulls) as f64;
        let near = read.nulls == back.nulls
            && within(read.min.as_deref(), back.min.as_deref(), *tolerance, 1.0)
            && within(read.max.as_deref(), back.max.as_deref(), *tolerance, 1.0)
            && within(read.sum.as_deref(), back.sum.as_deref(), *tolerance, rows);
        if !near {
            off.push(format!("`{}`", read.name));
        }
    }
    let detail = if off.is_empty() {
        format!("figures of {} columns are within it", ways.tolerant.len())
    } else {
        format!("figures of {} are not within it", off.join(", "))
    };
    Some(result("tolerance", off.is_empty(), detail))
}

/// Whether two figures differ by no more than a tolerance, an absolute one taken `times`.
fn within(left: Option<&str>, right: Option<&str>, tolerance: Tolerance, times: f64) -> bool {
    if left == right {
        return true;
    }
    let number = |text: Option<&str>| text.and_then(|text| text.parse::<f64>().ok());
    let (Some(left), Some(right)) = (number(left), number(right)) else { return false };
    tolerance.allows(left, right, times)
}

/// Every row of the sample is in the target, as the reference evaluator has it.
fn reference(facts: &Facts<'_>, ways: &WaysBack) -> Option<CheckResult> {
    let sampled = facts.sampled;
    if facts.rows_read == 0 {
        return None;
    }
    let mut wanted: ByRow<u64> = ByRow::default();
    for hash in &sampled.expected {
        *wanted.entry(hash.0).or_default() += 1;
    }
    for found in facts.found {
        if let Some(times) = wanted.get_mut(&found.hash.0) {
            *times = times.saturating_sub(found.times);
        }
    }
    let missing: u64 = wanted.values().sum();
    let whole = sampled.rows == facts.rows_read;
    let rejects = !whole || sampled.rejected == facts.rejected;
    let unproven = facts.mapping.columns.len();
    let alone =
        if ways.covers_target { String::new() } else { format!(", the only proof of some of {unproven} columns") };
    let mut detail = format!("{} of {} rows evaluated again{alone}", sampled.rows, facts.rows_read);
    if missing > 0 {
        let _ = write!(detail, "; {missing} are not in the target");
    }
    if sampled.failed > 0 {
        let _ = write!(detail, "; {} should have failed", sampled.failed);
    }
    if !rejects {
        let _ = write!(detail, "; {} should be rejected, {} are", sampled.rejected, facts.rejected);
    }
    // Nothing evaluated where there are rows proves nothing.
    let holds = missing == 0 && sampled.failed == 0 && rejects && sampled.rows > 0;
    Some(result("reference", holds, detail))
}
