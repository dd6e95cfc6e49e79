//! Judges what two passes observed: the pass that wrote a target, and one that read it back.
//!
//! Only what can fail is a result: a comparison for which neither pass has anything is left out, and one for which only
//! one has something fails. Details tell counts, hashes and column names, never values (smallest and largest ones are
//! values of rows).

use super::{CheckResult, ColumnEvidence, DiffEvidence, Evidence, Verdict, diff};
use crate::schema::Schema;
use crate::spec::CheckSpec;
use crate::types::DataType;

/// Relative difference that sums of floats may have: they are added in another order.
const FLOAT_SUMS: f64 = 1e-9;
/// Columns that a detail names.
const NAMES: usize = 5;

/// What is judged.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// Columns of the target.
    pub target: &'a Schema,
    /// Observed while writing.
    pub written: &'a Evidence,
    /// Observed by reading the written files.
    pub read_back: &'a Evidence,
    /// Rows of the source, known from elsewhere than the writing pass (metadata, a count of its own), if at all.
    pub source_rows: Option<u64>,
    /// Rows that did not fit and were set aside.
    pub rejected: u64,
    /// The file's checks, those of the migration first.
    pub checks: &'a [CheckSpec],
    /// One a check, in order: rows that make its `expr` false, as counted on the read-back; `None` where it has none or
    /// it could not be evaluated.
    pub violations: &'a [Option<u64>],
    /// Rows, and rejected rows, that the dataset has besides: those that an increment keeps. Checks that count all rows count them.
    pub kept: (u64, u64),
    /// One a check, in order: what its `diff` found; `None` where it has none or it was not made. May be shorter.
    pub diffs: &'a [Option<DiffEvidence>],
}

/// Judges. One result for `rows` (if the source's are known), `schema`, `read-back`, `nulls`, `bounds`, `sums` and `hash`
/// each, then one for every check of the file.
pub fn judge(judged: &Judged<'_>) -> Vec<CheckResult> {
    let mut results = Vec::new();
    results.extend(judged.source_rows.map(|source| rows(source, judged)));
    results.push(schema(judged));
    results.push(read_back(judged));
    results.extend(columns(judged, "nulls", |_, written, read| Some(written.nulls == read.nulls)));
    results.extend(columns(judged, "bounds", |_, written, read| {
        let known = [&written.min, &written.max, &read.min, &read.max].iter().any(|bound| bound.is_some());
        known.then(|| written.min == read.min && written.max == read.max)
    }));
    let rows = judged.written.rows;
    results.extend(columns(judged, "sums", |data_type, written, read| match (&written.sum, &read.sum) {
        (None, None) => None,
        (Some(left), Some(right)) if is_float(data_type) => Some(same_float_sum(left, right, rows, written)),
        (left, right) => Some(left == right),
    }));
    results.push(hash(judged));
    for (number, check) in judged.checks.iter().enumerate() {
        results.push(of_file(number, check, judged));
    }
    results
}

fn result(name: impl Into<String>, holds: bool, detail: String) -> CheckResult {
    let verdict = if holds { Verdict::Pass } else { Verdict::Fail };
    CheckResult { name: name.into(), verdict, detail, hint: None }
}

fn unknown(name: impl Into<String>, detail: String) -> CheckResult {
    CheckResult { name: name.into(), verdict: Verdict::Unknown, detail, hint: None }
}

fn rows(source: u64, judged: &Judged<'_>) -> CheckResult {
    let (written, rejected) = (judged.written.rows, judged.rejected);
    let holds = written.checked_add(rejected) == Some(source);
    result("rows", holds, format!("{source} in the source, {written} written and {rejected} rejected"))
}

