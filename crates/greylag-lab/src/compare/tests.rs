//! An estate is migrated by hand here: the new rows that the lab expects are written in the layout that it expects.
//! Then one thing at a time is spoiled, and the comparison must say which.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::{CompareOptions, Comparison, DifferenceKind, End, Outcome, compare};
use crate::cell::Cell;
use crate::design::{Design, Writer, design};
use crate::files::Writing;
use crate::generate::{Options, estate, generate};
use crate::layout::Shape;
use crate::rows::{Rows, draw};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

const SEED: u64 = 5;

fn options(place: &Path) -> Options {
    Options { most_rows: Some(40), hostile: Some(11), ..Options::new(SEED, 120, place) }
}

fn write_new(place: &Path, design: &Design, rows: &Rows) {
    let writing = Writing {
        layout: &design.new,
        slots: &design.new_slots,
        cells: &rows.new,
        rows: design.rows - rows.rejected,
        files: 2,
        file_mode: design.file_mode,
        directory_mode: design.directory_mode,
        writer: Writer::Arrow,
        odd: false,
    };
    let path = place.join(&design.new_path);
    if path.is_dir() {
        fs::remove_dir_all(&path).unwrap();
    } else if path.exists() {
        fs::remove_file(&path).unwrap();
    }
    writing.write(&path).unwrap();
}

/// An estate as a perfect migration leaves it, with its designs and rows.
fn migrated() -> (tempfile::TempDir, PathBuf, Vec<(Design, Rows)>) {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("estate");
    let options = options(&place);
    generate(&options, &|_, _| {}).unwrap();
    let estate = estate(&options);
    let mut all = Vec::new();
    for index in 0..options.datasets {
        let design = design(&estate, index);
        let rows = draw(SEED, &design);
        if design.hostile.is_none() {
            write_new(&place, &design, &rows);
            all.push((design, rows));
        }
    }
    (directory, place, all)
}

fn answer(place: &Path) -> Comparison {
    compare(place, &CompareOptions::default(), &|_, _| {}).unwrap()
}

/// Kinds of what differs, and of which dataset.
fn kinds(comparison: &Comparison) -> Vec<(DifferenceKind, String)> {
    let named = |difference: &super::Difference| (difference.kind, difference.dataset.clone().unwrap_or_default());
    comparison.differences.iter().map(named).collect()
}

fn reference(design: &Design) -> String {
    format!("resource:{}/{}", design.system.namespace, design.to)
}

#[test]
fn a_perfect_migration_has_no_differences_and_every_planted_one_is_found() {
    let (_directory, place, all) = migrated();
    let comparison = answer(&place);
    assert_eq!(comparison.differences, []);
    assert_eq!((comparison.datasets, comparison.right, comparison.refused), (120, 120, 11));
    assert!(comparison.rows > 3_000);

    for (design, rows) in &all {
        one_value(&place, design, rows);
    }
    one_row(&place, &all);
    one_type(&place, &all);
    modes(&place, &all);
    leftovers(&place, &all);
    what_was_there(&place, &all);
    assert_eq!(answer(&place).differences, [], "the spoils were taken back");
}

/// The value of one cell of one row, in every dataset and so in every layout.
fn one_value(place: &Path, design: &Design, rows: &Rows) {
    let other = |cell: &Cell| match cell {
        Cell::Int(value) => Some(Cell::Int(i128::from(*value == 0))),
        Cell::Text(text) => Some(Cell::Text(format!("{text}!"))),
        Cell::Bool(value) => Some(Cell::Bool(!value)),
        Cell::Date(day) => Some(Cell::Date(day - 1)),
        _ => None,
    };
    let own = design.new_slots.len() - design.new.partition_by.len();
    let spoiled = (0..own).rev().find_map(|column| {
        let (row, cell) = rows.new[column].iter().enumerate().find_map(|(row, cell)| Some((row, other(cell)?)))?;
        Some((column, row, cell))
    });
    let Some((column, row, cell)) = spoiled else { return };
    let mut spoiled = Rows { old: vec![], new: rows.new.clone(), rejected: rows.rejected };
    spoiled.new[column][row] = cell;
    write_new(place, design, &spoiled);
    let comparison = one(place, design);
    let name = &design.new_slots[column].column.name;
    let detail = &comparison.first().expect("a difference").1;
    assert_eq!(comparison.len(), 1, "{comparison:?}");
    assert!(detail.contains("1 rows are missing and 1 are not expected"), "{detail}");
    assert!(detail.contains(&format!("`{name}`")), "{detail}");
    write_new(place, design, rows);
}

