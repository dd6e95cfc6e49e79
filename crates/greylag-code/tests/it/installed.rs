//! Packages that `dbt deps` has installed into a work tree: read, and never edited.

use super::maker::change;
use greylag_code::repository::index::{Index, Subject};
use greylag_code::repository::{Options, Report, look, look_again};
use greylag_code::tree::{DirectoryTree, Tree};
use greylag_model::consumer::Class;
use greylag_model::id::Timestamp;
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

const SOURCES: &str = "\
version: 2
sources:
  - name: shop
    tables: [{name: users_v1}]
";

/// A work tree of git that ignores what is installed in it.
fn work_tree(installed: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let files = [
        (".gitignore", "dbt_packages/\n"),
        ("dbt_project.yml", "name: shop\n"),
        ("packages.yml", "packages:\n  - package: org/pkg\n    version: 1.0.0\n"),
        ("models/sources.yml", SOURCES),
        ("models/a.sql", "select {{ pkg.key('uid') }} as key from {{ source('shop', 'users_v1') }}\n"),
        ("models/b.sql", "select {{ pkg.age() }} as age from {{ source('shop', 'users_v1') }}\n"),
    ];
    for (path, text) in files.iter().chain(installed) {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    #[expect(clippy::disallowed_methods, reason = "people's git makes a work tree of theirs")]
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.args(arguments).current_dir(root.path()).env("GIT_CONFIG_GLOBAL", "/dev/null");
        assert!(command.status().unwrap().success(), "{arguments:?}");
    };
    git(&["init", "-q"]);
    git(&["add", "."]);
    root
}

const PACKAGE: [(&str, &str); 2] = [
    ("dbt_packages/pkg/dbt_project.yml", "name: pkg\n"),
    (
        "dbt_packages/pkg/macros/m.sql",
        "{% macro key(c) %}md5({{ c }}){% endmacro %}\n{% ###### %}\n{% macro age() %}max(uid){% endmacro %}\n",
    ),
];

fn new<'a>(report: &'a Report, path: &str) -> Option<&'a str> {
    report.files.iter().find(|file| file.path == path)?.new.as_deref()
}

#[test]
fn what_is_installed_is_read_and_never_edited() {
    let root = work_tree(&PACKAGE);
    let tree = DirectoryTree::new(root.path());
    assert!(tree.paths().unwrap().iter().all(|path| !path.starts_with("dbt_packages/")));
    let report = look(&tree, &[change()], Options::default()).unwrap();
    assert!(report.missing.is_empty());
    // A macro that is given the name lets it be changed where it is written; one that writes it is another project's.
    assert_eq!(report.files.iter().find(|file| file.path == "models/b.sql").unwrap().class, Class::Agentic);
    assert!(report.files.iter().all(|file| !file.path.starts_with("dbt_packages/") || file.new.is_none()));
    let said = report.files.iter().flat_map(|file| &file.findings).any(|finding| finding.why.contains("`dbt deps`"));
    assert!(said, "{:?}", report.files);
}

#[test]
fn a_macro_that_is_given_a_name_lets_its_caller_be_edited() {
    let root = work_tree(&PACKAGE);
    fs::remove_file(root.path().join("models/b.sql")).unwrap();
    let report = look(&DirectoryTree::new(root.path()), &[change()], Options::default()).unwrap();
    let edited = "select {{ pkg.key('user_id') }} as key from {{ source('shop', 'users_v2') }}\n";
    assert_eq!(new(&report, "models/a.sql"), Some(edited));
}

#[test]
fn what_is_wanted_and_not_installed_is_named() {
    let root = work_tree(&[]);
    let report = look(&DirectoryTree::new(root.path()), &[change()], Options::default()).unwrap();
    assert_eq!(report.missing.iter().collect::<Vec<_>>(), ["pkg"]);
    assert_eq!(new(&report, "models/a.sql"), None);
}

#[test]
fn an_index_sees_what_was_installed_since() {
    let (root, kept) = (work_tree(&[]), tempfile::tempdir().unwrap());
    fs::remove_file(root.path().join("models/b.sql")).unwrap();
    let again = |folder: &Path| {
        let changes = [change()];
        let options = Options::default();
        let subject = Subject { repository: "r", reader: "1", changes: &changes, options };
        let mut index = Index::open(folder, &subject, Timestamp(4_000_000_000_000));
        let report = look_again(&DirectoryTree::new(root.path()), &changes, options, &mut index).unwrap();
        index.save().unwrap();
        report
    };
    assert_eq!(again(kept.path()).missing.len(), 1);
    for (path, text) in PACKAGE {
        fs::create_dir_all(root.path().join(path).parent().unwrap()).unwrap();
        fs::write(root.path().join(path), text).unwrap();
    }
    let report = again(kept.path());
    assert!(report.missing.is_empty() && new(&report, "models/a.sql").is_some());
    assert_eq!(new(&again(kept.path()), "models/a.sql"), new(&report, "models/a.sql"));
    // Another file of the package, which was not there to be read: its macro takes the place of the other.
    fs::write(root.path().join("dbt_packages/pkg/macros/n.sql"), "{% macro key(c) %}{{ c }} -- {% endmacro %}")
        .unwrap();
    assert_ne!(new(&again(kept.path()), "models/a.sql"), new(&report, "models/a.sql"));
}
