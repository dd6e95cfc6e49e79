//! `refs` and `rewrite` on the real binary.

use crate::rig::{Rig, said};
use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;
use std::time::{Duration, Instant};

const CATALOG: &str = "\
apiVersion: backstage.io/v1alpha1
kind: Resource
metadata:
  name: users_v1
  annotations:
    greylag.dev/location: ../lake/users.csv
    greylag.dev/columns: 'uid: int64 not null, name: string, plan: string'
    greylag.dev/table: raw.users_v1
spec: {type: dataset, lifecycle: production, owner: crm}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: crm}
spec: {type: team, children: []}
";

const ACTIVE: &str = "-- users_v1, by name\nselect u.uid, u.name\nfrom raw.users_v1 as u\nwhere u.uid > 10;\n";
const ACTIVE_AFTER: &str =
    "-- users_v1, by name\nselect u.user_id as uid, u.name\nfrom raw.users_v2 as u\nwhere u.user_id > 10;\n";

/// A migration file of these pairs and this mapping.
fn migration(pairs: &str, mapping: &str) -> String {
    format!(
        "apiVersion: greylag.dev/v1alpha1\nkind: Migration\nmetadata: {{name: users-v2}}\nspec:\n  \
         datasets: [{pairs}]\n  mapping: {mapping}\n"
    )
}

const PAIR: &str = "{from: users_v1, to: users_v2}";
const MAPPING: &str = "{columns: [{name: user_id, from: uid}], drop: [{name: plan, reason: moved}]}";

/// A catalog with `users_v1`, its migration, and these files of a repository.
pub(crate) fn rig(files: &[(&str, &str)]) -> Rig {
    let rig = Rig::new();
    rig.write("catalog/users.yaml", CATALOG);
    rig.write("lake/users.csv", "uid,name,plan\n1,Ada,free\n");
    rig.write("m.yaml", migration(PAIR, MAPPING));
    for (path, text) in files {
        rig.write(&format!("repository/{path}"), text);
    }
    rig.run(["catalog", "import", "catalog"]).ended(0);
    rig
}

pub(crate) fn read(rig: &Rig, path: &str) -> String {
    fs::read_to_string(rig.path(format!("repository/{path}"))).unwrap()
}

/// Runs git in a folder of the rig.
fn git(rig: &Rig, folder: &str, args: &[&str]) {
    let mut command = Command::new("git");
    command.args(args).current_dir(rig.path(folder)).env("GIT_CONFIG_GLOBAL", "/dev/null");
    said(&command.env("GIT_CONFIG_NOSYSTEM", "1").output().unwrap()).ended(0);
}

/// The words of a column of a JSON list's items.
pub(crate) fn words(list: &Value, key: &str) -> Vec<String> {
    let items = list["items"].as_array().unwrap();
    items.iter().map(|item| item[key].as_str().unwrap_or("-").to_owned()).collect()
}

#[test]
fn refs_show_each_place_as_a_table_as_names_and_as_json() {
    let rig = rig(&[("active.sql", ACTIVE), ("other.sql", "select uid from crm.users_v1_old;\n")]);
    let said = rig.run(["refs", "repository", "--dataset", "users_v1"]).ended(0);
    assert_eq!(
        said.stdout,
        "PLACE                       COLUMN  ROLE    CONFIDENCE\n\
         repository/active.sql:2:10  uid     select  certain\n\
         repository/active.sql:2:17  name    select  certain\n\
         repository/active.sql:3:6           read    certain\n\
         repository/active.sql:4:9   uid     filter  certain\n"
    );
    assert!(said.stderr.contains("4 references, 0 of them unknown; 2 files, 2 of SQL"), "{}", said.stderr);
    let names = rig.run(["refs", "repository", "--dataset", "users_v1", "--column", "UID", "-o", "name"]).ended(0);
    assert_eq!(names.stdout, "repository/active.sql:2:10\nrepository/active.sql:4:9\n");
    let list = rig.json(["refs", "repository/active.sql", "--dataset", "users_v1", "--column", "uid"]);
    assert_eq!(words(&list, "path"), ["repository/active.sql"; 2]);
    assert_eq!(words(&list, "role"), ["select", "filter"]);
    let first = &list["items"][0];
    let at = first["start"].as_u64().unwrap() as usize..first["end"].as_u64().unwrap() as usize;
    assert_eq!(&ACTIVE[at], "uid");
}

