//! Scopes of a plan: what they wait for, who waits for them, and what circles they make.

use super::Case;
use crate::mapping::place;
use greylag_model::consumer::{Class, TableChange};
use greylag_model::plan::{CodeObserved, Detail, FileClass, Flow, PlanTask, ScopeName, ScopeObserved, mapping_of};
use serde_json::json;

const ID: &str = "id: int64";

/// A repository or `REPOSITORY:PART` whose code reads these datasets, with what it makes of what (`x>y`).
fn scope(name: &str, datasets: &[&str], flows: &[&str]) -> ScopeObserved {
    let (repository, part) = name.split_once(':').map_or((name, None), |(name, part)| (name, Some(part)));
    let flow = |text: &&str| {
        let (from, to) = text.split_once('>').unwrap();
        Flow { from: from.to_owned(), to: to.to_owned() }
    };
    let path = format!("{}.sql", part.unwrap_or("all").trim_end_matches('/'));
    ScopeObserved {
        repository: repository.to_owned(),
        part: part.map(str::to_owned),
        base: "main".to_owned(),
        commit: "c0ffee".to_owned(),
        owner: None,
        seen: 7,
        files: vec![FileClass { path, class: Class::Mechanical, edits: 2, reasons: Vec::new() }],
        datasets: datasets.iter().map(|name| (*name).to_owned()).collect(),
        flows: flows.iter().map(flow).collect(),
        notes: Vec::new(),
        told: Vec::new(),
    }
}

/// A migration of datasets to `…2` whose code was looked at.
fn with_code(datasets: &[&str], consumers: serde_json::Value, scopes: Vec<ScopeObserved>) -> Case {
    let targets: Vec<String> = datasets.iter().map(|name| format!("{name}2")).collect();
    let pairs: Vec<(&str, &str, &str)> =
        datasets.iter().zip(&targets).map(|(from, to)| (*from, to.as_str(), ID)).collect();
    let mut case =
        Case::new(&pairs, json!({ "consumers": consumers, "mapping": {"columns": [{"name": "key", "from": "id"}]} }));
    let migration = case.migration();
    let (mut changes, mut mappings) = (Vec::new(), Vec::new());
    for (at, (from, to, _)) in pairs.iter().enumerate() {
        let observed = case.snapshot.pairs[at].source.clone().unwrap();
        let mapping = mapping_of(&migration, at, &place, &observed).unwrap();
        let [old, new] = [from, to].map(|name| name.parse().unwrap());
        changes.push(TableChange::of(from, vec![old], new, &mapping));
        mappings.push(mapping);
    }
    case.snapshot.code = Some(CodeObserved { changes, mappings, scopes });
    case
}

fn lines(tasks: &[PlanTask]) -> Vec<String> {
    let line = |task: &PlanTask| {
        let after: Vec<&str> = task.after.iter().map(|after| after.task.as_str()).collect();
        let changes: Vec<&str> = match task.scope() {
            Some(scope) => scope.changes.iter().map(|change| change.dataset.as_str()).collect(),
            None => Vec::new(),
        };
        format!("{} after {} for {}", task.id, after.join(" "), changes.join(" "))
    };
    tasks.iter().filter(|task| task.scope().is_some()).map(line).collect()
}

#[test]
fn each_part_waits_for_what_its_own_code_reads() {
    let scopes = vec![
        scope("mono:group:crm", &["users"], &[]),
        scope("mono:group:shop", &["orders", "users"], &[]),
        scope("reports", &["orders"], &[]),
    ];
    let case = with_code(&["orders", "users"], json!({"scopes": {"by": "owner"}}), scopes);
    let plan = case.plan();
    // A part knows of all changes that its repository meets: which files belong together is found with those.
    assert_eq!(
        lines(&plan.tasks),
        [
            "code:mono:group:crm after users2 for orders users",
            "code:mono:group:shop after orders2 users2 for orders users",
            "code:reports after orders2 for orders",
        ]
    );
    let readers = |task: usize| plan.tasks[task].dataset().unwrap().readers.clone().unwrap().scopes;
    let named = |scopes: Vec<ScopeName>| scopes.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(named(readers(0)), ["mono:group:shop", "reports"]);
    assert_eq!(named(readers(1)), ["mono:group:crm", "mono:group:shop"]);
    // One repository with two parts is looked at once.
    let totals = plan.header.consumers.as_ref().unwrap();
    assert_eq!((totals.repositories, totals.seen, totals.edits), (2, 14, 6));
    let text = case.explain(Detail::Summary);
    assert!(text.contains("~ mono:group:crm  mechanical  2 edits in 1 file\n"), "{text}");
}

