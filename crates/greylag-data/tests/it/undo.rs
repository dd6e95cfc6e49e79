//! Undo after each phase gives back the estate, bit by bit.

use crate::files::{old_file, rows, write_parquet};
use crate::support::{STEPS, Setup, World, code_of};
use greylag_model::code::data as code;
use std::fs;

/// Undoes everything up to and including `last`, newest first, each twice (a crash after the effect repeats it).
fn undo_from(world: &World, last: &str) {
    let upto = STEPS.iter().position(|uses| *uses == last).unwrap();
    for uses in STEPS[..=upto].iter().rev() {
        world.undo(uses).unwrap_or_else(|error| panic!("{uses}: {error:?}"));
        world.undo(uses).unwrap_or_else(|error| panic!("{uses} again: {error:?}"));
    }
}

#[test]
fn undo_after_each_phase_restores_the_estate() {
    for last in &STEPS[..6] {
        let world = Setup::new().small_chunks().build(old_file(250));
        let before = world.estate();
        world.run_through(last);
        undo_from(&world, last);
        assert_eq!(world.estate(), before, "after {last}");
    }
}

#[test]
fn a_target_that_was_written_to_is_not_taken_back() {
    let world = Setup::new().build(old_file(10));
    world.run_through("data/publish");
    let file = fs::OpenOptions::new().append(true).open(world.at("new.parquet")).unwrap();
    std::io::Write::write_all(&mut &file, b"more").unwrap();
    assert_eq!(code_of(world.undo("data/publish")), code::TARGET_CHANGED);
    assert!(world.at("new.parquet").is_file());
}

#[test]
fn a_strangers_target_is_left_alone() {
    let world = Setup::new().build(old_file(10));
    world.run_through("data/verify");
    write_parquet(&world.at("new.parquet"), &rows(0..3), 100);
    let theirs = fs::read(world.at("new.parquet")).unwrap();
    for uses in ["data/publish", "data/verify", "data/backfill", "data/expand"] {
        world.undo(uses).unwrap();
    }
    assert_eq!(fs::read(world.at("new.parquet")).unwrap(), theirs);
}

#[test]
fn what_was_dropped_cannot_be_had_back() {
    let world = Setup::new().build(old_file(10));
    world.run_through("data/drop");
    assert_eq!(code_of(world.undo("data/drop")), code::DROPPED);
}

#[test]
fn an_edited_view_is_kept_and_named() {
    let world = Setup::new().build(old_file(10));
    let before = world.estate();
    world.run_through("data/cutover");
    let view = world.at("old.parquet.sql");
    fs::write(&view, "-- mine").unwrap();
    let words = format!("`{}` is not the view that was written, so it is kept", view.display());
    assert_eq!(world.rehearse("data/cutover").unwrap().kept, std::slice::from_ref(&words));
    assert_eq!(world.undo("data/cutover").unwrap(), [words]);
    undo_from(&world, "data/publish");
    assert_eq!(fs::read_to_string(&view).unwrap(), "-- mine");
    fs::remove_file(view).unwrap();
    assert_eq!(world.estate(), before);
}

#[test]
fn a_retirement_that_died_half_way_is_taken_back() {
    let world = Setup::new().build(old_file(10));
    let before = world.estate();
    world.run_through("data/cutover");
    world.set_fault(Some(std::sync::Arc::new(|uses, point, _| {
        if (uses, point) == ("data/retire", "in-effect") { Err(std::io::ErrorKind::Other.into()) } else { Ok(()) }
    })));
    world.step("data/retire").unwrap_err();
    world.set_fault(None);
    assert!(!world.at("old.parquet").exists(), "it was hidden already");
    assert_eq!(world.rehearse("data/retire").unwrap().does.len(), 1);
    undo_from(&world, "data/retire");
    assert_eq!(world.estate(), before);
}

#[test]
fn directories_that_were_made_stay_if_others_use_them() {
    let mut setup = Setup::new();
    setup.target = "made/for/new.parquet";
    let world = setup.build(old_file(10));
    world.run_through("data/publish");
    fs::write(world.at("made/theirs.txt"), "kept").unwrap();
    for uses in ["data/publish", "data/verify", "data/backfill"] {
        assert_eq!(world.undo(uses).unwrap(), [""; 0]);
    }
    let made = world.at("made");
    let words =
        format!("`{}` was made for the new dataset and is kept: others have `theirs.txt` in it", made.display());
    assert_eq!(world.undo("data/expand").unwrap(), [words]);
    assert_eq!(fs::read_dir(made).unwrap().count(), 1, "what is empty went");
}

#[test]
fn a_dataset_behind_a_link_is_retired_as_a_link() {
    let world = Setup::new().build(|home| {
        write_parquet(&home.join("real/real.parquet"), &rows(0..10), 100);
        std::os::unix::fs::symlink("real/real.parquet", home.join("old.parquet")).unwrap();
    });
    let before = world.estate();
    world.run_through("data/retire");
    let real = world.estate().into_iter().find(|line| line.starts_with("real/real.parquet"));
    assert_eq!(real.as_ref(), before.iter().find(|line| line.starts_with("real/real.parquet")));
    undo_from(&world, "data/retire");
    assert_eq!(world.estate(), before);
}