/// Compares one dataset only: a comparison of all of them for each would take long.
fn one(place: &Path, design: &Design) -> Vec<(DifferenceKind, String)> {
    let datasets: Vec<crate::truth::DatasetTruth> = crate::truth::read_lines(place, "datasets.ndjson").unwrap();
    let mut found = super::Found::default();
    super::one(place, &CompareOptions::default(), &datasets[design.index], &mut found);
    found.differences
}

fn one_row(place: &Path, all: &[(Design, Rows)]) {
    let (design, rows) = all.iter().find(|(design, _)| design.rows > 5).unwrap();
    for twice in [false, true] {
        let mut spoiled = Rows { old: vec![], new: rows.new.clone(), rejected: rows.rejected };
        for column in &mut spoiled.new {
            if twice { column.push(column[0].clone()) } else { column.truncate(column.len() - 1) }
        }
        let change = if twice { design.rows + 1 } else { design.rows - 1 };
        write_new(place, &Design { rows: change, ..copy(design) }, &spoiled);
        let found = one(place, design);
        assert!(found.iter().any(|(_, detail)| detail.contains(" rows, must have ")), "{found:?}");
        assert!(found.iter().all(|(kind, _)| *kind == DifferenceKind::Rows), "{found:?}");
    }
    write_new(place, design, rows);
}

/// What writing needs of a design.
fn copy(design: &Design) -> Design {
    let estate = estate(&options(Path::new("unused")));
    crate::design::design(&estate, design.index)
}

fn one_type(place: &Path, all: &[(Design, Rows)]) {
    use greylag_model::types::DataType;
    let is_parquet = |design: &Design| !design.new.format.is_csv() && design.rows > 0;
    let narrow = |slot: &crate::design::Slot| slot.column.data_type == DataType::Int64;
    let (design, rows) =
        (all.iter()).find(|(design, _)| is_parquet(design) && design.new_slots.iter().any(narrow)).unwrap();
    let mut spoiled = copy(design);
    for slot in &mut spoiled.new_slots {
        if slot.column.data_type == DataType::Int64 {
            slot.column.data_type = DataType::UInt64;
        }
    }
    write_new(place, &spoiled, rows);
    let found = one(place, design);
    assert_eq!(found[0].0, DifferenceKind::Schema, "{found:?}");
    assert!(found[0].1.contains("uint64, must be"), "{found:?}");
    let mut spoiled = copy(design);
    spoiled.new_slots[0].column.name.push('x');
    write_new(place, &spoiled, rows);
    assert_eq!(one(place, design)[0].0, DifferenceKind::Schema);
    write_new(place, design, rows);
}

fn modes(place: &Path, all: &[(Design, Rows)]) {
    let (design, _) = all.iter().find(|(design, _)| design.new.shape == Shape::File).unwrap();
    let path = place.join(&design.new_path);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o604)).unwrap();
    assert_eq!(kinds(&answer(place)), [(DifferenceKind::Mode, reference(design))]);
    fs::set_permissions(&path, fs::Permissions::from_mode(design.file_mode)).unwrap();
}

fn leftovers(place: &Path, all: &[(Design, Rows)]) {
    let (design, _) = all.iter().find(|(design, _)| design.new.shape == Shape::Directory).unwrap();
    let inside = place.join(&design.new_path).join(".staging");
    fs::write(&inside, "x").unwrap();
    assert_eq!(kinds(&answer(place)), [(DifferenceKind::Leftover, reference(design))]);
    fs::remove_file(inside).unwrap();
    let beside = place.join("data/.greylag-staging");
    fs::create_dir(&beside).unwrap();
    assert_eq!(kinds(&answer(place)), [(DifferenceKind::Leftover, String::new())]);
    fs::remove_dir(beside).unwrap();
}

