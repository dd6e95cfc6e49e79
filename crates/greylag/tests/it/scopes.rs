//! Migrations that move code along: planned, rewritten, offered, merged, guarded, and taken back, in one run.

use crate::changes::push;
use crate::rig::{Rig, Said, said};
use greylag_code::git::{Git, Repository, Safety};
use greylag_code::tree::Tree;
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

pub(crate) const OLD: &str = "select uid, mail\nfrom users\nwhere uid > 3;\n";
pub(crate) const NEW: &str = "select user_id as uid, mail\nfrom users_v2\nwhere user_id > 3;\n";

pub(crate) fn migration(more: &str) -> String {
    format!(
        "apiVersion: greylag.dev/v1alpha1
kind: Migration
metadata:
  name: users-v2
  guide: https://wiki.example.com/users-v2
spec:
  datasets: [{{from: users, to: users_v2}}]
  mapping:
    columns: [{{name: user_id, from: uid}}]
    drop: [{{name: amount, reason: nobody pays}}]
{more}"
    )
}

/// A dataset, its migration, and repositories: plain SQL, a dbt project, and one that reads something else.
fn hosted(policy: &str, more: &str) -> Rig {
    let rig = Rig::new();
    rig.write("data/users.csv", "uid,mail,amount\n1,a@example.com,3\n");
    rig.run(["catalog", "import", "data"]).ended(0);
    rig.write("m.yaml", migration(more));
    rig.write("src/sql/jobs/a.sql", OLD);
    rig.write("src/dbt/dbt_project.yml", "name: p\nversion: '1'\nprofile: p\nmodel-paths: [models]\n");
    rig.write("src/dbt/models/m.sql", "select uid from {{ source('raw', 'users') }}\n");
    rig.write(
        "src/dbt/models/s.yml",
        "version: 2\nsources:\n  - name: raw\n    schema: main\n    tables: [{name: users}]\n",
    );
    rig.write("src/other/c.sql", "select 1 from other;\n");
    rig.run(["changes", "host", "--policy", policy, "src/sql", "src/dbt", "src/other"]).ended(0);
    rig
}

pub(crate) fn read(rig: &Rig, name: &str, path: &str) -> String {
    let folder = rig.path(format!("home/forge/repositories/{name}.git"));
    let repository = Repository::open(Git::default(), folder, Safety::Cache).unwrap();
    let tree = repository.branch_tree("main").unwrap().unwrap();
    String::from_utf8(tree.read(path).unwrap().unwrap().to_vec()).unwrap()
}

/// Names and states of the run's tasks.
pub(crate) fn tasks(rig: &Rig, run: &str) -> Vec<String> {
    let status = rig.run(["status", run, "-o", "json"]).json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let items = status["tasks"].as_array().unwrap().clone();
    items.iter().map(|item| format!("{}={}", text(&item["id"]), text(&item["state"]))).collect()
}

pub(crate) fn open_changes(rig: &Rig) -> String {
    rig.run(["changes", "list", "--state", "open", "-o", "name"]).ended(0).stdout
}

