//! Custom steps: the examples as they stand, and what goes wrong with them.

use crate::rig::Rig;
use serde_json::Value;
use std::fs;
use std::path::Path;

const ORDERS: &str = "oid,amount\n1,19.90\n2,250.00\n3,7.25\n";

/// A rig with the dataset `orders` and an example beside it, as `project`.
fn example(name: &str, orders: &str) -> Rig {
    let rig = Rig::new();
    rig.write("shop/orders.csv", orders);
    rig.run(["catalog", "import", "shop"]).ended(0);
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/steps").join(name);
    copy(&from, &rig.path("project"));
    rig
}

/// Copies a directory.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(path, to).unwrap();
        }
    }
}

fn edit(rig: &Rig, file: &str, from: &str, to: &str) {
    let text = fs::read_to_string(rig.path(file)).unwrap();
    assert!(text.contains(from), "{text}");
    rig.write(file, text.replace(from, to));
}

fn apply(rig: &Rig, file: &str, code: i32) -> String {
    let said = rig.run(["apply", "-f", file, "--run", "r", "--yes"]).ended(code);
    said.stdout + &said.stderr
}

/// Steps that were done, in order.
fn done(rig: &Rig, direction: &str) -> Vec<String> {
    let said = rig.run(["logs", "r", "-o", "ndjson"]).ended(0);
    let events = said.stdout.lines().skip(1).map(|line| serde_json::from_str::<Value>(line).unwrap());
    let done = events.filter(|event| event["kind"] == "step_done" && event["direction"] == direction);
    done.map(|event| event["uses"].as_str().unwrap().to_owned()).collect()
}

fn marks(rig: &Rig) -> Vec<String> {
    let entries = fs::read_dir(rig.path("project/announced")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path()).filter(|path| !path.ends_with(".keep"));
    let mut marks: Vec<String> = paths.map(|path| fs::read_to_string(path).unwrap()).collect();
    marks.sort();
    marks
}

#[test]
fn count_rows() {
    let rig = example("count-rows", ORDERS);
    let plan = rig.run(["plan", "-f", "project/migration.yaml"]).ended(0).stdout;
    assert!(plan.contains("    + count_rows  custom/count_rows, after data/verify\n"), "{plan}");
    assert!(
        plan.contains(
            "    + verify_large  data/verify, after count_rows, if steps.count_rows.outputs.rows > 1000000\n"
        ),
        "{plan}"
    );
    apply(&rig, "project/migration.yaml", 0);
    let steps = done(&rig, "forward");
    let at = steps.iter().position(|step| step == "custom/count_rows").unwrap();
    assert_eq!(steps[at - 1..=at + 2], ["data/verify", "custom/count_rows", "data/verify", "data/publish"]);
    let text = fs::read_to_string(rig.path("shop/orders_v2.csv"))
        .or_else(|_| fs::read_to_string(rig.path("shop/orders_v2")))
        .unwrap();
    assert!(text.contains("order_id"), "{text}");
    rig.run(["undo", "r", "--yes"]).ended(0);
    assert_eq!(fs::read_to_string(rig.path("shop/orders.csv")).unwrap(), ORDERS);
}

#[test]
fn what_a_command_says_fails_its_step_before_anything_is_published() {
    let rig = example("count-rows", ORDERS);
    edit(&rig, "project/migration.yaml", "least: 2}", "least: 12}");
    let said = apply(&rig, "project/migration.yaml", 1);
    assert!(said.contains("GL0807") && said.contains("there are 3 rows, fewer than 12"), "{said}");
    let why = rig.run(["status", "r", "--failed"]).ended(1);
    assert!((why.stdout.clone() + &why.stderr).contains("lower `least`"), "{}", why.stdout);
    assert!(!done(&rig, "forward").contains(&"data/publish".to_owned()));
    let logs = rig.run(["logs", "r"]).ended(0).stdout;
    assert!(logs.contains("there are 3 rows, fewer than 12"), "{logs}");
    // A check that says no does the same.
    let rig = example("count-rows", ORDERS);
    edit(&rig, "project/count_rows.py", "before == after", "before < after");
    let said = apply(&rig, "project/migration.yaml", 1);
    assert!(said.contains("GL0513") && said.contains("3 rows before, 3 after"), "{said}");
    assert!(!done(&rig, "forward").contains(&"data/publish".to_owned()));
}

#[test]
fn a_script_that_changed_since_the_plan_is_not_run() {
    let rig = example("count-rows", ORDERS);
    let plan = rig.run(["plan", "-f", "project/migration.yaml", "-o", "name"]).ended(0).stdout;
    edit(&rig, "project/lines.py", "total = 0", "total = 1");
    let said = rig.run(["apply", plan.trim(), "--run", "r"]).ended(1);
    let said = said.stdout + &said.stderr;
    assert!(said.contains("GL0809") && said.contains("the script `./lines.py` has changed since the plan"), "{said}");
    edit(&rig, "project/lines.py", "total = 1", "total = 0");
    rig.run(["retry", "r", "--failed"]).ended(0);
    assert!(done(&rig, "forward").contains(&"data/publish".to_owned()));
}

