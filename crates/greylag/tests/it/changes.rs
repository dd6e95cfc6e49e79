//! `changes`: repositories on the embedded forge, from a migration to merged code and back.

use crate::rig::{Rig, Said, said};
use greylag_code::git::{Edit, Edits, Git, ObjectId, Person, RefChange, Repository, Safety, Signed};
use greylag_code::tree::Tree;
use serde_json::Value;
use std::ffi::OsStr;

const BRANCH: &str = "greylag/users-v2";
const MIGRATION: &str = "apiVersion: greylag.dev/v1alpha1
kind: Migration
metadata:
  name: users-v2
  title: Users get their real names
  owner: group:data
  guide: https://wiki.example.com/users-v2
spec:
  datasets: [{from: users, to: users_v2}]
  mapping:
    columns: [{name: user_id, from: uid}]
    drop: [{name: amount, reason: nobody pays}]
";
const OLD: &str = "select uid, mail\nfrom users\nwhere uid > 3;\n";
const NEW: &str = "select user_id as uid, mail\nfrom users_v2\nwhere user_id > 3;\n";

/// A dataset, its migration, and three repositories, which are hosted: plain SQL, a dbt project, and one that reads something else.
fn hosted() -> Rig {
    let rig = Rig::new();
    rig.write("data/users.csv", "uid,mail,amount\n1,a@example.com,3\n");
    rig.run(["catalog", "import", "data"]).ended(0);
    rig.write("m.yaml", MIGRATION);
    rig.write("src/sql/jobs/a.sql", OLD);
    rig.write("src/sql/readme.txt", "Jobs.\n");
    rig.write("src/dbt/dbt_project.yml", "name: p\nversion: '1'\nprofile: p\nmodel-paths: [models]\n");
    rig.write("src/dbt/models/m.sql", "select uid from {{ source('raw', 'users') }}\n");
    rig.write(
        "src/dbt/models/s.yml",
        "version: 2\nsources:\n  - name: raw\n    schema: main\n    tables: [{name: users}]\n",
    );
    rig.write("src/other/c.sql", "select 1 from other;\n");
    rig.run(["changes", "host", "src/sql", "src/dbt", "src/other"]).ended(0);
    rig
}

fn open(rig: &Rig, more: &[&str]) -> Said {
    rig.run(["changes", "open", "-f", "m.yaml", "-o", "json"].iter().chain(more))
}

/// What a listing says of each of its items, e.g. `sql#1=opened`.
fn outcomes(said: &Said, name: &str) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let items = said.json()["items"].as_array().unwrap().clone();
    items.iter().map(|item| format!("{}={}", text(&item[name]), text(&item["outcome"]))).collect()
}

fn merge(rig: &Rig, more: &[&str], code: i32) -> Vec<String> {
    let said = rig.run(["changes", "merge", "-o", "json"].iter().chain(more)).ended(code);
    outcomes(&said, "repository")
}

fn repository(rig: &Rig, name: &str) -> Repository {
    let folder = rig.path(format!("home/forge/repositories/{name}.git"));
    Repository::open(Git::default(), folder, Safety::Cache).unwrap()
}

fn head(rig: &Rig, name: &str, branch: &str) -> ObjectId {
    repository(rig, name).branch(branch).unwrap().unwrap()
}

fn branches(rig: &Rig, name: &str) -> Vec<String> {
    repository(rig, name).branches().unwrap().into_keys().collect()
}

fn read(rig: &Rig, name: &str, path: &str) -> String {
    let tree = repository(rig, name).branch_tree("main").unwrap().unwrap();
    String::from_utf8(tree.read(path).unwrap().unwrap().to_vec()).unwrap()
}

/// Somebody else commits a file to a branch.
pub(crate) fn push(rig: &Rig, name: &str, branch: &str, path: &str, text: &str) {
    let repository = repository(rig, name);
    let tree = repository.branch_tree(branch).unwrap().unwrap();
    let is_there = tree.read(path).unwrap().is_some();
    let edit = if is_there { Edit::Replace(text.into()) } else { Edit::Create(text.into()) };
    let person = Person { name: "Bob".to_owned(), email: "bob@example.com".to_owned() };
    let signed = Signed { author: person.clone(), committer: person, seconds: 1, message: "Work\n".to_owned() };
    let commit = repository.commit(&tree, &Edits::from([(path.to_owned(), edit)]), &signed).unwrap();
    let change = RefChange { branch: branch.to_owned(), from: Some(tree.commit().clone()), to: Some(commit) };
    repository.move_branches(&[change]).unwrap();
}

