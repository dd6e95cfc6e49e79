//! Cohorts and limits with the binary: what is held, who lets it go, and what may not be.

use crate::rig::Rig;

/// Three small datasets, of which the second does not convert, one cohort each.
fn rig() -> Rig {
    let rig = Rig::new();
    for (name, amount) in [("a", "1.50"), ("b", "n/a"), ("c", "2.25")] {
        rig.write(&format!("data/{name}.csv"), format!("id,amount\n1,{amount}\n"));
    }
    rig.write(
        "m.yaml",
        "apiVersion: greylag.dev/v1alpha1
kind: Migration
metadata: {name: m}
spec:
  datasets:
    - {from: a, to: a2}
    - {from: b, to: b2, mapping: {columns: [{name: amount, type: float64}]}}
    - {from: c, to: c2}
  rollout:
    cohorts:
      - {name: one, count: 1, gate: {approval: true}}
      - {name: two, count: 1}
",
    );
    rig.run(["catalog", "import", "data"]).ended(0);
    rig
}

#[test]
fn a_run_stops_at_its_gates_and_goes_on_when_a_person_says_so() {
    let rig = rig();
    rig.run(["apply", "-f", "m.yaml", "--yes"]).ended(3);
    assert!(rig.path("data/a2.csv").exists() && !rig.path("data/b2.csv").exists());
    rig.run(["wait", "m-1", "--for", "idle", "--timeout", "10s"]).ended(0);
    rig.run(["status", "m-1"]).ended(3);
    // A resume does not open a gate.
    rig.run(["resume", "m-1"]).ended(3);
    assert!(!rig.path("data/b2.csv").exists());
    let said = rig.run(["approve", "m-1", "--cohort", "one", "--reason", "fine"]).ended(5);
    assert!(said.stderr.contains("--yes"), "not confirmed: {}", said.stderr);
    rig.run(["approve", "m-1", "--cohort", "one", "--reason", "fine", "--yes"]).ended(3);
    let status = rig.run(["status", "m-1", "-o", "json"]).ended(3).json();
    let cohorts = &status["run"]["cohorts"];
    assert_eq!(cohorts[0]["approval"]["by"], "tester");
    assert_eq!(cohorts[0]["approval"]["why"], "fine");
    assert_eq!(cohorts[1]["held"]["because"], "failures");
    assert!(cohorts[2].get("releasedAt").is_none() && !rig.path("data/c2.csv").exists());
    rig.run(["approve", "m-1", "--cohort", "two", "--yes"]).ended(1);
    rig.run(["approve", "m-1", "--cohort", "two", "--despite-failures", "--yes"]).ended(3);
    assert!(rig.path("data/c2.csv").exists());
    let said = rig.run(["undo", "m-1", "--yes"]).ended(0);
    assert!(!rig.path("data/a2.csv").exists() && !rig.path("data/c2.csv").exists(), "{}", said.stderr);
}

#[test]
fn what_is_wrong_with_a_rollout_is_told_with_its_place() {
    let rig = rig();
    let file = std::fs::read_to_string(rig.path("m.yaml")).unwrap();
    rig.write("bad.yaml", file.replace("{name: two, count: 1}", "{name: one}"));
    let said = rig.run(["plan", "-f", "bad.yaml"]).ended(1);
    assert!(
        said.stderr.contains("error[GL0444]: the cohort name `one` is taken\n  --> bad.yaml:12:16\n"),
        "{}",
        said.stderr
    );
    assert!(said.stderr.contains("error[GL0444]: cohort `one` does not say what it takes"), "{}", said.stderr);
    rig.write("worse.yaml", file.replace("count: 1}", "cuont: 1}"));
    let said = rig.run(["plan", "-f", "worse.yaml"]).ended(1);
    assert!(said.stderr.contains("`count`"), "{}", said.stderr);
}

