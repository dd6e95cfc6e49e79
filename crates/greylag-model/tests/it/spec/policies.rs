use super::{show, spec};
use insta::assert_snapshot;

fn with(lines: &str) -> String {
    show(&spec(&format!("  datasets: [{{from: a, to: b}}]\n{lines}")))
}

#[test]
fn durations() {
    assert_snapshot!(with("  timeout: 5 minutes\n"), @"
    m.yaml:7:12: error[GL0118]: `spec.timeout` cannot be `5 minutes`
      hint: write a whole number and a unit: `250ms`, `30s`, `5m`, `6h` or `14d`
    ");
    assert_snapshot!(with("  timeout: 0s\n"), @"
    m.yaml:7:12: error[GL0126]: `0s` leaves no time at all
      hint: write e.g. `30m`
    ");
    assert_snapshot!(with("  timeout: 99999d\n"), @"
    m.yaml:7:12: error[GL0126]: `99999d` is longer than 100 years (`36500d`)
      hint: write a shorter one
    ");
    assert_snapshot!(with("  timeout: 1h30m\n"), @"
    m.yaml:7:12: error[GL0118]: `spec.timeout` cannot be `1h30m`
      hint: write a whole number and a unit: `250ms`, `30s`, `5m`, `6h` or `14d`
    ");
}

#[test]
fn until_is_a_day() {
    assert_snapshot!(with("  consumers: {until: 2028-02-29}\n"), @"Migration m");
    assert_snapshot!(with("  consumers: {until: 2027-02-29}\n"), @"
    m.yaml:7:22: error[GL0118]: there is no day `2027-02-29`
      hint: write year, month and day: `2027-03-31`
    ");
    assert_snapshot!(with("  consumers: {until: 31.3.2027}\n"), @"
    m.yaml:7:22: error[GL0118]: `spec.consumers.until` cannot be `31.3.2027`
      hint: write year, month and day: `2027-03-31`
    ");
    assert_snapshot!(with("  consumers: {until: 2027}\n"), @"
    m.yaml:7:22: error[GL0115]: `spec.consumers.until` wants text, but this is `2027`
      hint: write year, month and day: `2027-03-31`
    ");
}

#[test]
fn retry() {
    assert_snapshot!(with("  retry: {backoff: 5m, maxBackoff: 30s}\n"), @"
    m.yaml:7:36: error[GL0131]: the longest wait is shorter than the first, 5m
      hint: raise `maxBackoff`, or lower `backoff`
    ");
    assert_snapshot!(with("  retry: {maxBackoff: 500ms, on: [transient, transient, permament]}\n"), @"
    m.yaml:7:23: error[GL0131]: the longest wait is shorter than the first, 1s
      hint: raise `maxBackoff`, or lower `backoff`
    m.yaml:7:46: error[GL0121]: the error class `transient` is given twice
      hint: it was given in line 7: keep one of them
    m.yaml:7:57: error[GL0116]: `spec.retry.on[2]` cannot be `permament`
      hint: did you mean `permanent`? allowed are `transient`, `permanent`, `conflict` and `denied`
    ");
    assert_snapshot!(with("  retry: {attempts: 1, backoff: 0s, maxBackoff: 1s, on: []}\n"), @"Migration m");
}

#[test]
fn retention_needs_a_drop() {
    assert_snapshot!(with("  retention: 14d\n"), @"
    m.yaml:7:3: error[GL0131]: `retention` is given, but the migration ends with `cutover` and drops nothing
      hint: write `through: drop`, or remove `retention`
    ");
    assert_snapshot!(with("  retention: 14d\n  through: retire\n"), @"
    m.yaml:7:3: error[GL0131]: `retention` is given, but the migration ends with `retire` and drops nothing
      hint: write `through: drop`, or remove `retention`
    ");
    assert_snapshot!(with("  retention: 0s\n  through: drop\n"), @"Migration m");
}

#[test]
fn a_check_expects_one_thing() {
    assert_snapshot!(with("  checks:\n    - {name: nothing}\n    - {}\n    - {minRows: 1, maxRows: 2, notNull: [a, a]}\n    - {name: x, minRows: 1}\n    - {name: x, minRows: 2}\n"), @"
    m.yaml:8:7: error[GL0129]: the check `nothing` expects nothing
      hint: add one of `notNull`, `expr`, `minRows`, `maxRows`, `maxRejected` and `diff`
    m.yaml:9:7: error[GL0129]: a check expects nothing
      hint: add one of `notNull`, `expr`, `minRows`, `maxRows`, `maxRejected` and `diff`
    m.yaml:10:20: error[GL0129]: a check expects one thing, and this one has `minRows` already
      hint: make `maxRows` a check of its own
    m.yaml:10:32: error[GL0129]: a check expects one thing, and this one has `minRows` already
      hint: make `notNull` a check of its own
    m.yaml:10:45: error[GL0127]: the column `a` is given twice
      hint: it was given in line 10: keep one of them
    m.yaml:12:14: error[GL0121]: the check `x` is given twice
      hint: it was given in line 11: give one of them another name
    ");
    assert_snapshot!(with("  checks:\n    - {minRows: 10}\n    - {minRows: 3}\n    - {maxRows: 9}\n"), @"
    m.yaml:10:17: error[GL0131]: no dataset has at least 10 and at most 9 rows
      hint: the other bound is in line 8
    ");
}

#[test]
fn a_diff_names_what_it_compares_with_and_its_columns_once() {
    assert_snapshot!(with("  checks:\n    - diff: {}\n    - name: a\n      diff: {with: source, key: [id], ignore: [x], tolerances: {y: {relative: 1e-9}}, maxDifferences: 3}\n    - name: b\n      diff: {with: ./reference/, key: [id], tolerance: {absolute: 0.5}}\n"), @"Migration m");
    assert_snapshot!(with("  checks:\n    - diff: {with: 'group:shop'}\n    - name: x\n      diff: {with: a b, maxDifferences: -1}\n"), @"
    m.yaml:8:20: error[GL0120]: `group:shop` is a group, not a dataset
      hint: datasets are resources: write the name alone, or `resource:NAME`
    m.yaml:10:20: error[GL0120]: the reference `a b` has a name that is not 1 to 63 of `A-Z`, `a-z`, `0-9`, `-`, `_` and `.`, with a letter or digit at both ends
      hint: write the name of the catalog's entity, perhaps with its namespace: `resource:default/NAME` or `NAME`
    m.yaml:10:41: error[GL0117]: `spec.checks[1].diff.maxDifferences` is -1: at least 0 is needed
    ");
    assert_snapshot!(with("  checks:\n    - diff: {key: [id, id], ignore: [x, id, x]}\n"), @"
    m.yaml:8:24: error[GL0127]: the column `id` is given twice
      hint: it was given in line 8: keep one of them
    m.yaml:8:41: error[GL0131]: `id` is both part of the key and to be left out
      hint: it is part of the key in line 8: keep one of the two
    m.yaml:8:45: error[GL0127]: the column `x` is given twice
      hint: it was given in line 8: keep one of them
    ");
    assert_snapshot!(with("  checks:\n    - diff: {tolerance: {absolute: 1}}\n    - name: x\n      diff: {key: [], tolerances: {a: {}}}\n"), @"
    m.yaml:8:14: error[GL0131]: a tolerance needs a key: without one, rows are told apart by their values
      hint: add the `key`, e.g. `key: [id]`
    m.yaml:10:36: error[GL0129]: the tolerance says neither `absolute` nor `relative`
      hint: write e.g. `{absolute: 0.01}`
    m.yaml:10:36: error[GL0131]: a tolerance needs a key: without one, rows are told apart by their values
      hint: add the `key`, e.g. `key: [id]`
    ");
    assert_snapshot!(with("  checks:\n    - diff: {keys: [id]}\n    - {name: y, diff: id}\n"), @"
    m.yaml:8:14: error[GL0113]: `spec.checks[0].diff` has no key `keys`
      hint: did you mean `key`?
    m.yaml:9:23: error[GL0115]: `spec.checks[1].diff` wants a mapping, but this is text
      hint: it has keys such as `ignore`, `key`, `maxDifferences`, `tolerance`, `tolerances` and `with`
    ");
    assert_snapshot!(with("  checks:\n    - {minRows: 1, diff: {}}\n"), @"
    m.yaml:8:20: error[GL0129]: a check expects one thing, and this one has `minRows` already
      hint: make `diff` a check of its own
    ");
}

#[test]
fn layouts_that_contradict_themselves() {
    assert_snapshot!(with("  layout: {format: parquet, csv: {header: false}}\n"), @"
    m.yaml:7:29: error[GL0131]: `csv` is given, but the format is `parquet`
      hint: remove `csv`, or write `format: csv`
    ");
    assert_snapshot!(with("  layout: {format: csv, compression: zstd}\n"), @"
    m.yaml:7:25: error[GL0131]: `compression` is given, but the format is `csv`, which has none
      hint: remove `compression`, or write `format: parquet`
    ");
    assert_snapshot!(with("  layout: {shape: file, partitionBy: [a]}\n"), @"
    m.yaml:7:25: error[GL0131]: one file cannot have partitions
      hint: write `shape: directory`, or remove `partitionBy`
    ");
    assert_snapshot!(with("  layout: {shape: file, partitionBy: []}\n"), @"Migration m");
    assert_snapshot!(with("  layout: {partitionBy: [a, b, a]}\n"), @"
    m.yaml:7:32: error[GL0127]: the partition column `a` is given twice
      hint: it was given in line 7: keep one of them
    ");
}

#[test]
fn dialects_that_cannot_be_read_back() {
    assert_snapshot!(with("  layout: {csv: {delimiter: '\"'}}\n"), @r#"
    m.yaml:7:29: error[GL0133]: `"` cannot be both the delimiter and the quote
      hint: choose another character for one of them
    "#);
    assert_snapshot!(with("  layout: {csv: {delimiter: é, escape: \"\\n\"}}\n"), @r#"
    m.yaml:7:29: error[GL0133]: `delimiter` cannot be `é`
      hint: use one ASCII character that is not a line break: `","`, `"\t"`
    m.yaml:7:40: error[GL0133]: `escape` cannot be `\n`
      hint: use one ASCII character that is not a line break: `","`, `"\t"`
    "#);
    assert_snapshot!(with("  layout: {csv: {null: 'a,b'}}\n"), @"
    m.yaml:7:24: error[GL0133]: the null text `a,b` holds a delimiter, a quote or a line break
      hint: choose a text that can stand in a field without quotes
    ");
    assert_snapshot!(with("  layout: {csv: {delimiter: \"\\t\", quote: \"'\", escape: '\\', null: NULL, encoding: latin-1, header: false}}\n"), @"Migration m");
}

#[test]
fn folders_cut_repositories_by_path_alone() {
    assert_snapshot!(with("  consumers: {scopes: {by: owner}}\n"), @"Migration m");
    assert_snapshot!(with("  consumers: {scopes: {by: path, paths: [models/finance, /jobs/]}}\n"), @"Migration m");
    assert_snapshot!(with("  consumers: {scopes: {by: team}}\n"), @"
    m.yaml:7:28: error[GL0116]: `spec.consumers.scopes.by` cannot be `team`
      hint: allowed are `repository`, `owner` and `path`
    ");
    assert_snapshot!(with("  consumers: {scopes: {paths: [a]}}\n"), @"
    m.yaml:7:24: error[GL0131]: `paths` is given, but repositories are cut by `repository`
      hint: write `by: path`, or remove `paths`
    ");
    assert_snapshot!(with("  consumers: {scopes: {by: path}}\n"), @"
    m.yaml:7:23: error[GL0131]: repositories are cut by path, and no folder is named
      hint: list folders: `paths: [models/finance, jobs]`
    ");
    assert_snapshot!(with("  consumers: {scopes: {by: path, paths: [a, /a/, a/../b, .]}}\n"), @"
    m.yaml:7:45: error[GL0121]: the folder `a` is given twice
      hint: keep one of them
    m.yaml:7:50: error[GL0132]: `a/../b` is no folder of a repository
      hint: write it from the root of the repository: `models/finance`
    m.yaml:7:58: error[GL0132]: `.` is no folder of a repository
      hint: write it from the root of the repository: `models/finance`
    ");
}