fn what_was_there(place: &Path, all: &[(Design, Rows)]) {
    let litter = place.join("data/.DS_Store");
    let bytes = fs::read(&litter).unwrap();
    fs::write(&litter, "other").unwrap();
    assert_eq!(kinds(&answer(place)), [(DifferenceKind::Changed, String::new())]);
    fs::write(&litter, bytes).unwrap();
    let (design, _) = all.iter().find(|(design, _)| design.old.shape == Shape::File).unwrap();
    let old = place.join(&design.old_path);
    let aside = place.join("aside");
    fs::rename(&old, &aside).unwrap();
    assert_eq!(kinds(&answer(place)), [(DifferenceKind::Changed, reference(design))]);
    fs::rename(&aside, &old).unwrap();
}

#[test]
fn an_undone_estate_is_the_generated_one() {
    let (_directory, place, all) = migrated();
    let undone = CompareOptions { undone: true, ..CompareOptions::default() };
    let comparison = compare(&place, &undone, &|_, _| {}).unwrap();
    assert!(comparison.differences.iter().all(|difference| difference.kind == DifferenceKind::Leftover));
    assert!(comparison.differences.len() >= all.len());
    for (design, _) in &all {
        let path = place.join(&design.new_path);
        if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
    }
    let comparison = compare(&place, &undone, &|_, _| {}).unwrap();
    assert_eq!(comparison.differences, []);
    assert!(comparison.unchanged > 200);
    let comparison = answer(&place);
    let missing = comparison.differences.iter().filter(|difference| difference.kind == DifferenceKind::Missing);
    assert_eq!(missing.count(), all.len());
}

#[test]
fn outcomes_are_held_against_the_truth() {
    let (_directory, place, all) = migrated();
    let datasets: Vec<crate::truth::DatasetTruth> = crate::truth::read_lines(&place, "datasets.ndjson").unwrap();
    let mut options = CompareOptions::default();
    for dataset in &datasets {
        let end = match dataset.refused.map(|refused| refused.when) {
            None => End::Migrated,
            Some(crate::Refusal::Blocked) => End::Blocked,
            Some(_) => End::Failed,
        };
        let rejected = Some(dataset.rejected);
        let code = dataset.refused.map(|refused| refused.why.codes()[0].to_string());
        options.outcomes.insert(dataset.to.clone(), Outcome { end, code, rejected });
    }
    assert_eq!(compare(&place, &options, &|_, _| {}).unwrap().differences, []);
    for dataset in &datasets {
        if let Some(outcome) = options.outcomes.get_mut(&dataset.to) {
            outcome.end = if outcome.end == End::Migrated { End::Failed } else { End::Migrated };
        }
    }
    let comparison = compare(&place, &options, &|_, _| {}).unwrap();
    assert_eq!(comparison.differences.len(), datasets.len());
    assert_eq!((comparison.right, all.len()), (0, datasets.len() - 11));
    for outcome in options.outcomes.values_mut() {
        outcome.end = if outcome.code.is_some() { End::Failed } else { End::Migrated };
        outcome.code = outcome.code.as_ref().map(|_| "GL0001".to_owned());
    }
    let comparison = compare(&place, &options, &|_, _| {}).unwrap();
    let codes = comparison.differences.iter().filter(|difference| difference.detail.contains("refused with GL0001"));
    assert_eq!(codes.count(), 11);
}

#[test]
fn staging_of_a_pair_that_was_given_up_is_a_leftover() {
    let (_directory, place, _) = migrated();
    let datasets: Vec<crate::truth::DatasetTruth> = crate::truth::read_lines(&place, "datasets.ndjson").unwrap();
    let is_misfit = |dataset: &&crate::truth::DatasetTruth| {
        dataset.refused.is_some_and(|refused| refused.why == crate::Hostile::Misfit)
    };
    let (directory, name) = datasets.iter().find(is_misfit).unwrap().new_path.rsplit_once('/').unwrap();
    fs::create_dir(place.join(directory).join(format!(".{name}.greylag-run.e1"))).unwrap();
    assert_eq!(kinds(&answer(&place)), [(DifferenceKind::Leftover, String::new())]);
}
