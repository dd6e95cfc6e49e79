//! JSON lines and Avro by the commands that people use: scan, sample, apply, kill, diff, undo.

use crate::rig::Rig;
use std::fmt::Write as _;
use std::fs;

/// `name` from one dataset to another, in a format.
fn migration(name: &str, from: &str, to: &str, layout: &str, mapping: &str) -> String {
    format!(
        "apiVersion: greylag.dev/v1alpha1\nkind: Migration\nmetadata: {{name: {name}}}\nspec:\n  datasets:\n    \
         - {{from: {from}, to: {to}}}\n  layout: {{format: {layout}}}\n  mapping:\n    {mapping}\n"
    )
}

fn lines(rows: std::ops::Range<u64>) -> String {
    let mut text = String::new();
    for id in rows {
        let note = if id % 3 == 0 { String::new() } else { format!(",\"note\":\"ü \\\"{id}\\\"\"") };
        let _ = writeln!(
            text,
            "{{\"id\":{},\"share\":{}.25,\"tags\":[\"a\",null],\"place\":{{\"x\":{id},\"on\":{}}}{note}}}",
            9_007_199_254_740_993 + id,
            id,
            id % 2 == 0
        );
    }
    text
}

fn run(rig: &Rig, name: &str, text: &str) -> String {
    rig.write(&format!("{name}.yaml"), text);
    let file = format!("{name}.yaml");
    let plan = rig.run(["plan", "--sample", "-o", "name", "-f", &file]).ended(0);
    rig.run(["apply", plan.stdout.trim()]).ended(0);
    plan.stdout
}

#[test]
fn json_lines_become_avro_and_json_lines_again() {
    let rig = Rig::new();
    rig.write("data/events/day=2024-01-01/a.jsonl", lines(0..40));
    rig.write("data/events/day=2024-01-02/a.jsonl", lines(40..90));
    rig.write("data/settings.json", "{\n  \"not\": \"a dataset\"\n}\n");
    rig.write("data/broken.jsonl", "{\"a\":1}\n{\"a\":}\n");
    let said = rig.run(["catalog", "import", "data"]);
    assert!(said.stdout.contains("1 added"), "{}\n{}", said.stdout, said.stderr);
    assert!(said.stderr.contains("GL0630") && said.stderr.contains("line 2, byte 6"), "{}", said.stderr);
    assert!(!format!("{}{}", said.stdout, said.stderr).contains("settings"), "{}", said.stderr);
    run(&rig, "one", &migration("one", "events", "events_v2", "avro", "columns: [{name: key, from: id}]"));
    let note = fs::read_to_string(rig.path("data/events.sql")).unwrap();
    assert!(note.contains("\"id\" = \"key\""), "{note}");
    assert!(fs::read_dir(rig.path("data/events_v2/day=2024-01-02")).unwrap().count() > 0);
    // What was published is known with its types, and can be the next source.
    run(&rig, "two", &migration("two", "events_v2", "events_v3", "json", "columns: [{name: id, from: key}]"));
    rig.run(["diff", "events", "events_v3", "--key", "id"]).ended(0);
    let file = fs::read_dir(rig.path("data/events_v3/day=2024-01-01")).unwrap().next().unwrap().unwrap().path();
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(text.lines().count(), 40);
    assert!(text.starts_with("{\"id\":9007199254740993,"), "{}", &text[..80]);
    rig.run(["undo", "two-1", "--yes"]).ended(0);
    assert!(!rig.path("data/events_v3").exists());
}

#[test]
fn a_run_that_is_killed_goes_on_with_avro_and_json_lines() {
    for (format, file) in [("avro", "data/orders_v2.avro"), ("json", "data/orders_v2.jsonl")] {
        let rig = Rig::new();
        rig.write("data/orders.jsonl", lines(0..500));
        rig.run(["catalog", "import", "data"]).ended(0);
        rig.write("m.yaml", migration("m", "orders", "orders_v2", format, "unmapped: keep"));
        let plan = rig.run(["plan", "-o", "name", "-f", "m.yaml"]).ended(0).stdout;
        let (said, fired) = rig.run_with_faults("data/backfill:in-effect@1=kill", &["apply", plan.trim()]);
        assert!(said.killed && fired.len() == 1, "{}", said.stderr);
        assert!(!rig.path(file).exists());
        rig.run(["resume", "m-1"]).ended(0);
        rig.run(["diff", "orders", "orders_v2"]).ended(0);
        assert!(rig.path(file).exists());
    }
}
