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

#[test]
fn names_that_are_nearly_right_are_suggested() {
    let rig = Rig::new();
    let plan = import_and_plan(&rig);
    rig.run(["apply", &plan]).ended(0);
    for (args, hint) in [
        (&["status", "orders-v3-1"][..], "hint: did you mean `orders-v2-1`?"),
        (&["status", "--task", "order_v2"], "hint: did you mean `orders_v2`?"),
        (&["logs", "--task", "orders_v"], "hint: did you mean `orders_v2`?"),
        (&["retry", "orders", "--task", "ordersv2"], "hint: did you mean `orders_v2`?"),
        (&["statsu"], "hint: a similar subcommand exists: `status`"),
        (&["runs", "--limt", "3"], "hint: a similar argument exists: `--limit`"),
    ] {
        let said = rig.run(args);
        assert!(said.stderr.contains(hint), "{args:?}: {}", said.stderr);
        assert!(said.stderr.starts_with("error[GL"), "{args:?}: {}", said.stderr);
        assert_eq!(said.stdout, "", "{args:?}: errors are no data");
        assert_ne!(said.code, Some(0));
    }
}

#[test]
fn without_a_command_the_help_is_shown_and_it_is_wrong_usage() {
    let rig = Rig::new();
    for args in [&[][..], &["catalog"]] {
        let said = rig.run(args).ended(64);
        assert!(said.stderr.contains("Usage: greylag") && said.stderr.contains("import"), "{}", said.stderr);
        assert!(!said.stderr.contains("\n  reader"), "what is not for people is not shown: {}", said.stderr);
    }
}

#[test]
fn wrong_usage_is_json_for_programs() {
    let rig = Rig::new();
    let said = rig.run(["runs", "-o", "json", "--bogus"]).ended(64);
    let error: serde_json::Value = serde_json::from_str(said.stderr.lines().next().unwrap()).unwrap();
    assert_eq!(error["code"], "GL0002", "{error}");
}

#[test]
fn help_is_the_manual_and_shows_nothing_of_the_machine() {
    let rig = Rig::new();
    for command in ["plan", "apply", "status", "wait", "logs", "retry", "undo", "gc"] {
        let said = rig.run([command, "--help"]).ended(0);
        assert!(said.stdout.contains("Examples:\n"), "{command}: {}", said.stdout);
        assert!(said.stdout.contains("Options of every command:\n"), "{command}: {}", said.stdout);
        assert!(!said.stdout.contains(&*rig.path("home").to_string_lossy()), "{command}: {}", said.stdout);
    }
}

#[test]
fn nothing_to_list_is_said_beside_the_data() {
    let rig = Rig::new();
    for command in ["runs", "plans"] {
        let said = rig.run([command]).ended(0);
        assert_eq!((said.stdout.as_str(), said.stderr), ("", format!("no {command}\n")));
        assert_eq!(rig.json([command])["items"], serde_json::json!([]));
    }
}

