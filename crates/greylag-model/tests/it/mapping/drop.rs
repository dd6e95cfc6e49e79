use super::check;
use serde_json::json;

#[test]
fn ends_a_column() {
    let rules = json!({"drop": [{"name": "legacy", "reason": "unused since 2024"}]});
    insta::assert_snapshot!(check("id: int64!; legacy: string", rules), @r#"
    id: int64!  keep "id"
    < id = id
    < legacy lost: dropped: unused since 2024
    - legacy  dropped: unused since 2024
    ! column `legacy` is dropped
    "#);
}

#[test]
fn can_have_a_way_back() {
    let rules = json!({
        "drop": [{"name": "doubled", "reason": "computed"}],
        "reverse": [{"name": "doubled", "expr": "id * 2"}]
    });
    insta::assert_snapshot!(check("id: int64!; doubled: int64!", rules), @r#"
    id: int64!  keep "id"
    < id = id
    < doubled given "id" * 2
    - doubled  dropped: computed
    ! column `doubled` is dropped
    "#);
}

#[test]
fn needs_a_reason_and_a_column() {
    let rules = json!({"drop": [{"name": "legacy", "reason": " "}, {"name": "legcay", "reason": "typo"}]});
    insta::assert_snapshot!(check("id: int64!; legacy: string", rules), @"
    GL0416 at /drop/0/reason: column `legacy` is dropped without a reason
        say in `reason` what its readers should know
    GL0401 at /drop/1/name: the old dataset has no column `legcay`
        did you mean `legacy`?
    ");
}

#[test]
fn leaves_no_dataset_without_columns() {
    let rules = json!({"drop": [{"name": "id", "reason": "gone"}]});
    insta::assert_snapshot!(check("id: int64!", rules), @"GL0411 at : no column is left in the new dataset");
}
