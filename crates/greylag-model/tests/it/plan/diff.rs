//! `diff` checks: typed when the plan is made, against the columns of both datasets.

use super::{Case, observed, parquet};
use greylag_model::code;
use greylag_model::dataset::Shape;
use greylag_model::diagnostic::Diagnostic;
use serde_json::{Value, json};

/// `a → b` with checks, beside a dataset `ref` that they may name.
fn case(checks: Value, reference: &str) -> Case {
    let columns = json!([{"name": "amount", "type": "decimal(12,2)", "loss": "fail"}, {"name": "new", "expr": "1"}]);
    let spec = json!({"mapping": {"columns": columns}, "checks": checks});
    let mut case = Case::new(&[("a", "b", "id: int64; amount: float64; note: string")], spec);
    let known = observed("ref", reference, parquet(Shape::Directory, &[]));
    case.snapshot.references.insert("ref".to_owned(), Ok(known));
    case
}

const ALL: &str = "id: int32; amount: float64; note: string; new: int64";

#[test]
fn the_source_through_the_mapping_has_the_new_columns() {
    let of = |diff: Value| case(json!([{"diff": diff}]), ALL);
    assert_eq!(of(json!({})).reasons(), "");
    assert_eq!(of(json!({"key": ["id", "new"], "tolerances": {"amount": {"absolute": 0.5}}})).reasons(), "");
    insta::assert_snapshot!(of(json!({"key": ["id", "amuont"]})).reasons(), @"
    GL0415 at /spec/checks/0/diff/key/1: the new dataset has no column `amuont`
        did you mean `amount`?
    ");
    insta::assert_snapshot!(of(json!({"key": ["id"], "ignore": ["nope"]})).reasons(), @"
    GL0415 at /spec/checks/0/diff/ignore/0: the new dataset has no column `nope`
        did you mean `note`?
    ");
    insta::assert_snapshot!(of(json!({"key": ["id"], "tolerances": {"note": {"absolute": 0.5}}})).reasons(), @"
    GL0415 at /spec/checks/0/diff/tolerances/note: a tolerance for `note`, which is not numeric
        a tolerance is for numbers that are not the key
    ");
    insta::assert_snapshot!(of(json!({"ignore": ["id", "amount", "note", "new"]})).reasons(), @"
    GL0415 at /spec/checks/0/diff: the two datasets have no column in common that could be compared
        compare what a migration makes of the first one, by its mapping
    ");
}

#[test]
fn another_dataset_must_have_the_same_columns_but_for_those_left_out() {
    let of = |diff: Value, reference: &str| case(json!([{"diff": diff}]), reference).reasons();
    assert_eq!(of(json!({"with": "ref", "key": ["id"]}), ALL), "", "types may differ where values can be equal");
    let other = "id: int64; amount: boolean; note: string; extra: string";
    insta::assert_snapshot!(of(json!({"with": "ref", "key": ["id"]}), other), @"
    GL0415 at /spec/checks/0/diff/with: `ref` has a column `extra` and the new dataset has not
        leave it out: `ignore: [extra]`
    GL0415 at /spec/checks/0/diff/with: the new dataset has a column `new` and `ref` has not
        leave it out: `ignore: [new]`
    GL0415 at /spec/checks/0/diff/with: column `amount` is `boolean` in `ref` and `decimal(12,2)` in the new dataset, which cannot be compared
        leave it out: `ignore: [amount]`, or give it that type in the mapping
    ");
    assert_eq!(of(json!({"with": "ref", "key": ["id"], "ignore": ["amount", "new", "extra"]}), other), "");
    insta::assert_snapshot!(of(json!({"with": "ref", "key": ["id"]}), "id: string; amount: float64"), @"
    GL0415 at /spec/checks/0/diff/key/0: the key's column `id` is `string` on one side and `int64` on the other
        a mapping can convert it
    ");
    insta::assert_snapshot!(of(json!({"with": "ref", "key": ["uid"]}), ALL), @"
    GL0415 at /spec/checks/0/diff/key/0: `ref` has no column `uid`
        its columns are `amount`, `id`, `new`, `note`
    ");
}

#[test]
fn a_dataset_that_cannot_be_had_blocks() {
    let mut case = case(json!([{"diff": {"with": "ref"}}]), ALL);
    let why = Diagnostic::error(code::plan::UNKNOWN_DATASET, "the catalog has no dataset `ref`");
    case.snapshot.references.insert("ref".to_owned(), Err(vec![why.hint("did you mean `reference`?")]));
    insta::assert_snapshot!(case.reasons(), @"
    GL0450 at /spec/checks/0/diff/with: the catalog has no dataset `ref`
        did you mean `reference`?
    ");
}

#[test]
fn what_is_compared_with_is_frozen_with_the_task() {
    let plan = case(json!([{"diff": {"with": "ref", "key": ["id"]}}, {"name": "own", "diff": {}}]), ALL).plan();
    let task = plan.tasks[0].dataset().unwrap();
    assert_eq!(task.references.keys().collect::<Vec<_>>(), ["ref"]);
    assert_eq!(task.references["ref"].dataset.location.path, "/data/ref");
    let mut other = plan.clone();
    other.tasks[0].dataset_mut().unwrap().references.clear();
    assert!(plan.verify_hash() && !other.verify_hash());
    let without = case(json!([{"diff": {}}]), ALL).plan();
    assert!(!serde_json::to_string(&without).unwrap().contains("references"));
}
