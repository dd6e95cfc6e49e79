//! Bad input: a clear coded error, nothing written, and only the culprit stops.

use crate::rig::Rig;
use std::ffi::OsStr;

fn planned(rig: &Rig, text: &[u8]) -> (i32, String) {
    let file = rig.write("migration.yaml", text);
    let said = rig.run([OsStr::new("plan"), OsStr::new("-f"), file.as_os_str()]);
    (said.code.unwrap(), said.stderr)
}

#[test]
fn a_malformed_migration_names_file_line_and_cure() {
    let rig = Rig::new();
    let (code, said) = planned(
        &rig,
        b"apiVersion: greylag.dev/v1alpha1\nkind: Migration\nmetadata: {name: x}\nspec:\n  datasetz: []\n",
    );
    assert_eq!(code, 1);
    assert!(said.contains("migration.yaml:5:"), "{said}");
    assert!(said.contains("datasets"), "a key that is nearly right is suggested: {said}");
}

#[test]
fn yaml_bombs_end_at_once() {
    let rig = Rig::new();
    let mut bomb = String::from("a: &a [x, x, x, x, x, x, x, x, x]\n");
    for (this, last) in ('b'..='i').zip('a'..='h') {
        let aliases = vec![format!("*{last}"); 8].join(", ");
        bomb.extend([this.to_string(), format!(": &{this} [{aliases}]\n")]);
    }
    let (code, said) = planned(&rig, bomb.as_bytes());
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("error[GL01"), "{said}");
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let rig = Rig::new();
    let (code, said) = planned(&rig, &[0xff, 0xfe, 0x00, 0xd8, 0x80]);
    assert_eq!(code, 1);
    assert!(said.contains("error[GL01"), "{said}");
}

#[test]
fn an_unknown_dataset_blocks_only_its_pair() {
    let rig = Rig::new();
    rig.write("data/good.csv", "a,b\n1,2\n");
    rig.write("data/corrupt.parquet", b"PAR1 this is no footer PAR1");
    rig.run(["catalog", "import", "data"]);
    let text = b"apiVersion: greylag.dev/v1alpha1\nkind: Migration\nmetadata: {name: mixed}\nspec:\n  datasets:\n    - {from: good, to: good_v2}\n    - {from: gone, to: gone_v2}\n    - {from: corrupt, to: corrupt_v2}\n  mapping:\n    columns: [{name: c, from: a}]\n";
    let file = rig.write("mixed.yaml", text);
    let said = rig.run([OsStr::new("plan"), OsStr::new("-f"), file.as_os_str()]).ended(3);
    assert!(said.stdout.contains("error[GL0450]"), "{}", said.stdout);
    assert!(said.stdout.contains("1 dataset"), "{}", said.stdout);
    let plan = rig.json(["plans"])["items"][0]["id"].as_str().unwrap().to_owned();
    rig.run(["apply", &plan]).ended(3);
    assert_eq!(std::fs::read_to_string(rig.path("data/good_v2.csv")).unwrap(), "c,b\n1,2\n");
    let waited = rig.run(["wait", "mixed-1", "-o", "json"]).ended(3);
    assert_eq!(waited.json()["outcome"], "incomplete");
    rig.run(["undo", "mixed-1", "--yes"]).ended(0);
}

#[test]
fn a_target_that_exists_is_never_overwritten() {
    let rig = Rig::new();
    rig.write("data/good.csv", "a\n1\n");
    let standing = rig.write("other/good_v2.csv", "mine");
    rig.run(["catalog", "import", "data"]).ended(0);
    let text = format!(
        "apiVersion: greylag.dev/v1alpha1\nkind: Migration\nmetadata: {{name: m}}\nspec:\n  datasets:\n    - {{from: good, to: good_v2, location: {}}}\n  mapping:\n    columns: [{{name: c, from: a}}]\n",
        standing.display()
    );
    let (code, said) = planned(&rig, text.as_bytes());
    assert_ne!(code, 0);
    assert!(said.contains("GL0420"), "{said}");
    assert_eq!(std::fs::read_to_string(standing).unwrap(), "mine");
}

#[test]
fn a_state_folder_of_a_newer_version_is_refused() {
    let rig = Rig::new();
    rig.run(["runs"]).ended(0);
    let database = rusqlite::Connection::open(rig.path("home/state.db")).unwrap();
    database.execute("INSERT INTO schema_version (version) VALUES (9999)", []).unwrap();
    drop(database);
    let said = rig.run(["runs"]).ended(1);
    assert!(said.stderr.contains("error[GL0530]"), "{}", said.stderr);
}

#[test]
fn a_state_folder_that_is_rubbish_is_named() {
    let rig = Rig::new();
    rig.write("home/state.db", "this is no database, however long it is made to look like one ".repeat(200));
    let said = rig.run(["runs"]).ended(1);
    assert!(said.stderr.contains("error[GL05"), "{}", said.stderr);
}

#[test]
fn a_data_file_given_as_a_descriptor_is_pointed_to_its_directory() {
    let rig = Rig::new();
    rig.write("data/good.csv", "a,b\n1,2\n");
    let said = rig.run(["catalog", "import", "data/good.csv"]).ended(64);
    assert!(
        said.stderr.contains("is a data file") && said.stderr.contains("greylag catalog import data`"),
        "{}",
        said.stderr
    );
}

#[test]
fn a_migration_file_beside_the_data_does_not_hide_it() {
    let rig = Rig::new();
    rig.write("data/good.csv", "a,b\n1,2\n");
    rig.write("data/deep/notes.yaml", "type: FeatureCollection\nfeatures: []\n");
    rig.write("data/m.yaml", "apiVersion: greylag.dev/v1alpha1\nkind: Migration\nmetadata: {name: m}\nspec: {}\n");
    let said = rig.run(["catalog", "import", "data"]).ended(0);
    assert!(said.stdout.starts_with("1 added"), "{}", said.stdout);
}
