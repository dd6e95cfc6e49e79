//! A second scan reads what changed, and its report is that of a scan from nothing.

use greylag_code::repository::index::{Index, Subject};
use greylag_code::repository::{Options, Report, look, look_again};
use greylag_code::tree::{DirectoryTree, MemoryTree, Tree, Version};
use greylag_model::consumer::TableChange;
use greylag_model::id::Timestamp;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, prop_oneof, proptest};
use proptest::prop_assert_eq;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// Files with versions as git has them, which count what is read.
struct Counted {
    files: MemoryTree,
    bytes: AtomicU64,
    read: Mutex<Vec<String>>,
}

impl Counted {
    fn new(files: &BTreeMap<String, String>) -> Self {
        let files = files.iter().map(|(path, text)| (path.clone(), text.clone().into_bytes()));
        Self { files: MemoryTree::of(files), bytes: AtomicU64::new(0), read: Mutex::default() }
    }
}

impl Tree for Counted {
    fn paths(&self) -> io::Result<Vec<String>> {
        self.files.paths()
    }

    fn read(&self, path: &str) -> io::Result<Option<Arc<[u8]>>> {
        let bytes = self.files.read(path)?;
        if let Some(bytes) = &bytes {
            self.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            self.read.lock().unwrap().push(path.to_owned());
        }
        Ok(bytes)
    }

    fn version(&self, path: &str) -> io::Result<Option<Version>> {
        let bytes = self.files.read(path)?;
        Ok(bytes.map(|bytes| Version::Blob(String::from_utf8_lossy(&bytes).into_owned())))
    }
}

fn changes() -> Vec<TableChange> {
    let columns = ["id", "total"].map(str::to_owned).to_vec();
    vec![TableChange::unchanged("orders", vec!["raw.orders".parse().unwrap()], columns)]
}

/// An index that believes the times of all files.
fn index(folder: &Path, reader: &str, changes: &[TableChange]) -> Index {
    index_at(folder, reader, changes, Timestamp(4_000_000_000_000))
}

fn index_at(folder: &Path, reader: &str, changes: &[TableChange], begun: Timestamp) -> Index {
    let subject = Subject { repository: "here", reader, changes, options: Options::default() };
    Index::open(folder, &subject, begun)
}

/// Scans with an index, keeps it, and holds the report against one from nothing. How many bytes were read, and of which files.
fn scan(folder: &Path, files: &BTreeMap<String, String>) -> (u64, Vec<String>) {
    let changes = changes();
    let tree = Counted::new(files);
    let mut index = index(folder, "1", &changes);
    let report = look_again(&tree, &changes, Options::default(), &mut index).unwrap();
    index.save().unwrap();
    assert_eq!(words(&report), words(&from_nothing(files)));
    let mut read = tree.read.into_inner().unwrap();
    read.sort();
    read.dedup();
    (tree.bytes.into_inner(), read)
}

fn from_nothing(files: &BTreeMap<String, String>) -> Report {
    look(&Counted::new(files), &changes(), Options::default()).unwrap()
}

fn words(report: &Report) -> String {
    format!("{report:#?}")
}

const SOURCES: &str = "sources: [{name: raw, tables: [{name: orders, columns: [{name: id}]}]}]\n";

fn estate() -> BTreeMap<String, String> {
    let files = [
        (".greylag.yaml", "dialect: duckdb\n"),
        ("jobs/a.sql", "select id from raw.orders;\n"),
        ("jobs/b.sql", "select 1 from other.orders;\n"),
        ("jobs/c.py", "q = 'select id from raw.orders'\n"),
        ("README.md", "We read orders by id.\n"),
        ("data/x.parquet", "PAR1"),
        ("one/dbt_project.yml", "name: one\n"),
        ("one/models/sources.yml", SOURCES),
        ("one/models/m.sql", "select id from {{ source('raw', 'orders') }}\n"),
        ("one/models/n.sql", "select {{ shared('id') }} from {{ ref('m') }}\n"),
        ("one/macros/shared.sql", "{% macro shared(x) %}{{ x }}{% endmacro %}\n"),
        ("two/dbt_project.yml", "name: two\n"),
        ("two/packages.yml", "packages: [{local: ../one}]\n"),
        ("two/models/p.sql", "select total from raw.orders\n"),
    ];
    files.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect()
}

