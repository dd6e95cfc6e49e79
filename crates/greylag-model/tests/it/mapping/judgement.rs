use super::check;
use serde_json::json;

#[test]
fn marks_a_column_for_a_person() {
    let guide = json!({"guide": "https://example.org/status", "text": "codes 7 and 8 are one now"});
    let rules = json!({
        "columns": [{"name": "status", "judgement": guide}],
        "drop": [{"name": "old", "reason": "unused", "judgement": guide}]
    });
    insta::assert_snapshot!(check("status: int32; old: string", rules), @r#"
    status: int32  keep "status"
    < status = status
    < old lost: dropped: unused
    ? status  codes 7 and 8 are one now (guide: https://example.org/status)
    - old  dropped: unused
    ? old  codes 7 and 8 are one now (guide: https://example.org/status)
    ! column `old` is dropped
    "#);
}

#[test]
fn needs_a_guide_and_a_text() {
    let rules = json!({"columns": [{"name": "status", "judgement": {"guide": "", "text": " "}}]});
    insta::assert_snapshot!(check("status: int32", rules), @"
    GL0416 at /columns/0/judgement/guide: `judgement` has an empty `guide`
        give a link to the guide and a sentence that says what a person has to judge
    GL0416 at /columns/0/judgement/text: `judgement` has an empty `text`
        give a link to the guide and a sentence that says what a person has to judge
    ");
}
