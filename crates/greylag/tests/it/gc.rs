//! `greylag gc`: what nobody needs goes, what an undo needs stays.

use crate::rig::Rig;

const MIGRATION: &str = "apiVersion: greylag.dev/v1alpha1\nkind: Migration\nmetadata: {name: m}\nspec:\n  datasets:\n    \
                         - {from: old, to: new}\n  mapping:\n    columns: [{name: b, from: a}]\n";

/// A rig with a plan that was applied and one that was not; answers their ids.
fn used() -> (Rig, String, String) {
    let rig = Rig::new();
    rig.write("data/old.csv", "a\n1\n2\n");
    rig.write("data/older.csv", "a\n3\n");
    rig.run(["catalog", "import", "data"]).ended(0);
    rig.write("m.yaml", MIGRATION);
    let applied = rig.plans("m.yaml").remove(0);
    rig.write("other.yaml", MIGRATION.replace("name: m", "name: other").replace("old, to: new", "older, to: newer"));
    let idle = rig.plans("other.yaml").remove(0);
    rig.run(["apply", &applied]).ended(0);
    (rig, applied, idle)
}

fn names(rig: &Rig, command: &str) -> Vec<String> {
    rig.run([command, "-o", "name"]).ended(0).stdout.lines().map(str::to_owned).collect()
}

#[test]
fn without_options_plans_and_journals_are_kept() {
    let (rig, applied, idle) = used();
    let said = rig.run(["gc", "--older-than", "0s"]).ended(0);
    assert_eq!(said.stdout, "");
    assert!(said.stderr.starts_with("0 things, about 0 B, removed\n"), "{}", said.stderr);
    assert_eq!(names(&rig, "plans"), [idle, applied]);
    assert_eq!(names(&rig, "runs"), ["m-1"]);
}

#[test]
fn what_is_younger_than_the_retention_is_kept() {
    let (rig, ..) = used();
    rig.run(["undo", "m-1", "--yes"]).ended(0);
    let gone = rig.json(["gc", "--plans", "--runs"]);
    assert_eq!(gone["items"].as_array().unwrap().len(), 0, "{gone}");
    assert_eq!((names(&rig, "plans").len(), names(&rig, "runs").len()), (2, 1));
}

#[test]
fn a_plan_that_was_never_applied_goes_and_the_one_of_a_run_stays() {
    let (rig, applied, idle) = used();
    let would = rig.json(["gc", "--plans", "--older-than", "0s", "--dry-run"]);
    assert_eq!(would["items"][0]["name"], idle.as_str(), "{would}");
    assert!(would["items"][0]["bytes"].as_u64().unwrap() > 100, "{would}");
    assert_eq!((&would["dryRun"], &would["database"]), (&true.into(), &serde_json::Value::Null));
    assert_eq!(names(&rig, "plans").len(), 2, "a dry run removes nothing");
    rig.run(["gc", "--plans", "--older-than", "0s"]).ended(0);
    assert_eq!(names(&rig, "plans"), [applied]);
    let said = rig.run(["apply", &idle]).ended(1);
    assert!(said.stderr.contains("error[GL0009]"), "{}", said.stderr);
}

#[test]
fn a_run_that_can_be_undone_goes_only_if_that_is_said_and_confirmed() {
    let (rig, ..) = used();
    let said = rig.run(["gc", "--runs", "--older-than", "0s"]).ended(0);
    assert!(said.stderr.contains("1 older runs are kept because they can be undone"), "{}", said.stderr);
    rig.run(["undo", "m-1", "--dry-run"]).ended(0);
    let said = rig.run(["gc", "--runs", "--undoable", "--older-than", "0s"]).ended(5);
    assert!(said.stderr.contains("error[GL0012]"), "{}", said.stderr);
    assert_eq!(names(&rig, "runs"), ["m-1"], "nothing goes unconfirmed");
    rig.run(["gc", "--undoable"]).ended(64);
    rig.run(["gc", "--runs", "--undoable", "--older-than", "0s", "--yes"]).ended(0);
    assert_eq!(names(&rig, "runs"), [""; 0]);
    rig.run(["undo", "m-1", "--yes"]).ended(1);
    assert!(rig.path("data/new.csv").exists(), "what was published stays");
}