/// Both passes saw the target's columns, in its order.
fn schema(judged: &Judged<'_>) -> CheckResult {
    let names = |evidence: &Evidence| evidence.columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>();
    let expected: Vec<String> = judged.target.columns.iter().map(|column| column.name.clone()).collect();
    let (written, read) = (names(judged.written), names(judged.read_back));
    let holds = written == expected && read == expected;
    let detail = if holds {
        format!("{} columns", expected.len())
    } else {
        let (expected, written, read) = (expected.len(), written.len(), read.len());
        format!("{expected} columns planned, {written} written, {read} read back, or in another order")
    };
    result("schema", holds, detail)
}

fn read_back(judged: &Judged<'_>) -> CheckResult {
    let (written, read) = (judged.written.rows, judged.read_back.rows);
    result("read-back", written == read, format!("{written} rows written, {read} read back"))
}

fn hash(judged: &Judged<'_>) -> CheckResult {
    let (written, read) = (&judged.written.hash, &judged.read_back.hash);
    // Two passes that hashed nothing have not proven anything.
    if written.is_empty() && read.is_empty() {
        let detail = "neither pass hashed the rows".to_owned();
        return unknown("hash", detail);
    }
    let holds = written == read;
    let detail = if holds { written.clone() } else { format!("`{written}` written, `{read}` read back") };
    result("hash", holds, detail)
}

/// Compares the columns that both passes have, one by one; nothing if no column had anything to compare.
fn columns(
    judged: &Judged<'_>,
    name: &str,
    same: impl Fn(&DataType, &ColumnEvidence, &ColumnEvidence) -> Option<bool>,
) -> Option<CheckResult> {
    let mut compared = 0_usize;
    let mut different: Vec<&str> = Vec::new();
    let pairs = judged.written.columns.iter().zip(&judged.read_back.columns);
    for (column, (written, read)) in judged.target.columns.iter().zip(pairs) {
        let Some(holds) = same(&column.data_type, written, read) else { continue };
        compared += 1;
        if !holds {
            different.push(&column.name);
        }
    }
    if compared == 0 {
        return None;
    }
    let detail = if different.is_empty() {
        format!("equal in {compared} columns")
    } else {
        format!("different in {} of {compared} columns: {}", different.len(), listed(&different))
    };
    Some(result(name, different.is_empty(), detail))
}

fn listed(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(NAMES).map(|name| format!("`{name}`")).collect();
    let more = if names.len() > NAMES { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

/// Sums of the same floats in two orders: equal texts, a relative 1e-9, or, where large values cancel to a small sum,
/// the error that adding `rows` values of that size can make (each addition rounds to within 2^-53 of a partial sum).
fn same_float_sum(left: &str, right: &str, rows: u64, column: &ColumnEvidence) -> bool {
    if left == right {
        return true;
    }
    let (Ok(left), Ok(right)) = (left.parse::<f64>(), right.parse::<f64>()) else { return false };
    if !left.is_finite() || !right.is_finite() {
        return false;
    }
    let bound = |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<f64>().ok()).map_or(0.0, f64::abs);
    let largest = bound(&column.min).max(bound(&column.max));
    let rows = rows as f64;
    let rounding = if largest.is_finite() { rows * rows * largest * f64::EPSILON } else { 0.0 };
    (left - right).abs() <= (FLOAT_SUMS * left.abs().max(right.abs())).max(rounding)
}

fn is_float(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Float32 | DataType::Float64)
}

fn of_file(number: usize, check: &CheckSpec, judged: &Judged<'_>) -> CheckResult {
    let rows = judged.read_back.rows;
    let name = check.name.clone();
    let named = |default: &str| name.clone().unwrap_or_else(|| default.to_owned());
    if let Some(columns) = &check.not_null {
        return not_null(named("notNull"), columns, judged.read_back);
    }
    let (all, all_rejected) = (rows + judged.kept.0, judged.rejected + judged.kept.1);
    if let Some(least) = check.min_rows {
        return result(named("minRows"), all >= least, format!("{all} rows, at least {least} wanted"));
    }
    if let Some(most) = check.max_rows {
        return result(named("maxRows"), all <= most, format!("{all} rows, at most {most} wanted"));
    }
    if let Some(most) = check.max_rejected {
        let rejected = all_rejected;
        return result(named("maxRejected"), rejected <= most, format!("{rejected} rejected, at most {most} wanted"));
    }
    if let Some(spec) = &check.diff {
        return diff::judge(named("diff"), spec, judged.diffs.get(number).and_then(Option::as_ref));
    }
    let text = check.expr.clone().unwrap_or_default();
    match judged.violations.get(number).copied().flatten() {
        Some(violations) => result(named(&text), violations == 0, format!("{violations} of {rows} rows against it")),
        None => unknown(named(&text), "it could not be evaluated".to_owned()),
    }
}