#[test]
fn proofs_are_left_out_where_they_are_not_asked_for() {
    let rig = hosted();
    open(&rig, &["sql", "--no-prove"]).ended(0);
    open(&rig, &["dbt"]).ended(0);
    let checks = |change: &str| {
        let shown = rig.run(["changes", "show", change]).ended(0).stdout;
        ["proof", "lineage"].map(|name| shown.contains(&format!("| `{name}` | pass |")))
    };
    assert_eq!((checks("sql#1"), checks("dbt#1")), ([false, true], [true, true]));
}

#[test]
fn hosted_and_opened_once() {
    let rig = hosted();
    let again = rig.run(["changes", "host", "src/sql", "src/dbt", "-o", "json"]).ended(0);
    assert_eq!(outcomes(&again, "name"), ["sql=unchanged", "dbt=unchanged"]);
    let dry = open(&rig, &["--dry-run"]).ended(0);
    assert_eq!(outcomes(&dry, "repository"), ["dbt=would open", "other=unaffected", "sql=would open"]);
    assert_eq!(branches(&rig, "sql"), ["main"]);
    let first = open(&rig, &[]).ended(0);
    assert_eq!(outcomes(&first, "change"), ["dbt#1=opened", "=unaffected", "sql#1=opened"]);
    let funnel = "3 found: 1 unaffected, 2 mechanical, 0 agentic, 0 judgement, 0 unknown; 2 opened\n";
    assert_eq!(first.stderr, funnel);
    let heads = ["sql", "dbt"].map(|name| head(&rig, name, BRANCH));
    let second = open(&rig, &[]).ended(0);
    assert_eq!(outcomes(&second, "change"), ["dbt#1=nothing to do", "=unaffected", "sql#1=nothing to do"]);
    assert_eq!(["sql", "dbt"].map(|name| head(&rig, name, BRANCH)), heads);
    assert_eq!(
        (branches(&rig, "sql"), branches(&rig, "other")),
        (vec![BRANCH.into(), "main".into()], vec!["main".into()])
    );
    let names = rig.run(["changes", "list", "--state", "open", "-o", "name"]).ended(0).stdout;
    assert_eq!(names, "dbt#1\nsql#1\n");
    rig.run(["changes", "list", "--repository", "none"]).ended(1);
}

/// Nothing is left of what could not be fetched, and what is hosted under that name stays.
#[test]
fn what_cannot_be_fetched_is_not_hosted() {
    let rig = hosted();
    let take = |name: &str| rig.run(["changes", "host", "broken", "--name", name]);
    let git = |arguments: &str| rig.shell(&format!("git -c user.name=a -c user.email=a@example.com {arguments}"), None);
    git("init -q -b main broken");
    git("-C broken commit -q --allow-empty -m one");
    rig.shell("rm -rf broken/.git/objects/??", None);
    take("broken").ended(1);
    assert!(!rig.path("home/forge/repositories/broken.git").exists());
    assert_eq!(open(&rig, &["broken"]).code, Some(1));
    take("sql").ended(1);
    assert_eq!(branches(&rig, "sql"), ["main"]);
}

