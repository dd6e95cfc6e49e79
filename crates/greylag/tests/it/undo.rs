//! Undo of a target that somebody has written to, with the binary: what is rehearsed, what is done, and what a `kill -9`
//! at every point of it leaves.

use crate::rig::Rig;
use serde_json::Value;
use std::fs;

const MIGRATION: &str = r#"apiVersion: greylag.dev/v1alpha1
kind: Migration
metadata: {name: visits-v2}
spec:
  through: THROUGH
  datasets:
    - {from: visits, to: visits_v2}
  mapping:
    columns:
      - {name: visitor, from: uid}
      - {name: source, expr: "'web'"}
    drop:
      - {name: note, reason: nobody reads it}
"#;

const NEW: &str = "{\"visitor\":7,\"day\":\"2025-02-01\",\"source\":\"web\"}\n";

/// A directory of JSON lines, and a migration of it.
fn prepared(through: &str) -> Rig {
    let rig = Rig::new();
    rig.write("data/visits/a.jsonl", "{\"uid\":1,\"day\":\"2025-01-01\",\"note\":\"x\"}\n");
    rig.write("data/visits/b.jsonl", "{\"uid\":2,\"day\":\"2025-01-02\",\"note\":null}\n");
    rig.run(["catalog", "import", "data"]).ended(0);
    rig.write("m.yaml", MIGRATION.replace("THROUGH", through));
    rig
}

/// The same, migrated through a phase.
fn migrated(through: &str) -> Rig {
    let rig = prepared(through);
    let plan = rig.run(["plan", "-f", "m.yaml", "-o", "name"]).ended(0).stdout.trim().to_owned();
    let said = rig.run(["apply", &plan]);
    if through == "retire" {
        said.ended(3);
        rig.run(["approve", "visits-v2-1", "--yes"]).ended(0);
    } else {
        said.ended(0);
    }
    rig
}

/// Every file below `data`, with its text.
fn files(rig: &Rig) -> Vec<(String, String)> {
    fn walk(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let (root, mut found) = (rig.path("data"), Vec::new());
    walk(&root, &mut found);
    found.sort();
    let read = |path: &std::path::PathBuf| {
        (path.strip_prefix(&root).unwrap().display().to_string(), fs::read_to_string(path).unwrap())
    };
    found.iter().map(read).collect()
}

/// The old files, and the row that was added to the new dataset.
fn assert_taken_back(rig: &Rig, at: &str) {
    let names = ["visits/a.jsonl", "visits/b.jsonl", "visits/carried-back-visits-v2-1-visits_v2-0-00000.jsonl"];
    let found = files(rig);
    assert_eq!(found.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), names, "{at}");
    let row: Value = serde_json::from_str(&found[2].1).unwrap();
    assert_eq!(row, serde_json::json!({"uid": 7, "day": "2025-02-01", "note": null}), "{at}");
    assert_eq!(found[0].1, "{\"uid\":1,\"day\":\"2025-01-01\",\"note\":\"x\"}\n", "{at}");
}

#[test]
fn the_plan_says_it_the_rehearsal_shows_it_and_the_undo_does_it() {
    let rig = migrated("retire");
    let plan = prepared("retire").json(["plan", "-f", "m.yaml"]);
    let undo = &plan["tasks"][0]["undo"];
    assert_eq!(*undo, serde_json::json!({"carries": true, "nulls": ["note"], "bound": ["source"]}));

    rig.write("data/visits_v2/new.jsonl", NEW);
    let before = files(&rig);
    let said = rig.run(["undo", "visits-v2-1", "--dry-run"]).ended(0);
    assert!(said.stdout.contains("carry 1 new row of 1 file in"), "{}", said.stdout);
    assert!(said.stdout.contains("give the old dataset its name back"), "{}", said.stdout);
    assert!(said.stderr.contains("1 of 1 datasets can be taken back; nothing was touched"), "{}", said.stderr);
    let items = rig.json(["undo", "visits-v2-1", "--dry-run"]);
    let steps: Vec<&str> =
        items["items"][0]["steps"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect();
    assert_eq!(
        steps,
        [
            "data/retire",
            "catalog/cutover",
            "data/cutover",
            "catalog/publish",
            "data/publish",
            "data/verify",
            "data/backfill",
            "data/expand"
        ]
    );
    assert_eq!(files(&rig), before, "a rehearsal touches nothing");

    let said = rig.run(["undo", "visits-v2-1", "--yes"]).ended(0);
    assert!(
        said.stderr.contains("1 new row of 1 file in") && said.stderr.contains("went back into"),
        "{}",
        said.stderr
    );
    assert_taken_back(&rig, "undone");
    let status = rig.json(["status", "visits-v2-1"]);
    let notes = status["notes"]["visits_v2"].as_array().unwrap();
    assert_eq!(notes.len(), 1);
    assert!(rig.run(["status", "visits-v2-1"]).ended(0).stdout.contains(notes[0].as_str().unwrap()));
}

#[test]
fn what_cannot_go_back_is_named_and_goes_on_once_it_is_saved() {
    let rig = migrated("cutover");
    rig.write("data/visits_v2/new.jsonl", NEW.replace("web", "app"));
    let before = files(&rig);
    let said = rig.run(["undo", "visits-v2-1", "--dry-run"]).ended(3);
    assert!(said.stdout.contains("in the way [GL0667]"), "{}", said.stdout);
    assert!(said.stderr.contains("hint: the old dataset has no place for `source`"), "{}", said.stderr);
    assert!(said.stderr.contains("0 of 1 datasets can be taken back, 1 cannot"), "{}", said.stderr);
    assert_eq!(files(&rig), before);
    rig.run(["undo", "visits-v2-1", "--yes"]).ended(1);
    assert!(files(&rig).iter().any(|(name, _)| name == "visits_v2/new.jsonl"));
    fs::rename(rig.path("data/visits_v2/new.jsonl"), rig.path("saved.jsonl")).unwrap();
    rig.run(["retry", "visits-v2-1", "--failed"]).ended(0);
    let names: Vec<String> = files(&rig).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["visits/a.jsonl", "visits/b.jsonl"]);
}

/// Kills an undo at every point of `data/publish`, each time once on its way, and lets the next process finish.
#[test]
fn a_kill_at_every_point_loses_and_doubles_no_row() {
    let mut points = vec!["before-intent@1".to_owned(), "after-intent@1".to_owned()];
    // Converting, the batch, its file, and the target out of sight.
    points.extend((1..=3).map(|time| format!("in-effect@{time}")));
    points.extend((1..=3).map(|time| format!("write@{time}")));
    points.extend(["after-effect@1".to_owned(), "after-commit@1".to_owned()]);
    for point in points {
        let rig = migrated("retire");
        rig.write("data/visits_v2/new.jsonl", NEW);
        let fault = format!("undo:data/publish:{point}=kill");
        let (said, fired) = rig.run_with_faults(&fault, &["undo", "visits-v2-1", "--yes"]);
        assert!(said.killed && fired.len() == 1, "{point}: {fired:?}\n{}\n{}", said.stdout, said.stderr);
        // What a rehearsal says half-way is what is left to do, and it touches nothing.
        let half = files(&rig);
        rig.run(["undo", "visits-v2-1", "--dry-run"]).ended(0);
        assert_eq!(files(&rig), half, "{point}");
        rig.run(["resume", "visits-v2-1"]).ended(0);
        assert_taken_back(&rig, &point);
        let notes = rig.json(["status", "visits-v2-1"])["notes"]["visits_v2"].as_array().map(Vec::len);
        assert_eq!(notes, Some(1), "{point}");
    }
}