#[test]
fn nothing_is_coloured_in_a_pipe_unless_that_is_asked_for() {
    let rig = Rig::new();
    let plan = import_and_plan(&rig);
    let escape = '\u{1b}';
    let told = |args: &[&str]| rig.run(args.iter().copied().chain(["-f", "orders.yaml"]));
    assert!(!told(&["plan"]).stdout.contains(escape));
    assert!(told(&["plan", "--color", "always"]).stdout.contains(escape));
    assert!(!told(&["plan", "--color", "never"]).stdout.contains(escape));
    let said = rig.run(["apply", &plan]).ended(0);
    assert!(!said.stderr.contains(escape), "{}", said.stderr);
    assert!(!rig.run(["status", "nobody"]).stderr.contains(escape));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let rig = Rig::new();
    let plan = import_and_plan(&rig);
    rig.run(["apply", &plan]).ended(0);
    for args in [&["explain"][..], &["logs"], &["status", "-o", "json"], &["completion", "bash"]] {
        let mut child = rig.command().args(args).stdout(std::process::Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        assert_eq!(child.wait().unwrap().code(), Some(0), "{args:?}");
    }
}

#[test]
fn what_a_state_does_not_allow_is_told_with_what_would_help() {
    let rig = Rig::new();
    let plan = import_and_plan(&rig);
    rig.run(["apply", &plan]).ended(0);
    for (args, code) in [
        (&["pause", "orders-v2-1"][..], "GL0509"),
        (&["resume", "orders-v2-1"], "GL0509"),
        (&["abort", "orders-v2-1", "--yes"], "GL0509"),
        (&["approve", "orders-v2-1", "--yes"], "GL0018"),
        (&["retry", "orders-v2-1", "--failed"], "GL0018"),
    ] {
        let said = rig.run(args).ended(1);
        assert!(said.stderr.contains(&format!("error[{code}]")) && said.stderr.contains("hint:"), "{}", said.stderr);
    }
    let said = rig.run(["undo", "orders-v2-1"]).ended(5);
    assert!(said.stderr.contains("nobody is there to confirm: Take back orders-v2-1"), "{}", said.stderr);
}

#[test]
fn wait_says_in_json_what_it_waited_for() {
    let rig = Rig::new();
    let plan = import_and_plan(&rig);
    let recorded = rig.json(["apply", &plan, "--record-only"]);
    assert_eq!((&recorded["kind"], &recorded["run"]["state"]), (&"run".into(), &"planned".into()));
    let said = rig.run(["wait", "--timeout", "1ms", "-o", "json"]).ended(3);
    assert_eq!((&said.json()["met"], &said.json()["outcome"]), (&false.into(), &"incomplete".into()));
    assert!(said.stderr.contains("GL0019"), "{}", said.stderr);
    rig.run(["resume"]).ended(0);
    let said = rig.run(["wait", "--for", "succeeded", "-o", "json"]).ended(0);
    assert_eq!((&said.json()["met"], &said.json()["outcome"]), (&true.into(), &"done".into()));
    let said = rig.run(["wait", "--for", "undone"]).ended(3);
    assert!(said.stderr.contains("GL0018"), "{}", said.stderr);
}

#[test]
fn applying_a_file_shows_the_plan_before_it_asks() {
    let rig = Rig::new();
    import_and_plan(&rig);
    let said = rig.run(["apply", "-f", "orders.yaml"]).ended(5);
    assert!(said.stdout.contains("~ uid → user_id  rename"), "{}", said.stdout);
    assert!(said.stderr.contains("nobody is there to confirm: Migrate 1 dataset"), "{}", said.stderr);
    rig.run(["apply", "-f", "orders.yaml", "--yes"]).ended(0);
}

const CHECKED: &str = "\
apiVersion: greylag.dev/v1alpha1
kind: Migration
metadata: {name: checked}
spec:
  datasets: [{from: orders, to: orders_v2}]
  through: publish
  mapping:
    columns: [{name: user_id, from: uid}]
  checks:
    - {name: amounts are positive, expr: amount > 0}
";

/// Directories in which something is staged.
fn staged(rig: &Rig) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(rig.path("data")).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with('.')).collect()
}

fn failing_check(rig: &Rig) -> String {
    rig.write("data/orders.csv", "uid,amount\n1,5\n2,-1\n");
    rig.write("checked.yaml", CHECKED);
    rig.run(["catalog", "import", "data"]).ended(0);
    let plan = rig.run(["plan", "-o", "name", "-f", "checked.yaml"]).ended(0).stdout.trim().to_owned();
    let said = rig.run(["apply", &plan]).ended(1);
    let kept = staged(rig);
    assert_eq!(kept.len(), 1, "{kept:?}");
    let status = rig.run(["status", "checked-1", "--failed"]).stdout;
    for told in [&said.stderr, &status] {
        assert!(told.contains("amounts are positive"), "{told}");
    }
    let whole = rig.run(["status", "checked-1", "-o", "json"]).stdout + &rig.run(["logs", "checked-1"]).stdout;
    assert!(whole.contains(&*kept[0].to_string_lossy()), "{whole}");
    assert!(!rig.path("data/orders_v2.csv").exists());
    plan
}

#[test]
fn what_fails_a_check_is_kept_for_a_look_and_made_anew_once_it_is_mended() {
    let rig = Rig::new();
    failing_check(&rig);
    rig.write("data/orders.csv", "uid,amount\n1,5\n2,7\n");
    rig.run(["retry", "checked-1", "--failed"]).ended(0);
    assert_eq!(std::fs::read_to_string(rig.path("data/orders_v2.csv")).unwrap(), "user_id,amount\n1,5\n2,7\n");
    assert_eq!(staged(&rig), Vec::<std::path::PathBuf>::new());
}

#[test]
fn gc_and_undo_remove_what_failed_a_check() {
    let rig = Rig::new();
    failing_check(&rig);
    let would = rig.run(["gc", "--dry-run"]).ended(0).stdout;
    assert!(would.contains("so not published"), "{would}");
    assert_eq!(staged(&rig).len(), 1);
    rig.run(["gc"]).ended(0);
    assert_eq!(staged(&rig), Vec::<std::path::PathBuf>::new());
    // Nothing is lost by that but time.
    rig.run(["retry", "checked-1", "--failed"]).ended(1);
    assert_eq!(staged(&rig).len(), 1);
    rig.run(["undo", "checked-1", "--yes"]).ended(0);
    assert_eq!(staged(&rig), Vec::<std::path::PathBuf>::new());
}