#[test]
fn shown_with_what_an_owner_needs() {
    let rig = hosted();
    rig.write("src/held/h.sql", "select 1;\nselect amount from users;\n");
    rig.write("src/held/a.sql", OLD);
    rig.run(["changes", "host", "src/held"]).ended(0);
    open(&rig, &["held"]).ended(3);
    let shown = rig.run(["changes", "show", "held#1"]).ended(0).stdout;
    for part in [
        "held#1  open  Read `users_v2` in place of `users`",
        "Users get their real names",
        "3 edits in 1 file, and no other byte",
        "Who answers for it: `group:data`",
        "Guide: <https://wiki.example.com/users-v2>",
        "| `uid` | `user_id` |  |",
        "| `amount` | ends | dropped: nobody pays |",
        "Beside these, 1 column as before.",
        "| `a.sql` | 3 |",
        "- `h.sql:2` (judgement): ",
        "## How to say no",
        "## What was checked",
        "| `complete` | unknown | left for people: 1 file |",
        "| `resolves` | pass | 1 use of the new datasets, all of whose columns are there |",
        "| `proof` | pass | 1 of 1 texts give the same; 1 real row among those tried |",
        "unknown  complete: left for people: 1 file",
        "pass  reversible",
        "pass  rewritten",
    ] {
        assert!(shown.contains(part), "{part}\n---\n{shown}");
    }
    let patch = rig.run(["changes", "patch", "held#1"]).ended(0).stdout;
    let changed: Vec<&str> = patch.lines().filter(|line| line.starts_with(['+', '-'])).collect();
    let before = OLD.lines().map(|line| format!("-{line}"));
    let after = NEW.lines().map(|line| format!("+{line}"));
    let expected: Vec<String> =
        ["--- a/a.sql".to_owned(), "+++ b/a.sql".to_owned()].into_iter().chain(before).chain(after).collect();
    assert_eq!(changed, expected);
    rig.run(["changes", "comment", "held#1", "why?\u{1b}[2J"]).ended(0);
    let shown = rig.run(["changes", "show", "held#1"]).ended(0).stdout;
    assert!(shown.contains("tester at ") && shown.contains("why?\\u{1b}[2J"), "{shown}");
}

/// A repository's own command is asked by hand as it is in a run: once it is trusted, and its word counts.
#[test]
fn what_a_trusted_command_refuses_is_offered_and_told() {
    let rig = hosted();
    rig.write("src/own/a.sql", OLD);
    rig.write("src/own/test.sh", "if grep -q _v2 a.sql; then exit 1; fi\n");
    rig.write("src/own/.greylag.yaml", "verify: {run: [sh, test.sh], timeout: 20s}\n");
    rig.run(["changes", "host", "src/own"]).ended(0);
    rig.run(["trust", "own", "--yes"]).ended(0);
    assert_eq!(outcomes(&open(&rig, &["own"]).ended(3), "change"), ["own#1=opened"]);
    let shown = rig.run(["changes", "show", "own#1"]).ended(0).stdout;
    assert!(shown.contains("| `command` | **fail** | ") && shown.contains("  fail  command: "), "{shown}");
    // Done again, it is told again, and nothing is asked.
    assert_eq!(outcomes(&open(&rig, &["own"]).ended(3), "change"), ["own#1=nothing to do"]);
    rig.run(["changes", "approve", "own#1"]).ended(0);
    assert_eq!(merge(&rig, &["own#1"], 5), ["own=refused"]);
}

#[test]
fn merged_by_hand_once_it_is_approved() {
    let rig = hosted();
    open(&rig, &[]).ended(0);
    assert_eq!(merge(&rig, &["sql#1"], 5), ["sql=refused"]);
    rig.run(["changes", "approve", "sql#1", "--head", &"0".repeat(40)]).ended(1);
    let seen = head(&rig, "sql", BRANCH);
    rig.run(["changes", "approve", "sql#1", "--head", seen.as_str()]).ended(0);
    assert_eq!(merge(&rig, &["--all-approved"], 0), ["sql=merged"]);
    assert_eq!((read(&rig, "sql", "jobs/a.sql").as_str(), branches(&rig, "sql")), (NEW, vec!["main".to_owned()]));
    assert_eq!(merge(&rig, &["sql#1"], 0), ["sql=merged"], "what is merged is told the same");
    rig.run(["changes", "approve", "dbt#1"]).ended(0);
    let unasked = rig.run(["changes", "merge", "dbt#1", "sql#1"]).ended(5).stderr;
    assert!(unasked.contains("nobody is there to confirm"), "{unasked}");
    let patch = rig.run(["changes", "patch", "sql#1"]).ended(0).stdout;
    assert!(patch.contains("+from users_v2\n"), "{patch}");
    let done = open(&rig, &[]).ended(0);
    assert_eq!(outcomes(&done, "repository"), ["dbt=nothing to do", "other=unaffected", "sql=unaffected"]);
    // Whoever writes the old name once more is asked once more.
    push(&rig, "sql", "main", "jobs/b.sql", OLD);
    assert_eq!(outcomes(&open(&rig, &["sql"]).ended(0), "change"), ["sql#2=opened"]);
    assert_eq!(branches(&rig, "sql"), [format!("{BRANCH}+2"), "main".to_owned()]);
}

