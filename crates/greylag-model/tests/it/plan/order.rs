use super::Case;
use serde_json::json;

#[test]
fn downstream_waits_for_upstream_to_be_published() {
    let id = "id: int64";
    let case = Case::new(&[("mart", "mart2", id), ("raw", "raw2", id), ("ref", "ref2", id)], json!({}));
    let plan = case.lineage(&[("raw", "mart"), ("ref", "mart"), ("mart", "mart"), ("other", "raw")]).plan();
    let after: Vec<String> = plan
        .tasks
        .iter()
        .flat_map(|task| {
            task.after.iter().map(move |after| format!("{} after {} {:?}", task.id, after.task, after.phase))
        })
        .collect();
    assert_eq!(after, ["mart2 after raw2 Publish", "mart2 after ref2 Publish"]);
}
