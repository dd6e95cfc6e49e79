//! Cohorts and windows: which task goes where, and what a plan says of it.

use super::Case;
use greylag_model::plan::{Detail, Plan};
use serde_json::json;
use std::fmt::Write as _;

/// Six datasets `a` to `f`, of which `c` is made from `a`, and `f` from `c` and `e`.
fn case(rollout: serde_json::Value) -> Case {
    let pairs: Vec<(String, String)> = "abcdef".chars().map(|name| (name.to_string(), format!("{name}2"))).collect();
    let pairs: Vec<(&str, &str, &str)> =
        pairs.iter().map(|(from, to)| (from.as_str(), to.as_str(), "id: int64")).collect();
    let mut case = Case::new(&pairs, json!({"rollout": rollout})).lineage(&[("a", "c"), ("c", "f"), ("e", "f")]);
    for (pair, owner) in case.snapshot.pairs.iter_mut().zip(["shop", "shop", "shop", "finance", "finance", "finance"]) {
        pair.owner = Some(greylag_model::entity::EntityRef::new("group", "default", owner));
    }
    case
}

/// The cohorts with their tasks, and the warnings.
fn shown(plan: &Plan) -> String {
    let mut text = String::new();
    for (at, cohort) in plan.header.rollout.iter().flat_map(|rollout| &rollout.cohorts).enumerate() {
        let tasks = plan.tasks.iter().filter(|task| task.cohort as usize == at);
        let tasks: Vec<&str> = tasks.map(|task| task.id.as_str()).collect();
        assert_eq!(tasks.len() as u64, cohort.tasks);
        writeln!(text, "{}: {}", cohort.name, tasks.join(" ")).unwrap();
    }
    for warning in &plan.header.warnings {
        writeln!(text, "{}: {}", warning.code, warning.message).unwrap();
    }
    text
}

#[test]
fn a_canary_takes_what_waits_for_nothing() {
    let plan = case(json!({"cohorts": [{"name": "canary", "count": 2}, {"name": "half", "percent": 50}]})).plan();
    assert_eq!(shown(&plan), "canary: a2 b2\nhalf: c2 d2 e2\nrest: f2\n");
}

#[test]
fn owners_and_tags_choose_and_a_dataset_never_goes_before_its_upstream() {
    let mut case = case(json!({"cohorts": [
        {"name": "finance", "owners": ["group:finance"]},
        {"name": "tagged", "tags": ["tier-3"], "count": 1},
        {"name": "nobody", "tags": ["no-such"]},
    ]}));
    case.snapshot.pairs[1].tags = vec!["tier-3".to_owned()];
    case.snapshot.pairs[2].tags = vec!["tier-3".to_owned()];
    let expected = "finance: d2 e2\ntagged: b2\nrest: a2 c2 f2\n\
                    GL0446: 1 of cohort `finance` go with `rest`, as they are made from datasets of that cohort, such as `c2`\n\
                    GL0445: cohort `nobody` takes no dataset\n";
    assert_eq!(shown(&case.plan()), expected);
}

#[test]
fn a_gate_is_that_of_its_cohort_or_the_shared_one() {
    let plan = case(json!({
        "gate": {"maxFailurePercent": 40.0, "soak": "2h"},
        "cohorts": [{"name": "canary", "count": 1, "gate": {"approval": true}}, {"name": "more", "count": 5}],
    }))
    .plan();
    let cohorts = &plan.header.rollout.as_ref().unwrap().cohorts;
    assert!(cohorts[0].gate.approval && cohorts[0].gate.max_failures == 0 && cohorts[0].gate.soak_millis == 0);
    assert!(!cohorts[1].gate.approval && cohorts[1].gate.max_failures == 2 && cohorts[1].gate.soak_millis == 7_200_000);
    let lines = greylag_model::plan::explain(&plan, Detail::Summary);
    let text: Vec<&str> =
        lines.iter().map(|line| line.text.as_str()).filter(|text| text.starts_with("cohort")).collect();
    assert_eq!(
        text,
        ["cohort canary: 1 dataset (a2); then no failures, a person's yes", "cohort more: 5 datasets (b2, c2, d2 …)",]
    );
}

#[test]
fn a_window_is_read_by_the_owners_clocks_unless_it_says_otherwise() {
    let window = json!({"days": ["fri", "mon"], "from": "22:00", "to": "06:00"});
    let mut case = case(json!({"window": window}));
    for (pair, zone) in case.snapshot.pairs.iter_mut().zip([Some("Asia/Tokyo"), Some("Mars/Olympus"), None]) {
        pair.zone = zone.map(str::to_owned);
    }
    let plan = case.plan();
    let zones: Vec<&str> = plan.tasks.iter().map(|task| task.window.as_ref().unwrap().zone.as_str()).collect();
    assert_eq!(zones, ["Asia/Tokyo", "UTC", "UTC", "UTC", "UTC", "UTC"]);
    let first = plan.tasks[0].window.as_ref().unwrap();
    assert_eq!((first.days.as_slice(), first.from, first.to), (&[1, 5][..], 1_320, 1_800));
    assert!(shown(&plan).contains("GL0447: `group:default/shop` has the time zone `Mars/Olympus`, which is none"));
    assert!(plan.header.rollout.is_none());
    case.spec["rollout"]["window"]["zone"] = json!("+02:00");
    assert!(case.plan().tasks.iter().all(|task| task.window.as_ref().unwrap().zone == "+02:00"));
}

#[test]
fn what_contradicts_itself_is_told_all_at_once_and_where() {
    let case = case(json!({
        "window": {"from": "09:00", "to": "17:00", "zone": "Nowhere"},
        "gate": {"soak": "300000000y"},
        "cohorts": [{"name": "a", "count": 1}, {"name": "a"}, {"name": "rest", "owners": ["group:a/b/c"]}],
    }));
    let reasons = case.reasons();
    for part in [
        "the cohort name `a` is taken",
        "cohort `a` does not say what it takes",
        "the cohort name `rest` is taken",
        "`group:a/b/c` is not a reference to an owner",
        "`300000000y` ",
        "`Nowhere` is no time zone",
    ] {
        assert!(reasons.contains(part), "{part}:\n{reasons}");
    }
}
