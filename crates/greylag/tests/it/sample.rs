//! `plan --sample`: what it finds, what it does not show, and that it leaves no trace.

use crate::rig::{Rig, Said};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

/// A migration of pairs with the rest of its `spec` as YAML.
fn migration(rig: &Rig, pairs: &[(&str, &str)], spec: &str) {
    let pairs: Vec<String> = pairs.iter().map(|(from, to)| format!("    - {{from: {from}, to: {to}}}\n")).collect();
    let pairs = pairs.concat();
    let head = "apiVersion: greylag.dev/v1alpha1\nkind: Migration\nmetadata: {name: m}\nspec:\n  datasets:\n";
    rig.write("m.yaml", format!("{head}{pairs}{spec}"));
}

fn planned(rig: &Rig, sample: &str) -> Said {
    rig.run(["plan", "-f", "m.yaml", sample])
}

/// Every file and directory below a path: name, mode, time of change, content.
fn listing(root: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    let mut left = vec![root.to_owned()];
    while let Some(path) = left.pop() {
        let metadata = fs::symlink_metadata(&path).unwrap();
        let content = if metadata.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
        let time = (metadata.mtime(), metadata.mtime_nsec());
        lines.push(format!("{} {:o} {time:?} {content:?}", path.display(), metadata.permissions().mode()));
        if metadata.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    lines.sort();
    lines
}

/// Nothing is left of samples in the state folder.
fn assert_no_scratch(rig: &Rig) {
    let left: Vec<_> = fs::read_dir(rig.path("home/scratch")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(left, Vec::<std::path::PathBuf>::new());
}

fn numbers(rows: std::ops::Range<u64>) -> String {
    rows.fold("id,day,note\n".to_owned(), |text, id| {
        let note = if id % 10 == 9 { "free" } else { "12" };
        text + &format!("{id},2026-01-0{},{note}\n", id % 3 + 1)
    })
}

/// A rig whose catalog has `old` as Parquet in Hive partitions by day, made from 1,000 rows of which every tenth has no number
/// in `note`.
fn partitioned() -> Rig {
    let rig = Rig::new();
    rig.write("data/numbers.csv", numbers(0..1000));
    rig.run(["catalog", "import", "data"]).ended(0);
    migration(&rig, &[("numbers", "old")], "  layout: {format: parquet, shape: directory, partitionBy: [day]}\n");
    let plan = rig.run(["plan", "-f", "m.yaml", "-o", "name"]).ended(0).stdout.trim().to_owned();
    rig.run(["apply", &plan]).ended(0);
    rig
}

#[test]
fn a_sample_that_finds_nothing_is_recorded_and_leaves_no_trace() {
    let rig = Rig::new();
    rig.write("data/orders.csv", "uid,amount\n1,10.50\n2,7.25\n3,99.00\n");
    rig.write("data/empty.csv", "uid,amount\n");
    rig.run(["catalog", "import", "data"]).ended(0);
    let columns = "  mapping:\n    columns: [{name: user_id, from: uid}]\n  checks: [{expr: user_id > 0}]\n";
    migration(&rig, &[("orders", "orders_v2")], columns);
    let before = listing(&rig.path("data"));
    let said = planned(&rig, "--sample").ended(0);
    assert!(
        said.stdout.contains("sampled 1 dataset, 3 rows (at most 1,000 each): 1 without findings"),
        "{}",
        said.stdout
    );
    assert_eq!(listing(&rig.path("data")), before);
    assert_no_scratch(&rig);
    let plan = rig.json(["plan", "-f", "m.yaml", "--sample=2"]);
    let sample = &plan["tasks"][0]["sample"];
    assert_eq!((&sample["rows"], &sample["whole"]), (&Value::from(2), &Value::from(false)), "{sample}");
    let checks = sample["checks"].as_array().unwrap();
    assert!(checks.iter().any(|check| check["name"] == "user_id > 0" && check["verdict"] == "pass"), "{sample}");
    assert_eq!(plan["header"]["samples"]["fine"], 1);
    // What was frozen with its sample can be applied.
    rig.run(["apply", plan["header"]["id"].as_str().unwrap()]).ended(0);
    assert!(rig.path("data/orders_v2.csv").exists());
}

#[test]
fn an_empty_dataset_and_one_smaller_than_the_sample() {
    let rig = Rig::new();
    rig.write("data/empty.csv", "uid,amount\n");
    rig.write("data/small.csv", "uid,amount\n1,2\n");
    rig.run(["catalog", "import", "data"]).ended(0);
    migration(&rig, &[("empty", "empty_v2"), ("small", "small_v2")], "  checks: [{maxRows: 1}]\n");
    let plan = rig.json(["plan", "-f", "m.yaml", "--sample=1000000"]);
    let whole: Vec<&Value> = plan["tasks"].as_array().unwrap().iter().map(|task| &task["sample"]["whole"]).collect();
    assert_eq!(whole, [true, true]);
    assert_eq!(plan["header"]["samples"]["fine"], 2, "{}", plan["header"]);
    assert_eq!(planned(&rig, "--sample=0").code, Some(64));
}

#[test]
fn a_value_that_does_not_fit_blocks_its_dataset_and_is_not_shown() {
    let rig = Rig::new();
    rig.write("data/orders.csv", "uid,amount\n1,10.50\n2,sECret\n3,\n4,sECret\n");
    rig.write("data/good.csv", "uid,amount\n1,10.50\n");
    rig.run(["catalog", "import", "data"]).ended(0);
    let columns = "  mapping:\n    columns: [{name: amount, type: 'decimal(8,2)', loss: fail}]\n";
    migration(&rig, &[("orders", "orders_v2"), ("good", "good_v2")], columns);
    rig.run(["plan", "-f", "m.yaml"]).ended(0);
    let said = planned(&rig, "--sample").ended(3);
    let expected = "error[GL0212]: in all 4 rows of `orders`, 2 rows do not fit column `amount` \
                    (text is not of the form that the type has): the first is row 2 of `orders.csv`";
    assert!(said.stdout.contains(expected), "{}", said.stdout);
    assert!(said.stdout.contains("m.yaml:9:"), "the rule of the column is pointed at: {}", said.stdout);
    assert!(said.stdout.contains("1 without findings, 1 blocked"), "{}", said.stdout);
    assert!(!format!("{}{}", said.stdout, said.stderr).contains("sECret"));
    let plan = rig.json(["plan", "-f", "m.yaml", "--sample"]);
    let misfits = &plan["header"]["blocked"][0]["sample"]["misfits"][0];
    assert_eq!((&misfits["column"], &misfits["rows"]), (&Value::from("amount"), &Value::from(2)), "{plan}");
    assert!(!plan.to_string().contains("sECret"));
    // Alone, it leaves nothing to plan.
    migration(&rig, &[("orders", "orders_v2")], columns);
    let said = planned(&rig, "--sample").ended(1);
    assert!(said.stderr.contains("error[GL0212]"), "{}", said.stderr);
    assert_no_scratch(&rig);
}

#[test]
fn partitions_of_parquet_and_what_a_sample_cannot_prove() {
    let rig = partitioned();
    let columns = "  mapping:\n    columns: [{name: note, type: int32, misfit: reject}]\n";
    migration(&rig, &[("old", "new")], &format!("{columns}  checks: [{{maxRejected: 50}}, {{minRows: 1000}}]\n"));
    let said = planned(&rig, "--sample=300").ended(0);
    let lines: Vec<&str> = said.stdout.lines().filter(|line| line.contains("sample")).collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    warning[GL0437]: new: in a sample of 300 of 1,000 rows of `old`, 30 rows are rejected: `note` (30 rows, text is not of the form that the type has, the first is row 4 of `day=2026-01-01/part-00000.parquet`)
    warning[GL0438]: new: in a sample of 300 of 1,000 rows of `old`, `maxRejected` may fail: about 100 rejected rows to be expected, at most 50 wanted
    warning[GL0438]: new: in a sample of 300 of 1,000 rows of `old`, `minRows` may fail: about 900 rows to be expected, at least 1,000 wanted
    sampled 1 dataset, 300 rows (at most 300 each): 0 without findings, 1 with warnings
    ");
    // Among all rows there are more rejected ones than the check allows: now it is certain.
    let said = planned(&rig, "--sample").ended(1);
    assert!(said.stderr.contains("in all 1,000 rows of `old`, the check `maxRejected` fails"), "{}", said.stderr);
}

#[test]
fn a_file_that_cannot_be_read_stops_only_its_dataset() {
    let rig = partitioned();
    let file = fs::read_dir(rig.path("data/old")).unwrap().map(|entry| entry.unwrap().path()).min().unwrap();
    let file = fs::read_dir(file).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&file).unwrap();
    bytes[4..60].fill(0xff);
    fs::write(&file, bytes).unwrap();
    migration(&rig, &[("old", "new"), ("numbers", "numbers_v2")], "  layout: {format: parquet}\n");
    rig.run(["plan", "-f", "m.yaml"]).ended(0);
    let said = planned(&rig, "--sample").ended(3);
    assert!(said.stdout.contains("x old → new  blocked"), "{}", said.stdout);
    assert!(said.stdout.contains("the rows of `old` cannot be had: "), "{}", said.stdout);
    assert!(said.stdout.contains("sampled 1 dataset, 1,000 rows"), "{}", said.stdout);
    assert_no_scratch(&rig);
}

#[test]
fn what_a_killed_process_left_is_removed_by_the_next_and_by_gc() {
    let rig = Rig::new();
    rig.write("data/orders.csv", "uid\n1\n");
    rig.run(["catalog", "import", "data"]).ended(0);
    migration(&rig, &[("orders", "orders_v2")], "");
    rig.write("home/scratch/1-1/0/data", "left");
    planned(&rig, "--sample").ended(0);
    assert_no_scratch(&rig);
    rig.write("home/scratch/1-1/0/data", "left");
    let said = rig.run(["gc", "--dry-run"]).ended(0);
    assert!(said.stdout.contains("scratch/1-1"), "{}", said.stdout);
    assert!(rig.path("home/scratch/1-1/0/data").exists());
    rig.run(["gc"]).ended(0);
    assert_no_scratch(&rig);
}

#[test]
fn an_estate_with_a_known_truth_gives_no_false_alarm() {
    for seed in [3, 4] {
        let rig = Rig::with_estate(seed, 24);
        let before = listing(&rig.path("estate"));
        for sample in ["--sample", "--sample=7"] {
            let said = rig.run(["plan", "-f", "estate/migrations", "-o", "ndjson", sample]).ended(0);
            let plans: Vec<Value> = said.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            let plans: Vec<&Value> = plans.iter().filter(|plan| plan.get("header").is_some()).collect();
            let datasets: u64 = plans.iter().map(|plan| plan["header"]["samples"]["datasets"].as_u64().unwrap()).sum();
            assert_eq!(datasets, 24, "{}", said.stdout);
            for task in plans.iter().flat_map(|plan| plan["tasks"].as_array().unwrap()) {
                let doubts = task["warnings"].as_array().into_iter().flatten();
                let doubts = doubts.filter(|warning| warning["code"] == "GL0438" || warning["code"] == "GL0439");
                assert_eq!(doubts.collect::<Vec<_>>(), Vec::<&Value>::new(), "{}", task["id"]);
            }
        }
        assert_eq!(listing(&rig.path("estate")), before, "an estate is only looked at");
        assert_no_scratch(&rig);
    }
}
