//! The commands by hand, as the README's tour has them.

use crate::rig::Rig;
use std::ffi::OsStr;

const ORDERS: &str = "uid,amount,note\n1,10.50,first\n2,7.25,\n3,99.00,\"with, comma\"\n";

const MIGRATION: &str = "\
apiVersion: greylag.dev/v1alpha1
kind: Migration
metadata:
  name: orders-v2
spec:
  datasets:
    - {from: orders, to: orders_v2}
  mapping:
    columns:
      - {name: user_id, from: uid}
    drop:
      - {name: note, reason: unused since 2024}
";

fn import_and_plan(rig: &Rig) -> String {
    rig.write("data/orders.csv", ORDERS);
    let migration = rig.write("orders.yaml", MIGRATION);
    rig.run(["catalog", "import", "data"]).ended(0);
    let said =
        rig.run([OsStr::new("plan"), OsStr::new("-o"), OsStr::new("name"), OsStr::new("-f"), migration.as_os_str()]);
    said.ended(0).stdout.trim().to_owned()
}

#[test]
fn three_commands_migrate_a_directory_of_ones_own() {
    let rig = Rig::new();
    let plan = import_and_plan(&rig);
    rig.run(["apply", &plan]).ended(0);
    let text = std::fs::read_to_string(rig.path("data/orders_v2.csv")).unwrap();
    assert_eq!(text.lines().next(), Some("user_id,amount"));
    assert_eq!(text.lines().count(), 4);
    assert_eq!(std::fs::read_to_string(rig.path("data/orders.csv")).unwrap(), ORDERS, "the old one is untouched");
    let status = rig.json(["status"]);
    assert_eq!(status["run"]["counters"]["succeeded"], 1);
    let shown = rig.json(["catalog", "show", "orders_v2"]);
    assert_eq!(shown["ref"], "resource:default/orders_v2");
}

#[test]
fn undo_gives_back_what_was_there() {
    let rig = Rig::new();
    let plan = import_and_plan(&rig);
    rig.run(["apply", &plan]).ended(0);
    rig.run(["undo", "orders-v2-1", "--dry-run"]).ended(0);
    assert!(rig.path("data/orders_v2.csv").exists(), "a dry run takes nothing back");
    rig.run(["undo", "orders-v2-1", "--yes"]).ended(0);
    let left: Vec<String> = std::fs::read_dir(rig.path("data"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(left, ["orders.csv"]);
    assert_eq!(std::fs::read_to_string(rig.path("data/orders.csv")).unwrap(), ORDERS);
}

#[test]
fn a_plan_whose_source_changed_is_refused() {
    let rig = Rig::new();
    let plan = import_and_plan(&rig);
    rig.write("data/orders.csv", "uid,amount,note,extra\n1,2.0,x,y\n");
    let said = rig.run(["apply", &plan]).ended(5);
    assert!(said.stderr.contains("error[GL0441]"), "{}", said.stderr);
    assert!(!rig.path("data/orders_v2.csv").exists());
}

#[test]
fn exit_codes_are_those_of_the_manual() {
    let rig = Rig::new();
    rig.run(["no-such-command"]).ended(64);
    rig.run(["explain", "GL9999"]).ended(1);
    rig.run(["explain", "GL0101"]).ended(0);
    rig.run(["status", "nobody"]).ended(1);
    import_and_plan(&rig);
    rig.run(["plan", "-f", "orders.yaml", "--detailed-exitcode"]).ended(2);
    rig.run(["--help"]).ended(0);
}

#[test]
fn json_is_versioned_and_streams_begin_with_their_version() {
    let rig = Rig::new();
    let plan = import_and_plan(&rig);
    assert_eq!(rig.json(["plans"])["version"], "1.0");
    rig.run(["apply", &plan]).ended(0);
    let said = rig.run(["logs", "-o", "ndjson"]).ended(0);
    let first: serde_json::Value = serde_json::from_str(said.stdout.lines().next().unwrap()).unwrap();
    assert_eq!(first["type"], "version");
}
