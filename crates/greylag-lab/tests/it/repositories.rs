//! Repositories: the same for a seed, with every trap in them, and a truth that fits their bytes.

use greylag_lab::{ConsumerClass, FileTruth, Options, RepositoriesTruth, RepositoryTruth, generate, tree_hash};
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn options(seed: u64, place: &Path) -> Options {
    Options { most_rows: Some(3), repositories: 60, ..Options::new(seed, 300, place) }
}

fn read<T: DeserializeOwned>(path: &Path) -> T {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// Every scenario that there is, by the names of their files.
fn scenarios() -> BTreeSet<String> {
    let directory = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios")).unwrap();
    let names = directory.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.map(|name| name.trim_end_matches(".txt").to_owned()).collect()
}

/// The expected text, put together from the old one and the edits.
fn edited(old: &str, file: &FileTruth) -> String {
    let (mut out, mut at) = (String::new(), 0);
    for edit in file.edits.iter().filter(|edit| !edit.optional) {
        out.push_str(&old[at..edit.start]);
        out.push_str(&edit.new);
        at = edit.end;
    }
    out + &old[at..]
}

fn check_file(estate: &Path, truth: &RepositoryTruth, file: &FileTruth) {
    let place = format!("{}/{}", truth.name, file.path);
    let old = fs::read_to_string(estate.join("repositories").join(&place)).unwrap();
    let kept = fs::read_to_string(estate.join("truth/repositories").join(&truth.name).join("old").join(&file.path));
    assert_eq!(old, kept.unwrap(), "{place}");
    assert!(!old.contains(['‹', '›']), "{place} has a mark that was not written");
    let new = estate.join("truth/repositories").join(&truth.name).join("new");
    let new = new.join(file.moved.as_ref().unwrap_or(&file.path));
    match &file.new {
        Some(_) => assert_eq!(edited(&old, file), fs::read_to_string(new).unwrap(), "{place}"),
        None => assert!(!new.exists() && file.edits.iter().all(|edit| edit.optional), "{place}"),
    }
    for reference in &file.references {
        assert!(reference.start < reference.end && reference.end <= old.len(), "{place}: {reference:?}");
    }
    let hard = file.class > ConsumerClass::Mechanical;
    assert_eq!(hard, file.reason.is_some(), "{place}");
    assert_eq!(file.class == ConsumerClass::Mechanical, file.new.is_some(), "{place}");
}

#[test]
fn every_trap_occurs_and_the_truth_fits_the_bytes() {
    let directory = tempfile::tempdir().unwrap();
    for seed in [1, 42] {
        let out = directory.path().join(seed.to_string());
        let report = generate(&options(seed, &out), &|_, _| {}).unwrap();
        assert_eq!((report.repositories, &report.hash), (60, &tree_hash(&out).unwrap()));
        let all: RepositoriesTruth = read(&out.join("truth/repositories.json"));
        let traps: BTreeSet<String> = all.traps.keys().cloned().collect();
        let habits = ["crlf", "tabs", "no-final-newline", "leading-commas", "upper-case"];
        let places = ["source-name", "source-identifier", "source-column"];
        let expected: BTreeSet<String> =
            scenarios().into_iter().chain(habits.into_iter().chain(places).map(str::to_owned)).collect();
        assert_eq!(traps, expected, "seed {seed}");
        assert_eq!(all.classes.len(), 5, "seed {seed} has {:?}", all.classes);
        assert!(all.classes[&ConsumerClass::Mechanical] >= 30, "seed {seed} has {:?}", all.classes);
        for name in &all.names {
            let truth: RepositoryTruth = read(&out.join(format!("truth/repositories/{name}.json")));
            let reads = !truth.reads.is_empty() || !truth.writes.is_empty();
            assert_eq!(reads, truth.class != ConsumerClass::Unaffected, "{name}");
            // So that lineage never runs in a circle, as the estate's pipelines see to as well.
            let number = |dataset: &String| all.tables[dataset].number;
            if let Some(least) = truth.writes.iter().map(number).min() {
                assert!(truth.reads.iter().all(|read| number(read) < least), "{name}");
            }
            for file in &truth.files {
                check_file(&out, &truth, file);
            }
        }
    }
}

/// The hash that this seed has on every machine. A change here means that estates of old seeds cannot be made again:
/// the changelog must say so.
#[test]
fn a_seed_has_the_same_repositories_on_every_machine() {
    let directory = tempfile::tempdir().unwrap();
    let one = |name: &str, threads| {
        let place = directory.path().join(name);
        let options = Options { most_rows: Some(2), repositories: 12, threads, ..Options::new(7, 40, place) };
        generate(&options, &|_, _| {}).unwrap().hash
    };
    assert_eq!(one("one", 1), one("many", 4));
    assert_eq!(one("again", 2), "bdb2ec8465557b38467bc6de2695da8d");
}

/// Repositories change nothing in the datasets.
#[test]
fn datasets_are_the_same_with_and_without_repositories() {
    let directory = tempfile::tempdir().unwrap();
    let one = |name: &str, repositories| {
        let place = directory.path().join(name);
        let options = Options { most_rows: Some(2), repositories, ..Options::new(7, 40, &place) };
        generate(&options, &|_, _| {}).unwrap();
        fs::read_to_string(place.join("truth/datasets.ndjson")).unwrap()
    };
    assert_eq!(one("with", 3), one("without", 0));
}