#[test]
fn an_undone_run_goes_and_its_name_is_not_used_again() {
    let (rig, ..) = used();
    rig.run(["undo", "m-1", "--yes"]).ended(0);
    rig.write("home/rejected/m-1/new.rejected.jsonl", "{}\n");
    rig.write("home/steps/m-1/new.count.log", "said\n");
    rig.write("home/steps/running/copy", "of a script that runs\n");
    let gone = rig.json(["gc", "--runs", "--plans", "--older-than", "0s"]);
    let kinds: Vec<&str> =
        gone["items"].as_array().unwrap().iter().map(|item| item["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["run", "rejected", "logs", "plan", "plan"], "{gone}");
    assert!(gone["database"]["after"].as_u64() <= gone["database"]["before"].as_u64(), "{gone}");
    assert!(!rig.path("home/rejected/m-1").exists() && !rig.path("home/steps/m-1").exists());
    assert!(rig.path("home/steps/running/copy").exists());
    let again = rig.plans("m.yaml").remove(0);
    rig.run(["apply", &again]).ended(0);
    assert_eq!(names(&rig, "runs"), ["m-2"]);
    rig.run(["apply", &again, "--run", "m-1"]).ended(1);
}

#[test]
fn a_run_that_has_not_ended_stays() {
    let (rig, _, idle) = used();
    rig.run(["apply", &idle, "--record-only"]).ended(0);
    rig.run(["gc", "--runs", "--plans", "--undoable", "--older-than", "0s", "--yes"]).ended(0);
    assert_eq!(names(&rig, "runs"), ["other-1"]);
    rig.run(["resume", "other-1"]).ended(0);
}

#[test]
fn killed_between_any_two_removals_it_leaves_what_the_next_one_finishes() {
    for nth in 1.. {
        let (rig, applied, idle) = used();
        rig.run(["undo", "m-1", "--yes"]).ended(0);
        rig.write("home/rejected/m-1/new.rejected.jsonl", "{}\n");
        let all = ["gc", "--runs", "--plans", "--older-than", "0s"];
        let (said, _) = rig.run_with_faults(&format!("gc:next@{nth}=kill"), &all);
        if !said.killed {
            said.ended(0);
            assert_eq!(nth, 5, "a run, its rejected rows and two plans");
            return;
        }
        let plans = names(&rig, "plans");
        assert_eq!(plans.contains(&applied), nth < 5, "{plans:?}");
        assert_eq!(plans.contains(&idle), nth < 4, "{plans:?}");
        assert_eq!(names(&rig, "runs").is_empty(), nth > 1);
        rig.run(all).ended(0);
        assert_eq!((names(&rig, "plans"), names(&rig, "runs")), (Vec::new(), Vec::new()));
        assert!(!rig.path("home/rejected/m-1").exists());
    }
}

#[test]
fn chunks_in_staging_go_with_a_run_that_nobody_goes_on_with() {
    let (rig, _, idle) = used();
    let (said, fired) = rig.run_with_faults("data/backfill:in-effect@1=kill", &["apply", &idle]);
    assert!(said.killed && !fired.is_empty(), "{} {fired:?}", said.stderr);
    rig.run(["abort", "other-1", "--yes"]);
    let staged = || {
        let entries = std::fs::read_dir(rig.path("data")).unwrap();
        entries.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with('.')).count()
    };
    assert_eq!(staged(), 1, "an aborted run keeps its chunks for a retry");
    rig.run(["gc", "--runs", "--older-than", "0s"]).ended(0);
    assert_eq!(staged(), 1, "and so it does as long as it is known");
    let gone = rig.json(["gc", "--runs", "--undoable", "--older-than", "0s", "--yes"]);
    assert!(gone["items"].as_array().unwrap().iter().any(|item| item["kind"] == "staging"), "{gone}");
    assert_eq!(staged(), 0);
}

/// A migration with increments, run so many times; each run after the first replaces the one file and adds one.
fn increments(runs: usize) -> Rig {
    let rig = Rig::new();
    rig.write("data/old/a.csv", "a\n1\n");
    rig.run(["catalog", "import", "data"]).ended(0);
    rig.write("m.yaml", MIGRATION.to_owned() + "  increments: {}\n");
    for run in 0..runs {
        rig.write("data/old/a.csv", format!("a\n{}\n", 10 + run));
        rig.write(&format!("data/old/b{run}.csv"), "a\n7\n");
        rig.run(["apply", "-f", "m.yaml", "--yes"]).ended(0);
    }
    rig
}

fn hidden(rig: &Rig) -> Vec<String> {
    let entries = std::fs::read_dir(rig.path("data")).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
    names.retain(|name| name.starts_with('.'));
    names.sort();
    names
}

#[test]
fn a_run_that_a_later_one_goes_on_from_stays_with_all_before_it() {
    let rig = increments(3);
    // The third has not ended: all that it goes on from is needed, whatever is asked for.
    rig.write("data/old/c.csv", "a\n8\n");
    let plan = rig.plans("m.yaml").remove(0);
    rig.run(["apply", "--record-only", &plan]).ended(0);
    let all = ["gc", "--runs", "--undoable", "--older-than", "0s", "--yes"];
    let kept = rig.json(all);
    assert_eq!((&kept["keptAsBase"], &kept["items"].as_array().unwrap().len()), (&3.into(), &0), "{kept}");
    assert!(rig.run(all).ended(0).stderr.contains("3 older runs are kept because later ones go on from them"));
    rig.run(["resume", "m-4"]).ended(0);
    // One that was undone needs nothing, nor does one that goes itself.
    rig.run(["undo", "m-4", "--yes"]).ended(0);
    let would = rig.json(["gc", "--runs", "--undoable", "--older-than", "0s", "--dry-run"]);
    assert_eq!(would["keptAsBase"], 0, "{would}");
    assert_eq!(names(&rig, "runs").len(), 4);
}

#[test]
fn what_an_increment_replaced_goes_with_its_run() {
    let rig = increments(2);
    let before = [".new.greylag-m-2-new.before"];
    assert_eq!(hidden(&rig), before);
    rig.run(["gc", "--runs", "--older-than", "0s"]).ended(0);
    assert_eq!(hidden(&rig), before, "the run can be undone");
    let gone = rig.json(["gc", "--runs", "--undoable", "--older-than", "0s", "--yes"]);
    let items = gone["items"].as_array().unwrap();
    let kinds: Vec<&str> = items.iter().map(|item| item["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["staging", "run", "run"], "{gone}");
    assert!(items[0]["bytes"].as_u64().unwrap() > 0, "{gone}");
    assert_eq!(hidden(&rig), [""; 0]);
    assert!(rig.path("data/new").is_dir(), "what was published stays");
}

/// The ledger is written down whole after so many runs: those before are not needed to go on.
#[test]
fn a_long_chain_of_runs_can_be_cut_where_the_ledger_is_whole() {
    let rig = increments(19);
    rig.write("data/old/c.csv", "a\n8\n");
    let plan = rig.plans("m.yaml").remove(0);
    rig.run(["apply", "--record-only", &plan]).ended(0);
    let gone = rig.json(["gc", "--runs", "--undoable", "--older-than", "0s", "--yes"]);
    let kept = gone["keptAsBase"].as_u64().unwrap();
    assert!((1..17).contains(&kept), "{gone}");
    rig.run(["resume", "m-20"]).ended(0);
    let mut lines = 0;
    for entry in std::fs::read_dir(rig.path("data/new")).unwrap() {
        lines += std::fs::read_to_string(entry.unwrap().path()).unwrap().lines().skip(1).count();
    }
    assert_eq!(lines, 21, "one row of each file");
}

/// An undo that came to no end has rows on their way back beside the old dataset, and others' files aside.
#[test]
fn what_an_undo_left_goes_and_what_it_kept_of_others_stays() {
    let rig = Rig::new();
    rig.write("data/old/a.csv", "a\n1\n");
    rig.run(["catalog", "import", "data"]).ended(0);
    rig.write("m.yaml", MIGRATION.to_owned() + "  through: publish\n");
    rig.run(["apply", "-f", "m.yaml", "--yes"]).ended(0);
    rig.write("data/new/more.csv", "b\n2\n");
    let (said, _) = rig.run_with_faults("undo:data/publish:in-effect@1=kill", &["undo", "m-1", "--yes"]);
    assert!(said.killed, "{}", said.stderr);
    assert_eq!(hidden(&rig).len(), 1);
    // A stranger of the same name stands where the row is to go, so that the undo fails.
    let carried = rig.path("data/old/carried-back-m-1-new-0-00000.csv");
    std::fs::create_dir(&carried).unwrap();
    rig.run(["resume", "m-1"]).ended(1);
    rig.write("data/.new.greylag-m-1-new.e0.kept/notes", "of somebody");
    let left = hidden(&rig);
    assert!(left.len() > 1, "{left:?}");
    rig.run(["gc", "--runs", "--undoable", "--older-than", "0s", "--yes"]).ended(0);
    assert_eq!(hidden(&rig), [".new.greylag-m-1-new.e0.kept"], "{left:?}");
    assert!(rig.path("data/new/more.csv").exists() && rig.path("data/old/a.csv").exists());
}