fn not_null(name: String, columns: &[String], read_back: &Evidence) -> CheckResult {
    let mut found: Vec<(&str, u64)> = Vec::new();
    for wanted in columns {
        match read_back.columns.iter().find(|column| column.name == *wanted) {
            Some(column) if column.nulls > 0 => found.push((wanted, column.nulls)),
            Some(_) => {}
            None => {
                let detail = format!("column `{wanted}` was not observed");
                return unknown(name, detail);
            }
        }
    }
    let nulls: u64 = found.iter().map(|(_, nulls)| nulls).sum();
    let names: Vec<&str> = found.iter().map(|(name, _)| *name).collect();
    let detail = if names.is_empty() { "no nulls".to_owned() } else { format!("{nulls} nulls in {}", listed(&names)) };
    result(name, names.is_empty(), detail)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::{Judged, judge};
    use crate::check::{ColumnEvidence, Evidence, Verdict};
    use crate::schema::{Column, Schema};
    use crate::spec::CheckSpec;
    use crate::types::DataType;

    fn schema() -> Schema {
        let column = |name: &str, data_type| Column { name: name.to_owned(), data_type, nullable: true };
        Schema { columns: vec![column("id", DataType::Int64), column("price", DataType::Float64)] }
    }

    fn evidence() -> Evidence {
        let column = |name: &str, nulls, min: &str, max: &str, sum: &str| ColumnEvidence {
            name: name.to_owned(),
            nulls,
            min: Some(min.to_owned()),
            max: Some(max.to_owned()),
            sum: Some(sum.to_owned()),
        };
        let columns = vec![column("id", 0, "1", "10", "55"), column("price", 2, "0.5", "9.5", "40.25")];
        Evidence { rows: 10, hash: "00ff".to_owned(), columns }
    }

    /// Judges a read-back that differs as `change` says; one line a result, `-` before those that do not pass.
    fn check(
        change: impl Fn(&mut Evidence),
        rejected: u64,
        checks: &[CheckSpec],
        violations: &[Option<u64>],
    ) -> String {
        let (written, mut read_back) = (evidence(), evidence());
        change(&mut read_back);
        let judged = Judged {
            target: &schema(),
            written: &written,
            read_back: &read_back,
            source_rows: Some(10),
            rejected,
            checks,
            violations,
            kept: (0, 0),
            diffs: &[],
        };
        let lines = judge(&judged).into_iter().map(|result| {
            let sign = match result.verdict {
                Verdict::Pass => " ",
                Verdict::Fail => "-",
                Verdict::Unknown => "?",
            };
            format!("{sign} {}: {}\n", result.name, result.detail)
        });
        lines.collect()
    }

    #[test]
    fn equal_passes_pass() {
        insta::assert_snapshot!(check(|_| {}, 0, &[], &[]), @"
          rows: 10 in the source, 10 written and 0 rejected
          schema: 2 columns
          read-back: 10 rows written, 10 read back
          nulls: equal in 2 columns
          bounds: equal in 2 columns
          sums: equal in 2 columns
          hash: 00ff
        ");
    }

    #[test]
    fn every_difference_is_found() {
        let spoil = |read: &mut Evidence| {
            read.rows = 9;
            read.hash = "0100".to_owned();
            read.columns[0].nulls = 1;
            read.columns[0].min = None;
            read.columns[1].sum = Some("40.26".to_owned());
        };
        insta::assert_snapshot!(check(spoil, 1, &[], &[]), @"
        - rows: 10 in the source, 10 written and 1 rejected
          schema: 2 columns
        - read-back: 10 rows written, 9 read back
        - nulls: different in 1 of 2 columns: `id`
        - bounds: different in 1 of 2 columns: `id`
        - sums: different in 1 of 2 columns: `price`
        - hash: `00ff` written, `0100` read back
        ");
    }

    #[test]
    fn a_missing_column_fails() {
        let text = check(|read| drop(read.columns.pop()), 0, &[], &[]);
        assert!(text.contains("- schema: 2 columns planned, 2 written, 1 read back"), "{text}");
    }

    #[test]
    fn float_sums_may_differ_by_their_order_only() {
        let sum = |text: &'static str| check(move |read| read.columns[1].sum = Some(text.to_owned()), 0, &[], &[]);
        assert!(sum("40.250000000001").contains("  sums: equal"));
        assert!(sum("40.2500001").contains("- sums: different"));
        assert!(sum("NaN").contains("- sums: different"));
        let exact = check(|read| read.columns[0].sum = Some("56".to_owned()), 0, &[], &[]);
        assert!(exact.contains("- sums: different in 1 of 2 columns: `id`"));
    }

    #[test]
    fn float_sums_that_cancel_are_judged_by_the_size_of_their_terms() {
        let schema = Schema { columns: vec![schema().columns.pop().unwrap()] };
        let mut written = evidence();
        written.columns.remove(0);
        let bound = |text: &str| Some(text.to_owned());
        written.columns[0] =
            ColumnEvidence { min: bound("-1e16"), max: bound("1e16"), sum: bound("0.0"), ..written.columns[0].clone() };
        let mut read_back = written.clone();
        let judged = |read_back: &Evidence| {
            let judged = Judged {
                target: &schema,
                written: &written,
                read_back,
                source_rows: None,
                rejected: 0,
                checks: &[],
                violations: &[],
                kept: (0, 0),
                diffs: &[],
            };
            judge(&judged).into_iter().find(|result| result.name == "sums").unwrap().verdict
        };
        read_back.columns[0].sum = bound("2.0");
        assert_eq!(judged(&read_back), Verdict::Pass);
        read_back.columns[0].sum = bound("20000.0");
        assert_eq!(judged(&read_back), Verdict::Fail);
    }

    #[test]
    fn the_files_checks() {
        let with = |edit: &dyn Fn(&mut CheckSpec)| {
            let mut check = CheckSpec::default();
            edit(&mut check);
            check
        };
        let checks = [
            with(&|check| check.not_null = Some(vec!["id".to_owned()])),
            with(&|check| check.not_null = Some(vec!["id".to_owned(), "price".to_owned()])),
            with(&|check| check.min_rows = Some(11)),
            with(&|check| check.max_rows = Some(10)),
            with(&|check| check.max_rejected = Some(0)),
            with(&|check| check.expr = Some("price > 0".to_owned())),
            with(&|check| {
                check.expr = Some("price < 9".to_owned());
                check.name = Some("cheap".to_owned());
            }),
            with(&|check| check.expr = Some("id > 0".to_owned())),
        ];
        let violations = [None, None, None, None, None, Some(0), Some(3), None];
        let text = check(|_| {}, 0, &checks, &violations);
        let of_file: Vec<&str> = text.lines().skip(7).collect();
        insta::assert_snapshot!(of_file.join("\n"), @"
          notNull: no nulls
        - notNull: 2 nulls in `price`
        - minRows: 10 rows, at least 11 wanted
          maxRows: 10 rows, at most 10 wanted
          maxRejected: 0 rejected, at most 0 wanted
          price > 0: 0 of 10 rows against it
        - cheap: 3 of 10 rows against it
        ? id > 0: it could not be evaluated
        ");
    }
}
