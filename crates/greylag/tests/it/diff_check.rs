//! `diff` checks of a migration, on the real binary: what a plan says of them, what a run finds, and how it is looked into.

use crate::rig::Rig;
use serde_json::Value;
use std::fs;

const ORDERS: &str = "oid,amount,note\n1,19.90,a\n2,250.00,sECret\n3,7.25,\n";
const REFERENCE: &str = "id,amount,note,by\n1,19.9,a,ada\n2,250,other,ada\n4,7.25,,ada\n";

/// A rig with the dataset `orders`, a reference beside the migration, and a migration with these checks as YAML.
fn rig(checks: &str) -> Rig {
    let rig = Rig::new();
    rig.write("shop/orders.csv", ORDERS);
    rig.write("project/finance/orders.csv", REFERENCE);
    rig.run(["catalog", "import", "shop"]).ended(0);
    rig.write(
        "project/m.yaml",
        format!(
            "apiVersion: greylag.dev/v1alpha1\nkind: Migration\nmetadata: {{name: m}}\nspec:\n  \
             datasets: [{{from: orders, to: orders_v2}}]\n  layout: {{format: parquet}}\n  \
             mapping: {{columns: [{{name: id, from: oid}}]}}\n  checks:\n{checks}"
        ),
    );
    rig
}

const BY_SOURCE: &str = "    - diff: {key: [id]}\n";
const BY_REFERENCE: &str =
    "    - name: as finance has it\n      diff: {with: ./finance/orders.csv, key: [id], ignore: [by]}\n";

/// The result of a check, as the journal has it last.
fn result(rig: &Rig, run: &str, name: &str) -> Value {
    let said = rig.run(["logs", run, "-o", "ndjson"]).ended(0);
    let events = said.stdout.lines().skip(1).map(|line| serde_json::from_str::<Value>(line).unwrap());
    let checks = events.filter_map(|event| event["checks"].as_array().cloned()).flatten();
    checks.filter(|check| check["name"] == name).last().unwrap()
}

/// Where the dataset is staged that will have this name.
fn staged(rig: &Rig, name: &str) -> String {
    let entries = fs::read_dir(rig.path("shop")).unwrap().map(|entry| entry.unwrap().path().display().to_string());
    entries.filter(|path| path.contains(&format!(".{name}.")) && path.contains(".greylag-")).min().unwrap()
}

#[test]
fn what_differs_is_not_published_and_the_hint_shows_the_same() {
    let rig = rig(&format!("{BY_SOURCE}{BY_REFERENCE}"));
    let said = rig.run(["apply", "-f", "project/m.yaml", "--run", "r", "--yes"]).ended(1);
    let text = said.stdout + &said.stderr;
    assert!(!rig.path("shop/orders_v2.parquet").exists());
    assert!(text.contains("GL0513"), "{text}");
    assert!(!text.contains("sECret"), "no values of rows are shown: {text}");
    assert_eq!(result(&rig, "r", "diff")["verdict"], "pass");
    let failed = result(&rig, "r", "as finance has it");
    let detail = failed["detail"].as_str().unwrap();
    assert!(detail.contains("1 rows the same, 1 changed, 1 only there, 1 only in the new dataset"), "{detail}");
    // Keys are named in a file, without values.
    let file = rig.path("home/rejected/r/orders_v2.diff-1.jsonl");
    assert!(detail.contains(&file.display().to_string()), "{detail}");
    let named = fs::read_to_string(file).unwrap();
    assert!(named.lines().count() == 3 && !named.contains("sECret") && !named.contains("other"), "{named}");
    // The command of the hint shows the rows.
    let hint = failed["hint"].as_str().unwrap();
    let command = hint.split('`').nth(1).unwrap();
    let shown = rig.shell(command, None);
    assert!(shown.contains("~ id=2  note: other → sECret\n+ id=3\n- id=4\n"), "{command}\n{shown}");
    // Mended, the run goes on.
    rig.write("project/finance/orders.csv", "id,amount,note,by\n3,7.25,,x\n1,19.9,a,x\n2,250,sECret,x\n");
    rig.run(["retry", "r", "--failed"]).ended(0);
    assert!(rig.path("shop/orders_v2.parquet").exists());
    assert!(!rig.path("home/rejected/r/orders_v2.diff-1.jsonl").exists());
}