#[test]
fn announce() {
    let rig = example("announce", ORDERS);
    let said = apply(&rig, "project/migration.yaml", 3);
    assert!(said.contains("approv"), "{said}");
    assert_eq!(marks(&rig), ["orders is now orders_v2\n"]);
    rig.run(["approve", "r", "--yes"]).ended(0);
    assert_eq!(marks(&rig), ["no view for orders\n", "orders is now orders_v2\n"]);
    assert_eq!(done(&rig, "forward").iter().filter(|step| *step == "custom/announce").count(), 2);
    assert!(!done(&rig, "forward").contains(&"data/cutover".to_owned()));
    rig.run(["undo", "r", "--yes"]).ended(0);
    assert_eq!(marks(&rig), [""; 0]);
    assert_eq!(fs::read_to_string(rig.path("shop/orders.csv")).unwrap(), ORDERS);
}

#[test]
fn a_step_left_out_is_not_undone() {
    let rig = example("announce", ORDERS);
    edit(&rig, "project/migration.yaml", "dataset.rows == null || dataset.rows > 0", "dataset.bytes > 1000000");
    edit(&rig, "project/migration.yaml", ", approval: true", "");
    // An undo that would be seen.
    edit(&rig, "project/announce.sh", "    rm -f", "    echo taken back >>/out/undone; rm -f");
    let plan = rig.run(["plan", "-f", "project/migration.yaml"]).ended(0).stdout;
    assert!(plan.contains("`announce` is left out of 1 dataset by its condition"), "{plan}");
    apply(&rig, "project/migration.yaml", 0);
    assert_eq!(marks(&rig), ["no view for orders\n"]);
    rig.run(["undo", "r", "--yes"]).ended(0);
    assert_eq!(marks(&rig), ["taken back\n"]);
}

#[test]
fn no_blanks() {
    let rig = example("no-blanks", ORDERS);
    apply(&rig, "project/template.yaml", 0);
    assert_eq!(done(&rig, "forward")[..3], ["custom/blanks", "custom/refuse", "data/expand"]);
    let rig = example("no-blanks", "oid,amount\n1,19.90\n,\n");
    let said = apply(&rig, "project/template.yaml", 1);
    assert!(said.contains("there are too many blank lines"), "{said}");
    let rig = example("no-blanks", "oid,amount\n1,19.90\n,\n");
    rig.run(["apply", "-f", "project/template.yaml", "--set", "most=1", "--run", "r", "--yes"]).ended(0);
}

#[test]
fn commands_are_refused_what_they_were_not_given() {
    let rig = example("announce", ORDERS);
    let state = rig.path("home/state.db").display().to_string();
    let source = rig.path("shop/orders.csv").display().to_string();
    rig.write(
        "project/announce.sh",
        format!("#!/bin/sh\ncat {state} >&2; cat {source} >&2; cat /etc/passwd >&2; env | sort >&2; ls /data >&2; echo bad >{source}; exit 9\n"),
    );
    edit(&rig, "project/migration.yaml", "catalog/publish\n", "catalog/publish\n      retry: {attempts: 1}\n");
    let said = apply(&rig, "project/migration.yaml", 1);
    assert!(said.contains("GL0804") && said.contains("exit code 9"), "{said}");
    let log = fs::read_to_string(rig.path("home/steps/r/orders_v2.announce.log")).unwrap();
    assert_eq!(log.matches("No such file or directory").count(), 4, "{log}");
    assert!(!log.contains("SQLite") && !log.contains("19.90") && !log.contains("GREYLAG"), "{log}");
    assert_eq!(fs::read_to_string(rig.path("shop/orders.csv")).unwrap(), ORDERS);
}

#[test]
fn mistakes_are_told_with_their_place() {
    let rig = example("announce", ORDERS);
    edit(&rig, "project/migration.yaml", "{drop: catalog/cutover}", "{drop: data/verify}");
    edit(&rig, "project/migration.yaml", "uses: custom/announce\n", "uses: custom/anounce\n");
    let said = rig.run(["plan", "-f", "project/migration.yaml"]).ended(1).stderr;
    assert!(said.contains("error[GL0418]: `data/verify` cannot be left out"), "{said}");
    assert!(said.contains("--> project/migration.yaml:31:"), "{said}");
    assert!(said.contains("hint: did you mean `custom/announce`?"), "{said}");
}

#[test]
fn doctor_says_whether_the_sandbox_works() {
    let rig = Rig::new();
    let found = rig.run(["doctor"]).ended(0).stdout;
    assert!(found.lines().any(|line| line.starts_with("sandbox") && line.contains("pass")), "{found}");
    let said = rig.command().args(["doctor"]).env("PATH", "/no/such/folder").output().unwrap();
    let found = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(
        found.lines().any(|line| line.starts_with("sandbox") && line.contains("warn") && line.contains("GL0801")),
        "{found}"
    );
}
