//! Repositories that a migration cuts into several change requests, by owner and by path.

use crate::rig::Rig;
use crate::scopes::{
    NEW, OLD, apply, branches, counted, done, end, kill_at, migration, open_changes, read, tasks, until,
};
use std::collections::BTreeMap;

const DBT: &str = "select uid from {{ source('raw', 'users') }}\n";
const DBT_NEW: &str = "select user_id as uid from {{ source('raw', 'users_v2') }}\n";

/// A dataset, its migration, and one repository of two teams and a dbt project that both have models in.
fn mono(policy: &str, consumers: &str) -> Rig {
    let rig = Rig::new();
    rig.write("data/users.csv", "uid,mail,amount\n1,a@example.com,3\n");
    rig.run(["catalog", "import", "data"]).ended(0);
    rig.write("m.yaml", migration(consumers));
    rig.write(
        "src/mono/.github/CODEOWNERS",
        "/jobs/crm/ @org/crm\n/jobs/shop/ @org/shop\n/wh/ @org/shop\n/wh/models/crm/ @org/crm\n",
    );
    rig.write("src/mono/jobs/crm/a.sql", OLD);
    rig.write("src/mono/jobs/shop/b.sql", OLD);
    rig.write("src/mono/wh/dbt_project.yml", "name: p\nversion: '1'\nprofile: p\nmodel-paths: [models]\n");
    rig.write("src/mono/wh/models/crm/m.sql", DBT);
    rig.write("src/mono/wh/models/shop/n.sql", DBT);
    let sources = "version: 2\nsources:\n  - name: raw\n    schema: main\n    tables: [{name: users}]\n";
    rig.write("src/mono/wh/models/s.yml", sources);
    rig.run(["changes", "host", "--policy", policy, "src/mono"]).ended(0);
    rig
}

/// The titles of all change requests, in order.
fn titles(rig: &Rig) -> Vec<String> {
    let list = rig.json(["changes", "list"]);
    let mut titles: Vec<String> =
        list["items"].as_array().unwrap().iter().map(|item| item["title"].as_str().unwrap().to_owned()).collect();
    titles.sort();
    titles
}

const BY_OWNER: &str = "  consumers: {merge: policy, scopes: {by: owner}}\n";
const CRM: &str = "code:mono:group:crm";
const SHOP: &str = "code:mono:group:shop";

#[test]
fn each_owner_gets_a_change_request_and_all_of_it_goes_back() {
    let rig = mono("automatic", BY_OWNER);
    let plan = rig.run(["plan", "-f", "m.yaml"]).ended(0).stdout;
    for line in [
        "~ mono:group:crm  mechanical  3 edits in 1 file",
        "~ mono:group:shop  mechanical  8 edits in 4 files",
        "warning[GL0460]: code:mono:group:shop: `wh/models/crm/m.sql` (of `group:crm`) travels with `wh/models/s.yml`: their edits \
         only work together",
        "code of 1 repository, 7 files: 5 mechanical with 11 edits",
    ] {
        assert!(plan.contains(line), "{line}\n---\n{plan}");
    }
    let patch = rig.run(["plan", "-f", "m.yaml", "--patch"]).ended(0).stdout;
    let (crm, shop) = patch.split_once("# mono:group:shop at ").unwrap();
    assert!(
        crm.starts_with("# mono:group:crm at ") && crm.contains("jobs/crm/a.sql") && !crm.contains("wh/"),
        "{patch}"
    );
    assert!(
        shop.contains("jobs/shop/b.sql") && shop.contains("wh/models/crm/m.sql") && !shop.contains("a.sql"),
        "{patch}"
    );
    let json = rig.json(["plan", "-f", "m.yaml"]);
    let scopes = json["tasks"].as_array().unwrap().iter().filter(|task| task.get("scope").is_some());
    let owners: Vec<&str> = scopes.filter_map(|task| task["owner"].as_str()).collect();
    assert_eq!(owners, ["group:default/crm", "group:default/shop"], "{json}");

    rig.run(["apply", "-f", "m.yaml", "--run", "r", "--yes"]).ended(0);
    assert_eq!(tasks(&rig, "r"), ["users_v2=succeeded", &format!("{CRM}=succeeded"), &format!("{SHOP}=succeeded")]);
    for path in ["jobs/crm/a.sql", "jobs/shop/b.sql"] {
        assert_eq!(read(&rig, "mono", path), NEW);
    }
    for path in ["wh/models/crm/m.sql", "wh/models/shop/n.sql"] {
        assert_eq!(read(&rig, "mono", path), DBT_NEW);
    }
    let title = |part: &str| format!("Read `users_v2` in place of `users`, group:{part}");
    assert_eq!(titles(&rig), [title("crm"), title("shop")]);
    assert_eq!(counted(&rig), BTreeMap::from([("merged".to_owned(), 2)]));

    rig.run(["undo", "r", "--yes"]).ended(0);
    assert_eq!(read(&rig, "mono", "jobs/crm/a.sql"), OLD);
    assert_eq!(read(&rig, "mono", "wh/models/shop/n.sql"), DBT);
    assert_eq!(counted(&rig), BTreeMap::from([("merged".to_owned(), 4)]));
    assert_eq!(branches(&rig, "mono"), ["main"]);
}

