//! `kill -9` on the real binary, at every step kind and every point around its effect, forwards and back.
//!
//! A run is killed again and again, each time at the next armed point, and goes on where it was. Afterwards the stores
//! are read: the estate is compared with the truth (a lost effect is a missing or different dataset, a doubled one a
//! leftover or a wrong row), and the journal must hold exactly one outcome for each step.

use crate::rig::Rig;
use serde_json::Value;
use std::collections::BTreeMap;

const POINTS: [&str; 5] = ["before-intent", "after-intent", "in-effect", "after-effect", "after-commit"];
const STEPS: [&str; 10] = [
    "data/expand",
    "data/backfill",
    "data/verify",
    "data/publish",
    "catalog/publish",
    "custom/mark",
    "data/cutover",
    "catalog/cutover",
    "data/retire",
    "data/drop",
];

/// Goes on with a run under an armed point until the point kills it. Approves what waits on the way.
fn kill_at(rig: &Rig, run: &str, point: &str) {
    for _ in 0..4 {
        let (said, fired) = rig.run_with_faults(&format!("{point}@1=kill"), &["resume", run]);
        if said.killed {
            assert_eq!(fired, [format!("{point} Kill")], "the point must prove that it fired");
            return;
        }
        assert_eq!(said.code, Some(3), "`{point}` was not reached\n{}\n{}", said.stdout, said.stderr);
        approve(rig, run);
    }
    panic!("`{point}` was never reached");
}

/// Says yes to what waits; no task may have ended badly.
fn approve(rig: &Rig, run: &str) {
    let bad = rig.run(["status", run, "--failed"]);
    let said = rig.run(["approve", run, "--yes", "--record-only"]);
    assert_eq!(said.code, Some(0), "{}\n{}", bad.stdout, said.stderr);
}

/// Goes on with a run until it ends.
fn finish(rig: &Rig, run: &str) {
    for _ in 0..4 {
        let said = rig.run(["resume", run]);
        if said.code == Some(0) {
            return;
        }
        assert_eq!(said.code, Some(3), "{}\n{}", said.stdout, said.stderr);
        approve(rig, run);
    }
    panic!("`{run}` does not end");
}

/// Each step of each task was done exactly as often as expected.
fn assert_each_step_done(rig: &Rig, run: &str, direction: &str, steps: &[&str]) {
    let said = rig.run(["logs", run, "-o", "ndjson"]).ended(0);
    let mut done: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut tasks = std::collections::BTreeSet::new();
    for line in said.stdout.lines().skip(1) {
        let event: Value = serde_json::from_str(line).unwrap();
        if let Some(task) = event["task"].as_str() {
            tasks.insert(task.to_owned());
            if event["kind"] == "step_done" && event["direction"] == direction {
                let uses = event["uses"].as_str().unwrap().to_owned();
                *done.entry((task.to_owned(), uses)).or_default() += 1;
            }
        }
    }
    assert!(!tasks.is_empty());
    for task in tasks {
        for step in steps {
            let count = done.get(&(task.clone(), (*step).to_owned())).copied().unwrap_or_default();
            assert_eq!(count, 1, "`{task}` did `{step}` ({direction}) {count} times");
        }
    }
}

/// A custom step whose effect is a file for each task, and which says so if it finds what should not be there.
const MARK: &str = r#"  steps:
    - {uses: custom/mark, after: catalog/publish, if: "dataset.files >= 0 && !steps['data/expand'].skipped"}
  commands:
    - name: mark
      run: [./mark.sh, make]
      undo: [./mark.sh, remove]
      writes: ./marks
"#;

/// A file that is there already was made by an attempt that died; one that is gone was removed by one.
const SCRIPT: &str = r#"#!/bin/sh
read -r step
key=$(printf '%s\n' "$step" | sed -n 's/.*"key":"\([^"]*\)".*/\1/p')
case "$1" in
make) echo "$key" >"/out/.$key"; mv "/out/.$key" "/out/$key" ;;
remove) rm -f "/out/.$key" "/out/$key" ;;
esac
echo '{"result": {}}'
"#;