#[test]
fn merged_by_policy_unless_something_is_left_for_people() {
    let rig = hosted();
    rig.write("src/held/h.sql", "select amount from users;\n");
    rig.write("src/held/a.sql", OLD);
    rig.run(["changes", "host", "src/held", "src/sql", "--policy", "automatic"]).ended(0);
    open(&rig, &[]).ended(3);
    let told = merge(&rig, &["--migration", "users-v2", "--yes"], 5);
    assert_eq!(told, ["dbt=refused", "held=pending", "sql=merged"]);
    assert_eq!(merge(&rig, &["held#1"], 3), ["held=pending"]);
    assert_eq!(read(&rig, "sql", "jobs/a.sql"), NEW);
}

#[test]
fn follows_a_base_that_moved() {
    let rig = hosted();
    open(&rig, &["sql"]).ended(0);
    push(&rig, "sql", "main", "jobs/b.sql", "select 2;\n");
    rig.run(["changes", "approve", "sql#1"]).ended(0);
    assert_eq!(merge(&rig, &["sql#1"], 0), ["sql=merged"], "others' work is merged with it");
    assert_eq!(
        (read(&rig, "sql", "jobs/a.sql").as_str(), read(&rig, "sql", "jobs/b.sql").as_str()),
        (NEW, "select 2;\n")
    );
    open(&rig, &["dbt"]).ended(0);
    push(&rig, "dbt", "main", "models/m.sql", "select uid, mail from {{ source('raw', 'users') }}\n");
    rig.run(["changes", "approve", "dbt#1"]).ended(0);
    let said = rig.run(["changes", "merge", "dbt#1"]).ended(3).stdout;
    assert!(said.contains("conflict") && said.contains("`models/m.sql`"), "{said}");
    assert_eq!(outcomes(&open(&rig, &["dbt"]).ended(0), "change"), ["dbt#1=updated"]);
    assert_eq!(merge(&rig, &["dbt#1"], 5), ["dbt=refused"], "nobody has approved the new head");
    assert_eq!(outcomes(&open(&rig, &["dbt"]).ended(0), "change"), ["dbt#1=nothing to do"]);
    rig.write("m.yaml", MIGRATION.replace("name: user_id,", "name: person,"));
    assert_eq!(outcomes(&open(&rig, &["dbt"]).ended(0), "change"), ["dbt#1=updated"]);
    let shown = rig.run(["changes", "show", "dbt#1"]).ended(0).stdout;
    assert!(shown.contains("At `") && shown.contains("| `uid` | `person` |  |"), "{shown}");
    assert_eq!(shown.matches("  pass  ").count(), 10, "{shown}");
    rig.run(["changes", "approve", "dbt#1"]).ended(0);
    assert_eq!(merge(&rig, &["dbt#1"], 0), ["dbt=merged"]);
    assert_eq!(read(&rig, "dbt", "models/m.sql"), "select person as uid, mail from {{ source('raw', 'users_v2') }}\n");
}

#[test]
fn an_owner_who_says_no_is_heard() {
    let rig = hosted();
    open(&rig, &["sql"]).ended(0);
    rig.run(["changes", "close", "sql#1"]).ended(0);
    assert_eq!(branches(&rig, "sql"), ["main"]);
    assert_eq!(outcomes(&open(&rig, &["sql"]).ended(3), "change"), ["sql#1=closed by its owner"]);
    assert_eq!(branches(&rig, "sql"), ["main"]);
    assert_eq!(outcomes(&open(&rig, &["sql", "--reopen"]).ended(0), "change"), ["sql#1=opened"]);
    push(&rig, "sql", BRANCH, "jobs/a.sql", "select 1;\n");
    let theirs = head(&rig, "sql", BRANCH);
    push(&rig, "sql", "main", "jobs/b.sql", OLD);
    assert_eq!(outcomes(&open(&rig, &["sql"]).ended(3), "change"), ["sql#1=changed by its owner"]);
    assert_eq!(head(&rig, "sql", BRANCH), theirs);
}

