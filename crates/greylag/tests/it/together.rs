//! Two processes of the binary on one state folder: nothing is lost, nothing is doubled, and the second one is told what
//! it can do. What the two do at the same time is up to the machine; what must hold afterwards is not.

use crate::rig::{Rig, Said, said};
use std::process::{Child, Command, Stdio};

/// A rig with one plan over an estate of so many datasets.
fn planned(seed: u64, datasets: usize) -> (Rig, String) {
    let rig = Rig::with_estate(seed, datasets);
    let plans = rig.plans("estate/migrations");
    assert_eq!(plans.len(), 1);
    let plan = plans.into_iter().next().unwrap();
    (rig, plan)
}

/// A process of its own, begun and not waited for.
fn begun(rig: &Rig, args: &[&str]) -> Child {
    let mut command: Command = rig.command();
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn ended(child: Child) -> Said {
    said(&child.wait_with_output().unwrap())
}

/// Returns once some task of the run has succeeded, with the run's name.
fn under_way(rig: &Rig) -> String {
    for _ in 0..10_000 {
        let runs = rig.json(["runs"]);
        let run = &runs["items"][0];
        if run["counters"]["succeeded"].as_u64().unwrap_or(0) > 0 {
            return run["id"].as_str().unwrap().to_owned();
        }
    }
    panic!("nothing gets done");
}

#[test]
fn the_same_plan_applied_twice_at_once() {
    let (rig, plan) = planned(11, 12);
    let children = [begun(&rig, &["apply", &plan]), begun(&rig, &["apply", &plan])];
    let said = children.map(ended);
    let told = said.iter().map(|said| format!("{:?}\n{}\n{}", said.code, said.stdout, said.stderr));
    let told = told.collect::<Vec<_>>().join("\n---\n");
    // Which of the two makes a dataset is open; that it is made once, and that the other one is told, is not.
    let runs = rig.json(["runs"]);
    let succeeded = runs["items"].as_array().unwrap().iter().map(|run| run["counters"]["succeeded"].as_u64().unwrap());
    assert_eq!(succeeded.sum::<u64>(), 12, "{told}");
    assert!(said.iter().any(|said| said.code != Some(0)), "both say that they did it all\n{told}");
    for said in said.iter().filter(|said| said.code != Some(0)) {
        assert!(matches!(said.code, Some(1 | 3 | 5)), "{told}");
        assert!(said.stderr.contains("GL0") || said.stdout.contains("GL0"), "{told}");
    }
    rig.run(["gc"]).ended(0);
    // Every row and file is right; what differs is only how the tasks of the later run ended.
    let said = rig.run(["lab", "compare", "estate"]);
    let mut lines: Vec<&str> = said.stdout.lines().collect();
    let count = lines.pop().unwrap_or_default();
    assert!(lines.iter().all(|line| line.contains(": Outcome: ended Failed")), "{}\n{told}", said.stdout);
    assert!(count.contains("rows compared"), "{count}");
}

#[test]
fn one_applies_and_another_pauses_and_undoes() {
    let (rig, plan) = planned(12, 25);
    let applying = begun(&rig, &["apply", &plan]);
    let run = under_way(&rig);
    let paused = rig.run(["pause", &run]);
    let applied = ended(applying);
    // Either it was told in time, or there was nothing left to pause.
    match (paused.code, applied.code) {
        (Some(0), Some(0 | 3)) => {}
        (Some(1), Some(0)) => assert!(paused.stderr.contains("error[GL05"), "{}", paused.stderr),
        codes => panic!("{codes:?}\n{}\n{}", paused.stderr, applied.stderr),
    }
    rig.run(["undo", &run, "--yes"]).ended(0);
    rig.assert_true(&["--undone"]);
}

#[test]
fn one_applies_and_another_takes_it_back() {
    let (rig, plan) = planned(13, 25);
    let applying = begun(&rig, &["apply", &plan]);
    let run = under_way(&rig);
    rig.run(["undo", &run, "--yes"]).ended(0);
    let applied = ended(applying);
    assert!(matches!(applied.code, Some(0 | 3)), "{:?}\n{}", applied.code, applied.stderr);
    rig.assert_true(&["--undone"]);
}

#[test]
fn one_applies_while_another_imports_and_cleans_up() {
    let (rig, plan) = planned(14, 25);
    let mut applying = begun(&rig, &["apply", &plan]);
    let mut rounds = 0;
    while applying.try_wait().unwrap().is_none() {
        rig.run(["catalog", "import", "estate/catalog"]).ended(0);
        rig.run(["gc"]).ended(0);
        rig.run(["status"]);
        rounds += 1;
    }
    assert!(rounds > 0);
    ended(applying).ended(0);
    // The descriptors are older than what was published.
    rig.run(["catalog", "import", "estate/catalog"]).ended(0);
    rig.assert_true(&[]);
}

#[test]
fn two_resume_one_run() {
    let (rig, plan) = planned(15, 12);
    let run = rig.run(["apply", "--record-only", &plan]).ended(0).stdout.trim().to_owned();
    let children = [begun(&rig, &["resume", &run]), begun(&rig, &["resume", &run])];
    for said in children.map(ended) {
        // One drives; the other follows it.
        said.ended(0);
    }
    assert_eq!(rig.json(["status", &run])["run"]["counters"]["succeeded"], 12);
    rig.assert_true(&[]);
}
