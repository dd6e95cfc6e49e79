use super::{Case, csv, observed, parquet};
use greylag_model::dataset::{Format, Layout, Shape};
use greylag_model::plan::{DatasetWork, Staleness, staleness};
use greylag_model::snapshot::Observed;
use serde_json::{Value, json};

const COLUMNS: &str = "id: int32; name: string!; price: decimal(9,2); note: string!";

fn task(rules: Value) -> DatasetWork {
    work(&Case::new(&[("a", "b", COLUMNS)], json!({"mapping": rules})))
}

fn work(case: &Case) -> DatasetWork {
    case.plan().tasks[0].dataset().unwrap().clone()
}

fn rules() -> Value {
    json!({"columns": [
        {"name": "user_id", "from": "id"},
        {"name": "price", "type": "float64"},
        {"name": "short", "expr": "substring(note, 1, 3)"}
    ]})
}

fn now(columns: &str) -> Observed {
    observed("a", columns, parquet(Shape::File, &[]))
}

fn check(rules: Value, now: &Observed) -> String {
    match staleness(&task(rules), now) {
        Staleness::Fresh => "fresh".to_owned(),
        Staleness::SameOperations(task) => {
            assert_eq!(task.source, *now);
            assert_eq!(task.mapping.source, now.schema);
            let columns = task.mapping.target.columns.iter().map(|column| {
                format!("{}: {}{}", column.name, column.data_type, if column.nullable { "" } else { "!" })
            });
            format!("same: {}", columns.collect::<Vec<_>>().join("; "))
        }
        Staleness::Changed(reasons) => reasons.join("\n"),
    }
}

#[test]
fn content_does_not_count() {
    let mut more = now(COLUMNS);
    (more.rows, more.files, more.bytes) = (Some(99), 7, 1 << 30);
    assert_eq!(check(rules(), &more), "fresh");
}

#[test]
fn another_order_is_the_same_operations() {
    let moved = "note: string!; id: int32; price: decimal(9,2); name: string!";
    insta::assert_snapshot!(check(rules(), &now(moved)), @"same: user_id: int32; name: string!; price: float64; note: string!; short: string!");
}

#[test]
fn a_type_that_is_only_handed_on_is_the_same_operations() {
    let widened = "id: int64; name: string!; price: decimal(9,2); note: string!";
    insta::assert_snapshot!(check(rules(), &now(widened)), @"same: user_id: int64; name: string!; price: float64; note: string!; short: string!");
}

#[test]
fn a_type_that_the_plan_works_on_is_not() {
    let retyped = "id: int32; name: string!; price: decimal(12,2); note: int64!";
    insta::assert_snapshot!(check(rules(), &now(retyped)), @"
    column `price` is of type `decimal(12,2)` now and was of type `decimal(9,2)`, and the plan works on it
    column `note` is of type `int64` now and was of type `string`, and the plan works on it
    ");
}

#[test]
fn columns_that_come_and_go_are_not() {
    insta::assert_snapshot!(check(rules(), &now("id: int32; name: string!; price: decimal(9,2); extra: date")), @"
    column `extra` is new
    column `note` is gone
    ");
}

#[test]
fn fewer_nulls_are_the_same_operations_and_more_are_not() {
    let fewer = "id: int32!; name: string!; price: decimal(9,2)!; note: string!";
    insta::assert_snapshot!(check(rules(), &now(fewer)), @"same: user_id: int32!; name: string!; price: float64; note: string!; short: string!");
    let more = "id: int32; name: string; price: decimal(9,2); note: string";
    insta::assert_snapshot!(check(rules(), &now(more)), @"
    column `name` may be null now
    column `note` may be null now
    column `short` may be null now
    ");
}

#[test]
fn a_default_that_had_nothing_to_do_counts_on_it() {
    let rules = json!({"columns": [{"name": "name", "default": "''"}]});
    let more = "id: int32; name: string; price: decimal(9,2); note: string!";
    insta::assert_snapshot!(check(rules, &now(more)), @"`name` replaces nulls that were not there");
}

#[test]
fn identity_and_layout_are_not() {
    let mut moved = now(COLUMNS);
    moved.dataset.location.path.push_str("-moved");
    moved.layout = csv(Shape::Directory);
    moved.fingerprint.clear();
    insta::assert_snapshot!(check(rules(), &moved), @"
    it lies at `/data/a-moved` now and lay at `/data/a`
    its format changed
    it changed between a file and a directory
    ");
}

#[test]
fn a_dialect_counts_only_for_a_csv_target() {
    let with = |layout: Value| {
        let mut case = Case::new(&[("a", "b", COLUMNS)], json!({"layout": layout}));
        case.snapshot.pairs[0].source = Ok(observed("a", COLUMNS, csv(Shape::File)));
        let mut now = observed("a", COLUMNS, csv(Shape::File));
        if let Layout { format: Format::Csv(dialect), .. } = &mut now.layout {
            dialect.delimiter = ';';
        }
        now.fingerprint.clear();
        staleness(&work(&case), &now)
    };
    assert_eq!(with(json!({})), Staleness::Changed(vec!["its CSV dialect changed".to_owned()]));
    assert!(matches!(with(json!({"format": "parquet"})), Staleness::SameOperations(_)));
}

/// The file's checks are part of what a person approved.
#[test]
fn checks_must_still_type() {
    let mut case = Case::new(&[("a", "b", COLUMNS)], json!({"checks": [{"expr": "id > 0"}]}));
    let task = work(&case);
    let retyped = now("id: string; name: string!; price: decimal(9,2); note: string!");
    assert!(matches!(staleness(&task, &retyped), Staleness::Changed(reasons) if reasons.len() == 1));
    case.spec["checks"] = json!([]);
    let task = work(&case);
    assert!(matches!(staleness(&task, &retyped), Staleness::SameOperations(_)));
}