#[test]
fn what_is_unchanged_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = estate();
    let (all, _) = scan(folder.path(), &files);
    assert!(all > 400, "{all} bytes");
    let settings = files[".greylag.yaml"].len() as u64;
    assert_eq!(scan(folder.path(), &files), (settings, vec![".greylag.yaml".to_owned()]));
    // A single file.
    let text = "select id, total from raw.orders;\n";
    files.insert("jobs/b.sql".to_owned(), text.to_owned());
    let (bytes, read) = scan(folder.path(), &files);
    assert_eq!(
        (bytes, read),
        (settings + text.len() as u64, vec![".greylag.yaml".to_owned(), "jobs/b.sql".to_owned()])
    );
    // A new file, one that is gone, and data, which is never read.
    files.insert("jobs/d.sql".to_owned(), text.to_owned());
    files.insert("data/x.parquet".to_owned(), "PAR2".to_owned());
    files.remove("jobs/a.sql");
    assert_eq!(scan(folder.path(), &files).1, [".greylag.yaml", "jobs/d.sql"]);
    // A model of the second project has none of the first one's units read, but what the second one uses of it.
    files.insert("two/models/p.sql".to_owned(), "select id from raw.orders\n".to_owned());
    let (_, read) = scan(folder.path(), &files);
    assert!(read.iter().all(|path| !path.starts_with("jobs/")), "{read:?}");
    assert!(read.contains(&"two/models/p.sql".to_owned()), "{read:?}");
}

#[test]
fn a_file_of_a_project_has_what_depends_on_it_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = estate();
    scan(folder.path(), &files);
    files.insert("one/macros/shared.sql".to_owned(), "{% macro shared(x) %}max({{ x }}){% endmacro %}\n".to_owned());
    let (_, read) = scan(folder.path(), &files);
    // The second project has the first as its package.
    for path in ["one/macros/shared.sql", "one/models/n.sql", "two/models/p.sql"] {
        assert!(read.contains(&path.to_owned()), "{path}: {read:?}");
    }
    // What was not there and was asked for, and what nobody asked for by name.
    files.insert("one/packages.yml".to_owned(), "packages: []\n".to_owned());
    assert!(scan(folder.path(), &files).1.contains(&"one/models/m.sql".to_owned()));
    files.insert("one/models/o.sql".to_owned(), "select id from {{ ref('m') }}\n".to_owned());
    assert!(scan(folder.path(), &files).1.contains(&"one/models/m.sql".to_owned()));
}

#[test]
fn what_is_said_of_a_project_has_it_read_again_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = estate();
    files.insert("one/dbt_project.yml".to_owned(), "name: one\nprofile: p\n".to_owned());
    scan(folder.path(), &files);
    files.insert(
        ".greylag.yaml".to_owned(),
        "dialect: duckdb\ndbt: {projects: {two: {target: {name: x}}}}\n".to_owned(),
    );
    let (_, read) = scan(folder.path(), &files);
    assert!(read.contains(&"two/models/p.sql".to_owned()), "{read:?}");
    // The first project is a package of the second, but its own unit stands.
    assert!(!read.contains(&"jobs/a.sql".to_owned()), "{read:?}");
    assert_eq!(scan(folder.path(), &files).1, [".greylag.yaml"]);
    files.insert("ci/profiles.yml".to_owned(), "p: {outputs: {default: {type: bigquery}}}\n".to_owned());
    let (_, read) = scan(folder.path(), &files);
    assert!(read.contains(&"one/models/m.sql".to_owned()) && read.contains(&"ci/profiles.yml".to_owned()), "{read:?}");
    assert_eq!(scan(folder.path(), &files).1, [".greylag.yaml"]);
}

#[test]
fn what_cannot_be_trusted_is_thrown_away() {
    let folder = tempfile::tempdir().unwrap();
    let files = estate();
    scan(folder.path(), &files);
    let path = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let whole = std::fs::read(&path).unwrap();
    assert!(!index(folder.path(), "1", &changes()).is_empty());
    assert!(index(folder.path(), "2", &changes()).is_empty(), "another reader");
    let mut other = changes();
    other[0].dataset = "others".to_owned();
    assert!(index(folder.path(), "1", &other).is_empty(), "other changes");
    let flip = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    let damaged = [
        flip(3),
        flip(40),
        flip(whole.len() / 2),
        flip(whole.len() - 1),
        whole[..whole.len() / 2].to_vec(),
        Vec::new(),
    ];
    for bytes in damaged {
        std::fs::write(&path, bytes).unwrap();
        assert!(index(folder.path(), "1", &changes()).is_empty());
        scan(folder.path(), &files);
        assert_eq!(std::fs::read(&path).unwrap(), whole, "it is made anew");
    }
}

