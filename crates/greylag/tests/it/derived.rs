//! Derived datasets with the binary: the writer is a script in the sandbox.

use crate::rig::Rig;
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// Sums orders by day and shop, from `since` on.
const WRITER: &str = r#"#!/bin/sh
read -r step
since=$(printf '%s' "$step" | sed -n 's/.*"since":"\([^"]*\)".*/\1/p')
echo 'day,shop,amount' >/out/part.csv
cat /data/reads/orders/*.csv | awk -F, -v since="$since" '
  $2 ~ /^20/ && $2 >= since { sum[$2 "," $3] += $4 EXTRA }
  END { for (key in sum) print key "," sum[key] }' | sort >>/out/part.csv
echo '{"result": {}}'
"#;

/// Orders of the days 3 to 6, and their old sums of the days 1 to 5, of which the last was not over.
fn rig(derived: &str, extra: &str) -> Rig {
    let rig = Rig::new();
    rig.write("data/orders/a.csv", "id,day,shop,cents\n1,2026-03-03,x,30\n2,2026-03-04,x,15\n3,2026-03-04,x,25\n");
    rig.write("data/orders/b.csv", "id,day,shop,cents\n4,2026-03-05,x,50\n5,2026-03-05,y,7\n6,2026-03-06,x,60\n");
    rig.write(
        "data/revenue/part.csv",
        "day,shop,cents\n2026-03-01,x,10\n2026-03-02,x,20\n2026-03-03,x,30\n2026-03-04,x,40\n2026-03-05,x,1\n",
    );
    let script = rig.write("revenue.sh", WRITER.replace("EXTRA", extra));
    fs::set_permissions(script, PermissionsExt::from_mode(0o755)).unwrap();
    rig.write(
        "m.yaml",
        format!(
            "apiVersion: greylag.dev/v1alpha1
kind: Migration
metadata: {{name: shop}}
spec:
  datasets:
    - from: revenue
      to: revenue_v2
      derived:
        writer: revenue
        reads: [orders]
        {derived}
    - {{from: orders, to: orders_v2}}
  mapping:
    columns: [{{name: amount, from: cents}}]
  commands:
    - {{name: revenue, run: [./revenue.sh], readOnly: true}}
  through: publish
"
        ),
    );
    rig.run(["catalog", "import", "data"]).ended(0);
    rig
}

const BACKFILL: &str = "history: backfill\n        watermark: day\n        overlap: 2d\n        key: [day, shop]";

/// Rows of the new revenue.
fn revenue(rig: &Rig) -> Vec<String> {
    let mut all = Vec::new();
    for entry in fs::read_dir(rig.path("data/revenue_v2")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        assert_eq!(text.lines().next(), Some("day,shop,amount"));
        all.extend(text.lines().skip(1).map(str::to_owned));
    }
    all.sort();
    all
}

const PAST: [&str; 4] = ["2026-03-01,x,10", "2026-03-02,x,20", "2026-03-03,x,30", "2026-03-04,x,40"];
const FUTURE: [&str; 3] = ["2026-03-05,x,50", "2026-03-05,y,7", "2026-03-06,x,60"];

#[test]
fn the_past_is_converted_and_the_writer_makes_the_rest() {
    let rig = rig(BACKFILL, "");
    let said = rig.run(["plan", "-f", "m.yaml"]).ended(0);
    assert!(
        said.stdout.contains("made by `revenue` from orders_v2; the past up to the last `day` is converted"),
        "{}",
        said.stdout
    );
    rig.run(["apply", "-f", "m.yaml", "--yes"]).ended(0);
    assert_eq!(revenue(&rig), [&PAST[..], &FUTURE].concat());
    // What it reads was there first.
    let log = rig.run(["logs", "shop-1"]).ended(0).stdout;
    let at =
        |words: &str| log.lines().position(|line| line.contains(words)).unwrap_or_else(|| panic!("{words} in {log}"));
    assert!(at("orders_v2  data/publish done") < at("revenue_v2  data/expand started"), "{log}");
    let compared = rig.run(["logs", "shop-1", "--task", "revenue_v2", "-o", "ndjson"]).ended(0).stdout;
    assert!(compared.contains(r#""name":"history","verdict":"pass""#), "{compared}");
    rig.run(["undo", "shop-1", "--yes"]).ended(0);
    assert_eq!(fs::read_dir(rig.path("data")).unwrap().count(), 2, "only the old datasets are left");
}

#[test]
fn a_writer_that_makes_other_rows_in_the_overlap_is_found_and_nothing_is_published() {
    let rig = rig(BACKFILL, "+ ($2 == \"2026-03-03\")");
    rig.run(["apply", "-f", "m.yaml", "--yes"]).ended(3);
    assert!(!rig.path("data/revenue_v2").exists());
    let said = rig.run(["status", "shop-1"]);
    assert!(said.stdout.contains("history") && said.stdout.contains("GL0513"), "{}", said.stdout);
    // Mended, it goes on.
    let script = rig.write("revenue.sh", WRITER.replace("EXTRA", ""));
    fs::set_permissions(script, PermissionsExt::from_mode(0o755)).unwrap();
    rig.run(["undo", "shop-1", "--yes"]).ended(0);
    rig.run(["apply", "-f", "m.yaml", "--yes"]).ended(0);
    assert_eq!(revenue(&rig), [&PAST[..], &FUTURE].concat());
}

/// The example, as it stands.
#[test]
fn the_example_is_what_it_says() {
    let rig = Rig::new();
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/derived");
    for name in ["migration.yaml", "revenue.py"] {
        rig.write(&format!("project/{name}"), fs::read(format!("{example}/{name}")).unwrap());
    }
    rig.write("data/orders_v1/a.csv", "id,day,shop,cents\n1,2026-03-04,x,40\n2,2026-03-05,x,50\n3,2026-03-06,x,60\n");
    rig.write("data/revenue_v1/a.csv", "day,shop,cents\n2026-02-01,x,10\n2026-03-04,x,40\n2026-03-05,x,1\n");
    rig.run(["catalog", "import", "data"]).ended(0);
    rig.run(["apply", "-f", "project/migration.yaml", "--yes"]).ended(0);
    assert_eq!(revenue(&rig), ["2026-02-01,x,10", "2026-03-04,x,40", "2026-03-05,x,50", "2026-03-06,x,60"]);
}

#[test]
fn a_rerun_has_to_give_what_the_mapping_gives() {
    let rig = rig("history: rerun\n        key: [day, shop]", "");
    // The old one covers the same orders, all of them.
    rig.write(
        "data/revenue/part.csv",
        "day,shop,cents\n2026-03-03,x,30\n2026-03-04,x,40\n2026-03-05,x,50\n2026-03-05,y,7\n2026-03-06,x,60\n",
    );
    rig.run(["apply", "-f", "m.yaml", "--yes"]).ended(0);
    assert_eq!(revenue(&rig), [&PAST[2..], &FUTURE].concat());
    let log = rig.run(["logs", "--task", "revenue_v2", "-o", "ndjson"]).ended(0).stdout;
    assert!(log.contains(r#""name":"history","verdict":"pass""#) && !log.contains(r#""name":"reverse""#), "{log}");
    rig.run(["undo", "shop-1", "--yes"]).ended(0);
    rig.write("data/revenue/part.csv", "day,shop,cents\n2026-03-03,x,31\n");
    rig.run(["apply", "-f", "m.yaml", "--yes"]).ended(3);
    assert!(!rig.path("data/revenue_v2").exists());
}

#[test]
fn without_a_past_the_dataset_begins_at_the_watermark() {
    let rig = rig("history: none\n        watermark: day", "");
    rig.run(["apply", "-f", "m.yaml", "--yes"]).ended(0);
    assert_eq!(revenue(&rig), FUTURE);
}

#[test]
fn what_a_writer_leaves_undone_is_an_error_with_its_cure() {
    // A row that nobody can place.
    let rig = rig(BACKFILL, "");
    let script =
        rig.write("revenue.sh", "#!/bin/sh\nprintf 'day,shop,amount\\n,x,1\\n' >/out/a.csv\necho '{\"result\": {}}'\n");
    fs::set_permissions(script, PermissionsExt::from_mode(0o755)).unwrap();
    rig.run(["apply", "-f", "m.yaml", "--yes"]).ended(3);
    let said = rig.run(["status", "shop-1"]).stdout;
    assert!(said.contains("GL0669"), "{said}");
    rig.run(["undo", "shop-1", "--yes"]).ended(0);
    // Columns of its own.
    let script = rig
        .write("revenue.sh", "#!/bin/sh\nprintf 'when,shop\\n2026-03-09,x\\n' >/out/a.csv\necho '{\"result\": {}}'\n");
    fs::set_permissions(script, PermissionsExt::from_mode(0o755)).unwrap();
    rig.run(["apply", "-f", "m.yaml", "--yes"]).ended(3);
    assert!(!rig.path("data/revenue_v2").exists());
}

#[test]
fn plans_say_what_cannot_be_derived() {
    for (derived, words) in [
        ("history: backfill", "without a watermark"),
        ("history: rerun\n        watermark: day", "no watermark parts it"),
        ("history: none\n        watermark: day\n        overlap: 1d", "only `history: backfill` has an overlap"),
        ("history: backfill\n        watermark: shop", "is of type `string`"),
        ("history: backfill\n        watermark: cents", "has no column `cents`"),
    ] {
        let rig = rig(derived, "");
        let said = rig.run(["plan", "-f", "m.yaml"]).ended(3);
        assert!(said.stdout.contains("GL0458") && said.stdout.contains(words), "{derived}: {}", said.stdout);
    }
    let rig = rig(BACKFILL, "");
    let text = fs::read_to_string(rig.path("m.yaml")).unwrap();
    rig.write("m.yaml", text.replace("to: orders_v2", "to: orders_v2, mapping: {columns: [{name: x, from: nothing}]}"));
    let said = rig.run(["plan", "-f", "m.yaml"]).ended(1);
    assert!(said.stderr.contains("its writer reads `orders`, which is blocked"), "{}", said.stderr);
    rig.write("m.yaml", text.replace("reads: [orders]", "reads: [revenue]"));
    let said = rig.run(["plan", "-f", "m.yaml"]);
    assert!(said.code != Some(0), "a dataset that is made from itself has to be somebody else's: {}", said.stdout);
    rig.write("m.yaml", text.replace("readOnly: true", "undo: [./revenue.sh]"));
    let said = rig.run(["plan", "-f", "m.yaml"]).ended(3);
    assert!(said.stdout.contains("is no writer"), "{}", said.stdout);
}

#[test]
fn killed_at_every_point_of_a_derived_dataset_and_of_its_undo() {
    let rig = rig(BACKFILL, "");
    let plan = rig.run(["plan", "-f", "m.yaml", "-o", "name"]).ended(0).stdout.trim().to_owned();
    let run = rig.run(["apply", "--record-only", &plan]).ended(0).stdout.trim().to_owned();
    let kill = |point: &str, command: &[&str]| {
        let (said, fired) = rig.run_with_faults(&format!("{point}@1=kill"), command);
        assert!(said.killed, "`{point}` was not reached\n{}\n{}", said.stdout, said.stderr);
        assert_eq!(fired, [format!("{point} Kill")]);
    };
    let points = ["before-intent", "after-intent", "in-effect", "after-effect", "after-commit"];
    for step in ["data/survey", "custom/revenue", "data/backfill", "data/verify", "data/publish"] {
        for point in points {
            if step != "data/survey" || point != "in-effect" {
                kill(&format!("{step}:{point}"), &["resume", &run]);
            }
        }
    }
    rig.run(["resume", &run]).ended(0);
    assert_eq!(revenue(&rig), [&PAST[..], &FUTURE].concat());
    let mut first = true;
    for step in ["data/publish", "data/backfill", "custom/revenue", "data/survey", "data/expand"] {
        for point in points {
            if point == "in-effect" && ["custom/revenue", "data/survey"].contains(&step) {
                continue;
            }
            let command: &[&str] = if first { &["undo", &run, "--yes"] } else { &["resume", &run] };
            kill(&format!("undo:{step}:{point}"), command);
            first = false;
        }
    }
    rig.run(["resume", &run]).ended(0);
    assert_eq!(fs::read_dir(rig.path("data")).unwrap().count(), 2, "only the old datasets are left");
}