/// Applies in another process, which waits for people.
pub(crate) fn apply(rig: &Rig) -> Child {
    let mut command = rig.command();
    command.args(["apply", "-f", "m.yaml", "--run", "r", "--yes"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits until something holds.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_mins(2), "{what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

pub(crate) fn end(child: Child) -> Said {
    said(&child.wait_with_output().unwrap())
}

#[test]
fn code_moves_with_its_dataset_and_back_with_it() {
    let rig = hosted("automatic", "  consumers: {merge: policy}\n");
    let plan = rig.run(["plan", "-f", "m.yaml"]).ended(0).stdout;
    for line in [
        "~ dbt  mechanical  3 edits in 2 files",
        "~ sql  mechanical  3 edits in 1 file",
        "code of 3 repositories, 5 files: 3 mechanical with 6 edits",
    ] {
        assert!(plan.contains(line), "{line}\n---\n{plan}");
    }
    let patch = rig.run(["plan", "-f", "m.yaml", "--patch"]).ended(0).stdout;
    assert!(patch.contains("-from users\n") && patch.contains("+from users_v2\n"), "{patch}");
    rig.run(["apply", "-f", "m.yaml", "--run", "r", "--yes"]).ended(0);
    assert_eq!(read(&rig, "sql", "jobs/a.sql"), NEW);
    let shown = rig.run(["changes", "show", "sql#1"]).ended(0).stdout;
    assert!(shown.contains("1 of 1 texts give the same; 1 real row among those tried"), "{shown}");
    assert!(!shown.contains("a@example.com"), "{shown}");
    assert_eq!(read(&rig, "dbt", "models/m.sql"), "select user_id as uid from {{ source('raw', 'users_v2') }}\n");
    assert_eq!(tasks(&rig, "r"), ["users_v2=succeeded", "code:dbt=succeeded", "code:sql=succeeded"]);
    // Done once more there is nothing to do: the code reads the new dataset.
    rig.run(["undo", "r", "--dry-run"]).ended(0);
    rig.run(["undo", "r", "--yes"]).ended(0);
    assert_eq!(read(&rig, "sql", "jobs/a.sql"), OLD);
    assert_eq!(read(&rig, "dbt", "models/m.sql"), "select uid from {{ source('raw', 'users') }}\n");
    assert!(!rig.path("data/users_v2.csv").exists());
    assert_eq!(open_changes(&rig), "");
}

/// The description of a change request, and its checks by name.
fn told(rig: &Rig, change: &str) -> (String, Vec<String>) {
    let shown = rig.json(["changes", "show", change]);
    let checks = shown["checks"].as_array().unwrap().iter();
    let mut checks: Vec<String> = checks.map(|check| format!("{} {}", check["name"], check["detail"])).collect();
    checks.sort();
    (shown["description"].as_str().unwrap().to_owned(), checks)
}

#[test]
fn owners_merge_when_they_like_and_the_run_waits() {
    let rig = hosted("by-hand", "  consumers: {repositories: [sql], until: 2027-03-31}\n");
    // By hand it is the same, word for word.
    rig.run(["changes", "open", "-f", "m.yaml", "sql"]).ended(0);
    let by_hand = told(&rig, "sql#1");
    assert!(by_hand.0.contains("- Until when the old datasets stay: `2027-03-31`"), "{}", by_hand.0);
    rig.run(["changes", "close", "sql#1"]).ended(0);
    let plan = rig.run(["plan", "-f", "m.yaml"]).ended(0).stdout;
    assert!(plan.contains("their owners read that the old datasets stay until 2027-03-31"), "{plan}");
    let child = apply(&rig);
    until("nothing is offered", || open_changes(&rig) == "sql#2\n");
    until("no checks are set", || !told(&rig, "sql#2").1.is_empty());
    assert_eq!(told(&rig, "sql#2"), by_hand);
    rig.run(["changes", "approve", "sql#2"]).ended(0);
    rig.run(["changes", "merge", "sql#2"]).ended(0);
    end(child).ended(0);
    assert_eq!(read(&rig, "sql", "jobs/a.sql"), NEW);
    assert_eq!(tasks(&rig, "r"), ["users_v2=succeeded", "code:sql=succeeded"]);
}

/// Who does not wait comes back: what has happened meanwhile is found, and the rest goes on.
#[test]
fn owners_take_their_time_and_nobody_has_to_wait_for_them() {
    let rig = hosted("by-hand", "  consumers: {repositories: [sql]}\n");
    let said = rig.run(["apply", "-f", "m.yaml", "--run", "r", "--yes", "--no-wait"]).ended(3);
    assert!(
        said.stderr.contains("r waits for people or for work elsewhere; `greylag resume r` goes on"),
        "{}",
        said.stderr
    );
    assert_eq!(tasks(&rig, "r"), ["users_v2=waiting", "code:sql=waiting"]);
    rig.run(["resume", "r", "--no-wait"]).ended(3);
    rig.run(["changes", "approve", "sql#1"]).ended(0);
    rig.run(["changes", "merge", "sql#1"]).ended(0);
    rig.run(["resume", "r", "--no-wait"]).ended(0);
    assert_eq!(tasks(&rig, "r"), ["users_v2=succeeded", "code:sql=succeeded"]);
    assert_eq!(read(&rig, "sql", "jobs/a.sql"), NEW);
}

#[test]
fn an_owner_who_says_no_is_told_of_and_stops_nobody_else() {
    let rig = hosted("by-hand", "  consumers: {repositories: [sql]}\n");
    let child = apply(&rig);
    until("nothing is offered", || open_changes(&rig) == "sql#1\n");
    rig.run(["changes", "close", "sql#1"]).ended(0);
    end(child).ended(3);
    assert_eq!(tasks(&rig, "r"), ["users_v2=succeeded", "code:sql=failed"]);
    assert!(rig.run(["logs", "r"]).ended(0).stdout.contains("GL1016"));
    assert_eq!(read(&rig, "sql", "jobs/a.sql"), OLD);
}

#[test]
fn nothing_is_retired_that_somebody_reads() {
    let rig = hosted("automatic", "  through: retire\n  consumers: {merge: policy}\n");
    // A column that ends is for a person to judge.
    rig.write("src/held/h.sql", "select amount from users;\n");
    rig.run(["changes", "host", "src/held"]).ended(0);
    let plan = rig.run(["plan", "-f", "m.yaml"]).ended(0).stdout;
    assert!(plan.contains("? held  judgement: no rule changes anything in it"), "{plan}");
    rig.run(["apply", "-f", "m.yaml", "--run", "r", "--yes"]).ended(3);
    assert_eq!(tasks(&rig, "r"), ["users_v2=failed", "code:dbt=succeeded", "code:sql=succeeded"]);
    let logs = rig.run(["logs", "r"]).ended(0).stdout;
    assert!(logs.contains("still read by `held` (judgement, `h.sql`)"), "{logs}");
    assert!(rig.path("data/users.csv").exists());
}

/// Code that reads datasets of two cohorts goes with the second; the first, whose cutover waits for that code, lets it.
#[test]
fn code_that_reads_two_cohorts_goes_with_the_last_and_none_waits_for_ever() {
    let rig = hosted("automatic", "");
    rig.write("data/places.csv", "uid,town\n1,Oslo\n");
    rig.run(["catalog", "import", "data"]).ended(0);
    let more = "  consumers: {merge: policy, repositories: [both, sql]}\n  rollout:\n    cohorts: [{name: canary, count: 1}]\n    \
                gate: {maxFailures: 0}\n";
    let both = migration(more)
        .replace("[{from: users, to: users_v2}]", "[{from: users, to: users_v2}, {from: places, to: places_v2}]")
        .replace("    drop: [{name: amount, reason: nobody pays}]\n", "");
    rig.write("m.yaml", both);
    let text = "select u.uid, p.town from users u join places p on p.uid = u.uid;\n";
    rig.write("src/both/j.sql", text);
    rig.run(["changes", "host", "--policy", "automatic", "src/both"]).ended(0);
    rig.run(["apply", "-f", "m.yaml", "--run", "r", "--yes"]).ended(0);
    let moved = ["users_v2=succeeded", "places_v2=succeeded", "code:both=succeeded", "code:sql=succeeded"];
    assert_eq!(tasks(&rig, "r"), moved);
    assert!(read(&rig, "both", "j.sql").contains("from users_v2 u join places_v2 p"));
    // Users went first, with the code that reads nothing else; its cutover came after the code of both.
    let logs = rig.run(["logs", "r", "-o", "ndjson"]).ended(0).stdout;
    let events: Vec<Value> = logs.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let at = |task: &str, uses: &str| {
        let is = |event: &Value| event["kind"] == "step_done" && event["task"] == task && event["uses"] == uses;
        events.iter().position(is).unwrap_or_else(|| panic!("{task} {uses}\n{logs}"))
    };
    assert!(at("code:sql", "code/merge") < at("places_v2", "data/publish"));
    assert!(at("code:both", "code/merge") < at("users_v2", "data/cutover"));
}

/// A source that moved before its plan is applied is planned again, and the code goes along all the same.
#[test]
fn code_is_moved_by_a_plan_that_is_made_again_as_its_source_moved() {
    let rig = hosted("automatic", "  consumers: {merge: policy}\n");
    let plan = rig.plans("m.yaml").remove(0);
    rig.write("data/users.csv", "mail,uid,amount\na@example.com,1,3\n");
    let said = rig.run(["apply", &plan, "--run", "r", "--yes"]).ended(0);
    assert!(said.stderr.contains("1 datasets moved since the plan"), "{}", said.stderr);
    assert_eq!(tasks(&rig, "r"), ["users_v2=succeeded", "code:dbt=succeeded", "code:sql=succeeded"]);
    assert_eq!(read(&rig, "sql", "jobs/a.sql"), NEW);
}

/// The base has changed in the same place before the owner's yes: rules are asked again, and so is the owner, of what it says now.
#[test]
fn a_base_that_moved_gets_the_change_anew() {
    let rig = hosted("by-hand", "  consumers: {repositories: [sql], merge: policy}\n");
    let child = apply(&rig);
    until("nothing is offered", || open_changes(&rig) == "sql#1\n");
    let shown = || rig.run(["changes", "show", "sql#1"]).ended(0).stdout;
    assert!(shown().contains("3 edits in 1 file"), "{}", shown());
    push(&rig, "sql", "main", "jobs/a.sql", &OLD.replace("uid > 3", "uid > 4 and uid < 9"));
    rig.run(["changes", "approve", "sql#1"]).ended(0);
    until("it is not made anew", || shown().contains("4 edits in 1 file"));
    rig.run(["changes", "approve", "sql#1"]).ended(0);
    end(child).ended(0);
    let moved = NEW.replace("user_id > 3", "user_id > 4 and user_id < 9");
    assert_eq!(read(&rig, "sql", "jobs/a.sql"), moved);
    assert_eq!(counted(&rig), BTreeMap::from([("merged".to_owned(), 1)]));
}

#[test]
fn an_owner_who_does_the_work_himself_has_not_said_no() {
    let rig = hosted("by-hand", "  consumers: {repositories: [sql]}\n");
    let child = apply(&rig);
    until("nothing is offered", || open_changes(&rig) == "sql#1\n");
    push(&rig, "sql", "main", "jobs/a.sql", NEW);
    rig.run(["changes", "close", "sql#1"]).ended(0);
    end(child).ended(0);
    assert_eq!(tasks(&rig, "r"), ["users_v2=succeeded", "code:sql=succeeded"]);
}

/// Code that was merged, and an undo that waits for its owner to merge what takes it back.
fn merged_and_on_its_way_back() -> (Rig, Child) {
    let rig = hosted("by-hand", "  consumers: {repositories: [sql], merge: policy}\n");
    let child = apply(&rig);
    until("nothing is offered", || open_changes(&rig) == "sql#1\n");
    rig.run(["changes", "approve", "sql#1"]).ended(0);
    end(child).ended(0);
    let mut command = rig.command();
    command.args(["undo", "r", "--yes"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    until("nothing would take it back", || open_changes(&rig) == "sql#2\n");
    (rig, child)
}

/// What takes code back waits for its owner, who has changed the same place meanwhile: that stays, and is named.
#[test]
fn what_was_changed_before_it_is_taken_back_stays() {
    let (rig, child) = merged_and_on_its_way_back();
    let theirs = NEW.replace("user_id > 3", "user_id > 4");
    push(&rig, "sql", "main", "jobs/a.sql", &theirs);
    rig.run(["changes", "approve", "sql#2"]).ended(0);
    let said = end(child);
    let logs = rig.run(["logs", "r"]).ended(0).stdout;
    let note = "`sql!1` is not taken back: others have changed the same places since, in jobs/a.sql";
    assert!(logs.contains(note), "{}\n{logs}", said.stderr);
    assert_eq!((read(&rig, "sql", "jobs/a.sql"), branches(&rig, "sql")), (theirs, vec!["main".to_owned()]));
    assert_eq!(counted(&rig), BTreeMap::from([("closed".to_owned(), 1), ("merged".to_owned(), 1)]));
}

/// Whoever closes what would take it back has said no: it is not opened again.
#[test]
fn who_wants_to_keep_the_new_code_keeps_it() {
    let (rig, child) = merged_and_on_its_way_back();
    rig.run(["changes", "close", "sql#2"]).ended(0);
    end(child);
    let logs = rig.run(["logs", "r"]).ended(0).stdout;
    assert!(logs.contains("`sql!1` is not taken back: `sql!2`, which would have done it, was closed"), "{logs}");
    assert_eq!(read(&rig, "sql", "jobs/a.sql"), NEW);
}

/// A migration that names a repository which is not there does nothing.
#[test]
fn repositories_that_are_not_there_are_named() {
    let rig = hosted("automatic", "  consumers: {repositories: [nope]}\n");
    let said = rig.run(["plan", "-f", "m.yaml"]).ended(1);
    assert!(said.stderr.contains("GL1011") && said.stderr.contains("`nope`"), "{}", said.stderr);
}

const POINTS: [&str; 5] = ["before-intent", "after-intent", "in-effect", "after-effect", "after-commit"];

/// Goes on with a run until the armed point kills it, which must prove that it fired.
pub(crate) fn kill_at(rig: &Rig, point: &str, args: &[&str]) {
    let (said, fired) = rig.run_with_faults(&format!("{point}@1=kill"), args);
    assert!(said.killed, "`{point}` was not reached\n{}\n{}", said.stdout, said.stderr);
    assert_eq!(fired, [format!("{point} Kill")]);
}

/// How often each task did each step, e.g. `code:sql code/merge`.
pub(crate) fn done(rig: &Rig, direction: &str) -> BTreeMap<String, usize> {
    let said = rig.run(["logs", "r", "-o", "ndjson"]).ended(0);
    let mut done = BTreeMap::new();
    for line in said.stdout.lines().skip(1) {
        let event: Value = serde_json::from_str(line).unwrap();
        if event["kind"] == "step_done" && event["direction"] == direction {
            let (task, uses) = (event["task"].as_str().unwrap(), event["uses"].as_str().unwrap());
            *done.entry(format!("{task} {uses}")).or_default() += 1;
        }
    }
    done.retain(|what, _| what.contains(" code/"));
    done
}

pub(crate) fn branches(rig: &Rig, name: &str) -> Vec<String> {
    let folder = rig.path(format!("home/forge/repositories/{name}.git"));
    Repository::open(Git::default(), folder, Safety::Cache).unwrap().branches().unwrap().into_keys().collect()
}

/// Change requests by state.
pub(crate) fn counted(rig: &Rig) -> BTreeMap<String, usize> {
    let list = rig.json(["changes", "list"]);
    let mut counted = BTreeMap::new();
    for item in list["items"].as_array().unwrap() {
        *counted.entry(item["state"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    counted
}

/// `kill -9` at every point of every step of the code plane, forwards and back: nothing is lost, doubled or left behind.
#[test]
fn killed_at_every_point_it_goes_on() {
    let rig = hosted("automatic", "  through: retire\n  consumers: {merge: policy}\n");
    rig.run(["apply", "-f", "m.yaml", "--run", "r", "--yes", "--record-only"]).ended(0);
    let resume = &["resume", "r"];
    // The dataset begins to wait before there is any change request.
    for point in &POINTS[..2] {
        kill_at(&rig, &format!("code/await:{point}"), resume);
    }
    for step in ["code/rewrite", "code/prove", "code/propose", "code/merge"] {
        // A step that only looks has no effect in which it could die.
        for point in POINTS.iter().filter(|point| (step, **point) != ("code/prove", "in-effect")) {
            kill_at(&rig, &format!("{step}:{point}"), resume);
        }
    }
    for point in &POINTS[3..] {
        kill_at(&rig, &format!("code/await:{point}"), resume);
    }
    rig.run(["resume", "r"]).ended(3);
    rig.run(["approve", "r", "--yes", "--record-only"]).ended(0);
    rig.run(["resume", "r"]).ended(0);
    let once: BTreeMap<String, usize> = ["code:dbt", "code:sql"]
        .into_iter()
        .flat_map(|task| ["rewrite", "prove", "propose", "merge"].map(|step| (format!("{task} code/{step}"), 1)))
        .chain(["await", "readers"].map(|step| (format!("users_v2 code/{step}"), 1)))
        .collect();
    assert_eq!(done(&rig, "forward"), once);
    assert_eq!(counted(&rig), BTreeMap::from([("merged".to_owned(), 2)]));
    assert_eq!(read(&rig, "sql", "jobs/a.sql"), NEW);

    let mut args: &[&str] = &["undo", "r", "--yes"];
    for step in ["code/merge", "code/propose"] {
        for point in POINTS {
            kill_at(&rig, &format!("undo:{step}:{point}"), args);
            args = &["resume", "r"];
        }
    }
    rig.run(["resume", "r"]).ended(0);
    assert_eq!(done(&rig, "undo"), once);
    // Two that were merged, and two that took them back.
    assert_eq!(counted(&rig), BTreeMap::from([("merged".to_owned(), 4)]));
    assert_eq!(read(&rig, "sql", "jobs/a.sql"), OLD);
    for name in ["sql", "dbt"] {
        assert_eq!(branches(&rig, name), ["main"]);
    }
}