/// Writes files below a directory; those that are no longer wanted are removed.
fn lay_out(directory: &TempDir, files: &BTreeMap<String, String>) {
    for entry in std::fs::read_dir(directory.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { std::fs::remove_dir_all(path).unwrap() } else { std::fs::remove_file(path).unwrap() }
    }
    for (path, text) in files {
        let path = directory.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

#[test]
fn in_a_directory_a_change_of_the_same_length_within_the_same_moment_is_seen() {
    let (folder, directory) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut files = estate();
    lay_out(&directory, &files);
    // The files are older than the clock that is given, and then newer: their times are not believed.
    for (begun, text) in [(4_000_000_000_000, "select id from raw.orders;"), (0, "select ix from raw.orders;")] {
        let tree = DirectoryTree::new(directory.path());
        let mut index = index_at(folder.path(), "1", &changes(), Timestamp(begun));
        let report = look_again(&tree, &changes(), Options::default(), &mut index).unwrap();
        index.save().unwrap();
        assert_eq!(words(&report), words(&from_nothing(&files)));
        files.insert("jobs/a.sql".to_owned(), text.to_owned());
        std::fs::write(directory.path().join("jobs/a.sql"), text).unwrap();
    }
    let mut index = index(folder.path(), "1", &changes());
    let report = look_again(&DirectoryTree::new(directory.path()), &changes(), Options::default(), &mut index);
    assert_eq!(words(&report.unwrap()), words(&from_nothing(&files)));
}

/// An edit of a repository.
#[derive(Clone, Debug)]
enum Change {
    Write(usize, usize),
    Append(usize, usize),
    Remove(usize),
    Move(usize, usize),
}

const PATHS: [&str; 18] = [
    "jobs/a.sql",
    "jobs/b.sql",
    "jobs/c.py",
    "README.md",
    ".greylag.yaml",
    "one/dbt_project.yml",
    "one/models/sources.yml",
    "one/models/m.sql",
    "one/models/n.sql",
    "one/models/o.sql",
    "one/macros/shared.sql",
    "one/macros/more.sql",
    "two/dbt_project.yml",
    "two/packages.yml",
    "two/models/p.sql",
    "two/seeds/s.csv",
    "one/profiles.yml",
    "ci/profiles.yml",
];
const TEXTS: [&str; 18] = [
    "select id, total from raw.orders\n",
    "select id from {{ source('raw', 'orders') }}\n",
    "select {{ shared('total') }} from {{ ref('m') }}\n",
    "{% macro shared(x) %}{{ x }}{% endmacro %}\n",
    "{% macro shared(x) %}sum({{ x }}){% endmacro %}\n{% macro ref(x) %}raw.orders{% endmacro %}\n",
    SOURCES,
    "name: one\n",
    "name: two\nvars: {x: orders}\n",
    "packages: [{local: ../one}]\n",
    "dialect: postgres\n",
    "dialect: bigquery\n",
    "select * from {{ var('x', 'raw.orders') }}\n",
    "models: [{name: m, columns: [{name: id}]}]\n",
    "{% broken\n",
    "name: one\nprofile: p\n",
    "p: {outputs: {default: {type: bigquery}}}\n",
    "dbt: {target: {name: prod}, projects: {two: {vars: {x: raw.orders}, target: {type: trino}}}}\n",
    "select {{ 'id' if target.name == 'prod' else 'total' }} from {{ target.type }}.raw.orders\n",
];

fn change() -> impl Strategy<Value = Change> {
    let path = 0..PATHS.len();
    prop_oneof![
        4 => (path.clone(), 0..TEXTS.len()).prop_map(|(path, text)| Change::Write(path, text)),
        2 => (path.clone(), 0..TEXTS.len()).prop_map(|(path, text)| Change::Append(path, text)),
        1 => path.clone().prop_map(Change::Remove),
        1 => (path.clone(), path).prop_map(|(from, to)| Change::Move(from, to)),
        1 => Just(Change::Remove(0)),
    ]
}

fn make(change: &Change, files: &mut BTreeMap<String, String>) {
    match *change {
        Change::Write(path, text) => drop(files.insert(PATHS[path].to_owned(), TEXTS[text].to_owned())),
        Change::Append(path, text) => {
            let _ = write!(files.entry(PATHS[path].to_owned()).or_default(), "{}", TEXTS[text]);
        }
        Change::Remove(path) => drop(files.remove(PATHS[path])),
        Change::Move(from, to) => {
            if let Some(text) = files.remove(PATHS[from]) {
                files.insert(PATHS[to].to_owned(), text);
            }
        }
    }
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 48, ..Default::default() })]

    #[test]
    fn any_edits_give_the_report_of_a_scan_from_nothing(rounds in vec(vec(change(), 0..4), 1..6)) {
        let (memory, disk, directory) = (tempfile::tempdir()?, tempfile::tempdir()?, tempfile::tempdir()?);
        let mut files = estate();
        for round in rounds {
            scan(memory.path(), &files);
            lay_out(&directory, &files);
            // Written a moment ago: bytes are compared.
            let mut kept = index_at(disk.path(), "1", &changes(), Timestamp(0));
            let tree = DirectoryTree::new(directory.path());
            let report = look_again(&tree, &changes(), Options::default(), &mut kept)?;
            kept.save()?;
            prop_assert_eq!(words(&report), words(&from_nothing(&files)));
            for change in &round {
                make(change, &mut files);
            }
        }
        scan(memory.path(), &files);
    }
}
