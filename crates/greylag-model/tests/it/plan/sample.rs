//! What samples mean: certain failures block, likely ones warn, and what a sample cannot tell is left open.

use super::Case;
use greylag_model::check::{CheckResult, Verdict};
use greylag_model::code;
use greylag_model::plan::Detail;
use greylag_model::sample::{Misfits, RowPlace, Sample, Sampling};
use greylag_model::spec::{ErrorClass, Misfit};
use greylag_model::task::Failure;
use serde_json::{Value, json};
use std::fmt::Write;

const COLUMNS: &str = "id: int64; price: string";

/// 100 rows of `a`, which has 1,000; all fit.
fn sample() -> Sample {
    Sample { rows: 100, written: 100, ..Sample::default() }
}

fn misfits(column: &str, policy: Misfit, rows: u64) -> Misfits {
    let first = RowPlace { file: "day=1/a.parquet".to_owned(), row: 17 };
    Misfits { column: column.to_owned(), policy, code: code::expr::ROW, reason: "out of range".to_owned(), rows, first }
}

fn result(name: &str, verdict: Verdict) -> CheckResult {
    CheckResult { name: name.to_owned(), verdict, detail: "what was found".to_owned(), hint: None }
}

/// `a → b` with checks, sampled so, beside an untouched `c → d`.
fn case(checks: Value, sampled: Result<Sample, Failure>) -> Case {
    let columns = json!([{"name": "price", "type": "int32"}]);
    let spec = json!({"mapping": {"columns": columns}, "checks": checks});
    let mut case = Case::new(&[("a", "b", COLUMNS), ("c", "d", COLUMNS)], spec);
    case.snapshot.sampling = Some(Sampling { rows: 100, millis: 40 });
    case.snapshot.pairs[0].sample = Some(sampled);
    case
}

/// Reasons and warnings of `a → b`, and the verdicts of its checks as the plan has them.
fn found(case: &Case) -> String {
    let mut text = case.reasons();
    let plan = case.plan();
    for task in plan.tasks.iter().filter(|task| task.id.as_str() == "b") {
        for warning in task.warnings.iter().filter(|warning| warning.code.0 >= 437) {
            writeln!(text, "{warning}").unwrap();
        }
        for check in task.dataset().unwrap().sample.iter().flat_map(|sample| &sample.checks) {
            writeln!(text, "{:?} {}: {}", check.verdict, check.name, check.detail).unwrap();
        }
    }
    text
}