#[test]
fn a_table_that_the_catalog_does_not_know_is_looked_for_by_its_name() {
    let rig = rig(&[("a.sql", "select p.id from crm.people p;\n")]);
    let said = rig.run(["refs", "repository", "-d", "crm.people", "-o", "name"]).ended(0);
    assert_eq!(said.stdout, "repository/a.sql:1:10\nrepository/a.sql:1:18\n");
    assert!(said.stderr.contains("the catalog knows no dataset `crm.people`"), "{}", said.stderr);
    // What code calls the dataset can be said.
    let said = rig.run(["refs", "repository", "-d", "users_v1", "--table", "crm.people", "-o", "name"]).ended(0);
    assert_eq!(said.stdout.lines().count(), 1, "`id` is no column of it: {}", said.stdout);
    let said = rig.run(["refs", "repository", "-d", "crm..people"]).ended(64);
    assert!(said.stderr.contains("is no name of a table"), "{}", said.stderr);
}

#[test]
fn a_rewrite_shows_classes_and_changes_nothing() {
    let paying = "select name from raw.users_v1 where plan = 'paid';\n";
    let rig = rig(&[("active.sql", ACTIVE), ("paying.sql", paying), ("job.py", "q = 'from raw.users_v1'\n")]);
    let said = rig.run(["rewrite", "-f", "m.yaml", "repository"]).ended(3);
    let lines: Vec<String> =
        said.stdout.lines().map(|line| line.split_whitespace().take(4).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        lines,
        [
            "PATH CLASS EDITS LINE",
            "repository/active.sql mechanical 3",
            "repository/job.py unknown 0 1",
            "repository/paying.sql judgement 0 1"
        ]
    );
    assert!(said.stderr.contains("1 files with 3 edits, not written"), "{}", said.stderr);
    assert!(said.stderr.contains("0 agentic, 1 judgement, 1 unknown"), "{}", said.stderr);
    assert_eq!(read(&rig, "active.sql"), ACTIVE);
    let list = rig.json(["rewrite", "-f", "m.yaml", "repository"]);
    assert_eq!(words(&list, "class"), ["mechanical", "unknown", "judgement"]);
    let references = list["items"][0]["references"].as_array().unwrap();
    assert!(references.iter().all(|found| found["path"] == "repository/active.sql"), "{references:?}");
    let edit = &list["items"][0]["edits"][0];
    let at = edit["start"].as_u64().unwrap() as usize..edit["end"].as_u64().unwrap() as usize;
    assert_eq!((&ACTIVE[at], edit["by"].as_str().unwrap()), ("uid", "user_id as uid"));
    let finding = &list["items"][2]["findings"][0];
    assert_eq!((finding["column"].as_str(), finding["line"].as_u64()), (Some("plan"), Some(1)));
}

#[test]
fn a_patch_gives_what_is_written_and_the_second_time_nothing_is_left() {
    // Line ends of Windows, a last line that does not end, and a name with a space.
    let windows = ACTIVE.replace('\n', "\r\n");
    let open = ACTIVE.trim_end();
    let files = [("active.sql", ACTIVE), ("win/dows.sql", windows.as_str()), ("no end.sql", open)];
    let rig = rig(&files);
    git(&rig, "repository", &["init", "-q"]);
    let patch = rig.run(["rewrite", "-f", "m.yaml", "repository", "--patch"]).ended(0).stdout;
    rig.write("all.patch", &patch);
    git(&rig, "repository", &["apply", "../all.patch"]);
    let after = ACTIVE_AFTER;
    let expected = [after.to_owned(), after.replace('\n', "\r\n"), after.trim_end().to_owned()];
    let now = || files.iter().map(|(path, _)| read(&rig, path)).collect::<Vec<_>>();
    assert_eq!(now(), expected);
    for (path, text) in files {
        rig.write(&format!("repository/{path}"), text);
    }
    rig.run(["rewrite", "-f", "m.yaml", "repository", "--write"]).ended(0);
    assert_eq!(now(), expected);
    let said = rig.run(["rewrite", "-f", "m.yaml", "repository", "--write"]).ended(0);
    assert!(said.stderr.contains("0 files with 0 edits, nothing to write"), "{}", said.stderr);
    assert_eq!(now(), expected);
    assert!(rig.run(["rewrite", "-f", "m.yaml", "repository", "--patch"]).ended(0).stdout.is_empty());
}