#[test]
fn reverted_to_the_very_bytes() {
    let rig = hosted();
    let before = head(&rig, "sql", "main");
    open(&rig, &["sql"]).ended(0);
    rig.run(["changes", "revert", "sql#1"]).ended(1);
    rig.run(["changes", "approve", "sql#1"]).ended(0);
    merge(&rig, &["sql#1"], 0);
    for _ in 0..2 {
        let said = rig.run(["changes", "revert", "sql#1", "-o", "name"]).ended(0);
        assert_eq!(said.stdout, "sql#2\n");
    }
    rig.run(["changes", "approve", "sql#2"]).ended(0);
    assert_eq!(merge(&rig, &["sql#2"], 0), ["sql=merged"]);
    let after = head(&rig, "sql", "main");
    assert_eq!(repository(&rig, "sql").changed(&before, &after).unwrap(), Vec::<String>::new());
    assert_eq!(branches(&rig, "sql"), ["main"]);
    assert_eq!(outcomes(&open(&rig, &["sql"]).ended(3), "change"), ["sql#1=taken back by its owner"]);
    assert_eq!(outcomes(&open(&rig, &["sql", "--reopen"]).ended(0), "change"), ["sql#3=opened"]);
    rig.run(["changes", "approve", "sql#3"]).ended(0);
    merge(&rig, &["sql#3"], 0);
    push(&rig, "sql", "main", "jobs/a.sql", &NEW.replace("> 3", "> 4"));
    let said = rig.run(["changes", "revert", "sql#3"]).ended(3).stdout;
    assert!(said.contains("conflict") && said.contains("`jobs/a.sql`"), "{said}");
    assert_eq!(branches(&rig, "sql"), ["main"]);
}

#[test]
fn a_model_that_makes_the_dataset_moves_and_is_reverted() {
    let rig = hosted();
    let maker = "select a as uid, b as mail from {{ ref('feed') }}\n";
    rig.write("src/maker/dbt_project.yml", "name: p\nversion: '1'\nprofile: p\nmodel-paths: [models]\n");
    rig.write("src/maker/models/feed.sql", "select 1 as a, 'x' as b\n");
    rig.write("src/maker/models/users.sql", maker);
    rig.write("src/maker/models/r.sql", "select uid from {{ ref('users') }}\n");
    rig.run(["changes", "host", "src/maker"]).ended(0);
    let first = open(&rig, &["maker"]).ended(0);
    assert_eq!(outcomes(&first, "change"), ["maker#1=opened"]);
    assert_eq!(outcomes(&open(&rig, &["maker"]).ended(0), "change"), ["maker#1=nothing to do"]);
    rig.run(["changes", "approve", "maker#1"]).ended(0);
    assert_eq!(merge(&rig, &["maker#1"], 0), ["maker=merged"]);
    let there =
        |path: &str| repository(&rig, "maker").branch_tree("main").unwrap().unwrap().read(path).unwrap().is_some();
    assert_eq!(read(&rig, "maker", "models/users_v2.sql"), maker.replace("a as uid", "a as user_id"));
    assert_eq!(read(&rig, "maker", "models/r.sql"), "select user_id as uid from {{ ref('users_v2') }}\n");
    assert!(!there("models/users.sql"));
    rig.run(["changes", "revert", "maker#1"]).ended(0);
    rig.run(["changes", "approve", "maker#2"]).ended(0);
    assert_eq!(merge(&rig, &["maker#2"], 0), ["maker=merged"]);
    assert_eq!(read(&rig, "maker", "models/users.sql"), maker);
    assert!(!there("models/users_v2.sql"));
}

#[test]
fn killed_anywhere_and_done_again() {
    let rig = hosted();
    let merges =
        ["before-intent", "after-intent", "after-effect", "after-commit"].map(|point| format!("merge:{point}"));
    let opens = ["before-intent", "after-intent", "in-effect", "after-effect", "after-commit"];
    for (nth, point) in opens.iter().enumerate() {
        let name = format!("r{nth}");
        rig.write(&format!("src/{name}/a.sql"), OLD);
        rig.run(["changes", "host", &format!("src/{name}")]).ended(0);
        let armed = format!("forge/open:{point}@1=kill");
        let (said, fired) = rig.run_with_faults(&armed, &["changes", "open", "-f", "m.yaml", &name]);
        assert!(said.killed && fired.len() == 1, "{point}: {}", said.stderr);
        open(&rig, &[&name]).ended(0);
        assert_eq!(branches(&rig, &name), [BRANCH, "main"], "{point}");
        let change = format!("{name}#1");
        assert_eq!(outcomes(&open(&rig, &[&name]).ended(0), "change"), [format!("{change}=nothing to do")]);
        rig.run(["changes", "approve", &change]).ended(0);
        let (said, fired) = match merges.get(nth) {
            Some(point) => rig.run_with_faults(&format!("forge/{point}@1=kill"), &["changes", "merge", &change]),
            None => continue,
        };
        assert!(said.killed && fired.len() == 1, "{}", said.stderr);
        assert_eq!(merge(&rig, &[&change], 0), [format!("{name}=merged")]);
        assert_eq!((branches(&rig, &name), read(&rig, &name, "a.sql").as_str()), (vec!["main".to_owned()], NEW));
    }
}