#[test]
fn what_is_staged_can_be_compared_by_its_path() {
    let rig = rig(BY_SOURCE);
    let text = fs::read_to_string(rig.path("project/m.yaml")).unwrap();
    // A hidden name that tells of CSV only by what it will be called.
    rig.write("project/m.yaml", text.replace("format: parquet", "format: csv"));
    let (said, _) = rig.run_with_faults("data/verify:in-effect@1=kill", &["apply", "-f", "project/m.yaml", "--yes"]);
    assert!(said.killed);
    let command = format!("greylag diff orders {} --mapping project/m.yaml --key id", staged(&rig, "orders_v2"));
    let shown = rig.shell(&command, None);
    assert!(shown.contains("equal; 3 rows the same"), "{command}\n{shown}");
}

#[test]
fn a_run_that_was_killed_in_a_diff_goes_on_with_it() {
    let rig = rig(BY_SOURCE);
    let diffs = || fs::read_dir(rig.path("home/diffs")).map_or(0, Iterator::count);
    for point in ["data/verify:in-diff@1=kill", "data/verify:in-diff@1=kill", "data/verify:in-diff@2=kill"] {
        let begun = rig.path("home/diffs").exists();
        let apply: &[&str] = &["apply", "-f", "project/m.yaml", "--run", "r", "--yes"];
        let args = if begun { &["resume", "r"] } else { apply };
        let (said, fired) = rig.run_with_faults(point, args);
        assert!(said.killed, "{point}: {}{}", said.stdout, said.stderr);
        assert_eq!(fired.len(), 1);
        assert_eq!(diffs(), 1, "what was done is kept, under one name");
    }
    rig.run(["resume", "r"]).ended(0);
    assert_eq!(diffs(), 0);
    assert_eq!(result(&rig, "r", "diff")["verdict"], "pass");
}

#[test]
fn plans_say_what_cannot_be_compared_and_where_it_stands() {
    let rig = rig("    - diff: {with: ./finance/orders.csv, key: [uid]}\n    - name: b\n      diff: {with: nobody}\n");
    let said = rig.run(["plan", "-f", "project/m.yaml"]).ended(1);
    assert!(said.stderr.contains("has no column `uid`\n  --> project/m.yaml:9:48"), "{}", said.stderr);
    assert!(said.stderr.contains("the catalog has no dataset `nobody`\n  --> project/m.yaml:11:20"), "{}", said.stderr);
    assert!(said.stderr.contains("a path begins with `/`, `./` or `../`"), "{}", said.stderr);
    let rig = self::rig("    - diff: {with: ./finance/nothing.csv}\n");
    let said = rig.run(["plan", "-f", "project/m.yaml"]).ended(1);
    assert!(said.stderr.contains("project/finance/nothing.csv"), "{}", said.stderr);
    // A reference that changes afterwards is not compared with.
    let rig = self::rig(BY_REFERENCE);
    let plan = rig.run(["plan", "-f", "project/m.yaml", "-o", "name"]).ended(0).stdout.trim().to_owned();
    rig.write("project/finance/orders.csv", "id,amount\n1,19.9\n");
    let said = rig.run(["apply", &plan]).ended(1);
    let text = said.stdout + &said.stderr;
    assert!(text.contains("GL0673"), "{text}");
}

#[test]
fn samples_say_that_it_is_not_run() {
    let rig = rig(&format!("{BY_SOURCE}{BY_REFERENCE}"));
    let said = rig.run(["plan", "-f", "project/m.yaml", "--sample"]).ended(0);
    assert!(said.stdout.contains("`diff` checks of 1 dataset compare all rows: not run on samples"), "{}", said.stdout);
}

#[test]
fn a_template_checks_every_dataset_that_it_takes() {
    let rig = Rig::new();
    rig.write("shop/orders.csv", ORDERS);
    rig.write("shop/returns.csv", "oid,amount,note\n7,1.5,x\n7,1.5,x\n");
    rig.run(["catalog", "import", "shop"]).ended(0);
    rig.write(
        "t.yaml",
        "apiVersion: greylag.dev/v1alpha1\nkind: MigrationTemplate\nmetadata: {name: t}\nspec:\n  select: 'true'\n  \
         to: ${{ dataset.name }}_v2\n  rules:\n    - {name: ids, match: {name: oid}, set: {name: id}}\n  \
         checks:\n    - diff: {key: [id]}\n",
    );
    let apply = ["apply", "-f", "t.yaml", "--run", "r", "--yes"];
    assert!(rig.run_with_faults("data/verify:in-effect@1=kill", &apply).0.killed);
    // The command takes the template, too.
    let command = format!("greylag diff orders {} --mapping t.yaml --key id", staged(&rig, "orders_v2"));
    let shown = rig.shell(&command, None);
    assert!(shown.contains("equal; 3 rows the same"), "{command}\n{shown}");
    rig.run(["resume", "r"]).ended(0);
    assert!(result(&rig, "r", "diff")["detail"].as_str().unwrap().contains("0 changed"));
}
