use super::Case;
use greylag_model::plan::{Plan, PlanTask, computed_id};
use serde_json::json;

fn case() -> Case {
    let rules = json!({"columns": [
        {"name": "y", "from": "x", "type": "float64", "loss": "round", "tolerance": {"relative": 1e-9}}
    ]});
    Case::new(&[("a", "b", "id: int64; x: decimal(20,4)"), ("c", "d", "x: float32")], json!({"mapping": rules}))
}

#[test]
fn the_id_is_the_hash_of_the_contents() {
    let plan = case().plan();
    assert!(plan.verify_hash());
    let id = plan.header.id.as_str();
    assert!(id.len() == 14 && id.starts_with("p-") && id[2..].chars().all(|digit| digit.is_ascii_hexdigit()), "{id}");
    let mut other = plan.clone();
    other.tasks[1].target_location.path.push('x');
    assert!(!other.verify_hash());
    let mut other = plan.clone();
    other.tasks.swap(0, 1);
    assert!(!other.verify_hash());
    let mut other = plan;
    other.header.version += 1;
    assert!(!other.verify_hash());
}

#[test]
fn a_plan_that_was_stored_keeps_its_hash() {
    let plan = case().plan();
    let read: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    assert_eq!(read, plan);
    assert!(read.verify_hash());
    let stored: Vec<String> = plan.tasks.iter().map(|task| serde_json::to_string(task).unwrap()).collect();
    let digests = stored.iter().map(|text| serde_json::from_str::<PlanTask>(text).unwrap().digest());
    assert_eq!(computed_id(&plan.header, digests), plan.header.id);
}