#[test]
fn killed_anywhere_in_an_update_and_done_again() {
    let rig = hosted();
    for (nth, point) in ["before-intent", "after-intent", "after-effect", "after-commit"].iter().enumerate() {
        let name = format!("u{nth}");
        rig.write(&format!("src/{name}/a.sql"), OLD);
        rig.run(["changes", "host", &format!("src/{name}")]).ended(0);
        open(&rig, &[&name]).ended(0);
        let first = head(&rig, &name, BRANCH);
        push(&rig, &name, "main", "b.sql", OLD);
        let armed = format!("forge/update:{point}@1=kill");
        let (said, fired) = rig.run_with_faults(&armed, &["changes", "open", "-f", "m.yaml", &name]);
        assert!(said.killed && fired.len() == 1, "{point}: {}", said.stderr);
        open(&rig, &[&name]).ended(0);
        let again = outcomes(&open(&rig, &[&name]).ended(0), "change");
        assert_eq!(again, [format!("{name}#1=nothing to do")], "{point}");
        assert_eq!(branches(&rig, &name), [BRANCH, "main"], "{point}");
        assert_ne!(head(&rig, &name, BRANCH), first, "{point}");
        rig.run(["changes", "approve", &format!("{name}#1")]).ended(0);
        assert_eq!(merge(&rig, &[&format!("{name}#1")], 0), [format!("{name}=merged")]);
        assert_eq!((read(&rig, &name, "a.sql").as_str(), read(&rig, &name, "b.sql").as_str()), (NEW, NEW));
    }
}

#[test]
fn killed_anywhere_in_a_close_and_done_again() {
    let rig = hosted();
    for (nth, point) in ["before-effect", "after-intent", "after-effect", "after-commit"].iter().enumerate() {
        let name = format!("c{nth}");
        rig.write(&format!("src/{name}/a.sql"), OLD);
        rig.run(["changes", "host", &format!("src/{name}")]).ended(0);
        open(&rig, &[&name]).ended(0);
        let (change, armed) = (format!("{name}#1"), format!("forge/close:{point}@1=kill"));
        let (said, fired) = rig.run_with_faults(&armed, &["changes", "close", &change]);
        assert!(said.killed && fired.len() == 1, "{point}: {}", said.stderr);
        rig.run(["changes", "close", &change]).ended(0);
        assert_eq!(branches(&rig, &name), ["main"], "{point}");
        let shown = rig.run(["changes", "show", &change]).ended(0).stdout;
        assert!(shown.contains(&format!("{change}  closed")), "{point}: {shown}");
        assert_eq!(read(&rig, &name, "a.sql"), OLD);
        let closed = outcomes(&open(&rig, &[&name]).ended(3), "change");
        assert_eq!(closed, [format!("{change}=closed by its owner")], "{point}");
    }
}

#[test]
fn killed_anywhere_in_a_revert_and_done_again() {
    let rig = hosted();
    let points = ["before-intent", "after-intent", "in-effect", "after-effect", "after-commit"];
    for (nth, point) in points.iter().enumerate() {
        let name = format!("v{nth}");
        rig.write(&format!("src/{name}/a.sql"), OLD);
        rig.run(["changes", "host", &format!("src/{name}")]).ended(0);
        open(&rig, &[&name]).ended(0);
        let (change, back) = (format!("{name}#1"), format!("{name}#2"));
        rig.run(["changes", "approve", &change]).ended(0);
        merge(&rig, &[&change], 0);
        let armed = format!("forge/open:{point}@1=kill");
        let (said, fired) = rig.run_with_faults(&armed, &["changes", "revert", &change]);
        assert!(said.killed && fired.len() == 1, "{point}: {}", said.stderr);
        for _ in 0..2 {
            let said = rig.run(["changes", "revert", &change, "-o", "name"]).ended(0);
            assert_eq!(said.stdout, format!("{back}\n"), "{point}");
        }
        assert_eq!(branches(&rig, &name), ["greylag/revert-1", "main"], "{point}");
        rig.run(["changes", "approve", &back]).ended(0);
        assert_eq!(merge(&rig, &[&back], 0), [format!("{name}=merged")]);
        assert_eq!((branches(&rig, &name), read(&rig, &name, "a.sql").as_str()), (vec!["main".to_owned()], OLD));
        let listed = rig.run(["changes", "list", "--repository", &name, "-o", "name"]).ended(0).stdout;
        assert_eq!(listed, format!("{change}\n{back}\n"), "{point}: none is there twice");
    }
}