#[test]
fn limits_are_stored_shown_and_refused_where_they_limit_nothing() {
    let rig = rig();
    let limits = |spec: &str| {
        format!("apiVersion: greylag.dev/v1alpha1\nkind: Limits\nmetadata: {{name: house}}\nspec: {spec}\n")
    };
    rig.write(
        "bad.yaml",
        limits(
            "{stores: [{connection: lake}, {connection: lake, concurrency: 1}], all: {starts: {count: 1, per: 0s}}}",
        ),
    );
    let said = rig.run(["limits", "apply", "-f", "bad.yaml"]).ended(1);
    for part in
        ["bad.yaml:4:", "the connection `lake` is given twice", "it limits nothing", "`0s` leaves no time at all"]
    {
        assert!(said.stderr.contains(part), "{part}: {}", said.stderr);
    }
    rig.run(["limits", "apply", "-f", "m.yaml"]).ended(1);
    rig.write("limits.yaml", limits("{all: {concurrency: 1}, owners: [{owner: \"*\", starts: {count: 5}}]}"));
    rig.run(["limits", "apply", "-f", "limits.yaml"]).ended(0);
    let shown = rig.run(["limits", "show", "-o", "json"]).ended(0).json();
    assert_eq!(shown["items"][0]["concurrency"], 1);
    assert_eq!(shown["items"][1]["starts"]["perMillis"], 1_000);
    // A run within them does all the same.
    rig.run(["apply", "-f", "m.yaml", "--yes"]).ended(3);
    rig.run(["approve", "m-1", "--cohort", "one", "--yes"]).ended(3);
    let shown = rig.run(["limits", "show", "-o", "json"]).ended(0).json();
    assert!(shown["items"].as_array().unwrap().iter().all(|item| item["inUse"] == 0), "{shown}");
}

#[test]
fn a_window_follows_the_clocks_of_the_owner_in_the_catalog() {
    let rig = Rig::new();
    rig.write("data/visits.csv", "id\n1\n");
    rig.write(
        "catalog.yaml",
        "apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: tokyo, annotations: {greylag.dev/time-zone: Asia/Tokyo}}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: Resource
metadata: {name: visits, annotations: {greylag.dev/location: ./data/visits.csv}}
spec: {type: dataset, owner: tokyo}
",
    );
    rig.run(["catalog", "import", "catalog.yaml"]).ended(0);
    let migration = |window: &str| {
        format!(
            "apiVersion: greylag.dev/v1alpha1\nkind: Migration\nmetadata: {{name: v}}\nspec:\n  \
             datasets: [{{from: visits, to: visits_v2}}]\n  rollout: {{window: {window}}}\n"
        )
    };
    rig.write("m.yaml", migration("{from: \"09:00\", to: \"17:00\"}"));
    let plan = rig.run(["plan", "-f", "m.yaml", "-o", "json"]).ended(0);
    assert!(plan.stdout.contains("\"zone\": \"Asia/Tokyo\""), "{}", plan.stdout);
    // An hour that is over or to come, whenever this runs: the run waits and can be stopped, and nothing was begun.
    let hour = (hour_of_day() + 3) % 24;
    rig.write("later.yaml", migration(&format!("{{from: \"{hour:02}:00\", to: \"{hour:02}:30\", zone: UTC}}")));
    let mut waiting = rig.command().args(["apply", "-f", "later.yaml", "--yes", "--quiet"]).spawn().unwrap();
    let postponed = || rig.run(["logs", "v-1"]).stdout.contains("its window is closed until");
    let begun = std::time::Instant::now();
    while !postponed() {
        assert!(begun.elapsed() < std::time::Duration::from_mins(1), "nothing is postponed");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(waiting.try_wait().unwrap().is_none(), "it waits for its window");
    waiting.kill().unwrap();
    waiting.wait().unwrap();
    assert!(!rig.path("data/visits_v2.csv").exists());
    rig.run(["undo", "v-1", "--yes"]).ended(0);
}

/// The hour of the day, UTC.
fn hour_of_day() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    now.as_secs() / 3_600 % 24
}