#[test]
fn a_patch_of_files_is_applied_where_the_command_was_given() {
    let rig = rig(&[("active.sql", ACTIVE), ("again.sql", ACTIVE)]);
    git(&rig, "", &["init", "-q"]);
    let (one, other) = ("repository/active.sql", "./repository/again.sql");
    for (number, paths) in [vec![one], vec![one, other]].into_iter().enumerate() {
        let args = ["rewrite", "-f", "m.yaml", "--patch"].into_iter().chain(paths);
        let patch = rig.run(args).ended(0).stdout;
        rig.write("files.patch", &patch);
        git(&rig, "", &["apply", "files.patch"]);
        assert_eq!(read(&rig, "active.sql"), ACTIVE_AFTER);
        assert_eq!(read(&rig, "again.sql"), if number == 0 { ACTIVE } else { ACTIVE_AFTER });
        rig.write(one, ACTIVE);
    }
}

#[test]
fn what_is_written_keeps_its_mode() {
    let rig = rig(&[("active.sql", ACTIVE)]);
    let path = rig.path("repository/active.sql");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o750)).unwrap();
    rig.run(["rewrite", "-f", "m.yaml", "repository/active.sql", "--write"]).ended(0);
    assert_eq!(read(&rig, "active.sql"), ACTIVE_AFTER);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o750);
    assert_eq!(fs::read_dir(rig.path("repository")).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn what_a_repository_puts_in_the_way_is_not_written_through() {
    let rig = rig(&[("active.sql", ACTIVE), ("zoo.sql", ACTIVE)]);
    let outside = rig.write("precious", "mine");
    symlink(&outside, rig.path("repository/.zoo.sql.greylag")).unwrap();
    let said = rig.run(["rewrite", "-f", "m.yaml", "repository", "--write"]).ended(1);
    assert!(said.stderr.contains(".zoo.sql.greylag` is in the way"), "{}", said.stderr);
    assert_eq!(fs::read_to_string(outside).unwrap(), "mine");
    assert_eq!([read(&rig, "active.sql"), read(&rig, "zoo.sql")], [ACTIVE; 2], "all of it or nothing");
    assert_eq!(fs::read_dir(rig.path("repository")).unwrap().count(), 3);
}

#[test]
fn links_lead_nowhere() {
    let rig = rig(&[("active.sql", ACTIVE)]);
    let outside = rig.write("outside.sql", ACTIVE);
    symlink(&outside, rig.path("repository/link.sql")).unwrap();
    rig.run(["rewrite", "-f", "m.yaml", "repository", "--write"]).ended(0);
    assert_eq!(read(&rig, "active.sql"), ACTIVE_AFTER);
    assert_eq!(fs::read_to_string(outside).unwrap(), ACTIVE);
}

#[test]
fn paths_that_cannot_be_read_are_named() {
    let rig = rig(&[("active.sql", ACTIVE)]);
    symlink("loop", rig.path("loop")).unwrap();
    said(&Command::new("mkfifo").arg(rig.path("pipe")).output().unwrap()).ended(0);
    for path in ["nothing", "loop", "pipe"] {
        for args in [["refs", "-d", "users_v1", path], ["rewrite", "-f", "m.yaml", path]] {
            let said = rig.run(args).ended(1);
            assert!(said.stderr.contains(&format!("`{path}` cannot be read: ")), "{}", said.stderr);
        }
    }
    let folder = rig.path("repository/closed");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o000)).unwrap();
    // Who may read everything reads this, too.
    let code = i32::from(fs::read_dir(&folder).is_err());
    rig.run(["rewrite", "-f", "m.yaml", "repository"]).ended(code);
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_part_of_a_dbt_project_is_not_taken_for_all_of_it() {
    let model = "select uid from {{ source('raw', 'users_v1') }}\n";
    let sources = "version: 2\nsources:\n  - name: raw\n    tables:\n      - name: users_v1\n";
    let project = "name: shop\nversion: '1.0'\n";
    let rig = rig(&[("dbt_project.yml", project), ("models/a.sql", model), ("models/sources.yml", sources)]);
    for path in ["repository/models/a.sql", "repository/models"] {
        let said = rig.run(["rewrite", "-f", "m.yaml", path, "--write"]).ended(1);
        assert!(said.stderr.contains(&format!("`{path}` is a part of a dbt project")), "{}", said.stderr);
        assert!(said.stderr.contains("hint: give the whole project: `"), "{}", said.stderr);
    }
    rig.run(["rewrite", "-f", "m.yaml", "repository", "--write"]).ended(0);
    assert_eq!(read(&rig, "models/a.sql"), "select user_id as uid from {{ source('raw', 'users_v2') }}\n");
    assert_eq!(read(&rig, "models/sources.yml"), sources.replace("users_v1", "users_v2"));
    // A repository of its own below a project is none of its parts.
    rig.write("repository/jobs/.git/HEAD", "ref: refs/heads/main\n");
    rig.write("repository/jobs/active.sql", ACTIVE);
    rig.run(["rewrite", "-f", "m.yaml", "repository/jobs", "--write"]).ended(0);
    assert_eq!(read(&rig, "jobs/active.sql"), ACTIVE_AFTER);
}