#[test]
fn nothing_found_is_recorded_and_nothing_else() {
    let case =
        case(json!([{"minRows": 1000}]), Ok(Sample { checks: vec![result("minRows", Verdict::Fail)], ..sample() }));
    insta::assert_snapshot!(found(&case), @"
    Unknown minRows: a sample cannot tell
    ");
    let plan = case.plan();
    assert!(plan.verify_hash());
    let totals = plan.header.samples.clone().unwrap();
    assert_eq!((totals.datasets, totals.rows, totals.fine, totals.rows_each), (1, 100, 1, 100));
    let mut other = plan;
    other.tasks[0].dataset_mut().unwrap().sample = None;
    assert!(!other.verify_hash(), "the sample is part of what is frozen");
}

#[test]
fn a_diff_is_not_run_on_a_sample_and_that_is_said() {
    let checks = vec![result("diff", Verdict::Unknown), result("own", Verdict::Pass)];
    let spec = json!([{"diff": {"key": ["id"]}}, {"name": "own", "expr": "id > 0"}]);
    let case = case(spec, Ok(Sample { checks, ..sample() }));
    insta::assert_snapshot!(found(&case), @"
    Unknown diff: it compares all rows, so it is not run on a sample
    Pass own: what was found
    ");
    let plan = case.plan();
    assert_eq!(plan.header.samples.as_ref().unwrap().not_compared, 1);
    let text = case.explain(Detail::Summary);
    assert!(text.contains("`diff` checks of 1 dataset compare all rows: not run on samples"), "{text}");
}

#[test]
fn a_plan_without_samples_says_nothing_of_them() {
    let mut case = case(json!([]), Ok(sample()));
    case.snapshot.sampling = None;
    case.snapshot.pairs[0].sample = None;
    let text = serde_json::to_string(&case.plan()).unwrap();
    assert!(!text.contains("sample"), "{text}");
}

#[test]
fn misfits_under_fail_block() {
    let misfits = vec![
        misfits("price", Misfit::Fail, 3),
        Misfits { reason: "no number".to_owned(), ..misfits("id", Misfit::Fail, 1) },
    ];
    let checks = vec![result("rejected", Verdict::Fail), result("own", Verdict::Fail)];
    let sampled = Sample { rejected: 4, written: 96, misfits, checks, ..sample() };
    let case = case(json!([{"name": "rejected", "maxRejected": 0}, {"name": "own", "expr": "id > 0"}]), Ok(sampled));
    insta::assert_snapshot!(found(&case), @"
    a → b
    GL0212 at /spec/mapping/columns/0: in a sample of 100 of 1,000 rows of `a`, 3 rows do not fit column `price` (out of range): the first is row 17 of `day=1/a.parquet`
        choose `misfit: null` or `misfit: reject` for the column, or another type
    GL0212 at /spec/datasets/0/from: in a sample of 100 of 1,000 rows of `a`, one row does not fit column `id` (no number): it is row 17 of `day=1/a.parquet`
        choose `misfit: null` or `misfit: reject` for the column, or another type
    GL0513: in a sample of 100 of 1,000 rows of `a`, the check `own` fails: what was found
        mend the mapping, the data or the check
    ");
    assert_eq!(case.plan().header.blocked[0].sample.as_ref().unwrap().rejected, 4);
}

#[test]
fn what_the_mapping_gives_up_is_a_warning() {
    let misfits = vec![misfits("price", Misfit::Reject, 3), misfits("id", Misfit::Null, 1)];
    let case = case(json!([]), Ok(Sample { rejected: 3, written: 97, misfits, ..sample() }));
    insta::assert_snapshot!(found(&case), @"
    warning[GL0437]: in a sample of 100 of 1,000 rows of `a`, 3 rows are rejected and 1 value becomes null: `price` (3 rows, out of range, the first is row 17 of `day=1/a.parquet`), `id` (1 row, out of range, the first is row 17 of `day=1/a.parquet`)
    ");
}

#[test]
fn checks_that_rows_fail_are_certain() {
    let checks = json!([{"notNull": ["id"]}, {"expr": "id > 0"}, {"maxRows": 99}, {"maxRejected": 0}]);
    let results = ["reverse", "notNull", "id > 0", "maxRows", "maxRejected"];
    let results = results.map(|name| result(name, Verdict::Fail)).to_vec();
    let case = case(checks, Ok(Sample { checks: results, ..sample() }));
    insta::assert_snapshot!(found(&case), @"
    a → b
    GL0513: in a sample of 100 of 1,000 rows of `a`, the check `reverse` fails: what was found
        mend the mapping, the data or the check
    GL0513: in a sample of 100 of 1,000 rows of `a`, the check `notNull` fails: what was found
        mend the mapping, the data or the check
    GL0513: in a sample of 100 of 1,000 rows of `a`, the check `id > 0` fails: what was found
        mend the mapping, the data or the check
    GL0513: in a sample of 100 of 1,000 rows of `a`, the check `maxRows` fails: what was found
        mend the mapping, the data or the check
    GL0513: in a sample of 100 of 1,000 rows of `a`, the check `maxRejected` fails: what was found
        mend the mapping, the data or the check
    ");
}

#[test]
fn checks_on_totals_only_warn() {
    let checks = json!([{"minRows": 995}, {"maxRows": 500}, {"maxRejected": 50}, {"expr": "id > 0"}]);
    let results = vec![
        result("tolerance", Verdict::Fail),
        result("minRows", Verdict::Fail),
        result("maxRows", Verdict::Pass),
        result("maxRejected", Verdict::Pass),
        result("id > 0", Verdict::Unknown),
    ];
    let misfits = vec![misfits("price", Misfit::Reject, 20)];
    let sampled = Sample { rejected: 20, written: 80, misfits, checks: results, ..sample() };
    insta::assert_snapshot!(found(&case(checks, Ok(sampled))), @"
    warning[GL0438]: in a sample of 100 of 1,000 rows of `a`, `tolerance` may fail: what was found
    warning[GL0438]: in a sample of 100 of 1,000 rows of `a`, `minRows` may fail: about 800 rows to be expected, at least 995 wanted
    warning[GL0438]: in a sample of 100 of 1,000 rows of `a`, `maxRows` may fail: about 800 rows to be expected, at most 500 wanted
    warning[GL0438]: in a sample of 100 of 1,000 rows of `a`, `maxRejected` may fail: about 200 rejected rows to be expected, at most 50 wanted
    warning[GL0438]: in a sample of 100 of 1,000 rows of `a`, the check `id > 0` tells nothing: what was found
    warning[GL0437]: in a sample of 100 of 1,000 rows of `a`, 20 rows are rejected: `price` (20 rows, out of range, the first is row 17 of `day=1/a.parquet`)
    Fail tolerance: what was found
    Unknown minRows: a sample cannot tell
    Pass maxRows: what was found
    Pass maxRejected: what was found
    Unknown id > 0: what was found
    ");
}

#[test]
fn a_few_rows_make_no_rate() {
    // Of ten rows none is rejected; that one in twenty of all is, is no surprise.
    let checks = json!([{"minRows": 950}, {"maxRows": 950}, {"maxRejected": 50}]);
    let results =
        vec![result("minRows", Verdict::Fail), result("maxRows", Verdict::Pass), result("max", Verdict::Pass)];
    let case = case(checks, Ok(Sample { rows: 10, written: 10, checks: results, ..Sample::default() }));
    assert!(!found(&case).contains("warning"), "{}", found(&case));
}

#[test]
fn a_bound_that_all_rows_cannot_reach_is_certain() {
    let checks = json!([{"minRows": 1001}]);
    let sampled = Sample { checks: vec![result("minRows", Verdict::Fail)], ..sample() };
    insta::assert_snapshot!(found(&case(checks, Ok(sampled))), @"
    a → b
    GL0513: in a sample of 100 of 1,000 rows of `a`, the check `minRows` fails: 1000 rows in the source, at least 1001 wanted
        mend the mapping, the data or the check
    ");
}

#[test]
fn a_sample_of_all_rows_leaves_nothing_open() {
    let checks = json!([{"minRows": 200}]);
    let results = vec![result("tolerance", Verdict::Fail), result("minRows", Verdict::Fail)];
    let sampled = Sample { whole: true, checks: results, ..sample() };
    insta::assert_snapshot!(found(&case(checks, Ok(sampled))), @"
    a → b
    GL0513: in all 100 rows of `a`, the check `tolerance` fails: what was found
        mend the mapping, the data or the check
    GL0513: in all 100 rows of `a`, the check `minRows` fails: what was found
        mend the mapping, the data or the check
    ");
}

#[test]
fn without_a_number_of_rows_nothing_is_expected() {
    let checks = json!([{"minRows": 5000}, {"maxRejected": 5}]);
    let results = vec![result("minRows", Verdict::Fail), result("maxRejected", Verdict::Pass)];
    let misfits = vec![misfits("price", Misfit::Reject, 1)];
    let mut case = case(checks, Ok(Sample { rejected: 1, written: 99, misfits, checks: results, ..sample() }));
    case.snapshot.pairs[0].source.as_mut().unwrap().rows = None;
    insta::assert_snapshot!(found(&case), @"
    warning[GL0437]: in a sample of the first 100 rows of `a`, 1 row is rejected: `price` (1 row, out of range, the first is row 17 of `day=1/a.parquet`)
    Unknown minRows: a sample cannot tell
    Pass maxRejected: what was found
    ");
}

#[test]
fn a_dataset_that_cannot_be_read() {
    let failure = |class| Failure::new(class, code::data::CSV_RAGGED, "`a.csv` line 3 has 2 fields");
    insta::assert_snapshot!(found(&case(json!([]), Err(failure(ErrorClass::Permanent)))), @"
    a → b
    GL0618: the rows of `a` cannot be had: `a.csv` line 3 has 2 fields
    ");
    let busy = case(json!([]), Err(failure(ErrorClass::Transient)));
    insta::assert_snapshot!(found(&busy), @"
    warning[GL0439]: `a` could not be sampled [GL0618]: `a.csv` line 3 has 2 fields
    ");
    let totals = busy.plan().header.samples.unwrap();
    assert_eq!((totals.datasets, totals.missing), (0, 1));
}

#[test]
fn the_section_for_people() {
    let mut case =
        case(json!([]), Ok(Sample { rejected: 3, misfits: vec![misfits("price", Misfit::Reject, 3)], ..sample() }));
    case.snapshot.pairs[1].sample = Some(Ok(Sample { misfits: vec![misfits("price", Misfit::Fail, 1)], ..sample() }));
    insta::assert_snapshot!(case.explain(Detail::Summary), @"
    ~ a → b  1,000 rows, 50 kB  breaking
        ~ price  string → int32, values may not fit
          1 column as it is
          breaks readers: column `price` goes from `string` to `int32`
          undo cannot carry new rows back: both datasets are single files; `price` has no way back (text can spell one `int32` in several ways)
          1 consumer: component:default/reader
    x c → d  blocked
        /spec/mapping/columns/0:1:1: error[GL0212]: in a sample of 100 of 1,000 rows of `c`, one row does not fit column `price` (out of range): it is row 17 of `day=1/a.parquet`
          hint: choose `misfit: null` or `misfit: reject` for the column, or another type
    warning[GL0430]: b: no way back for `price` (text can spell one `int32` in several ways)
    warning[GL0437]: b: in a sample of 100 of 1,000 rows of `a`, 3 rows are rejected: `price` (3 rows, out of range, the first is row 17 of `day=1/a.parquet`)
    sampled 2 datasets, 200 rows (at most 100 each): 0 without findings, 1 with warnings, 1 blocked
    needs up to 108 kB on `disk-1`, which has 1.0 GB free
    Plan p-99b35f4e581a: 1 dataset to migrate (1 breaking), 1 blocked, 2 warnings; 1,000 rows, 50 kB, under 1 s; run greylag apply p-99b35f4e581a
    ");
}