#[test]
fn words_are_edited_and_nothing_else() {
    let rig = hosted();
    open(&rig, &["sql"]).ended(0);
    rig.run(["changes", "approve", "sql#1"]).ended(0);
    let before = head(&rig, "sql", BRANCH);
    rig.run(["changes", "edit", "sql#1", "--title", "Other words"]).ended(0);
    rig.write("why.md", "Because.\n");
    rig.run(["changes", "edit", "sql#1", "--description-file", "why.md"]).ended(0);
    let shown = rig.run(["changes", "show", "sql#1"]).ended(0).stdout;
    assert!(shown.contains("sql#1  open  Other words") && shown.contains("Because.\n"), "{shown}");
    assert_eq!(head(&rig, "sql", BRANCH), before);
    rig.run(["changes", "edit", "sql#1"]).ended(64);
    rig.run(["changes", "edit", "sql#1", "--title", " "]).ended(64);
    rig.run(["changes", "edit", "sql#9", "--title", "none"]).ended(1);
    assert_eq!(merge(&rig, &["sql#1"], 0), ["sql=merged"], "it is approved as it was");
    assert!(rig.run(["changes", "edit", "sql#1", "--title", "late"]).ended(1).stderr.contains("GL1012"));
}

#[test]
fn a_source_that_moves_is_followed_and_never_loses_what_was_merged() {
    let rig = hosted();
    let source = rig.path("home/forge/repositories/sql.git");
    let host = |code: i32| {
        let args = ["changes", "host", "--name", "team/copy", "-o", "json"].map(OsStr::new);
        rig.run(args.into_iter().chain([source.as_os_str()])).ended(code)
    };
    assert_eq!(outcomes(&host(0), "name"), ["team/copy=new"]);
    push(&rig, "sql", "main", "jobs/b.sql", "select 2;\n");
    assert_eq!(outcomes(&host(0), "name"), ["team/copy=moved"]);
    assert_eq!(read(&rig, "team/copy", "jobs/b.sql"), "select 2;\n");
    push(&rig, "team/copy", "main", "jobs/c.sql", "select 3;\n");
    assert_eq!(outcomes(&host(0), "name"), ["team/copy=unchanged"]);
    push(&rig, "sql", "main", "jobs/d.sql", "select 4;\n");
    assert!(host(1).stderr.contains("GL1015"));
    assert_eq!(read(&rig, "team/copy", "jobs/c.sql"), "select 3;\n");
    rig.write("src/other/c.sql", "select 2 from other;\n");
    assert!(rig.run(["changes", "host", "src/other"]).ended(1).stderr.contains("error[GL1015]"));
    assert_eq!(read(&rig, "other", "c.sql"), "select 1 from other;\n");
}

#[test]
fn git_that_is_too_old_or_away_is_told() {
    let rig = hosted();
    std::fs::create_dir_all(rig.path("old")).unwrap();
    std::os::unix::fs::symlink("/bin/echo", rig.path("old/git")).unwrap();
    let list =
        |path: &OsStr| said(&rig.command().args(["changes", "list"]).env("PATH", path).output().unwrap()).ended(1);
    let old = list(rig.path("old").as_os_str()).stderr;
    assert!(old.contains("error[GL1001]: git says `version`; at least 2.40 is needed"), "{old}");
    assert!(old.contains("old/git`: put a newer one into `PATH`"), "{old}");
    let away = list(OsStr::new("/no/such/folder")).stderr;
    assert!(away.contains("error[GL1001]: there is no program `git`"), "{away}");
}