#[test]
fn a_model_that_makes_the_dataset_moves_and_comes_back() {
    let project = "name: shop\nversion: '1.0'\n";
    let schema = "{% macro generate_schema_name(custom, node) %}{{ custom }}{% endmacro %}\n";
    let maker = "{{ config(schema='raw') }}\nselect a as uid, b as name from {{ ref('feed') }}\n";
    let reader = "select uid, name from {{ ref('users_v1') }}\n";
    let yaml = "models:\n  - name: users_v1\n    columns:\n      - name: uid\n        tests: [unique]\n";
    let files = [
        ("dbt_project.yml", project),
        ("macros/schema.sql", schema),
        ("models/feed.sql", "select 1 as a, 'x' as b\n"),
        ("models/users_v1.sql", maker),
        ("models/users.yml", yaml),
        ("models/reader.sql", reader),
    ];
    let rig = rig(&files);
    rig.write("m.yaml", migration(PAIR, "{columns: [{name: user_id, from: uid}]}"));
    git(&rig, "repository", &["init", "-q"]);
    let patch = rig.run(["rewrite", "-f", "m.yaml", "repository", "--patch"]).ended(0).stdout;
    assert!(patch.contains("rename from models/users_v1.sql\nrename to models/users_v2.sql\n"), "{patch}");
    rig.write("all.patch", &patch);
    git(&rig, "repository", &["apply", "../all.patch"]);
    let moved = || {
        assert!(!rig.path("repository/models/users_v1.sql").exists());
        assert_eq!(read(&rig, "models/users_v2.sql"), maker.replace("a as uid", "a as user_id"));
        assert_eq!(read(&rig, "models/users.yml"), yaml.replace("users_v1", "users_v2").replace("uid", "user_id"));
        assert_eq!(read(&rig, "models/reader.sql"), "select user_id as uid, name from {{ ref('users_v2') }}\n");
    };
    moved();
    rig.run(["rewrite", "-f", "m.yaml", "repository", "--reverse", "--write"]).ended(0);
    let back = || {
        assert!(!rig.path("repository/models/users_v2.sql").exists());
        for (path, text) in files {
            assert_eq!(read(&rig, path), text);
        }
    };
    back();
    rig.run(["rewrite", "-f", "m.yaml", "repository", "--write"]).ended(0);
    moved();
    rig.run(["rewrite", "-f", "m.yaml", "repository", "--reverse", "--write"]).ended(0);
    back();
}