/// Marks that are there; each is whole, and made once.
fn marks(rig: &Rig) -> usize {
    let entries = std::fs::read_dir(rig.path("migrations/marks")).unwrap().map(|entry| entry.unwrap().path());
    entries.inspect(|path| assert_eq!(std::fs::read_to_string(path).unwrap().lines().count(), 1)).count()
}

/// A rig with one recorded run of one migration through `through`.
fn recorded(seed: u64, through: &str) -> (Rig, String) {
    let rig = Rig::with_estate(seed, 12);
    for entry in std::fs::read_dir(rig.path("estate/migrations")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        // The estate's own files say nothing of the last phase.
        let retention = if through == "drop" { "  retention: 0s\n" } else { "" };
        let text = text.replacen("\nspec:\n", &format!("\nspec:\n  through: {through}\n{retention}{MARK}"), 1);
        assert!(text.contains("through:"), "{text}");
        rig.write(&format!("migrations/{}", path.file_name().unwrap().to_string_lossy()), text);
    }
    let script = rig.write("migrations/mark.sh", SCRIPT);
    std::fs::set_permissions(script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::create_dir(rig.path("migrations/marks")).unwrap();
    let plans = rig.plans("migrations");
    assert_eq!(plans.len(), 1, "one migration file for one estate of twelve");
    let run = rig.run(["apply", "--record-only", &plans[0]]).ended(0).stdout.trim().to_owned();
    (rig, run)
}

/// Kills forwards through drop: every step kind at every point.
fn forwards(seed: u64) {
    let (rig, run) = recorded(seed, "drop");
    for step in STEPS {
        for point in POINTS {
            kill_at(&rig, &run, &format!("{step}:{point}"));
        }
    }
    finish(&rig, &run);
    assert_each_step_done(&rig, &run, "forward", &STEPS);
    assert_eq!(marks(&rig), 12);
    rig.assert_true(&["--retired"]);
}

/// Forwards through retire without a kill, then back with every step kind killed at every point.
fn back(seed: u64) {
    let (rig, run) = recorded(seed, "retire");
    finish(&rig, &run);
    assert_eq!(marks(&rig), 12);
    let steps = &STEPS[..9];
    let first = format!("undo:{}:{}", steps[8], POINTS[0]);
    let (said, fired) = rig.run_with_faults(&format!("{first}@1=kill"), &["undo", &run, "--yes"]);
    assert!(said.killed, "{}\n{}", said.stdout, said.stderr);
    assert_eq!(fired, [format!("{first} Kill")]);
    for step in steps.iter().rev() {
        for point in POINTS {
            let point = format!("undo:{step}:{point}");
            // Taking a verification back has no effect in whose middle one could stop.
            if point != first && point != "undo:data/verify:in-effect" {
                kill_at(&rig, &run, &point);
            }
        }
    }
    finish(&rig, &run);
    assert_each_step_done(&rig, &run, "undo", steps);
    assert_eq!(marks(&rig), 0);
    rig.assert_true(&["--undone"]);
}

// 50 kills forwards and 44 back a seed: six seeds are 564 kills, in tests of their own so that they run side by side.
macro_rules! killed {
    ($($name:ident: $direction:ident($seed:literal);)*) => {
        $(#[test] fn $name() { $direction($seed); })*
    };
}

killed! {
    forwards_with_seed_1: forwards(1);
    forwards_with_seed_2: forwards(2);
    forwards_with_seed_3: forwards(3);
    forwards_with_seed_4: forwards(4);
    forwards_with_seed_5: forwards(5);
    forwards_with_seed_6: forwards(6);
    back_with_seed_1: back(1);
    back_with_seed_2: back(2);
    back_with_seed_3: back(3);
    back_with_seed_4: back(4);
    back_with_seed_5: back(5);
    back_with_seed_6: back(6);
}
