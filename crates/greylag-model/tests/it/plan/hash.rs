use super::Case;
use greylag_model::plan::{Plan, PlanTask, computed_id};
use greylag_model::spec::Tolerance;
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
    other.tasks[1].dataset_mut().unwrap().target_location.path.push('x');
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

/// Seventeen digits are what a double may need; each must come back to the last bit, or a plan that was written, with
/// such a tolerance, would be taken for one that somebody changed.
#[test]
fn a_tolerance_of_seventeen_digits_keeps_its_hash() {
    let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..2_000 {
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        // Of any magnitude between 2⁻⁶⁴ and 1.
        let tolerance = f64::from_bits((bits >> 12) | ((959 + bits % 64) << 52));
        let text = serde_json::to_string(&Tolerance { absolute: None, relative: Some(tolerance) }).unwrap();
        let read: Tolerance = serde_json::from_str(&text).unwrap();
        assert_eq!(read.relative.map(f64::to_bits), Some(tolerance.to_bits()), "{text}");
    }
    let digits = 6.123_233_995_736_766e-17_f64;
    for tolerance in [digits, 0.300_000_000_000_000_04, 2.225_073_858_507_201_4e-308, 8.545_698_746_713_543e-12] {
        let rules = json!({"columns": [
            {"name": "y", "from": "x", "type": "float64", "loss": "round", "tolerance": {"relative": tolerance}}
        ]});
        let plan = Case::new(&[("a", "b", "x: decimal(20,4)")], json!({"mapping": rules})).plan();
        let read: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
        assert_eq!(read, plan);
        assert!(read.verify_hash());
    }
}