/// `kill -9` where the one part is offered and merged, and where it is taken back: each part is done once.
#[test]
fn killed_between_parts_it_goes_on() {
    let rig = mono("automatic", BY_OWNER);
    rig.run(["apply", "-f", "m.yaml", "--run", "r", "--yes", "--record-only"]).ended(0);
    let points = ["in-effect", "after-effect"];
    for step in ["code/propose", "code/merge"] {
        for point in points {
            kill_at(&rig, &format!("{step}:{point}"), &["resume", "r"]);
        }
    }
    rig.run(["resume", "r"]).ended(0);
    let once: BTreeMap<String, usize> = [CRM, SHOP]
        .into_iter()
        .flat_map(|task| ["rewrite", "prove", "propose", "merge"].map(|step| (format!("{task} code/{step}"), 1)))
        .chain([("users_v2 code/await".to_owned(), 1)])
        .collect();
    assert_eq!(done(&rig, "forward"), once);
    assert_eq!(counted(&rig), BTreeMap::from([("merged".to_owned(), 2)]));
    let mut args: &[&str] = &["undo", "r", "--yes"];
    for point in points {
        kill_at(&rig, &format!("undo:code/merge:{point}"), args);
        args = &["resume", "r"];
    }
    rig.run(["resume", "r"]).ended(0);
    assert_eq!(done(&rig, "undo"), once);
    assert_eq!(counted(&rig), BTreeMap::from([("merged".to_owned(), 4)]));
    assert_eq!(read(&rig, "mono", "jobs/shop/b.sql"), OLD);
    assert_eq!(branches(&rig, "mono"), ["main"]);
}

/// The dataset waits for all parts; each is merged when its owner likes, and one that says no stops nobody else.
#[test]
fn parts_are_merged_and_refused_apart() {
    let rig = mono("by-hand", "  consumers: {scopes: {by: path, paths: [jobs/crm, jobs/shop]}}\n");
    let child = apply(&rig);
    until("not all is offered", || open_changes(&rig).lines().count() == 3);
    let list = rig.json(["changes", "list"]);
    let number = |part: &str| {
        let of = |item: &&serde_json::Value| item["title"].as_str().unwrap().ends_with(&format!(", {part}"));
        let item = list["items"].as_array().unwrap().iter().find(of).unwrap();
        format!("mono#{}", item["number"])
    };
    let [crm, shop, rest] = ["jobs/crm/", "jobs/shop/", "rest"].map(number);
    for change in [&crm, &rest] {
        rig.run(["changes", "approve", change]).ended(0);
        rig.run(["changes", "merge", change]).ended(0);
    }
    until("the run has not seen it", || {
        tasks(&rig, "r").iter().filter(|task| task.ends_with("=succeeded")).count() == 2
    });
    assert_eq!(read(&rig, "mono", "jobs/crm/a.sql"), NEW);
    assert_eq!(read(&rig, "mono", "wh/models/crm/m.sql"), DBT_NEW);
    assert_eq!(read(&rig, "mono", "jobs/shop/b.sql"), OLD);
    let shown = rig.run(["changes", "show", &shop]).ended(0).stdout;
    assert!(shown.contains("It is about the part `jobs/shop/` of the repository."), "{shown}");
    assert!(shown.contains("jobs/shop/b.sql") && !shown.contains("jobs/crm/a.sql"), "{shown}");
    rig.run(["changes", "close", &shop]).ended(0);
    end(child).ended(3);
    assert_eq!(
        tasks(&rig, "r"),
        [
            "users_v2=succeeded",
            "code:mono:jobs/crm/=succeeded",
            "code:mono:jobs/shop/=failed",
            "code:mono:rest=succeeded"
        ]
    );
}

/// Two repositories that make two datasets of one another: nothing of that is planned, and who makes what is named. In one repository the
/// same code is one change request, whatever the policy.
#[test]
fn a_circle_through_two_repositories_is_named() {
    let rig = Rig::new();
    for name in ["x", "y"] {
        rig.write(&format!("data/{name}.csv"), "uid,mail\n1,a@example.com\n");
    }
    rig.run(["catalog", "import", "data"]).ended(0);
    rig.write(
        "m.yaml",
        "apiVersion: greylag.dev/v1alpha1\nkind: Migration\nmetadata: {name: both}\nspec:\n  \
         datasets: [{from: x, to: x_v2}, {from: y, to: y_v2}]\n  \
         mapping: {columns: [{name: user_id, from: uid}]}\n  consumers: {scopes: {by: path, paths: [a]}}\n",
    );
    let (one, other) = ("insert into y (uid) select uid from x;\n", "insert into x (uid) select uid from y;\n");
    rig.write("src/one/a/y.sql", one);
    rig.write("src/two/b/x.sql", other);
    rig.run(["changes", "host", "src/one", "src/two"]).ended(0);
    let said = rig.run(["plan", "-f", "m.yaml"]).ended(1);
    assert!(said.stderr.contains("GL0459"), "{}", said.stderr);
    assert!(said.stderr.contains("`one:a/` makes `y` of `x`, `two:rest` makes `x` of `y`"), "{}", said.stderr);

    rig.write("src/both/a/y.sql", one);
    rig.write("src/both/b/x.sql", other);
    rig.run(["changes", "host", "src/both"]).ended(0);
    let text = std::fs::read_to_string(rig.path("m.yaml")).unwrap();
    rig.write("m.yaml", text.replace("consumers: {", "consumers: {repositories: [both], "));
    let plan = rig.run(["plan", "-f", "m.yaml"]).ended(0).stdout;
    assert!(plan.contains("~ both:a/  mechanical") && !plan.contains("both:rest  "), "{plan}");
    assert!(plan.contains("they make datasets of one another in a circle"), "{plan}");
}
