//! The world moves under a run: stale tasks are planned anew and go on once a person agrees.

use crate::rig::Rig;

const MIGRATION: &str = "apiVersion: greylag.dev/v1alpha1\nkind: Migration\nmetadata: {name: m}\nspec:\n  datasets:\n    \
                         - {from: good, to: good_v2}\n    - {from: old, to: new}\n  layout: {format: csv}\n  mapping:\n    \
                         columns: [{name: b, from: a}]\n";

/// A recorded run of two datasets, one of which then changes.
fn moved(old: &str) -> Rig {
    let rig = Rig::new();
    rig.write("data/good.csv", "a,x\n1,2\n");
    rig.write("data/old.csv", "a,x\n1,2\n3,4\n");
    rig.run(["catalog", "import", "data"]).ended(0);
    rig.write("m.yaml", MIGRATION);
    let plan = rig.plans("m.yaml").remove(0);
    rig.run(["apply", &plan, "--record-only"]).ended(0);
    rig.write("data/old.csv", old);
    let said = rig.run(["resume", "m-1"]).ended(3);
    assert!(said.stderr.contains("[GL0515]: `old` is not what the plan was made for"), "{}", said.stderr);
    let status = rig.json(["status", "m-1"]);
    assert_eq!(status["run"]["counters"]["stale"], 1, "one that moved is stale and not tried again and again");
    assert_eq!(status["run"]["counters"]["succeeded"], 1, "the others go on");
    rig
}

fn read(rig: &Rig, path: &str) -> String {
    std::fs::read_to_string(rig.path(path)).unwrap()
}

#[test]
fn with_other_operations_it_goes_on_as_the_file_says_and_a_person_agrees() {
    let rig = moved("a,x,y\n1,2,7\n3,4,8\n");
    let said = rig.run(["approve", "m-1", "--yes"]).ended(1);
    assert!(said.stderr.contains("`greylag approve m-1 --stale`"), "{}", said.stderr);
    let said = rig.run(["approve", "m-1", "--stale", "--yes"]).ended(5);
    assert!(said.stderr.contains("error[GL0441]") && said.stderr.contains("column `y` is new"), "{}", said.stderr);
    assert!(said.stderr.contains("-f FILE"), "{}", said.stderr);
    let said = rig.run(["approve", "m-1", "--stale", "-f", "m.yaml"]).ended(5);
    assert!(said.stdout.contains("old → new") && !said.stdout.contains("good_v2"), "{}", said.stdout);
    assert!(said.stderr.contains("Go on with new as planned anew?"), "{}", said.stderr);
    assert!(!rig.path("data/new.csv").exists(), "nothing is done unconfirmed");
    let before = rig.json(["status", "m-1"])["run"]["plan"].clone();
    rig.run(["approve", "m-1", "--stale", "-f", "m.yaml", "--yes", "--reason", "y is wanted"]).ended(0);
    assert_eq!(read(&rig, "data/new.csv"), "b,x,y\n1,2,7\n3,4,8\n");
    let status = rig.json(["status", "m-1"]);
    assert_ne!(status["run"]["plan"], before);
    assert_eq!(status["run"]["counters"]["succeeded"], 2);
    let logs = rig.run(["logs", "m-1"]).ended(0).stdout;
    assert!(logs.contains("new planned anew in p-") && logs.contains("approved by tester: y is wanted"), "{logs}");
    rig.run(["undo", "m-1", "--yes"]).ended(0);
    assert!(!rig.path("data/new.csv").exists() && !rig.path("data/good_v2.csv").exists());
    assert_eq!(read(&rig, "data/old.csv"), "a,x,y\n1,2,7\n3,4,8\n");
}

#[test]
fn with_the_same_operations_no_file_is_needed() {
    let rig = moved("x,a\n2,1\n4,3\n");
    rig.run(["approve", "m-1", "--stale", "--task", "new", "--yes"]).ended(0);
    assert_eq!(read(&rig, "data/new.csv"), "b,x\n1,2\n3,4\n");
}

#[test]
fn a_task_whose_source_came_back_is_only_tried_again() {
    let rig = moved("a,x,y\n1,2,7\n");
    rig.write("data/old.csv", "a,x\n5,6\n");
    rig.run(["retry", "m-1", "--failed"]).ended(0);
    assert_eq!(read(&rig, "data/new.csv"), "b,x\n5,6\n");
}

#[test]
fn what_is_not_stale_or_not_in_the_file_is_refused() {
    let rig = moved("a,x,y\n1,2,7\n");
    let said = rig.run(["approve", "m-1", "--stale", "--task", "good_v2", "--yes"]).ended(1);
    assert!(said.stderr.contains("error[GL0018]"), "{}", said.stderr);
    rig.write("other.yaml", MIGRATION.replace("name: m", "name: other"));
    let said = rig.run(["approve", "m-1", "--stale", "-f", "other.yaml", "--yes"]).ended(1);
    assert!(said.stderr.contains("hold no migration `m`"), "{}", said.stderr);
    rig.write("moved.yaml", MIGRATION.replace("{from: old, to: new}", "{from: old, to: new, location: elsewhere.csv}"));
    let said = rig.run(["approve", "m-1", "--stale", "-f", "moved.yaml", "--yes"]).ended(1);
    assert!(said.stderr.contains("error[GL0504]") && said.stderr.contains("another target"), "{}", said.stderr);
    assert_eq!(rig.json(["status", "m-1"])["run"]["counters"]["stale"], 1);
}
