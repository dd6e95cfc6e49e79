use super::Case;
use serde_json::json;

/// A thousand pairs with mappings of their own; the example `compile` measures ten thousand.
#[test]
fn a_thousand_pairs_compile() {
    let names: Vec<(String, String)> = (0..1_000).map(|number| (format!("s{number}"), format!("t{number}"))).collect();
    let columns = "a: int64; b: decimal(15,2); c: string; d: date";
    let pairs: Vec<(&str, &str, &str)> = names.iter().map(|(from, to)| (from.as_str(), to.as_str(), columns)).collect();
    let mut case = Case::new(&pairs, json!({}));
    for (number, dataset) in case.spec["datasets"].as_array_mut().unwrap().iter_mut().enumerate() {
        let rules = json!([{"name": format!("x{number}"), "from": "a"}, {"name": "e", "expr": "b * 2"}]);
        dataset["mapping"] = json!({"columns": rules});
    }
    let chain: Vec<(&str, &str)> = names.windows(2).map(|pair| (pair[0].0.as_str(), pair[1].0.as_str())).collect();
    let plan = case.lineage(&chain).plan();
    assert_eq!(plan.tasks.len(), 1_000);
    assert_eq!(plan.tasks[999].after.len(), 1);
    assert!(plan.verify_hash());
}
