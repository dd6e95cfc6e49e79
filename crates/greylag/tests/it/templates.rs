//! Templates by hand: what they take, what blocks, and what is asked of whoever uses them.

use crate::rig::Rig;

const TEMPLATE: &str = "\
apiVersion: greylag.dev/v1alpha1
kind: MigrationTemplate
metadata: {name: ids}
spec:
  parameters:
    - {name: version, type: integer}
  select: columns.exists(c, c.name == 'uid')
  to: ${{ dataset.name }}_v${{ params.version }}
  rules:
    - {name: ids, match: {name: uid}, set: {name: user_id}}
    - {name: numbers, match: {type: int64, when: dataset.name == 'odd'}, set: {name: number}, unmatched: allow}
";

fn rig() -> Rig {
    let rig = Rig::new();
    for name in ["orders", "odd", "visits"] {
        rig.write(&format!("data/{name}.csv"), format!("uid,of\n1,{name}\n"));
    }
    rig.write("data/other.csv", "id\n1\n");
    rig.write("ids.yaml", TEMPLATE);
    rig.run(["catalog", "import", "data"]).ended(0);
    rig
}

#[test]
fn what_does_not_fit_is_blocked_where_its_rule_stands_and_the_rest_goes_on() {
    let rig = rig();
    let said = rig.run(["plan", "-f", "ids.yaml", "--set", "version=2"]).ended(3);
    let shown = &said.stdout;
    assert!(shown.contains("x odd → odd_v2  blocked"), "{shown}");
    assert!(shown.contains("ids.yaml:11:") && shown.contains("error[GL0138]"), "{shown}");
    assert!(shown.contains("rule `ids` and rule `numbers` want different things (name)"), "{shown}");
    assert!(shown.contains("2 datasets to migrate"), "{shown}");
    rig.run(["apply", "-f", "ids.yaml", "--set", "version=2", "--yes"]).ended(3);
    assert_eq!(std::fs::read_to_string(rig.path("data/visits_v2.csv")).unwrap(), "user_id,of\n1,visits\n");
    assert!(!rig.path("data/odd_v2.csv").exists() && !rig.path("data/other_v2.csv").exists());
    // What has moved is left out; what was blocked is still there to be seen.
    let said = rig.run(["template", "render", "-f", "ids.yaml", "--set", "version=2"]).ended(3);
    assert!(
        said.stderr.contains("2 more datasets are taken by `select`, but their successors are there"),
        "{}",
        said.stderr
    );
    assert!(said.stdout.contains("blocked"), "{}", said.stdout);
}

#[test]
fn what_is_rendered_is_a_migration_file() {
    let rig = rig();
    let rendered = rig.run(["template", "render", "-f", "ids.yaml", "--set", "version=2", "-o", "json"]).ended(3);
    rig.write("rendered.yaml", &rendered.stdout);
    // The file says nothing of rules, so the odd one goes on with the first of them.
    let said = rig.run(["plan", "-f", "rendered.yaml"]).ended(0);
    assert!(said.stdout.contains("3 datasets to migrate"), "{}", said.stdout);
}

#[test]
fn parameters_are_asked_for_and_checked() {
    let rig = rig();
    for (args, code, words) in [
        (&[][..], 1, "the template's parameter `version` has no value"),
        (&["--set", "version=two"], 1, "takes a whole number, not `two`"),
        (&["--set", "versoin=2"], 64, "did you mean `version`?"),
        (&["--set", "version"], 64, "gives no value"),
        (&["--set", "version=2", "--set", "version=3"], 64, "is given twice"),
    ] {
        let said = rig.run(["plan", "-f", "ids.yaml"].iter().chain(args)).ended(code);
        assert!(said.stderr.contains(words), "{args:?}: {}", said.stderr);
    }
    let listed = rig.run(["template", "list", "-f", "ids.yaml", "-o", "name"]).ended(0);
    assert_eq!(listed.stdout, "ids\n");
    rig.run(["template", "show", "nobody", "-f", "ids.yaml"]).ended(1);
}
