//! What the schema says: keys, kinds of values, ranges.

use super::{mapping, show, spec};
use insta::assert_snapshot;

#[test]
fn unknown_keys_with_what_was_meant() {
    assert_snapshot!(show(&spec("  datasets:\n    - {form: a, to: b}\n  time-out: 5m\n  retries: 3\n")), @"
    m.yaml:7:8: error[GL0113]: `spec.datasets[0]` has no key `form`
      hint: did you mean `from`?
    m.yaml:8:3: error[GL0113]: `spec` has no key `time-out`
      hint: did you mean `timeout`?
    m.yaml:9:3: error[GL0113]: `spec` has no key `retries`
      hint: did you mean `retry`?
    ");
    assert_snapshot!(show(&spec("  datasets:\n    - {from: a, to: b, partition_by: [x]}\n  columns: []\n  not_null: [a]\n")), @"
    m.yaml:7:24: error[GL0113]: `spec.datasets[0]` has no key `partition_by`
      hint: `partitionBy` belongs in `spec.layout` or `spec.datasets[].layout`
    m.yaml:8:3: error[GL0113]: `spec` has no key `columns`
      hint: `columns` belongs in `spec.mapping` or `spec.datasets[].mapping`
    m.yaml:9:3: error[GL0113]: `spec` has no key `not_null`
      hint: `notNull` belongs in `spec.checks[]` or `spec.datasets[].checks[]`
    ");
    assert_snapshot!(show(&spec("  datasets: [{from: a, to: b}]\n  xyzzy: 1\n  a/b~c: 2\n")), @"
    m.yaml:7:3: error[GL0113]: `spec` has no key `xyzzy`
      hint: keys here are `checks`, `commands`, `consumers`, `datasets`, `increments`, `layout`, `mapping`, `priority`, `retention`, `retry`, `rollout`, `steps`, `through` and `timeout`
    m.yaml:8:3: error[GL0113]: `spec` has no key `a/b~c`
      hint: keys here are `checks`, `commands`, `consumers`, `datasets`, `increments`, `layout`, `mapping`, `priority`, `retention`, `retry`, `rollout`, `steps`, `through` and `timeout`
    ");
}

#[test]
fn a_comma_inside_braces() {
    assert_snapshot!(show(&mapping("    columns: [{name: x, type: decimal(15,2), loss: round}]\n")), @r#"
    m.yaml:9:31: error[GL0134]: expected `)` in `decimal(precision,scale)`, found the end
      hint: `docs/reference/types.md` lists the types: `int64`, `decimal(15,2)`, `timestamp(us, UTC)` …
    m.yaml:9:42: error[GL0113]: `spec.mapping.columns[0]` has no key `2)`
      hint: inside braces a value with a comma needs quotes: `{type: "decimal(15,2)"}`
    "#);
}

#[test]
fn keys_of_elsewhere() {
    assert_snapshot!(show("apiVersion: greylag.dev/v1alpha1\nkind: Migration\nname: m\nmetadata: {name: m}\ndatasets: []\nspec: {datasets: [{from: a, to: b}]}\n"), @"
    m.yaml:3:1: error[GL0113]: the document has no key `name`
      hint: `name` belongs in `metadata` or `spec.steps[]`
    m.yaml:5:1: error[GL0113]: the document has no key `datasets`
      hint: `datasets` belongs in `spec`
    ");
}

#[test]
fn missing_keys_with_what_to_write() {
    assert_snapshot!(show("apiVersion: greylag.dev/v1alpha1\nkind: Migration\nmetadata: {}\nspec: {}\n"), @"
    m.yaml:3:1: error[GL0114]: `metadata` lacks `name`
      hint: add `name: users-v2` – 1 to 63 of `a-z`, `0-9`, `-`, `.` and `_`, beginning and ending with a letter or digit
    m.yaml:4:1: error[GL0114]: `spec` lacks `datasets`
      hint: add `datasets: [{from: users_v1, to: users_v2}]` – the pairs of datasets, old and new
    ");
    assert_snapshot!(show(&spec("  datasets:\n    - from: a\n    - to: b\n")), @"
    m.yaml:7:7: error[GL0114]: `spec.datasets[0]` lacks `to`
      hint: add `to: users_v2` – reference of the new dataset, which must not exist yet
    m.yaml:8:7: error[GL0114]: `spec.datasets[1]` lacks `from`
      hint: add `from: users_v1` – reference of the old dataset: its name in the catalog, perhaps with its namespace (`finance/users_v1`)
    ");
    assert_snapshot!(show(&mapping("    columns: [{from: x}]\n    split: [{}]\n    drop: [{name: y}]\n")), @r#"
    m.yaml:9:15: error[GL0114]: `spec.mapping.columns[0]` lacks `name`
      hint: add `name: email` – name in the target
    m.yaml:10:13: error[GL0114]: `spec.mapping.split[0]` lacks `from`
      hint: add `from: full_name` – source column, text
    m.yaml:10:13: error[GL0114]: `spec.mapping.split[0]` lacks `into`
      hint: add `into: [first_name, last_name]` – target columns, at least two
    m.yaml:10:13: error[GL0114]: `spec.mapping.split[0]` lacks `separator`
      hint: add `separator: " "` – text between the parts
    m.yaml:11:12: error[GL0114]: `spec.mapping.drop[0]` lacks `reason`
      hint: add `reason: nobody has filled it since 2019` – why, for its readers
    "#);
}

#[test]
fn values_of_another_kind() {
    assert_snapshot!(show(&spec("  datasets: {from: a, to: b}\n")), @"
    m.yaml:6:13: error[GL0115]: `spec.datasets` wants a list, but this is a mapping
      hint: begin each item with `- `
    ");
    assert_snapshot!(show(&spec("  datasets: [a]\n  timeout: 30\n  mapping: []\n")), @"
    m.yaml:6:14: error[GL0115]: `spec.datasets[0]` wants a mapping, but this is text
      hint: it has keys such as `from` and `to`
    m.yaml:7:12: error[GL0115]: `spec.timeout` wants text, but this is `30`
      hint: write a whole number and a unit: `250ms`, `30s`, `5m`, `6h` or `14d`
    m.yaml:8:12: error[GL0115]: `spec.mapping` wants a mapping, but this is a list
      hint: write keys and values without `- ` before them
    ");
    assert_snapshot!(show(&spec("  datasets:\n    - {from: 2024, to: true}\n  retry: {attempts: '3', on: transient}\n")), @r#"
    m.yaml:7:14: error[GL0115]: `spec.datasets[0].from` wants text, but this is `2024`
      hint: put it in quotes if it is meant as text: `"2024"`
    m.yaml:7:24: error[GL0115]: `spec.datasets[0].to` wants text, but this is `true`
      hint: put it in quotes if it is meant as text: `"true"`
    m.yaml:8:21: error[GL0115]: `spec.retry.attempts` wants a whole number, but this is text
      hint: write `3` without quotes
    m.yaml:8:30: error[GL0115]: `spec.retry.on` wants a list, but this is text
      hint: write `[transient]`
    "#);
    assert_snapshot!(show(&spec("  datasets: [{from: a, to: b}]\n  retry: {attempts: 1.5}\n")), @"m.yaml:7:21: error[GL0115]: `spec.retry.attempts` wants a whole number, but this is `1.5`");
    assert_snapshot!(show(&spec("  datasets: [{from: a, to: b}]\n  retry: {attempts: 2.0}\n")), @"Migration m");
}

#[test]
fn keys_without_values() {
    assert_snapshot!(show(&spec("  datasets: [{from: a, to: b}]\n  mapping:\n  checks:\n  # - notNull: [id]\n  timeout: ~\n")), @"
    m.yaml:7:3: error[GL0115]: `spec.mapping` has no value
      hint: write a mapping, or remove the key
    m.yaml:8:3: error[GL0115]: `spec.checks` has no value
      hint: write a list, or remove the key
    m.yaml:10:3: error[GL0115]: `spec.timeout` has no value
      hint: write text, or remove the key
    ");
    assert_snapshot!(show("apiVersion: greylag.dev/v1alpha1\nkind: Migration\nmetadata:\nspec:\n"), @"
    m.yaml:3:1: error[GL0115]: `metadata` has no value
      hint: write a mapping, or remove the key
    m.yaml:4:1: error[GL0115]: `spec` has no value
      hint: write a mapping, or remove the key
    ");
}

#[test]
fn words_that_are_not_allowed() {
    assert_snapshot!(show(&spec("  datasets: [{from: a, to: b}]\n  through: Cutover\n  layout: {format: orc, compression: lz5, shape: dir}\n")), @"
    m.yaml:7:12: error[GL0116]: `spec.through` cannot be `Cutover`
      hint: did you mean `cutover`? allowed are `publish`, `cutover`, `retire` and `drop`
    m.yaml:8:20: error[GL0116]: `spec.layout.format` cannot be `orc`
      hint: allowed are `parquet`, `csv`, `json` and `avro`
    m.yaml:8:38: error[GL0116]: `spec.layout.compression` cannot be `lz5`
      hint: did you mean `lz4`? allowed are `uncompressed`, `snappy`, `lz4`, `gzip` and `zstd`
    m.yaml:8:50: error[GL0116]: `spec.layout.shape` cannot be `dir`
      hint: allowed are `file` and `directory`
    ");
    assert_snapshot!(show(&mapping("    unmapped: drop\n    columns: [{name: x, type: int8, loss: floor, misfit: ~}]\n")), @"
    m.yaml:9:15: error[GL0116]: `spec.mapping.unmapped` cannot be `drop`
      hint: allowed are `keep` and `fail`
    m.yaml:10:43: error[GL0116]: `spec.mapping.columns[0].loss` cannot be `floor`
      hint: allowed are `truncate`, `round` and `fail`
    m.yaml:10:58: error[GL0116]: `spec.mapping.columns[0].misfit` cannot be `~`
      hint: allowed are `fail`, `null` and `reject`
    ");
    assert_snapshot!(show(&spec("  datasets: [{from: a, to: b}]\n  through: expand\n  layout: {format: 1}\n")), @"
    m.yaml:7:12: error[GL0116]: `spec.through` cannot be `expand`
      hint: allowed are `publish`, `cutover`, `retire` and `drop`
    m.yaml:8:20: error[GL0116]: `spec.layout.format` cannot be `1`
      hint: allowed are `parquet`, `csv`, `json` and `avro`
    ");
    assert_snapshot!(show(&spec("  datasets: [{from: a, to: b}]\n  layout: {csv: {encoding: utf8}}\n")), @"
    m.yaml:7:28: error[GL0116]: `spec.layout.csv.encoding` cannot be `utf8`
      hint: did you mean `utf-8`? allowed are `utf-8`, `utf-16le`, `utf-16be` and `latin-1`
    ");
}

#[test]
fn out_of_range() {
    assert_snapshot!(show(&spec("  datasets: []\n  retry: {attempts: 0}\n")), @"
    m.yaml:6:13: error[GL0117]: `spec.datasets` needs at least 1 item
    m.yaml:7:21: error[GL0117]: `spec.retry.attempts` is 0: at least 1 is needed
    ");
    assert_snapshot!(show(&spec("  datasets: [{from: '', to: b}]\n  retry: {attempts: 101}\n")), @"
    m.yaml:6:21: error[GL0117]: `spec.datasets[0].from` is empty
    m.yaml:7:21: error[GL0117]: `spec.retry.attempts` is 101: at most 100 is allowed
    ");
    assert_snapshot!(show(&spec("  datasets: [{from: a, to: b}]\n  checks: [{minRows: -1}, {maxRows: 18446744073709551615}, {notNull: []}]\n")), @"
    m.yaml:7:22: error[GL0117]: `spec.checks[0].minRows` is -1: at least 0 is needed
    m.yaml:7:37: error[GL0117]: `spec.checks[1].maxRows` is 18446744073709551615: at most 9223372036854775807 is allowed
    m.yaml:7:70: error[GL0117]: `spec.checks[2].notNull` needs at least 1 item
    ");
    assert_snapshot!(show(&mapping("    columns: [{name: x, tolerance: {absolute: -1}}]\n    split: [{from: a, into: [b], separator: ''}]\n")), @"
    m.yaml:9:47: error[GL0117]: `spec.mapping.columns[0].tolerance.absolute` is -1: at least 0 is needed
    m.yaml:10:29: error[GL0117]: `spec.mapping.split[0].into` needs at least 2 items
    m.yaml:10:45: error[GL0117]: `spec.mapping.split[0].separator` is empty
    ");
    assert_snapshot!(show(&spec("  datasets: [{from: a, to: b}]\n  layout: {csv: {delimiter: '||', quote: ''}}\n")), @"
    m.yaml:7:29: error[GL0117]: `spec.layout.csv.delimiter` wants one character
    m.yaml:7:42: error[GL0117]: `spec.layout.csv.quote` is empty
    ");
}

#[test]
fn a_damaged_value_is_reported_once() {
    assert_snapshot!(show(&spec("  datasets: [{from: &x a, to: *x}]\n  retry: {attempts: .inf}\n")), @r#"
    m.yaml:6:21: error[GL0106]: an anchor is not read in this file
      hint: write the value out where it is used
    m.yaml:6:31: error[GL0106]: an alias is not read in this file
      hint: write the value out where it is used
    m.yaml:7:21: error[GL0108]: the number `.inf` cannot be kept exactly
      hint: put it in quotes if it is meant as text: `".inf"`
    "#);
}

#[test]
fn plain_scalars_that_are_text() {
    let text = mapping(
        "    columns:\n      - {name: x, expr: null, type: string, misfit: null}\n      - {name: y, default: 1.50}\n      - {name: z, expr: true, default: 0x1F}\n",
    );
    let parsed = greylag_model::spec::parse("m.yaml", &text);
    let greylag_model::spec::Document::Migration(migration, _) = &parsed.documents[0] else {
        panic!("not a migration")
    };
    let columns = &migration.spec.mapping.as_ref().unwrap().columns;
    assert_eq!(columns[0].expr.as_deref(), Some("null"));
    assert_eq!(columns[0].misfit, Some(greylag_model::spec::Misfit::Null));
    assert_eq!(columns[1].default.as_deref(), Some("1.50"));
    assert_eq!((columns[2].expr.as_deref(), columns[2].default.as_deref()), (Some("true"), Some("0x1F")));
}

#[test]
fn all_errors_at_once() {
    assert_snapshot!(show("apiVersion: v1\nkind: Migration\nmetadata: {name: A b}\nspec:\n  datasets:\n    - {from: x, to: x}\n    - {from: y, too: z}\n  mapping:\n    columns:\n      - {name: c, loss: round}\n      - {name: c, from: d}\n  timeout: 0s\n"), @"
    m.yaml:1:13: error[GL0111]: the version `v1` is not known to this build
      hint: write `apiVersion: greylag.dev/v1alpha1`
    m.yaml:3:18: error[GL0118]: `metadata.name` cannot be `A b`
      hint: 1 to 63 of `a-z`, `0-9`, `-`, `.` and `_`, beginning and ending with a letter or digit, e.g. `a-b`
    m.yaml:6:21: error[GL0124]: `x` is both the old and the new dataset
      hint: give the new one another name, e.g. with `_v2` at its end
    m.yaml:7:17: error[GL0113]: `spec.datasets[1]` has no key `too`
      hint: did you mean `to`?
    m.yaml:10:19: error[GL0131]: `loss` says what a cast does, but there is no `type`
      hint: add the `type`, or remove `loss`
    m.yaml:11:16: error[GL0127]: the target column `c` is given twice
      hint: it was given in line 10: keep one of them
    m.yaml:12:12: error[GL0126]: `0s` leaves no time at all
      hint: write e.g. `30m`
    ");
}