#[test]
fn a_pair_that_is_blocked_is_left_out_and_said() {
    let rig = rig(&[("active.sql", ACTIVE)]);
    let both = migration("{from: users_v1, to: users_v2}, {from: people, to: people_v2}", MAPPING);
    rig.write("m.yaml", both);
    let said = rig.run(["rewrite", "-f", "m.yaml", "repository"]).ended(3);
    assert!(said.stderr.contains("the catalog knows no dataset `people`"), "{}", said.stderr);
    assert!(said.stderr.contains("left out, since they cannot be migrated: people"), "{}", said.stderr);
    assert!(said.stdout.contains("repository/active.sql  mechanical  3"), "{}", said.stdout);
    // A mapping that does not fit blocks its pair, too.
    rig.write("m.yaml", migration(PAIR, "{columns: [{name: a, from: nobody}]}"));
    let said = rig.run(["rewrite", "-f", "m.yaml", "repository", "--write"]).ended(3);
    assert!(said.stderr.contains("left out, since they cannot be migrated: users_v1"), "{}", said.stderr);
    assert_eq!(read(&rig, "active.sql"), ACTIVE);
}

#[test]
fn a_name_that_nobody_says_is_asked_for() {
    let rig = rig(&[("active.sql", "select uid from crm.people;\n")]);
    rig.write("catalog/users.yaml", CATALOG.replace("raw.users_v1", "crm.people"));
    rig.run(["catalog", "import", "catalog"]).ended(0);
    let said = rig.run(["rewrite", "-f", "m.yaml", "repository"]).ended(1);
    assert!(said.stderr.contains("nothing says by which name code is to read `users_v2`"), "{}", said.stderr);
    assert!(said.stderr.contains("hint: give the pair a `table`: code calls the old one `crm.people`"));
    rig.write("m.yaml", migration("{from: users_v1, to: users_v2, table: crm.customers}", MAPPING));
    rig.run(["rewrite", "-f", "m.yaml", "repository", "--write"]).ended(0);
    assert_eq!(read(&rig, "active.sql"), "select user_id as uid from crm.customers;\n");
}

#[test]
fn thousands_of_files_are_looked_through_and_only_those_concerned_are_shown() {
    let rig = rig(&[]);
    let mut long = String::new();
    for line in 0..40 {
        let _ = writeln!(long, "select id, amount * {line} as amount from sales.orders where state = 'open';");
    }
    for number in 0..2000 {
        let text = if number % 100 == 0 { ACTIVE } else { &long };
        rig.write(&format!("repository/{}/{number}.sql", number % 17), text);
    }
    let begun = Instant::now();
    let said = rig.run(["rewrite", "-f", "m.yaml", "repository", "--write"]).ended(0);
    assert!(begun.elapsed() < Duration::from_mins(1), "{:?}", begun.elapsed());
    assert_eq!(said.stdout.lines().count(), 21, "{}", said.stdout);
    assert!(said.stderr.lines().count() < 3 && said.stderr.contains("20 files with 60 edits, written"));
    assert_eq!(read(&rig, "15/100.sql"), ACTIVE_AFTER);
}

#[test]
fn what_git_ignores_or_nobody_can_name_is_told_and_left() {
    use std::os::unix::ffi::OsStrExt;
    let rig =
        rig(&[("a.sql", ACTIVE), ("target/a.sql", ACTIVE), ("kept.tmp", "x"), (".gitignore", "/target\n*.tmp\n")]);
    let strange = rig.path("repository").join(std::ffi::OsStr::from_bytes(b"b\xff.sql"));
    fs::write(&strange, ACTIVE).unwrap();
    git(&rig, "repository", &["init", "-q"]);
    git(&rig, "repository", &["add", "-f", "kept.tmp"]);
    let said = rig.run(["rewrite", "-f", "m.yaml", "repository", "--write", "-o", "name"]).ended(0);
    assert_eq!(said.stdout, "repository/a.sql\n");
    let told = "`repository`: git ignores `target`, which was not looked at\n\
                `repository`: the name of `b\\xff.sql` is not UTF-8, so that it was not looked at\n";
    assert!(said.stderr.starts_with(told), "{}", said.stderr);
    assert_eq!((read(&rig, "a.sql").as_str(), read(&rig, "target/a.sql").as_str()), (ACTIVE_AFTER, ACTIVE));
    assert_eq!(fs::read_to_string(&strange).unwrap(), ACTIVE);
    assert!(rig.run(["refs", "repository", "-d", "users_v1", "-o", "name"]).ended(0).stderr.starts_with(told));
}
