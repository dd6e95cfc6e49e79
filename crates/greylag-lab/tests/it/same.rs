//! The same seed gives the same bytes, however many threads write them.

use greylag_lab::{LabError, Options, Profile, generate, tree_hash};
use std::path::Path;

fn options(seed: u64, place: &Path) -> Options {
    Options { most_rows: Some(60), ..Options::new(seed, 60, place) }
}

fn hash(options: &Options) -> String {
    let report = generate(options, &|_, _| {}).unwrap();
    assert_eq!(report.hash, tree_hash(&options.out).unwrap());
    report.hash
}

#[test]
fn the_same_seed_is_the_same_tree_and_another_is_another() {
    let directory = tempfile::tempdir().unwrap();
    let place = |name: &str| directory.path().join(name);
    let one = hash(&Options { threads: 1, ..options(1, &place("one")) });
    let many = hash(&Options { threads: 4, ..options(1, &place("many")) });
    assert_eq!(one, many);
    assert_ne!(one, hash(&options(2, &place("other"))));
}

/// The hash that this seed has on every machine. A change here means that estates of old seeds cannot be made again:
/// the changelog must say so.
#[test]
fn a_seed_is_the_same_on_every_machine() {
    let directory = tempfile::tempdir().unwrap();
    let options = Options { most_rows: Some(20), ..Options::new(7, 40, directory.path().join("estate")) };
    assert_eq!(hash(&options), "e44c15c3ef54d5392a6531b6e89b51b9");
}

#[test]
fn uniform_datasets_are_the_same_as_well() {
    let directory = tempfile::tempdir().unwrap();
    let place = |name: &str| directory.path().join(name);
    let profile = Profile::Uniform { rows: 10 };
    let one = Options { profile, ..Options::new(3, 30, place("one")) };
    let other = Options { profile, threads: 1, ..Options::new(3, 30, place("other")) };
    let report = generate(&one, &|_, _| {}).unwrap();
    assert_eq!((report.datasets, report.rows, report.hostile, report.migrations.len()), (30, 300, 0, 1));
    assert_eq!(report.hash, hash(&other));
}

#[test]
fn varied_datasets_are_the_same_as_well() {
    let directory = tempfile::tempdir().unwrap();
    let place = |name: &str| directory.path().join(name);
    let profile = Profile::Varied { rows: 10 };
    let one = Options { profile, ..Options::new(3, 30, place("one")) };
    let other = Options { profile, threads: 1, ..Options::new(3, 30, place("other")) };
    let report = generate(&one, &|_, _| {}).unwrap();
    assert_eq!((report.datasets, report.rows, report.hostile, report.migrations.len()), (30, 300, 0, 1));
    assert_eq!(report.hash, hash(&other));
}

#[test]
fn a_place_that_is_taken_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("mine"), "x").unwrap();
    let error = generate(&options(1, directory.path()), &|_, _| {}).unwrap_err();
    assert!(matches!(error, LabError::Occupied(_)));
    assert_eq!(error.code().to_string(), "GL0702");
}
