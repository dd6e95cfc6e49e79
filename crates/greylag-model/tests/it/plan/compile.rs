use super::Case;
use greylag_model::spec::ErrorClass;
use greylag_model::task::Phase;
use serde_json::json;

fn steps(spec: serde_json::Value) -> String {
    let plan = Case::new(&[("a", "b", "id: int64")], spec).plan();
    let line = |step: &greylag_model::task::Step| {
        let approval = if step.approval { " after approval" } else { "" };
        format!("{:?} {}{approval}\n", step.phase, step.uses)
    };
    plan.tasks[0].steps.iter().map(line).collect()
}

#[test]
fn steps_go_to_the_cutover_by_default() {
    insta::assert_snapshot!(steps(json!({})), @"
    Expand data/expand
    Backfill data/backfill
    Verify data/verify
    Publish data/publish
    Publish catalog/publish
    Cutover data/cutover
    Cutover catalog/cutover
    ");
}

#[test]
fn steps_go_as_far_as_the_migration_says() {
    insta::assert_snapshot!(steps(json!({"through": "drop"})), @"
    Expand data/expand
    Backfill data/backfill
    Verify data/verify
    Publish data/publish
    Publish catalog/publish
    Cutover data/cutover
    Cutover catalog/cutover
    Retire data/retire after approval
    Drop data/drop after approval
    ");
    assert_eq!(steps(json!({"through": "publish"})).lines().last(), Some("Publish catalog/publish"));
}

#[test]
fn retries_and_times_are_resolved() {
    let retry = json!({"attempts": 5, "backoff": "2s", "maxBackoff": "1m", "on": ["transient"]});
    let spec = json!({"retry": retry, "timeout": "30m", "retention": "7d", "through": "retire"});
    let plan = Case::new(&[("a", "b", "id: int64")], spec).plan();
    assert_eq!(plan.header.retention_millis, 604_800_000);
    assert_eq!(plan.header.through, Phase::Retire);
    let step = &plan.tasks[0].steps[0];
    assert_eq!(step.timeout_millis, 1_800_000);
    assert_eq!((step.retry.attempts, step.retry.backoff_millis, step.retry.max_backoff_millis), (5, 2_000, 60_000));
    assert_eq!(step.retry.on, [ErrorClass::Transient]);
}

#[test]
fn what_the_migration_says_wrong_is_said_at_once() {
    let spec = json!({"timeout": "soon", "retention": "1.5d", "retry": {"backoff": "-1s"}, "through": "backfill"});
    insta::assert_snapshot!(Case::new(&[("a", "b", "id: int64")], spec).reasons(), @"
    GL0417 at /spec/through: the last phase of a migration is `publish`, `cutover`, `retire` or `drop`
    GL0417 at /spec/timeout: `soon` is not a whole number and one of `ms`, `s`, `m`, `h`, `d`
        a duration is a number and a unit: `500ms`, `10s`, `30m`, `6h`, `14d`
    GL0417 at /spec/retention: `1.5d` is not a whole number and one of `ms`, `s`, `m`, `h`, `d`
        a duration is a number and a unit: `500ms`, `10s`, `30m`, `6h`, `14d`
    GL0417 at /spec/retry/backoff: `-1s` is not a whole number and one of `ms`, `s`, `m`, `h`, `d`
        a duration is a number and a unit: `500ms`, `10s`, `30m`, `6h`, `14d`
    ");
}

#[test]
fn checks_are_typed() {
    let spec = json!({
        "checks": [{"notNull": ["id", "nmae"]}, {"expr": "id"}],
        "datasets": [
            {"from": "a", "to": "b", "checks": [{"minRows": 1, "maxRows": 2}, {"expr": "nope > 1"}, {"notNull": []}]},
            {"from": "c", "to": "d"}
        ]
    });
    let case = Case::new(&[("a", "b", "id: int64; name: string"), ("c", "d", "id: boolean; nmae: string")], spec);
    insta::assert_snapshot!(case.reasons(), @"
    a → b
    GL0401 at /spec/checks/0/notNull/1: the new dataset has no column `nmae`
        did you mean `name`?
    GL0415 at /spec/checks/1/expr: the check `id` is of type `int64`, not `boolean`
        compare it with something, e.g. `amount >= 0`
    GL0415 at /spec/datasets/0/checks/0: a check has exactly one of `notNull`, `expr`, `minRows`, `maxRows`, `maxRejected` and `diff`
        several expectations are several checks
    GL0202 at /spec/datasets/0/checks/1/expr: there is no column `nope`
        text stands in single quotes, column names in double quotes
    GL0415 at /spec/datasets/0/checks/2/notNull: `notNull` names no columns
    ");
    let plan = case.plan();
    assert_eq!(plan.tasks.len(), 1);
    assert_eq!(plan.tasks[0].dataset().unwrap().checks.len(), 2);
}

#[test]
fn totals_are_sums_and_space_is_for_the_peak() {
    let mut case = Case::new(&[("a", "b", "id: int64"), ("c", "d", "id: int64"), ("e", "f", "id: int64")], json!({}));
    for (pair, (bytes, device)) in case.snapshot.pairs.iter_mut().zip([(1_000_000, "x"), (500_000, "x"), (9, "y")]) {
        pair.source.as_mut().unwrap().bytes = bytes;
        pair.target.device = device.to_owned();
        pair.target.free_bytes = 2_000_000;
    }
    let plan = case.plan();
    let totals = &plan.header.totals;
    assert_eq!((totals.datasets, totals.breaking, totals.rows, totals.bytes), (3, 0, 3_000, 1_500_009));
    assert_eq!(totals.steps, 21);
    // Two run at once, so the largest two of a device count twice: staging left by an attempt that died.
    let space: Vec<_> = totals.space.iter().map(|space| (space.device.as_str(), space.needed, space.free)).collect();
    assert_eq!(space, [("x", 2 * (1_004_096 + 504_096), 2_000_000), ("y", 2 * 4_105, 2_000_000)]);
    // 0.11 s alone is longer than half of the sum.
    assert_eq!(totals.expected_millis, 110);
    let codes: Vec<_> = plan.header.warnings.iter().map(|warning| warning.code).collect();
    assert_eq!(codes, [greylag_model::code::plan::SPACE_SHORT]);
}

#[test]
fn the_same_world_gives_the_same_plan() {
    let case = Case::new(&[("a", "b", "id: int64; x: string"), ("c", "d", "y: date")], json!({}));
    assert_eq!(case.plan(), case.plan());
}