/// What a plan of a whole repository says is what plans said before there were parts.
#[test]
fn whole_repositories_are_written_as_ever() {
    let case = with_code(&["users"], json!({}), vec![scope("reports", &["users"], &[])]);
    let plan = case.plan();
    let text = serde_json::to_string(&plan).unwrap();
    assert!(text.contains(r#""scopes":["reports"]"#), "{text}");
    for word in [r#""part""#, r#""flows""#, r#""notes""#, r#""by""#] {
        assert!(!text.contains(word), "{word}\n{text}");
    }
    let parts = with_code(
        &["users"],
        json!({"scopes": {"by": "path", "paths": ["a"]}}),
        vec![scope("reports:a/", &["users"], &[])],
    );
    let text = serde_json::to_string(&parts.plan()).unwrap();
    assert!(text.contains(r#""scopes":[{"repository":"reports","part":"a/"}]"#), "{text}");
    let read: greylag_model::plan::Plan = serde_json::from_str(&text).unwrap();
    assert_eq!(read, parts.plan());
}

#[test]
fn how_a_repository_was_cut_is_told() {
    let mut scopes = vec![scope("mono:a/", &["users"], &[]), scope("mono:rest", &["users"], &[])];
    scopes[0].notes.push("`b.yml` (of `rest`) travels with `a/m.sql`: their edits only work together".to_owned());
    let case = with_code(&["users"], json!({"scopes": {"by": "path", "paths": ["a"]}}), scopes);
    let text = case.explain(Detail::Summary);
    let expected =
        "warning[GL0460]: code:mono:a/: `b.yml` (of `rest`) travels with `a/m.sql`: their edits only work together\n";
    assert!(text.contains(expected), "{text}");
}

/// Old rows are converted without regard to who makes them, so what one change request changes at once waits for nothing.
#[test]
fn a_circle_within_one_scope_is_one_change() {
    let scopes = vec![scope("etl", &["x", "y"], &["x>y", "y>x"])];
    let case = with_code(&["x", "y"], json!({}), scopes).lineage(&[("x", "y"), ("y", "x")]);
    let plan = case.plan();
    assert_eq!(plan.header.blocked, []);
    assert_eq!(lines(&plan.tasks), ["code:etl after x2 y2 for x y"]);
    assert!(plan.tasks.iter().filter(|task| task.dataset().is_some()).all(|task| task.after.is_empty()));
}

#[test]
fn a_circle_through_several_scopes_is_named_and_blocks_its_datasets() {
    let scopes = vec![scope("one", &["x", "y"], &["x>y"]), scope("two:group:b", &["x", "y", "z"], &["y>x", "y>z"])];
    let case =
        with_code(&["x", "y", "z"], json!({"scopes": {"by": "owner"}}), scopes).lineage(&[("x", "y"), ("y", "x")]);
    let said = "code of several scopes makes these datasets of one another in a circle: `one` makes `y` of `x`, `two:group:b` makes `x` of `y`";
    let reasons = case.reasons();
    assert_eq!(reasons.matches(said).count(), 2, "{reasons}");
    assert!(reasons.contains("GL0459") && !reasons.contains("GL0424") && !reasons.contains("z → "), "{reasons}");
    // What does not lie in the circle goes on.
    let plan = case.compile().plan.unwrap();
    assert_eq!(lines(&plan.tasks), ["code:two:group:b after z2 for z"]);
}

#[test]
fn scopes_that_read_and_add_to_one_dataset_are_no_circle() {
    let scopes = vec![scope("one", &["x"], &["x>x"]), scope("two", &["x", "y"], &["x>x", "x>y"])];
    let case = with_code(&["x", "y"], json!({}), scopes);
    assert_eq!(case.plan().header.blocked, []);
}

/// What the code of no scope explains stays an error.
#[test]
fn a_circle_that_only_the_catalog_knows_blocks_as_ever() {
    let scopes = vec![scope("etl", &["x", "y"], &["x>y"])];
    let reasons = with_code(&["x", "y"], json!({}), scopes).lineage(&[("x", "y"), ("y", "x")]).reasons();
    assert_eq!(reasons.matches("GL0424").count(), 2, "{reasons}");
}
